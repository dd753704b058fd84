#include "cli/instances.h"

#include "cli/format.h"
#include "platform/base/mem.h"
#include "schema/field_rows.h"
#include "schema/reasons.h"

#include <stdlib.h>
#include <string.h>

static const struct word state_word_items[] = {
#define STATE_WORD(name, wire, order) {order, wire},
    ATTEMPT_STATE_TABLE(STATE_WORD)
#undef STATE_WORD
};
static const struct word desired_word_items[] = {{DESIRED_RUN, "run"}, {DESIRED_STOP, "stop"}};
static const struct word health_word_items[] = {
    {HEALTH_UNKNOWN, "unknown"}, {HEALTH_HEALTHY, "healthy"}, {HEALTH_UNHEALTHY, "unhealthy"}};
static const struct words state_words = WORDS(state_word_items);
static const struct words desired_words = WORDS(desired_word_items);
static const struct words health_words = WORDS(health_word_items);

static const struct field port_fields[] = {
    {.key = "port", .kind = FIELD_INT, .offset = offsetof(struct bound_port, port)},
    {.key = "host", .kind = FIELD_INT, .offset = offsetof(struct bound_port, host)},
    {.key = "udp", .kind = FIELD_BOOL, .offset = offsetof(struct bound_port, udp)},
};
static const struct record port_record = {.name = "port",
                                          .size = sizeof(struct bound_port),
                                          .fields = port_fields,
                                          .field_count = ARRAY_LENGTH(port_fields)};

#define TEXT(name)                                                                    \
    {                                                                                 \
        .key = #name, .kind = FIELD_STRING, .offset = offsetof(struct instance, name) \
    }
#define SEEN_TEXT(name)                                                                    \
    {                                                                                      \
        .key = #name, .kind = FIELD_STRING, .offset = offsetof(struct instance, seen.name) \
    }
#define SEEN_NUMBER(name, absent)                                          \
    {                                                                      \
        .key = #name, .kind = FIELD_INT, .flags = FIELD_OMIT_DEFAULT,      \
        .offset = offsetof(struct instance, seen.name), .fallback = absent \
    }

static const struct field instance_fields[] = {
    TEXT(id),
    TEXT(instance),
    TEXT(job),
    TEXT(task),
    {.key = "index", .kind = FIELD_INT, .offset = offsetof(struct instance, index)},
    TEXT(node),
    {.key = "state",
     .kind = FIELD_ENUM,
     .offset = offsetof(struct instance, state),
     .words = &state_words},
    {.key = "desired",
     .kind = FIELD_ENUM,
     .offset = offsetof(struct instance, desired),
     .words = &desired_words},
    {.key = "node_online", .kind = FIELD_BOOL, .offset = offsetof(struct instance, node_online)},
    SEEN_NUMBER(version, 0),
    SEEN_NUMBER(run, UNSET),
    SEEN_NUMBER(restarts, UNSET),
    SEEN_NUMBER(exit_code, UNSET),
    TEXT(reason),
    SEEN_TEXT(message),
    {.key = "health",
     .kind = FIELD_ENUM,
     .offset = offsetof(struct instance, seen.health),
     .words = &health_words},
    TEXT(address),
    {.key = "ports",
     .kind = FIELD_RECORDS,
     .flags = FIELD_OMIT_DEFAULT,
     .offset = offsetof(struct instance, seen.ports),
     .record = &port_record},
    SEEN_TEXT(execution),
    SEEN_NUMBER(started_ms, 0),
    SEEN_NUMBER(changed_ms, 0),
    SEEN_NUMBER(finished_ms, 0),
};
const struct record instance_record = {.name = "instance",
                                       .size = sizeof(struct instance),
                                       .fields = instance_fields,
                                       .field_count = ARRAY_LENGTH(instance_fields)};

/* ---- collecting ------------------------------------------------------------------------------ */

/* The instance a person means by an attempt's id; NULL for an id that is none. */
static struct instance *instances_add(struct instances *instances, const char *id, const char *node,
                                      const struct picture *picture)
{
    struct attempt_name name;
    if (!attempt_name_parse(id, &name))
        return NULL;
    if (instances->count == instances->capacity) {
        instances->capacity = instances->capacity ? instances->capacity * 2 : 16;
        instances->items =
            mem_resize(instances->items, instances->capacity, sizeof *instances->items);
    }
    struct instance *item = &instances->items[instances->count++];
    const struct presence_document *presence = picture_find(picture, TOPIC_NODE_STATUS, node, NULL);
    char text[LIMIT_TASK_ID_LENGTH + 1];
    instance_name_format(text, name.job, name.task, name.index);
    *item = (struct instance){
        .id = id,
        .instance = arena_strdup(&instances->arena, text),
        .job = arena_strdup(&instances->arena, name.job),
        .task = arena_strdup(&instances->arena, name.task),
        .index = name.index,
        .node = node,
        .state = ATTEMPT_SCHEDULED,
        .node_online = presence && presence->state == PRESENCE_ONLINE,
        .seen = {.run = UNSET, .restarts = UNSET, .exit_code = UNSET},
    };
    ASSERT(item->instance && item->job && item->task);
    return item;
}

