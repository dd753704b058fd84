#include "harness.h"

#include "platform/adapters/clock_system.h"
#include "platform/adapters/loop.h"
#include "platform/base/mem.h"

#include <stdio.h>
#include <time.h>

static const char *const kind_names[] = {
    [RUNTIME_PREPARING] = "PREPARING",
    [RUNTIME_STARTING] = "STARTING",
    [RUNTIME_RUNNING] = "RUNNING",
    [RUNTIME_EXITED] = "EXITED",
    [RUNTIME_FAILED] = "FAILED",
    [RUNTIME_GONE] = "GONE",
    [RUNTIME_HEALTH] = "HEALTH",
    [RUNTIME_LISTED] = "LISTED",
    [RUNTIME_UP] = "UP",
    [RUNTIME_DOWN] = "DOWN",
};

static void copy(char *to, size_t size, const char *text)
{
    snprintf(to, size, "%s", text ? text : "");
}

static void on_event(void *context, struct runtime *runtime, const struct runtime_event *event)
{
    struct harness *harness = context;
    (void)runtime;
    harness->events = mem_resize(harness->events, harness->count + 1, sizeof(*harness->events));
    struct seen *seen = &harness->events[harness->count++];
    *seen = (struct seen){
        .kind = event->kind,
        .run = event->run,
        .exit_code = event->exit_code,
        .reason = event->reason,
        .oom_killed = event->oom_killed,
        .healthy = event->healthy,
        .health_index = event->health_index,
        .started_ms = event->started_ms,
        .finished_ms = event->finished_ms,
        .port_count = event->port_count < HARNESS_PORTS ? event->port_count : HARNESS_PORTS,
    };
    copy(seen->task_id, sizeof(seen->task_id), event->task_id);
    copy(seen->message, sizeof(seen->message), event->message);
    copy(seen->execution_id, sizeof(seen->execution_id), event->execution_id);
    copy(seen->cluster, sizeof(seen->cluster), event->cluster);
    copy(seen->address, sizeof(seen->address), event->address);
    if (seen->port_count)
        memcpy(seen->ports, event->ports, seen->port_count * sizeof(seen->ports[0]));
}

static void on_log(void *context, uint64_t request, int stream, const void *bytes, size_t length,
                   bool end, const struct err *err)
{
    struct harness *harness = context;
    (void)request;
    buf_add(&harness->log[stream], bytes, length);
    harness->log_ended |= end;
    harness->log_error = err ? err->code : harness->log_error;
}

static void on_patience(void *context)
{
    struct harness *harness = context;
    harness->out_of_patience = true;
}

struct harness *harness_new(void)
{
    struct harness *harness = mem_alloc(sizeof(*harness));
    harness->loop = loop_new();
    harness->patience = loop_timer_new(harness->loop, on_patience, harness);
    prng_init(&harness->prng, 1);
    return harness;
}

void harness_free(struct harness *harness)
{
    if (harness->runtime)
        harness->runtime->ops->close(harness->runtime);
    loop_timer_free(harness->patience);
    loop_free(harness->loop);
    for (size_t i = 0; i < ARRAY_LENGTH(harness->log); i++)
        buf_release(&harness->log[i]);
    free(harness->events);
    free(harness);
}

struct runtime_handler harness_handler(struct harness *harness)
{
    return (struct runtime_handler){.context = harness, .on_event = on_event, .on_log = on_log};
}

static void fail_with_events(const struct harness *harness, const char *what)
{
    for (size_t i = 0; i < harness->count; i++) {
        const struct seen *e = &harness->events[i];
        print_message("  %s %s/%lld reason=%s code=%lld %s\n", kind_names[e->kind], e->task_id,
                      (long long)e->run, reason_to_string(e->reason), (long long)e->exit_code,
                      e->message);
    }
    fail_msg("%s did not come", what);
}

static void begin_patience(struct harness *harness)
{
    harness->out_of_patience = false;
    loop_timer_set(harness->patience, clock_now(&clock_system).mono_ms + PATIENCE_MS);
}

