#include "manager/scheduler/plan_cluster.h"

#include "manager/scheduler/demand.h"
#include "schema/topics.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    AGE_MAX_MS = 60 * 1000,  /* of a heartbeat, to go by what it said */
    PRIORITY_OF_OTHERS = 101 /* of what is no job: nobody may preempt it */
};

/* ---- jobs and groups ---- */

static struct cluster_job *job_of(struct planner *planner, const char *name)
{
    struct planned_job *job;
    HASH_FIND_STR(planner->jobs, name, job);
    if (!job) {
        job = mem_alloc(sizeof(*job));
        job->name = name;
        job->job = cluster_job_new();
        HASH_ADD_KEYPTR(hh, planner->jobs, job->name, strlen(job->name), job);
    }
    return job->job;
}

struct cluster_group *planner_group(struct planner *planner, const char *job, const char *task)
{
    char *name = mem_printf("%s/%s", job, task);
    struct planned_group *group;
    HASH_FIND_STR(planner->groups, name, group);
    if (group) {
        free(name);
        return group->group;
    }
    group = mem_alloc(sizeof(*group));
    group->name = name;
    group->group = cluster_group_new(job_of(planner, job));
    HASH_ADD_KEYPTR(hh, planner->groups, group->name, strlen(group->name), group);
    return group->group;
}

/* ---- demands ---- */

static const struct string_list anywhere = {(const char *[]){"*"}, 1};

struct cluster_demand *planner_demand(struct planner *planner, const struct resources *resources,
                                      const struct string_list *ports, int64_t priority)
{
    struct cluster_demand *demand = taken(arena_alloc(planner->arena, sizeof(*demand)));
    *demand = (struct cluster_demand){
        .datacenters = &anywhere,
        .priority = priority,
        .count = 1,
    };
    int failed = demand_add_resources(resources, ports, planner->arena, demand);
    failed = failed ? failed : cluster_demand_seal(demand, planner->arena);
    ASSERT(!failed);
    return demand;
}

struct cluster_demand *planner_task_demand(struct planner *planner, const struct job_spec *job,
                                           const struct task_spec *task)
{
    struct cluster_demand *demand = taken(arena_alloc(planner->arena, sizeof(*demand)));
    int failed = demand_from_spec(job, task, planner->arena, demand);
    ASSERT(!failed);
    return demand;
}

/* ---- the cluster ---- */

static unsigned runtimes_of(const struct snapshot_node *node)
{
    unsigned bits = node->runtimes.count ? 0 : ~0u;
    for (size_t i = 0; i < node->runtimes.count; i++) {
        int kind = words_from_string(&runtime_words, node->runtimes.items[i]);
        bits |= kind ? 1u << kind : 0;
    }
    return bits;
}

static int64_t rest(int64_t capacity, int64_t reserved)
{
    return capacity > reserved ? capacity - reserved : 0;
}

static struct cluster_facts facts_of(const struct snapshot_node *node)
{
    const struct snapshot_amounts *has = &node->capacity, *kept = &node->reserved;
    return (struct cluster_facts){
        .properties = {.id = node->id,
                       .datacenter = node->datacenter,
                       .labels = node->labels,
                       .attributes = node->attributes},
        .barred = !node->online     ? REASON_NODE_SILENT
                  : !node->eligible ? REASON_INELIGIBLE
                                    : REASON_NONE,
        .runtimes = runtimes_of(node),
        .capacity = {rest(has->cpu_millis, kept->cpu_millis),
                     rest(has->memory_bytes, kept->memory_bytes),
                     rest(has->disk_bytes, kept->disk_bytes)},
        .max_attempts = node->max_tasks,
        .dynamic_ports = UNSET,
    };
}

static void tell_load(struct planner *planner, struct cluster_node *node,
                      const struct snapshot_node *from)
{
    if (isnan(from->usage.cpu_percent) || from->usage.age_ms > AGE_MAX_MS)
        return;
    double busy = (double)from->capacity.cpu_millis * from->usage.cpu_percent / 100;
    struct capacity load = {.cpu_millis = (int64_t)busy,
                            .memory_bytes = from->usage.mem_used_bytes};
    cluster_node_load(planner->cluster, node, &load);
}

