/* Jobs: the table, versions, groups and instances as containers. What should happen to them is
 * decided in instances.c. */
#include "manager/core/internal.h"

#include "platform/base/text.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

static void job_timer_fired(struct manager *manager, void *owner)
{
    job_queue(manager, owner);
}

struct job *job_find(struct manager *manager, const char *name)
{
    struct job *job;
    HASH_FIND_STR(manager->jobs, name, job);
    return job;
}

struct job *job_obtain(struct manager *manager, const char *name)
{
    struct job *job = job_find(manager, name);
    if (job)
        return job;
    job = mem_alloc(sizeof(*job));
    text_copy(job->name, sizeof(job->name), name);
    job->number = ++manager->job_number;
    job->places = cluster_job_new();
    timer_init(&job->timer, job_timer_fired, job);
    timer_init(&job->status_timer, job_status_timer_fired, job);
    HASH_ADD_STR(manager->jobs, name, job);
    return job;
}

/* ---- versions ---- */

struct spec_version *job_version(const struct job *job, int64_t version)
{
    for (size_t i = 0; i < job->version_count; i++)
        if (job->versions[i]->version == version)
            return job->versions[i];
    return NULL;
}

static void job_drop_version(struct job *job, size_t at)
{
    spec_version_unref(job->versions[at]);
    job->version_count--;
    memmove(&job->versions[at], &job->versions[at + 1],
            (job->version_count - at) * sizeof(job->versions[0]));
}

void job_add_version(struct job *job, struct spec_version *version)
{
    size_t at = 0;
    while (at < job->version_count && job->versions[at]->version > version->version)
        at++;
    if (at < job->version_count && job->versions[at]->version == version->version)
        job_drop_version(job, at);
    if (job->version_count == LIMIT_VERSIONS_KEPT) {
        if (at == LIMIT_VERSIONS_KEPT) {
            spec_version_unref(version);
            return;
        }
        job_drop_version(job, LIMIT_VERSIONS_KEPT - 1);
    }
    memmove(&job->versions[at + 1], &job->versions[at],
            (job->version_count - at) * sizeof(job->versions[0]));
    job->versions[at] = version;
    job->version_count++;
    if (version->version > job->last_version)
        job->last_version = version->version;
}

/* ---- the queue of jobs to look at ---- */

void job_queue(struct manager *manager, struct job *job)
{
    job->only_for_room = false;
    if (job->queued)
        return;
    job->queued = true;
    job->queue_next = NULL;
    if (manager->queue_last)
        manager->queue_last->queue_next = job;
    else
        manager->queue_first = job;
    manager->queue_last = job;
}

static void job_unqueue(struct manager *manager, struct job *job)
{
    struct job *before = NULL;
    if (!job->queued)
        return;
    for (struct job *at = manager->queue_first; at != job; at = at->queue_next)
        before = at;
    if (before)
        before->queue_next = job->queue_next;
    else
        manager->queue_first = job->queue_next;
    if (manager->queue_last == job)
        manager->queue_last = before;
    job->queued = false;
}

void job_wake_at(struct manager *manager, struct job *job, int64_t due_ms)
{
    if (due_ms == INT64_MAX || (job->timer.deadline.place && job->timer.deadline.due_ms <= due_ms))
        return;
    timer_set(&manager->timers, &job->timer, due_ms);
}

/* ---- groups and instances ---- */

struct group *job_group(const struct job *job, const char *task)
{
    struct group *group = job->groups;
    while (group && strcmp(group->name, task) != 0)
        group = group->next;
    return group;
}

struct group *job_group_obtain(struct job *job, const char *task)
{
    struct group **at = &job->groups;
    while (*at && strcmp((*at)->name, task) != 0)
        at = &(*at)->next;
    if (!*at) {
        *at = mem_alloc(sizeof(**at));
        (*at)->job = job;
        (*at)->places = cluster_group_new(job->places);
        text_copy((*at)->name, sizeof((*at)->name), task);
    }
    return *at;
}

