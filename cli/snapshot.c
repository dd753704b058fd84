#include "cli/snapshot.h"

#include "cli/instances.h"
#include "platform/base/mem.h"
#include "schema/labels.h"

#include <math.h>
#include <string.h>

int snapshot_hear(struct client *client)
{
    static const struct client_filter filters[] = {
        {TOPIC_NODE_INFO, "+", NULL},    {TOPIC_NODE_STATUS, "+", NULL},
        {TOPIC_NODE_DESIRED, "+", NULL}, {TOPIC_NODE_METRICS, "+", NULL},
        {TOPIC_NODE_ASSIGN, "+", "+"},   {TOPIC_NODE_STATE, "+", "+"},
        {TOPIC_JOB_SPEC, "+", NULL},
    };
    return client_hear(client, filters, ARRAY_LENGTH(filters));
}

/* Zeroed, one for each item. */
static void *list_of(struct arena *arena, size_t count, size_t size)
{
    void *items = arena_array(arena, count + 1, size);
    ASSERT(items);
    return items;
}

/* ---- nodes ---- */

static double metric(const struct number_map *metrics, const char *name)
{
    for (size_t i = 0; metrics && i < metrics->count; i++)
        if (strcmp(metrics->items[i].key, name) == 0)
            return metrics->items[i].value;
    return NAN;
}

static struct snapshot_usage usage_of(const struct number_map *metrics, int64_t now_ms)
{
    double busy = metric(metrics, "cpu_usage_ratio"), used = metric(metrics, "mem_used_bytes");
    double told_ms = metric(metrics, "ts_ms");
    bool is_past = told_ms > 0 && told_ms < (double)now_ms;
    return (struct snapshot_usage){
        .cpu_percent = busy * 100,
        .mem_used_bytes = used > 0 ? (int64_t)used : 0,
        .age_ms = is_past ? now_ms - (int64_t)told_ms : 0,
    };
}

static struct string_map labels_of(const struct node_info *info, const struct node_desired *desired,
                                   struct arena *arena)
{
    static const struct string_map none = {0};
    struct string_map labels;
    int failed = labels_merge(&info->labels, desired ? &desired->labels : &none, arena, &labels);
    ASSERT(!failed);
    return labels;
}

static struct snapshot_node node_of(const struct picture *picture, const char *id, int64_t now_ms,
                                    struct arena *arena)
{
    const struct node_info *info = picture_find(picture, TOPIC_NODE_INFO, id, NULL);
    const struct node_desired *desired = picture_find(picture, TOPIC_NODE_DESIRED, id, NULL);
    const struct presence_document *presence = picture_find(picture, TOPIC_NODE_STATUS, id, NULL);
    if (desired && desired->head.tombstone)
        desired = NULL;
    return (struct snapshot_node){
        .id = id,
        .datacenter = info->datacenter,
        .online = presence && presence->state == PRESENCE_ONLINE,
        .eligible = !desired || desired->eligible,
        .labels = labels_of(info, desired, arena),
        .attributes = info->attributes,
        .runtimes = info->runtimes,
        .capacity = {info->capacity.cpu_millis, info->capacity.memory_bytes,
                     info->capacity.disk_bytes},
        .usage = usage_of(picture_find(picture, TOPIC_NODE_METRICS, id, NULL), now_ms),
        .max_tasks = info->max_attempts,
    };
}

static void add_nodes(const struct picture *picture, int64_t now_ms, struct arena *arena,
                      struct record_list *nodes)
{
    const struct picture_entry *entry = NULL;
    size_t count = 0;
    while ((entry = picture_next(picture, TOPIC_NODE_INFO, entry)))
        count++;
    nodes->items = list_of(arena, count, sizeof(struct snapshot_node));
    while ((entry = picture_next(picture, TOPIC_NODE_INFO, entry)))
        *RECORD_AT(struct snapshot_node, *nodes, nodes->count++) =
            node_of(picture, entry->topic.level[0], now_ms, arena);
}

/* ---- tasks ---- */

static const struct job_spec *spec_of(const struct assignment *assignment, int64_t version)
{
    for (size_t i = 0; i < assignment->older.count; i++) {
        const struct versioned_spec *older = RECORD_AT(struct versioned_spec, assignment->older, i);
        if (older->version == version)
            return &older->spec;
    }
    return &assignment->spec;
}

/* NULL: it is in no assignment any more. */
static const struct task_spec *task_of(const struct picture *picture, const struct instance *item,
                                       int64_t *ret_priority)
{
    const struct assignment *assignment =
        picture_find(picture, TOPIC_NODE_ASSIGN, item->node, item->job);
    if (!assignment || assignment->head.tombstone)
        return NULL;
    const struct job_spec *spec = spec_of(assignment, item->seen.version);
    *ret_priority = spec->priority;
    for (size_t i = 0; i < spec->tasks.count; i++) {
        const struct task_spec *task = RECORD_AT(struct task_spec, spec->tasks, i);
        if (strcmp(task->name, item->task) == 0)
            return task;
    }
    return NULL;
}

static void add_task(const struct picture *picture, const struct instance *item,
                     struct arena *arena, struct record_list *tasks)
{
    int64_t priority = UNSET;
    const struct task_spec *spec = task_of(picture, item, &priority);
    if (attempt_state_is_final((enum attempt_state)item->state) || !spec)
        return;
    *RECORD_AT(struct snapshot_task, *tasks, tasks->count++) = (struct snapshot_task){
        .job = arena_strdup(arena, item->job),
        .task = arena_strdup(arena, item->task),
        .index = item->index,
        .node = item->node,
        .priority = priority == UNSET ? DEFAULT_PRIORITY : priority,
        .state = item->state,
        .resources = spec->resources,
        .ports = spec->ports,
    };
}

static void add_tasks(const struct picture *picture, struct arena *arena, struct record_list *tasks)
{
    _cleanup_instances_ struct instances instances = {0};
    instances_collect(&instances, picture, NULL, NULL, true);
    tasks->items = list_of(arena, instances.count, sizeof(struct snapshot_task));
    for (size_t i = 0; i < instances.count; i++)
        add_task(picture, &instances.items[i], arena, tasks);
}

static void add_jobs(const struct picture *picture, struct arena *arena, struct record_list *jobs)
{
    const struct picture_entry *entry = NULL;
    size_t count = 0;
    while ((entry = picture_next(picture, TOPIC_JOB_SPEC, entry)))
        count++;
    jobs->items = list_of(arena, count, sizeof(struct job_spec));
    while ((entry = picture_next(picture, TOPIC_JOB_SPEC, entry))) {
        const struct job_document *document = entry->value;
        if (!document->head.tombstone && document->spec.name)
            *RECORD_AT(struct job_spec, *jobs, jobs->count++) = document->spec;
    }
}

void snapshot_of(const struct picture *picture, int64_t now_ms, struct arena *arena,
                 struct cluster_snapshot *ret_snapshot)
{
    const struct manager_status *status = picture_find(picture, TOPIC_MANAGER_STATUS, NULL, NULL);
    *ret_snapshot = (struct cluster_snapshot){
        .cluster = status ? status->head.cluster : NULL,
        .taken_ms = now_ms,
        .policy = status ? words_to_string(&placement_policy_words, status->policy) : NULL,
        .preemption = status ? status->preemption : 0,
        .max_jobs = LIMIT_ATTEMPTS_PER_NODE,
    };
    add_nodes(picture, now_ms, arena, &ret_snapshot->nodes);
    add_tasks(picture, arena, &ret_snapshot->tasks);
    add_jobs(picture, arena, &ret_snapshot->jobs);
}
