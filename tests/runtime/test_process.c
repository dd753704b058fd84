/* The process runtime with real processes and the real supervisor, whose program is $ARGOSY_SHIM.
 */
#include "harness.h"

#include "platform/adapters/loop.h"
#include "platform/base/mem.h"
#include "worker/runtime/process.h"
#include "worker/runtime/process_files.h"

#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static char base[64];
static char data_dir[96];

static struct harness *connected(const char *cluster)
{
    struct harness *harness = harness_new();
    struct process_runtime_config config = {
        .data_dir = data_dir,
        .shim_path = getenv("ARGOSY_SHIM"),
        .node = "n1",
        .cluster = cluster,
    };
    struct runtime_handler handler = harness_handler(harness);
    struct err err = {0};
    harness->runtime = process_runtime_new(&config, &handler, harness->loop, &err);
    assert_string_equal(err.text, "");
    harness_wait(harness, RUNTIME_UP, NULL);
    return harness;
}

static int begin(void **state)
{
    snprintf(base, sizeof(base), "/tmp/argosy-process-XXXXXX");
    assert_non_null(mkdtemp(base));
    assert_int_equal(chmod(base, 0711), 0);
    snprintf(data_dir, sizeof(data_dir), "%s/tasks", base);
    *state = connected("testcluster");
    return 0;
}

static int end(void **state)
{
    struct harness *harness = *state;
    harness_clear(harness);
    harness_free(harness);
    assert_int_equal(process_directory_remove(base), 0);
    return 0;
}

static void start(struct harness *h, const struct task_spec *task)
{
    harness_start(h, "web_web_0_aaaaaaaa", 1, task);
}
#define ID "web_web_0_aaaaaaaa"

static bool is_there(int64_t pid)
{
    return kill((pid_t)pid, 0) == 0;
}

static int64_t pid_of(const struct seen *seen)
{
    return strtol(seen->execution_id, NULL, 10);
}

/* ---- running and ending ---- */

static void test_a_task_starts_runs_and_ends_with_its_exit_code(void **state)
{
    struct harness *h = *state;
    struct task_spec task = TASK(RUNTIME_PROCESS, "sh", "-c", "sleep 0.2; exit 3");
    start(h, &task);
    harness_wait(h, RUNTIME_STARTING, ID);
    assert_true(pid_of(harness_wait(h, RUNTIME_RUNNING, ID)) > 1);
    const struct seen *seen = harness_wait(h, RUNTIME_EXITED, ID);
    assert_int_equal(seen->exit_code, 3);
    assert_int_equal(seen->reason, REASON_EXITED);
    assert_string_equal(seen->cluster, "testcluster");
    assert_true(seen->finished_ms >= seen->started_ms && seen->started_ms > 1700000000000);
}

static void test_a_task_that_ends_at_once_is_reported_running_and_then_ended(void **state)
{
    struct harness *h = *state;
    struct task_spec task = TASK(RUNTIME_PROCESS, "true");
    start(h, &task);
    harness_wait(h, RUNTIME_RUNNING, ID);
    assert_int_equal(harness_wait(h, RUNTIME_EXITED, ID)->exit_code, 0);
}

static void test_a_stop_ends_a_task_by_its_signal(void **state)
{
    struct harness *h = *state;
    struct task_spec task = TASK(RUNTIME_PROCESS, "sh", "-c",
                                 "trap 'exit 42' USR1; echo up; while :; do sleep 0.05; done");
    start(h, &task);
    harness_wait(h, RUNTIME_RUNNING, ID);
    harness_until_log(h, ID, "up\n"); /* the trap is set */
    h->runtime->ops->stop(h->runtime, ID, 1, SIGUSR1, 20000);
    assert_int_equal(harness_wait(h, RUNTIME_EXITED, ID)->exit_code, 42);
}

static void test_a_task_that_ignores_its_stop_is_killed(void **state)
{
    struct harness *h = *state;
    struct task_spec task =
        TASK(RUNTIME_PROCESS, "sh", "-c", "trap '' TERM; echo up; while :; do sleep 0.05; done");
    start(h, &task);
    harness_wait(h, RUNTIME_RUNNING, ID);
    harness_until_log(h, ID, "up\n");
    h->runtime->ops->stop(h->runtime, ID, 1, SIGTERM, 300);
    const struct seen *seen = harness_wait(h, RUNTIME_EXITED, ID);
    assert_int_equal(seen->exit_code, 137);
    assert_int_equal(seen->reason, REASON_KILLED);
}

