/* The Docker runtime against a real engine. */
#include "docker_fixture.h"
#include "harness.h"

#include <stdio.h>

/* ---- running and ending ---- */

static void test_a_task_starts_runs_and_ends_with_its_exit_code(void **state)
{
    struct harness *h = *state;
    struct task_spec task = TASK(RUNTIME_DOCKER, "sh", "-c", "sleep 0.3; exit 3");
    harness_start(h, "web_web_0_a", 1, &task);
    harness_wait(h, RUNTIME_STARTING, "web_web_0_a");
    assert_int_equal(strlen(harness_wait(h, RUNTIME_RUNNING, "web_web_0_a")->execution_id), 64);
    const struct seen *seen = harness_wait(h, RUNTIME_EXITED, "web_web_0_a");
    assert_int_equal(seen->exit_code, 3);
    assert_int_equal(seen->reason, REASON_EXITED);
    assert_string_equal(seen->cluster, "testcluster");
    assert_true(seen->started_ms > 1700000000000 && seen->finished_ms >= seen->started_ms);
    assert_int_equal(harness_count(h, RUNTIME_PREPARING, NULL), 0);
}

static void test_a_task_that_ends_at_once_is_reported_running_and_then_ended(void **state)
{
    struct harness *h = *state;
    struct task_spec task = TASK(RUNTIME_DOCKER, "true");
    harness_start(h, "web_web_0_a", 1, &task);
    harness_wait(h, RUNTIME_RUNNING, "web_web_0_a");
    assert_int_equal(harness_wait(h, RUNTIME_EXITED, "web_web_0_a")->exit_code, 0);
}

static void test_a_stop_ends_a_task_by_its_signal(void **state)
{
    struct harness *h = *state;
    struct task_spec task = TASK(RUNTIME_DOCKER, "sh", "-c",
                                 "trap 'exit 42' USR1; echo up; while :; do sleep 0.1; done");
    task.stop.signal = "SIGUSR1";
    harness_start(h, "web_web_0_a", 1, &task);
    harness_wait(h, RUNTIME_RUNNING, "web_web_0_a");
    harness_until_log(h, "web_web_0_a", "up\n"); /* the trap is set */
    h->runtime->ops->stop(h->runtime, "web_web_0_a", 1, signal_from_string("SIGUSR1"), 10000);
    assert_int_equal(harness_wait(h, RUNTIME_EXITED, "web_web_0_a")->exit_code, 42);
}

static void test_a_task_that_ignores_its_stop_is_killed(void **state)
{
    struct harness *h = *state;
    struct task_spec task =
        TASK(RUNTIME_DOCKER, "sh", "-c", "trap '' TERM; echo up; while :; do sleep 0.1; done");
    harness_start(h, "web_web_0_a", 1, &task);
    harness_wait(h, RUNTIME_RUNNING, "web_web_0_a");
    harness_until_log(h, "web_web_0_a", "up\n");
    h->runtime->ops->stop(h->runtime, "web_web_0_a", 1, 15, 1000);
    const struct seen *seen = harness_wait(h, RUNTIME_EXITED, "web_web_0_a");
    assert_int_equal(seen->exit_code, 137);
    assert_int_equal(seen->reason, REASON_KILLED);
}

static void test_a_stop_during_the_start_leaves_nothing_running(void **state)
{
    struct harness *h = *state;
    struct task_spec task = TASK(RUNTIME_DOCKER, "sleep", "1000");
    harness_start(h, "web_web_0_a", 1, &task);
    harness_wait(h, RUNTIME_STARTING, "web_web_0_a");
    h->runtime->ops->stop(h->runtime, "web_web_0_a", 1, 15, 1000);
    harness_wait(h, RUNTIME_EXITED, "web_web_0_a");
}

