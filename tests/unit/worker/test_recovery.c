/* Recovery: what is found is adopted, what is finished stays finished, what nobody knows is left
 * alone until that is certain. */
#include "tests/unit/worker/fixture.h"

#define TEST(name) static void name(void **state)

/* The leader's index: this job with this revision, or no job at all. */
static void settle(struct fixture *f, const char *job, int64_t revision)
{
    manager_leads(f);
    desired(f, job, revision);
}

/* ---- adoption ---- */

TEST(a_worker_with_its_store_starts_its_assignments_without_a_broker_after_one_list)
{
    (void)state;
    struct fixture f;
    fixture_new(&f, false, false);
    assign_from_store(&f, wanted(WEB_ID));
    step_kind(&f, WORKER_START);
    assert_non_null(find_effect(&f, EFFECT_LIST));
    assert_null(find_effect(&f, EFFECT_START));
    listed(&f, RUNTIME_DOCKER);
    assert_int_equal(find_effect(&f, EFFECT_START)->run, 1);
    fixture_release(&f);
}

TEST(a_running_execution_of_the_same_run_is_adopted_not_restarted)
{
    (void)state;
    struct fixture f;
    fixture_new(&f, false, false);
    assign_from_store(&f, wanted(WEB_ID));
    own_state(&f, "web", observed(WEB_ID, ATTEMPT_RUNNING, 4), 9, true);
    step_kind(&f, WORKER_START);
    running(&f, WEB_ID, 4);
    listed(&f, RUNTIME_DOCKER);
    assert_state(&f, WEB_ID, ATTEMPT_RUNNING, 4);
    assert_null(find_effect(&f, EFFECT_START));
    assert_null(find_effect(&f, EFFECT_STOP));
    fixture_release(&f);
}

TEST(what_ended_while_we_were_away_goes_through_the_policy_with_its_real_code)
{
    (void)state;
    struct fixture f;
    fixture_new(&f, false, false);
    assign_from_store(&f, wanted(WEB_ID));
    own_state(&f, "web", observed(WEB_ID, ATTEMPT_RUNNING, 1), 9, true);
    step_kind(&f, WORKER_START);
    exited(&f, WEB_ID, 1, 42);
    listed(&f, RUNTIME_DOCKER);
    assert_state(&f, WEB_ID, ATTEMPT_STARTING, 2);
    assert_int_equal(attempt_of(&f, WEB_ID)->exit_code, 42);
    fixture_release(&f);
}

static void vanish(bool rebooted, const char *expected)
{
    struct fixture f;
    fixture_new(&f, false, rebooted);
    f.task.restart.attempts = 0;
    assign_from_store(&f, wanted(WEB_ID));
    own_state(&f, "web", observed(WEB_ID, ATTEMPT_RUNNING, 1), 9, true);
    step_kind(&f, WORKER_START);
    listed(&f, RUNTIME_DOCKER);
    assert_state(&f, WEB_ID, ATTEMPT_FAILED, 1);
    assert_string_equal(attempt_of(&f, WEB_ID)->message, expected);
    assert_true(attempt_of(&f, WEB_ID)->exit_code == UNSET);
    fixture_release(&f);
}

TEST(what_a_complete_list_lacks_has_vanished)
{
    (void)state;
    vanish(false, "the container disappeared from the engine");
    vanish(true, "the node was restarted");
}

TEST(of_two_runs_of_one_attempt_the_newest_stays)
{
    (void)state;
    struct fixture f;
    fixture_new(&f, false, false);
    assign_from_store(&f, wanted(WEB_ID));
    own_state(&f, "web", observed(WEB_ID, ATTEMPT_RUNNING, 1), 9, true);
    step_kind(&f, WORKER_START);
    running(&f, WEB_ID, 1);
    running(&f, WEB_ID, 2);
    listed(&f, RUNTIME_DOCKER);
    assert_state(&f, WEB_ID, ATTEMPT_RUNNING, 2);
    assert_int_equal(count_effects(&f, EFFECT_STOP), 1);
    assert_int_equal(find_effect(&f, EFFECT_STOP)->run, 1);
    exited(&f, WEB_ID, 1, 137);
    assert_int_equal(find_effect(&f, EFFECT_REMOVE)->run, 1);
    assert_state(&f, WEB_ID, ATTEMPT_RUNNING, 2);
    fixture_release(&f);
}

