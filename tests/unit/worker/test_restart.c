/* The restart policy, line by line of SEMANTICS section 1. */
#include "tests/unit/worker/fixture.h"

static struct restart_policy policy_service(void)
{
    return (struct restart_policy){.policy = RESTART_ALWAYS,
                                   .attempts = 2,
                                   .interval_ms = 1800000,
                                   .delay_ms = 15000,
                                   .backoff = BACKOFF_CONSTANT,
                                   .max_delay_ms = 300000,
                                   .mode = RESTART_MODE_FAIL};
}

static const struct restart_ending failure = {.ran_ms = 100};
static const struct restart_ending success = {.success = true, .ran_ms = 100};

static struct restart_decision decide(const struct restart_policy *policy,
                                      struct restart_memory *memory,
                                      const struct restart_ending *ending, int64_t wall_ms)
{
    struct prng prng;
    prng_init(&prng, 1);
    return restart_decide(policy, memory, ending, wall_ms, &prng);
}

struct row {
    const char *what;
    enum restart_when when;
    int64_t attempts;
    struct restart_ending ending;
    enum restart_verdict verdict;
    enum reason reason;
    int64_t counted;
};

static const struct row rows[] = {
    {"stopped on purpose wins over all",
     RESTART_ALWAYS,
     2,
     {.stopped = true, .asked = true},
     RESTART_STOPPED,
     REASON_NONE,
     0},
    {"a person's restart is at once and not counted",
     RESTART_NEVER,
     0,
     {.asked = true},
     RESTART_AT_ONCE,
     REASON_NONE,
     0},
    {"a person's restart comes before the end of max_run",
     RESTART_NEVER,
     0,
     {.asked = true, .max_run = true},
     RESTART_AT_ONCE,
     REASON_NONE,
     0},
    {"more than max_run is failed, whatever the exit code and the policy",
     RESTART_ALWAYS,
     2,
     {.max_run = true, .success = true},
     RESTART_FAILED,
     REASON_MAX_RUN,
     0},
    {"attempts 0: failed", RESTART_ALWAYS, 0, {.ran_ms = 1}, RESTART_FAILED, REASON_NO_RESTART, 0},
    {"attempts 0, success of a batch: completed",
     RESTART_ON_FAILURE,
     0,
     {.success = true},
     RESTART_COMPLETED,
     REASON_NONE,
     0},
    {"a hopeless start error ends it",
     RESTART_ALWAYS,
     2,
     {.permanent = true},
     RESTART_FAILED,
     REASON_NONE,
     1},
    {"success of a batch: completed",
     RESTART_ON_FAILURE,
     3,
     {.success = true},
     RESTART_COMPLETED,
     REASON_NONE,
     1},
    {"success of a service: restarted",
     RESTART_ALWAYS,
     2,
     {.success = true},
     RESTART_AFTER,
     REASON_BACKOFF,
     1},
    {"failure: restarted", RESTART_ON_FAILURE, 3, {.ran_ms = 1}, RESTART_AFTER, REASON_BACKOFF, 1},
    {"policy never, failure: failed",
     RESTART_NEVER,
     3,
     {.ran_ms = 1},
     RESTART_FAILED,
     REASON_NO_RESTART,
     0},
    {"policy never, success: completed",
     RESTART_NEVER,
     3,
     {.success = true},
     RESTART_COMPLETED,
     REASON_NONE,
     0},
};

static void the_first_matching_rule_decides(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct restart_policy policy = policy_service();
        policy.policy = (int)rows[i].when;
        policy.attempts = rows[i].attempts;
        struct restart_memory memory = {0};
        struct restart_decision decision = decide(&policy, &memory, &rows[i].ending, 1000);
        if (decision.verdict != rows[i].verdict || decision.reason != rows[i].reason ||
            memory.window_restarts != rows[i].counted) {
            fail_msg("%s", rows[i].what);
        }
    }
}

static void attempts_2_means_two_restarts_and_the_third_exit_in_the_window_fails(void **state)
{
    (void)state;
    struct restart_policy policy = policy_service();
    struct restart_memory memory = {0};
    assert_int_equal(decide(&policy, &memory, &failure, 1000).verdict, RESTART_AFTER);
    assert_int_equal(decide(&policy, &memory, &success, 2000).verdict, RESTART_AFTER);
    struct restart_decision third = decide(&policy, &memory, &failure, 3000);
    assert_int_equal(third.verdict, RESTART_FAILED);
    assert_int_equal(third.reason, REASON_ATTEMPTS_EXCEEDED);
}