static void test_a_stop_before_the_start_was_begun_is_answered_with_gone(void **state)
{
    struct harness *h = *state;
    struct task_spec task = TASK(RUNTIME_DOCKER, "sleep", "1000");
    harness_start(h, "web_web_0_a", 1, &task);
    h->runtime->ops->stop(h->runtime, "web_web_0_a", 1, 15, 1000);
    harness_wait(h, RUNTIME_GONE, "web_web_0_a");
    assert_int_equal(harness_count(h, RUNTIME_RUNNING, NULL), 0);
}

static void test_stopping_and_removing_what_is_not_there_is_answered_with_gone(void **state)
{
    struct harness *h = *state;
    h->runtime->ops->stop(h->runtime, "web_web_0_a", 1, 15, 1000);
    harness_wait(h, RUNTIME_GONE, "web_web_0_a");
    h->runtime->ops->remove(h->runtime, "web_web_0_b", 1);
    harness_wait(h, RUNTIME_GONE, "web_web_0_b");
}

static void test_a_removed_task_is_gone_with_its_container(void **state)
{
    struct harness *h = *state;
    struct task_spec task = TASK(RUNTIME_DOCKER, "true");
    harness_start(h, "web_web_0_a", 1, &task);
    harness_wait(h, RUNTIME_EXITED, "web_web_0_a");
    h->runtime->ops->remove(h->runtime, "web_web_0_a", 1);
    harness_wait(h, RUNTIME_GONE, "web_web_0_a");
    size_t before = harness_count(h, RUNTIME_EXITED, NULL);
    h->runtime->ops->list(h->runtime);
    harness_wait(h, RUNTIME_LISTED, NULL);
    assert_int_equal(harness_count(h, RUNTIME_EXITED, NULL), before);
}

static void test_a_task_that_uses_too_much_memory_is_reported_as_such(void **state)
{
    struct harness *h = *state;
    struct task_spec task = TASK(RUNTIME_DOCKER, "sh", "-c", "exec tail /dev/zero");
    task.resources.memory_bytes = 8 * 1024 * 1024;
    harness_start(h, "web_web_0_a", 1, &task);
    const struct seen *seen = harness_wait(h, RUNTIME_EXITED, "web_web_0_a");
    assert_true(seen->oom_killed);
    assert_int_equal(seen->reason, REASON_OOM_KILLED);
}

static void test_the_tasks_environment_and_ports_are_in_the_container(void **state)
{
    struct harness *h = *state;
    struct task_spec task =
        TASK(RUNTIME_DOCKER, "sh", "-c", "echo $ARGOSY_JOB $MODE $ARGOSY_PORT_80");
    task.env = (struct string_map){&(struct string_pair){"MODE", "edge"}, 1};
    task.ports = WORDS("80");
    harness_start(h, "web_web_0_a", 1, &task);
    harness_wait(h, RUNTIME_EXITED, "web_web_0_a");
    harness_logs(h, "web_web_0_a", 1, -1, 4096);
    assert_string_equal(buf_text(&h->log[1]), "web edge 80\n");
}

static void test_many_starts_at_once_all_run(void **state)
{
    struct harness *h = *state;
    struct task_spec task = TASK(RUNTIME_DOCKER, "sleep", "1000");
    char id[32];
    for (int i = 0; i < 6; i++) {
        snprintf(id, sizeof(id), "web_web_%d_a", i);
        harness_start(h, id, 1, &task);
    }
    for (int i = 0; i < 6; i++)
        harness_wait(h, RUNTIME_RUNNING, NULL);
    h->runtime->ops->list(h->runtime);
    harness_wait(h, RUNTIME_LISTED, NULL);
    assert_int_equal(harness_count(h, RUNTIME_RUNNING, NULL), 12);
}

/* ---- starts that fail ---- */

static void assert_nothing_left(struct harness *h)
{
    size_t running = harness_count(h, RUNTIME_RUNNING, NULL);
    size_t exited = harness_count(h, RUNTIME_EXITED, NULL);
    h->runtime->ops->list(h->runtime);
    harness_wait(h, RUNTIME_LISTED, NULL);
    assert_int_equal(harness_count(h, RUNTIME_RUNNING, NULL), running);
    assert_int_equal(harness_count(h, RUNTIME_EXITED, NULL), exited);
}

