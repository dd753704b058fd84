/* Attempts: started, ended, restarted, stopped, as the core decides it. */
#include "tests/unit/worker/fixture.h"

#define TEST(name) static void name(void **state)
#define READY         \
    (void)state;      \
    struct fixture f; \
    fixture_ready(&f)

/* ---- starting ---- */

TEST(an_assignment_is_stored_and_told_before_its_attempt_is_started)
{
    READY;
    assign(&f, wanted(WEB_ID));
    assert_state(&f, WEB_ID, ATTEMPT_SCHEDULED, 1);
    assert_true(effects_any_mark(&f.effects));
    const struct effect *start = find_effect(&f, EFFECT_START);
    assert_non_null(start);
    assert_string_equal(start->task_id, WEB_ID);
    assert_int_equal(start->run, 1);
    struct attempt_view view;
    assert_true(worker_wants(f.worker, WEB_ID, 1, &view));
    assert_non_null(view.task);
    fixture_release(&f);
}

TEST(an_attempt_goes_through_every_state_to_running)
{
    READY;
    assign(&f, wanted(WEB_ID));
    runtime_says(&f,
                 (struct runtime_event){.kind = RUNTIME_PREPARING, .task_id = WEB_ID, .run = 1});
    assert_state(&f, WEB_ID, ATTEMPT_PREPARING, 1);
    runtime_says(&f, (struct runtime_event){.kind = RUNTIME_STARTING, .task_id = WEB_ID, .run = 1});
    assert_state(&f, WEB_ID, ATTEMPT_STARTING, 1);
    running(&f, WEB_ID, 1);
    assert_state(&f, WEB_ID, ATTEMPT_RUNNING, 1);
    assert_string_equal(attempt_of(&f, WEB_ID)->execution, "0123456789ab");
    fixture_release(&f);
}

TEST(the_same_assignment_heard_again_changes_nothing)
{
    READY;
    assign(&f, wanted(WEB_ID));
    running(&f, WEB_ID, 1);
    forget(&f);
    f.seq--; /* the very same document */
    assign(&f, wanted(WEB_ID));
    assert_int_equal(f.effects.count, 0);
    assert_false(effects_any_mark(&f.effects));
    fixture_release(&f);
}

TEST(a_runtime_that_the_node_lacks_is_rejected_with_its_reason)
{
    READY;
    f.task.runtime = RUNTIME_SIMULATED;
    assign(&f, wanted(WEB_ID));
    assert_state(&f, WEB_ID, ATTEMPT_REJECTED, 1);
    assert_int_equal(attempt_of(&f, WEB_ID)->reason, REASON_RUNTIME_DISABLED);
    fixture_release(&f);
}

TEST(a_task_that_its_specification_lacks_is_rejected)
{
    READY;
    assign(&f, wanted("web_other_0_aaaaaaaa"));
    assert_state(&f, "web_other_0_aaaaaaaa", ATTEMPT_REJECTED, 1);
    fixture_release(&f);
}

TEST(an_attempt_of_another_job_in_an_assignment_is_refused)
{
    READY;
    assign(&f, wanted("db_db_0_aaaaaaaa"));
    assert_null(attempt_of(&f, "db_db_0_aaaaaaaa"));
    assert_true(has_event(&f, REASON_UNKNOWN_SUBJECT));
    fixture_release(&f);
}

/* ---- ending ---- */

TEST(an_exit_is_followed_by_a_wait_and_the_next_run)
{
    READY;
    assign(&f, wanted(WEB_ID));
    running(&f, WEB_ID, 1);
    forget(&f);
    exited(&f, WEB_ID, 1, 3);
    assert_state(&f, WEB_ID, ATTEMPT_STARTING, 2);
    const struct attempt *attempt = attempt_of(&f, WEB_ID);
    assert_int_equal(attempt->reason, REASON_BACKOFF);
    assert_int_equal(attempt->restarts, 1);
    assert_int_equal(attempt->exit_code, 3);
    assert_null(find_effect(&f, EFFECT_START));
    advance(&f, 19000);
    assert_int_equal(find_effect(&f, EFFECT_START)->run, 2);
    running(&f, WEB_ID, 2);
    assert_int_equal(find_effect(&f, EFFECT_REMOVE)->run, 1); /* its logs were kept until now */
    fixture_release(&f);
}

