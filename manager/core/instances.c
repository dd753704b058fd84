/* Instances: what should exist against what does. job_reconcile is called for a job that was
 * touched, whose timer came, or that waits and may now have room; it is idempotent.
 *
 *   wanted, nothing of it may run        -> placed, or pending with an explanation
 *   wanted, failed                       -> placed again when its delay is over, unless exhausted
 *   wanted, its node silent too long     -> placed elsewhere; two of it when the node is back: one
 * is kept wanted, its task changed             -> updates.c not wanted                           ->
 * what runs of it is stopped final, stored, and of no more use    -> leaves its assignment */
#include "manager/core/internal.h"

#include <stdlib.h>
#include <string.h>

/* ---- what an instance is ---- */

const struct task_spec *instance_task(const struct instance *instance)
{
    const struct spec_version *present = job_present(instance->group->job);
    return present ? spec_task(&present->spec, instance->group->name) : NULL;
}

bool instance_is_wanted(const struct instance *instance)
{
    return instance_is_wanted_by(instance, instance_task(instance));
}

bool instance_is_wanted_by(const struct instance *instance, const struct task_spec *task)
{
    const struct job *job = instance->group->job;
    if (!task || job->stopped || job->deleting || job_is_parent(job))
        return false;
    if (job_is_everywhere(job))
        return instance_belongs(instance);
    return instance->index < task->count ? !instance->ousted : instance->kept;
}

bool instance_is_completed(const struct instance *instance)
{
    for (struct attempt *attempt = instance->attempts; attempt; attempt = attempt->older)
        if (attempt->state == ATTEMPT_COMPLETED && !attempt_is_outdated(attempt))
            return true;
    return false;
}

/* The failed attempt after which nothing more was granted: no time is set for the next one. */
bool instance_is_exhausted(const struct instance *instance)
{
    const struct attempt *newest = instance->attempts;
    const struct spec_version *present = job_present(instance->group->job);
    if (!newest || !present || present->spec.reschedule.unlimited == 1)
        return false;
    return (newest->state == ATTEMPT_FAILED || newest->state == ATTEMPT_REJECTED) &&
           !attempt_is_outdated(newest) && !reschedule_due_ms(instance);
}

bool instance_is_blocked(const struct manager *manager, const struct instance *instance)
{
    for (struct attempt *attempt = instance->attempts; attempt; attempt = attempt->older)
        if (!attempt_is_final(attempt) && !attempt_is_given_up(manager, attempt))
            return true;
    return false;
}

void instance_set_waiting(struct manager *manager, struct instance *instance, enum reason reason)
{
    if (instance->waiting == reason)
        return;
    instance->waiting = reason;
    mark_job(manager, instance->group->job, MARK_STATUS);
}

/* ---- attempts that must not go on ---- */

static enum reason unwanted_reason(const struct instance *instance)
{
    const struct job *job = instance->group->job;
    if (job->deleting)
        return REASON_JOB_DELETED;
    if (job->stopped)
        return REASON_JOB_STOPPED;
    return job_is_everywhere(job) ? REASON_NODE_MISMATCH : REASON_SCALED_DOWN;
}

static void stop_all(struct manager *manager, struct instance *instance,
                     const struct attempt *except, enum reason reason)
{
    for (struct attempt *attempt = instance->attempts; attempt; attempt = attempt->older)
        if (attempt != except && attempt_is_live(attempt))
            attempt_stop(manager, attempt, reason);
}

/* ---- which instances, when fewer are wanted ---- */

/* It is there or will be, or has done its work: stopping it would lose something. */
static bool has_claim(const struct instance *instance)
{
    if (!instance)
        return false;
    for (const struct attempt *at = instance->attempts; at; at = at->older)
        if (attempt_is_live(at) && at->desired == DESIRED_RUN)
            return true;
    return instance_is_completed(instance);
}

/* Those below the count, but for one that has no claim when one beyond it has: a job that is scaled
 * down keeps what runs. Of equal ones the lower index stays. */
static void choose_wanted(struct manager *manager, struct group *group, int64_t count)
{
    int64_t beyond = 0, vacant = 0, kept = 0;
    for (int64_t i = count; i < (int64_t)group->capacity; i++)
        beyond += has_claim(group->instances[i]);
    if (!beyond && !group->has_ousted)
        return;
    for (int64_t i = 0; i < count; i++)
        vacant += !has_claim(group_instance(group, i));
    for (int64_t i = count; i < (int64_t)group->capacity; i++) {
        struct instance *instance = group->instances[i];
        if (!instance)
            continue;
        instance->ousted = false;
        instance->kept = kept < vacant && has_claim(instance);
        kept += instance->kept;
    }
    group->has_ousted = kept > 0;
    for (int64_t i = count; i-- > 0;) {
        bool ousted = kept > 0 && !has_claim(group_instance(group, i));
        struct instance *instance =
            ousted ? group_instance_obtain(manager, group, i) : group_instance(group, i);
        kept -= ousted;
        if (!instance)
            continue;
        instance->ousted = ousted;
        instance->kept = false;
    }
}

