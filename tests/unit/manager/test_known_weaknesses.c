/* The weaknesses of the reference implementation (cube) that are the manager's: each must be
 * impossible. */
#include "cluster.h"

#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

static const char *const only_n2[] = {"n2", NULL};

enum { SILENCE_MS = 3 * 10000 + DEFAULT_GRACE_MS };

static void an_unreachable_worker_does_not_stop_the_manager(void **state)
{
    (void)state;
    cluster_add_node(c, "n1");
    cluster_set(c, "web", "{\"image\":\"x\"}");
    cluster_pass(c, 3600 * 1000, NULL);
    assert_true(cluster_set(c, "other", "{\"image\":\"x\"}")->accepted);
    assert_string_equal(cluster_pending_reason(c, "other", 0), "node_silent");
}

static void unplaceable_tasks_are_not_dropped(void **state)
{
    (void)state;
    cluster_set(c, "web", "{\"image\":\"x\",\"count\":3}");
    cluster_pass(c, 3600 * 1000, NULL);
    cluster_add_node(c, "n1");
    assert_int_equal(cluster_wanted(c, "n1", "web"), 3);
}

static void a_dead_node_does_not_win(void **state)
{
    (void)state;
    cluster_add_node(c, "n1");
    cluster_add_node_sized(c, "n2", "dc1", 64000, (int64_t)256 << 30);
    cluster_pass(c, SILENCE_MS + 1000, only_n2);
    cluster_set(c, "web", "{\"image\":\"x\",\"count\":4}");
    assert_int_equal(cluster_wanted(c, "n1", "web"), 0);
    assert_int_equal(cluster_wanted(c, "n2", "web"), 4);
}

static void cpu_and_memory_are_checked(void **state)
{
    (void)state;
    cluster_add_node_sized(c, "n1", "dc1", 1000, (int64_t)1 << 30);
    cluster_set(c, "a", "{\"image\":\"x\",\"resources\":{\"cpu\":1.1}}");
    cluster_set(c, "b", "{\"image\":\"x\",\"resources\":{\"memory\":\"2GiB\"}}");
    assert_string_equal(cluster_pending_reason(c, "a", 0), "cpu_exhausted");
    assert_string_equal(cluster_pending_reason(c, "b", 0), "memory_exhausted");
}

static void allocations_are_given_back_and_the_task_count_shrinks(void **state)
{
    (void)state;
    cluster_add_node_sized(c, "n1", "dc1", 1000, (int64_t)1 << 30);
    for (int round = 0; round < 20; round++) {
        cluster_set(c, "web", "{\"image\":\"x\",\"resources\":{\"cpu\":1}}");
        assert_int_equal(cluster_wanted(c, "n1", "web"), 1);
        cluster_obey(c, NULL);
        cluster_command(c, COMMAND_JOB_DELETE, "web");
        cluster_obey(c, NULL);
        assert_int_equal(cluster_assignment(c, "n1", "web")->attempts.count, 0);
    }
}

static void a_stop_works_in_every_state(void **state)
{
    (void)state;
    static const enum attempt_state states[] = {ATTEMPT_SCHEDULED, ATTEMPT_PREPARING,
                                                ATTEMPT_STARTING, ATTEMPT_RUNNING};
    cluster_add_node(c, "n1");
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        cluster_set(c, "web", "{\"image\":\"x\"}");
        cluster_report(c, "n1", "web", 0, states[i], UNSET);
        assert_true(cluster_command(c, COMMAND_JOB_STOP, "web")->accepted);
        cluster_obey(c, NULL);
        assert_true(cluster_assignment(c, "n1", "web")->head.tombstone);
    }
}

static void the_same_job_twice_is_not_taken_for_a_stop(void **state)
{
    (void)state;
    cluster_add_node(c, "n1");
    for (int i = 0; i < 5; i++)
        cluster_set(c, "web", "{\"image\":\"x\"}");
    assert_int_equal(cluster_wanted(c, "n1", "web"), 1);
}

