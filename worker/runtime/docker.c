/* The port's side: operations become wishes of an execution and are acted on at the next turn of
 * the loop, so that no event is reported from within a call. */
#include "worker/runtime/docker.h"

#include "platform/adapters/loop.h"
#include "platform/base/mem.h"
#include "platform/base/text.h"
#include "schema/job_spec.h"
#include "worker/runtime/docker_body.h"
#include "worker/runtime/docker_runtime.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

/* ---- events ---- */

void docker_event(struct docker *docker, enum runtime_event_kind kind)
{
    struct runtime_event event = {.kind = kind};
    docker->handler.on_event(docker->handler.context, &docker->runtime, &event);
}

static const char *text_or_null(const char *text)
{
    return text[0] ? text : NULL;
}

void docker_execution_event(struct execution *execution, enum runtime_event_kind kind)
{
    struct docker *docker = execution->docker;
    struct runtime_event event = {
        .kind = kind,
        .task_id = execution->task_id,
        .cluster = text_or_null(execution->cluster),
        .run = execution->run,
        .exit_code = execution->exit_code,
        .reason = (int)execution->reason,
        .oom_killed = execution->oom_killed,
        .message = text_or_null(execution->message),
        .execution_id = text_or_null(execution->id),
        .address = text_or_null(execution->address),
        .started_ms = execution->started_ms,
        .finished_ms = execution->finished_ms,
        .ports = execution->ports,
        .port_count = execution->port_count,
    };
    docker->handler.on_event(docker->handler.context, &docker->runtime, &event);
}

/* ---- executions ---- */

struct execution *docker_execution_find(struct docker *docker, const char *task_id, int64_t run)
{
    _cleanup_free_ char *name = container_name(docker->node, task_id, run);
    struct execution *execution = NULL;
    HASH_FIND_STR(docker->executions, name, execution);
    return execution;
}

struct execution *docker_execution_obtain(struct docker *docker, const char *task_id, int64_t run)
{
    struct execution *execution = docker_execution_find(docker, task_id, run);
    if (execution)
        return execution;
    execution = mem_alloc(sizeof(*execution));
    execution->docker = docker;
    execution->name = container_name(docker->node, task_id, run);
    execution->task_id = mem_strdup(task_id);
    execution->run = run;
    execution->exit_code = -1;
    HASH_ADD_KEYPTR(hh, docker->executions, execution->name, strlen(execution->name), execution);
    return execution;
}

void docker_execution_free(struct execution *execution)
{
    struct docker *docker = execution->docker;
    engine_cancel(execution->request);
    docker_start_release(execution);
    HASH_DELETE(hh, docker->executions, execution);
    buf_release(&execution->line);
    buf_release(&execution->payload);
    free(execution->ports);
    free(execution->body);
    free(execution->image);
    free(execution->task_id);
    free(execution->name);
    free(execution);
}

void docker_forget(struct docker *docker)
{
    struct execution *execution, *next;
    HASH_ITER(hh, docker->executions, execution, next)
    {
        docker_execution_free(execution);
    }
}

void docker_execution_touch(struct execution *execution)
{
    execution->touched = true;
    loop_timer_set(execution->docker->kick, 0);
}

void docker_execution_call_bounded(struct execution *execution, enum execution_phase phase,
                                   const char *method, const char *rest, int64_t timeout_ms,
                                   size_t limit_bytes,
                                   void (*on_done)(void *context, const struct engine_reply *reply))
{
    ASSERT(!execution->request);
    _cleanup_free_ char *path = mem_printf("/containers/%s%s", execution->name, rest);
    execution->phase = phase;
    execution->request = engine_call(execution->docker->client, &(struct engine_call){
                                                                    .method = method,
                                                                    .path = path,
                                                                    .timeout_ms = timeout_ms,
                                                                    .limit_bytes = limit_bytes,
                                                                    .on_done = on_done,
                                                                    .context = execution,
                                                                });
}

void docker_execution_call(struct execution *execution, enum execution_phase phase,
                           const char *method, const char *rest, int64_t timeout_ms,
                           void (*on_done)(void *context, const struct engine_reply *reply))
{
    docker_execution_call_bounded(execution, phase, method, rest, timeout_ms, 0, on_done);
}

void docker_execution_explain(struct execution *execution, enum reason reason, const char *message)
{
    execution->reason = reason;
    snprintf(execution->message, sizeof(execution->message), "%.*s", LIMIT_MESSAGE_LENGTH, message);
}

bool docker_execution_answered(struct execution *execution, const struct engine_reply *reply)
{
    execution->request = NULL;
    if (reply->status == 0)
        docker_link_failed(execution->docker, &reply->err);
    return reply->status != 0;
}

