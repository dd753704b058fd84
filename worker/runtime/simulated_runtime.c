/* A worker's connection to a simulated engine: the port, and the queue of answers that the step
 * delivers. */
#include "worker/runtime/simulated_engine.h"

#include "platform/base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

enum {
    FIRST_PORT = 20000,
    LAST_PORT = 59999,
    EXIT_BY_STOP = 143,
    EXIT_BY_KILL = 137,
};

static char *dup_or_null(const char *text)
{
    return text ? mem_strdup(text) : NULL;
}

struct simulated_answer *simulated_answer_add(struct simulated_runtime *runtime,
                                              enum runtime_event_kind kind, const char *task_id,
                                              int64_t run)
{
    struct simulated_answer *answer = mem_alloc(sizeof(*answer));
    answer->runtime = runtime;
    answer->kind = kind;
    answer->task_id = dup_or_null(task_id);
    answer->run = run;
    DL_APPEND(runtime->engine->answers, answer);
    return answer;
}

static void answer_free(struct simulated_answer *answer)
{
    free(answer->task_id);
    free(answer);
}

static void answer_drop(struct simulated_engine *engine, struct simulated_answer *answer)
{
    DL_DELETE(engine->answers, answer);
    answer_free(answer);
}

void simulated_runtime_report(struct simulated_runtime *runtime, const struct simulated_task *task,
                              enum runtime_event_kind kind, enum reason reason)
{
    struct runtime_event event = {
        .kind = kind,
        .task_id = task->task_id,
        .cluster = task->cluster,
        .run = task->run,
        .exit_code = task->exit_code,
        .reason = (int)reason,
        .oom_killed = task->oom_killed,
        .execution_id = task->execution,
        .started_ms = task->started_ms,
        .finished_ms = task->finished_ms,
        .ports = task->ports,
        .port_count = task->port_count,
    };
    runtime->handler.on_event(runtime->handler.context, &runtime->runtime, &event);
}

bool simulated_runtime_sees(const struct simulated_runtime *runtime,
                            const struct simulated_task *task)
{
    return strcmp(runtime->node, task->node) == 0 &&
           (!runtime->cluster || (task->cluster && strcmp(runtime->cluster, task->cluster) == 0));
}

/* ---- answers ---- */

/* Created, and nobody waits any more for it to run: a list removes it (docs/decisions.md, D14). */
static bool is_leftover(const struct simulated_task *task)
{
    return task->phase < PHASE_RUNNING && !task->starter;
}

static void list_to(struct simulated_runtime *runtime)
{
    struct simulated_task *e, *next;
    DL_FOREACH_SAFE(runtime->engine->tasks, e, next)
    {
        if (e->doomed)
            continue;
        if (is_leftover(e) && simulated_runtime_sees(runtime, e)) {
            simulated_task_drop(runtime->engine, e);
            continue;
        }
        if (e->phase == PHASE_RUNNING && simulated_runtime_sees(runtime, e))
            simulated_runtime_report(runtime, e, RUNTIME_RUNNING, REASON_NONE);
        else if (e->phase == PHASE_ENDED && simulated_runtime_sees(runtime, e))
            simulated_runtime_report(runtime, e, RUNTIME_EXITED, simulated_task_end_reason(e));
    }
}

static void usage_to(struct simulated_runtime *runtime, const struct simulated_answer *answer)
{
    const struct simulated_task *task =
        simulated_task_find(runtime->engine, runtime->node, answer->task_id, answer->run);
    if (!task || task->phase != PHASE_RUNNING || !simulated_runtime_sees(runtime, task))
        return;
    int64_t ran_ms = simulated_now(runtime->engine).mono_ms - task->started_mono_ms;
    struct runtime_usage usage = {
        .cpu_seconds_total = (double)(ran_ms * task->resources.cpu_millis) / 2e6, /* half of it */
        .memory_bytes = task->resources.memory_bytes / 2,
        .memory_limit_bytes = task->resources.memory_bytes,
        .net_rx_bytes = -1,
        .net_tx_bytes = -1,
        .block_read_bytes = -1,
        .block_write_bytes = -1,
        .pids = 1,
    };
    answer->usage(answer->usage_context, task->task_id, &usage);
}

