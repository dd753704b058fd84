/* max_run: how long a run of a batch task may take. */
#include "tests/unit/worker/fixture.h"

enum { MAX_RUN_MS = 60000 };

#define TEST(name) static void name(void **state)
#define READY          \
    (void)state;       \
    struct fixture f;  \
    fixture_ready(&f); \
    batch_that_ends(&f)

static void batch_that_ends(struct fixture *f)
{
    f->spec.type = JOB_BATCH;
    f->task.restart.policy = RESTART_ON_FAILURE;
    f->task.max_run_ms = MAX_RUN_MS;
}

static void found_running(struct fixture *f, int64_t run, int64_t started_ms)
{
    runtime_says(f, (struct runtime_event){.kind = RUNTIME_RUNNING,
                                           .task_id = WEB_ID,
                                           .run = run,
                                           .cluster = "c1",
                                           .started_ms = started_ms});
}

TEST(a_run_that_takes_longer_is_stopped_and_has_failed_though_it_exits_with_0)
{
    READY;
    assign(&f, wanted(WEB_ID));
    running(&f, WEB_ID, 1);
    forget(&f);
    advance(&f, MAX_RUN_MS - 1);
    assert_null(find_effect(&f, EFFECT_STOP));
    advance(&f, 1);
    assert_int_equal(find_effect(&f, EFFECT_STOP)->signal_number, 15);
    assert_true(has_event(&f, REASON_MAX_RUN));
    assert_state(&f, WEB_ID, ATTEMPT_RUNNING, 1);
    forget(&f);
    exited(&f, WEB_ID, 1, 0);
    assert_state(&f, WEB_ID, ATTEMPT_FAILED, 1);
    assert_int_equal(attempt_of(&f, WEB_ID)->reason, REASON_MAX_RUN);
    assert_int_equal(attempt_of(&f, WEB_ID)->exit_code, 0);
    advance(&f, 10 * MAX_RUN_MS);
    assert_null(find_effect(&f, EFFECT_START));
    fixture_release(&f);
}

TEST(it_needs_no_broker)
{
    READY;
    assign(&f, wanted(WEB_ID));
    running(&f, WEB_ID, 1);
    step_kind(&f, WORKER_LINK_LOST);
    forget(&f);
    advance(&f, MAX_RUN_MS);
    assert_non_null(find_effect(&f, EFFECT_STOP));
    fixture_release(&f);
}

TEST(a_run_that_ends_in_time_is_completed_and_each_run_has_its_own_time)
{
    READY;
    assign(&f, wanted(WEB_ID));
    running(&f, WEB_ID, 1);
    advance(&f, MAX_RUN_MS - 1000);
    exited(&f, WEB_ID, 1, 3);
    advance(&f, 20000);
    running(&f, WEB_ID, 2);
    forget(&f);
    advance(&f, MAX_RUN_MS - 1000);
    assert_null(find_effect(&f, EFFECT_STOP));
    exited(&f, WEB_ID, 2, 0);
    assert_state(&f, WEB_ID, ATTEMPT_COMPLETED, 2);
    fixture_release(&f);
}

TEST(a_restarted_worker_counts_from_the_runs_start)
{
    (void)state;
    struct fixture f;
    fixture_new(&f, false, false);
    f.now.mono_ms = 24 * 3600 * 1000;
    batch_that_ends(&f);
    assign_from_store(&f, wanted(WEB_ID));
    own_state(&f, "web", observed(WEB_ID, ATTEMPT_RUNNING, 1), 9, true);
    step_kind(&f, WORKER_START);
    found_running(&f, 1, f.now.wall_ms - MAX_RUN_MS + 5000);
    listed(&f, RUNTIME_DOCKER);
    forget(&f);
    advance(&f, 4999);
    assert_null(find_effect(&f, EFFECT_STOP));
    advance(&f, 1);
    assert_non_null(find_effect(&f, EFFECT_STOP));
    fixture_release(&f);
}

TEST(a_wall_clock_that_was_set_makes_no_run_older_than_the_machine)
{
    READY;
    f.now.mono_ms = 30000; /* since boot */
    assign(&f, wanted(WEB_ID));
    found_running(&f, 1, 1000); /* started when the clock said 1970 */
    forget(&f);
    advance(&f, 29000);
    assert_null(find_effect(&f, EFFECT_STOP));
    advance(&f, 2000);
    assert_non_null(find_effect(&f, EFFECT_STOP));
    fixture_release(&f);
}

TEST(what_was_over_its_time_before_the_worker_was_killed_has_failed_after)
{
    (void)state;
    struct fixture f;
    fixture_new(&f, false, false);
    batch_that_ends(&f);
    struct observed_attempt before = observed(WEB_ID, ATTEMPT_RUNNING, 1);
    before.reason = REASON_MAX_RUN; /* told before it was stopped */
    assign_from_store(&f, wanted(WEB_ID));
    own_state(&f, "web", before, 9, true);
    step_kind(&f, WORKER_START);
    exited(&f, WEB_ID, 1, 0); /* it took the signal for a request to end well */
    listed(&f, RUNTIME_DOCKER);
    assert_state(&f, WEB_ID, ATTEMPT_FAILED, 1);
    assert_int_equal(attempt_of(&f, WEB_ID)->reason, REASON_MAX_RUN);
    fixture_release(&f);
}

TEST(while_the_engine_is_down_the_stop_waits_for_it)
{
    READY;
    assign(&f, wanted(WEB_ID));
    running(&f, WEB_ID, 1);
    runtime_says(&f, (struct runtime_event){.kind = RUNTIME_DOWN});
    forget(&f);
    advance(&f, 2 * MAX_RUN_MS);
    assert_null(find_effect(&f, EFFECT_STOP));
    runtime_says(&f, (struct runtime_event){.kind = RUNTIME_UP});
    found_running(&f, 1, 0);
    assert_non_null(find_effect(&f, EFFECT_STOP));
    fixture_release(&f);
}

TEST(a_shorter_max_run_of_a_new_version_counts_for_what_runs)
{
    READY;
    f.task.max_run_ms = UNSET;
    assign(&f, wanted(WEB_ID));
    running(&f, WEB_ID, 1);
    advance(&f, 2 * MAX_RUN_MS);
    forget(&f);
    f.task.max_run_ms = MAX_RUN_MS;
    assign(&f, wanted(WEB_ID));
    advance(&f, 0);
    assert_non_null(find_effect(&f, EFFECT_STOP));
    fixture_release(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_that_takes_longer_is_stopped_and_has_failed_though_it_exits_with_0),
        cmocka_unit_test(it_needs_no_broker),
        cmocka_unit_test(a_run_that_ends_in_time_is_completed_and_each_run_has_its_own_time),
        cmocka_unit_test(a_restarted_worker_counts_from_the_runs_start),
        cmocka_unit_test(a_wall_clock_that_was_set_makes_no_run_older_than_the_machine),
        cmocka_unit_test(what_was_over_its_time_before_the_worker_was_killed_has_failed_after),
        cmocka_unit_test(while_the_engine_is_down_the_stop_waits_for_it),
        cmocka_unit_test(a_shorter_max_run_of_a_new_version_counts_for_what_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