/* Ports that something else holds are claimed by a job that nobody has. */
static void claim_ports(struct planner *planner, struct cluster_node *node,
                        const struct string_list *ports)
{
    static const struct resources nothing = {.memory_max_bytes = UNSET};
    struct string_list taken_ports = {
        taken(arena_array(planner->arena, ports->count + 1, sizeof(char *))), 0};
    for (size_t i = 0; i < ports->count; i++)
        taken_ports.items[taken_ports.count++] =
            taken(arena_printf(planner->arena, "%s:%s", ports->items[i], ports->items[i]));
    if (taken_ports.count)
        cluster_claim_new(planner->cluster, node, planner_group(planner, "", ""),
                          planner_demand(planner, &nothing, &taken_ports, PRIORITY_OF_OTHERS),
                          NULL);
}

static void add_nodes(struct planner *planner, const struct record_list *nodes)
{
    planner->nodes = mem_alloc((nodes->count + 1) * sizeof(*planner->nodes));
    planner->snapshot_ids = mem_alloc((nodes->count + 1) * sizeof(*planner->snapshot_ids));
    for (size_t i = 0; i < nodes->count; i++) {
        const struct snapshot_node *from = RECORD_AT(struct snapshot_node, *nodes, i);
        struct cluster_facts facts = facts_of(from);
        struct cluster_node *node = cluster_node_add(planner->cluster, &facts);
        planner->snapshot_ids[planner->node_count] = from->id;
        planner->nodes[planner->node_count++] = node;
        tell_load(planner, node, from);
        claim_ports(planner, node, &from->ports_used);
    }
}

static struct cluster_node *node_find(const struct planner *planner, const char *id)
{
    for (size_t i = 0; i < planner->node_count; i++)
        if (strcmp(cluster_node_id(planner->nodes[i]), id) == 0)
            return planner->nodes[i];
    return NULL;
}

const char *present_task(const struct present *present)
{
    return present->task->task ? present->task->task : present->task->job;
}

static void add_present(struct planner *planner, const struct snapshot_task *task)
{
    struct cluster_node *node = node_find(planner, task->node);
    struct present *present = mem_alloc(sizeof(*present));
    present->task = task;
    const char *name = present_task(present);
    instance_name_format(present->name, task->job, name, task->index);
    if (node)
        present->claim = cluster_claim_new(
            planner->cluster, node, planner_group(planner, task->job, name),
            planner_demand(planner, &task->resources, &task->ports, task->priority),
            planner_occupant(planner, present->name, present));
    HASH_ADD_STR(planner->present, name, present);
}

struct occupant *planner_occupant(struct planner *planner, const char *name,
                                  struct present *present)
{
    struct occupant *occupant = taken(arena_alloc(planner->arena, sizeof(*occupant)));
    *occupant = (struct occupant){taken(arena_strdup(planner->arena, name)), present};
    return occupant;
}

const struct job_spec *planner_spec(const struct planner *planner, const char *job)
{
    const struct record_list *jobs = &planner->snapshot->jobs;
    for (size_t i = 0; i < jobs->count; i++) {
        const struct job_spec *spec = RECORD_AT(struct job_spec, *jobs, i);
        if (strcmp(spec->name, job) == 0)
            return spec;
    }
    return NULL;
}

struct present *planner_present(const struct planner *planner, const char *name)
{
    struct present *present;
    HASH_FIND_STR(planner->present, name, present);
    return present;
}

void planner_load(struct planner *planner, const struct cluster_snapshot *snapshot)
{
    add_nodes(planner, &snapshot->nodes);
    for (size_t i = 0; i < snapshot->tasks.count; i++)
        add_present(planner, RECORD_AT(struct snapshot_task, snapshot->tasks, i));
}

void planner_release(struct planner *planner)
{
    struct planned_group *group, *next_group;
    struct planned_job *job, *next_job;
    struct present *present, *next_present;
    cluster_free(planner->cluster);
    HASH_ITER(hh, planner->groups, group, next_group)
    {
        HASH_DEL(planner->groups, group);
        cluster_group_free(NULL, group->group);
        free(group->name);
        free(group);
    }
    HASH_ITER(hh, planner->jobs, job, next_job)
    {
        HASH_DEL(planner->jobs, job);
        cluster_job_free(job->job);
        free(job);
    }
    HASH_ITER(hh, planner->present, present, next_present)
    {
        HASH_DEL(planner->present, present);
        free(present);
    }
    free(planner->nodes);
    free(planner->snapshot_ids);
}
