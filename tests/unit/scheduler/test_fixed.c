/* The integers of scores against the mathematics that they stand for. */
#include "manager/scheduler/fixed.h"

#include "platform/base/mem.h"
#include "platform/base/prng.h"
#include "tests/unit/unit.h"

#include <math.h>

#define GIB   ((int64_t)1 << 30)
#define LIEB  1.53960071783900203869
#define CLOSE 1e-6

static double real(int64_t fixed)
{
    return (double)fixed / (double)FIXED_ONE;
}

static void assert_close(double a, double b, double most)
{
    if (fabs(a - b) > most)
        fail_msg("%.9f is not %.9f", a, b);
}

static void powers_are_those_of_the_mathematics(void **state)
{
    (void)state;
    struct prng prng;
    prng_init(&prng, 4);
    for (int i = 0; i < 100000; i++) {
        int64_t x = (int64_t)prng_below(&prng, (uint64_t)FIXED_ONE + 1);
        assert_close(real(fixed_power_of_10(x)), pow(10, real(x)), 3e-6);
        x = (int64_t)prng_below(&prng, (uint64_t)FIXED_ONE * 8);
        assert_close(real(fixed_power_of_lieb(x)) / pow(LIEB, real(x)), 1, CLOSE);
    }
    assert_int_equal(fixed_power_of_10(0), FIXED_ONE);
    assert_int_equal(fixed_power_of_10(FIXED_ONE), 10 * FIXED_ONE);
    assert_int_equal(fixed_power_of_10(-5), FIXED_ONE);
    assert_int_equal(fixed_power_of_lieb(0), FIXED_ONE);
}

static void fractions_hold_for_bytes_of_any_machine(void **state)
{
    (void)state;
    assert_int_equal(fixed_fraction(1, 2), FIXED_ONE / 2);
    assert_int_equal(fixed_fraction(3, 0), 0);
    assert_int_equal(fixed_fraction(-3, 4), 0);
    assert_int_equal(fixed_fraction(1 << 20, 1 << 20), FIXED_ONE);
    assert_close(real(fixed_fraction(300 * GIB + 7, 1024 * GIB)), 300.0 / 1024, 1e-8);
    assert_close(real(fixed_fraction(((int64_t)1 << 50) - 1, (int64_t)1 << 50)), 1, 1e-8);
    assert_close(real(fixed_fraction((int64_t)5 << 50, (int64_t)1 << 50)), 5, 1e-7);
}

/* With the power as it is and the factor of what is asked: the power as it will be. */
static void the_parts_of_a_score_are_the_formulas(void **state)
{
    (void)state;
    struct prng prng;
    prng_init(&prng, 5);
    for (int i = 0; i < 20000; i++) {
        int64_t cpu = 1000 + (int64_t)prng_below(&prng, 64000), memory = GIB * (1 + i % 64);
        int64_t asked_cpu = 1 + (int64_t)prng_below(&prng, (uint64_t)cpu);
        int64_t asked_memory = 1 + (int64_t)prng_below(&prng, (uint64_t)memory);
        int64_t used_cpu = (int64_t)prng_below(&prng, (uint64_t)(cpu - asked_cpu + 1));
        int64_t used_memory = (int64_t)prng_below(&prng, (uint64_t)(memory - asked_memory + 1));
        int64_t cpu_power =
            (fixed_free_power(used_cpu, cpu) * fixed_asked_factor(asked_cpu, cpu)) >> FIXED_BITS;
        int64_t memory_power =
            (fixed_free_power(used_memory, memory) * fixed_asked_factor(asked_memory, memory)) >>
            FIXED_BITS;
        double sum = pow(10, 1 - (double)(used_cpu + asked_cpu) / (double)cpu) +
                     pow(10, 1 - (double)(used_memory + asked_memory) / (double)memory);
        assert_close((double)part_binpack(cpu_power, memory_power), (20 - sum) / 18 * 1e6, 2);
        assert_close((double)part_spread(cpu_power, memory_power), (sum - 2) / 18 * 1e6, 2);
    }
}

static void a_full_node_is_packed_best_and_an_empty_one_spread_best(void **state)
{
    (void)state;
    int64_t full = (fixed_free_power(0, GIB) * fixed_asked_factor(GIB, GIB)) >> FIXED_BITS;
    int64_t vast =
        (fixed_free_power(0, GIB << 20) * fixed_asked_factor(1, GIB << 20)) >> FIXED_BITS;
    assert_int_equal(part_binpack(full, full), PART_ONE);
    assert_int_equal(part_spread(full, full), 0);
    assert_in_range(part_binpack(vast, vast), 0, 1);
    assert_in_range(part_spread(vast, vast), PART_ONE - 1, PART_ONE);
}

static void other_instances_count_against_a_node(void **state)
{
    (void)state;
    assert_int_equal(part_anti_affinity(1, 4), -500000);
    assert_int_equal(part_anti_affinity(3, 4), -1000000);
    assert_int_equal(part_anti_affinity(9, 4), -1000000);
}

static void a_target_that_is_reached_repels(void **state)
{
    (void)state;
    assert_int_equal(part_spread_target(70, 10, 0), 857142); /* (7 - 1) / 7 */
    assert_int_equal(part_spread_target(70, 10, 6), 0);
    assert_int_equal(part_spread_target(70, 10, 13), -1000000);
    assert_int_equal(part_spread_target(0, 10, 0), -1000000);
}

static void an_even_spread_fills_the_emptiest(void **state)
{
    (void)state;
    assert_int_equal(part_spread_even(0, 0, 0), 0);        /* nothing anywhere */
    assert_int_equal(part_spread_even(3, 2, 3), -500000);  /* more than the least */
    assert_int_equal(part_spread_even(1, 0, 1), -1000000); /* some have none */
    assert_int_equal(part_spread_even(2, 2, 2), -1000000); /* all the same */
    assert_int_equal(part_spread_even(2, 2, 3), 500000);   /* the least */
    assert_int_equal(part_spread_even(0, 0, 3), 1000000);
}

/* The reference implementation's cpu term cancels itself out: this one grows with the load. */
static void the_marginal_cost_grows_with_the_load(void **state)
{
    (void)state;
    int64_t before = 0;
    for (int64_t used = 0; used < 4000; used += 100) {
        int64_t cost = cost_epvm(used, 100, 4000);
        assert_true(cost > before);
        assert_close(real(cost),
                     pow(LIEB, (double)(used + 100) / 4000) - pow(LIEB, (double)used / 4000), 2e-7);
        before = cost;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(powers_are_those_of_the_mathematics),
        cmocka_unit_test(fractions_hold_for_bytes_of_any_machine),
        cmocka_unit_test(the_parts_of_a_score_are_the_formulas),
        cmocka_unit_test(a_full_node_is_packed_best_and_an_empty_one_spread_best),
        cmocka_unit_test(other_instances_count_against_a_node),
        cmocka_unit_test(a_target_that_is_reached_repels),
        cmocka_unit_test(an_even_spread_fills_the_emptiest),
        cmocka_unit_test(the_marginal_cost_grows_with_the_load),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
