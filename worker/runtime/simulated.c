/* An operation changes a task's next phase and when it is due, or adds an answer to the queue; the
 * step does what is due, in the order of (time, sequence), and reports it to every runtime of the
 * task's node.
 *
 *   PREPARING -> STARTING -> RUNNING -> ENDED
 *
 * While the engine is down nothing is reported, tasks run on, and starts that have not begun are
 * forgotten, as a real one does. */
#include "worker/runtime/simulated_engine.h"

#include "platform/base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

enum { EXIT_BY_REBOOT = 255 };

struct now simulated_now(const struct simulated_engine *engine)
{
    return engine->stepping ? engine->step_now : engine->config.clock->now(engine->config.clock);
}

/* ---- what is due ---- */

int64_t simulated_engine_deadline_ms(const struct simulated_engine *engine)
{
    const struct deadline *first = deadlines_first(&engine->deadlines);
    int64_t deadline_ms = first ? first->due_ms : INT64_MAX;
    int64_t answers_ms = engine->answers ? simulated_now(engine).mono_ms : INT64_MAX;
    return answers_ms < deadline_ms ? answers_ms : deadline_ms;
}

void simulated_changed(const struct simulated_engine *engine)
{
    if (engine->config.on_deadline && !engine->stepping)
        engine->config.on_deadline(engine->config.context, simulated_engine_deadline_ms(engine));
}

void simulated_task_set_due(struct simulated_engine *engine, struct simulated_task *task,
                            int64_t delay_ms)
{
    deadline_unset(&engine->deadlines, &task->deadline);
    deadline_set(&engine->deadlines, &task->deadline, simulated_now(engine).mono_ms + delay_ms);
}

void simulated_task_requeue(struct simulated_engine *engine, struct simulated_task *task)
{
    bool is_set = task->deadline.place;
    deadline_unset(&engine->deadlines, &task->deadline);
    if (is_set)
        deadline_set(&engine->deadlines, &task->deadline, task->deadline.due_ms);
}

static void task_unset_due(struct simulated_engine *engine, struct simulated_task *task)
{
    deadline_unset(&engine->deadlines, &task->deadline);
}

/* ---- executions ---- */

static struct simulated_task *first_of_id(const struct simulated_engine *engine,
                                          const char *task_id)
{
    struct simulated_task *first;
    HASH_FIND_STR(engine->by_id, task_id, first);
    return first;
}

struct simulated_task *simulated_task_find(const struct simulated_engine *engine, const char *node,
                                           const char *task_id, int64_t run)
{
    for (struct simulated_task *e = first_of_id(engine, task_id); e; e = e->same_id) {
        if (e->run == run && (!node || strcmp(e->node, node) == 0))
            return e;
    }
    return NULL;
}

static void lead_id(struct simulated_engine *engine, struct simulated_task *task)
{
    HASH_ADD_KEYPTR(hh, engine->by_id, task->task_id, strlen(task->task_id), task);
}

void simulated_task_add(struct simulated_engine *engine, struct simulated_task *task)
{
    struct simulated_task *last = first_of_id(engine, task->task_id);
    DL_APPEND(engine->tasks, task);
    if (!last) {
        lead_id(engine, task);
        return;
    }
    while (last->same_id)
        last = last->same_id;
    last->same_id = task;
}

static void leave_id(struct simulated_engine *engine, struct simulated_task *task)
{
    struct simulated_task *before = first_of_id(engine, task->task_id);
    if (before == task) {
        HASH_DEL(engine->by_id, task);
        if (task->same_id)
            lead_id(engine, task->same_id);
        return;
    }
    while (before->same_id != task)
        before = before->same_id;
    before->same_id = task->same_id;
}

static void task_free(struct simulated_engine *engine, struct simulated_task *task)
{
    DL_DELETE(engine->tasks, task);
    free(task->ports);
    free(task);
}

static void count_running(struct simulated_engine *engine, const struct simulated_task *task,
                          int by)
{
    if (task->phase == PHASE_RUNNING) {
        engine->running += by;
        engine->runs += by * task->run;
    }
}

/* A handler may remove a task while the step is at it. */
void simulated_task_drop(struct simulated_engine *engine, struct simulated_task *task)
{
    leave_id(engine, task);
    task_unset_due(engine, task);
    count_running(engine, task, -1);
    task->doomed = engine->any_doomed = true;
    if (!engine->stepping)
        task_free(engine, task);
}

