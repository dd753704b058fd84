/* The shell: what is said on the bus, when, and what is kept. */
#include "tests/store_write.h"
#include "tests/unit/worker/shell_fixture.h"

#include "schema/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEST(name) static void name(void **state)
#define SETUP               \
    (void)state;            \
    struct shell_fixture f; \
    setup(&f)

#define RUN "[{\"id\":\"" WEB_ID "\",\"version\":1,\"desired\":\"run\"}]"
#define STOP \
    "[{\"id\":\"" WEB_ID "\",\"version\":1,\"desired\":\"stop\",\"reason\":\"job_stopped\"}]"

/* ---- being there ---- */

TEST(a_worker_says_that_it_is_online_who_it_is_and_its_numbers_at_once)
{
    SETUP;
    boot_ok(&f);
    assert_retained_holds(&f, "nodes/n1/status", "\"online\"");
    assert_retained_holds(&f, "nodes/n1/info", "\"datacenter\":\"dc1\"");
    assert_retained_holds(&f, "nodes/n1/info", "\"site\":\"graz\"");
    assert_retained_holds(&f, "nodes/n1/info", "\"docker\"");
    assert_retained_holds(&f, "nodes/n1/metrics", "\"load1\":0.5");
    teardown(&f);
}

TEST(a_worker_that_dies_is_offline_by_its_will_and_its_next_session_is_larger)
{
    SETUP;
    boot_ok(&f);
    crash(&f);
    settle(&f);
    assert_retained_holds(&f, "nodes/n1/status", "\"offline\"");
    boot_ok(&f);
    assert_retained_holds(&f, "nodes/n1/status", "\"online\"");
    teardown(&f);
}

static long long session_told(const struct shell_fixture *f)
{
    const char *at = strstr(retained(f, "nodes/n1/status"), "\"session\":");
    assert_non_null(at);
    return strtoll(at + strlen("\"session\":"), NULL, 10);
}

TEST(a_worker_whose_node_is_deleted_connects_as_a_new_one)
{
    SETUP;
    boot_ok(&f);
    long long session = session_told(&f);
    char deleted[200];
    snprintf(deleted, sizeof(deleted),
             "{\"cluster\":\"c1\",\"manager\":\"m1\",\"term\":5,\"seq\":1,\"tombstone\":true,"
             "\"eligible\":true,\"session_floor\":%lld}",
             session);
    publish(&f, "nodes/n1/desired", deleted, true);
    pass(&f, 10000);
    assert_true(session_told(&f) > session);
    assert_retained_holds(&f, "nodes/n1/status", "\"online\"");
    session = session_told(&f);
    pass(&f, 10000); /* once */
    assert_int_equal(session_told(&f), session);
    teardown(&f);
}

TEST(the_heartbeat_follows_the_interval_that_is_desired_at_run_time)
{
    SETUP;
    boot_ok(&f);
    struct listener listener;
    listen(&f, &listener, "nodes/n1/metrics");
    pass(&f, 30000);
    assert_int_equal(heard(&listener, "load1"), 3);
    publish(&f, "nodes/n1/desired",
            "{\"cluster\":\"c1\",\"manager\":\"m1\",\"term\":5,\"seq\":1,\"eligible\":true,"
            "\"interval_ms\":1000,\"assignments\":{}}",
            true);
    listener.count = 0;
    pass(&f, 5000);
    assert_in_range(heard(&listener, "load1"), 5, 6);
    assert_retained_holds(&f, "nodes/n1/info", "\"interval_ms\":1000");
    listener_release(&listener);
    teardown(&f);
}

/* ---- the main job ---- */

TEST(an_assignment_becomes_a_started_container_and_a_told_state)
{
    SETUP;
    boot_ok(&f);
    publish_assignment(&f, 1, RUN);
    assert_int_equal(calls_of(&f, "start"), 1);
    assert_non_null(strstr(f.docker.env, "ARGOSY_TASK_ID=" WEB_ID));
    assert_non_null(strstr(f.docker.env, "ARGOSY_DATACENTER=dc1"));
    assert_string_equal(f.docker.cluster, "c1");
    pass(&f, REPORT_HELD_MS);
    assert_retained_holds(&f, "nodes/n1/state/web", "\"scheduled\"");
    docker_says(&f, (struct runtime_event){.kind = RUNTIME_RUNNING, .execution_id = "abc"});
    assert_retained_holds(&f, "nodes/n1/state/web", "\"running\"");
    publish_assignment(&f, 2, STOP);
    assert_int_equal(calls_of(&f, "stop"), 1);
    docker_says(&f, (struct runtime_event){.kind = RUNTIME_EXITED, .exit_code = 143});
    assert_retained_holds(&f, "nodes/n1/state/web", "\"stopped\"");
    assert_retained_holds(&f, "nodes/n1/state/web", "\"exit_code\":143");
    teardown(&f);
}

