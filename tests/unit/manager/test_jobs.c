/* The life of a job: submitted, placed, running, scaled, stopped, deleted. */
#include "cluster.h"

#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#define WEB  "{\"image\":\"nginx:1.27\",\"count\":2}"
#define SUMS "{\"image\":\"x\",\"type\":\"batch\"}"

static void a_submitted_job_is_assigned_and_runs(void **state)
{
    (void)state;
    cluster_add_node(c, "n1");
    const struct verdict *verdict = cluster_set(c, "web", WEB);
    assert_true(verdict->accepted);
    assert_int_equal(verdict->version, 1);
    assert_int_equal(cluster_wanted(c, "n1", "web"), 2);
    assert_int_equal(cluster_status(c, "web")->state, JOB_PENDING);
    cluster_obey(c, NULL);
    assert_int_equal(cluster_status(c, "web")->counts.running, 2);
    assert_int_equal(cluster_status(c, "web")->state, JOB_RUNNING);
}

static void the_nodes_index_names_its_assignments(void **state)
{
    (void)state;
    cluster_add_node(c, "n1");
    cluster_set(c, "web", WEB);
    const struct int_map *index =
        &cluster_document(c, "nodes/n1/desired")->node_desired.assignments;
    assert_int_equal(index->count, 1);
    assert_string_equal(index->items[0].key, "web");
    assert_int_equal(index->items[0].value, cluster_assignment(c, "n1", "web")->revision);
}

static void the_same_specification_twice_is_one_job(void **state)
{
    (void)state;
    cluster_add_node(c, "n1");
    cluster_set(c, "web", WEB);
    cluster_obey(c, NULL);
    int64_t revision = cluster_assignment(c, "n1", "web")->revision;
    const struct verdict *verdict = cluster_set(c, "web", WEB);
    assert_true(verdict->accepted);
    assert_int_equal(verdict->changed, 0);
    assert_int_equal(verdict->version, 1);
    assert_int_equal(cluster_assignment(c, "n1", "web")->revision, revision);
}

static void a_job_that_fits_nowhere_is_pending_with_the_reason_until_a_node_joins(void **state)
{
    (void)state;
    cluster_add_node_sized(c, "small", "dc1", 100, 32 << 20);
    cluster_set(c, "web", "{\"image\":\"x\",\"resources\":{\"memory\":\"64MiB\"}}");
    const struct job_status *status = cluster_status(c, "web");
    assert_int_equal(status->counts.pending, 1);
    assert_int_equal(status->pending.count, 1);
    const struct pending_group *pending = RECORD_AT(struct pending_group, status->pending, 0);
    assert_string_equal(pending->reason, "memory_exhausted");
    assert_string_equal(pending->nearest, "small lacks 32 MiB memory");
    assert_string_equal(pending->examples.items[0], "web_web_0");
    cluster_add_node(c, "big");
    assert_int_equal(cluster_wanted(c, "big", "web"), 1);
    assert_int_equal(cluster_status(c, "web")->pending.count, 0);
}

static void without_a_node_the_reason_says_so(void **state)
{
    (void)state;
    cluster_set(c, "web", WEB);
    assert_string_equal(cluster_pending_reason(c, "web", 0), "no_nodes");
    const struct job_status *status = cluster_status(c, "web");
    assert_int_equal(RECORD_AT(struct pending_group, status->pending, 0)->count, 2);
}

static void capacity_is_never_exceeded_and_given_back(void **state)
{
    (void)state;
    cluster_add_node_sized(c, "n1", "dc1", 1000, (int64_t)1 << 30);
    cluster_set(c, "web", "{\"image\":\"x\",\"count\":5,\"resources\":{\"cpu\":0.3}}");
    assert_int_equal(cluster_wanted(c, "n1", "web"), 3);
    cluster_obey(c, NULL);
    cluster_command(c, COMMAND_JOB_STOP, "web");
    cluster_set(c, "other", "{\"image\":\"x\",\"count\":3,\"resources\":{\"cpu\":0.3}}");
    assert_int_equal(cluster_wanted(c, "n1", "other"), 0);
    cluster_obey(c, NULL);
    assert_int_equal(cluster_wanted(c, "n1", "other"), 3);
}

static void scaling_adds_and_stops_the_highest_indexes(void **state)
{
    (void)state;
    cluster_add_node(c, "n1");
    cluster_set(c, "web", WEB);
    cluster_obey(c, NULL);
    assert_int_equal(cluster_scale(c, "web", 4)->version, 2);
    assert_int_equal(cluster_wanted(c, "n1", "web"), 4);
    cluster_obey(c, NULL);
    cluster_scale(c, "web", 1);
    assert_int_equal(cluster_wanted(c, "n1", "web"), 1);
    assert_memory_equal(cluster_attempt(c, "n1", "web", 0)->id, "web_web_0_", 10);
    assert_int_equal(cluster_attempt(c, "n1", "web", 0)->desired, DESIRED_RUN);
    assert_int_equal(cluster_attempt(c, "n1", "web", 1)->reason, REASON_SCALED_DOWN);
    cluster_obey(c, NULL);
    assert_int_equal(cluster_assignment(c, "n1", "web")->attempts.count, 1);
}