TEST(the_wait_of_a_backoff_and_its_window_survive_a_restart_of_the_worker)
{
    (void)state;
    struct fixture f;
    fixture_new(&f, false, false);
    assign_from_store(&f, wanted(WEB_ID));
    struct observed_attempt waiting = observed(WEB_ID, ATTEMPT_STARTING, 3);
    waiting.retry_ms = f.now.wall_ms + 5000;
    waiting.window_ms = f.now.wall_ms - 1000;
    waiting.window_restarts = 2;
    own_state(&f, "web", waiting, 9, true);
    step_kind(&f, WORKER_START);
    listed(&f, RUNTIME_DOCKER);
    advance(&f, 4999);
    assert_null(find_effect(&f, EFFECT_START));
    advance(&f, 1);
    assert_int_equal(find_effect(&f, EFFECT_START)->run, 3);
    exited(&f, WEB_ID, 3, 1);
    assert_state(&f, WEB_ID, ATTEMPT_FAILED, 3);
    fixture_release(&f);
}

TEST(a_clock_that_jumped_does_not_make_a_restart_wait_for_years)
{
    (void)state;
    struct fixture f;
    fixture_new(&f, false, false);
    assign_from_store(&f, wanted(WEB_ID));
    struct observed_attempt waiting = observed(WEB_ID, ATTEMPT_STARTING, 3);
    waiting.retry_ms = f.now.wall_ms + INT64_C(1000) * 86400 * 365;
    own_state(&f, "web", waiting, 9, true);
    step_kind(&f, WORKER_START);
    listed(&f, RUNTIME_DOCKER);
    advance(&f, 20000);
    assert_int_equal(find_effect(&f, EFFECT_START)->run, 3);
    fixture_release(&f);
}

/* ---- an emptied worker ---- */

TEST(an_emptied_worker_starts_nothing_before_its_picture_is_whole_and_listed)
{
    (void)state;
    struct fixture f;
    fixture_new(&f, true, false);
    step_kind(&f, WORKER_START);
    step_kind(&f, WORKER_LINK_UP);
    assign(&f, wanted(WEB_ID));
    advance(&f, 100000);
    assert_null(find_effect(&f, EFFECT_START));
    step_kind(&f, WORKER_PICTURE_WHOLE);
    assert_null(find_effect(&f, EFFECT_START));
    assert_non_null(find_effect(&f, EFFECT_LIST));
    listed(&f, RUNTIME_DOCKER);
    assert_non_null(find_effect(&f, EFFECT_START));
    fixture_release(&f);
}

/* Found by the simulation, seed 3758. */
TEST(our_own_word_of_how_it_ended_is_better_than_the_verdict_that_it_was_lost)
{
    (void)state;
    struct fixture f;
    struct assigned_attempt attempt = wanted(WEB_ID);
    attempt.desired = DESIRED_STOP;
    attempt.known = (struct known_state){.state = ATTEMPT_LOST, .run = 1, .seq = 9};
    fixture_new(&f, false, false);
    assign_from_store(&f, attempt);
    assert_state(&f, WEB_ID, ATTEMPT_LOST, 1);
    own_state(&f, "web", observed(WEB_ID, ATTEMPT_STOPPED, 1), 9, true);
    step_kind(&f, WORKER_START);
    assert_state(&f, WEB_ID, ATTEMPT_STOPPED, 1);
    fixture_release(&f);
}

/* Found by the simulation, seed 8463. */
TEST(what_is_only_found_ended_is_not_told)
{
    (void)state;
    struct fixture f;
    struct node_state told;
    _cleanup_arena_ struct arena arena = ARENA_EMPTY;
    fixture_ready(&f);
    struct assigned_attempt other = wanted("other_web_0_aaaaaaaa");
    assign_list(&f, "other", &other, 1); /* the cluster is known now */
    exited(&f, WEB_ID, 1, 0);
    assert_true(worker_state_read(f.worker, "web", &arena, &told));
    assert_int_equal(told.attempts.count, 0);
    assign(&f, wanted(WEB_ID));
    assert_true(worker_state_read(f.worker, "web", &arena, &told));
    assert_int_equal(told.attempts.count, 1);
    fixture_release(&f);
}

