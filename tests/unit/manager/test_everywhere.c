/* System and sysbatch jobs: one instance on each node that matches. */
#include "cluster.h"

#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MON(more) "{\"type\":\"system\",\"image\":\"mon:1\"" more "}"
#define FIX       "{\"type\":\"sysbatch\",\"image\":\"fix:1\"}"

enum { AN_HOUR_MS = 3600 * 1000 };

static const char *const both[] = {"n1", "n2", NULL};
static const char *const three[] = {"n1", "n2", "n3", NULL};

static void nodes_join(const char *const *nodes)
{
    for (; *nodes; nodes++)
        cluster_add_node(c, *nodes);
}

static size_t running_each(const char *job, const char *const *nodes)
{
    size_t once = 0;
    for (; *nodes; nodes++)
        once += cluster_wanted(c, *nodes, job) == 1;
    return once;
}

static void each_node_has_one_and_a_node_that_joins_later_too(void **state)
{
    (void)state;
    nodes_join(both);
    cluster_set(c, "mon", MON());
    assert_int_equal(running_each("mon", both), 2);
    cluster_obey(c, NULL);
    assert_int_equal(cluster_status(c, "mon")->state, JOB_RUNNING);
    assert_int_equal(cluster_status(c, "mon")->wanted, 2);
    cluster_add_node(c, "n3");
    assert_int_equal(running_each("mon", three), 3);
    assert_int_equal(cluster_status(c, "mon")->wanted, 3);
    cluster_obey(c, NULL);
    assert_int_equal(cluster_status(c, "mon")->counts.running, 3);
}

static void a_node_elsewhere_has_none_and_loses_its_own_when_it_moves(void **state)
{
    (void)state;
    nodes_join(both);
    cluster_add_node_sized(c, "far", "mars", 4000, (int64_t)4 << 30);
    cluster_set(c, "mon", MON(",\"datacenters\":[\"dc*\"]"));
    cluster_obey(c, NULL);
    assert_int_equal(cluster_wanted(c, "far", "mon"), 0);
    cluster_add_node_sized(c, "n2", "mars", 4000, (int64_t)4 << 30);
    assert_int_equal(cluster_wanted(c, "n2", "mon"), 0);
    assert_int_equal(cluster_attempt(c, "n2", "mon", 0)->reason, REASON_NODE_MISMATCH);
    cluster_obey(c, NULL);
    assert_int_equal(cluster_status(c, "mon")->wanted, 1);
    cluster_add_node(c, "n2");
    assert_int_equal(running_each("mon", both), 2);
}

static void a_new_version_for_other_datacenters_moves_it(void **state)
{
    (void)state;
    nodes_join(both);
    cluster_add_node_sized(c, "far", "mars", 4000, (int64_t)4 << 30);
    cluster_set(c, "mon", MON(",\"datacenters\":[\"dc*\"]"));
    cluster_obey(c, NULL);
    cluster_set(c, "mon", MON(",\"datacenters\":[\"mars\"]"));
    assert_int_equal(cluster_wanted(c, "far", "mon"), 1);
    assert_int_equal(cluster_wanted(c, NULL, "mon"), 1);
    cluster_obey(c, NULL);
    assert_true(cluster_assignment(c, "n1", "mon")->head.tombstone);
    assert_int_equal(cluster_status(c, "mon")->wanted, 1);
}

static void an_ineligible_node_keeps_its_own_and_gets_no_new_one(void **state)
{
    (void)state;
    nodes_join(both);
    cluster_set_eligible(c, "n2", false);
    cluster_set(c, "mon", MON());
    cluster_obey(c, NULL);
    assert_int_equal(cluster_wanted(c, "n2", "mon"), 0);
    assert_int_equal(cluster_status(c, "mon")->wanted, 1);
    assert_int_equal(cluster_status(c, "mon")->state, JOB_RUNNING);
    cluster_set_eligible(c, "n1", false);
    assert_int_equal(cluster_wanted(c, "n1", "mon"), 1);
    cluster_set_eligible(c, "n2", true);
    assert_int_equal(running_each("mon", both), 2);
}

