/* Messages from the bus to events of the core. The topic says what a message is; what cannot be
 * read, or is not for us, is reported once and changes nothing. */
#include "worker/shell/shell_state.h"

#include "platform/base/log.h"
#include "platform/base/mem.h"
#include "schema/codec/codec.h"

#include <stdio.h>
#include <string.h>

static void report_unreadable(struct worker_shell *shell, const struct bus_message *message,
                              const struct problems *problems)
{
    char text[LIMIT_MESSAGE_LENGTH + 1];
    const struct problem *first = problems->count ? &problems->items[0] : NULL;
    snprintf(text, sizeof(text), "%.60s %.120s", first ? first->path : "",
             first ? first->message : "it cannot be read");
    shell_event_once(shell, &(struct event){.kind = "refused",
                                            .reason = REASON_UNREADABLE_DOCUMENT,
                                            .message = text,
                                            .topic = message->topic});
}

/* Memory did not suffice for a message: a new connection says everything again. */
static void not_heard(struct worker_shell *shell)
{
    shell->no_memory = true;
    if (shell->bus) {
        shell->bus->ops->reconnect(shell->bus, "out of memory: everything is heard again");
    }
}

bool shell_decode(struct worker_shell *shell, const struct bus_message *message,
                  const struct record *record, struct arena *arena, void *ret_value)
{
    _cleanup_problems_ struct problems problems = {0};
    arena->limit_bytes = LIMIT_DECODE_ARENA_BYTES;
    int result = codec_decode(record, message->payload, message->length, CODEC_LENIENT, arena,
                              ret_value, &problems);
    if (result == -ERR_NO_MEMORY) {
        not_heard(shell);
    } else if (result) {
        report_unreadable(shell, message, &problems);
    }
    return !result;
}

/* What another version of the manager left out has our defaults: the core relies on there being one
 * for each. */
static bool normalise(struct held_assignment *held)
{
    struct assignment *value = &held->value;
    int result = job_spec_normalise(&value->spec, value->spec.name, &held->arena);
    for (size_t i = 0; i < value->older.count && !result; i++) {
        struct job_spec *spec = &RECORD_AT(struct versioned_spec, value->older, i)->spec;
        result = job_spec_normalise(spec, spec->name, &held->arena);
    }
    return !result;
}

bool shell_decode_assignment(struct worker_shell *shell, const struct bus_message *message,
                             struct held_assignment *held)
{
    if (!shell_decode(shell, message, &assignment_record, &held->arena, &held->value)) {
        return false;
    }
    bool normal = normalise(held);
    if (!normal && !held->arena.exhausted) {
        not_heard(shell);
    }
    return normal;
}

static void on_assignment(struct worker_shell *shell, const char *job,
                          const struct bus_message *message)
{
    struct held_assignment *held = mem_alloc(sizeof(*held));
    struct worker_event event = {.kind = WORKER_ASSIGNMENT, .job = job, .assignment = held};
    if (shell_decode_assignment(shell, message, held)) {
        held->heard = mem_alloc(message->length);
        held->heard_length = message->length;
        memcpy(held->heard, message->payload, message->length);
        shell_step(shell, &event);
    }
    held_assignment_free(event.assignment);
}

static void on_desired(struct worker_shell *shell, const struct bus_message *message)
{
    struct held_desired *held = mem_alloc(sizeof(*held));
    struct worker_event event = {.kind = WORKER_DESIRED, .desired = held};
    int64_t interval_ms = worker_interval_ms(shell->worker);
    if (shell_decode(shell, message, &node_desired_record, &held->arena, &held->value)) {
        shell_step(shell, &event);
    }
    held_desired_free(event.desired);
    if (worker_interval_ms(shell->worker) != interval_ms) {
        shell->heartbeat_due_ms = 0; /* the first of the new rhythm at once */
    }
    const struct node_desired *desired = worker_desired(shell->worker);
    if (desired) { /* deleted, we are another node: above the session that was deleted */
        session_heed_floor(shell->session, desired->session_floor + desired->head.tombstone);
    }
}