TEST(what_is_known_to_have_ended_is_not_run_again)
{
    (void)state;
    struct fixture f;
    fixture_new(&f, true, false);
    step_kind(&f, WORKER_START);
    step_kind(&f, WORKER_LINK_UP);
    struct assigned_attempt attempt = wanted(WEB_ID);
    attempt.known = (struct known_state){.state = ATTEMPT_COMPLETED, .run = 2, .exit_code = 0};
    assign(&f, attempt);
    step_kind(&f, WORKER_PICTURE_WHOLE);
    listed(&f, RUNTIME_DOCKER);
    assert_state(&f, WEB_ID, ATTEMPT_COMPLETED, 2);
    assert_null(find_effect(&f, EFFECT_START));
    fixture_release(&f);
}

TEST(an_emptied_worker_goes_on_from_its_own_retained_state_and_its_numbers_go_on_too)
{
    (void)state;
    struct fixture f;
    fixture_new(&f, true, false);
    step_kind(&f, WORKER_START);
    step_kind(&f, WORKER_LINK_UP);
    assign(&f, wanted(WEB_ID));
    struct observed_attempt seen = observed(WEB_ID, ATTEMPT_RUNNING, 6);
    seen.restarts = 5;
    own_state(&f, "web", seen, 77, false);
    step_kind(&f, WORKER_PICTURE_WHOLE);
    running(&f, WEB_ID, 6);
    listed(&f, RUNTIME_DOCKER);
    assert_state(&f, WEB_ID, ATTEMPT_RUNNING, 6);
    assert_int_equal(attempt_of(&f, WEB_ID)->restarts, 5);
    assert_null(find_effect(&f, EFFECT_START));
    assert_int_equal(worker_seq_next(f.worker), 78);
    fixture_release(&f);
}

/* ---- what nobody knows ---- */

TEST(absence_never_means_stop_until_the_leaders_index_says_so)
{
    (void)state;
    struct fixture f;
    fixture_ready(&f);
    struct assigned_attempt other = wanted("other_web_0_aaaaaaaa");
    assign_list(&f, "other", &other, 1); /* the cluster is known now */
    forget(&f);
    running(&f, WEB_ID, 3);
    listed(&f, RUNTIME_DOCKER);
    assert_state(&f, WEB_ID, ATTEMPT_RUNNING, 3);
    assert_null(find_effect(&f, EFFECT_STOP));
    settle(&f, "web", 1); /* the index names it: its assignment will come */
    assert_null(find_effect(&f, EFFECT_STOP));
    desired(&f, NULL, 0);
    assert_int_equal(find_effect(&f, EFFECT_STOP)->run, 3);
    exited(&f, WEB_ID, 3, 0);
    assert_non_null(find_effect(&f, EFFECT_REMOVE));
    assert_null(attempt_of(&f, WEB_ID));
    fixture_release(&f);
}

/* Found by the simulation, seed 6088828. */
TEST(an_assignment_older_than_the_index_that_names_another_revision_starts_nothing)
{
    (void)state;
    struct fixture f;
    fixture_ready(&f);
    f.seq = 50;
    desired(&f, "web", 1000);
    f.seq = 10;
    assign(&f, wanted(WEB_ID));
    assert_null(find_effect(&f, EFFECT_START));
    f.seq = 60;
    assign(&f, wanted(WEB_ID));
    assert_non_null(find_effect(&f, EFFECT_START));
    fixture_release(&f);
}

TEST(an_attempt_that_a_newer_assignment_does_not_name_runs_on_until_the_index_names_that_assignment)
{
    (void)state;
    struct fixture f;
    fixture_ready(&f);
    assign(&f, wanted(WEB_ID));
    running(&f, WEB_ID, 1);
    assign(&f, wanted("web_web_1_bbbbbbbb"));
    int64_t revision = f.seq;
    settle(&f, "web", revision - 1);
    assert_state(&f, WEB_ID, ATTEMPT_RUNNING, 1);
    settle(&f, "web", revision);
    assert_state(&f, WEB_ID, ATTEMPT_STOPPING, 1);
    assert_int_equal(attempt_of(&f, WEB_ID)->reason, REASON_UNKNOWN_ATTEMPT);
    fixture_release(&f);
}

TEST(an_index_that_lacks_a_job_we_hold_stops_nothing)
{
    (void)state;
    struct fixture f;
    fixture_ready(&f);
    assign(&f, wanted(WEB_ID));
    running(&f, WEB_ID, 1);
    settle(&f, NULL, 0);
    assert_state(&f, WEB_ID, ATTEMPT_RUNNING, 1);
    fixture_release(&f);
}

