/* stop -> (die event, or the stop's answer) -> inspect: how did it end? -> EXITED; remove -> GONE.
 *
 * Failure modes: removed by others while we look (the event's exit code is told, then GONE); a
 * command that the container's init process could not run looks like exit code 127 (or 1) and is
 * told apart by its last words: FAILED; a stop that the engine could not carry out leaves it
 * RUNNING, and whoever lists asks again. */
#include "platform/base/mem.h"
#include "worker/runtime/docker_runtime.h"
#include "worker/runtime/log_frames.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    INIT_FAILS_WITHIN_MS = 30000, /* on a busy machine; its words tell it from a task */
    EXIT_NOT_EXECUTABLE = 126,
    EXIT_NOT_FOUND = 127,
    EXIT_SIGNAL = 128, /* and above: ended by a signal */
    EXIT_UNKNOWN = 255,
};

/* ---- ended ---- */

static void tell_ended(struct execution *execution)
{
    execution->phase = EXECUTION_ENDED;
    execution->reason = execution->oom_killed                ? REASON_OOM_KILLED
                        : execution->exit_code > EXIT_SIGNAL ? REASON_KILLED
                                                             : REASON_EXITED;
    execution->wants_start = execution->wants_stop = execution->stop_sent = false;
    docker_start_release(execution);
    docker_execution_event(execution, RUNTIME_EXITED);
    if (execution->wants_remove)
        docker_execution_touch(execution);
}

static void learn_end(struct execution *execution, const struct container *container)
{
    docker_execution_learn(execution, container);
    execution->exit_code = container->exit_code >= 0 ? container->exit_code : EXIT_UNKNOWN;
    execution->oom_killed = container->oom_killed;
    execution->finished_ms = container->finished_ms;
}

/* ---- could not even run? ---- */

static bool may_be_init_failure(const struct execution *execution)
{
    return (execution->exit_code == EXIT_NOT_FOUND || execution->exit_code == EXIT_NOT_EXECUTABLE ||
            execution->exit_code == EXIT_FAILURE) && /* Podman's init */
           !execution->wants_stop &&
           execution->finished_ms - execution->started_ms < INIT_FAILS_WITHIN_MS;
}

static void collect(void *context, int stream, const char *bytes, size_t length)
{
    struct buf *text = context;
    if (stream == 2)
        buf_add(text, bytes, length);
}

static void on_diagnosed(void *context, const struct engine_reply *reply)
{
    struct execution *execution = context;
    _cleanup_buf_ struct buf text = BUF_EMPTY;
    struct log_frames mux = LOG_FRAMES_EMPTY;
    if (reply->err.code == ERR_TOO_LARGE) /* no init says so much */
        execution->request = NULL;
    else if (!docker_execution_answered(execution, reply))
        return;
    if (engine_reply_is_ok(reply))
        log_frames_feed(&mux, reply->body, reply->length, collect, &text);
    const char *sentence = NULL;
    enum reason reason = init_failure_reason(buf_text(&text), &sentence);
    if (reason) {
        _cleanup_free_ char *words = mem_printf("%.*s", (int)strcspn(sentence, "\n"), sentence);
        docker_start_discard(execution, reason, words);
    } else {
        tell_ended(execution);
    }
}

/* All that it wrote is asked for: Podman 4.3 leaves out the beginning of a line that was written in
 * pieces when it is asked for the last lines. */
static void diagnose(struct execution *execution)
{
    enum { LAST_WORDS_BYTES = 8192 };
    docker_execution_call_bounded(execution, EXECUTION_DIAGNOSING, "GET", "/logs?stderr=1",
                                  ENGINE_INSPECT_MS, LAST_WORDS_BYTES, on_diagnosed);
}

/* ---- how did it end? ---- */

static void gone(struct execution *execution)
{
    docker_execution_event(execution, RUNTIME_GONE);
    docker_execution_free(execution);
}

/* Removed by others. The event may have told how it ended. */
static void vanished(struct execution *execution)
{
    if (execution->died && execution->exit_code >= 0)
        tell_ended(execution);
    gone(execution);
}

/* A stop that was sent has failed, and whoever lists asks again; one that came meanwhile is to be
 * sent. */
static void runs_on(struct execution *execution)
{
    execution->wants_stop &= !execution->stop_sent;
    execution->died = execution->stop_sent = false;
    docker_execution_touch(execution);
}

static void on_looked(void *context, const struct engine_reply *reply)
{
    struct execution *execution = context;
    _cleanup_json_ struct json *tree = NULL;
    struct container container;
    if (!docker_execution_answered(execution, reply))
        return;
    execution->phase = EXECUTION_RUNNING;
    if (reply->status == 404) {
        vanished(execution);
        return;
    }
    if (json_parse(reply->body, reply->length, &tree, NULL) < 0 ||
        !container_from_inspect(tree, &container) || container.phase != CONTAINER_ENDED) {
        runs_on(execution);
        return;
    }
    learn_end(execution, &container);
    if (may_be_init_failure(execution))
        diagnose(execution);
    else
        tell_ended(execution);
}