static void scaling_down_keeps_what_runs_rather_than_what_waits(void **state)
{
    (void)state;
    cluster_add_node_sized(c, "n1", "dc1", 3000, (int64_t)1 << 30);
    cluster_set(c, "web", "{\"image\":\"x\",\"count\":3,\"resources\":{\"cpu\":1}}");
    cluster_obey(c, NULL);
    cluster_report(c, "n1", "web", 0, ATTEMPT_FAILED, 1); /* waits to be placed again */
    assert_int_equal(cluster_wanted(c, "n1", "web"), 2);
    cluster_scale(c, "web", 2);
    cluster_obey(c, NULL);
    cluster_pass(c, 120000, (const char *const[]){"n1", NULL});
    assert_int_equal(cluster_wanted(c, "n1", "web"), 2);
    assert_int_equal(cluster_status(c, "web")->counts.running, 2);
    assert_int_equal(cluster_status(c, "web")->counts.pending, 0);
    assert_int_equal(cluster_status(c, "web")->wanted, 2);
    cluster_restart(c, false);
    cluster_add_node_sized(c, "n1", "dc1", 3000, (int64_t)1 << 30);
    cluster_lead(c);
    cluster_pass(c, 20000, (const char *const[]){"n1", NULL});
    assert_int_equal(cluster_wanted(c, "n1", "web"), 2);
    cluster_scale(c, "web", 3);
    cluster_obey(c, NULL);
    assert_int_equal(cluster_status(c, "web")->counts.running, 3);
    cluster_scale(c, "web", 2); /* nothing of what was exchanged is left */
    cluster_obey(c, NULL);
    assert_memory_equal(cluster_attempt(c, "n1", "web", 0)->id, "web_web_1", 9);
    cluster_scale(c, "web", 1);
    cluster_obey(c, NULL);
    assert_int_equal(cluster_status(c, "web")->counts.running, 1);
    assert_int_equal(cluster_status(c, "web")->wanted, 1);
    assert_memory_equal(cluster_attempt(c, "n1", "web", 0)->id, "web_web_", 8);
}

static void an_attempt_leaves_its_assignment_only_after_its_final_state_was_stored(void **state)
{
    (void)state;
    cluster_add_node(c, "n1");
    cluster_set(c, "web", "{\"image\":\"x\"}");
    cluster_obey(c, NULL);
    cluster_command(c, COMMAND_JOB_STOP, "web");
    assert_int_equal(cluster_attempt(c, "n1", "web", 0)->desired, DESIRED_STOP);
    assert_int_equal(cluster_status(c, "web")->state, JOB_STOPPING);
    int64_t writes = cluster_writes(c, "nodes/n1/assign/web");
    cluster_obey(c, NULL);
    assert_int_equal(cluster_writes(c, "nodes/n1/assign/web"), writes + 2);
    assert_true(cluster_assignment(c, "n1", "web")->head.tombstone);
    assert_int_equal(cluster_status(c, "web")->state, JOB_STOPPED);
}

static void the_same_specification_starts_a_stopped_job(void **state)
{
    (void)state;
    cluster_add_node(c, "n1");
    cluster_set(c, "web", WEB);
    cluster_obey(c, NULL);
    cluster_command(c, COMMAND_JOB_STOP, "web");
    cluster_obey(c, NULL);
    const struct verdict *verdict = cluster_set(c, "web", WEB);
    assert_int_equal(verdict->changed, 1);
    assert_int_equal(verdict->version, 1);
    assert_int_equal(cluster_wanted(c, "n1", "web"), 2);
    assert_false(cluster_assignment(c, "n1", "web")->head.tombstone);
}

static void a_deleted_job_leaves_tombstones_and_then_empty_topics(void **state)
{
    (void)state;
    cluster_add_node(c, "n1");
    cluster_set(c, "web", WEB);
    cluster_obey(c, NULL);
    cluster_command(c, COMMAND_JOB_DELETE, "web");
    assert_int_equal(cluster_status(c, "web")->state, JOB_DELETING);
    assert_false(cluster_document(c, "jobs/web/spec")->job_document.head.tombstone);
    cluster_obey(c, NULL);
    assert_true(cluster_document(c, "jobs/web/spec")->job_document.head.tombstone);
    assert_true(cluster_document(c, "jobs/web/history")->job_history.head.tombstone);
    assert_true(cluster_assignment(c, "n1", "web")->head.tombstone);
    assert_false(cluster_cleared(c, "jobs/web/spec"));
    cluster_pass(c, TOMBSTONE_KEPT_MS, NULL);
    assert_true(cluster_cleared(c, "jobs/web/spec"));
    assert_true(cluster_cleared(c, "jobs/web/history"));
    assert_true(cluster_cleared(c, "jobs/web/status"));
    assert_true(cluster_cleared(c, "nodes/n1/assign/web"));
}

