/* What the engine answers, also when it is odd. Replies were recorded from Docker 20.10 and
 * shortened. */
#include "tests/unit/unit.h"

#include "worker/runtime/docker_reply.h"

#include <stdio.h>
#include <string.h>

static struct json *tree_of(const char *text)
{
    struct json *tree = NULL;
    struct err err = {0};
    assert_int_equal(json_parse(text, strlen(text), &tree, &err), 0);
    return tree;
}

#define LABELS                                                                                    \
    "{\"io.argosy.node\":\"n1\",\"io.argosy.cluster\":\"c1\",\"io.argosy.task\":\"web_web_0_a\"," \
    "\"io.argosy.run\":\"3\"}"

static const char inspected[] =
    "{\"Id\":\"d5f7\",\"Name\":\"/argosy-n1-web_web_0_a-3\","
    "\"State\":{\"Status\":\"exited\",\"OOMKilled\":true,\"ExitCode\":137,"
    "\"StartedAt\":\"2026-11-23T08:30:07.24007079Z\",\"FinishedAt\":\"2026-11-23T10:30:08.5+02:"
    "00\"},"
    "\"Config\":{\"Labels\":" LABELS "},"
    "\"NetworkSettings\":{\"IPAddress\":\"\",\"Networks\":{\"x\":{\"IPAddress\":\"172.18.0.2\"}},"
    "\"Ports\":{\"80/tcp\":[{\"HostIp\":\"0.0.0.0\",\"HostPort\":\"32768\"},{\"HostIp\":\"::\","
    "\"HostPort\":\"32768\"}],\"90/udp\":null,\"53/udp\":[{\"HostPort\":\"53\"}]}}}";

static void test_an_inspect_tells_how_a_container_ended(void **state)
{
    (void)state;
    struct container container;
    _cleanup_json_ struct json *tree = tree_of(inspected);
    assert_true(container_from_inspect(tree, &container));
    assert_string_equal(container.id, "d5f7");
    assert_string_equal(container.name, "argosy-n1-web_web_0_a-3");
    assert_string_equal(container.identity.task_id, "web_web_0_a");
    assert_string_equal(container.identity.cluster, "c1");
    assert_int_equal(container.identity.run, 3);
    assert_int_equal(container.phase, CONTAINER_ENDED);
    assert_int_equal(container.exit_code, 137);
    assert_true(container.oom_killed);
    assert_int_equal(container.finished_ms - container.started_ms, 1260);
    assert_string_equal(container.address, "172.18.0.2");
    assert_int_equal(container.port_count, 2);
    assert_int_equal(container.ports[0].host, 32768);
    assert_true(container.ports[1].udp);
}

static void test_a_list_tells_what_runs_where(void **state)
{
    (void)state;
    struct container container;
    _cleanup_json_ struct json *tree = tree_of(
        "{\"Id\":\"ab\",\"Names\":[\"/"
        "argosy-n1-web_web_0_a-3\"],\"State\":\"running\",\"Labels\":" LABELS
        ",\"Ports\":[{\"IP\":\"0.0.0.0\",\"PrivatePort\":80,\"PublicPort\":8080,\"Type\":\"tcp\"},"
        "{\"IP\":\"::\",\"PrivatePort\":80,\"PublicPort\":8080,\"Type\":\"tcp\"},"
        "{\"PrivatePort\":81,\"Type\":\"tcp\"}]}");
    assert_true(container_from_list(tree, &container));
    assert_int_equal(container.phase, CONTAINER_RUNNING);
    assert_int_equal(container.port_count, 1);
    assert_int_equal(container.ports[0].host, 8080);
}

static void assert_not_ours(const char *labels)
{
    struct container container;
    char text[512];
    snprintf(text, sizeof(text),
             "{\"Id\":\"ab\",\"State\":{\"Status\":\"running\"},\"Config\":{\"Labels\":%s}}",
             labels);
    _cleanup_json_ struct json *tree = tree_of(text);
    assert_false(container_from_inspect(tree, &container));
}

