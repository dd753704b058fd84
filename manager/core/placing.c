/* Where instances go.
 *
 *   some node can take it                    -> an attempt
 *   only without others of a lower priority  -> those are stopped, their room is reserved on that
 *                                               node; an attempt once they are gone
 *   else                                     -> pending, with the reasons
 *
 * A reservation counts as what an attempt would take, so that nobody else gets the room. It is
 * given up when its node takes no new work any more, or is not being cleared any more. */
#include "manager/core/internal.h"

#include <stdlib.h>
#include <string.h>

const struct cluster_demand *group_demand(const struct group *group)
{
    const struct spec_version *present = job_present(group->job);
    const struct task_spec *task = present ? spec_task(&present->spec, group->name) : NULL;
    return task ? &present->demands[spec_task_index(&present->spec, task)] : NULL;
}

/* ---- an attempt ---- */

static void put(struct manager *manager, struct instance *instance, const char *node)
{
    char suffix[ATTEMPT_SUFFIX_LENGTH + 1];
    struct job *job = instance->group->job;
    do {
        prng_base32(&manager->prng, suffix, ATTEMPT_SUFFIX_LENGTH);
    } while (instance_attempt(instance, suffix));
    struct attempt *attempt =
        attempt_new(manager, suffix, instance, node_find(manager, node), job_present(job));
    attempt_schedule(manager, attempt);
    instance->displaced = false;
    reschedule_done(manager, instance);
    instance_set_waiting(manager, instance, REASON_NONE);
    mark_assignment(manager, attempt->binding);
    mark_job(manager, job, MARK_STATUS);
}

/* ---- room that others have to leave ---- */

bool reservation_is_current(const struct manager *manager, const struct instance *instance)
{
    const struct reservation *reservation = reservation_of(manager, instance);
    return !reservation || reservation->spec == job_present(instance->group->job);
}

static void make_way(struct manager *manager, struct instance *victim,
                     const struct cluster_claim *claim, const struct instance *by)
{
    char id[LIMIT_TASK_ID_LENGTH + 1];
    const struct reservation *reservation = reservation_of(manager, victim);
    job_queue(manager, victim->group->job);
    if (reservation && reservation->claim == claim) {
        reservation_drop(manager, victim);
        return;
    }
    for (struct attempt *attempt = victim->attempts; attempt; attempt = attempt->older) {
        if (attempt->claim != claim || attempt->desired == DESIRED_STOP)
            continue;
        attempt_stop(manager, attempt, REASON_PREEMPTED);
        attempt_id(attempt, id);
        emit_event(manager, "attempt_preempted", REASON_PREEMPTED, victim->group->job->name,
                   attempt->binding->node->id, id, "for an instance of job %s",
                   by->group->job->name);
    }
}

static bool preempt(struct manager *manager, struct instance *instance,
                    const struct cluster_demand *demand, struct node *only)
{
    struct cluster *scheduler = manager->scheduler;
    struct cluster_group *group = instance->group->places;
    struct cluster_preemption found;
    if (!job_may_preempt(manager, instance->group->job))
        return false;
    if (only ? !cluster_preempt_on(scheduler, group, demand, only->place, &found)
             : !cluster_preempt(scheduler, group, demand, &found))
        return false;
    struct node *node = node_find(manager, cluster_node_id(found.node));
    for (size_t i = 0; i < found.count; i++)
        make_way(manager, cluster_claim_owner(found.victims[i]), found.victims[i], instance);
    reservation_make(manager, instance, node);
    return true;
}

/* Whether something that was told to stop still has room there. */
static bool is_being_cleared(const struct node *node)
{
    for (size_t i = 0; i < node->binding_count; i++)
        for (struct attempt *attempt = node->bindings[i]->attempts; attempt;
             attempt = attempt->next)
            if (attempt->claim && attempt->desired == DESIRED_STOP)
                return true;
    return false;
}

/* False: the room will never be there. */
static bool take_reserved(struct manager *manager, struct reservation *reservation,
                          const struct cluster_demand *demand)
{
    struct instance *instance = reservation->instance;
    struct node *node = reservation->node;
    reservation_lift(manager, reservation);
    bool fits =
        !cluster_exclude(manager->scheduler, instance->group->places, demand, node->place, NULL);
    if (!fits && node_takes_work(node) && is_being_cleared(node)) {
        reservation_renew(manager, reservation);
        return true;
    }
    reservation_drop(manager, instance);
    if (fits)
        put(manager, instance, node->id);
    return fits;
}

