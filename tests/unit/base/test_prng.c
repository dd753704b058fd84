#include "platform/base/prng.h"
#include "tests/unit/unit.h"

#include <string.h>

/* Values of splitmix64 and xoshiro256** from the authors' reference code
 * (prng.di.unimi.it). */
static void it_is_the_published_generator(void **state)
{
    (void)state;
    struct prng prng = {.state = {1, 2, 3, 4}};
    const uint64_t expected[] = {11520u, 0u, 1509978240u, 1215971899390074240u};
    for (int i = 0; i < 4; i++)
        assert_true(prng_next(&prng) == expected[i]);
    prng_init(&prng, 1234567);
    assert_true(prng.state[0] == 6457827717110365317u);
    assert_true(prng.state[1] == 3203168211198807973u);
}

static void one_seed_gives_one_sequence(void **state)
{
    (void)state;
    struct prng a, b, c;
    prng_init(&a, 7);
    prng_init(&b, 7);
    prng_init(&c, 8);
    int same = 0;
    for (int i = 0; i < 1000; i++) {
        uint64_t value = prng_next(&a);
        assert_true(value == prng_next(&b));
        same += value == prng_next(&c);
    }
    assert_int_equal(same, 0);
}

static void numbers_below_a_bound_stay_below_and_reach_all(void **state)
{
    (void)state;
    struct prng prng;
    int seen[7] = {0};
    prng_init(&prng, 0); /* a seed of 0 is as good as any */
    for (int i = 0; i < 7000; i++) {
        uint64_t value = prng_below(&prng, 7);
        assert_true(value < 7);
        seen[value]++;
    }
    for (int i = 0; i < 7; i++)
        assert_in_range(seen[i], 850, 1150);
    assert_int_equal(prng_below(&prng, 0), 0);
    assert_int_equal(prng_below(&prng, 1), 0);
    uint64_t bound = (uint64_t)1 << 63 | 1; /* nearly every second value is rejected */
    for (int i = 0; i < 100; i++)
        assert_true(prng_below(&prng, bound) < bound);
}

static void base32_has_its_alphabet_and_length(void **state)
{
    (void)state;
    struct prng prng;
    char text[1001], empty[1] = {'x'};
    prng_init(&prng, 1);
    prng_base32(&prng, text, 1000);
    assert_int_equal(strlen(text), 1000);
    assert_int_equal(strspn(text, "abcdefghijklmnopqrstuvwxyz234567"), 1000);
    for (const char *c = "abcdefghijklmnopqrstuvwxyz234567"; *c; c++)
        assert_non_null(strchr(text, *c));
    prng_base32(&prng, empty, 0);
    assert_string_equal(empty, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_the_published_generator),
        cmocka_unit_test(one_seed_gives_one_sequence),
        cmocka_unit_test(numbers_below_a_bound_stay_below_and_reach_all),
        cmocka_unit_test(base32_has_its_alphabet_and_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