static void log_to(struct simulated_runtime *runtime, const struct simulated_answer *answer)
{
    const struct runtime_handler *handler = &runtime->handler;
    char line[160];
    struct err err = {0};
    bool is_there =
        simulated_task_find(runtime->engine, runtime->node, answer->task_id, answer->run);
    if (is_there) {
        int length =
            snprintf(line, sizeof(line), "run %" PRId64 " of %s\n", answer->run, answer->task_id);
        handler->on_log(handler->context, answer->log, 1, line, (size_t)length, false, NULL);
    } else {
        err_set(&err, ERR_NOT_FOUND, "there is no such task");
    }
    handler->on_log(handler->context, answer->log, 1, NULL, 0, true, is_there ? NULL : &err);
}

static void tell(const struct simulated_answer *answer)
{
    struct simulated_runtime *runtime = answer->runtime;
    struct runtime_event event = {
        .kind = answer->kind,
        .task_id = answer->task_id,
        .run = answer->run,
        .reason = answer->reason,
        .message = answer->reason ? reason_text(answer->reason) : NULL,
        .health_index = answer->health_index,
        .healthy = answer->healthy,
    };
    runtime->handler.on_event(runtime->handler.context, &runtime->runtime, &event);
}

void simulated_answer_deliver(struct simulated_engine *engine, struct simulated_answer *answer)
{
    DL_DELETE(engine->answers, answer);
    if (answer->is_log) {
        log_to(answer->runtime, answer);
    } else if (answer->usage) {
        usage_to(answer->runtime, answer);
    } else {
        if (answer->kind == RUNTIME_LISTED)
            list_to(answer->runtime);
        tell(answer);
    }
    answer_free(answer);
}

/* ---- the port ---- */

static struct simulated_runtime *runtime_of(struct runtime *runtime)
{
    return (struct simulated_runtime *)(void *)runtime;
}

static void bind_ports(struct simulated_engine *engine, struct simulated_task *task,
                       const struct string_list *ports)
{
    if (ports->count)
        task->ports = mem_alloc(ports->count * sizeof(*task->ports));
    for (size_t i = 0; i < ports->count && task->port_count < TASK_PORTS_MAX; i++) {
        struct port_spec spec;
        if (!port_spec_parse(ports->items[i], &spec))
            continue;
        if (engine->next_port < FIRST_PORT || engine->next_port > LAST_PORT)
            engine->next_port = FIRST_PORT;
        task->ports[task->port_count++] = (struct runtime_port_binding){
            .container = spec.container,
            .host = spec.host ? spec.host : engine->next_port++,
            .udp = spec.udp,
        };
    }
}

static const char *copy_behind(char **cursor, const char *text)
{
    char *copy = *cursor;
    if (!text)
        return NULL;
    *cursor = stpcpy(copy, text) + 1;
    return copy;
}

static size_t size_of_text(const char *text)
{
    return text ? strlen(text) + 1 : 0;
}

/* With its texts in one piece of memory. */
static struct simulated_task *task_alloc(const struct simulated_runtime *runtime,
                                         const char *task_id)
{
    struct simulated_task *task = mem_alloc(sizeof(*task) + size_of_text(runtime->node) +
                                            size_of_text(runtime->cluster) + size_of_text(task_id));
    char *cursor = (char *)(task + 1);
    task->node = copy_behind(&cursor, runtime->node);
    task->cluster = copy_behind(&cursor, runtime->cluster);
    task->task_id = copy_behind(&cursor, task_id);
    return task;
}

