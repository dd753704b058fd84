/* The Docker runtime and an engine that is not there, goes away, or answers oddly. */
#include "fake_engine.h"
#include "harness.h"

#include "platform/adapters/loop.h"
#include "worker/runtime/docker.h"

#include <stdio.h>

#define ID       "web_web_0_a"
#define OTHER_ID "web_web_0_b"

struct fixture {
    struct harness *h;
    struct fake_engine *engine;
};

#define VERSION \
    "200 OK\r\nContent-Length: 44\r\n\r\n{\"ApiVersion\":\"1.50\",\"MinAPIVersion\":\"1.12\"}"
#define EVENTS  "200 OK\r\nContent-Type: application/json\r\n\r\n"
#define NOTHING "200 OK\r\nContent-Length: 2\r\n\r\n[]"
#define CREATED "201 Created\r\nContent-Length: 11\r\n\r\n{\"Id\":\"ab\"}"
#define DONE    "204 No Content\r\n\r\n"
#define STATS                    \
    "200 OK\r\nContent-Length: " \
    "72\r\n\r\n{\"cpu_stats\":{\"cpu_usage\":{\"total_usage\":5}},\"pids_stats\":{\"current\":7}}"
#define NO_IMAGE \
    "404 Not Found\r\nContent-Length: 38\r\n\r\n{\"message\":\"No such image: a/b:latest\"}"

static struct runtime *connect_to(struct harness *h, const char *socket_path)
{
    struct docker_runtime_config config = {
        .socket_path = socket_path, .node = "n1", .cluster = "c1", .prng = &h->prng};
    struct runtime_handler handler = harness_handler(h);
    return docker_runtime_new(&config, &handler, h->loop);
}

static int begin(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    f->h = harness_new();
    f->engine = fake_engine_new(f->h->loop);
    fake_engine_on(f->engine, "GET /version", VERSION, false);
    fake_engine_on(f->engine, "/events?", EVENTS, true);
    fake_engine_on(f->engine, "/containers/json?", NOTHING, false);
    fake_engine_on(f->engine, "/containers/create?", CREATED, false);
    fake_engine_on(f->engine, "/start", DONE, false);
    f->h->runtime = connect_to(f->h, fake_engine_socket(f->engine));
    *state = f;
    return 0;
}

static int end(void **state)
{
    struct fixture *f = *state;
    f->h->runtime->ops->close(f->h->runtime);
    f->h->runtime = NULL;
    fake_engine_free(f->engine);
    harness_free(f->h);
    free(f);
    return 0;
}

static void start(struct fixture *f)
{
    struct task_spec task = TASK(RUNTIME_DOCKER, "true");
    task.image = "a/b";
    harness_start(f->h, ID, 1, &task);
}

/* ---- the link ---- */

static void test_without_an_engine_it_is_down_and_starts_fail_for_that_reason(void **state)
{
    (void)state;
    struct harness *h = harness_new();
    h->runtime = connect_to(h, "/nonexistent/docker.sock");
    harness_wait(h, RUNTIME_DOWN, NULL);
    struct task_spec task = TASK(RUNTIME_DOCKER, "true");
    harness_start(h, ID, 1, &task);
    assert_int_equal(harness_wait(h, RUNTIME_FAILED, ID)->reason, REASON_ENGINE_DOWN);
    h->runtime->ops->list(h->runtime);
    harness_wait(h, RUNTIME_DOWN, NULL);
    harness_logs(h, ID, 1, -1, 100);
    assert_int_equal(h->log_error, ERR_UNREACHABLE);
    harness_free(h);
}

static void test_an_engine_that_goes_away_is_down_once_and_up_again_when_it_is_back(void **state)
{
    struct fixture *f = *state;
    harness_wait(f->h, RUNTIME_UP, NULL);
    fake_engine_on(f->engine, "GET /version", NULL, false);
    fake_engine_hang_up(f->engine);
    harness_wait(f->h, RUNTIME_DOWN, NULL);
    while (fake_engine_count(f->engine, "GET /version") < 4)
        loop_run_once(f->h->loop);
    fake_engine_on(f->engine, "GET /version", VERSION, false);
    harness_wait(f->h, RUNTIME_UP, NULL);
    assert_int_equal(harness_count(f->h, RUNTIME_DOWN, NULL), 1);
}

static void test_a_newer_engine_is_spoken_to_in_the_oldest_version_it_knows(void **state)
{
    struct fixture *f = *state;
    fake_engine_on(f->engine, "GET /version",
                   "200 OK\r\nContent-Length: 44\r\n\r\n"
                   "{\"ApiVersion\":\"1.52\",\"MinAPIVersion\":\"1.44\"}",
                   false);
    harness_wait(f->h, RUNTIME_UP, NULL);
    assert_int_equal(fake_engine_count(f->engine, "GET /v1.44/events"), 1);
}

