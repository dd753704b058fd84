/* The port's side and the list. An execution that is asked for and not known is looked for in its
 * directory first, so that every operation finds what an earlier worker left. */
#include "worker/runtime/process.h"

#include "platform/adapters/loop.h"
#include "platform/base/mem.h"
#include "schema/topics.h"
#include "worker/runtime/process_runtime.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- events ---- */

static void process_event(struct process *process, enum runtime_event_kind kind)
{
    struct runtime_event event = {.kind = kind};
    process->handler.on_event(process->handler.context, &process->runtime, &event);
}

void process_execution_event(struct execution *execution, enum runtime_event_kind kind)
{
    struct process *process = execution->process;
    char pid[24];
    snprintf(pid, sizeof(pid), "%d", (int)execution->task.pid);
    struct runtime_event event = {
        .kind = kind,
        .task_id = execution->task_id,
        .cluster = execution->meta.cluster[0] ? execution->meta.cluster : NULL,
        .run = execution->run,
        .exit_code = execution->exit_code,
        .reason = (int)execution->reason,
        .oom_killed = execution->oom_killed,
        .message = execution->message[0] ? execution->message : NULL,
        .execution_id = execution->task.pid ? pid : NULL,
        .address = "127.0.0.1",
        .started_ms = execution->started_ms,
        .finished_ms = execution->finished_ms,
        .ports = execution->meta.ports,
        .port_count = execution->meta.port_count,
    };
    process->handler.on_event(process->handler.context, &process->runtime, &event);
}

/* ---- executions ---- */

static char *directory_of(const struct process *process, const char *task_id, int64_t run)
{
    return mem_printf("%s/%s/%" PRId64, process->data_dir, task_id, run);
}

char *process_execution_path(const struct execution *execution, const char *file)
{
    return mem_printf("%s/%s", execution->directory, file);
}

struct execution *process_execution_find(struct process *process, const char *task_id, int64_t run)
{
    _cleanup_free_ char *directory = directory_of(process, task_id, run);
    struct execution *execution = NULL;
    HASH_FIND_STR(process->executions, directory, execution);
    return execution;
}

struct execution *process_execution_obtain(struct process *process, const char *task_id,
                                           int64_t run)
{
    struct execution *execution = process_execution_find(process, task_id, run);
    if (execution)
        return execution;
    execution = mem_alloc(sizeof(*execution));
    execution->process = process;
    execution->task_id = mem_strdup(task_id);
    execution->run = run;
    execution->directory = directory_of(process, task_id, run);
    execution->status_fd = execution->pidfd = -1;
    HASH_ADD_KEYPTR(hh, process->executions, execution->directory, strlen(execution->directory),
                    execution);
    process_end_load(execution);
    return execution;
}

void process_execution_free(struct execution *execution)
{
    HASH_DELETE(hh, execution->process->executions, execution);
    loop_poll_free(execution->status_poll);
    loop_poll_free(execution->end_poll);
    loop_timer_free(execution->kill_timer);
    if (execution->status_fd >= 0)
        close(execution->status_fd);
    if (execution->pidfd >= 0)
        close(execution->pidfd);
    free(execution->directory);
    free(execution->task_id);
    free(execution);
}

void process_execution_touch(struct execution *execution)
{
    execution->touched = true;
    loop_timer_set(execution->process->kick, 0);
}

/* ---- the turn after an operation ---- */

static void drive_new(struct execution *execution)
{
    if (execution->reason) {
        process_end_clean(execution);
        process_execution_event(execution, RUNTIME_FAILED);
    } else {
        process_execution_event(execution, RUNTIME_GONE); /* asked to end what is not there */
    }
    process_execution_free(execution);
}

static void drive_ended(struct execution *execution)
{
    if (execution->wants_stop || execution->wants_repeat)
        process_execution_event(execution, RUNTIME_EXITED);
    execution->wants_stop = execution->wants_repeat = false;
    if (execution->wants_remove)
        process_end_remove(execution);
}

