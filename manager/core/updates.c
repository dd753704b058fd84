/* Rolling updates (docs/decisions.md, D9): instances whose task has changed are stopped,
 * `max_parallel` at a time, and placed anew when they have ended. An instance is busy until its new
 * attempt has settled. */
#include "manager/core/internal.h"

int64_t attempt_settles_at_ms(const struct attempt *attempt)
{
    const struct spec_version *present = job_present(attempt->binding->job);
    if (attempt_is_final(attempt) || !attempt->since_ms || !present)
        return INT64_MAX;
    return attempt->since_ms + present->spec.update.min_healthy_ms;
}

bool attempt_is_settled(const struct manager *manager, const struct attempt *attempt)
{
    return attempt_settles_at_ms(attempt) <= manager->now.mono_ms;
}

static struct attempt *live_outdated(const struct instance *instance)
{
    for (struct attempt *attempt = instance->attempts; attempt; attempt = attempt->older)
        if (attempt_is_live(attempt) && attempt_is_outdated(attempt))
            return attempt;
    return NULL;
}

bool instance_is_outdated(const struct instance *instance)
{
    for (const struct attempt *attempt = instance->attempts; attempt; attempt = attempt->older)
        if (!attempt_is_final(attempt) && attempt_is_outdated(attempt))
            return true;
    return false;
}

static bool group_is_updating(const struct group *group)
{
    for (size_t i = 0; i < group->capacity; i++)
        if (group->instances[i] && instance_is_wanted(group->instances[i]) &&
            live_outdated(group->instances[i]))
            return true;
    return false;
}

/* Of a system job: the instance of a node that is away or not eligible is left as it is, and that
 * of one that cannot take it is not waited for: they must not stop the update of all others. */
static bool is_out_of_the_way(const struct instance *instance)
{
    const struct node *node = instance_node(instance);
    if (!node)
        return false;
    return !node_takes_work(node) || (!instance->attempts && !instance->displaced);
}

/* Between its old attempt and a new one that has settled. Looks again when it will have. */
static bool is_busy(struct manager *manager, const struct instance *instance)
{
    if (is_out_of_the_way(instance))
        return false;
    if (live_outdated(instance) || instance_is_completed(instance))
        return false;
    for (struct attempt *attempt = instance->attempts; attempt; attempt = attempt->older) {
        if (!attempt_is_live(attempt))
            continue;
        if (attempt_is_settled(manager, attempt))
            return false;
        job_wake_at(manager, instance->group->job, attempt_settles_at_ms(attempt));
    }
    return true;
}

static int64_t slots(struct manager *manager, const struct group *group)
{
    int64_t max = job_present(group->job)->spec.update.max_parallel;
    if (!max)
        return INT64_MAX;
    for (size_t i = 0; i < group->capacity && max > 0; i++)
        if (group->instances[i] && instance_is_wanted(group->instances[i]) &&
            is_busy(manager, group->instances[i]))
            max--;
    return max;
}

/* What does not run anyway goes first. */
static void stop_outdated(struct manager *manager, struct group *group, bool running,
                          int64_t *free_slots)
{
    for (size_t i = 0; i<group->capacity && * free_slots> 0; i++) {
        struct instance *instance = group->instances[i];
        struct attempt *attempt =
            instance && instance_is_wanted(instance) ? live_outdated(instance) : NULL;
        if (!attempt || (attempt->state == ATTEMPT_RUNNING) != running ||
            is_out_of_the_way(instance)) /* its turn comes later */
            continue;
        for (; attempt; attempt = live_outdated(instance)) /* two, when a node was silent */
            attempt_stop(manager, attempt, REASON_UPDATED);
        instance->displaced = true;
        --*free_slots;
    }
}

void group_update(struct manager *manager, struct group *group)
{
    group->updating = group_is_updating(group);
    if (!group->updating)
        return;
    int64_t free_slots = slots(manager, group);
    stop_outdated(manager, group, false, &free_slots);
    stop_outdated(manager, group, true, &free_slots);
}