static void the_state_table_is_enforced(void **state)
{
    (void)state;
    cluster_add_node(c, "n1");
    cluster_set(c, "sums", "{\"image\":\"x\",\"type\":\"batch\"}");
    cluster_report(c, "n1", "sums", 0, ATTEMPT_COMPLETED, 0);
    cluster_report(c, "n1", "sums", 0, ATTEMPT_RUNNING, UNSET);
    cluster_report(c, "n1", "sums", 0, ATTEMPT_FAILED, 1);
    assert_int_equal(cluster_status(c, "sums")->state, JOB_COMPLETED);
    assert_int_equal(cluster_attempt(c, "n1", "sums", 0)->known.state, ATTEMPT_COMPLETED);
}

static void unknown_ids_are_harmless(void **state)
{
    (void)state;
    cluster_report_id(c, "ghost", "no_such_0_aaaaaaaa", ATTEMPT_RUNNING, UNSET);
    cluster_heartbeat(c, "ghost");
    cluster_add_node(c, "n1");
    cluster_set(c, "web", "{\"image\":\"x\"}");
    cluster_report_id(c, "n1", "web_web_0_aaaaaaaa", ATTEMPT_RUNNING, UNSET);
    cluster_report_id(c, "n1", "web_nix_7_aaaaaaaa", ATTEMPT_FAILED, 1);
    assert_int_equal(cluster_wanted(c, "n1", "web"), 1);
}

static void an_exit_with_zero_is_no_failure(void **state)
{
    (void)state;
    cluster_add_node(c, "n1");
    cluster_set(c, "sums", "{\"image\":\"x\",\"type\":\"batch\",\"count\":2}");
    cluster_report(c, "n1", "sums", 0, ATTEMPT_COMPLETED, 0);
    cluster_report(c, "n1", "sums", 1, ATTEMPT_COMPLETED, 0);
    assert_int_equal(cluster_status(c, "sums")->state, JOB_COMPLETED);
    assert_int_equal(cluster_status(c, "sums")->counts.failed, 0);
}

static void it_is_not_always_the_same_worker(void **state)
{
    (void)state;
    cluster_add_node(c, "n1");
    cluster_add_node(c, "n2");
    cluster_set(c, "web", "{\"image\":\"x\",\"count\":2}");
    assert_int_equal(cluster_wanted(c, "n1", "web"), 1);
    assert_int_equal(cluster_wanted(c, "n2", "web"), 1);
}

static void what_is_deleted_leaves_nothing_behind(void **state)
{
    (void)state;
    cluster_add_node(c, "n1");
    cluster_set(c, "web", "{\"image\":\"x\"}");
    cluster_obey(c, NULL);
    cluster_command(c, COMMAND_JOB_DELETE, "web");
    cluster_obey(c, NULL);
    cluster_pass(c, TOMBSTONE_KEPT_MS + 1000, NULL);
    assert_true(cluster_cleared(c, "jobs/web/spec"));
    assert_true(cluster_cleared(c, "nodes/n1/assign/web"));
    assert_int_equal(cluster_document(c, "nodes/n1/desired")->node_desired.assignments.count, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, cluster_setup, cluster_teardown)
    const struct CMUnitTest tests[] = {
        TEST(an_unreachable_worker_does_not_stop_the_manager),
        TEST(unplaceable_tasks_are_not_dropped),
        TEST(a_dead_node_does_not_win),
        TEST(cpu_and_memory_are_checked),
        TEST(allocations_are_given_back_and_the_task_count_shrinks),
        TEST(a_stop_works_in_every_state),
        TEST(the_same_job_twice_is_not_taken_for_a_stop),
        TEST(the_state_table_is_enforced),
        TEST(unknown_ids_are_harmless),
        TEST(an_exit_with_zero_is_no_failure),
        TEST(it_is_not_always_the_same_worker),
        TEST(what_is_deleted_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
