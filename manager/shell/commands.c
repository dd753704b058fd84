/* Commands: do/jobs/<job>/<verb> and do/nodes/<node>/<verb>.
 *
 *   retained?  -> reported, cleared, not executed
 *   too early, or more was decided than the broker has taken -> waits for its turn (bounded, then
 *                 `overloaded`)
 *   store does not work -> `store_failed`
 *   not readable -> all problems at once
 *   expired, or a reply topic that is not allowed -> refused
 *   token known -> the same answer again
 *   else the core decides; the answer leaves after the commit */
#include "manager/shell/shell_state.h"

#include "platform/base/mem.h"
#include "schema/codec/codec.h"

#include <stdlib.h>
#include <string.h>

/* ---- replies ---- */

static struct reply reply_about(const struct command_context *context)
{
    bool of_job = context->topic->kind == TOPIC_DO_JOB;
    return (struct reply){
        .token = context->envelope->token,
        .job = of_job ? context->topic->level[0] : NULL,
        .node = of_job ? NULL : context->topic->level[0],
        .version = UNSET,
        .changed = UNSET,
    };
}

static struct reply rejection(const struct command_context *context, enum reason reason,
                              const char *message)
{
    struct reply reply = reply_about(context);
    reply.result = REPLY_REJECTED;
    reply.code = reason_to_string((int)reason);
    reply.message = message ? message : reason_text((int)reason);
    return reply;
}

static void reject(struct manager_shell *shell, const struct command_context *context,
                   enum reason reason, const char *message)
{
    struct reply reply = rejection(context, reason, message);
    manager_shell_answer(shell, context, &reply);
}

static void add_errors(const struct problems *problems, struct arena *arena, struct reply *reply)
{
    struct reply_error *errors = arena_array(arena, problems->count + 1, sizeof(*errors));
    for (size_t i = 0; errors && i < problems->count; i++)
        errors[i] = (struct reply_error){problems->items[i].path, problems->items[i].message,
                                         problems->items[i].hint};
    reply->errors = (struct record_list){errors, errors ? problems->count : 0};
}

static void reject_problems(struct manager_shell *shell, const struct command_context *context,
                            enum reason reason, const struct problems *problems)
{
    _cleanup_arena_ struct arena arena = ARENA_EMPTY;
    struct reply reply = rejection(context, reason, NULL);
    add_errors(problems, &arena, &reply);
    manager_shell_answer(shell, context, &reply);
}

/* ---- decoding ---- */

struct decoded_command {
    struct arena arena;
    struct problems problems;
    struct command_envelope envelope;
    struct job_spec spec;
    struct scale_arguments scale;
    struct dispatch_arguments dispatch;
    struct job_arguments job;
    struct node_arguments node;
    struct command command;
};

static void decoded_release(struct decoded_command *decoded)
{
    arena_release(&decoded->arena);
    problems_release(&decoded->problems);
}

static int decode_arguments(struct decoded_command *decoded, const struct bus_message *message)
{
    const struct record *record = &node_arguments_record;
    void *value = &decoded->node;
    const struct command_envelope *envelope = &decoded->node.envelope;
    enum command_kind kind = decoded->command.kind;
    if (kind == COMMAND_JOB_SCALE) {
        record = &scale_arguments_record;
        value = &decoded->scale;
        envelope = &decoded->scale.envelope;
    } else if (kind == COMMAND_JOB_DISPATCH) {
        record = &dispatch_arguments_record;
        value = &decoded->dispatch;
        envelope = &decoded->dispatch.envelope;
    } else if (kind < COMMAND_NODE_ELIGIBILITY) {
        record = &job_arguments_record;
        value = &decoded->job;
        envelope = &decoded->job.envelope;
    }
    int result = codec_decode(record, message->payload, message->length, CODEC_STRICT,
                              &decoded->arena, value, &decoded->problems);
    if (!result)
        decoded->envelope = *envelope;
    return result;
}

/* What only this machine can tell. */
static int check_zone(struct manager_shell *shell, struct decoded_command *decoded)
{
    struct err err;
    if (!manager_shell_learn_zone(shell, &decoded->spec, &err))
        return 0;
    problems_add(&decoded->problems, "/schedule/timezone", err.text,
                 "the manager has no time zone %s", decoded->spec.schedule->timezone);
    return -ERR_INVALID;
}

static int decode(struct manager_shell *shell, struct decoded_command *decoded,
                  const struct bus_message *message, const struct topic *topic)
{
    struct command *command = &decoded->command;
    command->envelope = &decoded->envelope;
    command->spec = &decoded->spec;
    command->scale = &decoded->scale;
    command->dispatch = &decoded->dispatch;
    command->node = &decoded->node;
    if (command->kind != COMMAND_JOB_SET)
        return decode_arguments(decoded, message);
    int result =
        codec_decode_set(message->payload, message->length, topic->level[0], &decoded->arena,
                         &decoded->envelope, &decoded->spec, &decoded->problems);
    if (result && result != -ERR_INVALID)
        return result;
    int checked = check_zone(shell, decoded); /* all that is wrong at once */
    return result ? result : checked;
}