TEST(the_third_exit_in_the_window_fails_with_its_code)
{
    READY;
    assign(&f, wanted(WEB_ID));
    for (int64_t run = 1; run <= 3; run++) {
        running(&f, WEB_ID, run);
        exited(&f, WEB_ID, run, 7);
        advance(&f, 20000);
    }
    assert_state(&f, WEB_ID, ATTEMPT_FAILED, 3);
    assert_int_equal(attempt_of(&f, WEB_ID)->reason, REASON_ATTEMPTS_EXCEEDED);
    assert_int_equal(attempt_of(&f, WEB_ID)->exit_code, 7);
    assert_int_equal(attempt_of(&f, WEB_ID)->restarts, 2);
    fixture_release(&f);
}

TEST(a_batch_that_exits_with_0_is_completed)
{
    READY;
    f.task.restart.policy = RESTART_ON_FAILURE;
    assign(&f, wanted(WEB_ID));
    running(&f, WEB_ID, 1);
    exited(&f, WEB_ID, 1, 0);
    assert_state(&f, WEB_ID, ATTEMPT_COMPLETED, 1);
    fixture_release(&f);
}

TEST(an_image_that_does_not_exist_fails_at_once_with_that_reason)
{
    READY;
    assign(&f, wanted(WEB_ID));
    start_fails(&f, WEB_ID, 1, REASON_IMAGE_NOT_FOUND);
    assert_state(&f, WEB_ID, ATTEMPT_FAILED, 1);
    assert_int_equal(attempt_of(&f, WEB_ID)->reason, REASON_IMAGE_NOT_FOUND);
    fixture_release(&f);
}

TEST(a_start_error_that_may_get_better_is_tried_again)
{
    READY;
    assign(&f, wanted(WEB_ID));
    start_fails(&f, WEB_ID, 1, REASON_IMAGE_PULL_FAILED);
    assert_state(&f, WEB_ID, ATTEMPT_STARTING, 2);
    fixture_release(&f);
}

TEST(a_persons_restart_is_at_once_and_not_counted)
{
    READY;
    struct assigned_attempt attempt = wanted(WEB_ID);
    assign(&f, attempt);
    running(&f, WEB_ID, 1);
    forget(&f);
    attempt.run_wanted = 2;
    assign(&f, attempt);
    assert_int_equal(find_effect(&f, EFFECT_STOP)->run, 1);
    exited(&f, WEB_ID, 1, 143);
    assert_int_equal(find_effect(&f, EFFECT_START)->run, 2);
    assert_int_equal(attempt_of(&f, WEB_ID)->restarts, 0);
    fixture_release(&f);
}

/* The assignment still tells of the run before: that the restart was done, only our own word says.
 */
TEST(a_persons_restart_that_was_done_is_not_done_again_after_a_restart_of_the_worker)
{
    (void)state;
    struct fixture f;
    fixture_new(&f, false, false);
    struct assigned_attempt attempt = wanted(WEB_ID);
    attempt.run_wanted = 2;
    attempt.known = (struct known_state){.state = ATTEMPT_RUNNING, .run = 1, .seq = 3};
    assign_from_store(&f, attempt);
    own_state(&f, "web", observed(WEB_ID, ATTEMPT_RUNNING, 2), 9, true);
    step_kind(&f, WORKER_START);
    running(&f, WEB_ID, 2);
    listed(&f, RUNTIME_DOCKER);
    assert_state(&f, WEB_ID, ATTEMPT_RUNNING, 2);
    assert_null(find_effect(&f, EFFECT_STOP));
    fixture_release(&f);
}