TEST(nothing_is_told_or_started_before_it_is_committed)
{
    SETUP;
    boot_ok(&f);
    memory_store_fail_always(f.store, ERR_FULL);
    publish_assignment(&f, 1, RUN);
    assert_int_equal(calls_of(&f, "start"), 0);
    assert_string_equal(retained(&f, "nodes/n1/state/web"), "");
    memory_store_fail_always(f.store, ERR_NONE);
    pass(&f, 1000);
    assert_int_equal(calls_of(&f, "start"), 1);
    assert_retained_holds(&f, "nodes/n1/state/web", "\"scheduled\"");
    assert_string_not_equal(stored(&f, "nodes/n1/assign/web"), "");
    teardown(&f);
}

TEST(a_full_disk_does_not_make_healthy_tasks_unhealthy)
{
    SETUP;
    boot_ok(&f);
    publish(&f, "nodes/n1/assign/web",
            "{\"cluster\":\"c1\",\"manager\":\"m1\",\"term\":5,\"seq\":1,\"revision\":1,"
            "\"version\":1,\"spec\":{\"name\":\"web\",\"tasks\":[{\"name\":\"web\","
            "\"image\":\"busybox\",\"health\":[{\"tcp\":\":80\"}]}]},\"attempts\":" RUN "}",
            true);
    docker_says(&f, (struct runtime_event){.kind = RUNTIME_RUNNING});
    f.docker.running = true;
    memory_store_fail_always(f.store, ERR_FULL);
    for (size_t probes = 0; probes < 5; probes = calls_of(&f, "probe")) {
        pass(&f, 10000);
        assert_true(calls_of(&f, "probe") > probes);
        docker_says(&f, (struct runtime_event){.kind = RUNTIME_HEALTH, .healthy = true});
    }
    assert_int_equal(calls_of(&f, "stop"), 0);
    assert_retained_holds(&f, "nodes/n1/state/web", "\"unknown\"");
    memory_store_fail_always(f.store, ERR_NONE);
    pass(&f, 1000);
    assert_retained_holds(&f, "nodes/n1/state/web", "\"healthy\"");
    teardown(&f);
}

TEST(a_start_that_was_overtaken_by_a_stop_while_the_disk_was_full_is_not_carried_out)
{
    SETUP;
    boot_ok(&f);
    memory_store_fail_always(f.store, ERR_FULL);
    publish_assignment(&f, 1, RUN);
    publish_assignment(&f, 2, STOP);
    memory_store_fail_always(f.store, ERR_NONE);
    pass(&f, 1000);
    assert_int_equal(calls_of(&f, "start"), 0);
    teardown(&f);
}

TEST(a_tombstone_is_answered_by_one_and_then_the_topic_is_cleared)
{
    SETUP;
    boot_ok(&f);
    publish_assignment(&f, 1, RUN);
    publish(&f, "nodes/n1/assign/web",
            "{\"cluster\":\"c1\",\"manager\":\"m1\",\"term\":5,\"seq\":2,\"tombstone\":true}",
            true);
    docker_says(&f, (struct runtime_event){.kind = RUNTIME_GONE});
    assert_retained_holds(&f, "nodes/n1/state/web", "\"tombstone\":true");
    pass(&f, TOMBSTONE_KEPT_MS + 1);
    assert_string_equal(retained(&f, "nodes/n1/state/web"), "");
    assert_string_equal(stored(&f, "nodes/n1/state/web"), "");
    assert_string_equal(stored(&f, "nodes/n1/assign/web"), "");
    teardown(&f);
}

/* ---- what survives ---- */

TEST(a_worker_that_boots_with_no_broker_in_reach_starts_what_it_stored)
{
    SETUP;
    boot_ok(&f);
    publish_assignment(&f, 1, RUN);
    crash(&f);
    memory_broker_crash(f.broker, false);
    boot_ok(&f);
    assert_int_equal(calls_of(&f, "start"), 1);
    teardown(&f);
}