static void task_new(struct simulated_runtime *runtime, const struct runtime_start *start)
{
    struct simulated_engine *engine = runtime->engine;
    struct simulated_task *task = task_alloc(runtime, start->task_id);
    task->run = start->run;
    snprintf(task->execution, sizeof(task->execution), "simulated-%" PRId64, start->run);
    task->script = simulated_script_read(&start->task->command);
    task->resources = start->task->resources;
    task->resources.devices = (struct string_list){0}; /* not ours to keep */
    bind_ports(engine, task, &start->task->ports);
    task->starter = runtime;
    task->phase = PHASE_PREPARING;
    simulated_task_set_due(engine, task, task->script.pull_ms);
    simulated_task_add(engine, task);
    if (task->script.pull_ms > 0)
        simulated_answer_add(runtime, RUNTIME_PREPARING, start->task_id, start->run);
}

static void simulated_start(struct runtime *base, const struct runtime_start *start)
{
    struct simulated_runtime *runtime = runtime_of(base);
    struct simulated_engine *engine = runtime->engine;
    struct simulated_task *known =
        simulated_task_find(engine, runtime->node, start->task_id, start->run);
    if (engine->down) {
        struct simulated_answer *answer =
            simulated_answer_add(runtime, RUNTIME_FAILED, start->task_id, start->run);
        answer->reason = REASON_ENGINE_DOWN;
    } else if (!known) {
        task_new(runtime, start);
    } else if (known->phase >= PHASE_RUNNING) {
        simulated_task_requeue(engine, known);
        simulated_answer_add(runtime,
                             known->phase == PHASE_RUNNING ? RUNTIME_RUNNING : RUNTIME_EXITED,
                             start->task_id, start->run);
    }
    simulated_changed(engine);
}

static void stop_running(struct simulated_engine *engine, struct simulated_task *task, int signal,
                         int64_t timeout_ms)
{
    bool by_kill = task->script.ignores_stop || signal == 9;
    int64_t delay_ms =
        task->script.ignores_stop && signal != 9 ? timeout_ms : engine->config.stop_ms;
    task->stopping = true;
    task->due_exit_code = by_kill ? EXIT_BY_KILL : EXIT_BY_STOP;
    simulated_task_set_due(engine, task, delay_ms);
}

static void simulated_stop(struct runtime *base, const char *task_id, int64_t run, int signal,
                           int64_t timeout_ms)
{
    struct simulated_runtime *runtime = runtime_of(base);
    struct simulated_engine *engine = runtime->engine;
    struct simulated_task *task = simulated_task_find(engine, runtime->node, task_id, run);
    if (engine->down)
        return; /* it does not hear */
    if (!task || task->phase < PHASE_RUNNING) {
        if (task)
            simulated_task_drop(engine, task);
        simulated_answer_add(runtime, RUNTIME_GONE, task_id, run);
    } else if (task->phase == PHASE_ENDED) {
        simulated_answer_add(runtime, RUNTIME_EXITED, task_id, run);
    } else if (!task->stopping || signal == 9) {
        stop_running(engine, task, signal, timeout_ms);
    }
    simulated_changed(engine);
}

static void simulated_remove(struct runtime *base, const char *task_id, int64_t run)
{
    struct simulated_runtime *runtime = runtime_of(base);
    struct simulated_engine *engine = runtime->engine;
    struct simulated_task *task = simulated_task_find(engine, runtime->node, task_id, run);
    if (engine->down || (task && task->phase == PHASE_RUNNING))
        return; /* only what has ended */
    if (task)
        simulated_task_drop(engine, task);
    simulated_answer_add(runtime, RUNTIME_GONE, task_id, run);
    simulated_changed(engine);
}

static void simulated_list(struct runtime *base)
{
    struct simulated_runtime *runtime = runtime_of(base);
    bool down = runtime->engine->down;
    simulated_answer_add(runtime, down ? RUNTIME_DOWN : RUNTIME_LISTED, NULL, 0);
    simulated_changed(runtime->engine);
}