/* Found by the simulation, seed 169: the node would have come back to an empty topic. */
static void the_tombstone_of_an_assignment_stays_until_its_node_has_answered(void **state)
{
    (void)state;
    cluster_add_node(c, "n1");
    cluster_set(c, "web", WEB);
    cluster_obey(c, NULL);
    cluster_command(c, COMMAND_JOB_DELETE, "web");
    for (size_t i = cluster_assignment(c, "n1", "web")->attempts.count; i--;)
        cluster_report(c, "n1", "web", i, ATTEMPT_STOPPED, UNSET);
    assert_true(cluster_assignment(c, "n1", "web")->head.tombstone);
    cluster_pass(c, 2 * TOMBSTONE_KEPT_MS, NULL);
    assert_true(cluster_cleared(c, "jobs/web/spec"));
    assert_false(cluster_cleared(c, "nodes/n1/assign/web"));
    cluster_obey(c, NULL);
    cluster_pass(c, TOMBSTONE_KEPT_MS, NULL);
    assert_true(cluster_cleared(c, "nodes/n1/assign/web"));
}

static void a_job_cannot_become_one_of_another_type(void **state)
{
    (void)state;
    cluster_add_node(c, "n1");
    cluster_set(c, "web", "{\"image\":\"x\"}");
    const struct verdict *verdict = cluster_set(c, "web", "{\"image\":\"x\",\"type\":\"batch\"}");
    assert_false(verdict->accepted);
    assert_int_equal(verdict->reason, REASON_INVALID_JOB);
    cluster_command(c, COMMAND_JOB_DELETE, "web");
    verdict = cluster_set(c, "web", "{\"image\":\"x\",\"type\":\"batch\"}");
    assert_true(verdict->accepted);
}

static void a_deleted_job_that_is_set_again_has_a_larger_version(void **state)
{
    (void)state;
    cluster_add_node(c, "n1");
    cluster_set(c, "web", WEB);
    cluster_command(c, COMMAND_JOB_DELETE, "web");
    cluster_obey(c, NULL);
    assert_int_equal(cluster_set(c, "web", WEB)->version, 2);
    cluster_obey(c, NULL);
    cluster_pass(c, TOMBSTONE_KEPT_MS * 2, NULL);
    assert_false(cluster_cleared(c, "jobs/web/spec"));
    assert_int_equal(cluster_status(c, "web")->counts.running, 2);
}

static void stopping_and_deleting_what_is_not_there_is_accepted(void **state)
{
    (void)state;
    const struct verdict *verdict = cluster_command(c, COMMAND_JOB_STOP, "nobody");
    assert_true(verdict->accepted);
    assert_int_equal(verdict->changed, 0);
    assert_true(cluster_command(c, COMMAND_JOB_DELETE, "nobody")->accepted);
    assert_true(cluster_command(c, COMMAND_NODE_DELETE, "nobody")->accepted);
}

static void scaling_and_restarting_what_is_not_there_is_rejected(void **state)
{
    (void)state;
    assert_int_equal(cluster_scale(c, "nobody", 2)->reason, REASON_UNKNOWN_JOB);
    assert_int_equal(cluster_command(c, COMMAND_JOB_RESTART, "nobody")->reason, REASON_UNKNOWN_JOB);
    assert_int_equal(cluster_command(c, COMMAND_NODE_ELIGIBILITY, "nobody")->reason,
                     REASON_UNKNOWN_NODE);
}

static void an_unexpected_version_refuses_a_lost_update(void **state)
{
    (void)state;
    cluster_set(c, "web", WEB);
    struct command_envelope envelope = {.expect_version = 7, .expires_at_ms = UNSET};
    struct command command = {.kind = COMMAND_JOB_STOP, .envelope = &envelope};
    cluster_step(c,
                 &(struct manager_event){.kind = EVENT_COMMAND, .job = "web", .command = &command});
    assert_false(c->effects.verdict.accepted);
    assert_int_equal(c->effects.verdict.reason, REASON_VERSION_MISMATCH);
}

