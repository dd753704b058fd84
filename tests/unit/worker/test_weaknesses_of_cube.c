/* Weaknesses of the reference implementation (cube) on the worker's side: each is one that we must
 * not have. */
#include "tests/unit/worker/fixture.h"

#define TEST(name) static void name(void **state)
#define READY         \
    (void)state;      \
    struct fixture f; \
    fixture_ready(&f)

TEST(stop_works_only_for_running_tasks)
{
    static const enum runtime_event_kind until[] = {RUNTIME_UP, RUNTIME_PREPARING, RUNTIME_STARTING,
                                                    RUNTIME_RUNNING};
    (void)state;
    for (size_t i = 0; i < sizeof(until) / sizeof(until[0]); i++) {
        struct fixture f;
        fixture_ready(&f);
        struct assigned_attempt attempt = wanted(WEB_ID);
        assign(&f, attempt);
        if (until[i] != RUNTIME_UP) {
            runtime_says(&f, (struct runtime_event){.kind = until[i], .task_id = WEB_ID, .run = 1});
        }
        attempt.desired = DESIRED_STOP;
        assign(&f, attempt);
        assert_non_null(find_effect(&f, EFFECT_STOP));
        gone(&f, WEB_ID, 1);
        assert_state(&f, WEB_ID, ATTEMPT_STOPPED, 1);
        fixture_release(&f);
    }
}

TEST(the_same_id_submitted_twice_is_taken_for_a_stop)
{
    READY;
    assign(&f, wanted(WEB_ID));
    running(&f, WEB_ID, 1);
    forget(&f);
    assign(&f, wanted(WEB_ID)); /* a newer document that says the same */
    assert_state(&f, WEB_ID, ATTEMPT_RUNNING, 1);
    assert_null(find_effect(&f, EFFECT_STOP));
    assert_null(find_effect(&f, EFFECT_START));
    fixture_release(&f);
}

/* Whatever is reported, in whatever state: the setter asserts the table, so this ends or holds. */
TEST(the_state_table_is_not_enforced)
{
    (void)state;
    for (int first = RUNTIME_PREPARING; first <= RUNTIME_GONE; first++) {
        for (int second = RUNTIME_PREPARING; second <= RUNTIME_GONE; second++) {
            struct fixture f;
            fixture_ready(&f);
            f.task.restart.attempts = 0;
            assign(&f, wanted(WEB_ID));
            runtime_says(&f, (struct runtime_event){.kind = (enum runtime_event_kind)first,
                                                    .task_id = WEB_ID,
                                                    .run = 1});
            bool final = attempt_state_is_final(attempt_of(&f, WEB_ID)->state);
            enum attempt_state before = attempt_of(&f, WEB_ID)->state;
            runtime_says(&f, (struct runtime_event){.kind = (enum runtime_event_kind)second,
                                                    .task_id = WEB_ID,
                                                    .run = 1});
            assert_true(!final || attempt_of(&f, WEB_ID)->state == before);
            fixture_release(&f);
        }
    }
}

TEST(unknown_ids_are_dereferenced)
{
    READY;
    for (int kind = RUNTIME_PREPARING; kind <= RUNTIME_HEALTH; kind++) {
        if (kind != RUNTIME_LISTED) {
            runtime_says(&f, (struct runtime_event){.kind = (enum runtime_event_kind)kind,
                                                    .task_id = "no such_id",
                                                    .run = 1});
        }
    }
    struct attempt_view view;
    assert_false(worker_find(f.worker, "nobody", &view));
    assert_null(worker_assignment(f.worker, "nobody"));
    assert_false(worker_wants(f.worker, "nobody", 1, &view));
    fixture_release(&f);
}

TEST(every_exit_is_failed_so_batch_is_impossible)
{
    READY;
    f.task.restart.policy = RESTART_ON_FAILURE;
    assign(&f, wanted(WEB_ID));
    running(&f, WEB_ID, 1);
    exited(&f, WEB_ID, 1, 0);
    assert_state(&f, WEB_ID, ATTEMPT_COMPLETED, 1);
    fixture_release(&f);
}