static void simulated_probe(struct runtime *base, const char *task_id, int64_t run,
                            const struct task_spec *spec, int health_index)
{
    struct simulated_runtime *runtime = runtime_of(base);
    struct simulated_engine *engine = runtime->engine;
    struct simulated_task *task = simulated_task_find(engine, runtime->node, task_id, run);
    (void)spec;
    if (!task || task->phase != PHASE_RUNNING || engine->down)
        return;
    int64_t ran_ms = simulated_now(engine).mono_ms - task->started_mono_ms;
    struct simulated_answer *answer = simulated_answer_add(runtime, RUNTIME_HEALTH, task_id, run);
    answer->health_index = health_index;
    answer->healthy = task->script.kind != SCRIPT_UNHEALTHY || ran_ms < task->script.after_ms;
    simulated_changed(engine);
}

static void simulated_logs(struct runtime *base, uint64_t request, const char *task_id, int64_t run,
                           int64_t tail_lines, size_t limit_bytes, bool follow)
{
    struct simulated_runtime *runtime = runtime_of(base);
    (void)tail_lines;
    (void)limit_bytes;
    (void)follow;
    struct simulated_answer *answer = simulated_answer_add(runtime, RUNTIME_LISTED, task_id, run);
    answer->is_log = true;
    answer->log = request;
    simulated_changed(runtime->engine);
}

static void simulated_logs_cancel(struct runtime *base, uint64_t request)
{
    struct simulated_runtime *runtime = runtime_of(base);
    struct simulated_answer *answer, *next;
    DL_FOREACH_SAFE(runtime->engine->answers, answer, next)
    {
        if (answer->is_log && answer->log == request && answer->runtime == runtime)
            answer_drop(runtime->engine, answer);
    }
}

static void simulated_usage(struct runtime *base, const char *task_id, int64_t run,
                            runtime_usage_fn *report_usage, void *context)
{
    struct simulated_runtime *runtime = runtime_of(base);
    struct simulated_answer *answer = simulated_answer_add(runtime, RUNTIME_LISTED, task_id, run);
    answer->usage = report_usage;
    answer->usage_context = context;
    simulated_changed(runtime->engine);
}

static void simulated_set_cluster(struct runtime *base, const char *cluster)
{
    struct simulated_runtime *runtime = runtime_of(base);
    free(runtime->cluster);
    runtime->cluster = dup_or_null(cluster);
}

static void simulated_close(struct runtime *base)
{
    struct simulated_runtime *runtime = runtime_of(base);
    struct simulated_engine *engine = runtime->engine;
    struct simulated_answer *answer, *next;
    DL_FOREACH_SAFE(engine->answers, answer, next)
    {
        if (answer->runtime == runtime)
            answer_drop(engine, answer);
    }
    simulated_starts_orphan(engine, runtime);
    DL_DELETE(engine->runtimes, runtime);
    free(runtime->node);
    free(runtime->cluster);
    free(runtime);
}

static const struct runtime_ops simulated_ops = {
    .name = "simulated",
    .set_cluster = simulated_set_cluster,
    .start = simulated_start,
    .stop = simulated_stop,
    .remove = simulated_remove,
    .list = simulated_list,
    .probe = simulated_probe,
    .logs = simulated_logs,
    .logs_cancel = simulated_logs_cancel,
    .usage = simulated_usage,
    .close = simulated_close,
};

struct runtime *simulated_runtime_new(struct simulated_engine *engine, const char *node,
                                      const char *cluster, const struct runtime_handler *handler)
{
    struct simulated_runtime *runtime = mem_alloc(sizeof(*runtime));
    runtime->runtime.ops = &simulated_ops;
    runtime->engine = engine;
    runtime->handler = *handler;
    runtime->node = mem_strdup(node);
    runtime->cluster = dup_or_null(cluster);
    DL_APPEND(engine->runtimes, runtime);
    simulated_answer_add(runtime, engine->down ? RUNTIME_DOWN : RUNTIME_UP, NULL, 0);
    simulated_changed(engine);
    return &runtime->runtime;
}