TEST(an_emptied_worker_hears_its_own_word_before_it_does_a_persons_restart)
{
    (void)state;
    struct fixture f;
    fixture_new(&f, true, false);
    step_kind(&f, WORKER_START);
    step_kind(&f, WORKER_LINK_UP);
    struct assigned_attempt attempt = wanted(WEB_ID);
    attempt.run_wanted = 2;
    attempt.known = (struct known_state){.state = ATTEMPT_RUNNING, .run = 1, .seq = 3};
    assign(&f, attempt);
    own_state(&f, "web", observed(WEB_ID, ATTEMPT_RUNNING, 2), 9, false);
    step_kind(&f, WORKER_PICTURE_WHOLE);
    running(&f, WEB_ID, 2);
    listed(&f, RUNTIME_DOCKER);
    assert_state(&f, WEB_ID, ATTEMPT_RUNNING, 2);
    assert_null(find_effect(&f, EFFECT_STOP));
    fixture_release(&f);
}

TEST(a_persons_restart_ends_the_wait_of_a_backoff)
{
    READY;
    struct assigned_attempt attempt = wanted(WEB_ID);
    assign(&f, attempt);
    running(&f, WEB_ID, 1);
    exited(&f, WEB_ID, 1, 1);
    forget(&f);
    attempt.run_wanted = 2;
    assign(&f, attempt);
    assert_int_equal(find_effect(&f, EFFECT_START)->run, 2);
    fixture_release(&f);
}

/* ---- stopping ---- */

TEST(a_stop_goes_through_stopping_to_stopped_with_the_exit_code)
{
    READY;
    struct assigned_attempt attempt = wanted(WEB_ID);
    assign(&f, attempt);
    running(&f, WEB_ID, 1);
    attempt.desired = DESIRED_STOP;
    attempt.reason = REASON_SCALED_DOWN;
    assign(&f, attempt);
    assert_state(&f, WEB_ID, ATTEMPT_STOPPING, 1);
    assert_int_equal(find_effect(&f, EFFECT_STOP)->signal_number, 15);
    exited(&f, WEB_ID, 1, 143);
    assert_state(&f, WEB_ID, ATTEMPT_STOPPED, 1);
    assert_int_equal(attempt_of(&f, WEB_ID)->reason, REASON_SCALED_DOWN);
    assert_int_equal(attempt_of(&f, WEB_ID)->exit_code, 143);
    fixture_release(&f);
}

TEST(a_stop_in_the_wait_of_a_backoff_needs_no_runtime)
{
    READY;
    struct assigned_attempt attempt = wanted(WEB_ID);
    assign(&f, attempt);
    running(&f, WEB_ID, 1);
    exited(&f, WEB_ID, 1, 1);
    forget(&f);
    attempt.desired = DESIRED_STOP;
    assign(&f, attempt);
    assert_state(&f, WEB_ID, ATTEMPT_STOPPED, 2);
    assert_null(find_effect(&f, EFFECT_STOP));
    fixture_release(&f);
}

TEST(a_stop_while_the_engine_is_down_is_sent_when_it_is_back)
{
    READY;
    struct assigned_attempt attempt = wanted(WEB_ID);
    assign(&f, attempt);
    running(&f, WEB_ID, 1);
    runtime_says(&f, (struct runtime_event){.kind = RUNTIME_DOWN});
    forget(&f);
    attempt.desired = DESIRED_STOP;
    assign(&f, attempt);
    assert_null(find_effect(&f, EFFECT_STOP));
    runtime_says(&f, (struct runtime_event){.kind = RUNTIME_UP});
    running(&f, WEB_ID, 1);
    listed(&f, RUNTIME_DOCKER);
    assert_non_null(find_effect(&f, EFFECT_STOP));
    gone(&f, WEB_ID, 1);
    assert_state(&f, WEB_ID, ATTEMPT_STOPPED, 1);
    fixture_release(&f);
}

