/* Jobs, groups, and how many of their instances are where. */
#include "manager/scheduler/cluster_state.h"

#include <stdlib.h>
#include <string.h>

enum { TALLY_SIZE_MIN = 16 };

/* The entry of a node's number, or the empty one where it would be. */
static struct tally_entry *tally_entry(const struct tally *tally, uint32_t number)
{
    size_t at = (number * UINT32_C(2654435769)) & (tally->size - 1);
    while (tally->entries[at].number && tally->entries[at].number != number)
        at = (at + 1) & (tally->size - 1);
    return &tally->entries[at];
}

int64_t tally_get(const struct tally *tally, const struct cluster_node *node)
{
    return tally->size ? tally_entry(tally, node->number)->count : 0;
}

/* Entries that have come down to 0 are left behind. */
static void tally_grow(struct tally *tally)
{
    struct tally old = *tally;
    size_t used = 0;
    for (size_t i = 0; i < old.size; i++)
        used += old.entries[i].count != 0;
    *tally = (struct tally){.size = TALLY_SIZE_MIN, .filled = used};
    while (tally->size < used * 2)
        tally->size *= 2;
    tally->entries = mem_alloc(tally->size * sizeof(*tally->entries));
    for (size_t i = 0; i < old.size; i++)
        if (old.entries[i].count)
            *tally_entry(tally, old.entries[i].number) = old.entries[i];
    free(old.entries);
}

void tally_add(struct tally *tally, const struct cluster_node *node, int64_t amount)
{
    if (tally->filled * 4 >= tally->size * 3)
        tally_grow(tally);
    struct tally_entry *entry = tally_entry(tally, node->number);
    tally->filled += !entry->number;
    entry->number = node->number;
    ASSERT(entry->count + amount >= 0);
    entry->count = (uint32_t)(entry->count + amount);
}

struct cluster_job *cluster_job_new(void)
{
    return mem_alloc(sizeof(struct cluster_job));
}

void cluster_job_free(struct cluster_job *job)
{
    if (!job)
        return;
    free(job->tally.entries);
    free(job);
}

/* The only group of a job counts what the job does. */
static void stop_sharing(struct cluster_job *job)
{
    struct cluster_group *group = job->sharer;
    size_t bytes = job->tally.size * sizeof(*job->tally.entries);
    if (!group)
        return;
    group->own = job->tally;
    group->own.entries = mem_alloc(bytes);
    if (bytes)
        memcpy(group->own.entries, job->tally.entries, bytes);
    group->tally = &group->own;
    job->sharer = NULL;
}

struct cluster_group *cluster_group_new(struct cluster_job *job)
{
    struct cluster_group *group = mem_alloc(sizeof(*group));
    bool shares = !job->group_count++;
    stop_sharing(job);
    group->job = job;
    group->tally = shares ? &job->tally : &group->own;
    if (shares)
        job->sharer = group;
    return group;
}

void cluster_group_free(struct cluster *cluster, struct cluster_group *group)
{
    if (!group)
        return;
    if (cluster)
        classes_forget_group(cluster, group);
    if (group->job->sharer == group)
        group->job->sharer = NULL;
    free(group->own.entries);
    free(group);
}