static void test_a_command_that_does_not_exist_fails_and_leaves_nothing(void **state)
{
    struct harness *h = *state;
    struct task_spec task = TASK(RUNTIME_DOCKER, "nosuchcommand");
    harness_start(h, "web_web_0_a", 1, &task);
    const struct seen *seen = harness_wait(h, RUNTIME_FAILED, "web_web_0_a");
    assert_int_equal(seen->reason, REASON_COMMAND_NOT_FOUND);
    assert_non_null(strstr(seen->message, "nosuchcommand"));
    assert_nothing_left(h);
}

static void test_a_task_that_says_more_than_an_init_does_has_ended_by_itself(void **state)
{
    struct harness *h = *state;
    struct task_spec task =
        TASK(RUNTIME_DOCKER, "sh", "-c", "head -c 100000 /dev/zero | tr '\\0' x >&2; exit 127");
    harness_start(h, "web_web_0_a", 1, &task);
    assert_int_equal(harness_wait(h, RUNTIME_EXITED, "web_web_0_a")->exit_code, 127);
}

static void test_a_command_that_cannot_be_executed_fails_and_leaves_nothing(void **state)
{
    struct harness *h = *state;
    struct task_spec task = TASK(RUNTIME_DOCKER, "/etc");
    harness_start(h, "web_web_0_a", 1, &task);
    assert_int_equal(harness_wait(h, RUNTIME_FAILED, "web_web_0_a")->reason,
                     REASON_COMMAND_NOT_EXECUTABLE);
    assert_nothing_left(h);
}

static void test_an_image_that_is_not_there_and_must_not_be_pulled_is_not_found(void **state)
{
    struct harness *h = *state;
    struct task_spec task = TASK(RUNTIME_DOCKER, "true");
    task.image = "nosuch:image";
    task.pull = PULL_NEVER;
    harness_start(h, "web_web_0_a", 1, &task);
    assert_int_equal(harness_wait(h, RUNTIME_FAILED, "web_web_0_a")->reason,
                     REASON_IMAGE_NOT_FOUND);
    assert_int_equal(harness_count(h, RUNTIME_PREPARING, NULL), 0);
    assert_nothing_left(h);
}

static void test_a_registry_that_does_not_answer_is_a_failed_pull(void **state)
{
    struct harness *h = *state;
    struct task_spec task = TASK(RUNTIME_DOCKER, "true");
    task.image = "127.0.0.1:1/nosuch:image";
    harness_start(h, "web_web_0_a", 1, &task);
    harness_wait(h, RUNTIME_PREPARING, "web_web_0_a");
    const struct seen *seen = harness_wait(h, RUNTIME_FAILED, "web_web_0_a");
    assert_int_equal(seen->reason, REASON_IMAGE_PULL_FAILED);
    assert_non_null(strstr(seen->message, "connection refused"));
    assert_nothing_left(h);
}

static void test_ports_come_from_the_nodes_range_until_it_is_used_up(void **state)
{
    (void)state; /* its end removes what is left here */
    struct task_spec task = TASK(RUNTIME_DOCKER, "sleep", "1000");
    task.ports = WORDS("80");
    docker_ports = (struct port_range){21490, 21490};
    struct harness *next = docker_connected("testcluster");
    docker_ports = (struct port_range){0, 0};
    harness_start(next, "web_web_0_a", 1, &task);
    harness_start(next, "web_web_1_b", 1, &task);
    assert_int_equal(harness_wait(next, RUNTIME_FAILED, "web_web_1_b")->reason, REASON_PORT_IN_USE);
    assert_int_equal(harness_wait(next, RUNTIME_RUNNING, "web_web_0_a")->ports[0].host, 21490);
    harness_free(next);
}

