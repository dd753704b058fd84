/* create -> (no such image: pull -> create) -> start -> (ports the engine chose: inspect) ->
 * RUNNING.
 *
 * The image is not looked for first: a create that fails with 404 costs less, and only then. At
 * most STARTS_AT_A_TIME creates and starts are under way; a pull gives its turn to others
 * meanwhile.
 *
 * Failure modes: the name exists (409): accepted when its labels are exactly ours, else FAILED
 * name_in_use and left alone. A create or start that fails: the container is removed, then FAILED
 * with a reason. Not wanted any more: removed, then GONE. No reply: the engine is down, and its
 * list tells later. */
#include "platform/base/mem.h"
#include "platform/base/text.h"
#include "schema/job_spec.h"
#include "worker/runtime/docker_body.h"
#include "worker/runtime/docker_runtime.h"
#include "worker/runtime/lines.h"

#include <stdio.h>
#include <string.h>
#include <utlist.h>

enum { CREATES_MAX = 4 }; /* of one execution: after a pull, after a name was freed */

/* ---- turns ---- */

static void enqueue(struct execution *execution)
{
    if (!execution->is_waiting) {
        execution->is_waiting = true;
        DL_APPEND(execution->docker->waiting, execution);
    }
}

static void dequeue(struct execution *execution)
{
    if (execution->is_waiting) {
        execution->is_waiting = false;
        DL_DELETE(execution->docker->waiting, execution);
    }
}

void docker_start_release(struct execution *execution)
{
    dequeue(execution);
    if (execution->holds_slot) {
        execution->holds_slot = false;
        execution->docker->starts_under_way--;
    }
}

/* ---- what is taken back ---- */

static void tell_discarded(struct execution *execution)
{
    docker_execution_event(execution, execution->reason && !execution->wants_stop ? RUNTIME_FAILED
                                                                                  : RUNTIME_GONE);
    struct docker *docker = execution->docker;
    docker_execution_free(execution);
    docker_start_next(docker);
}

static void on_discarded(void *context, const struct engine_reply *reply)
{
    struct execution *execution = context;
    if (docker_execution_answered(execution, reply))
        tell_discarded(execution); /* removed, or it was not there */
}

void docker_start_discard(struct execution *execution, enum reason reason, const char *message)
{
    docker_execution_explain(execution, reason, message);
    docker_execution_call(execution, EXECUTION_DISCARDING, "DELETE", "?force=1&v=1",
                          ENGINE_REMOVE_MS, on_discarded);
}

/* Nothing was made in the engine. */
static void fail(struct execution *execution, enum reason reason, const char *message)
{
    docker_execution_explain(execution, reason, message);
    tell_discarded(execution);
}

static void fail_with_reply(struct execution *execution, enum engine_step step,
                            const struct engine_reply *reply)
{
    char text[1024]; /* all of it: what tells the reason may stand at the end */
    engine_error_text(reply->body, reply->length, text, sizeof(text));
    enum reason reason = engine_error_reason(step, reply->status, text);
    if (step == STEP_START)
        docker_start_discard(execution, reason, text);
    else
        fail(execution, reason, text);
}

/* ---- start ---- */

static void create(struct execution *execution);

static void on_resolved(void *context, const struct engine_reply *reply)
{
    struct execution *execution = context;
    _cleanup_json_ struct json *tree = NULL;
    struct container container;
    if (!docker_execution_answered(execution, reply))
        return;
    if (json_parse(reply->body, reply->length, &tree, NULL) == 0 &&
        container_from_inspect(tree, &container))
        docker_execution_learn(execution, &container);
    docker_end_started(execution);
}

static void on_started(void *context, const struct engine_reply *reply)
{
    struct execution *execution = context;
    if (!docker_execution_answered(execution, reply))
        return;
    if (engine_reply_is_ok(reply) || reply->status == 304) { /* 304: it runs already */
        if (execution->needs_ports)
            docker_execution_call(execution, EXECUTION_RESOLVING, "GET", "/json", ENGINE_INSPECT_MS,
                                  on_resolved);
        else
            docker_end_started(execution);
    } else {
        fail_with_reply(execution, STEP_START, reply);
    }
}