static void what_does_not_fit_is_pending_with_its_nodes_reason(void **state)
{
    (void)state;
    cluster_add_node(c, "n1");
    cluster_add_node_sized(c, "small", "dc1", 4000, 32 << 20);
    cluster_set(c, "mon", MON());
    cluster_obey(c, NULL);
    const struct job_status *status = cluster_status(c, "mon");
    assert_int_equal(status->wanted, 2);
    assert_int_equal(status->counts.running, 1);
    assert_int_equal(status->counts.pending, 1);
    assert_int_equal(status->state, JOB_DEGRADED);
    const struct pending_group *pending = RECORD_AT(struct pending_group, status->pending, 0);
    assert_string_equal(pending->reason, "memory_exhausted");
    assert_int_equal(pending->count, 1);
    assert_string_equal(pending->nearest, "small lacks 32 MiB memory");
    cluster_add_node_sized(c, "small", "dc1", 4000, 128 << 20);
    assert_int_equal(cluster_wanted(c, "small", "mon"), 1);
    assert_int_equal(cluster_status(c, "mon")->pending.count, 0);
}

static void where_no_node_matches_the_reason_says_so(void **state)
{
    (void)state;
    cluster_add_node(c, "n1");
    cluster_set(c, "mon", MON(",\"datacenters\":[\"mars\"]"));
    assert_int_equal(cluster_status(c, "mon")->state, JOB_PENDING);
    assert_string_equal(cluster_pending_reason(c, "mon", 0), "datacenter");
    assert_int_equal(RECORD_AT(struct pending_group, cluster_status(c, "mon")->pending, 0)->count,
                     0);
}

static void a_silent_nodes_instance_is_not_replaced_and_goes_on_when_it_is_back(void **state)
{
    (void)state;
    static const char *const first[] = {"n1", NULL};
    nodes_join(both);
    cluster_set(c, "mon", MON(",\"disconnect\":{\"lost_after\":\"10s\"}"));
    cluster_obey(c, NULL);
    char id[LIMIT_TASK_ID_LENGTH + 1];
    snprintf(id, sizeof(id), "%s", cluster_attempt(c, "n2", "mon", 0)->id);
    cluster_pass(c, AN_HOUR_MS, first);
    assert_int_equal(cluster_status(c, "mon")->counts.unknown, 1);
    assert_int_equal(cluster_wanted(c, "n1", "mon"), 1);
    cluster_heartbeat(c, "n2");
    assert_string_equal(cluster_attempt(c, "n2", "mon", 0)->id, id);
    assert_int_equal(cluster_wanted(c, "n2", "mon"), 1);
    assert_int_equal(cluster_assignment(c, "n2", "mon")->attempts.count, 1);
}

static void a_failed_one_is_not_placed_again_anywhere(void **state)
{
    (void)state;
    nodes_join(both);
    cluster_set(c, "mon", MON());
    cluster_obey(c, NULL);
    cluster_report(c, "n2", "mon", 0, ATTEMPT_FAILED, 1);
    cluster_pass(c, AN_HOUR_MS, both);
    assert_int_equal(cluster_assignment(c, "n1", "mon")->attempts.count, 1);
    assert_int_equal(cluster_assignment(c, "n2", "mon")->attempts.count, 1);
    assert_int_equal(cluster_status(c, "mon")->counts.failed, 1);
    assert_int_equal(cluster_status(c, "mon")->state, JOB_DEGRADED);
}

static void a_sysbatch_ends_once_on_each_node_and_runs_on_late_joiners(void **state)
{
    (void)state;
    nodes_join(both);
    cluster_set(c, "fix", FIX);
    cluster_obey(c, NULL);
    cluster_report(c, "n1", "fix", 0, ATTEMPT_COMPLETED, 0);
    assert_int_equal(cluster_status(c, "fix")->state, JOB_RUNNING);
    cluster_report(c, "n2", "fix", 0, ATTEMPT_COMPLETED, 0);
    assert_int_equal(cluster_status(c, "fix")->state, JOB_COMPLETED);
    cluster_pass(c, AN_HOUR_MS, both);
    assert_int_equal(cluster_assignment(c, "n1", "fix")->attempts.count, 1);
    cluster_add_node(c, "n3");
    assert_int_equal(cluster_wanted(c, "n3", "fix"), 1);
    assert_int_equal(cluster_assignment(c, "n1", "fix")->attempts.count, 1);
}

