/* depends_on: a job is placed when other jobs are as it asks; once that was so, it is not asked for
 * again (until the job is stopped, or depends on others), whatever becomes of them. That it was so
 * is in its history.
 *
 * A job that waits is in manager->gated. Whenever another one is looked at, those that wait for it
 * are looked at too if all that they depend on is there now; nothing is asked in vain. */
#include "manager/core/internal.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

enum { ALL_MET = -1, CIRCLE_TEXT_SIZE = 160 };

void job_set_gated(struct manager *manager, struct job *job, bool gated)
{
    if (job->gated == gated)
        return;
    job->gated = gated;
    if (gated)
        DL_APPEND2(manager->gated, job, gated_prev, gated_next);
    else
        DL_DELETE2(manager->gated, job, gated_prev, gated_next);
}

/* ---- what an instance, a task, a job is ---- */

/* Looks at the waiting job again when the attempt will have been healthy for long enough. */
static bool attempt_is(struct manager *manager, struct job *waiting, const struct attempt *attempt,
                       int condition)
{
    if (!attempt_is_live(attempt) || attempt->unknown || attempt->state != ATTEMPT_RUNNING)
        return false;
    if (condition == DEPEND_RUNNING || attempt_is_settled(manager, attempt))
        return true;
    job_wake_at(manager, waiting, attempt_settles_at_ms(attempt));
    return false;
}

static bool instance_is(struct manager *manager, struct job *waiting,
                        const struct instance *instance, int condition)
{
    if (!instance || instance_is_completed(instance) || condition == DEPEND_COMPLETED)
        return instance && instance_is_completed(instance);
    for (const struct attempt *at = instance->attempts; at; at = at->older)
        if (attempt_is(manager, waiting, at, condition))
            return true;
    return false;
}

static bool group_is(struct manager *manager, struct job *waiting, const struct group *group,
                     int64_t wanted, int condition)
{
    int64_t so = 0, there = 0;
    for (size_t i = 0; i < group->capacity; i++) {
        const struct instance *instance = group->instances[i];
        if (!instance || !instance_is_wanted(instance))
            continue;
        there++;
        so += instance_is(manager, waiting, instance, condition);
    }
    if (wanted == UNSET) /* everywhere: as many as there are nodes */
        wanted = there;
    return so > 0 && (condition == DEPEND_RUNNING || so == wanted);
}

static bool job_is(struct manager *manager, struct job *waiting, const struct job *job,
                   int condition)
{
    const struct spec_version *present = job ? job_present(job) : NULL;
    if (!present || job->stopped || job->deleting)
        return false;
    for (size_t i = 0; i < present->spec.tasks.count; i++) {
        const struct task_spec *task = RECORD_AT(struct task_spec, present->spec.tasks, i);
        const struct group *group = job_group(job, task->name);
        int64_t wanted = job_is_everywhere(job) ? UNSET : task->count;
        if (!group || !group_is(manager, waiting, group, wanted, condition))
            return false;
    }
    return true;
}

/* ---- the gate ---- */

/* The first that is not met: its index times two, and one if there is no such job. */
static int64_t first_unmet(struct manager *manager, struct job *job)
{
    const struct record_list *list = &job_present(job)->spec.depends_on;
    for (size_t i = 0; i < list->count; i++) {
        const struct dependency *dependency = RECORD_AT(struct dependency, *list, i);
        const struct job *other = job_find(manager, dependency->job);
        if (!job_is(manager, job, other, dependency->condition))
            return (int64_t)i * 2 + !(other && job_present(other));
    }
    return ALL_MET;
}

static void note_unmet(struct manager *manager, struct job *job)
{
    int64_t unmet = first_unmet(manager, job);
    if (job->unmet != unmet)
        mark_job(manager, job, MARK_STATUS);
    job->unmet = unmet;
}

void job_check_dependencies(struct manager *manager, struct job *job)
{
    bool waits = job_present(job)->spec.depends_on.count && !job->admitted && !job->stopped &&
                 !job->deleting && !job_is_parent(job);
    if (waits)
        note_unmet(manager, job);
    if (waits && job->unmet == ALL_MET) {
        job->admitted = true;
        mark_job(manager, job, MARK_HISTORY);
    }
    job_set_gated(manager, job, waits && !job->admitted);
}