struct instance *group_instance(const struct group *group, int64_t index)
{
    return index >= 0 && (size_t)index < group->capacity ? group->instances[index] : NULL;
}

static void group_reserve(struct group *group, size_t needed)
{
    if (needed <= group->capacity)
        return;
    size_t capacity = group->capacity * 2 > needed ? group->capacity * 2 : needed;
    group->instances = mem_resize(group->instances, capacity, sizeof(struct instance *));
    memset(&group->instances[group->capacity], 0,
           (capacity - group->capacity) * sizeof(struct instance *));
    if (group->pins) {
        group->pins = mem_resize(group->pins, capacity, sizeof(struct node *));
        memset(&group->pins[group->capacity], 0,
               (capacity - group->capacity) * sizeof(struct node *));
    }
    group->capacity = capacity;
}

struct instance *group_instance_obtain(struct manager *manager, struct group *group, int64_t index)
{
    struct instance *instance = group_instance(group, index);
    if (instance)
        return instance;
    ASSERT(index >= 0 && index < LIMIT_INSTANCES_PER_TASK);
    group_reserve(group, (size_t)index + 1);
    instance = pool_alloc(&manager->instances);
    instance->group = group;
    instance->index = (int32_t)index;
    group->instances[index] = instance;
    return instance;
}

void instance_drop(struct manager *manager, struct instance *instance)
{
    if (instance->attempts)
        return;
    reservation_drop(manager, instance);
    instance_pin(instance, NULL);
    instance->group->instances[instance->index] = NULL;
    reschedule_forget(instance);
    pool_free(&manager->instances, instance);
}

static void group_free(struct manager *manager, struct group *group)
{
    for (size_t i = 0; i < group->capacity; i++) {
        struct instance *instance = group->instances[i];
        while (instance && instance->attempts)
            attempt_free(manager, instance->attempts);
        if (instance)
            instance_drop(manager, instance);
    }
    group_explain(manager, group, NULL);
    cluster_group_free(manager->scheduler, group->places);
    free(group->instances);
    free(group->pins);
    free(group);
}

/* ---- the end of a job ---- */

void job_free(struct manager *manager, struct job *job)
{
    while (job->groups) {
        struct group *group = job->groups;
        job->groups = group->next;
        group_free(manager, group);
    }
    while (job->bindings)
        binding_free(manager, job->bindings);
    while (job->version_count)
        job_drop_version(job, 0);
    timer_unset(&manager->timers, &job->timer);
    timer_unset(&manager->timers, &job->status_timer);
    job_unqueue(manager, job);
    job_set_waiting(manager, job, false);
    job_set_everywhere(manager, job, false);
    job_set_gated(manager, job, false);
    job_leave_schedule(manager, job);
    HASH_DEL(manager->jobs, job);
    cluster_job_free(job->places);
    free(job);
}

void job_bury(struct manager *manager, struct job *job)
{
    char topic[LIMIT_TOPIC_LENGTH + 1];
    job->tombstone = true;
    job_set_waiting(manager, job, false);
    job_set_everywhere(manager, job, false);
    job_set_gated(manager, job, false);
    job_leave_schedule(manager, job);
    job->deleting = job->stopped = job->admitted = false;
    while (job->version_count)
        job_drop_version(job, 0);
    mark_job_withdraw_status(manager, job);
    mark_job(manager, job, MARK_SPEC);
    mark_job(manager, job, MARK_HISTORY);
    grave_dig(manager, TOPIC_JOB_SPEC, job->name, NULL);
    grave_dig(manager, TOPIC_JOB_HISTORY, job->name, NULL);
    topic_format(topic, TOPIC_JOB_STATUS, job->name, NULL);
    emit_clear(manager, CLEAR_TOPIC, topic);
    emit_event(manager, "job_deleted", REASON_JOB_DELETED, job->name, NULL, NULL,
               "the job and all that was kept of it are gone");
}
