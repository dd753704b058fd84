/* System and sysbatch jobs: one instance of each task on each node that matches. An instance is a
 * slot as any other, but belongs to one node, which follows from its attempts; a slot without
 * attempts may become any node's.
 *
 * A node matches by datacenter and constraints; to get an instance it also needs the runtime, and
 * has to take new work. What is there stays as long as the node matches, also while it is silent or
 * not eligible: absence never stops anything. Where it does not fit it is pending, with the node's
 * own reason. Nothing of it goes elsewhere. */
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

/* What it lacks for good: it may only have lost that where an instance is already. */
static bool is_unfit(enum reason reason)
{
    return reason == REASON_RUNTIME_MISSING || reason == REASON_DEVICE_MISSING;
}

static bool node_may_keep(const struct cluster_demand *demand, const struct node *node)
{
    if (!node->place)
        return !node->deleted; /* what it is will be heard */
    return cluster_node_matches(demand, node->place);
}

bool node_takes_work(const struct node *node)
{
    return node->place && !node->barred;
}

static bool node_may_get(const struct cluster_demand *demand, const struct node *node)
{
    return node_takes_work(node) && cluster_node_matches(demand, node->place) &&
           !is_unfit(cluster_node_misses(demand, node->place));
}

/* ---- which instance ---- */

struct node *instance_node(const struct instance *instance)
{
    const struct group *group = instance->group;
    return group->pins ? group->pins[instance->index] : NULL;
}

void instance_pin(struct instance *instance, struct node *node)
{
    struct group *group = instance->group;
    if (!group->pins && !node)
        return;
    if (!group->pins)
        group->pins = mem_alloc(group->capacity * sizeof(struct node *));
    group->pins[instance->index] = node;
}

/* Where it runs; else where it was last. */
static struct node *pin_of(const struct instance *instance)
{
    for (const struct attempt *attempt = instance->attempts; attempt; attempt = attempt->older)
        if (attempt_is_live(attempt))
            return attempt->binding->node;
    return instance->attempts ? instance->attempts->binding->node : instance_node(instance);
}

void group_pin(struct group *group)
{
    for (size_t i = 0; i < group->capacity; i++)
        if (group->instances[i])
            instance_pin(group->instances[i], pin_of(group->instances[i]));
}

/* The node's instance by its attempts there, one that runs first. */
static struct instance *instance_at(const struct group *group, const struct node *node)
{
    const struct binding *binding = binding_find(node, group->job);
    struct instance *found = NULL;
    for (struct attempt *at = binding ? binding->attempts : NULL; at; at = at->next) {
        if (at->instance->group != group || instance_node(at->instance) != node)
            continue;
        if (attempt_is_live(at))
            return at->instance;
        found = at->instance;
    }
    return found;
}

bool instance_belongs(const struct instance *instance)
{
    const struct cluster_demand *demand = group_demand(instance->group);
    const struct node *node = instance_node(instance);
    if (!demand || !node)
        return false;
    struct instance *there = instance_at(instance->group, node);
    if (instance->attempts || instance->displaced)
        return (!there || there == instance) && node_may_keep(demand, node);
    return !there && node_may_get(demand, node);
}

/* ---- when a node changes ---- */

static bool is_at_odds(const struct group *group, const struct node *node)
{
    const struct cluster_demand *demand = group_demand(group);
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
    const struct cluster_demand *demand;
    struct cluster_explanation why; /* of all nodes that match and cannot take it, together */
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
    struct instance *instance =
        group_instance_obtain(placing->manager, placing->group, (int64_t)placing->free);
    instance_pin(instance, node);
    return instance;
}

static void explain_there(struct placing *placing, const struct instance *instance,
                          struct cluster_explanation *ret_why)
{
    struct cluster_node *place = instance_node(instance)->place;
    *ret_why = (struct cluster_explanation){
        .nodes = 1, .exclusions = {{.reason = REASON_NODE_SILENT, .nodes = 1}}, .count = 1};
    if (place)
        cluster_explain_node(placing->manager->scheduler, placing->group->places, placing->demand,
                             place, ret_why);
}

static void place_there(struct placing *placing, struct instance *instance)
{
    struct manager *manager = placing->manager;
    struct node *node = instance_node(instance);
    struct cluster_explanation why;
    node->here = instance;
    placing->wanted++;
    if (!instance_wants_placing(manager, instance))
        return;
    if (instance_place(manager, instance, node)) {
        if (reservation_of(manager, instance))
            instance_wait_for_room(manager, instance, REASON_MAKING_ROOM);
        return;
    }
    explain_there(placing, instance, &why);
    instance_wait_for_room(manager, instance, cluster_explanation_reason(&why));
    cluster_explanation_add(&placing->why, &why);
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
    struct placing placing = {.manager = manager, .group = group, .demand = group_demand(group)};
    place_known(&placing);
    place_new(&placing);
    for (size_t i = 0; i < group->capacity; i++)
        if (group->pins && group->pins[i])
            group->pins[i]->here = NULL;
    if (!placing.wanted) /* why no node matches */
        cluster_explain(manager->scheduler, group->places, placing.demand, &placing.why);
    group_explain(manager, group, !placing.wanted || placing.why.nodes ? &placing.why : NULL);
}
