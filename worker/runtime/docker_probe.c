/* A check of a running container: over its own address (http, tcp), or a command inside it (exec).
 *
 * The address is what the last list or inspect told; without one the container is inspected first.
 * An exec that does not end in time counts as failed; the engine has no way to end it. */
#include "platform/base/mem.h"
#include "platform/base/text.h"
#include "schema/job_spec.h"
#include "worker/runtime/docker_body.h"
#include "worker/runtime/docker_runtime.h"
#include "worker/runtime/probe_net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

struct docker_probe {
    struct docker *docker;
    struct docker_probe *prev, *next;
    struct engine_request *request;
    struct probe_net *net;
    char *task_id;
    int64_t run;
    int health_index;
    int64_t timeout_ms;
    int64_t port;
    char *http_path; /* NULL: tcp */
    char *exec_body; /* NULL: http or tcp */
    char exec_id[CONTAINER_ID_LENGTH + 1];
};

static void probe_free(struct docker_probe *probe)
{
    DL_DELETE(probe->docker->probes, probe);
    engine_cancel(probe->request);
    probe_net_cancel(probe->net);
    free(probe->task_id);
    free(probe->http_path);
    free(probe->exec_body);
    free(probe);
}

void docker_probe_cancel(struct docker *docker)
{
    while (docker->probes)
        probe_free(docker->probes);
}

static void tell(struct docker_probe *probe, bool healthy, const char *message)
{
    struct docker *docker = probe->docker;
    struct runtime_event event = {
        .kind = RUNTIME_HEALTH,
        .task_id = probe->task_id,
        .run = probe->run,
        .healthy = healthy,
        .health_index = probe->health_index,
        .message = message,
    };
    docker->handler.on_event(docker->handler.context, &docker->runtime, &event);
    probe_free(probe);
}

/* The reply's tree, or NULL after the probe was told to have failed. */
static struct json *answer(struct docker_probe *probe, const struct engine_reply *reply)
{
    char text[LIMIT_MESSAGE_LENGTH + 1];
    struct json *tree = NULL;
    probe->request = NULL;
    if (reply->status == 0) {
        tell(probe, false, reply->err.text);
    } else if (!engine_reply_is_ok(reply)) {
        engine_error_text(reply->body, reply->length, text, sizeof(text));
        tell(probe, false, text);
    } else if (json_parse(reply->body, reply->length, &tree, NULL) < 0) {
        tell(probe, false, "the engine's reply is not JSON");
    }
    return tree;
}

static void ask(struct docker_probe *probe, const char *method, const char *path, const char *body,
                void (*on_done)(void *context, const struct engine_reply *reply))
{
    probe->request = engine_call(probe->docker->client, &(struct engine_call){
                                                            .method = method,
                                                            .path = path,
                                                            .body = body,
                                                            .timeout_ms = probe->timeout_ms,
                                                            .on_done = on_done,
                                                            .context = probe,
                                                        });
}

/* ---- a command ---- */

static void on_exec_inspected(void *context, const struct engine_reply *reply)
{
    struct docker_probe *probe = context;
    _cleanup_json_ struct json *tree = answer(probe, reply);
    char text[64];
    if (!tree)
        return;
    int64_t exit_code = json_int(json_get(tree, "ExitCode"), -1);
    snprintf(text, sizeof(text), "the check exited with code %lld", (long long)exit_code);
    tell(probe, exit_code == 0, exit_code == 0 ? NULL : text);
}

/* Its output ended, and with it the command. */
static void on_exec_ended(void *context, const struct engine_reply *reply)
{
    struct docker_probe *probe = context;
    char text[LIMIT_MESSAGE_LENGTH + 1];
    probe->request = NULL;
    if (reply->err.code == ERR_TIMED_OUT) {
        snprintf(text, sizeof(text), "the check took longer than %lld ms",
                 (long long)probe->timeout_ms);
        tell(probe, false, text);
    } else if (reply->err.code && reply->err.code != ERR_TOO_LARGE) {
        tell(probe, false, reply->err.text);
    } else {
        _cleanup_free_ char *path = mem_printf("/exec/%s/json", probe->exec_id);
        ask(probe, "GET", path, NULL, on_exec_inspected);
    }
}

