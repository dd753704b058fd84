#include "platform/base/pool.h"
#include "platform/base/prng.h"
#include "tests/unit/unit.h"

enum { COUNT = 5000, STEPS = 50000 };

struct thing {
    int64_t number;
    void *padding[4];
};

static void objects_keep_what_they_hold_until_they_are_freed(void **state)
{
    (void)state;
    static struct thing *things[COUNT];
    struct pool pool = POOL_OF(struct thing);
    struct prng prng;
    prng_init(&prng, 5);
    for (int64_t step = 0; step < STEPS; step++) {
        size_t at = prng_below(&prng, COUNT);
        if (things[at]) {
            assert_int_equal(things[at]->number, at + 1);
            pool_free(&pool, things[at]);
            things[at] = NULL;
            continue;
        }
        things[at] = pool_alloc(&pool);
        assert_int_equal(things[at]->number, 0);
        assert_null(things[at]->padding[0]);
        things[at]->number = (int64_t)at + 1;
        things[at]->padding[0] = things;
    }
    for (size_t at = 0; at < COUNT; at++)
        if (things[at])
            assert_int_equal(things[at]->number, at + 1);
    for (size_t at = 0; at < COUNT; at++)
        pool_free(&pool, things[at]);
    assert_int_equal(pool.count, 0);
    assert_null(pool.open);
    pool_release(&pool);
}

static void what_is_left_goes_with_the_pool(void **state)
{
    (void)state;
    struct pool pool = POOL_OF(struct thing);
    for (int i = 0; i < COUNT; i++)
        pool_alloc(&pool);
    pool_release(&pool);
    assert_int_equal(pool.count, 0);
    struct thing *thing = pool_alloc(&pool);
    assert_int_equal(thing->number, 0);
    pool_release(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_keep_what_they_hold_until_they_are_freed),
        cmocka_unit_test(what_is_left_goes_with_the_pool),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
