/* depends_on: what is waited for, for how long, and which circles are refused. */
#include "cluster.h"

#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DB            "{\"image\":\"db\",\"count\":2,\"update\":{\"min_healthy\":\"10s\"}}"
#define ON(condition) ON2("db", condition)
#define ON2(job, cond) \
    "{\"image\":\"web\",\"depends_on\":[{\"job\":\"" job "\",\"condition\":\"" cond "\"}]}"

static const char *const nodes[] = {"n1", NULL};

static const char *pending_text(const char *job)
{
    const struct job_status *status = cluster_status(c, job);
    assert_int_equal(status->pending.count, 1);
    return RECORD_AT(struct pending_group, status->pending, 0)->text;
}

static void a_job_waits_and_says_for_what(void **state)
{
    (void)state;
    cluster_set(c, "web", ON("running"));
    assert_int_equal(cluster_wanted(c, NULL, "web"), 0);
    assert_string_equal(cluster_pending_reason(c, "web", 0), "waiting_for_dependency");
    assert_string_equal(pending_text("web"), "waits until job db is running; there is no such job");
    cluster_set(c, "db", DB);
    assert_string_equal(pending_text("web"), "waits until job db is running");
    assert_int_equal(cluster_wanted(c, NULL, "web"), 0);
    cluster_report(c, "n1", "db", 0, ATTEMPT_RUNNING, UNSET);
    assert_int_equal(cluster_wanted(c, NULL, "web"), 1);
    assert_int_equal(cluster_status(c, "web")->pending.count, 0);
}

static void healthy_is_all_of_it_for_min_healthy(void **state)
{
    (void)state;
    cluster_set(c, "db", DB);
    cluster_set(c, "web", ON("healthy"));
    cluster_report(c, "n1", "db", 0, ATTEMPT_RUNNING, UNSET);
    cluster_pass(c, 20000, nodes);
    assert_int_equal(cluster_wanted(c, NULL, "web"), 0);
    cluster_report(c, "n1", "db", 1, ATTEMPT_RUNNING, UNSET);
    cluster_pass(c, 9000, nodes);
    assert_int_equal(cluster_wanted(c, NULL, "web"), 0);
    cluster_pass(c, 2000, nodes);
    assert_int_equal(cluster_wanted(c, NULL, "web"), 1);
}

static void completed_is_all_of_it(void **state)
{
    (void)state;
    cluster_set(c, "db", "{\"type\":\"batch\",\"image\":\"migrate\",\"count\":2}");
    cluster_set(c, "web", ON("completed"));
    cluster_obey(c, NULL);
    cluster_report(c, "n1", "db", 0, ATTEMPT_COMPLETED, 0);
    assert_int_equal(cluster_wanted(c, NULL, "web"), 0);
    cluster_report(c, "n1", "db", 1, ATTEMPT_COMPLETED, 0);
    assert_int_equal(cluster_wanted(c, NULL, "web"), 1);
}

static void all_of_several_are_waited_for(void **state)
{
    (void)state;
    cluster_set(c, "web", "{\"image\":\"w\",\"depends_on\":[{\"job\":\"db\"},{\"job\":\"mq\"}]}");
    cluster_set(c, "db", DB);
    cluster_obey(c, NULL);
    assert_string_equal(pending_text("web"), "waits until job mq is running; there is no such job");
    assert_int_equal(cluster_wanted(c, NULL, "web"), 0);
    cluster_set(c, "mq", DB);
    cluster_obey(c, NULL);
    assert_int_equal(cluster_wanted(c, NULL, "web"), 1);
}

static void once_placed_it_stays_and_is_placed_again_without_it(void **state)
{
    (void)state;
    cluster_set(c, "db", DB);
    cluster_set(c, "web", ON("running"));
    cluster_obey(c, NULL);
    cluster_command(c, COMMAND_JOB_DELETE, "db");
    cluster_obey(c, NULL);
    assert_int_equal(cluster_wanted(c, NULL, "web"), 1);
    cluster_set(c, "web", "{\"image\":\"web:2\",\"depends_on\":[{\"job\":\"db\"}]}");
    cluster_obey(c, NULL);
    assert_int_equal(cluster_wanted(c, NULL, "web"), 1);
    assert_int_equal(cluster_attempt(c, "n1", "web", 0)->version, 2);
}

static void a_restarted_manager_knows_that_it_was_there(void **state)
{
    (void)state;
    cluster_set(c, "db", DB);
    cluster_set(c, "web", ON("running"));
    cluster_obey(c, NULL);
    cluster_command(c, COMMAND_JOB_DELETE, "db");
    cluster_obey(c, NULL);
    cluster_restart(c, false);
    cluster_add_node(c, "n1");
    cluster_lead(c);
    cluster_report(c, "n1", "web", 0, ATTEMPT_FAILED, 1);
    cluster_pass(c, 60000, nodes);
    assert_int_equal(cluster_wanted(c, NULL, "web"), 1);
}