static void a_window_that_has_passed_starts_the_count_anew(void **state)
{
    (void)state;
    struct restart_policy policy = policy_service();
    struct restart_memory memory = {0};
    for (int i = 0; i < 100; i++) {
        int64_t wall_ms = 1000 + i * (policy.interval_ms + 1);
        assert_int_equal(decide(&policy, &memory, &failure, wall_ms).verdict, RESTART_AFTER);
        assert_int_equal(memory.window_restarts, 1);
    }
}

static void mode_delay_waits_until_the_window_ends(void **state)
{
    (void)state;
    struct restart_policy policy = policy_service();
    policy.mode = RESTART_MODE_DELAY;
    struct restart_memory memory = {0};
    decide(&policy, &memory, &failure, 1000);
    decide(&policy, &memory, &failure, 2000);
    struct restart_decision decision = decide(&policy, &memory, &failure, 3000);
    assert_int_equal(decision.verdict, RESTART_AFTER);
    assert_int_equal(3000 + decision.delay_ms, 1000 + policy.interval_ms + 1);
    assert_int_equal(decide(&policy, &memory, &failure, 3000 + decision.delay_ms).verdict,
                     RESTART_AFTER);
    assert_int_equal(memory.window_restarts, 1);
}

static void the_delay_is_spread_by_up_to_a_quarter(void **state)
{
    (void)state;
    struct restart_policy policy = policy_service();
    struct prng prng;
    prng_init(&prng, 42);
    int64_t smallest = INT64_MAX, largest = 0;
    for (int i = 0; i < 1000; i++) {
        struct restart_memory memory = {0};
        int64_t delay_ms = restart_decide(&policy, &memory, &failure, 1000, &prng).delay_ms;
        smallest = delay_ms < smallest ? delay_ms : smallest;
        largest = delay_ms > largest ? delay_ms : largest;
    }
    assert_in_range(smallest, 15000, 15100);
    assert_in_range(largest, 18600, 18750);
}

static void exponential_delays_double_up_to_the_largest_and_never_overflow(void **state)
{
    (void)state;
    struct restart_policy policy = policy_service();
    policy.backoff = BACKOFF_EXPONENTIAL;
    policy.attempts = 1000;
    policy.delay_ms = 1000;
    struct restart_memory memory = {0};
    int64_t expected_ms = 1000;
    for (int i = 0; i < 200; i++) {
        int64_t delay_ms = decide(&policy, &memory, &failure, 1000 + i).delay_ms;
        assert_in_range(delay_ms, expected_ms, expected_ms + expected_ms / 4);
        expected_ms = expected_ms * 2 > policy.max_delay_ms ? policy.max_delay_ms : expected_ms * 2;
    }
}

static void ten_seconds_of_running_reset_the_growing_delay(void **state)
{
    (void)state;
    struct restart_policy policy = policy_service();
    policy.backoff = BACKOFF_EXPONENTIAL;
    policy.attempts = 1000;
    struct restart_memory memory = {0};
    for (int i = 0; i < 5; i++) {
        decide(&policy, &memory, &failure, 1000 + i);
    }
    const struct restart_ending long_run = {.ran_ms = 10000};
    assert_in_range(decide(&policy, &memory, &long_run, 2000).delay_ms, 15000, 18750);
}

static void a_clock_set_back_neither_frees_attempts_nor_freezes_the_window(void **state)
{
    (void)state;
    struct restart_policy policy = policy_service();
    struct restart_memory memory = {.window_ms = 5000000, .window_restarts = 1};
    decide(&policy, &memory, &failure, 1000);
    assert_int_equal(memory.window_restarts, 2);
    assert_int_equal(memory.window_ms, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_matching_rule_decides),
        cmocka_unit_test(attempts_2_means_two_restarts_and_the_third_exit_in_the_window_fails),
        cmocka_unit_test(a_window_that_has_passed_starts_the_count_anew),
        cmocka_unit_test(mode_delay_waits_until_the_window_ends),
        cmocka_unit_test(the_delay_is_spread_by_up_to_a_quarter),
        cmocka_unit_test(exponential_delays_double_up_to_the_largest_and_never_overflow),
        cmocka_unit_test(ten_seconds_of_running_reset_the_growing_delay),
        cmocka_unit_test(a_clock_set_back_neither_frees_attempts_nor_freezes_the_window),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