static bool waits_for(const struct job *job, const char *name)
{
    const struct record_list *list = &job_present(job)->spec.depends_on;
    for (size_t i = 0; i < list->count; i++)
        if (!strcmp(RECORD_AT(struct dependency, *list, i)->job, name))
            return true;
    return false;
}

void job_wake_dependents(struct manager *manager, const struct job *job)
{
    for (struct job *at = manager->gated; at; at = at->gated_next) {
        if (!waits_for(at, job->name))
            continue;
        note_unmet(manager, at);
        if (at->unmet == ALL_MET)
            job_queue(manager, at);
    }
}

const char *job_dependency_text(const struct job *job, struct arena *arena)
{
    const struct record_list *list = &job_present(job)->spec.depends_on;
    size_t at = (size_t)(job->unmet / 2);
    if (job->unmet < 0 || at >= list->count)
        return reason_text(REASON_WAITING_FOR_DEPENDENCY);
    const struct dependency *dependency = RECORD_AT(struct dependency, *list, at);
    bool missing = job->unmet % 2;
    return arena_printf(arena, "waits until job %s is %s%s", dependency->job,
                        words_to_string(&depend_condition_words, dependency->condition),
                        missing ? "; there is no such job" : "");
}

/* ---- circles ---- */

/* Jobs in the order in which they were reached from a new specification, which is the first. */
struct reached {
    UT_hash_handle hh; /* by name */
    const char *name;
    const struct reached *from; /* it waits for this one; NULL: the first */
};

static void reach(struct reached **all, const char *name, const struct reached *from)
{
    struct reached *reached;
    HASH_FIND_STR(*all, name, reached);
    if (reached)
        return;
    reached = mem_alloc(sizeof(*reached));
    reached->name = name;
    reached->from = from;
    HASH_ADD_KEYPTR(hh, *all, reached->name, strlen(reached->name), reached);
}

/* The job from which `name` is reached again, or NULL. */
static const struct reached *find_circle(struct manager *manager, struct reached **all,
                                         const char *name, const struct job_spec *spec)
{
    reach(all, name, NULL);
    for (struct reached *at = *all; at; at = at->hh.next) {
        const struct job *job = at->from ? job_find(manager, at->name) : NULL;
        if (job && job_present(job) && !job->deleting)
            spec = &job_present(job)->spec;
        else if (at->from)
            continue;
        for (size_t i = 0; i < spec->depends_on.count; i++) {
            const char *next = RECORD_AT(struct dependency, spec->depends_on, i)->job;
            if (!strcmp(next, name))
                return at;
            reach(all, next, at);
        }
    }
    return NULL;
}

/* "a -> b -> a", written from its end; what is too long for a message begins with dots. */
static void circle_text(const struct reached *last, const char *name, char text[CIRCLE_TEXT_SIZE])
{
    size_t start = CIRCLE_TEXT_SIZE - strlen(name) - 1;
    memcpy(text + start, name, strlen(name) + 1);
    for (const struct reached *at = last; at; at = at->from) {
        bool fits = start >= strlen(at->name) + strlen(" -> ") + strlen("...");
        const char *word = fits ? at->name : "...";
        start -= strlen(" -> ");
        memcpy(text + start, " -> ", strlen(" -> "));
        start -= strlen(word);
        memcpy(text + start, word, strlen(word));
        if (!fits)
            break;
    }
    memmove(text, text + start, CIRCLE_TEXT_SIZE - start);
}

bool dependencies_are_sound(struct manager *manager, const char *name, const struct job_spec *spec,
                            struct problems *problems)
{
    char text[CIRCLE_TEXT_SIZE];
    struct reached *all = NULL, *at, *next;
    const struct reached *last = find_circle(manager, &all, name, spec);
    if (last) {
        circle_text(last, name, text);
        problems_add(problems, "/depends_on", "leave one of them out",
                     "the jobs wait for each other: %s", text);
    }
    HASH_ITER(hh, all, at, next)
    {
        HASH_DEL(all, at);
        free(at);
    }
    return !last;
}