static void test_a_volume_that_is_none_is_an_invalid_specification(void **state)
{
    struct harness *h = *state;
    struct task_spec task = TASK(RUNTIME_DOCKER, "true");
    task.volumes = WORDS("nonsense");
    harness_start(h, "web_web_0_a", 1, &task);
    assert_int_equal(harness_wait(h, RUNTIME_FAILED, "web_web_0_a")->reason, REASON_INVALID_SPEC);
}

static void test_a_static_port_that_is_taken_fails_and_leaves_nothing(void **state)
{
    struct harness *h = *state;
    struct task_spec first = TASK(RUNTIME_DOCKER, "sleep", "1000");
    first.ports = WORDS("80");
    harness_start(h, "web_web_0_a", 1, &first);
    char port[32];
    const struct seen *seen = harness_wait(h, RUNTIME_RUNNING, "web_web_0_a");
    assert_int_equal(seen->port_count, 1);
    assert_true(seen->ports[0].host > 0);
    assert_int_equal(seen->ports[0].container, 80);
    snprintf(port, sizeof(port), "%lld:80", (long long)seen->ports[0].host);
    struct task_spec second = TASK(RUNTIME_DOCKER, "sleep", "1000");
    second.ports = WORDS(port);
    harness_start(h, "web_web_1_b", 1, &second);
    assert_int_equal(harness_wait(h, RUNTIME_FAILED, "web_web_1_b")->reason, REASON_PORT_IN_USE);
}

/* ---- logs, usage, probes ---- */

static void test_logs_have_both_streams_and_the_last_lines(void **state)
{
    struct harness *h = *state;
    struct task_spec task =
        TASK(RUNTIME_DOCKER, "sh", "-c", "echo one; echo two; echo three; echo bad >&2");
    harness_start(h, "web_web_0_a", 1, &task);
    harness_wait(h, RUNTIME_EXITED, "web_web_0_a");
    harness_logs(h, "web_web_0_a", 1, -1, 4096);
    assert_string_equal(buf_text(&h->log[1]), "one\ntwo\nthree\n");
    assert_string_equal(buf_text(&h->log[2]), "bad\n");
    assert_int_equal(h->log_error, 0);
    harness_logs(h, "web_web_0_a", 1, -1, 10);
    assert_int_equal(h->log[1].length + h->log[2].length, 10);
}

static void test_logs_of_what_is_not_there_end_with_an_error(void **state)
{
    struct harness *h = *state;
    harness_logs(h, "web_web_0_a", 1, -1, 4096);
    assert_int_equal(h->log_error, ERR_NOT_FOUND);
}

static bool log_has_two_lines(const struct harness *h)
{
    return strcmp(buf_text(&h->log[1]), "one\ntwo\n") == 0;
}

static void test_a_followed_log_goes_on_until_it_is_cancelled(void **state)
{
    struct harness *h = *state;
    struct task_spec task =
        TASK(RUNTIME_DOCKER, "sh", "-c", "echo one; sleep 0.3; echo two; sleep 1000");
    harness_start(h, "web_web_0_a", 1, &task);
    harness_wait(h, RUNTIME_RUNNING, "web_web_0_a");
    h->runtime->ops->logs(h->runtime, 5, "web_web_0_a", 1, -1, 0, true);
    harness_until(h, log_has_two_lines);
    h->runtime->ops->logs_cancel(h->runtime, 5);
    assert_false(h->log_ended);
}

static void test_usage_is_told_for_what_runs(void **state)
{
    struct harness *h = *state;
    struct task_spec task = TASK(RUNTIME_DOCKER, "sleep", "1000");
    harness_start(h, "web_web_0_a", 1, &task);
    harness_wait(h, RUNTIME_RUNNING, "web_web_0_a");
    harness_ask_usage(h, "web_web_0_a", 1);
    harness_until_usage(h, "web_web_0_a");
    assert_true(h->usage.cpu_seconds_total > 0);
    assert_true(h->usage.memory_bytes > 0);
    assert_int_equal(h->usage.memory_limit_bytes, 16 * 1024 * 1024);
    assert_true(h->usage.pids >= 1);
}