void docker_execution_learn(struct execution *execution, const struct container *container)
{
    memcpy(execution->id, container->id, sizeof(execution->id));
    memcpy(execution->cluster, container->identity.cluster, sizeof(execution->cluster));
    memcpy(execution->address, container->address, sizeof(execution->address));
    if (container->started_ms)
        execution->started_ms = container->started_ms;
    if (container->phase == CONTAINER_ENDED)
        return; /* its ports are closed, but they are what it had */
    execution->ports =
        mem_resize(execution->ports, container->port_count + 1, sizeof(*execution->ports));
    memcpy(execution->ports, container->ports, container->port_count * sizeof(*container->ports));
    execution->port_count = container->port_count;
}

bool docker_execution_is(const struct execution *execution, const struct container *container)
{
    const struct container_identity *identity = &container->identity;
    const char *cluster = execution->docker->cluster;
    return strcmp(identity->node, execution->docker->node) == 0 &&
           strcmp(identity->task_id, execution->task_id) == 0 && identity->run == execution->run &&
           (!cluster || strcmp(identity->cluster, cluster) == 0);
}

static void execution_drive(struct execution *execution)
{
    execution->touched = false;
    if (execution->request)
        return; /* its answer drives it */
    switch (execution->phase) {
    case EXECUTION_NEW:
        docker_start_drive(execution);
        break;
    case EXECUTION_RUNNING:
    case EXECUTION_ENDED:
        docker_end_drive(execution);
        break;
    case EXECUTION_LOOKING:
    case EXECUTION_CREATING:
    case EXECUTION_PULLING:
    case EXECUTION_STARTING:
    case EXECUTION_RESOLVING:
    case EXECUTION_DISCARDING:
    case EXECUTION_ENDING:
    case EXECUTION_DIAGNOSING:
    case EXECUTION_REMOVING:
        break;
    }
}

static void on_kick(void *context)
{
    struct docker *docker = context;
    struct execution *execution, *next;
    HASH_ITER(hh, docker->executions, execution, next)
    {
        if (execution->touched)
            execution_drive(execution);
    }
    docker_start_next(docker);
    if (docker->list_wanted && !docker->list)
        docker_list_begin(docker);
}

/* ---- what a start needs beyond the call ---- */

static bool port_is_given(void *context, int64_t port)
{
    const struct docker *docker = context;
    for (struct execution *e = docker->executions; e; e = e->hh.next) {
        for (size_t i = 0; i < e->port_count; i++) {
            if (e->phase != EXECUTION_ENDED && e->ports[i].host == port)
                return true;
        }
    }
    return false;
}

static void fail_at_once(struct execution *execution, enum reason reason, const char *message)
{
    docker_execution_explain(execution, reason, message);
    docker_execution_touch(execution);
}

/* Static ports as they are, others from the node's range; without one 0 leaves the choice to the
 * engine. False after it has failed. */
static bool choose_ports(struct execution *execution, const struct string_list *ports)
{
    struct docker *docker = execution->docker;
    bool has_range = docker->ports.range.first > 0;
    execution->ports = mem_alloc((ports->count + 1) * sizeof(*execution->ports));
    for (size_t i = 0; i < ports->count; i++) {
        struct port_spec spec;
        if (execution->port_count == TASK_PORTS_MAX || !port_spec_parse(ports->items[i], &spec)) {
            fail_at_once(execution, REASON_INVALID_SPEC, "its ports cannot be bound");
            return false;
        }
        if (spec.host == 0 && has_range)
            spec.host = port_pool_take(&docker->ports, spec.udp, port_is_given, docker);
        if (spec.host == 0 && has_range) {
            fail_at_once(execution, REASON_PORT_IN_USE, "no port of the node's range is free");
            return false;
        }
        execution->needs_ports |= spec.host == 0;
        execution->ports[execution->port_count++] = (struct runtime_port_binding){
            .container = spec.container, .host = spec.host, .udp = spec.udp};
    }
    return true;
}

static void prepare(struct execution *execution, const struct runtime_start *start)
{
    struct docker *docker = execution->docker;
    struct err err = {0};
    _cleanup_buf_ struct buf body = BUF_EMPTY;
    if (!choose_ports(execution, &start->task->ports))
        return;
    struct container_request request = {
        .node = docker->node,
        .cluster = docker->cluster,
        .bind_address = docker->bind_address,
        .start = start,
        .ports = execution->ports,
        .port_count = execution->port_count,
    };
    if (container_body(&request, &body, &err) < 0) {
        fail_at_once(execution, REASON_INVALID_SPEC, err.text);
        return;
    }
    execution->body = mem_strdup(buf_text(&body));
    if (start->payload)
        payload_archive(start->payload, start->payload_length, &execution->payload);
    execution->image = mem_strdup(start->task->image);
    execution->pull = start->task->pull;
    execution->stop_timeout_ms = start->task->stop.timeout_ms;
    text_copy(execution->cluster, sizeof(execution->cluster), docker->cluster);
}