/* The token of a command that is not valid otherwise, so that its sender can tell the answer. */
static void decode_token(struct decoded_command *decoded, const struct bus_message *message)
{
    _cleanup_problems_ struct problems ignored = {0};
    struct command_envelope envelope;
    if (codec_decode(&command_envelope_record, message->payload, message->length, CODEC_LENIENT,
                     &decoded->arena, &envelope, &ignored) == 0)
        decoded->envelope = envelope;
}

/* ---- execution ---- */

/* Sends the stored answer again. False when the token is new. */
static bool answer_again(struct manager_shell *shell, const struct command_context *context)
{
    const char *text = context->envelope->token;
    const struct token *token = text ? token_find(shell, text) : NULL;
    if (!token)
        return false;
    _cleanup_arena_ struct arena arena = ARENA_EMPTY;
    _cleanup_problems_ struct problems problems = {0};
    struct token_record record;
    if (strcmp(token->topic, context->message->topic) != 0)
        reject(shell, context, REASON_INVALID_ARGUMENTS, "the token was used for another command");
    else if (codec_decode(&token_record_record, token->record, token->length, CODEC_LENIENT, &arena,
                          &record, &problems) == 0)
        manager_shell_answer(shell, context, &record.reply);
    return true;
}

static void execute(struct manager_shell *shell, const struct command_context *context,
                    const struct command *command)
{
    _cleanup_arena_ struct arena arena = ARENA_EMPTY;
    bool of_job = context->topic->kind == TOPIC_DO_JOB;
    struct manager_event event = {
        .kind = EVENT_COMMAND,
        .job = of_job ? context->topic->level[0] : NULL,
        .node = of_job ? NULL : context->topic->level[0],
        .live = true,
        .command = command,
    };
    manager_shell_step(shell, &event);
    const struct verdict *verdict = &shell->effects.verdict;
    struct reply reply = reply_about(context);
    if (verdict->accepted) {
        reply.result = REPLY_ACCEPTED;
        reply.code = "accepted";
    } else {
        reply = rejection(context, verdict->reason, verdict->message);
        add_errors(&verdict->problems, &arena, &reply);
    }
    reply.version = verdict->version;
    reply.changed = verdict->changed;
    reply.child = verdict->child[0] ? verdict->child : NULL;
    if (verdict->accepted || verdict->reason != REASON_RECOVERING) /* that one is sent again */
        token_keep(shell, context, &reply);
    manager_shell_answer(shell, context, &reply);
}

static enum reason unreadable_reason(const struct command *command, int result)
{
    if (result == -ERR_TOO_LARGE)
        return REASON_PAYLOAD_TOO_LARGE;
    if (result == -ERR_NO_MEMORY)
        return REASON_OVERLOADED;
    return command->kind == COMMAND_JOB_SET ? REASON_INVALID_JOB : REASON_INVALID_ARGUMENTS;
}

static bool is_expired(const struct manager_shell *shell, const struct command_envelope *envelope)
{
    return envelope->expires_at_ms != UNSET &&
           envelope->expires_at_ms < manager_shell_now(shell).wall_ms;
}

static void run(struct manager_shell *shell, const struct bus_message *message,
                const struct topic *topic)
{
    _cleanup_(decoded_release) struct decoded_command decoded = {
        .arena = {.limit_bytes = LIMIT_DECODE_ARENA_BYTES},
        .envelope = {.expect_version = UNSET, .expires_at_ms = UNSET},
        .command = {.kind = command_from_verb(topic->kind == TOPIC_DO_JOB, topic->level[1])},
    };
    struct command_context context = {message, topic, &decoded.envelope};
    if (decoded.command.kind == COMMAND_NONE) {
        decode_token(&decoded, message);
        reject(shell, &context, REASON_UNKNOWN_COMMAND, NULL);
        return;
    }
    int result = decode(shell, &decoded, message, topic);
    if (result) {
        decode_token(&decoded, message);
        reject_problems(shell, &context, unreadable_reason(&decoded.command, result),
                        &decoded.problems);
    } else if (!manager_shell_may_answer(shell, &context)) {
        reject(shell, &context, REASON_REPLY_REFUSED, NULL);
    } else if (!answer_again(shell, &context)) {
        if (is_expired(shell, &decoded.envelope))
            reject(shell, &context, REASON_COMMAND_EXPIRED, NULL);
        else
            execute(shell, &context, &decoded.command);
    }
}