static void test_a_container_without_our_labels_is_not_ours(void **state)
{
    (void)state;
    assert_not_ours("null");
    assert_not_ours("{}");
    assert_not_ours("{\"io.argosy.node\":\"n1\",\"io.argosy.task\":\"a\"}");
    assert_not_ours(
        "{\"io.argosy.node\":\"n1\",\"io.argosy.task\":\"a\",\"io.argosy.run\":\"1x\"}");
    assert_not_ours(
        "{\"io.argosy.node\":\"n1\",\"io.argosy.task\":\"a\",\"io.argosy.run\":\"-1\"}");
    assert_not_ours(
        "{\"io.argosy.node\":\"n1\",\"io.argosy.task\":\"../a\",\"io.argosy.run\":\"1\"}");
    assert_not_ours("{\"io.argosy.node\":7,\"io.argosy.task\":\"a\",\"io.argosy.run\":\"1\"}");
}

static void test_an_identity_that_is_too_long_is_not_cut_into_anothers(void **state)
{
    (void)state;
    char labels[400];
    snprintf(labels, sizeof(labels),
             "{\"io.argosy.node\":\"n1\",\"io.argosy.run\":\"1\",\"io.argosy.task\":\"%0200d\"}",
             1);
    assert_not_ours(labels);
}

static void test_events_say_what_ended_and_how(void **state)
{
    (void)state;
    struct engine_event event;
    const char die[] = "{\"Type\":\"container\",\"Action\":\"die\",\"Actor\":{\"ID\":\"ab\","
                       "\"Attributes\":{\"exitCode\":\"7\","
                       "\"io.argosy.node\":\"n1\",\"io.argosy.task\":\"a\",\"io.argosy.run\":\"2\"}"
                       "},\"timeNano\":1795422607241842478}";
    assert_true(engine_event_parse(die, strlen(die), &event));
    assert_int_equal(event.kind, ENGINE_EVENT_DIE);
    assert_int_equal(event.exit_code, 7);
    assert_int_equal(event.identity.run, 2);
    assert_int_equal(event.time_ns / 1000000000, 1795422607);
    for (size_t length = 0; length < strlen(die); length++)
        assert_false(engine_event_parse(die, length, &event));
}

static void test_a_pull_tells_progress_and_its_error(void **state)
{
    (void)state;
    struct pull_line line;
    const char progress[] = "{\"status\":\"Downloading\",\"progressDetail\":{\"current\":30,"
                            "\"total\":120},\"id\":\"l\"}";
    const char error[] = "{\"errorDetail\":{\"message\":\"m\"},\"error\":\"manifest unknown\"}";
    assert_true(pull_line_parse(progress, strlen(progress), &line));
    assert_false(line.failed);
    assert_int_equal(line.percent, 25);
    assert_true(pull_line_parse(error, strlen(error), &line));
    assert_true(line.failed);
    assert_string_equal(line.text, "manifest unknown");
    assert_false(pull_line_parse("[]", 2, &line));
}

struct error_case {
    enum engine_step step;
    long status;
    const char *message;
    enum reason reason;
    const char *text; /* what is left of it, NULL: all */
};

