/* Parents and children. A job with parameters or a schedule is a parent: it is never placed, each
 * dispatch and each launch makes a child, a job of its own that knows its parent: the parent's
 * present specification with another name, the dispatch's meta and payload, and no parameters or
 * schedule. Children that have ended are forgotten but for the newest few. */
#include "manager/core/internal.h"

#include "platform/base/base64.h"

#include <stdio.h>
#include <string.h>

bool job_is_parent(const struct job *job)
{
    const struct spec_version *present = job_present(job);
    return present && job_spec_is_parent(&present->spec);
}

static const char *parent_of(const struct job *job)
{
    const struct spec_version *present = job_present(job);
    return present && present->spec.dispatched ? present->spec.dispatched->parent : NULL;
}

bool job_is_child_of(const struct job *job, const char *parent)
{
    const char *of = parent_of(job);
    return of && strcmp(of, parent) == 0;
}

bool job_has_ended(const struct job *job)
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
        if (!job->ended || job->deleting || !job_is_child_of(job, parent))
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
    bool ended = parent && !job->deleting && job_has_ended(job);
    bool news = ended && !job->ended;
    job->ended = ended;
    if (news)
        forget_oldest(manager, parent);
}

/* ---- a new child ---- */

void child_name_format(char ret_name[LIMIT_NAME_LENGTH + 1], const struct job *parent, int64_t at_s,
                       unsigned counter)
{
    snprintf(ret_name, LIMIT_NAME_LENGTH + 1, "%.*s-%010llu-%u", LIMIT_PARENT_LENGTH, parent->name,
             (unsigned long long)at_s % 10000000000, counter);
}

/* The dispatch's values over the parent's own; both are sorted by key. */
static bool merge_meta(const struct string_map *old, const struct string_map *more,
                       struct arena *arena, struct string_map *ret_merged)
{
    size_t i = 0, j = 0;
    struct string_pair *items = arena_array(arena, old->count + more->count + 1, sizeof(*items));
    *ret_merged = (struct string_map){items, 0};
    while (items && (i < old->count || j < more->count)) {
        int order = i == old->count    ? 1
                    : j == more->count ? -1
                                       : strcmp(old->items[i].key, more->items[j].key);
        items[ret_merged->count++] = order < 0 ? old->items[i] : more->items[j];
        i += order <= 0;
        j += order >= 0;
    }
    return items;
}

static bool fill_payload(const struct dispatch_arguments *arguments, struct arena *arena,
                         struct dispatched *dispatched)
{
    if (!arguments)
        return true;
    dispatched->payload = arguments->payload_base64;
    if (!arguments->payload)
        return true;
    char *text = arena_alloc(arena, BASE64_SIZE(strlen(arguments->payload)));
    if (text)
        base64_encode(arguments->payload, strlen(arguments->payload), text);
    dispatched->payload = text;
    return text;
}

static bool fill_child(const struct job *parent, const char *name,
                       const struct dispatch_arguments *arguments, struct arena *arena,
                       struct job_spec *ret_spec)
{
    struct dispatched *dispatched = arena_alloc(arena, sizeof(*dispatched));
    *ret_spec = job_present(parent)->spec;
    if (!dispatched || !fill_payload(arguments, arena, dispatched))
        return false;
    dispatched->parent = parent->name;
    ret_spec->name = name;
    ret_spec->parameters = NULL;
    ret_spec->schedule = NULL;
    ret_spec->dispatched = dispatched;
    return !arguments ||
           merge_meta(&job_present(parent)->spec.meta, &arguments->meta, arena, &ret_spec->meta);
}

struct job *job_make_child(struct manager *manager, const struct job *parent, const char *name,
                           const struct dispatch_arguments *arguments)
{
    _cleanup_arena_ struct arena arena = ARENA_EMPTY;
    struct job_spec spec;
    if (HASH_COUNT(manager->jobs) >= LIMIT_JOBS) {
        verdict_reject(manager, REASON_LIMIT_REACHED, "the cluster has %d jobs", LIMIT_JOBS);
        return NULL;
    }
    if (!fill_child(parent, name, arguments, &arena, &spec)) {
        verdict_reject(manager, REASON_LIMIT_REACHED, "out of memory");
        return NULL;
    }
    struct job *child = job_obtain(manager, name);
    if (!job_advance(manager, child, &spec))
        return NULL;
    job_changed(manager, child);
    return child;
}
