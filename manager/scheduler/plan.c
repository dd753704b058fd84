/* snapshot -> a cluster of its own -> each job's instances in order: keep, place, replace, stop, or
 * why not. */
#include "manager/scheduler/plan.h"

#include "manager/scheduler/plan_cluster.h"
#include "schema/topics.h"

#include <math.h>
#include <string.h>

/* ---- telling ---- */

static double as_score(int64_t score, int64_t one)
{
    return (double)score / (double)one;
}

static const struct plan_parts no_parts = {NAN, NAN, NAN, NAN, NAN};

static struct plan_parts parts_of(const struct cluster_score *score,
                                  const struct cluster_demand *demand)
{
    struct plan_parts parts = no_parts;
    parts.policy = as_score(score->policy, CLUSTER_PART_ONE);
    if (score->anti_affinity)
        parts.anti_affinity = as_score(score->anti_affinity, CLUSTER_PART_ONE);
    if (score->penalty)
        parts.penalty = as_score(score->penalty, CLUSTER_PART_ONE);
    if (demand->affinity_count)
        parts.affinity = as_score(score->affinity, CLUSTER_PART_ONE);
    if (demand->spread_count)
        parts.spread = as_score(score->spread, CLUSTER_PART_ONE);
    return parts;
}

static struct plan_instance *add_instance(struct planner *planner, const char *job,
                                          const char *task, int64_t index)
{
    struct record_list *list = &planner->plan->instances;
    if (list->count == planner->capacity) {
        planner->capacity = planner->capacity ? planner->capacity * 2 : 64;
        struct plan_instance *items =
            taken(arena_array(planner->arena, planner->capacity, sizeof(*items)));
        if (list->count)
            memcpy(items, list->items, list->count * sizeof(*items));
        list->items = items;
    }
    struct plan_instance *instance = RECORD_AT(struct plan_instance, *list, list->count++);
    char name[LIMIT_TASK_ID_LENGTH + 1];
    instance_name_format(name, job, task, index);
    *instance = (struct plan_instance){.instance = taken(arena_strdup(planner->arena, name)),
                                       .job = job,
                                       .task = task,
                                       .index = index,
                                       .score = NAN,
                                       .parts = no_parts};
    return instance;
}

static void explain_pending(struct planner *planner, const struct cluster_explanation *why,
                            struct plan_instance *instance)
{
    char nearest[LIMIT_MESSAGE_LENGTH];
    struct plan_exclusion *items =
        taken(arena_array(planner->arena, why->count + 1, sizeof(*items)));
    instance->excluded = (struct record_list){items, why->count};
    for (size_t i = 0; i < why->count; i++) {
        const struct cluster_exclusion *exclusion = &why->exclusions[i];
        items[i] = (struct plan_exclusion){.reason = reason_to_string((int)exclusion->reason),
                                           .text = reason_text((int)exclusion->reason),
                                           .detail = exclusion->detail,
                                           .nodes = exclusion->nodes};
    }
    cluster_nearest_text(why, nearest, sizeof(nearest));
    instance->nearest = nearest[0] ? taken(arena_strdup(planner->arena, nearest)) : NULL;
}

static void tell_candidates(struct planner *planner, struct cluster_group *group,
                            const struct cluster_demand *demand, struct plan_instance *instance)
{
    static const struct cluster_failures none = {NULL, 0};
    struct plan_candidate *items =
        taken(arena_array(planner->arena, planner->node_count + 1, sizeof(*items)));
    instance->candidates = (struct record_list){items, planner->node_count};
    for (size_t i = 0; i < planner->node_count; i++) {
        struct cluster_node *node = planner->nodes[i];
        struct plan_candidate *candidate = &items[i];
        struct cluster_score score;
        *candidate = (struct plan_candidate){
            .node = planner->snapshot_ids[i], .score = NAN, .parts = no_parts};
        enum reason reason =
            cluster_exclude(planner->cluster, group, demand, node, &candidate->detail);
        if (reason) {
            candidate->excluded = reason_to_string((int)reason);
            continue;
        }
        cluster_score(planner->cluster, group, demand, &none, node, &score);
        candidate->score = as_score(score.mean, CLUSTER_SCORE_ONE);
        candidate->parts = parts_of(&score, demand);
    }
}

/* ---- one instance ---- */

struct task_plan {
    struct planner *planner;
    const struct job_spec *job;
    const struct task_spec *task;
    struct cluster_group *group;
    const struct cluster_demand *demand;
};

static void claim_there(const struct task_plan *at, struct cluster_node *node,
                        struct plan_instance *instance)
{
    static const struct cluster_failures none = {NULL, 0};
    struct cluster_score score;
    cluster_score(at->planner->cluster, at->group, at->demand, &none, node, &score);
    instance->node = taken(arena_strdup(at->planner->arena, cluster_node_id(node)));
    instance->score = as_score(score.mean, CLUSTER_SCORE_ONE);
    instance->parts = parts_of(&score, at->demand);
    cluster_claim_new(at->planner->cluster, node, at->group, at->demand, NULL);
}