static const struct assigned_attempt *assigned_find(const struct assignment *assignment,
                                                    const char *id)
{
    for (size_t i = 0; assignment && i < assignment->attempts.count; i++) {
        const struct assigned_attempt *attempt =
            RECORD_AT(struct assigned_attempt, assignment->attempts, i);
        if (strcmp(attempt->id, id) == 0)
            return attempt;
    }
    return NULL;
}

static const struct observed_attempt *observed_find(const struct node_state *state, const char *id)
{
    for (size_t i = 0; state && i < state->attempts.count; i++) {
        const struct observed_attempt *attempt =
            RECORD_AT(struct observed_attempt, state->attempts, i);
        if (strcmp(attempt->id, id) == 0)
            return attempt;
    }
    return NULL;
}

void instance_see(struct instances *instances, struct instance *item, const struct picture *picture,
                  const struct observed_attempt *seen)
{
    const struct node_info *info = picture_find(picture, TOPIC_NODE_INFO, item->node, NULL);
    item->seen = *seen;
    item->state = seen->state;
    item->reason = seen->reason ? reason_to_string(seen->reason) : NULL;
    item->address = format_address(&instances->arena, info ? info->address : NULL, seen);
}

/* What the worker has reported of one job on its node. */
static void collect_observed(struct instances *instances, const struct picture *picture,
                             const struct picture_entry *entry)
{
    const struct node_state *state = entry->value;
    const char *node = entry->topic.level[0];
    const struct assignment *assignment =
        picture_find(picture, TOPIC_NODE_ASSIGN, node, entry->topic.level[1]);
    if (state->tombstone)
        return;
    for (size_t i = 0; i < state->attempts.count; i++) {
        const struct observed_attempt *attempt =
            RECORD_AT(struct observed_attempt, state->attempts, i);
        struct instance *item = instances_add(instances, attempt->id, node, picture);
        if (!item)
            continue;
        const struct assigned_attempt *assigned = assigned_find(assignment, attempt->id);
        item->desired = assigned ? assigned->desired : 0;
        instance_see(instances, item, picture, attempt);
    }
}

/* What is assigned but not reported yet. */
static void collect_assigned(struct instances *instances, const struct picture *picture,
                             const struct picture_entry *entry)
{
    const struct assignment *assignment = entry->value;
    const char *node = entry->topic.level[0];
    const struct node_state *state =
        picture_find(picture, TOPIC_NODE_STATE, node, entry->topic.level[1]);
    if (assignment->head.tombstone)
        return;
    for (size_t i = 0; i < assignment->attempts.count; i++) {
        const struct assigned_attempt *attempt =
            RECORD_AT(struct assigned_attempt, assignment->attempts, i);
        if (observed_find(state, attempt->id))
            continue;
        struct instance *item = instances_add(instances, attempt->id, node, picture);
        if (!item)
            continue;
        item->desired = attempt->desired;
        item->seen.version = attempt->version;
        if (attempt->known.state) {
            item->state = attempt->known.state;
            item->seen.run = attempt->known.run;
            item->seen.restarts = attempt->known.restarts;
        }
    }
}

static int compare(const void *left, const void *right)
{
    const struct instance *a = left, *b = right;
    int order = strverscmp(a->job, b->job);
    if (order == 0)
        order = strverscmp(a->task, b->task);
    if (order == 0)
        order = (a->index > b->index) - (a->index < b->index);
    /* live before ended, then the one that changed last */
    bool a_ended = attempt_state_is_final((enum attempt_state)a->state);
    bool b_ended = attempt_state_is_final((enum attempt_state)b->state);
    if (order == 0)
        order = a_ended - b_ended;
    if (order == 0)
        order =
            (a->seen.changed_ms < b->seen.changed_ms) - (a->seen.changed_ms > b->seen.changed_ms);
    return order ? order : strcmp(a->id, b->id);
}

static bool is_of_interest(const struct instances *instances, size_t kept,
                           const struct instance *item)
{
    if (!attempt_state_is_final((enum attempt_state)item->state))
        return true;
    if (item->state == ATTEMPT_STOPPED || item->desired == DESIRED_STOP)
        return false;
    return kept == 0 || strcmp(instances->items[kept - 1].instance, item->instance) != 0;
}

static void drop_uninteresting(struct instances *instances)
{
    size_t kept = 0;
    for (size_t i = 0; i < instances->count; i++)
        if (is_of_interest(instances, kept, &instances->items[i]))
            instances->items[kept++] = instances->items[i];
    instances->count = kept;
}

static bool is_wanted(const struct picture_entry *entry, const char *job, const char *node)
{
    return (!node || strcmp(entry->topic.level[0], node) == 0) &&
           (!job || strcmp(entry->topic.level[1], job) == 0);
}

void instances_collect(struct instances *instances, const struct picture *picture, const char *job,
                       const char *node, bool all)
{
    const struct picture_entry *entry = NULL;
    while ((entry = picture_next(picture, TOPIC_NODE_STATE, entry)))
        if (is_wanted(entry, job, node))
            collect_observed(instances, picture, entry);
    while ((entry = picture_next(picture, TOPIC_NODE_ASSIGN, entry)))
        if (is_wanted(entry, job, node))
            collect_assigned(instances, picture, entry);
    if (instances->count)
        qsort(instances->items, instances->count, sizeof *instances->items, compare);
    if (!all)
        drop_uninteresting(instances);
}

void instances_release(struct instances *instances)
{
    arena_release(&instances->arena);
    free(instances->items);
    *instances = (struct instances){0};
}