TEST(restarts_are_limited_to_three_for_life)
{
    READY;
    assign(&f, wanted(WEB_ID));
    for (int64_t run = 1; run <= 20; run++) {
        running(&f, WEB_ID, run);
        advance(&f, f.task.restart.interval_ms + 1);
        exited(&f, WEB_ID, run, 1);
        advance(&f, 20000);
    }
    assert_state(&f, WEB_ID, ATTEMPT_STARTING, 21);
    assert_int_equal(attempt_of(&f, WEB_ID)->restarts, 20);
    fixture_release(&f);
}

TEST(two_layers_restart)
{
    READY;
    assign(&f, wanted(WEB_ID));
    running(&f, WEB_ID, 1);
    exited(&f, WEB_ID, 1, 1);
    forget(&f);
    running(&f, WEB_ID, 1); /* somebody else's doing */
    assert_int_equal(find_effect(&f, EFFECT_STOP)->run, 1);
    assert_state(&f, WEB_ID, ATTEMPT_STARTING, 2);
    fixture_release(&f);
}

TEST(health_checks_dial_from_the_manager)
{
    READY;
    f.task.health.count = 1;
    assign(&f, wanted(WEB_ID));
    running(&f, WEB_ID, 1);
    advance(&f, 1000);
    assert_string_equal(find_effect(&f, EFFECT_PROBE)->task_id, WEB_ID);
    fixture_release(&f);
}

TEST(the_task_count_only_grows_and_allocations_are_never_given_back)
{
    READY;
    struct worker_load load;
    assign(&f, wanted(WEB_ID));
    running(&f, WEB_ID, 1);
    worker_load(f.worker, &load);
    assert_int_equal(load.running, 1);
    assert_int_equal(load.memory_bytes, 64 << 20);
    tombstone(&f, "web");
    exited(&f, WEB_ID, 1, 0);
    worker_load(f.worker, &load);
    assert_int_equal(load.attempts, 0);
    assert_int_equal(load.memory_bytes, 0);
    fixture_release(&f);
}

TEST(nothing_is_deleted_or_collected)
{
    READY;
    assign(&f, wanted(WEB_ID));
    running(&f, WEB_ID, 1);
    tombstone(&f, "web");
    exited(&f, WEB_ID, 1, 0);
    assert_int_equal(find_effect(&f, EFFECT_REMOVE)->run, 1);
    fixture_release(&f);
}

TEST(a_restart_of_the_worker_loses_its_tasks)
{
    (void)state;
    struct fixture f;
    fixture_new(&f, false, false);
    assign_from_store(&f, wanted(WEB_ID));
    own_state(&f, "web", observed(WEB_ID, ATTEMPT_RUNNING, 1), 3, true);
    step_kind(&f, WORKER_START);
    running(&f, WEB_ID, 1);
    listed(&f, RUNTIME_DOCKER);
    assert_state(&f, WEB_ID, ATTEMPT_RUNNING, 1);
    fixture_release(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stop_works_only_for_running_tasks),
        cmocka_unit_test(the_same_id_submitted_twice_is_taken_for_a_stop),
        cmocka_unit_test(the_state_table_is_not_enforced),
        cmocka_unit_test(unknown_ids_are_dereferenced),
        cmocka_unit_test(every_exit_is_failed_so_batch_is_impossible),
        cmocka_unit_test(restarts_are_limited_to_three_for_life),
        cmocka_unit_test(two_layers_restart),
        cmocka_unit_test(health_checks_dial_from_the_manager),
        cmocka_unit_test(the_task_count_only_grows_and_allocations_are_never_given_back),
        cmocka_unit_test(nothing_is_deleted_or_collected),
        cmocka_unit_test(a_restart_of_the_worker_loses_its_tasks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