static size_t old_ones(const char *const *nodes)
{
    size_t count = 0;
    for (; *nodes; nodes++) {
        const struct assignment *assignment = cluster_assignment(c, *nodes, "mon");
        for (size_t i = 0; i < assignment->attempts.count; i++) {
            const struct assigned_attempt *at = cluster_attempt(c, *nodes, "mon", i);
            count += at->desired == DESIRED_RUN && at->version == 1;
        }
    }
    return count;
}

static void an_update_replaces_max_parallel_at_a_time_and_each_on_its_node(void **state)
{
    (void)state;
    nodes_join(three);
    cluster_set(c, "mon", MON());
    cluster_obey(c, NULL);
    cluster_set(c, "mon", MON(",\"env\":{\"A\":\"b\"}"));
    for (size_t left = 2;; left--) {
        assert_int_equal(old_ones(three), left);
        cluster_obey(c, NULL);
        assert_int_equal(running_each("mon", three), 3);
        if (!left)
            break;
        cluster_pass(c, 11000, three); /* min_healthy */
    }
    cluster_pass(c, 11000, three);
    assert_int_equal(cluster_status(c, "mon")->outdated, 0);
}

static void an_update_passes_by_silent_full_and_ineligible_nodes(void **state)
{
    (void)state;
    static const char *const back[] = {"n1", "n3", NULL};
    nodes_join(three);
    cluster_add_node_sized(c, "full", "dc1", 10, (int64_t)4 << 30); /* never had room */
    cluster_set(c, "mon", MON());
    cluster_obey(c, NULL);
    cluster_pass(c, 60000, back); /* n2 is silent */
    cluster_set_eligible(c, "n3", false);
    cluster_set(c, "mon", MON(",\"env\":{\"A\":\"b\"}"));
    cluster_obey(c, NULL);
    assert_int_equal(cluster_attempt(c, "n1", "mon", 0)->version, 2);
    cluster_pass(c, 11000, back);
    assert_int_equal(cluster_attempt(c, "n2", "mon", 0)->version, 1);
    assert_int_equal(cluster_wanted(c, "n2", "mon"), 1);
    assert_int_equal(cluster_attempt(c, "n3", "mon", 0)->version, 1);
    assert_int_equal(cluster_status(c, "mon")->outdated, 2);
    cluster_set_eligible(c, "n3", true);
    cluster_obey(c, "n3");
    cluster_pass(c, 11000, back);
    assert_int_equal(cluster_attempt(c, "n3", "mon", 0)->version, 2);
    cluster_heartbeat(c, "n2");
    cluster_obey(c, "n2");
    assert_int_equal(cluster_attempt(c, "n2", "mon", 0)->version, 2);
}

static void a_version_that_does_not_fit_is_not_rolled_over_all_nodes(void **state)
{
    (void)state;
    nodes_join(three);
    cluster_set(c, "mon", MON());
    cluster_obey(c, NULL);
    cluster_set(c, "mon", MON(",\"resources\":{\"cpu\":64}"));
    cluster_obey(c, NULL);
    cluster_pass(c, AN_HOUR_MS, three);
    assert_int_equal(old_ones(three), 2);
    assert_int_equal(cluster_status(c, "mon")->counts.pending, 1);
}

static void stop_and_delete_end_it_everywhere(void **state)
{
    (void)state;
    nodes_join(both);
    cluster_set(c, "mon", MON());
    cluster_obey(c, NULL);
    cluster_command(c, COMMAND_JOB_STOP, "mon");
    cluster_add_node(c, "n3");
    assert_int_equal(cluster_wanted(c, NULL, "mon"), 0);
    cluster_obey(c, NULL);
    assert_int_equal(cluster_status(c, "mon")->state, JOB_STOPPED);
    cluster_set(c, "mon", MON());
    assert_int_equal(running_each("mon", three), 3);
    cluster_command(c, COMMAND_JOB_DELETE, "mon");
    cluster_obey(c, NULL);
    assert_true(cluster_document(c, "jobs/mon/spec")->job_document.head.tombstone);
    cluster_add_node(c, "n4");
    assert_int_equal(cluster_wanted(c, NULL, "mon"), 0);
}