TEST(a_final_state_stays_final_and_a_stray_execution_of_it_is_stopped)
{
    READY;
    struct assigned_attempt attempt = wanted(WEB_ID);
    attempt.desired = DESIRED_STOP;
    assign(&f, attempt);
    assert_state(&f, WEB_ID, ATTEMPT_STOPPED, 1);
    attempt.desired = DESIRED_RUN;
    attempt.run_wanted = 5;
    assign(&f, attempt);
    running(&f, WEB_ID, 1);
    assert_state(&f, WEB_ID, ATTEMPT_STOPPED, 1);
    assert_null(find_effect(&f, EFFECT_START));
    assert_int_equal(find_effect(&f, EFFECT_STOP)->run, 1);
    fixture_release(&f);
}

TEST(a_tombstone_stops_removes_tells_and_then_clears)
{
    READY;
    assign(&f, wanted(WEB_ID));
    running(&f, WEB_ID, 1);
    tombstone(&f, "web");
    assert_state(&f, WEB_ID, ATTEMPT_STOPPING, 1);
    exited(&f, WEB_ID, 1, 0);
    assert_null(attempt_of(&f, WEB_ID));
    assert_non_null(find_effect(&f, EFFECT_REMOVE));
    struct arena arena = ARENA_EMPTY;
    struct node_state told;
    assert_true(worker_state_write(f.worker, "web", &arena, &told));
    assert_true(told.tombstone);
    arena_release(&arena);
    advance(&f, TOMBSTONE_KEPT_MS);
    assert_null(worker_job_find(f.worker, "web"));
    fixture_release(&f);
}

TEST(stop_after_without_the_broker_stops_the_attempt)
{
    READY;
    f.spec.disconnect.stop_after_ms = 60000;
    assign(&f, wanted(WEB_ID));
    running(&f, WEB_ID, 1);
    step_kind(&f, WORKER_LINK_LOST);
    advance(&f, 59000);
    assert_state(&f, WEB_ID, ATTEMPT_RUNNING, 1);
    step_kind(&f, WORKER_LINK_UP);
    step_kind(&f, WORKER_LINK_LOST); /* the count begins anew */
    running(&f, WEB_ID, 1);
    advance(&f, 59999);
    assert_state(&f, WEB_ID, ATTEMPT_RUNNING, 1);
    advance(&f, 1);
    assert_state(&f, WEB_ID, ATTEMPT_STOPPING, 1);
    assert_int_equal(attempt_of(&f, WEB_ID)->reason, REASON_STOPPED_OFFLINE);
    fixture_release(&f);
}

/* ---- health ---- */

static void probed(struct fixture *f, bool healthy)
{
    assert_non_null(find_effect(f, EFFECT_PROBE));
    forget(f);
    runtime_says(f, (struct runtime_event){
                        .kind = RUNTIME_HEALTH, .task_id = WEB_ID, .run = 1, .healthy = healthy});
}

TEST(checks_that_fail_after_the_grace_end_the_run_through_the_restart_policy)
{
    READY;
    f.task.health.count = 1;
    assign(&f, wanted(WEB_ID));
    running(&f, WEB_ID, 1);
    for (int i = 0; i < 4; i++) { /* at 1 s and 6 s in the grace, then two that count */
        advance(&f, i ? 5000 : 1000);
        probed(&f, false);
    }
    assert_int_equal(attempt_of(&f, WEB_ID)->health.state, HEALTH_UNKNOWN);
    advance(&f, 5000);
    probed(&f, false);
    assert_state(&f, WEB_ID, ATTEMPT_RUNNING, 1);
    assert_int_equal(attempt_of(&f, WEB_ID)->health.state, HEALTH_UNHEALTHY);
    assert_non_null(find_effect(&f, EFFECT_STOP));
    exited(&f, WEB_ID, 1, 0);
    assert_state(&f, WEB_ID, ATTEMPT_STARTING, 2);
    assert_int_equal(attempt_of(&f, WEB_ID)->restarts, 1);
    fixture_release(&f);
}