static void test_stopping_and_removing_what_is_not_there_is_answered_with_gone(void **state)
{
    struct harness *h = *state;
    h->runtime->ops->stop(h->runtime, ID, 1, SIGTERM, 300);
    harness_wait(h, RUNTIME_GONE, ID);
    h->runtime->ops->remove(h->runtime, ID, 1);
    harness_wait(h, RUNTIME_GONE, ID);
}

static void test_descendants_end_with_their_task(void **state)
{
    struct harness *h = *state;
    struct task_spec task = TASK(RUNTIME_PROCESS, "sh", "-c",
                                 "sleep 1000 & echo $!; setsid sleep 1000 & echo $!; exit 0");
    start(h, &task);
    harness_wait(h, RUNTIME_EXITED, ID);
    harness_logs(h, ID, 1, -1, 1000);
    int first = 0, second = 0;
    assert_int_equal(sscanf(buf_text(&h->log[1]), "%d %d", &first, &second), 2);
    assert_false(is_there(first));
    assert_false(is_there(second));
}

static void test_a_removed_task_leaves_no_directory(void **state)
{
    struct harness *h = *state;
    char path[160];
    struct task_spec task =
        TASK(RUNTIME_PROCESS, "sh", "-c", "mkdir -p a/b; ln -s /etc a/etc; echo x >a/b/c");
    start(h, &task);
    harness_wait(h, RUNTIME_EXITED, ID);
    snprintf(path, sizeof(path), "%s/" ID "/1/work/a/b/c", data_dir);
    assert_int_equal(access(path, F_OK), 0);
    h->runtime->ops->remove(h->runtime, ID, 1);
    harness_wait(h, RUNTIME_GONE, ID);
    snprintf(path, sizeof(path), "%s/" ID, data_dir);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(access("/etc/passwd", F_OK), 0);
}

static void test_the_environment_tells_where_to_listen(void **state)
{
    struct harness *h = *state;
    struct task_spec task =
        TASK(RUNTIME_PROCESS, "sh", "-c", "echo $ARGOSY_JOB $MODE $ARGOSY_PORT_80 $ARGOSY_PORT_90");
    task.env = (struct string_map){&(struct string_pair){"MODE", "edge"}, 1};
    task.ports = WORDS("80", "21477:90");
    start(h, &task);
    struct seen seen = *harness_wait(h, RUNTIME_EXITED, ID);
    char expected[64];
    snprintf(expected, sizeof(expected), "web edge %lld 21477\n", (long long)seen.ports[0].host);
    harness_logs(h, ID, 1, -1, 1000);
    assert_string_equal(buf_text(&h->log[1]), expected);
    assert_true(seen.ports[0].host > 0);
}

static void test_no_descriptor_of_ours_is_inherited(void **state)
{
    struct harness *h = *state;
    int ours = dup(STDERR_FILENO); /* without close-on-exec */
    struct task_spec task = TASK(RUNTIME_PROCESS, "sh", "-c", "ls /proc/$$/fd | tr '\\n' ' '");
    start(h, &task);
    harness_wait(h, RUNTIME_EXITED, ID);
    harness_logs(h, ID, 1, -1, 1000);
    close(ours);
    const char *text = buf_text(&h->log[1]);
    assert_memory_equal(text, "0 1 2 ", 6);
    assert_true(strlen(text) <= strlen("0 1 2 10 255 "));
    assert_null(strchr(text, '4'));
}

static void test_memory_beyond_the_limit_ends_the_task(void **state)
{
    struct harness *h = *state;
    struct task_spec task = TASK(RUNTIME_PROCESS, "tail", "/dev/zero");
    start(h, &task);
    const struct seen *seen = harness_wait(h, RUNTIME_EXITED, ID);
    assert_true(seen->exit_code != 0);
    /* With control groups the kernel says so; without them an allocation fails. */
    assert_true(seen->oom_killed == (seen->reason == REASON_OOM_KILLED));
    assert_true(seen->oom_killed || seen->exit_code == 1);
}

static void test_a_task_can_run_as_another_user(void **state)
{
    struct harness *h = *state;
    struct task_spec task = TASK(RUNTIME_PROCESS, "sh", "-c", "id -u; pwd; touch mine");
    task.user = "nobody";
    start(h, &task);
    if (geteuid() != 0) {
        assert_int_equal(harness_wait(h, RUNTIME_FAILED, ID)->reason, REASON_INVALID_SPEC);
        return;
    }
    assert_int_equal(harness_wait(h, RUNTIME_EXITED, ID)->exit_code, 0);
    harness_logs(h, ID, 1, -1, 1000);
    char expected[160];
    snprintf(expected, sizeof(expected), "65534\n%s/" ID "/1/work\n", data_dir);
    assert_string_equal(buf_text(&h->log[1]), expected);
}

