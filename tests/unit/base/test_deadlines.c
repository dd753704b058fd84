#include "platform/base/deadlines.h"
#include "platform/base/prng.h"
#include "tests/unit/unit.h"

enum { COUNT = 500 };

static void the_first_due_comes_first_and_of_equals_the_one_that_was_set_first(void **state)
{
    (void)state;
    struct deadlines deadlines = {0};
    static struct deadline all[COUNT];
    struct prng prng;
    prng_init(&prng, 3);
    for (int i = 0; i < COUNT; i++)
        deadline_set(&deadlines, &all[i], (int64_t)prng_below(&prng, 50));
    for (int i = 0; i < COUNT; i += 3)
        deadline_unset(&deadlines, &all[i]);
    for (int i = 1; i < COUNT; i += 3)
        deadline_set(&deadlines, &all[i], (int64_t)prng_below(&prng, 50));
    struct deadline last = {0}, *first;
    int seen = 0;
    for (; (first = deadlines_first(&deadlines)); seen++) {
        assert_true(first->due_ms > last.due_ms ||
                    (first->due_ms == last.due_ms && first->number > last.number));
        assert_int_not_equal((first - all) % 3, 0);
        last = *first;
        deadline_unset(&deadlines, first);
        assert_int_equal(first->place, 0);
    }
    assert_int_equal(seen, COUNT - (COUNT + 2) / 3);
    deadlines_release(&deadlines);
}

static void setting_it_to_what_it_is_keeps_its_place(void **state)
{
    (void)state;
    struct deadlines deadlines = {0};
    struct deadline a = {0}, b = {0};
    deadline_set(&deadlines, &a, 7);
    deadline_set(&deadlines, &b, 7);
    deadline_set(&deadlines, &a, 7);
    assert_ptr_equal(deadlines_first(&deadlines), &a);
    deadline_set(&deadlines, &a, 8);
    assert_ptr_equal(deadlines_first(&deadlines), &b);
    deadlines_release(&deadlines);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_due_comes_first_and_of_equals_the_one_that_was_set_first),
        cmocka_unit_test(setting_it_to_what_it_is_keeps_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