static void drive(struct execution *execution)
{
    execution->touched = false;
    switch (execution->phase) {
    case PROCESS_NEW:
        drive_new(execution);
        break;
    case PROCESS_STARTING:
        break; /* its supervisor tells */
    case PROCESS_RUNNING:
        if (execution->wants_repeat)
            process_execution_event(execution, RUNTIME_RUNNING);
        execution->wants_repeat = false;
        if (execution->wants_stop)
            process_end_stop(execution);
        break;
    case PROCESS_ENDED:
        drive_ended(execution);
        break;
    }
}

/* ---- the list ---- */

/* Calls `visit` for each entry of a directory but "." and "..". */
static void each_entry(const char *path, void (*visit)(void *context, const char *name),
                       void *context)
{
    DIR *directory = opendir(path);
    const struct dirent *entry;
    while (directory && (entry = readdir(directory))) {
        if (entry->d_name[0] != '.')
            visit(context, entry->d_name);
    }
    if (directory)
        closedir(directory);
}

struct scan {
    struct process *process;
    const char *task_id;
};

static void scan_run(void *context, const char *name)
{
    const struct scan *scan = context;
    char *end;
    int64_t run = strtoll(name, &end, 10);
    if (*end || run < 0)
        return;
    struct execution *execution = process_execution_obtain(scan->process, scan->task_id, run);
    if (execution->phase == PROCESS_NEW && !execution->touched)
        process_execution_free(execution); /* a leftover, removed by now, or not an execution */
}

static void scan_task(void *context, const char *name)
{
    struct scan scan = {.process = context, .task_id = name};
    _cleanup_free_ char *path = mem_printf("%s/%s", scan.process->data_dir, name);
    if (attempt_name_parse(name, &(struct attempt_name){0}))
        each_entry(path, scan_run, &scan);
}

static bool is_ours(const struct process *process, const struct process_meta *meta)
{
    return strcmp(meta->node, process->node) == 0 &&
           (!process->cluster || strcmp(meta->cluster, process->cluster) == 0);
}

static void report(struct execution *execution)
{
    if (!is_ours(execution->process, &execution->meta))
        return;
    if (execution->phase == PROCESS_RUNNING) {
        process_execution_event(execution, RUNTIME_RUNNING);
    } else if (execution->phase == PROCESS_ENDED && access(execution->directory, F_OK) == 0) {
        process_execution_event(execution, RUNTIME_EXITED);
    } else if (execution->phase == PROCESS_ENDED) { /* removed by others */
        process_execution_event(execution, RUNTIME_GONE);
        process_execution_free(execution);
    }
}

static void list_now(struct process *process)
{
    struct execution *execution, *next;
    process->list_wanted = false;
    each_entry(process->data_dir, scan_task, process);
    HASH_ITER(hh, process->executions, execution, next)
    {
        report(execution);
    }
    process_event(process, RUNTIME_LISTED);
}

static void on_kick(void *context)
{
    struct process *process = context;
    struct execution *execution, *next;
    if (!process->told_up) {
        process->told_up = true;
        process_event(process, RUNTIME_UP);
    }
    HASH_ITER(hh, process->executions, execution, next)
    {
        if (execution->touched)
            drive(execution);
    }
    if (process->list_wanted)
        list_now(process);
    if (process->report_usage)
        process_usage_report(process);
}

/* ---- the port ---- */

static void process_start(struct runtime *runtime, const struct runtime_start *start)
{
    struct execution *execution =
        process_execution_obtain(process_of(runtime), start->task_id, start->run);
    if (execution->phase == PROCESS_NEW && !execution->touched) {
        process_start_begin(execution, start);
    } else {
        execution->wants_repeat = true;
        process_execution_touch(execution);
    }
}

static void process_stop(struct runtime *runtime, const char *task_id, int64_t run, int signal,
                         int64_t timeout_ms)
{
    struct execution *execution = process_execution_obtain(process_of(runtime), task_id, run);
    execution->wants_stop = true;
    execution->stop_signal = signal;
    execution->stop_timeout_ms = timeout_ms;
    process_execution_touch(execution);
}