/* ---- waiting ---- */

/* Decided, and not taken by the broker or not reported on by the workers yet: the answers to that
 * come back through the same broker, whose queue for us has an end, and so do heartbeats. */
static bool is_behind(const struct manager_shell *shell)
{
    return shell->effects.mark_count + ledger_count(shell->ledger) +
               shell->bus->ops->pending(shell->bus) + manager_awaited_reports(shell->manager) >=
           shell->config.backlog;
}

static bool may_run(const struct manager_shell *shell)
{
    return manager_phase(shell->manager) == PHASE_LEADING && !shell->commit_failing &&
           !is_behind(shell);
}

static char *put(char **cursor, const void *bytes, size_t length)
{
    char *at = *cursor;
    if (length)
        memcpy(at, bytes, length);
    at[length] = '\0';
    *cursor = at + length + 1;
    return at;
}

static void wait_for_turn(struct manager_shell *shell, const struct bus_message *message)
{
    const char *response = message->response_topic ? message->response_topic : "";
    size_t size = strlen(message->topic) + message->length + strlen(response) +
                  message->correlation_length + 4;
    struct waiting_command *waiting = mem_alloc(sizeof(*waiting) + size);
    char *cursor = (char *)(waiting + 1);
    waiting->message = *message;
    waiting->size = size;
    waiting->message.topic = put(&cursor, message->topic, strlen(message->topic));
    waiting->message.payload = put(&cursor, message->payload, message->length);
    char *copied = put(&cursor, response, strlen(response));
    waiting->message.response_topic = message->response_topic ? copied : NULL;
    waiting->message.correlation = put(&cursor, message->correlation, message->correlation_length);
    *shell->waiting_end = waiting;
    shell->waiting_end = &waiting->next;
    shell->waiting_count++;
    shell->waiting_bytes += size;
}

static struct waiting_command *waiting_pop(struct manager_shell *shell)
{
    struct waiting_command *waiting = shell->waiting;
    if (!waiting)
        return NULL;
    shell->waiting = waiting->next;
    if (!shell->waiting)
        shell->waiting_end = &shell->waiting;
    shell->waiting_count--;
    shell->waiting_bytes -= waiting->size;
    return waiting;
}

bool manager_shell_run_waiting(struct manager_shell *shell)
{
    bool any = false;
    while (shell->waiting && may_run(shell)) {
        struct waiting_command *waiting = waiting_pop(shell);
        struct topic topic;
        if (topic_parse(waiting->message.topic, &topic))
            run(shell, &waiting->message, &topic);
        free(waiting);
        any = true;
    }
    return any;
}

void manager_shell_drop_waiting(struct manager_shell *shell)
{
    struct waiting_command *waiting;
    while ((waiting = waiting_pop(shell)))
        free(waiting);
}

/* ---- arrival ---- */

static void refuse_now(struct manager_shell *shell, const struct bus_message *message,
                       const struct topic *topic, enum reason reason)
{
    _cleanup_(decoded_release) struct decoded_command decoded = {
        .arena = {.limit_bytes = LIMIT_DECODE_ARENA_BYTES}};
    struct command_context context = {message, topic, &decoded.envelope};
    decode_token(&decoded, message);
    struct reply reply = rejection(&context, reason, NULL);
    manager_shell_answer_now(shell, &context, &reply);
}

static void refuse_retained(struct manager_shell *shell, const struct bus_message *message,
                            const struct topic *topic)
{
    bool of_job = topic->kind == TOPIC_DO_JOB;
    struct event event = {
        .kind = "retained_command",
        .reason = REASON_RETAINED_COMMAND,
        .message = reason_text(REASON_RETAINED_COMMAND),
        .topic = message->topic,
        .job = of_job ? topic->level[0] : NULL,
        .node = of_job ? NULL : topic->level[0],
    };
    if (!message->length)
        return; /* somebody has cleared it */
    manager_shell_event(shell, &event);
    ledger_derived(shell->ledger, message->topic, "", 0);
}

void manager_shell_on_command(struct manager_shell *shell, const struct bus_message *message,
                              const struct topic *topic)
{
    enum manager_phase phase = manager_phase(shell->manager);
    if (phase == PHASE_SUPERSEDED)
        return; /* the one that leads answers */
    if (message->retained)
        refuse_retained(shell, message, topic);
    else if (shell->commit_failing)
        refuse_now(shell, message, topic, REASON_STORE_FAILED);
    else if (!shell->waiting && may_run(shell))
        run(shell, message, topic);
    else if (shell->waiting_count >= LIMIT_COMMANDS_WAITING ||
             shell->waiting_bytes + message->length > LIMIT_WAITING_BYTES)
        refuse_now(shell, message, topic, REASON_OVERLOADED);
    else
        wait_for_turn(shell, message);
}
