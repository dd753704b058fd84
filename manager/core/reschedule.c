/* When an instance that failed is placed again (SEMANTICS 2). The record is part of
 * jobs/<job>/history, so that neither a manager's restart nor its loss gives fresh attempts. Times
 * are wall times. */
#include "manager/core/internal.h"

#include <stdlib.h>
#include <string.h>

struct reschedule *reschedule_obtain(struct instance *instance)
{
    if (!instance->reschedule)
        instance->reschedule = mem_alloc(sizeof(*instance->reschedule));
    return instance->reschedule;
}

void reschedule_forget(struct instance *instance)
{
    struct reschedule *reschedule = instance->reschedule;
    for (size_t i = 0; reschedule && i < reschedule->failed_count; i++)
        free(reschedule->failed_nodes[i]);
    free(reschedule);
    instance->reschedule = NULL;
}

static bool has_failed_on(const struct reschedule *reschedule, const char *node)
{
    for (size_t i = 0; i < reschedule->failed_count; i++)
        if (strcmp(reschedule->failed_nodes[i], node) == 0)
            return true;
    return false;
}

void reschedule_add_node(struct reschedule *reschedule, const char *node)
{
    if (has_failed_on(reschedule, node))
        return;
    if (reschedule->failed_count == FAILED_NODES_KEPT) {
        free(reschedule->failed_nodes[0]);
        memmove(&reschedule->failed_nodes[0], &reschedule->failed_nodes[1],
                (FAILED_NODES_KEPT - 1) * sizeof(char *));
        reschedule->failed_count--;
    }
    reschedule->failed_nodes[reschedule->failed_count++] = mem_strdup(node);
}

static int64_t fibonacci_delay(int64_t delay, int64_t step, int64_t max)
{
    int64_t last = 0, next = delay;
    for (int64_t i = 0; i < step && next < max; i++) {
        int64_t sum = last + next;
        last = next;
        next = sum;
    }
    return next;
}

/* Doubling by addition: no shift that could overflow. */
static int64_t exponential_delay(int64_t delay, int64_t step, int64_t max)
{
    int64_t next = delay;
    for (int64_t i = 0; i < step && next < max; i++)
        next += next;
    return next;
}

static int64_t delay_of(const struct reschedule_policy *policy, int64_t step)
{
    int64_t max = policy->max_delay_ms, delay = policy->delay_ms;
    if (policy->backoff == BACKOFF_EXPONENTIAL)
        delay = exponential_delay(delay, step, max);
    else if (policy->backoff == BACKOFF_FIBONACCI)
        delay = fibonacci_delay(delay, step, max);
    else
        return delay;
    return delay < max ? delay : max;
}

/* A series ends when nothing failed for longer than the longest delay; a limited one, after its
 * interval. */
static bool series_is_over(const struct reschedule_policy *policy,
                           const struct reschedule *reschedule, int64_t now_ms)
{
    if (policy->unlimited == 1)
        return now_ms - reschedule->last_ms > policy->max_delay_ms;
    return now_ms - reschedule->first_ms > policy->interval_ms;
}

void reschedule_after_failure(struct manager *manager, struct instance *instance,
                              const struct attempt *attempt)
{
    struct job *job = instance->group->job;
    if (!instance_is_wanted(instance) || attempt_is_outdated(attempt))
        return;
    struct reschedule *reschedule = reschedule_obtain(instance);
    const struct reschedule_policy *policy = &job_present(job)->spec.reschedule;
    int64_t now_ms = manager->now.wall_ms;
    if (series_is_over(policy, reschedule, now_ms)) {
        reschedule->count = 0;
        reschedule->first_ms = now_ms;
    }
    mark_job(manager, job, MARK_HISTORY);
    reschedule_add_node(reschedule, attempt->binding->node->id);
    if (policy->unlimited != 1 && reschedule->count >= policy->attempts) {
        reschedule->due_ms = 0;
        return;
    }
    reschedule->delay_ms = delay_of(policy, reschedule->count++);
    reschedule->last_ms = now_ms;
    reschedule->due_ms = now_ms + reschedule->delay_ms;
}

void reschedule_done(struct manager *manager, struct instance *instance)
{
    if (!reschedule_due_ms(instance))
        return;
    instance->reschedule->due_ms = 0;
    mark_job(manager, instance->group->job, MARK_HISTORY);
}