/* An attempt on a silent node is lost for good when nobody would take it back. */
static void give_up(struct manager *manager, struct instance *instance)
{
    int policy = job_present(instance->group->job)->spec.disconnect.reconcile;
    for (struct attempt *attempt = instance->attempts; attempt; attempt = attempt->older) {
        if (attempt_is_final(attempt))
            continue;
        if (!attempt_is_given_up(manager, attempt))
            job_wake_at(manager, instance->group->job, attempt_give_up_ms(manager, attempt));
        else if (attempt->desired == DESIRED_STOP || policy == RECONCILE_KEEP_REPLACEMENT ||
                 attempt_is_outdated(attempt))
            attempt_lose(manager, attempt, REASON_NODE_LOST);
    }
}

/* Whether `a` is to be kept rather than `b`, which is the older one. */
static bool is_preferred(const struct attempt *a, const struct attempt *b, int policy)
{
    if (attempt_is_outdated(a) != attempt_is_outdated(b))
        return !attempt_is_outdated(a);
    if ((a->state == ATTEMPT_RUNNING) != (b->state == ATTEMPT_RUNNING))
        return a->state == ATTEMPT_RUNNING;
    if (policy == RECONCILE_LONGEST_RUNNING ||
        (policy == RECONCILE_KEEP_ORIGINAL && (a->adopted || b->adopted)))
        return a->started_ms < b->started_ms;
    return policy == RECONCILE_KEEP_REPLACEMENT;
}

/* A silent node is back and a replacement runs: one of them goes on. What is silent, or was not
 * reported since it was, does not take part: it may have ended meanwhile. */
static void keep_one(struct manager *manager, struct instance *instance)
{
    int policy = job_present(instance->group->job)->spec.disconnect.reconcile;
    struct attempt *kept = NULL;
    for (struct attempt *attempt = instance->attempts; attempt; attempt = attempt->older) {
        if (!attempt_is_live(attempt) || attempt->unheard ||
            attempt->binding->node->liveness != NODE_ALIVE)
            continue;
        if (!kept) {
            kept = attempt;
            continue;
        }
        bool keep_newer = is_preferred(kept, attempt, policy);
        attempt_stop(manager, keep_newer ? attempt : kept, REASON_REPLACED);
        kept = keep_newer ? kept : attempt;
    }
}

/* ---- attempts that may leave ---- */

static bool has_newer_final(const struct instance *instance, const struct attempt *attempt)
{
    for (struct attempt *at = instance->attempts; at != attempt; at = at->older)
        if (attempt_is_final(at))
            return true;
    return false;
}

static bool wanted_may_leave(struct manager *manager, const struct instance *instance,
                             const struct attempt *attempt)
{
    struct job *job = instance->group->job;
    if (attempt_is_outdated(attempt) || has_newer_final(instance, attempt))
        return true;
    if (attempt->state == ATTEMPT_COMPLETED)
        return false;
    if (attempt->state != ATTEMPT_FAILED && attempt->state != ATTEMPT_REJECTED)
        return true;
    if (job_present(job)->spec.reschedule.unlimited != 1)
        return false; /* the record that it has failed */
    int64_t leaves_ms = attempt->since_ms + FINAL_ATTEMPT_KEPT_MS;
    job_wake_at(manager, job, leaves_ms > manager->now.mono_ms ? leaves_ms : INT64_MAX);
    return leaves_ms <= manager->now.mono_ms;
}

static bool may_leave(struct manager *manager, const struct instance *instance,
                      const struct attempt *attempt, bool wanted)
{
    if (!attempt_is_final(attempt) || !attempt->final_stored)
        return false;
    if (!attempt->answered) /* its assignment says stop until the worker has answered */
        return instance->group->job->deleting || attempt->binding->node->deleted;
    return !wanted || wanted_may_leave(manager, instance, attempt);
}

static void let_leave(struct manager *manager, struct instance *instance, bool wanted)
{
    struct attempt *attempt = instance->attempts;
    while (attempt) {
        struct attempt *older = attempt->older;
        if (may_leave(manager, instance, attempt, wanted)) {
            if (!attempt->answered && !attempt->binding->node->deleted)
                node_set_stray(manager, attempt->binding->node, instance->group->job->name, true);
            mark_assignment(manager, attempt->binding);
            mark_job(manager, instance->group->job, MARK_STATUS);
            attempt_free(manager, attempt);
        }
        attempt = older;
    }
}

