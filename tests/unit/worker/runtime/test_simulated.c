/* The simulated runtime with a clock that the test moves. */
#include "tests/unit/unit.h"

#include "platform/base/mem.h"
#include "schema/job_spec.h"
#include "schema/reasons.h"
#include "worker/runtime/simulated.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEEN_MAX = 64 };

struct fixture {
    struct clock clock; /* first */
    int64_t now_ms;
    struct simulated_engine *engine;
    struct runtime *runtime;
    char seen[SEEN_MAX][64];
    size_t count;
    bool stops_what_starts;
};

static struct now read_clock(struct clock *clock)
{
    const struct fixture *f = (const struct fixture *)(void *)clock;
    return (struct now){.wall_ms = f->now_ms + 1000000, .mono_ms = f->now_ms};
}

static const char *const words[] = {
    [RUNTIME_PREPARING] = "preparing",
    [RUNTIME_STARTING] = "starting",
    [RUNTIME_RUNNING] = "running",
    [RUNTIME_EXITED] = "exited",
    [RUNTIME_FAILED] = "failed",
    [RUNTIME_GONE] = "gone",
    [RUNTIME_HEALTH] = "health",
    [RUNTIME_LISTED] = "listed",
    [RUNTIME_UP] = "up",
    [RUNTIME_DOWN] = "down",
};

static void on_event(void *context, struct runtime *runtime, const struct runtime_event *event)
{
    struct fixture *f = context;
    assert_true(f->count < SEEN_MAX);
    snprintf(f->seen[f->count++], sizeof(f->seen[0]), "%lld %s %s %lld %s", (long long)f->now_ms,
             words[event->kind], event->task_id ? event->task_id : "-",
             (long long)(event->kind == RUNTIME_HEALTH ? event->healthy : event->exit_code),
             reason_to_string(event->reason));
    if (event->kind == RUNTIME_STARTING && f->stops_what_starts)
        runtime->ops->stop(runtime, event->task_id, event->run, 15, 0);
}

static struct runtime_handler handler(struct fixture *f)
{
    return (struct runtime_handler){.context = f, .on_event = on_event};
}

static int begin(void **state)
{
    struct fixture *f = mem_alloc(sizeof(*f));
    f->clock.now = read_clock;
    f->engine = simulated_engine_new(
        &(struct simulated_engine_config){.clock = &f->clock, .start_ms = 10, .stop_ms = 20});
    struct runtime_handler h = handler(f);
    f->runtime = simulated_runtime_new(f->engine, "n1", "c1", &h);
    *state = f;
    return 0;
}

static int end(void **state)
{
    struct fixture *f = *state;
    f->runtime->ops->close(f->runtime);
    simulated_engine_free(f->engine);
    free(f);
    return 0;
}

/* Jumps from deadline to deadline up to `until_ms`. */
static void run(struct fixture *f, int64_t until_ms)
{
    int64_t deadline_ms;
    while ((deadline_ms = simulated_engine_deadline_ms(f->engine)) <= until_ms) {
        f->now_ms = deadline_ms > f->now_ms ? deadline_ms : f->now_ms;
        simulated_engine_step(f->engine);
    }
    f->now_ms = until_ms;
}

static void start(struct fixture *f, const char *id, const char **command, size_t count)
{
    struct task_spec task = {.command = {command, count}};
    f->runtime->ops->start(f->runtime,
                           &(struct runtime_start){.task_id = id, .run = 1, .task = &task});
}
#define START(f, id, ...)                       \
    start(f, id, (const char *[]){__VA_ARGS__}, \
          sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *))

static void expect(struct fixture *f, size_t count, const char *const *lines)
{
    for (size_t i = 0; i < count && i < f->count; i++)
        assert_string_equal(f->seen[i], lines[i]);
    assert_int_equal(f->count, count);
    f->count = 0;
}
#define EXPECT(f, ...) \
    expect(f, sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *), (const char *[]){__VA_ARGS__})

static void test_a_task_exits_with_its_code_after_its_time(void **state)
{
    struct fixture *f = *state;
    START(f, "a", "exit", "3", "after", "2s");
    assert_int_equal(f->count, 0); /* nothing from within a call */
    run(f, 5000);
    EXPECT(f, "0 up - 0 ", "0 starting a 0 ", "10 running a 0 ", "2010 exited a 3 exited");
    assert_int_equal(simulated_engine_deadline_ms(f->engine), INT64_MAX);
}

static void test_other_commands_run_until_they_are_stopped(void **state)
{
    struct fixture *f = *state;
    START(f, "a", "httpd", "-f");
    START(f, "b", "ignore-stop");
    run(f, 100);
    f->count = 0;
    f->runtime->ops->stop(f->runtime, "a", 1, 15, 1000);
    f->runtime->ops->stop(f->runtime, "b", 1, 15, 1000);
    run(f, 5000);
    EXPECT(f, "120 exited a 143 killed", "1100 exited b 137 killed");
}

static void test_starts_fail_by_their_command_and_by_a_fault(void **state)
{
    struct fixture *f = *state;
    START(f, "a", "fail-start", "image_not_found");
    run(f, 100);
    simulated_engine_fail_starts(f->engine, 1);
    START(f, "b", "run");
    run(f, 200);
    EXPECT(f, "0 up - 0 ", "0 starting a 0 ", "10 failed a 0 image_not_found", "100 starting b 0 ",
           "110 failed b 0 start_failed");
}