/* From Docker 20.10 with runc, crun and containerd. */
static const struct error_case error_cases[] = {
    {STEP_CREATE, 404, "No such image: nosuch:none", REASON_IMAGE_NOT_FOUND, NULL},
    {STEP_CREATE, 400, "Range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available",
     REASON_INVALID_SPEC, NULL},
    {STEP_CREATE, 500, "something", REASON_START_FAILED, NULL},
    {STEP_START, 400,
     "failed to create shim task: OCI runtime create failed: runc create failed: unable to start "
     "container "
     "process: exec: \"nosuch\": executable file not found in $PATH: unknown",
     REASON_COMMAND_NOT_FOUND, "exec: \"nosuch\": executable file not found in $PATH"},
    {STEP_START, 400,
     "failed to create shim task: OCI runtime create failed: runc create failed: unable to start "
     "container "
     "process: exec: \"/etc\": permission denied: unknown",
     REASON_COMMAND_NOT_EXECUTABLE, "exec: \"/etc\": permission denied"},
    {STEP_START, 500,
     "failed to create shim task: OCI runtime create failed: exec: \"docker-init\": executable "
     "file not found "
     "in $PATH: unknown",
     REASON_START_FAILED, "OCI runtime create failed: exec: \"docker-init\""},
    {STEP_START, 500,
     "driver failed programming external connectivity on endpoint "
     "argosy-a-node-with-a-very-long-name-indeed-and-more-some-job_some-task_0_abcdefgh-1 "
     "(ed005ce28f7fe7768672c023295ec1e29942ab5455205ed286c8f8d22752e436): Bind for 0.0.0.0:80 "
     "failed: port is "
     "already allocated",
     REASON_PORT_IN_USE, "0.0.0.0:80 failed: port is already allocated"},
    {STEP_START, 500,
     "driver failed programming external connectivity on endpoint rt-c (ed00): Error starting "
     "userland proxy: "
     "listen tcp4 0.0.0.0:80: bind: address already in use",
     REASON_PORT_IN_USE, "listen tcp4 0.0.0.0:80: bind: address already in use"},
    {STEP_START, 500, "unable to find user nosuch: no matching entries in passwd file",
     REASON_INVALID_SPEC, NULL},
    {STEP_START, 500,
     "error gathering device information while adding custom device \"/dev/nosuch\": no such file "
     "or directory",
     REASON_INVALID_SPEC, NULL},
    {STEP_PULL, 500,
     "Get \"http://127.0.0.1:1/v2/\": dial tcp 127.0.0.1:1: connect: connection refused",
     REASON_IMAGE_PULL_FAILED, NULL},
    {STEP_PULL, 404,
     "pull access denied for nosuch, repository does not exist or may require 'docker login'",
     REASON_IMAGE_NOT_FOUND, NULL},
    {STEP_PULL, 404, "manifest for nginx:nosuch not found: manifest unknown: manifest unknown",
     REASON_IMAGE_NOT_FOUND, NULL},
    {STEP_PULL, 500, "lookup registry on 10.0.0.1:53: no such host", REASON_IMAGE_PULL_FAILED,
     NULL},
};

static void test_errors_are_told_by_our_reasons_and_without_the_engines_preambles(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(error_cases) / sizeof(error_cases[0]); i++) {
        const struct error_case *c = &error_cases[i];
        char body[1024] = "{\"message\":\"", text[LIMIT_MESSAGE_LENGTH + 1];
        size_t at = strlen(body);
        for (const char *from = c->message; *from; from++) {
            if (*from == '"')
                body[at++] = '\\';
            body[at++] = *from;
        }
        memcpy(body + at, "\"}", 3);
        engine_error_text(body, strlen(body), text, sizeof(text));
        assert_string_equal(reason_to_string((int)engine_error_reason(c->step, c->status, text)),
                            reason_to_string((int)c->reason));
        assert_non_null(strstr(text, c->text ? c->text : c->message));
    }
}

static void test_an_error_that_is_no_json_is_shown_as_it_is(void **state)
{
    (void)state;
    char text[16];
    engine_error_text("page not found\n", 15, text, sizeof(text));
    assert_string_equal(text, "page not found");
    engine_error_text("", 0, text, sizeof(text));
    assert_string_equal(text, "");
    engine_error_text("0123456789abcdefghij", 20, text, sizeof(text));
    assert_string_equal(text, "0123456789abcde");
}