static void a_job_that_was_stopped_waits_anew(void **state)
{
    (void)state;
    cluster_set(c, "db", DB);
    cluster_set(c, "web", ON("running"));
    cluster_obey(c, NULL);
    cluster_command(c, COMMAND_JOB_STOP, "web");
    cluster_command(c, COMMAND_JOB_STOP, "db");
    cluster_obey(c, NULL);
    cluster_set(c, "web", ON("running"));
    assert_int_equal(cluster_wanted(c, NULL, "web"), 0);
    assert_string_equal(pending_text("web"), "waits until job db is running");
    cluster_set(c, "db", DB);
    cluster_obey(c, NULL);
    assert_int_equal(cluster_wanted(c, NULL, "web"), 1);
}

static void a_new_version_that_depends_on_more_waits_while_the_old_one_runs(void **state)
{
    (void)state;
    cluster_set(c, "web", "{\"image\":\"web:1\"}");
    cluster_obey(c, NULL);
    cluster_set(c, "web", ON("running"));
    cluster_pass(c, 60000, nodes);
    assert_int_equal(cluster_wanted(c, NULL, "web"), 1);
    assert_int_equal(cluster_attempt(c, "n1", "web", 0)->version, 1);
    cluster_set(c, "db", DB);
    cluster_obey(c, NULL);
    cluster_obey(c, NULL);
    assert_int_equal(cluster_attempt(c, "n1", "web", 0)->version, 2);
}

static void a_silent_node_does_not_count_as_running(void **state)
{
    (void)state;
    static const char *const other[] = {"n2", NULL};
    cluster_set(c, "db", "{\"image\":\"db\",\"disconnect\":{\"replace\":false}}");
    cluster_obey(c, NULL);
    cluster_add_node(c, "n2");
    cluster_pass(c, 60000, other); /* n1 is silent */
    cluster_set(c, "web", ON("running"));
    assert_int_equal(cluster_wanted(c, NULL, "web"), 0);
    cluster_heartbeat(c, "n1");
    assert_int_equal(cluster_wanted(c, NULL, "web"), 1);
}

static void a_system_job_waits_and_is_waited_for(void **state)
{
    (void)state;
    cluster_set(c, "net",
                "{\"type\":\"system\",\"image\":\"net\",\"depends_on\":[{\"job\":\"db\"}]}");
    assert_string_equal(cluster_pending_reason(c, "net", 0), "waiting_for_dependency");
    cluster_set(c, "web", ON2("net", "running"));
    cluster_add_node(c, "n2");
    assert_int_equal(cluster_wanted(c, NULL, "net"), 0);
    cluster_set(c, "db", DB);
    cluster_obey(c, NULL);
    assert_int_equal(cluster_wanted(c, NULL, "net"), 2);
    assert_int_equal(cluster_wanted(c, NULL, "web"), 1);
}

static const char *refusal(const struct verdict *verdict)
{
    assert_false(verdict->accepted);
    assert_int_equal(verdict->problems.count, 1);
    assert_string_equal(verdict->problems.items[0].path, "/depends_on");
    assert_non_null(verdict->problems.items[0].hint);
    return verdict->problems.items[0].message;
}

static void a_circle_is_refused_and_named(void **state)
{
    (void)state;
    cluster_set(c, "a", ON2("b", "running"));
    cluster_set(c, "b", ON2("c", "running"));
    assert_string_equal(refusal(cluster_set(c, "c", ON2("a", "healthy"))),
                        "the jobs wait for each other: c -> a -> b -> c");
    assert_null(cluster_document(c, "jobs/c/spec"));
    assert_true(cluster_set(c, "c", DB)->accepted);
    assert_string_equal(refusal(cluster_set(c, "c", ON2("b", "running"))),
                        "the jobs wait for each other: c -> b -> c");
    assert_int_equal(cluster_document(c, "jobs/c/spec")->job_document.version, 1);
}

static void a_long_circle_is_told_by_its_end(void **state)
{
    (void)state;
    char name[LIMIT_NAME_LENGTH + 1], spec[200];
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof(name), "a-rather-long-name-of-a-job-%d", i);
        snprintf(spec, sizeof(spec),
                 "{\"image\":\"x\",\"depends_on\":[{\"job\":\"a-rather-long-name-of-a-job-%d\"}]}",
                 (i + 1) % 40);
        const struct verdict *verdict = cluster_set(c, name, spec);
        if (i < 39)
            assert_true(verdict->accepted);
        else
            assert_non_null(strstr(refusal(verdict), "each other: ... -> "));
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, cluster_setup_with_n1, cluster_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_job_waits_and_says_for_what),
        TEST(healthy_is_all_of_it_for_min_healthy),
        TEST(completed_is_all_of_it),
        TEST(all_of_several_are_waited_for),
        TEST(once_placed_it_stays_and_is_placed_again_without_it),
        TEST(a_restarted_manager_knows_that_it_was_there),
        TEST(a_job_that_was_stopped_waits_anew),
        TEST(a_new_version_that_depends_on_more_waits_while_the_old_one_runs),
        TEST(a_silent_node_does_not_count_as_running),
        TEST(a_system_job_waits_and_is_waited_for),
        TEST(a_circle_is_refused_and_named),
        TEST(a_long_circle_is_told_by_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