static void test_an_older_engine_is_spoken_to_in_its_own_version(void **state)
{
    struct fixture *f = *state;
    fake_engine_on(f->engine, "GET /version",
                   "200 OK\r\nContent-Length: 21\r\n\r\n{\"ApiVersion\":\"1.40\"}", false);
    harness_wait(f->h, RUNTIME_UP, NULL);
    assert_int_equal(fake_engine_count(f->engine, "GET /v1.40/events"), 1);
}

static void test_a_list_that_cannot_be_read_means_down(void **state)
{
    struct fixture *f = *state;
    harness_wait(f->h, RUNTIME_UP, NULL);
    fake_engine_on(f->engine, "/containers/json?", "200 OK\r\nContent-Length: 2\r\n\r\n[{", false);
    f->h->runtime->ops->list(f->h->runtime);
    harness_wait(f->h, RUNTIME_DOWN, NULL);
    assert_int_equal(harness_count(f->h, RUNTIME_LISTED, NULL), 0);
}

static void test_events_after_a_restart_are_asked_from_the_last_one_on(void **state)
{
    struct fixture *f = *state;
    harness_wait(f->h, RUNTIME_UP, NULL);
    fake_engine_say(
        f->engine,
        "{\"Action\":\"die\",\"Actor\":{\"ID\":\"zz\",\"Attributes\":{\"io.argosy.node\":\"n1\","
        "\"io.argosy.task\":\"x\",\"io.argosy.run\":\"1\"}},\"timeNano\":1795422607000000000}\n");
    f->h->runtime->ops->list(f->h->runtime);
    harness_wait(f->h, RUNTIME_LISTED, NULL); /* the line has been read by then */
    fake_engine_hang_up(f->engine);
    harness_wait(f->h, RUNTIME_UP, NULL);
    assert_int_equal(fake_engine_count(f->engine, "since=1795422607.000000000"), 1);
}

/* ---- starts ---- */

static void test_a_start_that_finds_its_image_costs_two_calls(void **state)
{
    struct fixture *f = *state;
    harness_wait(f->h, RUNTIME_UP, NULL);
    start(f);
    assert_string_equal(harness_wait(f->h, RUNTIME_RUNNING, ID)->execution_id, "ab");
    assert_int_equal(fake_engine_count(f->engine, "HTTP/1.1"), 4); /* version, events, and these */
}

static void test_an_image_that_is_missing_is_pulled_with_progress_and_then_started(void **state)
{
    struct fixture *f = *state;
    harness_wait(f->h, RUNTIME_UP, NULL);
    fake_engine_on(f->engine, "/containers/create?", NO_IMAGE, false);
    fake_engine_on(f->engine, "/images/create?fromImage=a%2Fb&tag=latest", EVENTS, true);
    start(f);
    harness_wait(f->h, RUNTIME_PREPARING, ID);
    while (fake_engine_count(f->engine, "/images/create") == 0)
        loop_run_once(f->h->loop);
    fake_engine_on(f->engine, "/containers/create?", CREATED, false);
    fake_engine_say(f->engine, "{\"status\":\"Downloading\",\"progressDetail\":{\"current\":1,"
                               "\"total\":4}}\n{\"status\":\"Pull comp");
    assert_string_equal(harness_wait(f->h, RUNTIME_PREPARING, ID)->message, "pulling a/b: 25 %");
    fake_engine_hang_up_last(f->engine);
    harness_wait(f->h, RUNTIME_STARTING, ID);
    harness_wait(f->h, RUNTIME_RUNNING, ID);
}

static void test_a_pull_that_fails_after_it_began_is_told_by_its_reason(void **state)
{
    struct fixture *f = *state;
    harness_wait(f->h, RUNTIME_UP, NULL);
    fake_engine_on(f->engine, "/containers/create?", NO_IMAGE, false);
    fake_engine_on(f->engine, "/images/create?",
                   "200 OK\r\n\r\n{\"status\":\"Pulling\"}\n{\"error\":\"manifest unknown\"}",
                   false);
    start(f);
    const struct seen *seen = harness_wait(f->h, RUNTIME_FAILED, ID);
    assert_int_equal(seen->reason, REASON_IMAGE_NOT_FOUND);
    assert_string_equal(seen->message, "manifest unknown");
}

static void test_a_stop_during_a_pull_ends_it(void **state)
{
    struct fixture *f = *state;
    harness_wait(f->h, RUNTIME_UP, NULL);
    fake_engine_on(f->engine, "/containers/create?", NO_IMAGE, false);
    fake_engine_on(f->engine, "/images/create?", EVENTS, true);
    start(f);
    harness_wait(f->h, RUNTIME_PREPARING, ID);
    f->h->runtime->ops->stop(f->h->runtime, ID, 1, 15, 1000);
    harness_wait(f->h, RUNTIME_GONE, ID);
    assert_int_equal(harness_count(f->h, RUNTIME_FAILED, NULL), 0);
}