/* ---- one instance ---- */

/* The nodes where it failed. */
static size_t failed_nodes(struct manager *manager, const struct instance *instance,
                           struct cluster_node **ret_nodes)
{
    const struct reschedule *reschedule = instance->reschedule;
    size_t count = 0;
    for (size_t i = 0; reschedule && i < reschedule->failed_count; i++) {
        const struct node *node = node_find(manager, reschedule->failed_nodes[i]);
        if (node && node->place)
            ret_nodes[count++] = node->place;
    }
    return count;
}

static void note_policy(struct manager *manager, const struct cluster_demand *demand)
{
    enum placement_policy policy = demand->policy ? demand->policy : manager->policy;
    manager->by_loads |= policy == POLICY_EPVM || policy == POLICY_GREEDY;
}

/* NULL: no node can take it. */
static struct cluster_node *choose(struct manager *manager, const struct instance *instance,
                                   const struct cluster_demand *demand, const struct node *only)
{
    struct cluster_group *group = instance->group->places;
    struct cluster_node *nodes[FAILED_NODES_KEPT];
    struct cluster_placement placement;
    if (only)
        return cluster_exclude(manager->scheduler, group, demand, only->place, NULL) ? NULL
                                                                                     : only->place;
    note_policy(manager, demand);
    struct cluster_failures failures = {nodes, failed_nodes(manager, instance, nodes)};
    return cluster_place(manager->scheduler, group, demand, &failures, &placement) ? placement.node
                                                                                   : NULL;
}

bool instance_place(struct manager *manager, struct instance *instance, struct node *only)
{
    const struct cluster_demand *demand = group_demand(instance->group);
    if (only && !only->place)
        return false;
    struct reservation *reservation = reservation_of(manager, instance);
    if (reservation && take_reserved(manager, reservation, demand))
        return true;
    const struct cluster_node *chosen = choose(manager, instance, demand, only);
    if (chosen) {
        put(manager, instance, cluster_node_id(chosen));
        return true;
    }
    return preempt(manager, instance, demand, only);
}

void instance_wait_for_room(struct manager *manager, struct instance *instance, enum reason reason)
{
    instance_set_waiting(manager, instance, reason);
    instance->group->job->lacks_room = true;
}

bool instance_wants_placing(struct manager *manager, struct instance *instance)
{
    if (instance_is_blocked(manager, instance) || instance_is_completed(instance) ||
        instance_is_exhausted(instance))
        return false;
    int64_t wait_ms = reschedule_due_ms(instance) - manager->now.wall_ms;
    if (wait_ms <= 0)
        return true;
    instance_set_waiting(manager, instance, REASON_WAITING_TO_RESCHEDULE);
    job_wake_at(manager, instance->group->job, manager->now.mono_ms + wait_ms);
    return false;
}

/* ---- a group ---- */

void group_explain(struct manager *manager, struct group *group,
                   const struct cluster_explanation *explanation)
{
    struct cluster_explanation *had = group->explanation;
    bool same = had && explanation && cluster_explanation_equal(had, explanation);
    if (!same) {
        free(had);
        group->explanation = NULL;
    }
    spec_version_unref(group->explained);
    group->explained = explanation ? spec_version_ref(job_present(group->job)) : NULL;
    if (!explanation || same)
        return;
    group->explanation = mem_alloc(sizeof(*explanation));
    *group->explanation = *explanation;
    mark_job(manager, group->job, MARK_STATUS);
}

/* Instances of a task ask for the same: when one fits nowhere, none does. */
void group_place(struct manager *manager, struct group *group, int64_t count)
{
    struct cluster_explanation why;
    bool full = false;
    for (int64_t i = 0; i < count; i++) {
        struct instance *instance = group_instance_obtain(manager, group, i);
        if (instance->ousted || !instance_wants_placing(manager, instance))
            continue;
        bool placed =
            (!full || reservation_of(manager, instance)) && instance_place(manager, instance, NULL);
        if (placed && !reservation_of(manager, instance))
            continue;
        if (!placed && !full)
            cluster_explain(manager->scheduler, group->places, group_demand(group), &why);
        full |= !placed;
        instance_wait_for_room(manager, instance,
                               placed ? REASON_MAKING_ROOM : cluster_explanation_reason(&why));
    }
    group_explain(manager, group, full ? &why : NULL);
}