static void start(struct execution *execution)
{
    if (execution->wants_stop || execution->wants_remove) {
        docker_start_discard(execution, REASON_NONE, "");
        return;
    }
    docker_execution_event(execution, RUNTIME_STARTING);
    docker_execution_call(execution, EXECUTION_STARTING, "POST", "/start", ENGINE_START_MS,
                          on_started);
}

/* ---- its payload, into the container before it starts ---- */

static void on_delivered(void *context, const struct engine_reply *reply)
{
    struct execution *execution = context;
    if (!docker_execution_answered(execution, reply))
        return;
    if (engine_reply_is_ok(reply))
        start(execution);
    else
        fail_with_reply(execution, STEP_START, reply);
}

static void deliver(struct execution *execution)
{
    if (!execution->payload.length) {
        start(execution);
        return;
    }
    _cleanup_free_ char *path =
        mem_printf("/containers/%s/archive?path=" PAYLOAD_DIRECTORY, execution->name);
    execution->phase = EXECUTION_CREATING;
    execution->request =
        engine_call(execution->docker->client, &(struct engine_call){
                                                   .method = "PUT",
                                                   .path = path,
                                                   .body = execution->payload.data,
                                                   .body_length = execution->payload.length,
                                                   .timeout_ms = ENGINE_CREATE_MS,
                                                   .on_done = on_delivered,
                                                   .context = execution,
                                               });
}

/* ---- does it exist? ---- */

static void look_found(struct execution *execution, const struct container *container)
{
    if (!docker_execution_is(execution, container)) {
        if (execution->wants_start)
            fail(execution, REASON_NAME_IN_USE, reason_text(REASON_NAME_IN_USE));
        else
            fail(execution, REASON_NONE, ""); /* not ours: ours is not there */
        return;
    }
    if (container->phase == CONTAINER_CREATED) {
        docker_execution_learn(execution, container);
        deliver(execution);
    } else {
        docker_end_observe(execution, container);
    }
}

static void on_looked(void *context, const struct engine_reply *reply)
{
    struct execution *execution = context;
    _cleanup_json_ struct json *tree = NULL;
    struct container container;
    if (!docker_execution_answered(execution, reply))
        return;
    if (reply->status == 404 && execution->wants_start && execution->creates < CREATES_MAX) {
        create(execution); /* it went away in between */
    } else if (reply->status == 404) {
        fail(execution, execution->wants_start ? REASON_NAME_IN_USE : REASON_NONE, "");
    } else if (json_parse(reply->body, reply->length, &tree, NULL) < 0) {
        fail(execution, REASON_START_FAILED, "the engine's reply is not JSON");
    } else {
        /* Without our labels it is not ours, whatever else it says. */
        if (!container_from_inspect(tree, &container))
            container = (struct container){0};
        look_found(execution, &container);
    }
}

static void look(struct execution *execution)
{
    docker_execution_call(execution, EXECUTION_LOOKING, "GET", "/json", ENGINE_INSPECT_MS,
                          on_looked);
}

/* ---- pull ---- */

static void on_pull_line(void *context, const char *line, size_t length)
{
    struct execution *execution = context;
    struct pull_line pull;
    if (!pull_line_parse(line, length, &pull))
        return;
    if (pull.failed) {
        /* The status was 200 long ago: an error comes as a line. */
        execution->reason = engine_error_reason(STEP_PULL, 200, pull.text);
        memcpy(execution->message, pull.text, sizeof(execution->message));
    } else if (pull.percent >= 0 && pull.percent != execution->percent) {
        execution->percent = pull.percent;
        snprintf(execution->message, sizeof(execution->message), "pulling %s: %d %%",
                 execution->image, pull.percent);
        docker_execution_event(execution, RUNTIME_PREPARING);
    }
}

static void on_pull_data(void *context, const char *bytes, size_t length)
{
    struct execution *execution = context;
    lines_feed(&execution->line, bytes, length, on_pull_line, execution);
}

static void on_pulled(void *context, const struct engine_reply *reply)
{
    struct execution *execution = context;
    if (execution->line.length > 0)
        lines_feed(&execution->line, "\n", 1, on_pull_line, execution);
    execution->request = NULL;
    if (reply->err.code == ERR_TIMED_OUT) {
        fail(execution, REASON_IMAGE_PULL_FAILED, "the pull says nothing any more");
        return;
    }
    if (!docker_execution_answered(execution, reply))
        return;
    if (!engine_reply_is_ok(reply)) {
        fail_with_reply(execution, STEP_PULL, reply);
    } else if (execution->reason) {
        tell_discarded(execution);
    } else {
        execution->message[0] = '\0';
        execution->pulled = true;
        execution->phase = EXECUTION_NEW;
        enqueue(execution);
        docker_start_next(execution->docker);
    }
}