static void test_a_create_whose_connection_dies_is_sent_once_and_means_down(void **state)
{
    struct fixture *f = *state;
    harness_wait(f->h, RUNTIME_UP, NULL);
    fake_engine_on(f->engine, "/containers/create?", NULL, false);
    start(f);
    harness_wait(f->h, RUNTIME_DOWN, NULL);
    assert_int_equal(fake_engine_count(f->engine, "POST"), 1);
    assert_int_equal(harness_count(f->h, RUNTIME_FAILED, NULL),
                     0); /* nobody knows: the list tells */
}

static void test_what_was_created_and_never_started_is_removed_by_the_list(void **state)
{
    struct fixture *f = *state;
    harness_wait(f->h, RUNTIME_UP, NULL);
    fake_engine_on(
        f->engine, "/containers/json?",
        "200 "
        "OK\r\n\r\n[{\"Id\":\"ab\",\"Names\":[\"/argosy-n1-web_web_0_a-1\"],\"State\":\"created\","
        "\"Labels\":{\"io.argosy.node\":\"n1\",\"io.argosy.cluster\":\"c1\","
        "\"io.argosy.task\":\"web_web_0_a\",\"io.argosy.run\":\"1\"}}]",
        false);
    fake_engine_on(f->engine, "DELETE", DONE, false);
    f->h->runtime->ops->list(f->h->runtime);
    harness_wait(f->h, RUNTIME_LISTED, NULL);
    assert_int_equal(fake_engine_count(f->engine, "DELETE /v1.41/containers/ab?v=1"), 1);
}

static void test_labels_that_were_copied_to_another_container_are_not_ours(void **state)
{
    struct fixture *f = *state;
    harness_wait(f->h, RUNTIME_UP, NULL);
    fake_engine_on(f->engine, "/containers/json?",
                   "200 OK\r\n\r\n[{\"Id\":\"ab\",\"Names\":[\"/copy\"],\"State\":\"running\","
                   "\"Labels\":{\"io.argosy.node\":\"n1\",\"io.argosy.cluster\":\"c1\","
                   "\"io.argosy.task\":\"web_web_0_a\",\"io.argosy.run\":\"1\"}}]",
                   false);
    f->h->runtime->ops->list(f->h->runtime);
    harness_wait(f->h, RUNTIME_LISTED, NULL);
    assert_int_equal(harness_count(f->h, RUNTIME_RUNNING, NULL), 0);
    assert_int_equal(fake_engine_count(f->engine, "/containers/ab"), 0);
}

/* ---- usage ---- */

static void until_asked(const struct fixture *f, size_t times)
{
    while (fake_engine_count(f->engine, "/stats?") < times)
        loop_run_once(f->h->loop);
}

static void test_usage_is_asked_once_for_whoever_waits_and_one_after_the_other(void **state)
{
    struct fixture *f = *state;
    struct task_spec task = TASK(RUNTIME_DOCKER, "true");
    harness_wait(f->h, RUNTIME_UP, NULL);
    harness_start(f->h, OTHER_ID, 1, &task);
    harness_wait(f->h, RUNTIME_RUNNING, OTHER_ID);
    start(f);
    harness_wait(f->h, RUNTIME_RUNNING, ID);
    fake_engine_on(f->engine, "/stats?", EVENTS, true); /* and then nothing */
    for (int times = 0; times < 2; times++) {
        harness_ask_usage(f->h, OTHER_ID, 1);
        harness_ask_usage(f->h, ID, 1);
        harness_ask_usage(f->h, "web_web_0_c", 1); /* does not run */
    }
    until_asked(f, 1);
    fake_engine_on(f->engine, "/stats?", STATS, false);
    fake_engine_hang_up_last(f->engine); /* the other's: not told, and the next one is asked */
    harness_until_usage(f->h, ID);
    assert_int_equal(f->h->usage.pids, 7);
    harness_ask_usage(f->h, ID, 1); /* answered: asked again */
    until_asked(f, 3);
    assert_int_equal(fake_engine_count(f->engine, OTHER_ID "-1/stats?"), 1);
    assert_int_equal(fake_engine_count(f->engine, ID "-1/stats?"), 2);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_an_engine_it_is_down_and_starts_fail_for_that_reason),
        TEST(test_an_engine_that_goes_away_is_down_once_and_up_again_when_it_is_back),
        TEST(test_a_newer_engine_is_spoken_to_in_the_oldest_version_it_knows),
        TEST(test_an_older_engine_is_spoken_to_in_its_own_version),
        TEST(test_a_list_that_cannot_be_read_means_down),
        TEST(test_events_after_a_restart_are_asked_from_the_last_one_on),
        TEST(test_a_start_that_finds_its_image_costs_two_calls),
        TEST(test_an_image_that_is_missing_is_pulled_with_progress_and_then_started),
        TEST(test_a_pull_that_fails_after_it_began_is_told_by_its_reason),
        TEST(test_a_stop_during_a_pull_ends_it),
        TEST(test_a_create_whose_connection_dies_is_sent_once_and_means_down),
        TEST(test_what_was_created_and_never_started_is_removed_by_the_list),
        TEST(test_labels_that_were_copied_to_another_container_are_not_ours),
        TEST(test_usage_is_asked_once_for_whoever_waits_and_one_after_the_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
