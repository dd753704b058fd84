/* The line of jobs of which something fits nowhere: a higher priority first, of equal ones who
 * waits longest. Who waits is looked at again when a node that has changed, or where room was made,
 * might take it now; all others stay as they are. What they tell about the nodes is refreshed a
 * little later, so that its cost stays a small share of the time however many wait. */
#include "manager/core/internal.h"

#include <utlist.h>

enum { EXPLAIN_DELAY_MS = 1000, EXPLAINED_A_MS = 1000 /* a 20th of what can be */ };

/* ---- the line ---- */

int64_t job_priority(const struct job *job)
{
    const struct spec_version *present = job_present(job);
    return present && present->spec.tasks.count ? present->demands[0].priority : DEFAULT_PRIORITY;
}

static void join(struct manager *manager, struct job *job)
{
    struct job *first = manager->waiting, *before = first ? first->wait_prev : NULL;
    job->wait_priority = job_priority(job);
    while (before && before->wait_priority < job->wait_priority)
        before = before == first ? NULL : before->wait_prev;
    if (before)
        DL_APPEND_ELEM2(manager->waiting, before, job, wait_prev, wait_next);
    else
        DL_PREPEND2(manager->waiting, job, wait_prev, wait_next);
    manager->waiting_count++;
}

static void leave(struct manager *manager, struct job *job)
{
    DL_DELETE2(manager->waiting, job, wait_prev, wait_next);
    manager->waiting_count--;
}

void job_set_waiting(struct manager *manager, struct job *job, bool waiting)
{
    if (job->waiting == waiting && (!waiting || job->wait_priority == job_priority(job)))
        return; /* who stays in line keeps the place */
    if (job->waiting)
        leave(manager, job);
    job->waiting = waiting;
    if (waiting)
        join(manager, job);
}

/* ---- where room was made ---- */

void node_note_room(struct manager *manager, struct node *node)
{
    if (node->is_roomy)
        return;
    node->is_roomy = true;
    LL_PREPEND2(manager->roomy, node, roomy_next);
}

void node_forget_room(struct manager *manager, struct node *node)
{
    if (node->is_roomy)
        LL_DELETE2(manager->roomy, node, roomy_next);
}

bool job_may_preempt(const struct manager *manager, const struct job *job)
{
    return manager->preemption == PREEMPTION_BY_ALL ||
           (manager->preemption == PREEMPTION_BY_SYSTEM_JOBS && job_is_everywhere(job));
}

static bool runs_on(const struct group *group, const struct node *node)
{
    const struct binding *binding = binding_find(node, group->job);
    for (struct attempt *at = binding ? binding->attempts : NULL; at; at = at->next)
        if (at->instance->group == group && attempt_is_live(at))
            return true;
    return false;
}

static bool group_might_go(const struct manager *manager, const struct group *group,
                           const struct node *node)
{
    const struct cluster_demand *demand = group_demand(group);
    if (!group->explanation || !demand || !node->place)
        return false;
    if (job_is_everywhere(group->job) && runs_on(group, node))
        return false;
    return cluster_might_take(group->places, demand, node->place,
                              job_may_preempt(manager, group->job));
}

bool job_might_go(const struct manager *manager, const struct job *job)
{
    for (const struct node *node = manager->changed; node; node = node->changed_next)
        for (const struct group *group = job->groups; group; group = group->next)
            if (group_might_go(manager, group, node))
                return true;
    return false;
}

/* ---- what moves the line ---- */

static void explain_again(struct manager *manager, void *unused)
{
    (void)unused;
    for (struct job *job = manager->waiting; job; job = job->wait_next)
        job_queue(manager, job);
}

void line_init(struct manager *manager)
{
    timer_init(&manager->explain_timer, explain_again, NULL);
}

static void take_changed(struct manager *manager)
{
    manager->changed = NULL;
    for (struct node *node = manager->roomy; node; node = node->roomy_next) {
        node->is_roomy = false;
        LL_PREPEND2(manager->changed, node, changed_next);
    }
    manager->roomy = NULL;
}

static void queue_reserved(struct manager *manager)
{
    struct reservation *reservation;
    struct node *node;
    LL_FOREACH2(manager->changed, node, changed_next)
    for (reservation = manager->reservations; reservation; reservation = reservation->hh.next)
        if (reservation->node == node)
            job_queue(manager, reservation->instance->group->job);
}

void line_move(struct manager *manager)
{
    take_changed(manager);
    if (!manager->changed || !manager->waiting)
        return;
    queue_reserved(manager);
    for (struct job *job = manager->waiting; job; job = job->wait_next) {
        if (job->queued)
            continue;
        job_queue(manager, job);
        job->only_for_room = true;
    }
    if (manager->explain_timer.deadline.place)
        return;
    int64_t pairs = manager->waiting_count * (int64_t)HASH_COUNT(manager->nodes);
    timer_set(&manager->timers, &manager->explain_timer,
              manager->now.mono_ms + EXPLAIN_DELAY_MS + pairs / EXPLAINED_A_MS);
}
