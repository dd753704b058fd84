/* do/jobs/<job>/<verb>. Every one is idempotent; `changed` says whether it did anything. */
#include "manager/core/internal.h"

#include "schema/record.h"

#include <string.h>

bool version_is_expected(struct manager *manager, const struct job *job,
                         const struct command *command)
{
    int64_t expected = command->envelope->expect_version;
    const struct spec_version *present = job ? job_present(job) : NULL;
    int64_t version = present ? present->version : 0;
    if (expected == UNSET || expected == version)
        return true;
    verdict_reject(manager, REASON_VERSION_MISMATCH, "the job has version %lld, not %lld",
                   (long long)version, (long long)expected);
    return false;
}

struct job *job_existing(struct manager *manager, const char *name)
{
    struct job *job = job_find(manager, name);
    return job && job_present(job) ? job : NULL;
}

void job_changed(struct manager *manager, struct job *job)
{
    mark_job(manager, job, MARK_SPEC);
    mark_job(manager, job, MARK_STATUS);
    job_queue(manager, job);
}

/* Instances whose task changed begin a new series of reschedules. */
static void forget_failures(struct job *job, const struct job_spec *old,
                            const struct job_spec *fresh)
{
    for (struct group *group = job->groups; group; group = group->next) {
        const struct task_spec *before = old ? spec_task(old, group->name) : NULL;
        const struct task_spec *after = spec_task(fresh, group->name);
        if (before && after && !task_spec_needs_replacement(before, after))
            continue;
        for (size_t i = 0; i < group->capacity; i++)
            if (group->instances[i])
                reschedule_forget(group->instances[i]);
    }
}

static bool dependencies_are_same(const struct record_list *old, const struct record_list *fresh)
{
    bool same = old->count == fresh->count;
    for (size_t i = 0; same && i < old->count; i++) {
        const struct dependency *a = RECORD_AT(struct dependency, *old, i);
        const struct dependency *b = RECORD_AT(struct dependency, *fresh, i);
        same = a->condition == b->condition && !strcmp(a->job, b->job);
    }
    return same;
}

bool job_advance(struct manager *manager, struct job *job, const struct job_spec *spec)
{
    struct spec_version *version =
        spec_version_new(spec, job->last_version + 1, manager->now.wall_ms);
    if (!version) {
        verdict_reject(manager, REASON_LIMIT_REACHED, "out of memory");
        return false;
    }
    job_check_schedule(manager, job); /* what is due of the old one is due */
    if (job_present(job))
        forget_failures(job, &job_present(job)->spec, &version->spec);
    const struct record_list *waits = job_present(job) ? &job_present(job)->spec.depends_on : NULL;
    if (waits && !dependencies_are_same(waits, &version->spec.depends_on))
        job->admitted = false;
    job_add_version(job, version);
    job->submitted_ms = manager->now.wall_ms;
    job->launched_s = 0; /* from now on */
    job->tombstone = false;
    job->has_document = true;
    grave_close(manager, TOPIC_JOB_SPEC, job->name, NULL);
    grave_close(manager, TOPIC_JOB_HISTORY, job->name, NULL);
    if (job_has_history(job))
        mark_job(manager, job, MARK_HISTORY);
    return true;
}

/* A name that dispatch would give. */
static bool name_is_free(struct manager *manager, const char *name)
{
    if (!job_name_is_a_childs(name))
        return true;
    problems_add(&manager->effects->verdict.problems, "/name", "choose one with another end",
                 "names such as job-1700000000-0 are given by dispatch");
    verdict_reject(manager, REASON_INVALID_JOB, "%s", reason_text(REASON_INVALID_JOB));
    return false;
}

/* What the instances of one type leave behind means something else for another. */
static bool type_is_kept(struct manager *manager, const struct job *job,
                         const struct command *command)
{
    if (!job || job->deleting || job_present(job)->spec.type == command->spec->type)
        return true;
    problems_add(&manager->effects->verdict.problems, "/type",
                 "delete the job first, or give this one another name",
                 "the type of a job cannot change");
    verdict_reject(manager, REASON_INVALID_JOB, "%s", reason_text(REASON_INVALID_JOB));
    return false;
}

void command_job_set(struct manager *manager, const char *name, const struct command *command)
{
    struct job *job = job_existing(manager, name);
    if (!version_is_expected(manager, job, command) || !name_is_free(manager, name) ||
        !type_is_kept(manager, job, command))
        return;
    if (!job && HASH_COUNT(manager->jobs) >= LIMIT_JOBS) {
        verdict_reject(manager, REASON_LIMIT_REACHED, "the cluster has %d jobs", LIMIT_JOBS);
        return;
    }
    bool same = job && record_equal(&job_spec_record, &job_present(job)->spec, command->spec);
    if (same && !job->stopped && !job->deleting) {
        verdict_accept(manager, job_present(job)->version, false);
        return;
    }
    if (!dependencies_are_sound(manager, name, command->spec,
                                &manager->effects->verdict.problems)) {
        verdict_reject(manager, REASON_INVALID_JOB, "%s", reason_text(REASON_INVALID_JOB));
        return;
    }
    if (!job)
        job = job_obtain(manager, name);
    if (!same && !job_advance(manager, job, command->spec))
        return;
    job->stopped = job->deleting = false;
    job_changed(manager, job);
    verdict_accept(manager, job_present(job)->version, true);
}