/* ---- one instance ---- */

/* What may change in place changes now (D9). */
static void take_present_version(struct manager *manager, struct instance *instance,
                                 const struct task_spec *task)
{
    struct spec_version *present = job_present(instance->group->job);
    for (struct attempt *attempt = instance->attempts; attempt; attempt = attempt->older) {
        if (!task || attempt->spec == present || attempt_is_outdated(attempt))
            continue;
        attempt_set_spec(manager, attempt, present);
        mark_assignment(manager, attempt->binding);
    }
}

static void instance_reconcile(struct manager *manager, struct instance *instance,
                               const struct task_spec *task)
{
    bool wanted = instance_is_wanted_by(instance, task);
    if (!reservation_is_current(manager, instance))
        reservation_drop(manager, instance);
    take_present_version(manager, instance, task);
    give_up(manager, instance);
    if (!wanted || instance_is_completed(instance) || instance_is_blocked(manager, instance)) {
        instance_set_waiting(manager, instance, REASON_NONE); /* a silent node may have come back */
        reservation_drop(manager, instance);
    }
    if (!wanted) {
        stop_all(manager, instance, NULL, unwanted_reason(instance));
    } else if (instance_is_completed(instance)) {
        stop_all(manager, instance, NULL, REASON_REPLACED);
    } else {
        keep_one(manager, instance);
    }
    let_leave(manager, instance, wanted);
    if (!wanted && !instance->ousted)
        instance_drop(manager, instance);
}

/* ---- one job ---- */

/* Nothing is placed or replaced meanwhile. */
static void hold_back(struct manager *manager, struct group *group, int64_t count,
                      enum reason reason)
{
    for (int64_t i = 0; i < count; i++) {
        struct instance *instance = group_instance_obtain(manager, group, i);
        if (!instance->ousted && !instance_is_blocked(manager, instance) &&
            !instance_is_completed(instance))
            instance_set_waiting(manager, instance, reason);
    }
}

/* Why nothing of the job is placed now, REASON_NONE. */
static enum reason hold_reason(struct manager *manager, struct job *job)
{
    /* Adopted from the answers of some workers: what seems to be missing may run on a node that has
     * not answered yet. */
    if (job->hold_until_ms > manager->now.mono_ms) {
        job_wake_at(manager, job, job->hold_until_ms);
        return REASON_RECOVERING;
    }
    return job->gated ? REASON_WAITING_FOR_DEPENDENCY : REASON_NONE;
}

static void group_reconcile(struct manager *manager, struct group *group)
{
    struct job *job = group->job;
    const struct task_spec *task = spec_task(&job_present(job)->spec, group->name);
    bool everywhere = job_is_everywhere(job);
    if (everywhere)
        group_pin(group);
    else if (task)
        choose_wanted(manager, group, task->count);
    for (size_t i = 0; i < group->capacity; i++)
        if (group->instances[i])
            instance_reconcile(manager, group->instances[i], task);
    if (!task || job->stopped || job->deleting || job_is_parent(job))
        return;
    enum reason hold = hold_reason(manager, job);
    if (hold) {
        hold_back(manager, group, everywhere ? 0 : task->count, hold);
        return;
    }
    group_update(manager, group);
    if (everywhere)
        group_place_everywhere(manager, group);
    else
        group_place(manager, group, task->count);
}

static bool job_has_attempts(const struct job *job)
{
    for (struct binding *binding = job->bindings; binding; binding = binding->job_next)
        if (binding->attempts)
            return true;
    return false;
}

void job_reconcile(struct manager *manager, struct job *job)
{
    struct spec_version *present = job_present(job);
    if (!present)
        return;
    timer_unset(&manager->timers, &job->timer);
    job->lacks_room = false;
    job_check_dependencies(manager, job);
    job_check_schedule(manager, job);
    job_set_everywhere(manager, job, job_is_everywhere(job) && !job->stopped && !job->deleting);
    for (size_t i = 0; i < present->spec.tasks.count; i++)
        job_group_obtain(job, RECORD_AT(struct task_spec, present->spec.tasks, i)->name);
    for (struct group *group = job->groups; group; group = group->next)
        group_reconcile(manager, group);
    job_set_waiting(manager, job, job->lacks_room);
    for (struct binding *binding = job->bindings; binding; binding = binding->job_next)
        binding_bury_if_empty(manager, binding);
    job_note_ended(manager, job);
    job_wake_dependents(manager, job);
    if (job->deleting && !job_has_attempts(job))
        job_bury(manager, job);
}
