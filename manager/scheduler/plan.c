/* snapshot -> a cluster of its own -> each job's instances in order: keep, place, replace, stop, or
 * why not. */
#include "manager/scheduler/plan.h"

#include "manager/scheduler/plan_cluster.h"
#include "schema/record.h"
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
    struct planner *planner = at->planner;
    struct cluster_score score;
    cluster_score(planner->cluster, at->group, at->demand, &none, node, &score);
    instance->node = taken(arena_strdup(planner->arena, cluster_node_id(node)));
    instance->score = as_score(score.mean, CLUSTER_SCORE_ONE);
    instance->parts = parts_of(&score, at->demand);
    cluster_claim_new(planner->cluster, node, at->group, at->demand,
                      planner_occupant(planner, instance->instance, NULL));
}

/* ---- who has to make room ---- */

/* What was planned before, and has to go again. */
static void unplan(struct planner *planner, const char *name)
{
    static const struct cluster_explanation preempted = {
        .nodes = 1, .exclusions = {{.reason = REASON_PREEMPTED, .nodes = 1}}, .count = 1};
    struct record_list *list = &planner->plan->instances;
    for (size_t i = 0; i < list->count; i++) {
        struct plan_instance *at = RECORD_AT(struct plan_instance, *list, i);
        if (strcmp(at->instance, name) != 0)
            continue;
        at->action = PLAN_PENDING;
        at->node = NULL;
        at->score = NAN;
        at->parts = no_parts;
        explain_pending(planner, &preempted, at);
    }
}

static void displace(struct planner *planner, struct cluster_claim *claim)
{
    const struct occupant *occupant = cluster_claim_owner(claim);
    if (occupant->present)
        occupant->present->claim = NULL;
    else
        unplan(planner, occupant->name);
    cluster_claim_free(planner->cluster, claim);
}

/* `only` NULL: on any node. */
static bool preempt(const struct task_plan *at, struct cluster_node *only,
                    struct plan_instance *instance)
{
    struct planner *planner = at->planner;
    struct cluster_preemption found;
    enum preemption allowed = planner->options->preemption;
    if (allowed != PREEMPTION_BY_ALL &&
        (allowed == PREEMPTION_BY_NONE || !job_type_is_everywhere(at->job->type)))
        return false;
    if (only ? !cluster_preempt_on(planner->cluster, at->group, at->demand, only, &found)
             : !cluster_preempt(planner->cluster, at->group, at->demand, &found))
        return false;
    instance->preempts.items = taken(arena_array(planner->arena, found.count, sizeof(char *)));
    for (size_t i = 0; i < found.count; i++) {
        const struct occupant *occupant = cluster_claim_owner(found.victims[i]);
        instance->preempts.items[instance->preempts.count++] = occupant->name;
        displace(planner, found.victims[i]);
    }
    claim_there(at, found.node, instance);
    return true;
}

static void place(const struct task_plan *at, enum plan_action action,
                  struct plan_instance *instance)
{
    static const struct cluster_failures none = {NULL, 0};
    struct planner *planner = at->planner;
    struct cluster_placement placement;
    struct cluster_explanation why;
    instance->action = (int)action;
    if (planner->options->explain)
        tell_candidates(planner, at->group, at->demand, instance);
    if (cluster_place(planner->cluster, at->group, at->demand, &none, &placement)) {
        claim_there(at, placement.node, instance);
        return;
    }
    if (preempt(at, NULL, instance))
        return;
    instance->action = PLAN_PENDING;
    instance->node = NULL;
    cluster_explain(planner->cluster, at->group, at->demand, &why);
    explain_pending(planner, &why, instance);
}

/* ---- what is there ---- */

static const struct task_spec *task_named(const struct job_spec *job, const char *name)
{
    for (size_t i = 0; i < job->tasks.count; i++) {
        const struct task_spec *task = RECORD_AT(struct task_spec, job->tasks, i);
        if (strcmp(task->name, name) == 0)
            return task;
    }
    return NULL;
}

static bool has_same_resources(const struct snapshot_task *task, const struct resources *wanted)
{
    return task->resources.cpu_millis == wanted->cpu_millis &&
           task->resources.memory_bytes == wanted->memory_bytes &&
           task->resources.disk_bytes == wanted->disk_bytes;
}

/* Whether it stays as it is, is changed where it is, or replaced. */
static enum plan_action becomes(const struct task_plan *at, const struct present *present)
{
    const struct job_spec *was = planner_spec(at->planner, at->job->name);
    const struct task_spec *old = was ? task_named(was, at->task->name) : NULL;
    if (!old) /* only what it reserves is known */
        return has_same_resources(present->task, &at->task->resources) ? PLAN_KEEP : PLAN_REPLACE;
    if (record_equal(&job_spec_record, was, at->job))
        return PLAN_KEEP;
    return task_spec_needs_replacement(old, at->task) ||
                   !cluster_node_matches(at->demand,
                                         cluster_claim_node(at->planner->cluster, present->claim))
               ? PLAN_REPLACE
               : PLAN_UPDATE;
}

