/* Two files of frames -> the last lines -> on_log chunks; with `follow`, what is appended after
 * that, until the task has ended or the request is cancelled. A file that the supervisor begins
 * anew is noticed by its number. */
#include "platform/adapters/clock_system.h"
#include "platform/adapters/loop.h"
#include "platform/base/mem.h"
#include "worker/runtime/log_frames.h"
#include "worker/runtime/log_tail.h"
#include "worker/runtime/process_runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utlist.h>

enum { FOLLOW_INTERVAL_MS = 250, READ_BYTES = 32 * 1024 };

struct process_logs {
    struct process *process;
    struct process_logs *prev, *next;
    struct loop_timer *timer;
    uint64_t id;
    char *task_id;
    int64_t run;
    int64_t tail_lines;
    bool follow;
    bool begun;
    int fd; /* of the present file; -1: none yet */
    ino_t file;
    struct log_frames frames;
    struct log_tail tail;
};

static void logs_free(struct process_logs *logs)
{
    DL_DELETE(logs->process->logs, logs);
    loop_timer_free(logs->timer);
    if (logs->fd >= 0)
        close(logs->fd);
    log_tail_release(&logs->tail);
    free(logs->task_id);
    free(logs);
}

void process_logs_cancel_all(struct process *process)
{
    while (process->logs)
        logs_free(process->logs);
}

void process_logs_cancel(struct process *process, uint64_t id)
{
    struct process_logs *logs, *next;
    DL_FOREACH_SAFE(process->logs, logs, next)
    {
        if (logs->id == id)
            logs_free(logs);
    }
}

/* ---- pieces ---- */

static void send(void *context, int stream, const char *bytes, size_t length)
{
    struct process_logs *logs = context;
    const struct runtime_handler *handler = &logs->process->handler;
    handler->on_log(handler->context, logs->id, stream, bytes, length, false, NULL);
}

static void keep(void *context, int stream, const char *bytes, size_t length)
{
    struct process_logs *logs = context;
    log_tail_add(&logs->tail, stream, bytes, length);
}

static void end(struct process_logs *logs, const struct err *err)
{
    const struct runtime_handler *handler = &logs->process->handler;
    uint64_t id = logs->id;
    logs_free(logs);
    handler->on_log(handler->context, id, 1, NULL, 0, true, err);
}

/* From where the descriptor is to the end of the file. */
static void read_on(struct process_logs *logs, log_frames_fn *write)
{
    char bytes[READ_BYTES];
    ssize_t length;
    while ((length = read(logs->fd, bytes, sizeof(bytes))) > 0) {
        if (!log_frames_feed(&logs->frames, bytes, (size_t)length, write, logs))
            logs->frames = LOG_FRAMES_EMPTY; /* a damaged file: the rest is passed over */
    }
}

static bool open_file(struct process_logs *logs, const char *name)
{
    struct stat stat;
    const struct execution *execution =
        process_execution_find(logs->process, logs->task_id, logs->run);
    if (!execution)
        return false;
    _cleanup_free_ char *path = process_execution_path(execution, name);
    logs->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (logs->fd < 0 || fstat(logs->fd, &stat) < 0)
        return false;
    logs->file = stat.st_ino;
    logs->frames = LOG_FRAMES_EMPTY;
    return true;
}

static void close_file(struct process_logs *logs)
{
    if (logs->fd >= 0)
        close(logs->fd);
    logs->fd = -1;
}

/* ---- the log so far ---- */

static void read_all(struct process_logs *logs)
{
    if (open_file(logs, SHIM_FILE_OLD))
        read_on(logs, keep);
    close_file(logs);
    if (open_file(logs, SHIM_FILE_LOG))
        read_on(logs, keep);
    if (logs->tail_lines >= 0)
        log_tail_keep_lines(&logs->tail, (size_t)logs->tail_lines);
    log_tail_each(&logs->tail, send, logs);
    log_tail_release(&logs->tail);
}

/* ---- what comes ---- */

static bool was_begun_anew(const struct process_logs *logs, const struct execution *execution)
{
    struct stat stat_now;
    _cleanup_free_ char *path = process_execution_path(execution, SHIM_FILE_LOG);
    return stat(path, &stat_now) == 0 && stat_now.st_ino != logs->file;
}

static void read_new(struct process_logs *logs, const struct execution *execution)
{
    if (logs->fd >= 0)
        read_on(logs, send);
    if (logs->fd < 0 || was_begun_anew(logs, execution)) {
        close_file(logs);
        if (open_file(logs, SHIM_FILE_LOG))
            read_on(logs, send);
    }
}

static void on_timer(void *context)
{
    struct process_logs *logs = context;
    struct err err = {0};
    const struct execution *execution =
        process_execution_find(logs->process, logs->task_id, logs->run);
    if (!execution || execution->phase == PROCESS_NEW) {
        err_set(&err, ERR_NOT_FOUND, "there is no such execution");
        end(logs, &err);
        return;
    }
    /* Looked at before the last read: nothing is written after the end. */
    bool goes_on = logs->follow && execution->phase != PROCESS_ENDED;
    if (logs->begun)
        read_new(logs, execution);
    else
        read_all(logs);
    logs->begun = true;
    if (goes_on)
        loop_timer_set(logs->timer, clock_now(&clock_system).mono_ms + FOLLOW_INTERVAL_MS);
    else
        end(logs, NULL);
}

void process_logs_begin(struct process *process, uint64_t id, const char *task_id, int64_t run,
                        int64_t tail_lines, size_t limit_bytes, bool follow)
{
    struct process_logs *logs = mem_alloc(sizeof(*logs));
    logs->process = process;
    logs->id = id;
    logs->task_id = mem_strdup(task_id);
    logs->run = run;
    logs->tail_lines = tail_lines;
    logs->tail.limit_bytes = limit_bytes;
    logs->follow = follow;
    logs->fd = -1;
    logs->timer = loop_timer_new(process->loop, on_timer, logs);
    DL_APPEND(process->logs, logs);
    loop_timer_set(logs->timer, 0);
}