static void on_exec_created(void *context, const struct engine_reply *reply)
{
    struct docker_probe *probe = context;
    _cleanup_json_ struct json *tree = answer(probe, reply);
    if (!tree)
        return;
    const char *id = json_text(json_get(tree, "Id"));
    text_copy(probe->exec_id, sizeof(probe->exec_id), id);
    _cleanup_free_ char *path = mem_printf("/exec/%s/start", probe->exec_id);
    ask(probe, "POST", path, "{\"Detach\":false,\"Tty\":false}", on_exec_ended);
}

/* ---- the network ---- */

static void on_net(void *context, bool healthy, const char *message)
{
    struct docker_probe *probe = context;
    probe->net = NULL;
    tell(probe, healthy, message);
}

static void connect_to(struct docker_probe *probe, const char *address)
{
    probe->net = probe_net_new(
        &(struct probe_net_config){
            .address = address,
            .port = probe->port,
            .http_path = probe->http_path,
            .timeout_ms = probe->timeout_ms,
            .on_done = on_net,
            .context = probe,
        },
        probe->docker->loop);
}

static void on_inspected(void *context, const struct engine_reply *reply)
{
    struct docker_probe *probe = context;
    struct container container;
    _cleanup_json_ struct json *tree = answer(probe, reply);
    if (!tree)
        return;
    struct execution *execution = docker_execution_find(probe->docker, probe->task_id, probe->run);
    if (!execution || !container_from_inspect(tree, &container) || !container.address[0]) {
        tell(probe, false, "the container has no address");
        return;
    }
    docker_execution_learn(execution, &container);
    connect_to(probe, container.address);
}

/* ---- entry ---- */

static bool describe_check(struct docker_probe *probe, const struct health_check *check)
{
    const char *target = check->http ? check->http : check->tcp;
    const char *path = NULL;
    _cleanup_buf_ struct buf body = BUF_EMPTY;
    if (check->exec.count > 0) {
        exec_body(&check->exec, &body);
        probe->exec_body = mem_strdup(buf_text(&body));
        return true;
    }
    if (!target || !health_target_parse(target, check->http != NULL, &probe->port, &path))
        return false;
    probe->http_path = check->http ? mem_strdup(path) : NULL;
    return true;
}

static void begin(struct docker_probe *probe, const struct execution *execution)
{
    _cleanup_free_ char *path =
        mem_printf("/containers/%s/%s", execution->name, probe->exec_body ? "exec" : "json");
    if (probe->exec_body)
        ask(probe, "POST", path, probe->exec_body, on_exec_created);
    else if (execution->address[0])
        connect_to(probe, execution->address);
    else
        ask(probe, "GET", path, NULL, on_inspected);
}

void docker_probe_begin(struct docker *docker, const char *task_id, int64_t run,
                        const struct task_spec *task, int health_index)
{
    struct execution *execution = docker_execution_find(docker, task_id, run);
    if (!execution || execution->phase != EXECUTION_RUNNING || health_index < 0 ||
        (size_t)health_index >= task->health.count)
        return; /* it has just ended: that is reported already */
    const struct health_check *check =
        RECORD_AT(const struct health_check, task->health, health_index);
    struct docker_probe *probe = mem_alloc(sizeof(*probe));
    probe->docker = docker;
    probe->task_id = mem_strdup(task_id);
    probe->run = run;
    probe->health_index = health_index;
    probe->timeout_ms = check->timeout_ms > 0 ? check->timeout_ms : 1000;
    DL_APPEND(docker->probes, probe);
    if (describe_check(probe, check))
        begin(probe, execution);
    else
        probe_free(probe);
}