TEST(a_killed_worker_adopts_and_does_not_restart)
{
    SETUP;
    boot_ok(&f);
    publish_assignment(&f, 1, RUN);
    docker_says(&f, (struct runtime_event){.kind = RUNTIME_RUNNING});
    crash(&f);
    f.docker.running = true;
    boot_ok(&f);
    assert_int_equal(calls_of(&f, "start"), 0);
    assert_int_equal(calls_of(&f, "stop"), 0);
    assert_retained_holds(&f, "nodes/n1/state/web", "\"running\"");
    teardown(&f);
}

TEST(a_worker_that_lost_its_store_adopts_and_its_numbers_go_on)
{
    SETUP;
    boot_ok(&f);
    publish_assignment(&f, 1, RUN);
    docker_says(&f, (struct runtime_event){.kind = RUNTIME_RUNNING});
    crash(&f);
    memory_store_clear(f.store);
    f.docker.running = true;
    boot_ok(&f);
    assert_int_equal(calls_of(&f, "start"), 0);
    assert_retained_holds(&f, "nodes/n1/state/web", "\"running\"");
    assert_string_not_equal(stored(&f, "nodes/n1/assign/web"), "");
    teardown(&f);
}

TEST(a_broker_that_lost_everything_is_told_everything_again)
{
    SETUP;
    boot_ok(&f);
    publish_assignment(&f, 1, RUN);
    docker_says(&f, (struct runtime_event){.kind = RUNTIME_RUNNING});
    f.docker.running = true;
    memory_broker_crash(f.broker, false);
    settle(&f);
    memory_broker_restart(f.broker);
    pass(&f, 60000);
    assert_retained_holds(&f, "nodes/n1/status", "\"online\"");
    assert_retained_holds(&f, "nodes/n1/info", "\"dc1\"");
    assert_retained_holds(&f, "nodes/n1/state/web", "\"running\"");
    assert_int_equal(calls_of(&f, "start"), 1);
    teardown(&f);
}

TEST(a_restart_of_the_worker_does_not_prolong_stop_after)
{
    SETUP;
    boot_ok(&f);
    publish(&f, "nodes/n1/assign/web",
            "{\"cluster\":\"c1\",\"manager\":\"m1\",\"term\":5,\"seq\":1,\"revision\":1,"
            "\"version\":1,\"spec\":{\"name\":\"web\",\"disconnect\":{\"stop_after\":\"60s\"},"
            "\"tasks\":[{\"name\":\"web\",\"image\":\"busybox\"}]},\"attempts\":" RUN "}",
            true);
    docker_says(&f, (struct runtime_event){.kind = RUNTIME_RUNNING});
    f.docker.running = true;
    memory_broker_crash(f.broker, true);
    pass(&f, 50000);
    crash(&f);
    boot_ok(&f);
    assert_int_equal(calls_of(&f, "stop"), 0);
    pass(&f, 10000);
    assert_int_equal(calls_of(&f, "stop"), 1);
    teardown(&f);
}

static void refused(const char *meta, int code, const char *remedy)
{
    struct shell_fixture f;
    struct err err = {0};
    setup(&f);
    assert_int_equal(store_put(f.store, STORE_META, "meta", meta, &err), 0);
    assert_int_equal(boot(&f, &err), -code);
    assert_non_null(strstr(err.text, remedy));
    teardown(&f);
}

TEST(a_store_that_is_not_ours_is_refused_with_the_remedy)
{
    (void)state;
    refused("{\"schema_version\":99,\"role\":\"worker\",\"id\":\"n1\"}", ERR_SCHEMA_NEWER,
            "upgrade");
    refused("{\"schema_version\":1,\"role\":\"manager\",\"id\":\"n1\"}", ERR_FOREIGN, "--data-dir");
    refused("{\"schema_version\":1,\"role\":\"worker\",\"id\":\"n2\"}", ERR_FOREIGN, "--node n2");
}

/* ---- bad neighbours ---- */