/* ---- the port ---- */

static void docker_start(struct runtime *runtime, const struct runtime_start *start)
{
    struct docker *docker = docker_of(runtime);
    struct execution *execution = docker_execution_obtain(docker, start->task_id, start->run);
    if (execution->phase == EXECUTION_NEW && !execution->wants_start)
        prepare(execution, start);
    execution->wants_start = true;
    docker_execution_touch(execution);
}

static void docker_stop(struct runtime *runtime, const char *task_id, int64_t run, int signal,
                        int64_t timeout_ms)
{
    struct execution *execution = docker_execution_obtain(docker_of(runtime), task_id, run);
    execution->wants_stop = true;
    execution->stop_signal = signal;
    execution->stop_timeout_ms = timeout_ms;
    if (execution->phase == EXECUTION_PULLING) {
        engine_cancel(execution->request);
        execution->request = NULL;
        execution->phase = EXECUTION_NEW;
    }
    docker_execution_touch(execution);
}

static void docker_remove(struct runtime *runtime, const char *task_id, int64_t run)
{
    struct execution *execution = docker_execution_obtain(docker_of(runtime), task_id, run);
    execution->wants_remove = true;
    docker_execution_touch(execution);
}

static void docker_list(struct runtime *runtime)
{
    struct docker *docker = docker_of(runtime);
    docker->list_wanted = true;
    loop_timer_set(docker->kick, 0);
}

static void docker_probe(struct runtime *runtime, const char *task_id, int64_t run,
                         const struct task_spec *task, int health_index)
{
    docker_probe_begin(docker_of(runtime), task_id, run, task, health_index);
}

static void docker_logs(struct runtime *runtime, uint64_t request, const char *task_id, int64_t run,
                        int64_t tail_lines, size_t limit_bytes, bool follow)
{
    docker_logs_begin(docker_of(runtime), request, task_id, run, tail_lines, limit_bytes, follow);
}

static void docker_logs_end(struct runtime *runtime, uint64_t request)
{
    docker_logs_cancel(docker_of(runtime), request);
}

static void docker_usage(struct runtime *runtime, const char *task_id, int64_t run,
                         runtime_usage_fn *report, void *context)
{
    docker_usage_begin(docker_of(runtime), task_id, run, report, context);
}

static void docker_set_cluster(struct runtime *runtime, const char *cluster)
{
    struct docker *docker = docker_of(runtime);
    free(docker->cluster);
    docker->cluster = cluster ? mem_strdup(cluster) : NULL;
}

static void docker_close(struct runtime *runtime)
{
    struct docker *docker = docker_of(runtime);
    docker_list_cancel(docker);
    docker_usage_cancel(docker);
    docker_probe_cancel(docker);
    docker_logs_cancel_all(docker);
    docker_forget(docker);
    docker_link_release(docker);
    engine_client_free(docker->client);
    loop_timer_free(docker->kick);
    free(docker->node);
    free(docker->cluster);
    free(docker->bind_address);
    free(docker);
}

static const struct runtime_ops docker_ops = {
    .name = "docker",
    .set_cluster = docker_set_cluster,
    .start = docker_start,
    .stop = docker_stop,
    .remove = docker_remove,
    .list = docker_list,
    .probe = docker_probe,
    .logs = docker_logs,
    .logs_cancel = docker_logs_end,
    .usage = docker_usage,
    .close = docker_close,
};

struct runtime *docker_runtime_new(const struct docker_runtime_config *config,
                                   const struct runtime_handler *handler, struct loop *loop)
{
    struct docker *docker = mem_alloc(sizeof(*docker));
    docker->runtime.ops = &docker_ops;
    docker->handler = *handler;
    docker->loop = loop;
    docker->prng = config->prng;
    docker->node = mem_strdup(config->node);
    docker->cluster = config->cluster ? mem_strdup(config->cluster) : NULL;
    docker->bind_address = config->bind_address ? mem_strdup(config->bind_address) : NULL;
    docker->ports.range = config->ports;
    docker->client = engine_client_new(config->socket_path, loop);
    docker->kick = loop_timer_new(loop, on_kick, docker);
    docker_link_init(docker);
    return &docker->runtime;
}
