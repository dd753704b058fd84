#include "schema/states.h"

#include "platform/base/mem.h"
#include "tests/unit/unit.h"

static const enum attempt_state states[] = {
#define STATE(name, wire, order) ATTEMPT_##name,
    ATTEMPT_STATE_TABLE(STATE)
#undef STATE
};

/* ---- the reference state machine
 * --------------------------------------------------------------------- Its failed is one run that
 * ended badly: what it may do next is our next run (on the same node) or a new attempt; only when
 * there is neither is the attempt failed for us. */

enum reference { PENDING, SCHEDULED, RUNNING, COMPLETED, FAILED, REFERENCE_COUNT };

static const bool reference_table[REFERENCE_COUNT][REFERENCE_COUNT] = {
    [PENDING] = {[SCHEDULED] = true},
    [SCHEDULED] = {[SCHEDULED] = true, [RUNNING] = true, [FAILED] = true},
    [RUNNING] = {[RUNNING] = true, [COMPLETED] = true, [FAILED] = true, [SCHEDULED] = true},
    [FAILED] = {[SCHEDULED] = true},
};

/* Our state and whether the run grows, for a step between two of theirs. */
static const struct step {
    enum attempt_state from, to;
    bool next_run;
} steps[REFERENCE_COUNT][REFERENCE_COUNT] = {
    [PENDING] = {[SCHEDULED] = {ATTEMPT_PENDING, ATTEMPT_SCHEDULED, false}},
    [SCHEDULED] = {[SCHEDULED] = {ATTEMPT_SCHEDULED, ATTEMPT_SCHEDULED, false},
                   [RUNNING] = {ATTEMPT_SCHEDULED, ATTEMPT_RUNNING, false},
                   [FAILED] = {ATTEMPT_SCHEDULED, ATTEMPT_FAILED, false}},
    [RUNNING] = {[RUNNING] = {ATTEMPT_RUNNING, ATTEMPT_RUNNING, false},
                 [COMPLETED] = {ATTEMPT_RUNNING, ATTEMPT_COMPLETED, false},
                 [FAILED] = {ATTEMPT_RUNNING, ATTEMPT_FAILED, false},
                 [SCHEDULED] = {ATTEMPT_RUNNING, ATTEMPT_SCHEDULED, true}},
    [FAILED] = {[SCHEDULED] = {ATTEMPT_RUNNING, ATTEMPT_STARTING, true}},
};

static void every_step_of_the_reference_machine_can_be_expressed(void **state)
{
    (void)state;
    for (int from = 0; from < REFERENCE_COUNT; from++)
        for (int to = 0; to < REFERENCE_COUNT; to++)
            if (reference_table[from][to])
                assert_true(attempt_state_may_follow(steps[from][to].from, steps[from][to].to,
                                                     steps[from][to].next_run));
}

static void what_the_reference_machine_forbids_stays_forbidden(void **state)
{
    (void)state;
    static const struct step forbidden[] = {
        {ATTEMPT_PENDING, ATTEMPT_RUNNING, false},   {ATTEMPT_PENDING, ATTEMPT_COMPLETED, false},
        {ATTEMPT_PENDING, ATTEMPT_FAILED, false},    {ATTEMPT_SCHEDULED, ATTEMPT_PENDING, false},
        {ATTEMPT_RUNNING, ATTEMPT_PENDING, true},    {ATTEMPT_COMPLETED, ATTEMPT_SCHEDULED, true},
        {ATTEMPT_COMPLETED, ATTEMPT_RUNNING, false}, {ATTEMPT_COMPLETED, ATTEMPT_FAILED, false},
        {ATTEMPT_FAILED, ATTEMPT_RUNNING, false},    {ATTEMPT_FAILED, ATTEMPT_COMPLETED, false},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(forbidden); i++)
        assert_false(
            attempt_state_may_follow(forbidden[i].from, forbidden[i].to, forbidden[i].next_run));
}

/* ---- our own ---- */

static void a_final_state_stays_final(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(states); i++)
        for (size_t j = 0; j < ARRAY_LENGTH(states); j++)
            for (int next_run = 0; next_run < 2; next_run++)
                if (attempt_state_is_final(states[i]))
                    assert_int_equal(attempt_state_may_follow(states[i], states[j], next_run),
                                     i == j && !next_run);
}

static void within_a_run_a_state_only_moves_forward(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(states); i++)
        for (size_t j = 0; j < i; j++)
            assert_false(attempt_state_may_follow(states[i], states[j], false));
}

static void a_restart_goes_back_only_with_the_next_run(void **state)
{
    (void)state;
    assert_false(attempt_state_may_follow(ATTEMPT_RUNNING, ATTEMPT_STARTING, false));
    assert_true(attempt_state_may_follow(ATTEMPT_RUNNING, ATTEMPT_STARTING, true));
    assert_true(attempt_state_may_follow(ATTEMPT_STARTING, ATTEMPT_PREPARING, true));
    assert_false(attempt_state_may_follow(ATTEMPT_PENDING, ATTEMPT_STARTING, true));
}

static void numbers_that_are_no_state_lead_nowhere(void **state)
{
    (void)state;
    assert_false(attempt_state_may_follow(ATTEMPT_RUNNING, (enum attempt_state)51, false));
    assert_false(attempt_state_may_follow(ATTEMPT_RUNNING, (enum attempt_state)71, false));
    assert_false(attempt_state_may_follow((enum attempt_state)11, ATTEMPT_SCHEDULED, false));
    assert_string_equal(attempt_state_to_string((enum attempt_state)11), "");
    assert_string_equal(attempt_state_to_string(ATTEMPT_RUNNING), "running");
}

static int compare(struct attempt_order a, struct attempt_order b)
{
    int order = attempt_order_compare(&a, &b);
    assert_int_equal(attempt_order_compare(&b, &a), -order);
    return order;
}

static void observations_are_ordered_by_run_then_state_then_seq(void **state)
{
    (void)state;
    assert_int_equal(compare((struct attempt_order){2, ATTEMPT_STARTING, 1},
                             (struct attempt_order){1, ATTEMPT_RUNNING, 9}),
                     1);
    assert_int_equal(compare((struct attempt_order){1, ATTEMPT_RUNNING, 1},
                             (struct attempt_order){1, ATTEMPT_STARTING, 9}),
                     1);
    assert_int_equal(compare((struct attempt_order){1, ATTEMPT_RUNNING, 2},
                             (struct attempt_order){1, ATTEMPT_RUNNING, 1}),
                     1);
    assert_int_equal(compare((struct attempt_order){1, ATTEMPT_RUNNING, 2},
                             (struct attempt_order){1, ATTEMPT_RUNNING, 2}),
                     0);
}

static void a_final_observation_is_above_every_later_run(void **state)
{
    (void)state;
    assert_int_equal(compare((struct attempt_order){1, ATTEMPT_STOPPED, 1},
                             (struct attempt_order){7, ATTEMPT_RUNNING, 9}),
                     1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_step_of_the_reference_machine_can_be_expressed),
        cmocka_unit_test(what_the_reference_machine_forbids_stays_forbidden),
        cmocka_unit_test(a_final_state_stays_final),
        cmocka_unit_test(within_a_run_a_state_only_moves_forward),
        cmocka_unit_test(a_restart_goes_back_only_with_the_next_run),
        cmocka_unit_test(numbers_that_are_no_state_lead_nowhere),
        cmocka_unit_test(observations_are_ordered_by_run_then_state_then_seq),
        cmocka_unit_test(a_final_observation_is_above_every_later_run),
    };
    return cmocka_run_group_tests_name("states", tests, NULL, NULL);
}