TEST(what_cannot_be_read_is_reported_once_and_changes_nothing)
{
    SETUP;
    boot_ok(&f);
    publish_assignment(&f, 1, RUN);
    struct listener listener;
    listen(&f, &listener, "nodes/n1/events/+");
    publish(&f, "nodes/n1/assign/web", "{\"term\":", true);
    publish(&f, "nodes/n1/assign/web", "{\"term\":", true);
    publish(&f, "nodes/n1/assign/web", "", true);
    assert_int_equal(heard(&listener, "unreadable_document"), 1);
    assert_int_equal(calls_of(&f, "stop"), 0);
    listener_release(&listener);
    teardown(&f);
}

TEST(a_state_that_somebody_else_wrote_or_cleared_is_written_again)
{
    SETUP;
    boot_ok(&f);
    publish_assignment(&f, 1, RUN);
    pass(&f, REPORT_HELD_MS);
    publish(&f, "nodes/n1/state/web", "", true);
    assert_retained_holds(&f, "nodes/n1/state/web", WEB_ID);
    publish(&f, "nodes/n1/state/web",
            "{\"cluster\":\"c1\",\"term\":5,\"seq\":1700000000900,\"revision\":1,\"attempts\":[]}",
            true);
    assert_retained_holds(&f, "nodes/n1/state/web", "\"seq\":1700000000901");
    assert_retained_holds(&f, "nodes/n1/state/web", WEB_ID);
    publish(&f, "nodes/n1/info", "garbage", true);
    assert_retained_holds(&f, "nodes/n1/info", "\"dc1\"");
    teardown(&f);
}

TEST(two_workers_with_one_id_are_reported)
{
    SETUP;
    struct shell_fixture twin;
    struct err err = {0};
    setup(&twin);
    twin.seed = f.seed + 1;
    memory_broker_free(twin.broker);
    twin.broker = f.broker;
    boot_ok(&f);
    struct listener listener;
    listen(&f, &listener, "nodes/n1/events/+");
    assert_int_equal(boot(&twin, &err), 0);
    /* It takes the session of the first one, which takes it back, and so on. */
    for (int turns = 0; turns < 20; turns++) {
        memory_bus_step(turns < 10 ? twin.bus : f.bus);
        memory_bus_step(listener.bus);
    }
    assert_true(heard(&listener, "duplicate_node") > 0);
    crash(&twin);
    twin.store->ops->close(twin.store);
    listener_release(&listener);
    teardown(&f);
}

/* ---- questions ---- */

TEST(questions_are_answered_on_their_own_topic)
{
    SETUP;
    boot_ok(&f);
    publish_assignment(&f, 1, RUN);
    struct listener listener;
    listen(&f, &listener, "nodes/n1/answers/+");
    publish(&f, "ask/n1/inspect", "{\"token\":\"t1\",\"task\":\"web_web_0\"}", false);
    assert_int_equal(heard(&listener, "answers/t1 "), 1);
    assert_int_equal(heard(&listener, "\"scheduled\""), 1);
    publish(&f, "ask/n1/assignments", "{\"token\":\"t2\"}", false);
    assert_int_equal(heard(&listener, "\"parts\":1"), 1);
    assert_int_equal(heard(&listener, "\"image\":\"busybox\""), 1);
    publish(&f, "ask/n1/inspect", "{\"token\":\"t3\",\"task\":\"nobody\"}", false);
    assert_int_equal(heard(&listener, "unknown_task"), 1);
    publish(&f, "ask/n1/frobnicate", "{\"token\":\"t4\"}", false);
    assert_int_equal(heard(&listener, "unknown_command"), 1);
    listener_release(&listener);
    teardown(&f);
}

static void log_says(struct shell_fixture *f, int stream, const char *text, bool end)
{
    struct fake_runtime *docker = &f->docker;
    docker->handler.on_log(docker->handler.context, docker->request, stream, text, strlen(text),
                           end, NULL);
    settle(f);
}

TEST(logs_come_in_numbered_chunks_and_the_answer_counts_them)
{
    SETUP;
    boot_ok(&f);
    publish_assignment(&f, 1, RUN);
    struct listener chunks, answers;
    listen(&f, &chunks, "nodes/n1/logs/+/+");
    publish(&f, "ask/n1/logs", "{\"token\":\"t1\",\"task\":\"" WEB_ID "\",\"lines\":10}", false);
    log_says(&f, 1, "hello\n", false);
    log_says(&f, 2, "world\n", false);
    listener_release(&chunks);
    listen(&f, &answers, "nodes/n1/answers/+");
    log_says(&f, 1, "", true);
    assert_int_equal(heard(&chunks, "stdout {\"token\":\"t1\",\"seq\":1,\"data\":\"hello\\n\"}"),
                     1);
    assert_int_equal(heard(&chunks, "stderr {\"token\":\"t1\",\"seq\":2,\"data\":\"world\\n\"}"),
                     1);
    assert_int_equal(heard(&answers, "\"chunks\":2"), 1);
    listener_release(&answers);
    teardown(&f);
}