/* ---- starts that fail ---- */

static void assert_fails(struct harness *h, const struct task_spec *task, enum reason reason,
                         const char *words)
{
    char path[160];
    start(h, task);
    const struct seen *seen = harness_wait(h, RUNTIME_FAILED, ID);
    assert_string_equal(reason_to_string(seen->reason), reason_to_string((int)reason));
    assert_non_null(strstr(seen->message, words));
    snprintf(path, sizeof(path), "%s/" ID, data_dir);
    assert_int_equal(access(path, F_OK), -1);
}

static void test_what_cannot_be_started_fails_with_its_reason_and_leaves_nothing(void **state)
{
    struct harness *h = *state;
    struct task_spec task = TASK(RUNTIME_PROCESS, "nosuchcommand");
    assert_fails(h, &task, REASON_COMMAND_NOT_FOUND, "No such file");
    task = TASK(RUNTIME_PROCESS, "/etc/passwd");
    assert_fails(h, &task, REASON_COMMAND_NOT_EXECUTABLE, "Permission denied");
    task = TASK(RUNTIME_PROCESS, "true");
    task.workdir = "/nosuchdirectory";
    assert_fails(h, &task, REASON_INVALID_SPEC, "working directory");
    task = TASK(RUNTIME_PROCESS, "true");
    task.user = "nosuchuser";
    assert_fails(h, &task, REASON_INVALID_SPEC, "nosuchuser");
    task = TASK(RUNTIME_PROCESS, "true");
    task.volumes = WORDS("data:/data");
    assert_fails(h, &task, REASON_INVALID_SPEC, "volumes");
}

/* ---- workers that come and go ---- */

static void test_what_runs_is_adopted_by_the_next_worker_and_its_exit_code_is_known(void **state)
{
    struct harness *h = *state;
    char path[160];
    struct task_spec task =
        TASK(RUNTIME_PROCESS, "sh", "-c", "while [ ! -e go ]; do sleep 0.05; done; exit 9");
    task.ports = WORDS("80");
    start(h, &task);
    struct seen started = *harness_wait(h, RUNTIME_RUNNING, ID);
    struct harness *next = connected("testcluster");
    next->runtime->ops->list(next->runtime);
    const struct seen *adopted = harness_wait(next, RUNTIME_RUNNING, ID);
    assert_string_equal(adopted->execution_id, started.execution_id);
    assert_int_equal(adopted->ports[0].host, started.ports[0].host);
    assert_int_equal(adopted->started_ms, started.started_ms);
    harness_wait(next, RUNTIME_LISTED, NULL);
    start(next, &task);
    assert_string_equal(harness_wait(next, RUNTIME_RUNNING, ID)->execution_id,
                        started.execution_id);
    snprintf(path, sizeof(path), "%s/" ID "/1/work/go", data_dir);
    fclose(fopen(path, "w"));
    assert_int_equal(harness_wait(next, RUNTIME_EXITED, ID)->exit_code, 9);
    harness_free(next);
}

static void test_an_end_while_no_worker_was_there_is_known_to_the_next(void **state)
{
    struct harness *h = *state;
    struct task_spec task = TASK(RUNTIME_PROCESS, "sh", "-c", "exit 5");
    start(h, &task);
    harness_wait(h, RUNTIME_EXITED, ID);
    struct harness *next = connected(NULL);
    next->runtime->ops->list(next->runtime);
    const struct seen *seen = harness_wait(next, RUNTIME_EXITED, ID);
    assert_int_equal(seen->exit_code, 5);
    assert_string_equal(seen->cluster, "testcluster");
    harness_free(next);
}

static void test_another_clusters_tasks_are_not_listed(void **state)
{
    struct harness *h = *state;
    struct task_spec task = TASK(RUNTIME_PROCESS, "sleep", "1000");
    start(h, &task);
    harness_wait(h, RUNTIME_RUNNING, ID);
    struct harness *other = connected("othercluster");
    other->runtime->ops->list(other->runtime);
    harness_wait(other, RUNTIME_LISTED, NULL);
    assert_int_equal(harness_count(other, RUNTIME_RUNNING, NULL), 0);
    harness_free(other);
}