static bool matches(const struct seen *seen, enum runtime_event_kind kind, const char *task_id)
{
    return seen->kind == kind && (!task_id || strcmp(seen->task_id, task_id) == 0);
}

const struct seen *harness_wait(struct harness *harness, enum runtime_event_kind kind,
                                const char *task_id)
{
    begin_patience(harness);
    for (size_t i = harness->read;; i++) {
        while (i >= harness->count && !harness->out_of_patience)
            loop_run_once(harness->loop);
        if (i >= harness->count)
            fail_with_events(harness, kind_names[kind]);
        if (matches(&harness->events[i], kind, task_id)) {
            harness->read = i + 1;
            return &harness->events[i];
        }
    }
}

size_t harness_count(const struct harness *harness, enum runtime_event_kind kind,
                     const char *task_id)
{
    size_t count = 0;
    for (size_t i = 0; i < harness->count; i++)
        count += matches(&harness->events[i], kind, task_id);
    return count;
}

void harness_until(struct harness *harness, bool (*done)(const struct harness *harness))
{
    begin_patience(harness);
    while (!done(harness) && !harness->out_of_patience)
        loop_run_once(harness->loop);
    if (harness->out_of_patience)
        fail_with_events(harness, "what was waited for");
}

bool harness_log_has_ended(const struct harness *harness)
{
    return harness->log_ended;
}

void harness_clear(struct harness *harness)
{
    const struct runtime_ops *ops = harness->runtime->ops;
    ops->set_cluster(harness->runtime, NULL);
    size_t from = harness->count;
    ops->list(harness->runtime);
    harness->read = from;
    harness_wait(harness, RUNTIME_LISTED, NULL);
    size_t until = harness->count;
    for (size_t i = from; i < until; i++) {
        struct seen seen = harness->events[i];
        if (seen.kind != RUNTIME_RUNNING && seen.kind != RUNTIME_EXITED)
            continue;
        ops->stop(harness->runtime, seen.task_id, seen.run, 9, 0);
        ops->remove(harness->runtime, seen.task_id, seen.run);
        harness_wait(harness, RUNTIME_GONE, seen.task_id);
    }
}

void harness_logs(struct harness *harness, const char *task_id, int64_t run, int64_t tail_lines,
                  size_t limit_bytes)
{
    for (size_t i = 0; i < ARRAY_LENGTH(harness->log); i++)
        buf_clear(&harness->log[i]);
    harness->log_ended = false;
    harness->log_error = 0;
    harness->runtime->ops->logs(harness->runtime, 7, task_id, run, tail_lines, limit_bytes, false);
    harness_until(harness, harness_log_has_ended);
}

void harness_start(struct harness *harness, const char *task_id, int64_t run,
                   const struct task_spec *task)
{
    static const char *const env[] = {"ARGOSY_JOB=web", NULL};
    harness->runtime->ops->start(harness->runtime, &(struct runtime_start){
                                                       .task_id = task_id,
                                                       .run = run,
                                                       .job = "web",
                                                       .term = 3,
                                                       .task = task,
                                                       .env = env,
                                                   });
}

void harness_until_log(struct harness *harness, const char *task_id, const char *text)
{
    do
        harness_logs(harness, task_id, 1, -1, 4096);
    while (strcmp(buf_text(&harness->log[1]), text) != 0);
}

static void on_usage(void *context, const char *task_id, const struct runtime_usage *usage)
{
    struct harness *harness = context;
    snprintf(harness->usage_of, sizeof(harness->usage_of), "%s", task_id);
    harness->usage = *usage;
    harness->usages++;
}

void harness_ask_usage(struct harness *harness, const char *task_id, int64_t run)
{
    harness->runtime->ops->usage(harness->runtime, task_id, run, on_usage, harness);
}

static bool has_usage(const struct harness *harness)
{
    return harness->usages > 0;
}

void harness_until_usage(struct harness *harness, const char *task_id)
{
    harness_until(harness, has_usage);
    assert_string_equal(harness->usage_of, task_id);
}