TEST(a_follower_whose_lease_ends_is_no_longer_sent_anything)
{
    SETUP;
    boot_ok(&f);
    publish_assignment(&f, 1, RUN);
    publish(&f, "ask/n1/logs",
            "{\"token\":\"t1\",\"task\":\"" WEB_ID "\",\"follow\":true,\"lease_ms\":5000}", false);
    pass(&f, 4000);
    publish(&f, "ask/n1/logs",
            "{\"token\":\"t1\",\"task\":\"" WEB_ID "\",\"follow\":true,\"lease_ms\":5000}", false);
    pass(&f, 4000);
    assert_int_equal(calls_of(&f, "cancel"), 0);
    pass(&f, 2000);
    assert_int_equal(calls_of(&f, "cancel"), 1);
    assert_int_equal(calls_of(&f, "logs"), 1);
    teardown(&f);
}

TEST(the_metrics_of_a_task_are_told_and_cleared_when_it_is_gone)
{
    SETUP;
    boot_ok(&f);
    publish_assignment(&f, 1, RUN);
    docker_says(&f, (struct runtime_event){.kind = RUNTIME_RUNNING});
    pass(&f, 10000);
    struct runtime_usage usage = {
        .cpu_seconds_total = 1.5, .memory_bytes = 4096, .memory_limit_bytes = -1, .pids = 3};
    f.docker.report(f.docker.report_context, WEB_ID, &usage);
    settle(&f);
    assert_retained_holds(&f, "nodes/n1/tasks/" WEB_ID "/metrics", "\"memory_bytes\":4096");
    assert_null(strstr(retained(&f, "nodes/n1/tasks/" WEB_ID "/metrics"), "limit"));
    pass(&f, 60000);
    assert_string_equal(retained(&f, "nodes/n1/tasks/" WEB_ID "/metrics"), "");
    teardown(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_worker_says_that_it_is_online_who_it_is_and_its_numbers_at_once),
        cmocka_unit_test(a_worker_that_dies_is_offline_by_its_will_and_its_next_session_is_larger),
        cmocka_unit_test(a_worker_whose_node_is_deleted_connects_as_a_new_one),
        cmocka_unit_test(the_heartbeat_follows_the_interval_that_is_desired_at_run_time),
        cmocka_unit_test(an_assignment_becomes_a_started_container_and_a_told_state),
        cmocka_unit_test(a_full_disk_does_not_make_healthy_tasks_unhealthy),
        cmocka_unit_test(nothing_is_told_or_started_before_it_is_committed),
        cmocka_unit_test(
            a_start_that_was_overtaken_by_a_stop_while_the_disk_was_full_is_not_carried_out),
        cmocka_unit_test(a_tombstone_is_answered_by_one_and_then_the_topic_is_cleared),
        cmocka_unit_test(a_worker_that_boots_with_no_broker_in_reach_starts_what_it_stored),
        cmocka_unit_test(a_killed_worker_adopts_and_does_not_restart),
        cmocka_unit_test(a_worker_that_lost_its_store_adopts_and_its_numbers_go_on),
        cmocka_unit_test(a_broker_that_lost_everything_is_told_everything_again),
        cmocka_unit_test(a_restart_of_the_worker_does_not_prolong_stop_after),
        cmocka_unit_test(a_store_that_is_not_ours_is_refused_with_the_remedy),
        cmocka_unit_test(what_cannot_be_read_is_reported_once_and_changes_nothing),
        cmocka_unit_test(a_state_that_somebody_else_wrote_or_cleared_is_written_again),
        cmocka_unit_test(two_workers_with_one_id_are_reported),
        cmocka_unit_test(questions_are_answered_on_their_own_topic),
        cmocka_unit_test(logs_come_in_numbered_chunks_and_the_answer_counts_them),
        cmocka_unit_test(a_follower_whose_lease_ends_is_no_longer_sent_anything),
        cmocka_unit_test(the_metrics_of_a_task_are_told_and_cleared_when_it_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
