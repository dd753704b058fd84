#include "platform/adapters/random_system.h"
#include "tests/unit/unit.h"

static void two_seeds_are_not_the_same(void **state)
{
    (void)state;
    uint64_t first = random_system_seed(), second = random_system_seed();
    assert_true(first != second);
    assert_true(first != 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(two_seeds_are_not_the_same)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
