/* System and sysbatch jobs: one instance of each task on each node that matches. An instance is a
 * slot as any other, but belongs to one node, which follows from its attempts; a slot without
 * attempts may become any node's.
 *
 *   matches  datacenter and constraints; to get an instance also the runtime, and that the node
 * takes new work. What is there stays as long as the node matches, also while it is silent or not
 * eligible: absence never stops anything. fits     not: pending, with the node's own reason.
 * Nothing of it goes elsewhere. */
#include "manager/core/internal.h"

#include <string.h>
#include <utlist.h>

bool job_is_everywhere(const struct job *job)
{
    const struct spec_version *present = job_present(job);
    return present && job_type_is_everywhere(present->spec.type) && !job_is_parent(job);
}

void job_set_everywhere(struct manager *manager, struct job *job, bool everywhere)
{
    if (job->everywhere == everywhere)
        return;
    job->everywhere = everywhere;
    if (everywhere)
        DL_APPEND2(manager->everywhere, job, everywhere_prev, everywhere_next);
    else
        DL_DELETE2(manager->everywhere, job, everywhere_prev, everywhere_next);
}

/* ---- which nodes ---- */

static const struct scheduler_demand *demand_of(const struct group *group)
{
    const struct spec_version *present = job_present(group->job);
    const struct task_spec *task = spec_task(&present->spec, group->name);
    return task ? &present->demands[spec_task_index(&present->spec, task)] : NULL;
}

/* Reasons that make a node none of the job's, where others only say that it cannot take it now. */
static bool is_elsewhere(enum reason reason)
{
    return reason == REASON_DATACENTER || reason == REASON_CONSTRAINT;
}

/* What the node lacks for good, but may only have lost where an instance is already. */
static bool is_unfit(enum reason reason)
{
    return reason == REASON_RUNTIME_MISSING || reason == REASON_DEVICE_MISSING;
}

static bool node_may_keep(const struct scheduler_demand *demand, const struct node *node)
{
    struct scheduler_node view = node->view;
    if (node->deleted || !node->has_info)
        return !node->deleted; /* what it is will be heard */
    view.barred = REASON_NONE;
    view.runtimes = ~0u; /* one that is down takes nothing away */
    return !is_elsewhere(scheduler_exclude(demand, &view));
}

bool node_takes_work(const struct node *node)
{
    return node->has_info && !node->deleted && !node->view.barred;
}

static bool node_may_get(const struct scheduler_demand *demand, const struct node *node)
{
    if (!node_takes_work(node))
        return false;
    enum reason reason = scheduler_exclude(demand, &node->view);
    return !is_elsewhere(reason) && !is_unfit(reason);
}

/* ---- which instance ---- */

/* Where it runs; else where it was last. */
static struct node *pin_of(const struct instance *instance)
{
    for (const struct attempt *attempt = instance->attempts; attempt; attempt = attempt->older)
        if (attempt_is_live(attempt))
            return attempt->binding->node;
    return instance->attempts ? instance->attempts->binding->node : instance->node;
}

void group_pin(struct group *group)
{
    for (size_t i = 0; i < group->capacity; i++)
        if (group->instances[i])
            group->instances[i]->node = pin_of(group->instances[i]);
}

/* The node's instance by its attempts there, one that runs first. */
static struct instance *instance_at(const struct group *group, const struct node *node)
{
    const struct binding *binding = binding_find(node, group->job);
    struct instance *found = NULL;
    for (struct attempt *at = binding ? binding->attempts : NULL; at; at = at->next) {
        if (at->instance->group != group || at->instance->node != node)
            continue;
        if (attempt_is_live(at))
            return at->instance;
        found = at->instance;
    }
    return found;
}

bool instance_belongs(const struct instance *instance)
{
    const struct scheduler_demand *demand = demand_of(instance->group);
    if (!demand || !instance->node)
        return false;
    struct instance *there = instance_at(instance->group, instance->node);
    if (instance->attempts || instance->displaced)
        return (!there || there == instance) && node_may_keep(demand, instance->node);
    return !there && node_may_get(demand, instance->node);
}

