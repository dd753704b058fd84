/* Messages to events: one row a kind of topic. What cannot be read is reported once, changes
 * nothing, and on our own topics is written over. */
#include "manager/shell/shell_state.h"

#include "platform/base/mem.h"
#include "schema/codec/codec.h"

#include <string.h>

/* A decoded message of any kind. */
union decoded {
    struct job_document job_document;
    struct job_history job_history;
    struct job_status job_status;
    struct node_desired node_desired;
    struct assignment assignment;
    struct manager_status manager_status;
    struct presence_document presence;
    struct node_info node_info;
    struct node_state node_state;
    struct metrics_document metrics;
    struct answer answer;
};

struct message_row {
    enum topic_kind topic;
    enum event_kind event;
    const struct record *record; /* NULL: the content does not matter */
    bool ours;                   /* nobody else may write it */
};

static const struct message_row rows[] = {
    {TOPIC_JOB_SPEC, EVENT_JOB_DOCUMENT, &job_document_record, true},
    {TOPIC_JOB_HISTORY, EVENT_JOB_HISTORY, &job_history_record, true},
    {TOPIC_JOB_STATUS, EVENT_JOB_STATUS, &job_status_record, true},
    {TOPIC_NODE_DESIRED, EVENT_NODE_DESIRED, &node_desired_record, true},
    {TOPIC_NODE_ASSIGN, EVENT_ASSIGNMENT, &assignment_record, true},
    {TOPIC_MANAGER_STATUS, EVENT_MANAGER_STATUS, &manager_status_record, true},
    {TOPIC_NODE_STATUS, EVENT_NODE_PRESENCE, &presence_record, false},
    {TOPIC_NODE_INFO, EVENT_NODE_INFO, &node_info_record, false},
    {TOPIC_NODE_STATE, EVENT_NODE_STATE, &node_state_record, false},
    {TOPIC_NODE_METRICS, EVENT_HEARTBEAT, NULL, false},
    {TOPIC_ANSWER, EVENT_ANSWER_ASSIGNMENT, &answer_record, false},
};

static const struct message_row *row_of(enum topic_kind kind)
{
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
        if (rows[i].topic == kind)
            return &rows[i];
    return NULL;
}

/* Level <job> and level <node> of the topics above. */
static void name_subjects(const struct topic *topic, struct manager_event *event)
{
    bool of_job = topic->kind == TOPIC_JOB_SPEC || topic->kind == TOPIC_JOB_HISTORY ||
                  topic->kind == TOPIC_JOB_STATUS;
    bool of_both = topic->kind == TOPIC_NODE_ASSIGN || topic->kind == TOPIC_NODE_STATE;
    if (of_job)
        event->job = topic->level[0];
    else if (topic->kind != TOPIC_MANAGER_STATUS)
        event->node = topic->level[0];
    if (of_both)
        event->job = topic->level[1];
}

static void report_unreadable(struct manager_shell *shell, const struct bus_message *message,
                              const struct manager_event *event, const char *why)
{
    struct event view = {
        .kind = "unreadable_document",
        .reason = REASON_UNREADABLE_DOCUMENT,
        .message = why,
        .topic = message->topic,
        .job = event->job,
        .node = event->node,
    };
    manager_shell_event_once(shell, &view,
                             message_hash(message->topic, message->payload, message->length));
}

/* Whatever is there instead of our document. */
static void write_over(struct manager_shell *shell, const struct message_row *row,
                       struct manager_event event)
{
    if (!row->ours)
        return;
    event.kind = EVENT_UNREADABLE;
    event.unreadable = row->topic;
    manager_shell_step(shell, &event);
}

static void hear_cleared(struct manager_shell *shell, struct manager_event event)
{
    event.kind = EVENT_STATE_CLEARED;
    manager_shell_step(shell, &event);
}

/* The topic says who speaks and of what; the payload must agree. */
static const char *disagreement(const struct topic *topic, const union decoded *decoded)
{
    const char *named = NULL;
    if (topic->kind == TOPIC_JOB_SPEC)
        named = decoded->job_document.spec.name;
    if (topic->kind == TOPIC_NODE_ASSIGN)
        named = decoded->assignment.spec.name;
    const char *job = topic->kind == TOPIC_JOB_SPEC ? topic->level[0] : topic->level[1];
    return named && strcmp(named, job) != 0 ? "it names another job than its topic" : NULL;
}