static void drop_doomed(struct simulated_engine *engine)
{
    struct simulated_task *task, *next;
    if (!engine->any_doomed)
        return;
    engine->any_doomed = false;
    DL_FOREACH_SAFE(engine->tasks, task, next)
    {
        if (task->doomed)
            task_free(engine, task);
    }
}

enum reason simulated_task_end_reason(const struct simulated_task *task)
{
    if (task->oom_killed)
        return REASON_OOM_KILLED;
    return task->exit_code > 128 ? REASON_KILLED : REASON_EXITED;
}

static void report(struct simulated_engine *engine, const struct simulated_task *task,
                   enum runtime_event_kind kind, enum reason reason)
{
    if (engine->down)
        return;
    for (struct simulated_runtime *r = engine->runtimes; r; r = r->next) {
        if (simulated_runtime_sees(r, task))
            simulated_runtime_report(r, task, kind, reason);
    }
}

/* ---- from phase to phase ---- */

static void fail_start(struct simulated_engine *engine, struct simulated_task *task,
                       enum reason reason)
{
    report(engine, task, RUNTIME_FAILED, reason);
    simulated_task_drop(engine, task);
}

static void enter_starting(struct simulated_engine *engine, struct simulated_task *task)
{
    task->phase = PHASE_STARTING;
    simulated_task_set_due(engine, task, engine->config.start_ms);
    report(engine, task, RUNTIME_STARTING, REASON_NONE);
}

static void enter_running(struct simulated_engine *engine, struct simulated_task *task)
{
    const struct script *script = &task->script;
    if (engine->starts_to_fail > 0 || script->kind == SCRIPT_FAIL_START) {
        bool by_fault = engine->starts_to_fail > 0;
        engine->starts_to_fail -= by_fault;
        fail_start(engine, task, by_fault ? REASON_START_FAILED : script->reason);
        return;
    }
    struct now now = simulated_now(engine);
    bool ends = script->kind == SCRIPT_EXIT || script->kind == SCRIPT_OOM;
    task->phase = PHASE_RUNNING;
    count_running(engine, task, 1);
    task->started_mono_ms = now.mono_ms;
    task->started_ms = now.wall_ms;
    task->due_exit_code = script->exit_code;
    if (ends)
        simulated_task_set_due(engine, task, script->after_ms);
    report(engine, task, RUNTIME_RUNNING, REASON_NONE);
}

static void enter_ended(struct simulated_engine *engine, struct simulated_task *task)
{
    count_running(engine, task, -1);
    task->phase = PHASE_ENDED;
    task->exit_code = task->due_exit_code;
    task->oom_killed = task->script.kind == SCRIPT_OOM && !task->stopping;
    task->finished_ms = simulated_now(engine).wall_ms;
    report(engine, task, RUNTIME_EXITED, simulated_task_end_reason(task));
}

static void advance(struct simulated_engine *engine, struct simulated_task *task)
{
    task_unset_due(engine, task);
    switch (task->phase) {
    case PHASE_PREPARING:
        enter_starting(engine, task);
        break;
    case PHASE_STARTING:
        enter_running(engine, task);
        break;
    case PHASE_RUNNING:
        enter_ended(engine, task);
        break;
    case PHASE_ENDED:
        break;
    }
}

/* ---- the step ---- */

static struct simulated_task *first_due(const struct simulated_engine *engine, int64_t now_ms)
{
    struct deadline *first = deadlines_first(&engine->deadlines);
    return first && first->due_ms <= now_ms ? (struct simulated_task *)first : NULL;
}

void simulated_engine_step(struct simulated_engine *engine)
{
    struct simulated_task *due;
    engine->step_now = simulated_now(engine);
    engine->stepping = true;
    while (engine->answers || (due = first_due(engine, engine->step_now.mono_ms))) {
        if (engine->answers)
            simulated_answer_deliver(engine, engine->answers);
        else
            advance(engine, due);
    }
    engine->stepping = false;
    drop_doomed(engine);
    simulated_changed(engine);
}

void simulated_starts_orphan(struct simulated_engine *engine,
                             const struct simulated_runtime *starter)
{
    struct simulated_task *e, *next;
    DL_FOREACH_SAFE(engine->tasks, e, next)
    {
        if (e->doomed || (starter && e->starter != starter))
            continue;
        e->starter = NULL;
        if (e->phase == PHASE_PREPARING)
            simulated_task_drop(engine, e);
    }
}