/* ---- when a node changes ---- */

static bool is_at_odds(const struct group *group, const struct node *node)
{
    const struct scheduler_demand *demand = demand_of(group);
    const struct instance *there = instance_at(group, node);
    if (!demand)
        return false;
    if (!there)
        return node_may_get(demand, node);
    return !node_may_keep(demand, node) || (node_takes_work(node) && instance_is_outdated(there));
}

void node_wake_everywhere(struct manager *manager, struct node *node)
{
    if (manager->phase != PHASE_LEADING)
        return; /* every job is looked at when we begin to lead */
    for (struct job *job = manager->everywhere; job; job = job->everywhere_next)
        for (struct group *group = job->groups; group; group = group->next)
            if (!job->gated && is_at_odds(group, node))
                job_queue(manager, job);
}

/* ---- placing ---- */

struct placing {
    struct manager *manager;
    struct group *group;
    const struct scheduler_demand *demand;
    struct scheduler_explanation why; /* of all nodes that match and cannot take it, together */
    int64_t wanted;
    size_t free; /* no slot below is free */
};

/* A slot that has no node. */
static struct instance *free_slot(struct placing *placing, struct node *node)
{
    const struct group *group = placing->group;
    while (placing->free < group->capacity && group->instances[placing->free])
        placing->free++;
    if (placing->free >= LIMIT_INSTANCES_PER_TASK)
        return NULL;
    struct instance *instance = group_instance_obtain(placing->group, (int64_t)placing->free);
    instance->node = node;
    return instance;
}

static void add_explanation(struct scheduler_explanation *sum,
                            const struct scheduler_explanation *one)
{
    sum->nodes += one->nodes;
    for (int reason = 0; reason < REASON_COUNT; reason++)
        sum->excluded[reason] += one->excluded[reason];
    if (sum->nearest[0])
        return;
    memcpy(sum->nearest, one->nearest, sizeof(sum->nearest));
    sum->nearest_lacks = one->nearest_lacks;
}

static void place_there(struct placing *placing, struct instance *instance)
{
    struct scheduler_explanation why;
    const struct scheduler_node *view = &instance->node->view;
    instance->node->here = instance;
    placing->wanted++;
    if (!instance_wants_placing(placing->manager, instance) ||
        instance_place(placing->manager, instance, &view, 1, &why))
        return;
    instance_wait_for_room(placing->manager, instance, &why);
    add_explanation(&placing->why, &why);
}

/* Slots that have a node, with attempts or without. */
static void place_known(struct placing *placing)
{
    const struct group *group = placing->group;
    for (size_t i = 0; i < group->capacity; i++)
        if (group->instances[i] && instance_is_wanted(group->instances[i]))
            place_there(placing, group->instances[i]);
}

/* Nodes that have none. One whose instance is still to end waits for that. */
static void place_new(struct placing *placing)
{
    for (struct node *node = placing->manager->nodes; node; node = node->hh.next) {
        if (node->here || instance_at(placing->group, node) || !node_may_get(placing->demand, node))
            continue;
        struct instance *instance = free_slot(placing, node);
        if (instance)
            place_there(placing, instance);
    }
}

void group_place_everywhere(struct manager *manager, struct group *group)
{
    struct placing placing = {.manager = manager, .group = group, .demand = demand_of(group)};
    place_known(&placing);
    place_new(&placing);
    for (size_t i = 0; i < group->capacity; i++)
        if (group->instances[i] && group->instances[i]->node)
            group->instances[i]->node->here = NULL;
    if (!placing.wanted) /* why no node matches */
        scheduler_place(placing.demand, manager->views, manager->view_count, &placing.why);
    group_explain(manager, group, !placing.wanted || placing.why.nodes ? &placing.why : NULL);
}
