/* GET all containers with our labels -> each is reported, unknown ones after an inspect, one at a
 * time -> what we knew and the engine does not have is GONE -> LISTED.
 *
 * A container that was created and never started is what a worker left behind that was killed in
 * between: it is removed. An execution whose own request is under way is reported as it was last
 * told; its answer brings the rest. Failure modes: no reply means DOWN and no LISTED. */
#include "platform/adapters/loop.h"
#include "platform/base/mem.h"
#include "worker/runtime/docker_body.h"
#include "worker/runtime/docker_runtime.h"

#include <stdlib.h>
#include <string.h>

struct docker_list {
    struct docker *docker;
    struct engine_request *request;
    struct json *tree;
    const struct json *at; /* next element */
};

void docker_list_cancel(struct docker *docker)
{
    struct docker_list *list = docker->list;
    docker->list = NULL;
    if (list) {
        engine_cancel(list->request);
        json_free(list->tree);
        free(list);
    }
}

static void list_end(struct docker *docker)
{
    struct execution *execution, *next;
    docker_list_cancel(docker);
    HASH_ITER(hh, docker->executions, execution, next)
    {
        bool is_settled =
            execution->phase == EXECUTION_RUNNING || execution->phase == EXECUTION_ENDED;
        if (execution->listed_before && !execution->listed && is_settled && !execution->request) {
            docker_execution_event(execution, RUNTIME_GONE);
            docker_execution_free(execution);
        }
    }
    docker_event(docker, RUNTIME_LISTED);
    if (docker->list_wanted)
        loop_timer_set(docker->kick, 0);
}

/* ---- what we know ---- */

static void report_known(struct execution *execution, const struct container *container)
{
    bool runs = container->phase == CONTAINER_RUNNING;
    execution->listed = true;
    switch (execution->phase) {
    case EXECUTION_RUNNING:
        if (runs)
            docker_execution_learn(execution, container);
        docker_execution_event(execution, RUNTIME_RUNNING);
        if (!runs && !execution->request)
            docker_end_look(execution);
        break;
    case EXECUTION_ENDED:
        if (runs)
            docker_end_observe(execution, container); /* somebody started it again */
        else
            docker_execution_event(execution, RUNTIME_EXITED);
        break;
    case EXECUTION_ENDING:
    case EXECUTION_DIAGNOSING:
        docker_execution_event(execution, RUNTIME_RUNNING);
        break;
    case EXECUTION_NEW:
    case EXECUTION_LOOKING:
    case EXECUTION_CREATING:
    case EXECUTION_PULLING:
    case EXECUTION_STARTING:
    case EXECUTION_RESOLVING:
    case EXECUTION_DISCARDING:
    case EXECUTION_REMOVING:
        break;
    }
}

/* ---- what we do not know ---- */

static void list_continue(struct docker_list *list);

static bool list_answered(struct docker_list *list, const struct engine_reply *reply)
{
    list->request = NULL;
    if (reply->status == 0)
        docker_link_failed(list->docker, &reply->err);
    return reply->status != 0;
}

/* Only an exact match counts: labels may have been copied to another container. */
static bool is_ours(const struct docker *docker, const struct container *container)
{
    const struct container_identity *identity = &container->identity;
    _cleanup_free_ char *name = container_name(docker->node, identity->task_id, identity->run);
    return strcmp(container->name, name) == 0 && strcmp(identity->node, docker->node) == 0 &&
           (!docker->cluster || strcmp(identity->cluster, docker->cluster) == 0);
}

static void on_inspected(void *context, const struct engine_reply *reply)
{
    struct docker_list *list = context;
    _cleanup_json_ struct json *tree = NULL;
    struct container container;
    if (!list_answered(list, reply))
        return;
    if (engine_reply_is_ok(reply) && json_parse(reply->body, reply->length, &tree, NULL) == 0 &&
        container_from_inspect(tree, &container) && is_ours(list->docker, &container) &&
        container.phase != CONTAINER_CREATED) {
        struct execution *execution = docker_execution_obtain(
            list->docker, container.identity.task_id, container.identity.run);
        execution->listed = true;
        if (execution->phase == EXECUTION_NEW && !execution->request)
            docker_end_observe(execution, &container);
    }
    list_continue(list);
}

static void on_leftover_removed(void *context, const struct engine_reply *reply)
{
    struct docker_list *list = context;
    if (list_answered(list, reply))
        list_continue(list);
}

static void look_into(struct docker_list *list, const struct container *container)
{
    bool is_leftover = container->phase == CONTAINER_CREATED;
    _cleanup_free_ char *path =
        mem_printf("/containers/%s%s", container->id, is_leftover ? "?v=1" : "/json");
    list->request = engine_call(list->docker->client,
                                &(struct engine_call){
                                    .method = is_leftover ? "DELETE" : "GET",
                                    .path = path,
                                    .timeout_ms = ENGINE_INSPECT_MS,
                                    .on_done = is_leftover ? on_leftover_removed : on_inspected,
                                    .context = list,
                                });
}

/* Goes on until something has to be asked. */
static void list_continue(struct docker_list *list)
{
    struct docker *docker = list->docker;
    while (list->at && !list->request) {
        struct container container;
        const struct json *element = list->at;
        list->at = json_next(element);
        if (!container_from_list(element, &container) || !is_ours(docker, &container))
            continue;
        struct execution *execution =
            docker_execution_find(docker, container.identity.task_id, container.identity.run);
        if (execution)
            report_known(execution, &container);
        else
            look_into(list, &container);
    }
    if (!list->request)
        list_end(docker);
}

/* ---- entry ---- */

static void on_list(void *context, const struct engine_reply *reply)
{
    struct docker_list *list = context;
    struct err err = {0};
    if (!list_answered(list, reply))
        return;
    if (!engine_reply_is_ok(reply))
        err_set(&err, ERR_REFUSED, "it refuses to list its containers");
    else
        json_parse(reply->body, reply->length, &list->tree, &err);
    if (err.code) {
        docker_link_failed(list->docker, &err);
        return;
    }
    list->at = json_first(list->tree);
    list_continue(list);
}

void docker_list_begin(struct docker *docker)
{
    if (docker->link.state == LINK_DOWN) {
        docker->list_wanted = false;
        docker_event(docker, RUNTIME_DOWN);
    }
    if (docker->link.state != LINK_UP)
        return; /* on its way: the list follows */
    docker->list_wanted = false;
    for (struct execution *e = docker->executions; e; e = e->hh.next) {
        e->listed = false;
        e->listed_before = true;
    }
    _cleanup_buf_ struct buf path = BUF_EMPTY;
    buf_add_text(&path, "/containers/json?all=1&filters=");
    label_filter(docker->node, docker->cluster, false, &path);
    struct docker_list *list = mem_alloc(sizeof(*list));
    list->docker = docker;
    docker->list = list;
    list->request = engine_call(docker->client, &(struct engine_call){
                                                    .method = "GET",
                                                    .path = buf_text(&path),
                                                    .timeout_ms = ENGINE_LIST_MS,
                                                    .limit_bytes = ENGINE_LIST_BYTES,
                                                    .on_done = on_list,
                                                    .context = list,
                                                });
}