static void process_remove(struct runtime *runtime, const char *task_id, int64_t run)
{
    struct execution *execution = process_execution_obtain(process_of(runtime), task_id, run);
    execution->wants_remove = true;
    process_execution_touch(execution);
}

static void process_list(struct runtime *runtime)
{
    struct process *process = process_of(runtime);
    process->list_wanted = true;
    loop_timer_set(process->kick, 0);
}

static void process_probe(struct runtime *runtime, const char *task_id, int64_t run,
                          const struct task_spec *task, int health_index)
{
    process_probe_begin(process_of(runtime), task_id, run, task, health_index);
}

static void process_logs(struct runtime *runtime, uint64_t request, const char *task_id,
                         int64_t run, int64_t tail_lines, size_t limit_bytes, bool follow)
{
    process_logs_begin(process_of(runtime), request, task_id, run, tail_lines, limit_bytes, follow);
}

static void process_logs_end(struct runtime *runtime, uint64_t request)
{
    process_logs_cancel(process_of(runtime), request);
}

static void process_usage(struct runtime *runtime, const char *task_id, int64_t run,
                          runtime_usage_fn *report_usage, void *context)
{
    struct process *process = process_of(runtime);
    struct execution *execution = process_execution_find(process, task_id, run);
    if (!execution)
        return;
    execution->wants_usage = true;
    process->report_usage = report_usage;
    process->usage_context = context;
    loop_timer_set(process->kick, 0);
}

static void process_set_cluster(struct runtime *runtime, const char *cluster)
{
    struct process *process = process_of(runtime);
    free(process->cluster);
    process->cluster = cluster ? mem_strdup(cluster) : NULL;
}

static void process_close(struct runtime *runtime)
{
    struct process *process = process_of(runtime);
    struct execution *execution, *next;
    process_logs_cancel_all(process);
    process_probe_cancel(process);
    HASH_ITER(hh, process->executions, execution, next)
    {
        process_execution_free(execution);
    }
    cgroup_root_remove(&process->cgroups);
    loop_timer_free(process->kick);
    free(process->node);
    free(process->cluster);
    free(process->data_dir);
    free(process->shim_path);
    free(process);
}

static const struct runtime_ops process_ops = {
    .name = "process",
    .set_cluster = process_set_cluster,
    .start = process_start,
    .stop = process_stop,
    .remove = process_remove,
    .list = process_list,
    .probe = process_probe,
    .logs = process_logs,
    .logs_cancel = process_logs_end,
    .usage = process_usage,
    .close = process_close,
};

/* Others than the owner may pass through (a task may run as another user) but not look around. */
enum { DATA_DIRECTORY_MODE = 0711 };

struct runtime *process_runtime_new(const struct process_runtime_config *config,
                                    const struct runtime_handler *handler, struct loop *loop,
                                    struct err *err)
{
    if (mkdir(config->data_dir, DATA_DIRECTORY_MODE) < 0 && errno != EEXIST) {
        err_set_errno(err, ERR_IO, errno, "%s cannot be made", config->data_dir);
        return NULL;
    }
    if (access(config->shim_path, X_OK) < 0) {
        err_set_errno(err, ERR_IO, errno, "the supervisor %s cannot be executed",
                      config->shim_path);
        return NULL;
    }
    struct process *process = mem_alloc(sizeof(*process));
    process->runtime.ops = &process_ops;
    process->handler = *handler;
    process->loop = loop;
    process->kick = loop_timer_new(loop, on_kick, process);
    process->node = mem_strdup(config->node);
    process->cluster = config->cluster ? mem_strdup(config->cluster) : NULL;
    /* Absolute: the supervisor has another working directory. */
    process->data_dir = realpath(config->data_dir, NULL);
    process->shim_path = mem_strdup(config->shim_path);
    process->ports.range = config->ports;
    ASSERT(process->data_dir);
    cgroup_root_find(config->node, &process->cgroups);
    loop_timer_set(process->kick, 0);
    return &process->runtime;
}
