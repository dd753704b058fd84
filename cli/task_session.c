#include "cli/task_session.h"

#include "cli/instances.h"
#include "platform/base/mem.h"
#include "platform/base/text.h"
#include "schema/codec/codec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The job in "job_task_index" or "job_task_index_suffix"; false when it is neither. */
static bool job_of(const char *name, char ret_job[LIMIT_NAME_LENGTH + 1])
{
    struct attempt_name attempt;
    char whole[LIMIT_TASK_ID_LENGTH + 16];
    text_copy(whole, sizeof whole, name);
    if (!attempt_name_parse(whole, &attempt)) {
        snprintf(whole, sizeof whole, "%s_aaaaaaaa", name); /* an instance: any suffix */
        if (!attempt_name_parse(whole, &attempt))
            return false;
    }
    strcpy(ret_job, attempt.job);
    return true;
}

/* The attempt itself, or the newest of the instance: live ones come first. */
static const struct instance *instance_named(const struct instances *instances, const char *name)
{
    for (size_t i = 0; i < instances->count; i++)
        if (strcmp(instances->items[i].id, name) == 0 ||
            strcmp(instances->items[i].instance, name) == 0)
            return &instances->items[i];
    return NULL;
}

static int find_attempt(struct cli *cli, struct task_session *session, const char *name,
                        const char *job)
{
    _cleanup_instances_ struct instances instances = {0};
    instances_collect(&instances, client_picture(session->client), job, NULL, true);
    const struct instance *item = instance_named(&instances, name);
    if (!item)
        return cli_fail(cli, CLI_FAILED,
                        "no node has a task %s\nhint: `argosy tasks --job %s --all` lists them",
                        name, job);
    if (!item->node_online)
        return cli_fail(cli, CLI_UNREACHABLE, "node %s, which has %s, is offline", item->node,
                        item->id);
    text_copy(session->id, sizeof session->id, item->id);
    text_copy(session->node, sizeof session->node, item->node);
    session->ended = attempt_state_is_final((enum attempt_state)item->state);
    return CLI_OK;
}

static void on_message(void *context, const struct topic *topic, const struct bus_message *message)
{
    struct task_session *session = context;
    _cleanup_problems_ struct problems problems = {0};
    struct answer answer;
    if (topic->kind != TOPIC_ANSWER) {
        if (session->on_message)
            session->on_message(session->context, topic, message);
        return;
    }
    struct arena arena = {.limit_bytes = LIMIT_DECODE_ARENA_BYTES};
    bool ours = codec_decode(&answer_record, message->payload, message->length, CODEC_LENIENT,
                             &arena, &answer, &problems) == 0 &&
                answer.token && strcmp(answer.token, session->token) == 0;
    if (!ours) {
        arena_release(&arena);
        return;
    }
    arena_release(&session->arena);
    session->arena = arena;
    session->answer = answer;
    session->answered = true;
}

int task_session_open(struct cli *cli, const char *name, struct task_session *session)
{
    char job[LIMIT_NAME_LENGTH + 1];
    if (!job_of(name, job))
        return cli_usage_error(cli->command,
                               "\"%s\" is no instance, such as web_web_0, and no task id", name);
    const struct client_filter places[] = {
        {TOPIC_NODE_ASSIGN, "+", job},
        {TOPIC_NODE_STATE, "+", job},
        {TOPIC_NODE_STATUS, "+", NULL},
        {TOPIC_NODE_INFO, "+", NULL},
    };
    int code = client_open(cli, ANSWER_TIMEOUT_MS, &session->client);
    if (code == CLI_OK)
        code = client_hear(session->client, places, ARRAY_LENGTH(places));
    if (code == CLI_OK)
        code = find_attempt(cli, session, name, job);
    if (code != CLI_OK)
        return code;
    text_copy(session->token, sizeof session->token, client_token(session->client));
    session->handler = (struct client_handler){.context = session, .on_message = on_message};
    client_set_handler(session->client, &session->handler);
    const struct client_filter answers[] = {{TOPIC_ANSWER, session->node, session->token}};
    return client_hear(session->client, answers, ARRAY_LENGTH(answers));
}

int task_session_ask(struct task_session *session, const char *verb, struct ask *ask)
{
    char topic[LIMIT_TOPIC_LENGTH + 1];
    _cleanup_buf_ struct buf payload = BUF_EMPTY;
    topic_format(topic, TOPIC_ASK, session->node, verb);
    ask->token = session->token;
    ask->task = session->id;
    codec_encode(&ask_record, ask, &payload);
    return client_publish(session->client, topic, &payload);
}

static bool has_answer(void *context)
{
    const struct task_session *session = context;
    return session->answered;
}

int task_session_wait(struct task_session *session)
{
    if (client_wait(session->client, has_answer, session, 1000) == CLI_OK)
        return CLI_OK;
    return client_time_out(session->client, "waiting for the worker's answer");
}

void task_session_close(struct task_session *session)
{
    client_close(session->client);
    arena_release(&session->arena);
}