static void test_the_next_worker_adopts_what_runs(void **state)
{
    struct fixture *f = *state;
    START(f, "a", "run");
    START(f, "b", "exit", "4");
    run(f, 100);
    f->runtime->ops->close(f->runtime);
    struct runtime_handler h = handler(f);
    f->runtime = simulated_runtime_new(f->engine, "n1", NULL, &h);
    f->count = 0;
    f->runtime->ops->list(f->runtime);
    run(f, 200);
    EXPECT(f, "100 up - 0 ", "100 running a 0 ", "100 exited b 4 exited", "100 listed - 0 ");
    START(f, "a", "run");
    run(f, 300);
    EXPECT(f, "200 running a 0 ");
}

static void test_another_clusters_tasks_are_not_listed(void **state)
{
    struct fixture *f = *state;
    START(f, "a", "run");
    run(f, 100);
    f->count = 0;
    f->runtime->ops->set_cluster(f->runtime, "c2");
    f->runtime->ops->list(f->runtime);
    run(f, 200);
    EXPECT(f, "100 listed - 0 ");
}

static void test_while_the_engine_is_down_tasks_run_on_unseen(void **state)
{
    struct fixture *f = *state;
    START(f, "a", "exit", "5", "after", "1s");
    run(f, 100);
    simulated_engine_set_up(f->engine, false);
    START(f, "b", "run");
    f->runtime->ops->list(f->runtime);
    run(f, 3000);
    simulated_engine_set_up(f->engine, true);
    f->runtime->ops->list(f->runtime);
    run(f, 4000);
    EXPECT(f, "0 up - 0 ", "0 starting a 0 ", "10 running a 0 ", "100 down - 0 ",
           "100 failed b 0 engine_down", "100 down - 0 ", "3000 up - 0 ", "3000 exited a 5 exited",
           "3000 listed - 0 ");
}

static void test_a_task_can_be_killed_forgotten_and_lost_in_a_reboot(void **state)
{
    struct fixture *f = *state;
    START(f, "a", "run");
    START(f, "b", "run");
    START(f, "c", "run");
    run(f, 100);
    f->count = 0;
    assert_true(simulated_engine_kill(f->engine, "a", 1, 9));
    assert_false(simulated_engine_kill(f->engine, "x", 1, 9));
    assert_true(simulated_engine_forget(f->engine, "b", 1));
    run(f, 200);
    simulated_engine_reboot(f->engine);
    run(f, 300);
    EXPECT(f, "100 gone b 0 ", "100 exited a 9 exited", "200 exited c 255 killed");
}

static void test_a_stop_from_within_an_event_ends_the_start(void **state)
{
    struct fixture *f = *state;
    f->stops_what_starts = true;
    START(f, "a", "run");
    run(f, 100);
    EXPECT(f, "0 up - 0 ", "0 starting a 0 ", "0 gone a 0 ");
}

static void test_probes_fail_when_the_task_is_to_be_unhealthy(void **state)
{
    struct fixture *f = *state;
    START(f, "a", "unhealthy", "after", "1s");
    run(f, 500);
    f->count = 0;
    f->runtime->ops->probe(f->runtime, "a", 1, NULL, 0);
    run(f, 2000);
    f->runtime->ops->probe(f->runtime, "a", 1, NULL, 0);
    run(f, 3000);
    EXPECT(f, "500 health a 1 ", "2000 health a 0 ");
}

static void count_running(void *context, const struct simulated_execution *execution)
{
    *(int *)context += execution->running;
}

static void test_removed_tasks_leave_nothing(void **state)
{
    struct fixture *f = *state;
    int running = 0;
    START(f, "a", "exit", "0");
    START(f, "b", "run");
    run(f, 100);
    f->count = 0;
    f->runtime->ops->remove(f->runtime, "a", 1);
    f->runtime->ops->remove(f->runtime, "nothing", 1);
    run(f, 200);
    EXPECT(f, "100 gone a 0 ", "100 gone nothing 0 ");
    simulated_engine_visit(f->engine, count_running, &running);
    assert_int_equal(running, 1);
}

static void on_usage(void *context, const char *task_id, const struct runtime_usage *usage)
{
    struct fixture *f = context;
    snprintf(f->seen[f->count++], sizeof(f->seen[0]), "%lld usage %s %lld", (long long)f->now_ms,
             task_id, (long long)usage->pids);
}

static void test_usage_is_told_of_the_one_that_was_asked_for_while_it_runs(void **state)
{
    struct fixture *f = *state;
    START(f, "a", "httpd");
    START(f, "b", "exit", "0", "after", "1s");
    run(f, 500);
    f->count = 0;
    f->runtime->ops->usage(f->runtime, "a", 1, on_usage, f);
    f->runtime->ops->usage(f->runtime, "a", 2, on_usage, f);
    assert_int_equal(f->count, 0); /* nothing from within a call */
    run(f, 600);
    EXPECT(f, "500 usage a 1");
    run(f, 2000);
    f->count = 0;
    f->runtime->ops->usage(f->runtime, "b", 1, on_usage, f);
    run(f, 3000);
    assert_int_equal(f->count, 0);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(test_a_task_exits_with_its_code_after_its_time),
        TEST(test_other_commands_run_until_they_are_stopped),
        TEST(test_starts_fail_by_their_command_and_by_a_fault),
        TEST(test_the_next_worker_adopts_what_runs),
        TEST(test_another_clusters_tasks_are_not_listed),
        TEST(test_while_the_engine_is_down_tasks_run_on_unseen),
        TEST(test_a_task_can_be_killed_forgotten_and_lost_in_a_reboot),
        TEST(test_a_stop_from_within_an_event_ends_the_start),
        TEST(test_probes_fail_when_the_task_is_to_be_unhealthy),
        TEST(test_removed_tasks_leave_nothing),
        TEST(test_usage_is_told_of_the_one_that_was_asked_for_while_it_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