static void place(const struct task_plan *at, enum plan_action action,
                  struct plan_instance *instance)
{
    static const struct cluster_failures none = {NULL, 0};
    struct planner *planner = at->planner;
    struct cluster_placement placement;
    if (planner->options->explain)
        tell_candidates(planner, at->group, at->demand, instance);
    if (cluster_place(planner->cluster, at->group, at->demand, &none, &placement)) {
        instance->action = (int)action;
        claim_there(at, placement.node, instance);
        return;
    }
    struct cluster_explanation why;
    instance->action = PLAN_PENDING;
    cluster_explain(planner->cluster, at->group, at->demand, &why);
    explain_pending(planner, &why, instance);
}

static bool has_same_resources(const struct snapshot_task *task, const struct resources *wanted)
{
    return task->resources.cpu_millis == wanted->cpu_millis &&
           task->resources.memory_bytes == wanted->memory_bytes &&
           task->resources.disk_bytes == wanted->disk_bytes;
}

/* False when it is not there. */
static bool keep(const struct task_plan *at, struct present *present,
                 struct plan_instance *instance)
{
    if (!present || !present->claim)
        return false;
    instance->node = present->task->node;
    if (has_same_resources(present->task, &at->task->resources)) {
        instance->action = PLAN_KEEP;
        return true;
    }
    cluster_claim_free(at->planner->cluster, present->claim);
    present->claim = NULL;
    return false;
}

static void plan_instance(const struct task_plan *at, int64_t index)
{
    struct plan_instance *instance =
        add_instance(at->planner, at->job->name, at->task->name, index);
    struct present *present = planner_present(at->planner, instance->instance);
    bool there = present && present->claim;
    if (!keep(at, present, instance))
        place(at, there ? PLAN_REPLACE : PLAN_PLACE, instance);
}

/* ---- tasks and jobs ---- */

static void plan_stops(struct planner *planner, const struct job_spec *job,
                       const struct task_spec *task)
{
    for (struct present *at = planner->present; at; at = at->hh.next) {
        if (strcmp(at->task->job, job->name) != 0 || strcmp(present_task(at), task->name) != 0 ||
            at->task->index < task->count)
            continue;
        struct plan_instance *instance =
            add_instance(planner, job->name, task->name, at->task->index);
        instance->action = PLAN_STOP;
        instance->node = at->task->node;
    }
}

static const struct present *present_on(const struct planner *planner, const struct task_plan *at,
                                        const char *node)
{
    for (const struct present *found = planner->present; found; found = found->hh.next) {
        if (strcmp(found->task->job, at->job->name) == 0 &&
            strcmp(present_task(found), at->task->name) == 0 &&
            strcmp(found->task->node, node) == 0)
            return found;
    }
    return NULL;
}

static bool is_mismatch(enum reason reason)
{
    return reason == REASON_DATACENTER || reason == REASON_RUNTIME_MISSING ||
           reason == REASON_CONSTRAINT;
}

/* System types: one instance on each node that matches. */
static void plan_everywhere(const struct task_plan *at)
{
    struct planner *planner = at->planner;
    int64_t index = 0;
    for (size_t i = 0; i < planner->node_count; i++) {
        struct cluster_node *node = planner->nodes[i];
        const struct present *there = present_on(planner, at, cluster_node_id(node));
        enum reason reason = cluster_exclude(planner->cluster, at->group, at->demand, node, NULL);
        if (!there && is_mismatch(reason))
            continue;
        struct plan_instance *instance = add_instance(planner, at->job->name, at->task->name,
                                                      there ? there->task->index : index);
        index++;
        instance->node = planner->snapshot_ids[i];
        instance->action = there ? PLAN_KEEP : reason ? PLAN_PENDING : PLAN_PLACE;
        if (instance->action == PLAN_PLACE)
            claim_there(at, node, instance);
        if (instance->action != PLAN_PENDING)
            continue;
        struct cluster_explanation why = {.nodes = 1, .count = 1};
        why.exclusions[0] = (struct cluster_exclusion){.reason = reason, .nodes = 1};
        explain_pending(planner, &why, instance);
    }
}

static void plan_job(struct planner *planner, const struct job_spec *job)
{
    for (size_t i = 0; i < job->tasks.count; i++) {
        const struct task_spec *task = RECORD_AT(struct task_spec, job->tasks, i);
        struct task_plan at = {.planner = planner,
                               .job = job,
                               .task = task,
                               .group = planner_group(planner, job->name, task->name),
                               .demand = planner_task_demand(planner, job, task)};
        if (job_type_is_everywhere(job->type)) {
            plan_everywhere(&at);
            continue;
        }
        plan_stops(planner, job, task);
        for (int64_t index = 0; index < task->count; index++)
            plan_instance(&at, index);
    }
}

void plan_make(const struct cluster_snapshot *snapshot, const struct job_spec *const *jobs,
               size_t job_count, const struct plan_options *options, struct arena *arena,
               struct plan *ret_plan)
{
    struct cluster_settings settings = {
        .policy = options->policy, .max_jobs = LIMIT_ATTEMPTS_PER_NODE, .cursor = ""};
    struct planner planner = {
        .options = options, .arena = arena, .cluster = cluster_new(&settings), .plan = ret_plan};
    *ret_plan = (struct plan){{NULL, 0}};
    planner_load(&planner, snapshot);
    for (size_t i = 0; i < job_count; i++)
        plan_job(&planner, jobs[i]);
    planner_release(&planner);
}