/* The supervisor's number is the first word of its file. */
static void test_a_task_whose_supervisor_is_killed_ends_with_it(void **state)
{
    struct harness *h = *state;
    struct process_identity shim;
    char path[160];
    struct task_spec task = TASK(RUNTIME_PROCESS, "sh", "-c", "sleep 1000 & sleep 1000");
    start(h, &task);
    int64_t pid = pid_of(harness_wait(h, RUNTIME_RUNNING, ID));
    snprintf(path, sizeof(path), "%s/" ID "/1/shim", data_dir);
    assert_true(process_identity_read(path, &shim));
    kill(shim.pid, SIGKILL);
    const struct seen *seen = harness_wait(h, RUNTIME_EXITED, ID);
    assert_int_equal(seen->exit_code, 255);
    assert_int_equal(seen->reason, REASON_KILLED);
    struct process_identity leader = {.pid = (pid_t)pid};
    assert_false(process_identity_is_alive(&leader));
}

static void test_a_start_that_an_earlier_worker_did_not_finish_is_taken_back(void **state)
{
    struct harness *h = *state;
    char path[160];
    snprintf(path, sizeof(path), "%s/" ID, data_dir);
    mkdir(path, 0700);
    snprintf(path, sizeof(path), "%s/" ID "/1", data_dir);
    mkdir(path, 0700);
    h->runtime->ops->list(h->runtime);
    harness_wait(h, RUNTIME_LISTED, NULL);
    assert_int_equal(access(path, F_OK), -1);
    struct task_spec task = TASK(RUNTIME_PROCESS, "true");
    start(h, &task);
    harness_wait(h, RUNTIME_EXITED, ID);
}

/* ---- logs, usage, probes ---- */

static void test_logs_have_both_streams_and_the_last_lines(void **state)
{
    struct harness *h = *state;
    struct task_spec task =
        TASK(RUNTIME_PROCESS, "sh", "-c", "echo one; echo two; echo three; echo bad >&2");
    start(h, &task);
    harness_wait(h, RUNTIME_EXITED, ID);
    harness_logs(h, ID, 1, -1, 4096);
    assert_string_equal(buf_text(&h->log[1]), "one\ntwo\nthree\n");
    assert_string_equal(buf_text(&h->log[2]), "bad\n");
    harness_logs(h, ID, 1, 2, 4096);
    assert_int_equal(h->log[1].length + h->log[2].length, strlen("three\nbad\n"));
    harness_logs(h, ID, 1, 0, 4096);
    assert_int_equal(h->log[1].length + h->log[2].length, 0);
    harness_logs(h, "web_web_9_aaaaaaaa", 1, -1, 4096);
    assert_int_equal(h->log_error, ERR_NOT_FOUND);
}

static bool log_has_two_lines(const struct harness *h)
{
    return strcmp(buf_text(&h->log[1]), "one\ntwo\n") == 0;
}

static void test_a_followed_log_goes_on_until_the_task_ends(void **state)
{
    struct harness *h = *state;
    struct task_spec task = TASK(RUNTIME_PROCESS, "sh", "-c", "echo one; sleep 0.5; echo two");
    start(h, &task);
    harness_wait(h, RUNTIME_RUNNING, ID);
    h->runtime->ops->logs(h->runtime, 5, ID, 1, -1, 4096, true);
    harness_until(h, log_has_two_lines);
    harness_wait(h, RUNTIME_EXITED, ID);
    harness_until(h, harness_log_has_ended);
    assert_string_equal(buf_text(&h->log[1]), "one\ntwo\n");
}

static void test_logs_are_bounded_and_end_with_the_last_line(void **state)
{
    struct harness *h = *state;
    struct stat now, before;
    char path[160];
    struct task_spec task =
        TASK(RUNTIME_PROCESS, "sh", "-c", "head -c 20000000 /dev/zero | tr '\\0' '\\n'; echo last");
    start(h, &task);
    harness_wait(h, RUNTIME_EXITED, ID);
    snprintf(path, sizeof(path), "%s/" ID "/1/log", data_dir);
    assert_int_equal(stat(path, &now), 0);
    snprintf(path, sizeof(path), "%s/" ID "/1/log.1", data_dir);
    assert_int_equal(stat(path, &before), 0);
    assert_true(now.st_size <= SHIM_LOG_BYTES && before.st_size <= SHIM_LOG_BYTES);
    harness_logs(h, ID, 1, 1, 4096);
    assert_string_equal(buf_text(&h->log[1]), "last\n");
}