/* ---- the machine ---- */

struct simulated_engine *simulated_engine_new(const struct simulated_engine_config *config)
{
    struct simulated_engine *engine = mem_alloc(sizeof(*engine));
    engine->config = *config;
    return engine;
}

void simulated_engine_free(struct simulated_engine *engine)
{
    if (!engine)
        return;
    ASSERT(!engine->runtimes);
    while (engine->tasks)
        simulated_task_drop(engine, engine->tasks);
    deadlines_release(&engine->deadlines);
    free(engine);
}

void simulated_engine_set_up(struct simulated_engine *engine, bool up)
{
    if (engine->down == !up)
        return;
    engine->down = !up;
    if (!up)
        simulated_starts_orphan(engine, NULL);
    for (struct simulated_runtime *r = engine->runtimes; r; r = r->next)
        simulated_answer_add(r, up ? RUNTIME_UP : RUNTIME_DOWN, NULL, 0);
    simulated_changed(engine);
}

bool simulated_engine_kill(struct simulated_engine *engine, const char *task_id, int64_t run,
                           int64_t exit_code)
{
    struct simulated_task *task = simulated_task_find(engine, NULL, task_id, run);
    if (!task || task->phase != PHASE_RUNNING)
        return false;
    task->due_exit_code = exit_code;
    simulated_task_set_due(engine, task, 0);
    simulated_changed(engine);
    return true;
}

bool simulated_engine_forget(struct simulated_engine *engine, const char *task_id, int64_t run)
{
    struct simulated_task *task = simulated_task_find(engine, NULL, task_id, run);
    if (!task)
        return false;
    for (struct simulated_runtime *r = engine->runtimes; r && !engine->down; r = r->next) {
        if (simulated_runtime_sees(r, task))
            simulated_answer_add(r, RUNTIME_GONE, task_id, run);
    }
    simulated_task_drop(engine, task);
    simulated_changed(engine);
    return true;
}

void simulated_engine_fail_starts(struct simulated_engine *engine, int count)
{
    engine->starts_to_fail = count;
}

void simulated_engine_set_delays(struct simulated_engine *engine, int64_t start_ms, int64_t stop_ms)
{
    engine->config.start_ms = start_ms;
    engine->config.stop_ms = stop_ms;
}

void simulated_engine_reboot(struct simulated_engine *engine)
{
    struct simulated_task *e, *next;
    DL_FOREACH_SAFE(engine->tasks, e, next)
    {
        if (e->doomed) {
            continue;
        } else if (e->phase < PHASE_RUNNING) {
            simulated_task_drop(engine, e);
        } else if (e->phase == PHASE_RUNNING) {
            e->due_exit_code = EXIT_BY_REBOOT;
            simulated_task_set_due(engine, e, 0);
        }
    }
    simulated_changed(engine);
}

static int compare_executions(const void *left, const void *right)
{
    const struct simulated_execution *a = left, *b = right;
    int order = strcmp(a->task_id, b->task_id);
    return order ? order : (a->run > b->run) - (a->run < b->run);
}

int64_t simulated_engine_running(const struct simulated_engine *engine, int64_t *ret_runs)
{
    *ret_runs = engine->runs;
    return engine->running;
}

void simulated_engine_visit(const struct simulated_engine *engine,
                            void (*visit)(void *context, const struct simulated_execution *task),
                            void *context)
{
    size_t count = 0, at = 0;
    const struct simulated_task *e;
    DL_COUNT(engine->tasks, e, count);
    struct simulated_execution *sorted = mem_alloc((count + 1) * sizeof(*sorted));
    DL_FOREACH(engine->tasks, e)
    {
        sorted[at++] = (struct simulated_execution){
            .task_id = e->task_id,
            .run = e->run,
            .node = e->node,
            .cluster = e->cluster,
            .running = e->phase == PHASE_RUNNING,
            .ended = e->phase == PHASE_ENDED,
            .exit_code = e->exit_code,
            .cpu_millis = e->resources.cpu_millis,
            .memory_bytes = e->resources.memory_bytes,
            .disk_bytes = e->resources.disk_bytes,
        };
    }
    qsort(sorted, count, sizeof(*sorted), compare_executions);
    for (at = 0; at < count; at++)
        visit(context, &sorted[at]);
    free(sorted);
}