/* True: it stays on its node. Else its room is free. */
static bool stays(const struct task_plan *at, struct present *present,
                  struct plan_instance *instance)
{
    instance->action = (int)becomes(at, present);
    instance->node = present->task->node;
    if (instance->action != PLAN_REPLACE)
        return true;
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
    if (!there || !stays(at, present, instance))
        place(at, there ? PLAN_REPLACE : PLAN_PLACE, instance);
}

/* ---- tasks and jobs ---- */

/* What the job wants no more of: higher indexes, and tasks that it has no more. */
static void plan_stops(struct planner *planner, const struct job_spec *job)
{
    for (struct present *at = planner->present; at; at = at->hh.next) {
        if (strcmp(at->task->job, job->name) != 0)
            continue;
        const struct task_spec *task = task_named(job, present_task(at));
        if (task && (job_type_is_everywhere(job->type) || at->task->index < task->count))
            continue;
        struct plan_instance *instance =
            add_instance(planner, job->name, present_task(at), at->task->index);
        instance->action = PLAN_STOP;
        instance->node = at->task->node;
        cluster_claim_leave(planner->cluster, at->claim);
    }
}

static struct present *present_on(const struct planner *planner, const struct task_plan *at,
                                  const char *node)
{
    for (struct present *found = planner->present; found; found = found->hh.next) {
        if (strcmp(found->task->job, at->job->name) == 0 &&
            strcmp(present_task(found), at->task->name) == 0 &&
            strcmp(found->task->node, node) == 0 && found->claim)
            return found;
    }
    return NULL;
}

static bool is_mismatch(enum reason reason)
{
    return reason == REASON_DATACENTER || reason == REASON_RUNTIME_MISSING ||
           reason == REASON_CONSTRAINT;
}

/* There alone, or pending for the node's own reason. */
static void place_there(const struct task_plan *at, struct cluster_node *node, enum reason reason,
                        struct plan_instance *instance)
{
    struct cluster_explanation why;
    if (!reason) {
        claim_there(at, node, instance);
        return;
    }
    if (preempt(at, node, instance))
        return;
    instance->action = PLAN_PENDING;
    cluster_explain_node(at->planner->cluster, at->group, at->demand, node, &why);
    explain_pending(at->planner, &why, instance);
}

/* The first index from `index` on that nothing has. */
static int64_t free_index(const struct task_plan *at, int64_t index)
{
    char name[LIMIT_TASK_ID_LENGTH + 1];
    do
        instance_name_format(name, at->job->name, at->task->name, index++);
    while (planner_present(at->planner, name));
    return index - 1;
}

/* System types: one instance on each node that matches. */
static void plan_everywhere(const struct task_plan *at)
{
    struct planner *planner = at->planner;
    int64_t index = -1;
    for (size_t i = 0; i < planner->node_count; i++) {
        struct cluster_node *node = planner->nodes[i];
        struct present *there = present_on(planner, at, cluster_node_id(node));
        enum reason reason = cluster_exclude(planner->cluster, at->group, at->demand, node, NULL);
        if (!there && is_mismatch(reason))
            continue;
        index = there ? index : free_index(at, index + 1);
        struct plan_instance *instance = add_instance(planner, at->job->name, at->task->name,
                                                      there ? there->task->index : index);
        instance->node = planner->snapshot_ids[i];
        instance->action = PLAN_PLACE;
        if (there && !cluster_node_matches(at->demand, node))
            instance->action = PLAN_STOP;
        else if (!there)
            place_there(at, node, reason, instance);
        else if (!stays(at, there, instance))
            place_there(at, node,
                        cluster_exclude(planner->cluster, at->group, at->demand, node, NULL),
                        instance);
    }
}

static void plan_job(struct planner *planner, const struct job_spec *job)
{
    plan_stops(planner, job);
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
        for (int64_t index = 0; index < task->count; index++)
            plan_instance(&at, index);
    }
}

void plan_make(const struct cluster_snapshot *snapshot, const struct job_spec *const *jobs,
               size_t job_count, const struct plan_options *options, struct arena *arena,
               struct plan *ret_plan)
{
    struct cluster_settings settings = {.policy = options->policy,
                                        .max_jobs = snapshot->max_jobs,
                                        .cursor = snapshot->cursor ? snapshot->cursor : ""};
    struct planner planner = {.options = options,
                              .arena = arena,
                              .snapshot = snapshot,
                              .cluster = cluster_new(&settings),
                              .plan = ret_plan};
    *ret_plan = (struct plan){.jobs = {NULL, 0}};
    planner_load(&planner, snapshot);
    for (size_t i = 0; i < job_count; i++)
        if (!job_spec_is_parent(jobs[i]))
            plan_job(&planner, jobs[i]);
    planner_release(&planner);
}