static void a_batch_that_exits_zero_is_completed_and_never_run_again(void **state)
{
    (void)state;
    cluster_add_node(c, "n1");
    cluster_set(c, "sums", SUMS);
    cluster_report(c, "n1", "sums", 0, ATTEMPT_COMPLETED, 0);
    assert_int_equal(cluster_status(c, "sums")->state, JOB_COMPLETED);
    cluster_pass(c, 2 * 3600 * 1000, (const char *[]){"n1", NULL});
    assert_int_equal(cluster_assignment(c, "n1", "sums")->attempts.count, 1);
    assert_int_equal(cluster_attempt(c, "n1", "sums", 0)->known.state, ATTEMPT_COMPLETED);
}

static void a_batch_that_fails_twice_has_failed_with_its_code(void **state)
{
    (void)state;
    cluster_add_node(c, "n1");
    cluster_set(c, "sums", SUMS);
    cluster_report(c, "n1", "sums", 0, ATTEMPT_FAILED, 3);
    assert_int_equal(cluster_wanted(c, "n1", "sums"), 0);
    assert_string_equal(cluster_pending_reason(c, "sums", 0), "waiting_to_reschedule");
    cluster_pass(c, 5000, NULL);
    assert_int_equal(cluster_assignment(c, "n1", "sums")->attempts.count, 2);
    cluster_report(c, "n1", "sums", 1, ATTEMPT_FAILED, 3);
    assert_int_equal(cluster_status(c, "sums")->state, JOB_FAILED);
    cluster_pass(c, 60000, (const char *[]){"n1", NULL});
    assert_int_equal(cluster_assignment(c, "n1", "sums")->attempts.count, 1);
    assert_int_equal(cluster_attempt(c, "n1", "sums", 0)->known.exit_code, 3);
}

static void a_restart_by_a_person_asks_for_the_next_run(void **state)
{
    (void)state;
    cluster_add_node(c, "n1");
    cluster_set(c, "web", WEB);
    cluster_obey(c, NULL);
    assert_int_equal(cluster_command(c, COMMAND_JOB_RESTART, "web")->changed, 1);
    assert_int_equal(cluster_attempt(c, "n1", "web", 0)->run_wanted, 2);
    assert_int_equal(cluster_command(c, COMMAND_JOB_RESTART, "web")->changed, 0);
}

/* All its instances are counted for it. */
static void
a_large_jobs_status_follows_its_reports_with_a_pause_and_a_small_ones_at_once(void **state)
{
    (void)state;
    cluster_add_node_sized(c, "n1", "dc1", 1000000, INT64_C(1) << 50);
    cluster_set(c, "small", "{\"image\":\"x\",\"count\":2}");
    cluster_set(c, "large", "{\"image\":\"x\",\"count\":200}");
    for (size_t i = 0; i < 2; i++)
        cluster_report(c, "n1", "small", i, ATTEMPT_RUNNING, UNSET);
    assert_int_equal(cluster_status(c, "small")->counts.running, 2);
    for (size_t i = 0; i < 3; i++)
        cluster_report(c, "n1", "large", i, ATTEMPT_RUNNING, UNSET);
    assert_int_equal(cluster_status(c, "large")->counts.running, 0);
    cluster_pass(c, 1000, NULL);
    assert_int_equal(cluster_status(c, "large")->counts.running, 3);
    int64_t writes = cluster_writes(c, "jobs/large/status");
    cluster_pass(c, 5000, NULL);
    assert_int_equal(cluster_writes(c, "jobs/large/status"), writes);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, cluster_setup, cluster_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_submitted_job_is_assigned_and_runs),
        TEST(the_nodes_index_names_its_assignments),
        TEST(the_same_specification_twice_is_one_job),
        TEST(a_job_that_fits_nowhere_is_pending_with_the_reason_until_a_node_joins),
        TEST(without_a_node_the_reason_says_so),
        TEST(capacity_is_never_exceeded_and_given_back),
        TEST(scaling_adds_and_stops_the_highest_indexes),
        TEST(scaling_down_keeps_what_runs_rather_than_what_waits),
        TEST(an_attempt_leaves_its_assignment_only_after_its_final_state_was_stored),
        TEST(the_same_specification_starts_a_stopped_job),
        TEST(a_deleted_job_leaves_tombstones_and_then_empty_topics),
        TEST(the_tombstone_of_an_assignment_stays_until_its_node_has_answered),
        TEST(a_job_cannot_become_one_of_another_type),
        TEST(a_deleted_job_that_is_set_again_has_a_larger_version),
        TEST(stopping_and_deleting_what_is_not_there_is_accepted),
        TEST(scaling_and_restarting_what_is_not_there_is_rejected),
        TEST(an_unexpected_version_refuses_a_lost_update),
        TEST(a_batch_that_exits_zero_is_completed_and_never_run_again),
        TEST(a_batch_that_fails_twice_has_failed_with_its_code),
        TEST(a_restart_by_a_person_asks_for_the_next_run),
        TEST(a_large_jobs_status_follows_its_reports_with_a_pause_and_a_small_ones_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