static int decode(const struct message_row *row, const struct topic *topic,
                  const struct bus_message *message, struct arena *arena, union decoded *decoded,
                  struct problems *problems)
{
    if (!row->record)
        return 0;
    int result = codec_decode(row->record, message->payload, message->length, CODEC_LENIENT, arena,
                              decoded, problems);
    const char *problem = result ? NULL : disagreement(topic, decoded);
    if (problem)
        problems_add(problems, "", NULL, "%s", problem);
    return problem ? -ERR_INVALID : result;
}

/* A heartbeat is one whatever it says. */
static void read_loads(const struct manager_shell *shell, const struct bus_message *message,
                       struct arena *arena, struct metrics_document *ret_metrics)
{
    _cleanup_problems_ struct problems problems = {0};
    *ret_metrics = (struct metrics_document){.numbers = {0}};
    if (manager_goes_by_loads(shell->manager))
        codec_decode_metrics(message->payload, message->length, arena, &ret_metrics->numbers,
                             &problems);
}

/* Of a job that was accepted when there was such a zone. */
static void learn_zone(struct manager_shell *shell, const struct bus_message *message,
                       const struct manager_event *event, const struct job_spec *spec)
{
    struct err err;
    if (!manager_shell_learn_zone(shell, spec, &err))
        return;
    struct event view = {
        .kind = "unknown_timezone",
        .reason = REASON_UNKNOWN_TIMEZONE,
        .message = err.text,
        .topic = message->topic,
        .job = event->job,
    };
    manager_shell_event_once(shell, &view,
                             message_hash(message->topic, message->payload, message->length));
}

/* -ERR_NO_MEMORY: it was not heard. What cannot be read was, and is reported. */
static int hear(struct manager_shell *shell, const struct message_row *row,
                const struct topic *topic, const struct bus_message *message, bool stored)
{
    _cleanup_arena_ struct arena arena = {.limit_bytes = LIMIT_DECODE_ARENA_BYTES};
    _cleanup_problems_ struct problems problems = {0};
    union decoded decoded;
    struct manager_event event = {
        .kind = row->event,
        .live = !message->retained && !stored,
        .stored = stored,
        .more = true,
    };
    name_subjects(topic, &event);
    if (!message->length) {
        write_over(shell, row, event);
        if (row->event == EVENT_NODE_STATE)
            hear_cleared(shell, event);
        return 0;
    }
    if (row->event == EVENT_HEARTBEAT)
        read_loads(shell, message, &arena, &decoded.metrics);
    int result = decode(row, topic, message, &arena, &decoded, &problems);
    if (result == -ERR_NO_MEMORY)
        return result;
    if (result) {
        report_unreadable(shell, message, &event,
                          problems.count ? problems.items[0].message : "it cannot be read");
        write_over(shell, row, event);
        return 0;
    }
    if (row->topic == TOPIC_JOB_SPEC)
        learn_zone(shell, message, &event, &decoded.job_document.spec);
    event.job_document = &decoded.job_document; /* all members begin at the same address */
    manager_shell_step(shell, &event);
    return 0;
}

int manager_shell_hear_stored(struct manager_shell *shell, const struct bus_message *message)
{
    struct topic topic;
    const struct message_row *row = topic_parse(message->topic, &topic) ? row_of(topic.kind) : NULL;
    return row ? hear(shell, row, &topic, message, true) : 0;
}

void manager_shell_on_message(struct manager_shell *shell, const struct bus_message *message)
{
    struct topic topic;
    const struct message_row *row = topic_parse(message->topic, &topic) ? row_of(topic.kind) : NULL;
    if (!row || (row->topic == TOPIC_NODE_METRICS && message->retained)) /* no heartbeat */
        return;
    if (row->ours && message->retained)
        ledger_heard(shell->ledger, message->topic, message->payload, message->length);
    /* our own, come back: once, so that an old one that is said again is written over */
    if (row->ours && !session_is_quiet(shell->session) &&
        hash_memory_take(&shell->echoes,
                         message_hash(message->topic, message->payload, message->length)))
        return;
    if (hear(shell, row, &topic, message, false))
        shell->bus->ops->reconnect(shell->bus, "out of memory: everything is heard again");
}
