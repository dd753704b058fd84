/* Parents and children. A job with parameters is a parent: it is never placed, each dispatch makes
 * a child, a job of its own that knows its parent. Children that have ended are forgotten but for
 * the newest few. */
#include "manager/core/internal.h"

#include <string.h>

bool job_is_parent(const struct job *job)
{
    const struct spec_version *present = job_present(job);
    return present && present->spec.parameters;
}

static const char *parent_of(const struct job *job)
{
    const struct spec_version *present = job_present(job);
    return present && present->spec.dispatched ? present->spec.dispatched->parent : NULL;
}

/* All that is wanted of it has completed, or failed for good. */
static bool has_ended(const struct job *job)
{
    int64_t wanted = 0;
    if (job->stopped)
        return true;
    for (const struct group *group = job->groups; group; group = group->next)
        for (size_t i = 0; i < group->capacity; i++) {
            const struct instance *instance = group->instances[i];
            if (!instance || !instance_is_wanted(instance))
                continue;
            wanted++;
            if (!instance_is_completed(instance) && !instance_is_exhausted(instance))
                return false;
        }
    return wanted > 0;
}

static bool is_older(const struct job *a, const struct job *b)
{
    if (a->submitted_ms != b->submitted_ms)
        return a->submitted_ms < b->submitted_ms;
    return strcmp(a->name, b->name) < 0;
}

/* One too many ended at most: one ends at a time. */
static void forget_oldest(struct manager *manager, const char *parent)
{
    struct job *oldest = NULL;
    int64_t count = 0;
    for (struct job *job = manager->jobs; job; job = job->hh.next) {
        const char *of = job->ended && !job->deleting ? parent_of(job) : NULL;
        if (!of || strcmp(of, parent) != 0)
            continue;
        count++;
        if (!oldest || is_older(job, oldest))
            oldest = job;
    }
    if (count <= CHILDREN_KEPT)
        return;
    oldest->deleting = true;
    job_changed(manager, oldest);
}

void job_note_ended(struct manager *manager, struct job *job)
{
    const char *parent = parent_of(job);
    bool ended = parent && !job->deleting && has_ended(job);
    bool news = ended && !job->ended;
    job->ended = ended;
    if (news)
        forget_oldest(manager, parent);
}