TEST(nothing_is_judged_before_the_picture_of_this_connection_is_whole)
{
    (void)state;
    struct fixture f;
    fixture_ready(&f);
    assign(&f, wanted(WEB_ID));
    running(&f, WEB_ID, 1);
    step_kind(&f, WORKER_LINK_LOST);
    step_kind(&f, WORKER_LINK_UP);
    assign(&f, wanted("web_web_1_bbbbbbbb"));
    settle(&f, "web", f.seq);
    assert_state(&f, WEB_ID, ATTEMPT_RUNNING, 1);
    step_kind(&f, WORKER_PICTURE_WHOLE);
    assert_state(&f, WEB_ID, ATTEMPT_STOPPING, 1);
    fixture_release(&f);
}

TEST(containers_of_another_cluster_are_not_ours)
{
    (void)state;
    struct fixture f;
    fixture_ready(&f);
    manager_leads(&f);
    runtime_says(&f, (struct runtime_event){
                         .kind = RUNTIME_RUNNING, .task_id = WEB_ID, .run = 1, .cluster = "c2"});
    assert_null(attempt_of(&f, WEB_ID));
    fixture_release(&f);
}

/* ---- terms and clusters ---- */

TEST(a_lower_term_is_refused_and_the_highest_one_is_told)
{
    (void)state;
    struct fixture f;
    fixture_ready(&f);
    assign(&f, wanted(WEB_ID));
    running(&f, WEB_ID, 1);
    forget(&f);
    f.term = 4;
    f.manager = "m2";
    tombstone(&f, "web");
    assert_state(&f, WEB_ID, ATTEMPT_RUNNING, 1);
    assert_true(has_event(&f, REASON_STALE_TERM));
    int64_t refused_term = 0;
    assert_string_equal(worker_refused(f.worker, &refused_term), "m2");
    assert_int_equal(refused_term, 4);
    assert_int_equal(worker_term(f.worker), 5);
    assert_true(f.effects.info);
    fixture_release(&f);
}

TEST(an_equal_term_of_another_manager_is_refused)
{
    (void)state;
    struct fixture f;
    fixture_ready(&f);
    assign(&f, wanted(WEB_ID));
    f.manager = "m2";
    tombstone(&f, "web");
    assert_state(&f, WEB_ID, ATTEMPT_SCHEDULED, 1);
    fixture_release(&f);
}

TEST(a_higher_term_is_obeyed_whatever_its_seq)
{
    (void)state;
    struct fixture f;
    fixture_ready(&f);
    f.seq = 1000;
    assign(&f, wanted(WEB_ID));
    f.term = 6;
    f.manager = "m2";
    f.seq = 0;
    struct assigned_attempt attempt = wanted(WEB_ID);
    attempt.desired = DESIRED_STOP;
    assign(&f, attempt);
    assert_state(&f, WEB_ID, ATTEMPT_STOPPING, 1);
    assert_int_equal(worker_term(f.worker), 6);
    fixture_release(&f);
}

TEST(an_empty_worker_takes_the_cluster_it_hears_and_refuses_every_other)
{
    (void)state;
    struct fixture f;
    fixture_ready(&f);
    assign(&f, wanted(WEB_ID));
    assert_string_equal(worker_cluster(f.worker), "c1");
    f.cluster = "c2";
    f.term = 9;
    tombstone(&f, "web");
    assert_true(has_event(&f, REASON_FOREIGN_CLUSTER));
    assert_state(&f, WEB_ID, ATTEMPT_SCHEDULED, 1);
    assert_int_equal(worker_term(f.worker), 5);
    fixture_release(&f);
}

/* ---- engines ---- */

TEST(while_the_engine_is_down_nothing_is_decided_and_a_list_follows_when_it_is_back)
{
    (void)state;
    struct fixture f;
    fixture_ready(&f);
    assign(&f, wanted(WEB_ID));
    running(&f, WEB_ID, 1);
    runtime_says(&f, (struct runtime_event){.kind = RUNTIME_DOWN});
    forget(&f);
    advance(&f, 3600000);
    assert_state(&f, WEB_ID, ATTEMPT_RUNNING, 1);
    forget(&f);
    runtime_says(&f, (struct runtime_event){.kind = RUNTIME_DOWN});
    runtime_says(&f, (struct runtime_event){.kind = RUNTIME_UP});
    assert_int_equal(find_effect(&f, EFFECT_LIST)->runtime, RUNTIME_DOCKER);
    running(&f, WEB_ID, 1);
    listed(&f, RUNTIME_DOCKER);
    assert_state(&f, WEB_ID, ATTEMPT_RUNNING, 1);
    fixture_release(&f);
}