static void a_deleted_node_takes_its_instance_along_and_gets_one_when_it_is_back(void **state)
{
    (void)state;
    nodes_join(both);
    cluster_set(c, "mon", MON());
    cluster_obey(c, NULL);
    cluster_command(c, COMMAND_NODE_DELETE, "n2");
    assert_int_equal(cluster_status(c, "mon")->wanted, 1);
    assert_int_equal(cluster_wanted(c, "n1", "mon"), 1);
    cluster_add_node(c, "n2");
    cluster_presence(c, "n2", PRESENCE_ONLINE, 2);
    cluster_answer(c, "n2", NULL, 0, 0);
    cluster_obey(c, NULL);
    assert_int_equal(running_each("mon", both), 2);
}

static void a_restarted_manager_keeps_each_where_it_is(void **state, bool emptied)
{
    (void)state;
    nodes_join(three);
    cluster_set(c, "mon", MON());
    cluster_obey(c, NULL);
    char ids[3][LIMIT_TASK_ID_LENGTH + 1];
    for (size_t i = 0; i < 3; i++)
        snprintf(ids[i], sizeof(ids[i]), "%s", cluster_attempt(c, three[i], "mon", 0)->id);
    cluster_restart(c, emptied);
    nodes_join(three);
    cluster_lead(c);
    cluster_obey(c, NULL);
    cluster_pass(c, 60000, three);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(cluster_assignment(c, three[i], "mon")->attempts.count, 1);
        assert_string_equal(cluster_attempt(c, three[i], "mon", 0)->id, ids[i]);
    }
    cluster_add_node(c, "n4");
    assert_int_equal(cluster_wanted(c, "n4", "mon"), 1);
}

static void a_manager_on_its_store_keeps_each_where_it_is(void **state)
{
    a_restarted_manager_keeps_each_where_it_is(state, false);
}

static void an_emptied_manager_keeps_each_where_it_is(void **state)
{
    a_restarted_manager_keeps_each_where_it_is(state, true);
}

static void heartbeats_and_reports_change_nothing(void **state)
{
    (void)state;
    nodes_join(both);
    cluster_set(c, "mon", MON());
    cluster_obey(c, NULL);
    int64_t writes = cluster_writes(c, "nodes/n1/assign/mon");
    cluster_pass(c, 100000, both);
    assert_int_equal(cluster_writes(c, "nodes/n1/assign/mon"), writes);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, cluster_setup, cluster_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_node_has_one_and_a_node_that_joins_later_too),
        TEST(a_node_elsewhere_has_none_and_loses_its_own_when_it_moves),
        TEST(a_new_version_for_other_datacenters_moves_it),
        TEST(an_ineligible_node_keeps_its_own_and_gets_no_new_one),
        TEST(what_does_not_fit_is_pending_with_its_nodes_reason),
        TEST(where_no_node_matches_the_reason_says_so),
        TEST(a_silent_nodes_instance_is_not_replaced_and_goes_on_when_it_is_back),
        TEST(a_failed_one_is_not_placed_again_anywhere),
        TEST(a_sysbatch_ends_once_on_each_node_and_runs_on_late_joiners),
        TEST(an_update_replaces_max_parallel_at_a_time_and_each_on_its_node),
        TEST(an_update_passes_by_silent_full_and_ineligible_nodes),
        TEST(a_version_that_does_not_fit_is_not_rolled_over_all_nodes),
        TEST(stop_and_delete_end_it_everywhere),
        TEST(a_deleted_node_takes_its_instance_along_and_gets_one_when_it_is_back),
        TEST(a_manager_on_its_store_keeps_each_where_it_is),
        TEST(an_emptied_manager_keeps_each_where_it_is),
        TEST(heartbeats_and_reports_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