static void test_the_init_process_tells_what_it_could_not_run(void **state)
{
    (void)state;
    static const struct {
        const char *log;
        enum reason reason;
        const char *sentence;
    } rows[] = {
        {"[FATAL tini (7)] exec nosuch failed: No such file or directory\n",
         REASON_COMMAND_NOT_FOUND, "exec nosuch failed: No such file or directory\n"},
        {"[FATAL tini (7)] exec /etc failed: Permission denied\n", REASON_COMMAND_NOT_EXECUTABLE,
         "exec /etc failed: Permission denied\n"},
        {"ERROR (catatonit:2): failed to exec pid1: No such file or directory\n",
         REASON_COMMAND_NOT_FOUND, "failed to exec pid1: No such file or directory\n"},
    };
    const char *sentence = NULL;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        assert_int_equal(init_failure_reason(rows[i].log, &sentence), rows[i].reason);
        assert_string_equal(sentence, rows[i].sentence);
    }
    assert_int_equal(init_failure_reason("sh: nosuch: not found\n", &sentence), REASON_NONE);
    assert_int_equal(init_failure_reason("", &sentence), REASON_NONE);
}

static void test_usage_leaves_out_the_cache_and_sums_over_networks(void **state)
{
    (void)state;
    struct runtime_usage usage;
    _cleanup_json_ struct json *tree = tree_of(
        "{\"cpu_stats\":{\"cpu_usage\":{\"total_usage\":2500000000}},\"memory_stats\":{\"usage\":"
        "1000,"
        "\"limit\":4096,\"stats\":{\"total_inactive_file\":300}},\"networks\":{\"a\":{\"rx_bytes\":"
        "1,"
        "\"tx_bytes\":2},\"b\":{\"rx_bytes\":10,\"tx_bytes\":20}},\"pids_stats\":{\"current\":3},"
        "\"blkio_stats\":{\"io_service_bytes_recursive\":[{\"op\":\"Read\",\"value\":5},"
        "{\"op\":\"write\",\"value\":6},{\"op\":\"Sync\",\"value\":7}]}}");
    assert_true(usage_from_stats(tree, &usage));
    assert_true(usage.cpu_seconds_total > 2.49 && usage.cpu_seconds_total < 2.51);
    assert_int_equal(usage.memory_bytes, 700);
    assert_int_equal(usage.memory_limit_bytes, 4096);
    assert_int_equal(usage.net_rx_bytes, 11);
    assert_int_equal(usage.net_tx_bytes, 22);
    assert_int_equal(usage.block_read_bytes, 5);
    assert_int_equal(usage.block_write_bytes, 6);
    assert_int_equal(usage.pids, 3);
    _cleanup_json_ struct json *empty = tree_of("{\"networks\":{}}");
    assert_false(usage_from_stats(empty, &usage));
    assert_int_equal(usage.memory_bytes, -1);
    assert_int_equal(usage.block_read_bytes, -1);
}

static void test_times_are_read_with_fraction_and_offset(void **state)
{
    (void)state;
    assert_int_equal(engine_time_ms("1970-01-01T00:00:01Z"), 1000);
    assert_int_equal(engine_time_ms("2000-02-29T12:00:00.5Z"), 951825600500);
    assert_int_equal(engine_time_ms("2026-11-23T10:30:08.123456789+02:00"), 1795422608123);
    assert_int_equal(engine_time_ms("0001-01-01T00:00:00Z"), 0);
    assert_int_equal(engine_time_ms("yesterday"), 0);
    assert_int_equal(engine_time_ms(NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_inspect_tells_how_a_container_ended),
        cmocka_unit_test(test_a_list_tells_what_runs_where),
        cmocka_unit_test(test_a_container_without_our_labels_is_not_ours),
        cmocka_unit_test(test_an_identity_that_is_too_long_is_not_cut_into_anothers),
        cmocka_unit_test(test_events_say_what_ended_and_how),
        cmocka_unit_test(test_a_pull_tells_progress_and_its_error),
        cmocka_unit_test(test_errors_are_told_by_our_reasons_and_without_the_engines_preambles),
        cmocka_unit_test(test_an_error_that_is_no_json_is_shown_as_it_is),
        cmocka_unit_test(test_the_init_process_tells_what_it_could_not_run),
        cmocka_unit_test(test_usage_leaves_out_the_cache_and_sums_over_networks),
        cmocka_unit_test(test_times_are_read_with_fraction_and_offset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