static bool probe(struct harness *h, struct health_check check)
{
    struct task_spec task = {.health = {&check, 1}};
    check.timeout_ms = 5000;
    h->runtime->ops->probe(h->runtime, "web_web_0_a", 1, &task, 0);
    return harness_wait(h, RUNTIME_HEALTH, "web_web_0_a")->healthy;
}

static void test_probes_tell_healthy_from_unhealthy(void **state)
{
    struct harness *h = *state;
    struct task_spec task = TASK(RUNTIME_DOCKER, "sh", "-c",
                                 "mkdir /www; echo hi >/www/ok; httpd -p 80 -h /www; sleep 1000");
    harness_start(h, "web_web_0_a", 1, &task);
    harness_wait(h, RUNTIME_RUNNING, "web_web_0_a");
    while (!probe(h, (struct health_check){.tcp = ":80"}))
        ; /* until the server listens */
    assert_true(probe(h, (struct health_check){.http = "http://:80/ok"}));
    assert_false(probe(h, (struct health_check){.http = "http://:80/missing"}));
    assert_string_equal(h->events[h->read - 1].message, "HTTP status 404");
    assert_false(probe(h, (struct health_check){.tcp = ":81"}));
    assert_true(probe(h, (struct health_check){.exec = WORDS("test", "-f", "/www/ok")}));
    assert_false(probe(h, (struct health_check){.exec = WORDS("sh", "-c", "exit 4")}));
    assert_string_equal(h->events[h->read - 1].message, "the check exited with code 4");
    assert_false(probe(h, (struct health_check){.exec = WORDS("nosuch")}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DOCKER_TEST(test_a_task_starts_runs_and_ends_with_its_exit_code),
        DOCKER_TEST(test_a_task_that_ends_at_once_is_reported_running_and_then_ended),
        DOCKER_TEST(test_a_stop_ends_a_task_by_its_signal),
        DOCKER_TEST(test_a_task_that_ignores_its_stop_is_killed),
        DOCKER_TEST(test_a_stop_during_the_start_leaves_nothing_running),
        DOCKER_TEST(test_a_stop_before_the_start_was_begun_is_answered_with_gone),
        DOCKER_TEST(test_stopping_and_removing_what_is_not_there_is_answered_with_gone),
        DOCKER_TEST(test_a_removed_task_is_gone_with_its_container),
        DOCKER_TEST(test_a_task_that_uses_too_much_memory_is_reported_as_such),
        DOCKER_TEST(test_the_tasks_environment_and_ports_are_in_the_container),
        DOCKER_TEST(test_many_starts_at_once_all_run),
        DOCKER_TEST(test_a_command_that_does_not_exist_fails_and_leaves_nothing),
        DOCKER_TEST(test_a_task_that_says_more_than_an_init_does_has_ended_by_itself),
        DOCKER_TEST(test_a_command_that_cannot_be_executed_fails_and_leaves_nothing),
        DOCKER_TEST(test_an_image_that_is_not_there_and_must_not_be_pulled_is_not_found),
        DOCKER_TEST(test_a_registry_that_does_not_answer_is_a_failed_pull),
        DOCKER_TEST(test_ports_come_from_the_nodes_range_until_it_is_used_up),
        DOCKER_TEST(test_a_volume_that_is_none_is_an_invalid_specification),
        DOCKER_TEST(test_a_static_port_that_is_taken_fails_and_leaves_nothing),
        DOCKER_TEST(test_logs_have_both_streams_and_the_last_lines),
        DOCKER_TEST(test_logs_of_what_is_not_there_end_with_an_error),
        DOCKER_TEST(test_a_followed_log_goes_on_until_it_is_cancelled),
        DOCKER_TEST(test_usage_is_told_for_what_runs),
        DOCKER_TEST(test_probes_tell_healthy_from_unhealthy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