void docker_end_look(struct execution *execution)
{
    docker_execution_call(execution, EXECUTION_ENDING, "GET", "/json", ENGINE_INSPECT_MS,
                          on_looked);
}

void docker_end_observe(struct execution *execution, const struct container *container)
{
    docker_start_release(execution);
    if (container->phase == CONTAINER_ENDED) {
        learn_end(execution, container);
        tell_ended(execution);
        return;
    }
    docker_execution_learn(execution, container);
    execution->phase = EXECUTION_RUNNING;
    execution->wants_start = false;
    docker_execution_event(execution, RUNTIME_RUNNING);
    docker_execution_touch(execution);
}

/* ---- it runs ---- */

/* A port whose number never came to be known (it ended first). */
static void drop_unbound_ports(struct execution *execution)
{
    size_t kept = 0;
    for (size_t i = 0; i < execution->port_count; i++) {
        if (execution->ports[i].host > 0)
            execution->ports[kept++] = execution->ports[i];
    }
    execution->port_count = kept;
}

void docker_end_started(struct execution *execution)
{
    struct docker *docker = execution->docker;
    docker_start_release(execution);
    execution->phase = EXECUTION_RUNNING;
    execution->wants_start = false;
    free(execution->body);
    execution->body = NULL;
    drop_unbound_ports(execution);
    docker_execution_event(execution, RUNTIME_RUNNING);
    if (execution->died)
        docker_end_look(execution);
    else
        docker_execution_touch(execution);
    docker_start_next(docker);
}

void docker_end_on_event(struct docker *docker, const struct engine_event *event)
{
    const struct container_identity *identity = &event->identity;
    struct execution *execution = docker_execution_find(docker, identity->task_id, identity->run);
    if (!execution || (execution->id[0] && strcmp(execution->id, event->id) != 0))
        return;
    bool is_idle = !execution->request &&
                   (execution->phase == EXECUTION_RUNNING || execution->phase == EXECUTION_ENDED);
    if (event->kind == ENGINE_EVENT_DIE && execution->phase < EXECUTION_ENDED) {
        execution->died = true;
        execution->exit_code = event->exit_code;
        if (is_idle)
            docker_end_look(execution);
    } else if (event->kind == ENGINE_EVENT_DESTROY && is_idle) {
        gone(execution);
    }
}

/* ---- stop and remove ---- */

static void on_stopped(void *context, const struct engine_reply *reply)
{
    struct execution *execution = context;
    if (reply->err.code == ERR_TIMED_OUT) {
        execution->request = NULL; /* a slow end, not a dead engine */
        docker_end_look(execution);
    } else if (docker_execution_answered(execution, reply)) {
        docker_end_look(execution); /* whatever it said: the container tells */
    }
}

/* The engine counts in whole seconds. Before API 1.42 it takes the signal from the container, which
 * was made with the task's own. */
static void send_stop(struct execution *execution)
{
    char rest[64];
    int64_t seconds = (execution->stop_timeout_ms + 999) / 1000;
    snprintf(rest, sizeof(rest), "/stop?t=%lld&signal=%d", (long long)seconds,
             execution->stop_signal);
    execution->stop_sent = true;
    docker_execution_call(execution, EXECUTION_RUNNING, "POST", rest,
                          seconds * 1000 + ENGINE_STOP_EXTRA_MS, on_stopped);
}

static void on_removed(void *context, const struct engine_reply *reply)
{
    struct execution *execution = context;
    if (!docker_execution_answered(execution, reply))
        return;
    execution->phase = EXECUTION_ENDED;
    execution->wants_remove = false;
    bool is_going = reply->status == 409 && strstr(reply->body, "already in progress");
    if (engine_reply_is_ok(reply) || reply->status == 404 || is_going)
        gone(execution);
    else if (reply->status == 409)
        docker_end_look(execution); /* it runs: somebody started it again */
}

/* What is asked for is there already: says so. */
static void repeat(struct execution *execution, enum runtime_event_kind kind)
{
    execution->wants_start = false;
    docker_execution_event(execution, kind);
}

void docker_end_drive(struct execution *execution)
{
    bool runs = execution->phase == EXECUTION_RUNNING;
    if (execution->wants_start)
        repeat(execution, runs ? RUNTIME_RUNNING : RUNTIME_EXITED);
    if (runs && execution->wants_stop && !execution->stop_sent) {
        send_stop(execution);
    } else if (!runs && execution->wants_stop) {
        execution->wants_stop = false;
        docker_execution_event(execution, RUNTIME_EXITED);
    }
    if (!runs && execution->wants_remove)
        docker_execution_call(execution, EXECUTION_REMOVING, "DELETE", "?v=1", ENGINE_REMOVE_MS,
                              on_removed);
}