static void on_manager_status(struct worker_shell *shell, const struct bus_message *message)
{
    _cleanup_arena_ struct arena arena = ARENA_EMPTY;
    struct manager_status status;
    struct worker_event event = {.kind = WORKER_MANAGER_STATUS, .manager = &status};
    if (shell_decode(shell, message, &manager_status_record, &arena, &status)) {
        shell_step(shell, &event);
    }
}

/* ---- own documents ---- */

/* A live message on our topic that we did not send: ours is written again. (A stored one is, at
 * every connect.) */
static bool is_foreign(struct worker_shell *shell, const struct bus_message *message)
{
    if (message->retained) {
        return false;
    }
    return session_is_quiet(shell->session) ||
           !hash_memory_has(&shell->echoes, message_hash("", message->payload, message->length));
}

static void report_foreign(struct worker_shell *shell, const struct bus_message *message,
                           bool foreign)
{
    if (foreign) {
        shell_event_once(shell, &(struct event){.kind = "refused",
                                                .reason = REASON_FOREIGN_DOCUMENT,
                                                .message = "ours is written again",
                                                .topic = message->topic});
    }
}

static bool job_is_known(struct worker_shell *shell, const char *job)
{
    _cleanup_arena_ struct arena arena = ARENA_EMPTY;
    struct node_state state;
    return worker_state_read(shell->worker, job, &arena, &state);
}

static void on_own_state(struct worker_shell *shell, const char *job,
                         const struct bus_message *message)
{
    _cleanup_arena_ struct arena arena = ARENA_EMPTY;
    struct node_state state;
    struct worker_event event = {.kind = WORKER_OWN_STATE, .job = job, .state = &state};
    bool written_again = is_foreign(shell, message) && job_is_known(shell, job);
    if (!message->length) {
        report_foreign(shell, message, written_again);
    } else if (shell_decode(shell, message, &node_state_record, &arena, &state)) {
        report_foreign(shell, message, written_again);
        shell_step(shell, &event);
    }
    if (written_again) {
        effects_mark(&shell->effects, job, MARK_STATE);
    }
}

static void on_own_info(struct worker_shell *shell, const struct bus_message *message)
{
    _cleanup_arena_ struct arena arena = ARENA_EMPTY;
    struct node_info info;
    bool foreign = is_foreign(shell, message);
    if (!message->length) {
        report_foreign(shell, message, foreign);
    } else if (shell_decode(shell, message, &node_info_record, &arena, &info)) {
        report_foreign(shell, message, foreign);
        worker_seq_raise(shell->worker, info.head.seq);
    }
    if (foreign) {
        shell->effects.info = true;
    }
}

/* ---- by topic ---- */

static void report_unknown(struct worker_shell *shell, const struct bus_message *message)
{
    shell_event_once(shell, &(struct event){.kind = "refused",
                                            .reason = REASON_UNKNOWN_SUBJECT,
                                            .message = "no such topic",
                                            .topic = message->topic});
}

void shell_on_message(struct worker_shell *shell, const struct bus_message *message)
{
    struct topic topic;
    if (!topic_parse(message->topic, &topic)) {
        report_unknown(shell, message);
        return;
    }
    bool for_us = topic.kind == TOPIC_MANAGER_STATUS || !strcmp(topic.level[0], shell->node);
    /* An empty document is the clearing of a topic, and absence never means stop. */
    bool cleared = !message->length && topic.kind != TOPIC_NODE_STATE &&
                   topic.kind != TOPIC_NODE_INFO && topic.kind != TOPIC_ASK;
    if (!for_us || cleared) {
        return;
    }
    if (topic.kind == TOPIC_NODE_ASSIGN) {
        on_assignment(shell, topic.level[1], message);
    } else if (topic.kind == TOPIC_NODE_DESIRED) {
        on_desired(shell, message);
    } else if (topic.kind == TOPIC_MANAGER_STATUS) {
        on_manager_status(shell, message);
    } else if (topic.kind == TOPIC_NODE_STATE) {
        on_own_state(shell, topic.level[1], message);
    } else if (topic.kind == TOPIC_NODE_INFO) {
        on_own_info(shell, message);
    } else if (topic.kind == TOPIC_ASK) {
        shell_on_ask(shell, topic.level[1], message);
    }
}