TEST(a_start_lost_with_the_engine_is_given_again_for_the_same_run)
{
    (void)state;
    struct fixture f;
    fixture_ready(&f);
    assign(&f, wanted(WEB_ID));
    runtime_says(&f, (struct runtime_event){.kind = RUNTIME_DOWN});
    assert_int_equal(attempt_of(&f, WEB_ID)->reason, REASON_ENGINE_DOWN);
    start_fails(&f, WEB_ID, 1, REASON_ENGINE_DOWN);
    forget(&f);
    runtime_says(&f, (struct runtime_event){.kind = RUNTIME_UP});
    listed(&f, RUNTIME_DOCKER);
    assert_int_equal(find_effect(&f, EFFECT_START)->run, 1);
    assert_int_equal(attempt_of(&f, WEB_ID)->restarts, 0);
    fixture_release(&f);
}

TEST(a_full_list_is_asked_for_every_interval)
{
    (void)state;
    struct fixture f;
    fixture_ready(&f);
    for (int i = 0; i < 3; i++) {
        forget(&f);
        advance(&f, RUNTIME_LIST_INTERVAL_MS);
        assert_int_equal(count_effects(&f, EFFECT_LIST), 2);
        listed(&f, RUNTIME_DOCKER);
        listed(&f, RUNTIME_PROCESS);
    }
    fixture_release(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_worker_with_its_store_starts_its_assignments_without_a_broker_after_one_list),
        cmocka_unit_test(a_running_execution_of_the_same_run_is_adopted_not_restarted),
        cmocka_unit_test(what_ended_while_we_were_away_goes_through_the_policy_with_its_real_code),
        cmocka_unit_test(what_a_complete_list_lacks_has_vanished),
        cmocka_unit_test(of_two_runs_of_one_attempt_the_newest_stays),
        cmocka_unit_test(the_wait_of_a_backoff_and_its_window_survive_a_restart_of_the_worker),
        cmocka_unit_test(a_clock_that_jumped_does_not_make_a_restart_wait_for_years),
        cmocka_unit_test(an_emptied_worker_starts_nothing_before_its_picture_is_whole_and_listed),
        cmocka_unit_test(our_own_word_of_how_it_ended_is_better_than_the_verdict_that_it_was_lost),
        cmocka_unit_test(what_is_only_found_ended_is_not_told),
        cmocka_unit_test(what_is_known_to_have_ended_is_not_run_again),
        cmocka_unit_test(
            an_emptied_worker_goes_on_from_its_own_retained_state_and_its_numbers_go_on_too),
        cmocka_unit_test(absence_never_means_stop_until_the_leaders_index_says_so),
        cmocka_unit_test(
            an_attempt_that_a_newer_assignment_does_not_name_runs_on_until_the_index_names_that_assignment),
        cmocka_unit_test(
            an_assignment_older_than_the_index_that_names_another_revision_starts_nothing),
        cmocka_unit_test(an_index_that_lacks_a_job_we_hold_stops_nothing),
        cmocka_unit_test(nothing_is_judged_before_the_picture_of_this_connection_is_whole),
        cmocka_unit_test(containers_of_another_cluster_are_not_ours),
        cmocka_unit_test(a_lower_term_is_refused_and_the_highest_one_is_told),
        cmocka_unit_test(an_equal_term_of_another_manager_is_refused),
        cmocka_unit_test(a_higher_term_is_obeyed_whatever_its_seq),
        cmocka_unit_test(an_empty_worker_takes_the_cluster_it_hears_and_refuses_every_other),
        cmocka_unit_test(
            while_the_engine_is_down_nothing_is_decided_and_a_list_follows_when_it_is_back),
        cmocka_unit_test(a_start_lost_with_the_engine_is_given_again_for_the_same_run),
        cmocka_unit_test(a_full_list_is_asked_for_every_interval),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