void command_job_stop(struct manager *manager, const char *name, const struct command *command)
{
    struct job *job = job_existing(manager, name);
    if (!version_is_expected(manager, job, command))
        return;
    bool changed = job && !job->stopped && !job->deleting;
    if (changed) {
        job->stopped = true;
        job->admitted = false;
        mark_job(manager, job, MARK_HISTORY);
        job_changed(manager, job);
    }
    verdict_accept(manager, job ? job_present(job)->version : UNSET, changed);
}

void command_job_delete(struct manager *manager, const char *name, const struct command *command)
{
    struct job *job = job_existing(manager, name);
    if (!version_is_expected(manager, job, command))
        return;
    bool changed = job && !job->deleting;
    int64_t version = job ? job_present(job)->version : UNSET;
    if (changed) {
        job->deleting = true;
        job_changed(manager, job);
    }
    verdict_accept(manager, version, changed);
}

/* ---- scale ---- */

static const struct task_spec *task_to_scale(struct manager *manager, const struct job_spec *spec,
                                             const char *name)
{
    const struct task_spec *task = NULL;
    if (name)
        task = spec_task(spec, name);
    else if (spec->tasks.count == 1)
        task = RECORD_AT(struct task_spec, spec->tasks, 0);
    if (!task && name)
        verdict_reject(manager, REASON_UNKNOWN_TASK, "the job has no task %s", name);
    else if (!task)
        verdict_reject(manager, REASON_INVALID_ARGUMENTS,
                       "the job has %zu tasks: say which one with \"task\"", spec->tasks.count);
    return task;
}

/* The same specification with another count. The task list is a copy, everything else is shared. */
static bool scaled_spec(const struct job_spec *spec, const struct task_spec *task, int64_t count,
                        struct arena *arena, struct job_spec *ret_spec)
{
    struct task_spec *tasks = arena_array(arena, spec->tasks.count, sizeof(*tasks));
    if (!tasks)
        return false;
    memcpy(tasks, spec->tasks.items, spec->tasks.count * sizeof(*tasks));
    tasks[spec_task_index(spec, task)].count = count;
    *ret_spec = *spec;
    ret_spec->tasks.items = tasks;
    return true;
}

static void scale(struct manager *manager, struct job *job, const struct task_spec *task,
                  int64_t count)
{
    _cleanup_arena_ struct arena arena = ARENA_EMPTY;
    struct job_spec spec;
    const struct job_spec *present = &job_present(job)->spec;
    if (!scaled_spec(present, task, count, &arena, &spec)) {
        verdict_reject(manager, REASON_LIMIT_REACHED, "out of memory");
        return;
    }
    job_spec_check(&spec, &manager->effects->verdict.problems);
    if (problems_any(&manager->effects->verdict.problems)) {
        verdict_reject(manager, REASON_INVALID_JOB, "%s", reason_text(REASON_INVALID_JOB));
        return;
    }
    if (!job_advance(manager, job, &spec))
        return;
    job_changed(manager, job);
    verdict_accept(manager, job_present(job)->version, true);
}

void command_job_scale(struct manager *manager, const char *name, const struct command *command)
{
    struct job *job = job_existing(manager, name);
    int64_t count = command->scale->count;
    if (!job) {
        verdict_reject(manager, REASON_UNKNOWN_JOB, "there is no job %s", name);
        return;
    }
    if (!version_is_expected(manager, job, command))
        return;
    const struct task_spec *task =
        task_to_scale(manager, &job_present(job)->spec, command->scale->task);
    if (!task)
        return;
    if (count < 0 || count > LIMIT_INSTANCES_PER_TASK)
        verdict_reject(manager, REASON_INVALID_ARGUMENTS, "count must be between 0 and %d",
                       LIMIT_INSTANCES_PER_TASK);
    else if (task->count == count)
        verdict_accept(manager, job_present(job)->version, false);
    else
        scale(manager, job, task, count);
}

/* ---- restart ---- */

void command_job_restart(struct manager *manager, const char *name, const struct command *command)
{
    struct job *job = job_existing(manager, name);
    if (!job) {
        verdict_reject(manager, REASON_UNKNOWN_JOB, "there is no job %s", name);
        return;
    }
    if (!version_is_expected(manager, job, command))
        return;
    bool changed = false;
    for (struct binding *binding = job->bindings; binding; binding = binding->job_next)
        for (struct attempt *attempt = binding->attempts; attempt; attempt = attempt->next) {
            if (!attempt_is_live(attempt) || attempt_ends(attempt).run_wanted > attempt->run)
                continue;
            attempt_want_run(manager, attempt, attempt->run + 1);
            mark_assignment(manager, binding);
            changed = true;
        }
    verdict_accept(manager, job_present(job)->version, changed);
}
