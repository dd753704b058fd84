/* GET logs -> frames -> on_log chunks. Without `follow` the frames are kept until the end, so that
 * of a log that is larger than its limit the last part is sent; with it they are passed on as they
 * come.
 *
 * Failure modes: no such container, engine down, a damaged stream: the end carries the error. */
#include "platform/adapters/loop.h"
#include "platform/base/mem.h"
#include "worker/runtime/docker_body.h"
#include "worker/runtime/docker_runtime.h"
#include "worker/runtime/log_frames.h"
#include "worker/runtime/log_tail.h"

#include <stdio.h>
#include <stdlib.h>
#include <utlist.h>

struct docker_logs {
    struct docker *docker;
    struct docker_logs *prev, *next;
    struct engine_request *request;
    uint64_t id;
    struct log_frames mux;
    struct log_tail tail;
    bool follow;
    bool damaged;
};

static void logs_free(struct docker_logs *logs)
{
    DL_DELETE(logs->docker->logs, logs);
    engine_cancel(logs->request);
    log_tail_release(&logs->tail);
    free(logs);
}

void docker_logs_cancel_all(struct docker *docker)
{
    while (docker->logs)
        logs_free(docker->logs);
}

static struct docker_logs *logs_find(struct docker *docker, uint64_t id)
{
    struct docker_logs *logs;
    DL_FOREACH(docker->logs, logs)
    {
        if (logs->id == id)
            return logs;
    }
    return NULL;
}

void docker_logs_cancel(struct docker *docker, uint64_t id)
{
    struct docker_logs *logs = logs_find(docker, id);
    if (logs)
        logs_free(logs);
}

static void send(void *context, int stream, const char *bytes, size_t length)
{
    struct docker_logs *logs = context;
    const struct runtime_handler *handler = &logs->docker->handler;
    handler->on_log(handler->context, logs->id, stream, bytes, length, false, NULL);
}

static void keep(void *context, int stream, const char *bytes, size_t length)
{
    struct docker_logs *logs = context;
    log_tail_add(&logs->tail, stream, bytes, length);
}

static void on_data(void *context, const char *bytes, size_t length)
{
    struct docker_logs *logs = context;
    log_frames_fn *write = logs->follow ? send : keep;
    if (!logs->damaged)
        logs->damaged = !log_frames_feed(&logs->mux, bytes, length, write, logs);
}

static void describe(const struct docker_logs *logs, const struct engine_reply *reply,
                     struct err *err)
{
    char text[LIMIT_MESSAGE_LENGTH + 1];
    if (reply->status == 404) {
        err_set(err, ERR_NOT_FOUND, "there is no such container any more");
    } else if (reply->status == 0) {
        *err = reply->err;
    } else if (!engine_reply_is_ok(reply)) {
        engine_error_text(reply->body, reply->length, text, sizeof(text));
        err_set(err, ERR_IO, "%s", text);
    } else if (logs->damaged) {
        err_set(err, ERR_CORRUPT, "the engine's log stream is damaged");
    }
}

static void on_done(void *context, const struct engine_reply *reply)
{
    struct docker_logs *logs = context;
    const struct runtime_handler *handler = &logs->docker->handler;
    struct err err = {0};
    logs->request = NULL;
    if (engine_reply_is_ok(reply))
        log_frames_end(&logs->mux, logs->follow ? send : keep, logs);
    log_tail_each(&logs->tail, send, logs);
    describe(logs, reply, &err);
    uint64_t id = logs->id;
    logs_free(logs);
    handler->on_log(handler->context, id, 1, NULL, 0, true, err.code ? &err : NULL);
}

void docker_logs_begin(struct docker *docker, uint64_t id, const char *task_id, int64_t run,
                       int64_t tail_lines, size_t limit_bytes, bool follow)
{
    _cleanup_free_ char *name = container_name(docker->node, task_id, run);
    char tail[24] = "all";
    if (tail_lines >= 0)
        snprintf(tail, sizeof(tail), "%lld", (long long)tail_lines);
    _cleanup_free_ char *path =
        mem_printf("/containers/%s/logs?stdout=1&stderr=1&tail=%s&follow=%d", name, tail, follow);
    struct docker_logs *logs = mem_alloc(sizeof(*logs));
    logs->docker = docker;
    logs->id = id;
    logs->follow = follow;
    logs->tail.limit_bytes = limit_bytes;
    DL_APPEND(docker->logs, logs);
    logs->request = engine_call(docker->client, &(struct engine_call){
                                                    .method = "GET",
                                                    .path = path,
                                                    .timeout_ms = follow ? 0 : ENGINE_LOGS_MS,
                                                    .on_data = on_data,
                                                    .on_done = on_done,
                                                    .context = logs,
                                                });
}
