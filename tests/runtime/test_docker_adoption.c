/* What a worker finds in the engine: its own, another cluster's, what an earlier worker left. */
#include "docker_fixture.h"
#include "harness.h"

static void test_what_runs_is_adopted_by_the_next_worker_and_not_started_again(void **state)
{
    struct harness *h = *state;
    struct task_spec task = TASK(RUNTIME_DOCKER, "sleep", "1000");
    task.ports = WORDS("80");
    harness_start(h, "web_web_0_a", 2, &task);
    struct seen started = *harness_wait(h, RUNTIME_RUNNING, "web_web_0_a");
    struct harness *next = docker_connected("testcluster");
    next->runtime->ops->list(next->runtime);
    const struct seen *adopted = harness_wait(next, RUNTIME_RUNNING, "web_web_0_a");
    assert_string_equal(adopted->execution_id, started.execution_id);
    assert_int_equal(adopted->run, 2);
    assert_int_equal(adopted->ports[0].host, started.ports[0].host);
    assert_true(adopted->address[0] != '\0');
    assert_true(adopted->started_ms > 0);
    harness_wait(next, RUNTIME_LISTED, NULL);
    /* Starting it is answered with what is there. */
    harness_start(next, "web_web_0_a", 2, &task);
    assert_string_equal(harness_wait(next, RUNTIME_RUNNING, "web_web_0_a")->execution_id,
                        started.execution_id);
    harness_free(next);
}

static void test_a_start_of_what_runs_already_is_done_without_a_list(void **state)
{
    struct harness *h = *state;
    struct task_spec task = TASK(RUNTIME_DOCKER, "sleep", "1000");
    harness_start(h, "web_web_0_a", 1, &task);
    struct seen started = *harness_wait(h, RUNTIME_RUNNING, "web_web_0_a");
    struct harness *next = docker_connected("testcluster");
    harness_start(next, "web_web_0_a", 1, &task);
    assert_string_equal(harness_wait(next, RUNTIME_RUNNING, "web_web_0_a")->execution_id,
                        started.execution_id);
    harness_free(next);
}

static void test_a_name_that_another_cluster_uses_is_left_alone(void **state)
{
    struct harness *h = *state;
    struct task_spec task = TASK(RUNTIME_DOCKER, "sleep", "1000");
    harness_start(h, "web_web_0_a", 1, &task);
    harness_wait(h, RUNTIME_RUNNING, "web_web_0_a");
    struct harness *other = docker_connected("othercluster");
    harness_start(other, "web_web_0_a", 1, &task);
    assert_int_equal(harness_wait(other, RUNTIME_FAILED, "web_web_0_a")->reason,
                     REASON_NAME_IN_USE);
    other->runtime->ops->stop(other->runtime, "web_web_0_a", 1, 15, 1000);
    harness_wait(other, RUNTIME_GONE, "web_web_0_a");
    other->runtime->ops->list(other->runtime);
    harness_wait(other, RUNTIME_LISTED, NULL);
    assert_int_equal(harness_count(other, RUNTIME_RUNNING, NULL), 0);
    harness_free(other);
    /* It runs on. */
    h->runtime->ops->list(h->runtime);
    harness_wait(h, RUNTIME_RUNNING, "web_web_0_a");
}

static void test_a_worker_that_knows_no_cluster_is_told_by_what_runs(void **state)
{
    struct harness *h = *state;
    struct task_spec task = TASK(RUNTIME_DOCKER, "sleep", "1000");
    harness_start(h, "web_web_0_a", 1, &task);
    harness_wait(h, RUNTIME_RUNNING, "web_web_0_a");
    struct harness *empty = docker_connected(NULL);
    empty->runtime->ops->list(empty->runtime);
    assert_string_equal(harness_wait(empty, RUNTIME_RUNNING, "web_web_0_a")->cluster,
                        "testcluster");
    harness_free(empty);
}

static void test_an_ended_task_is_listed_with_its_exit_code(void **state)
{
    struct harness *h = *state;
    struct task_spec task = TASK(RUNTIME_DOCKER, "sh", "-c", "exit 9");
    harness_start(h, "web_web_0_a", 1, &task);
    harness_wait(h, RUNTIME_EXITED, "web_web_0_a");
    struct harness *next = docker_connected("testcluster");
    next->runtime->ops->list(next->runtime);
    assert_int_equal(harness_wait(next, RUNTIME_EXITED, "web_web_0_a")->exit_code, 9);
    harness_wait(next, RUNTIME_LISTED, NULL);
    harness_free(next);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DOCKER_TEST(test_what_runs_is_adopted_by_the_next_worker_and_not_started_again),
        DOCKER_TEST(test_a_start_of_what_runs_already_is_done_without_a_list),
        DOCKER_TEST(test_a_name_that_another_cluster_uses_is_left_alone),
        DOCKER_TEST(test_a_worker_that_knows_no_cluster_is_told_by_what_runs),
        DOCKER_TEST(test_an_ended_task_is_listed_with_its_exit_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