static void pull(struct execution *execution)
{
    _cleanup_free_ char *repository = NULL;
    _cleanup_free_ char *tag = NULL;
    _cleanup_buf_ struct buf path = BUF_EMPTY;
    image_split(execution->image, &repository, &tag);
    buf_add_text(&path, "/images/create?fromImage=");
    url_add(&path, repository);
    if (*tag) {
        buf_add_text(&path, "&tag=");
        url_add(&path, tag);
    }
    docker_start_release(execution);
    execution->line.limit = ENGINE_LINE_BYTES;
    execution->percent = -1;
    execution->phase = EXECUTION_PULLING;
    execution->request =
        engine_call(execution->docker->client, &(struct engine_call){
                                                   .method = "POST",
                                                   .path = buf_text(&path),
                                                   .silence_ms = ENGINE_PULL_SILENCE_MS,
                                                   .on_data = on_pull_data,
                                                   .on_done = on_pulled,
                                                   .context = execution,
                                               });
    snprintf(execution->message, sizeof(execution->message), "pulling %s", execution->image);
    docker_execution_event(execution, RUNTIME_PREPARING);
    execution->message[0] = '\0';
    docker_start_next(execution->docker);
}

/* ---- create ---- */

static void learn_id(struct execution *execution, const struct engine_reply *reply)
{
    _cleanup_json_ struct json *tree = NULL;
    if (json_parse(reply->body, reply->length, &tree, NULL) < 0)
        return;
    const char *id = json_text(json_get(tree, "Id"));
    text_copy(execution->id, sizeof(execution->id), id);
}

static void on_created(void *context, const struct engine_reply *reply)
{
    struct execution *execution = context;
    bool may_pull = execution->pull == PULL_MISSING && !execution->pulled;
    if (!docker_execution_answered(execution, reply))
        return;
    if (engine_reply_is_ok(reply)) {
        learn_id(execution, reply);
        deliver(execution);
    } else if (execution->wants_stop || execution->wants_remove) {
        fail(execution, REASON_NONE, "");
    } else if (reply->status == 404 && may_pull) {
        pull(execution);
    } else if (reply->status == 409) {
        look(execution);
    } else {
        fail_with_reply(execution, STEP_CREATE, reply);
    }
}

static void create(struct execution *execution)
{
    struct docker *docker = execution->docker;
    _cleanup_free_ char *path = mem_printf("/containers/create?name=%s", execution->name);
    execution->creates++;
    execution->phase = EXECUTION_CREATING;
    execution->request = engine_call(docker->client, &(struct engine_call){
                                                         .method = "POST",
                                                         .path = path,
                                                         .body = execution->body,
                                                         .timeout_ms = ENGINE_CREATE_MS,
                                                         .on_done = on_created,
                                                         .context = execution,
                                                     });
}

/* ---- entry ---- */

void docker_start_next(struct docker *docker)
{
    while (docker->waiting && docker->starts_under_way < STARTS_AT_A_TIME) {
        struct execution *execution = docker->waiting;
        dequeue(execution);
        execution->holds_slot = true;
        docker->starts_under_way++;
        create(execution);
    }
}

void docker_start_drive(struct execution *execution)
{
    bool is_unwanted = execution->wants_stop || execution->wants_remove;
    if (execution->docker->link.state != LINK_UP && execution->wants_start) {
        fail(execution, REASON_ENGINE_DOWN, reason_text(REASON_ENGINE_DOWN));
    } else if (execution->docker->link.state != LINK_UP) {
        docker_execution_free(execution); /* asked again after the list */
    } else if (!execution->wants_start) {
        look(execution); /* asked to end what we have not seen */
    } else if (is_unwanted || execution->reason) {
        tell_discarded(execution); /* before anything was made */
    } else if (execution->pull == PULL_ALWAYS && !execution->pulled) {
        pull(execution);
    } else {
        enqueue(execution);
    }
}