static void test_usage_is_told_once_of_what_runs_and_was_asked_for(void **state)
{
    struct harness *h = *state;
    struct task_spec task = TASK(RUNTIME_PROCESS, "sh", "-c", "sleep 1000 & sleep 1000");
    harness_start(h, "web_web_1_bbbbbbbb", 1, &task);
    harness_wait(h, RUNTIME_RUNNING, "web_web_1_bbbbbbbb"); /* nobody asks for it */
    start(h, &task);
    harness_wait(h, RUNTIME_RUNNING, ID);
    harness_ask_usage(h, ID, 2); /* a run that there is not */
    harness_ask_usage(h, ID, 1);
    harness_ask_usage(h, ID, 1);
    harness_until_usage(h, ID);
    h->runtime->ops->list(h->runtime);
    harness_wait(h, RUNTIME_LISTED, NULL);
    assert_int_equal(h->usages, 1);
    assert_true(h->usage.memory_bytes > 0);
    assert_int_equal(h->usage.memory_limit_bytes, 16 * 1024 * 1024);
    assert_true(h->usage.pids >= 1);
}

static bool probe(struct harness *h, struct health_check check)
{
    struct task_spec task = {.health = {&check, 1}};
    check.timeout_ms = check.timeout_ms ? check.timeout_ms : 5000;
    h->runtime->ops->probe(h->runtime, ID, 1, &task, 0);
    return harness_wait(h, RUNTIME_HEALTH, ID)->healthy;
}

static void test_probes_tell_healthy_from_unhealthy(void **state)
{
    struct harness *h = *state;
    struct task_spec task = TASK(RUNTIME_PROCESS, "sh", "-c",
                                 "echo hi >ok; exec busybox httpd -f -p 127.0.0.1:$ARGOSY_PORT_80");
    task.env = (struct string_map){&(struct string_pair){"MODE", "edge"}, 1};
    task.ports = WORDS("80");
    start(h, &task);
    harness_wait(h, RUNTIME_RUNNING, ID);
    while (!probe(h, (struct health_check){.tcp = ":80"}))
        ; /* until the server listens */
    assert_true(probe(h, (struct health_check){.http = "http://:80/ok"}));
    assert_false(probe(h, (struct health_check){.http = "http://:80/missing"}));
    assert_string_equal(h->events[h->read - 1].message, "HTTP status 404");
    assert_true(
        probe(h, (struct health_check){.exec = WORDS("sh", "-c", "test -f ok -a $MODE = edge")}));
    assert_false(probe(h, (struct health_check){.exec = WORDS("sh", "-c", "exit 4")}));
    assert_string_equal(h->events[h->read - 1].message, "the check exited with code 4");
    assert_false(
        probe(h, (struct health_check){.exec = WORDS("sleep", "1000"), .timeout_ms = 100}));
    assert_non_null(strstr(h->events[h->read - 1].message, "longer than 100 ms"));
}

static void test_a_supervisor_that_is_not_there_is_told_at_once(void **state)
{
    (void)state;
    struct harness *h = harness_new();
    struct err err = {0};
    struct runtime_handler handler = harness_handler(h);
    struct process_runtime_config config = {
        .data_dir = "/tmp", .shim_path = "/nonexistent/argosy-shim", .node = "n1"};
    assert_null(process_runtime_new(&config, &handler, h->loop, &err));
    assert_non_null(strstr(err.text, "/nonexistent/argosy-shim"));
    harness_free(h);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(test_a_task_starts_runs_and_ends_with_its_exit_code),
        TEST(test_a_task_that_ends_at_once_is_reported_running_and_then_ended),
        TEST(test_a_stop_ends_a_task_by_its_signal),
        TEST(test_a_task_that_ignores_its_stop_is_killed),
        TEST(test_stopping_and_removing_what_is_not_there_is_answered_with_gone),
        TEST(test_descendants_end_with_their_task),
        TEST(test_a_removed_task_leaves_no_directory),
        TEST(test_the_environment_tells_where_to_listen),
        TEST(test_no_descriptor_of_ours_is_inherited),
        TEST(test_memory_beyond_the_limit_ends_the_task),
        TEST(test_a_task_can_run_as_another_user),
        TEST(test_what_cannot_be_started_fails_with_its_reason_and_leaves_nothing),
        TEST(test_what_runs_is_adopted_by_the_next_worker_and_its_exit_code_is_known),
        TEST(test_an_end_while_no_worker_was_there_is_known_to_the_next),
        TEST(test_another_clusters_tasks_are_not_listed),
        TEST(test_a_task_whose_supervisor_is_killed_ends_with_it),
        TEST(test_a_start_that_an_earlier_worker_did_not_finish_is_taken_back),
        TEST(test_logs_have_both_streams_and_the_last_lines),
        TEST(test_a_followed_log_goes_on_until_the_task_ends),
        TEST(test_logs_are_bounded_and_end_with_the_last_line),
        TEST(test_usage_is_told_once_of_what_runs_and_was_asked_for),
        TEST(test_probes_tell_healthy_from_unhealthy),
        cmocka_unit_test(test_a_supervisor_that_is_not_there_is_told_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