TEST(a_check_that_passes_makes_the_task_healthy_and_one_failure_changes_nothing)
{
    READY;
    f.task.health.count = 1;
    assign(&f, wanted(WEB_ID));
    running(&f, WEB_ID, 1);
    advance(&f, 1000);
    probed(&f, true);
    assert_int_equal(attempt_of(&f, WEB_ID)->health.state, HEALTH_HEALTHY);
    advance(&f, 15000);
    probed(&f, false);
    assert_int_equal(attempt_of(&f, WEB_ID)->health.state, HEALTH_HEALTHY);
    fixture_release(&f);
}

TEST(checks_may_change_while_the_task_runs)
{
    READY;
    f.task.health.count = 1;
    assign(&f, wanted(WEB_ID));
    running(&f, WEB_ID, 1);
    advance(&f, 1000);
    probed(&f, true);
    f.task.health.count = 0;
    assign(&f, wanted(WEB_ID));
    advance(&f, 20000);
    assert_null(find_effect(&f, EFFECT_PROBE));
    f.task.health.count = 1;
    assign(&f, wanted(WEB_ID));
    advance(&f, 1000);
    assert_non_null(find_effect(&f, EFFECT_PROBE));
    assert_state(&f, WEB_ID, ATTEMPT_RUNNING, 1);
    fixture_release(&f);
}

TEST(a_probe_without_an_answer_counts_as_failed)
{
    READY;
    f.task.health.count = 1;
    assign(&f, wanted(WEB_ID));
    running(&f, WEB_ID, 1);
    advance(&f, 60000);
    assert_int_equal(attempt_of(&f, WEB_ID)->health.state, HEALTH_UNHEALTHY);
    fixture_release(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_assignment_is_stored_and_told_before_its_attempt_is_started),
        cmocka_unit_test(an_attempt_goes_through_every_state_to_running),
        cmocka_unit_test(the_same_assignment_heard_again_changes_nothing),
        cmocka_unit_test(a_runtime_that_the_node_lacks_is_rejected_with_its_reason),
        cmocka_unit_test(a_task_that_its_specification_lacks_is_rejected),
        cmocka_unit_test(an_attempt_of_another_job_in_an_assignment_is_refused),
        cmocka_unit_test(an_exit_is_followed_by_a_wait_and_the_next_run),
        cmocka_unit_test(the_third_exit_in_the_window_fails_with_its_code),
        cmocka_unit_test(a_batch_that_exits_with_0_is_completed),
        cmocka_unit_test(an_image_that_does_not_exist_fails_at_once_with_that_reason),
        cmocka_unit_test(a_start_error_that_may_get_better_is_tried_again),
        cmocka_unit_test(a_persons_restart_is_at_once_and_not_counted),
        cmocka_unit_test(
            a_persons_restart_that_was_done_is_not_done_again_after_a_restart_of_the_worker),
        cmocka_unit_test(an_emptied_worker_hears_its_own_word_before_it_does_a_persons_restart),
        cmocka_unit_test(a_persons_restart_ends_the_wait_of_a_backoff),
        cmocka_unit_test(a_stop_goes_through_stopping_to_stopped_with_the_exit_code),
        cmocka_unit_test(a_stop_in_the_wait_of_a_backoff_needs_no_runtime),
        cmocka_unit_test(a_stop_while_the_engine_is_down_is_sent_when_it_is_back),
        cmocka_unit_test(a_final_state_stays_final_and_a_stray_execution_of_it_is_stopped),
        cmocka_unit_test(a_tombstone_stops_removes_tells_and_then_clears),
        cmocka_unit_test(stop_after_without_the_broker_stops_the_attempt),
        cmocka_unit_test(checks_that_fail_after_the_grace_end_the_run_through_the_restart_policy),
        cmocka_unit_test(
            a_check_that_passes_makes_the_task_healthy_and_one_failure_changes_nothing),
        cmocka_unit_test(checks_may_change_while_the_task_runs),
        cmocka_unit_test(a_probe_without_an_answer_counts_as_failed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
