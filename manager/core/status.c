/* jobs/<job>/status: counts, and why instances are pending. */
#include "manager/core/internal.h"

enum { EXAMPLES_SHOWN = 3 };

/* ---- counts ---- */

/* The attempt that stands for an instance: one that goes on, else the newest. NULL: it is pending.
 */
static const struct attempt *representative(const struct instance *instance)
{
    for (const struct attempt *attempt = instance->attempts; attempt; attempt = attempt->older)
        if (!attempt_is_final(attempt) && !attempt->unknown)
            return attempt;
    for (const struct attempt *attempt = instance->attempts; attempt; attempt = attempt->older)
        if (!attempt_is_final(attempt))
            return attempt;
    return instance->waiting ? NULL : instance->attempts;
}

static int64_t *counter_of(struct state_counts *counts, enum attempt_state state)
{
    switch (state) {
    case ATTEMPT_NONE:
    case ATTEMPT_PENDING:
        return &counts->pending;
    case ATTEMPT_SCHEDULED:
        return &counts->scheduled;
    case ATTEMPT_PREPARING:
        return &counts->preparing;
    case ATTEMPT_STARTING:
        return &counts->starting;
    case ATTEMPT_RUNNING:
        return &counts->running;
    case ATTEMPT_STOPPING:
        return &counts->stopping;
    case ATTEMPT_COMPLETED:
        return &counts->completed;
    case ATTEMPT_FAILED:
    case ATTEMPT_REJECTED:
        return &counts->failed;
    case ATTEMPT_STOPPED:
        return &counts->stopped;
    case ATTEMPT_LOST:
        return &counts->lost;
    }
    return &counts->pending;
}

static void count_attempt(const struct attempt *attempt, struct job_status *status,
                          struct task_summary *summary)
{
    if (!attempt) {
        status->counts.pending++;
        summary->pending++;
        return;
    }
    if (attempt->unknown) {
        status->counts.unknown++;
        return;
    }
    int64_t *counter = counter_of(&status->counts, attempt->state);
    ++*counter;
    summary->running += counter == &status->counts.running;
    summary->completed += counter == &status->counts.completed;
    summary->failed += counter == &status->counts.failed;
}

/* ---- what is still there of a job that is to end ---- */

static void count_leaving(const struct instance *instance, struct state_counts *counts)
{
    const struct attempt *attempt = representative(instance);
    if (attempt && !attempt_is_final(attempt))
        ++*(attempt->unknown ? &counts->unknown : counter_of(counts, attempt->state));
}

static void count_all_leaving(const struct group *group, struct state_counts *counts)
{
    const struct task_spec *task = spec_task(&job_present(group->job)->spec, group->name);
    for (size_t i = 0; i < group->capacity; i++)
        if (group->instances[i] && !instance_is_wanted_by(group->instances[i], task))
            count_leaving(group->instances[i], counts);
}

/* ---- pending ---- */

static int add_exclusions(const struct cluster_explanation *explanation, struct arena *arena,
                          struct pending_group *out)
{
    char nearest[LIMIT_MESSAGE_LENGTH];
    struct exclusion *items = arena_array(arena, explanation->count + 1, sizeof(*items));
    if (!items)
        return -ERR_NO_MEMORY;
    out->excluded = (struct record_list){items, explanation->count};
    for (size_t i = 0; i < explanation->count; i++) {
        const struct cluster_exclusion *from = &explanation->exclusions[i];
        items[i] = (struct exclusion){.reason = reason_to_string((int)from->reason),
                                      .text = reason_text((int)from->reason),
                                      .detail = from->detail,
                                      .nodes = from->nodes};
    }
    cluster_nearest_text(explanation, nearest, sizeof(nearest));
    out->nearest = nearest[0] ? arena_strdup(arena, nearest) : NULL;
    return 0;
}

/* Of a system job: not a single node matches. */
static bool is_nowhere(const struct group *group)
{
    for (size_t i = 0; i < group->capacity; i++)
        if (group->instances[i] && instance_is_wanted(group->instances[i]))
            return false;
    return true;
}

static const char *pending_text(const struct group *group, int reason, struct arena *arena)
{
    const struct cluster_explanation *why = group->explanation;
    int64_t nodes = why ? cluster_explanation_nodes(why, (enum reason)reason) : 0;
    if (reason == REASON_WAITING_FOR_DEPENDENCY)
        return job_dependency_text(group->job, arena);
    if (!nodes)
        return reason_text(reason);
    if (job_is_everywhere(group->job) && !is_nowhere(group))
        return arena_printf(arena, "%lld of the nodes that match cannot take it: %s",
                            (long long)nodes, reason_text(reason));
    return arena_printf(arena, "no node can take it; %lld of %lld: %s", (long long)nodes,
                        (long long)why->nodes, reason_text(reason));
}

static int add_pending_group(const struct group *group, int reason, struct arena *arena,
                             struct job_status *status)
{
    struct pending_group *out =
        RECORD_AT(struct pending_group, status->pending, status->pending.count);
    *out = (struct pending_group){
        .reason = reason_to_string(reason),
        .text = pending_text(group, reason, arena),
        .task = group->name,
        .examples = {arena_array(arena, EXAMPLES_SHOWN, sizeof(char *)), 0},
    };
    if (!out->text || !out->examples.items)
        return -ERR_NO_MEMORY;
    status->pending.count++;
    if (reason == REASON_WAITING_TO_RESCHEDULE || reason == REASON_WAITING_FOR_DEPENDENCY ||
        reason == REASON_MAKING_ROOM || !group->explanation)
        return 0;
    return add_exclusions(group->explanation, arena, out);
}

static int note_pending(const struct instance *instance, struct arena *arena,
                        struct job_status *status)
{
    const char *reason = reason_to_string((int)instance->waiting);
    const struct group *group = instance->group;
    struct pending_group *found = NULL;
    for (size_t i = 0; i < status->pending.count && !found; i++) {
        struct pending_group *at = RECORD_AT(struct pending_group, status->pending, i);
        if (at->task == group->name && at->reason == reason)
            found = at;
    }
    if (!found) {
        if (status->pending.count == LIMIT_PENDING_REASONS)
            return 0;
        int error = add_pending_group(group, (int)instance->waiting, arena, status);
        if (error)
            return error;
        found = RECORD_AT(struct pending_group, status->pending, status->pending.count - 1);
    }
    found->count++;
    if (found->examples.count == EXAMPLES_SHOWN)
        return 0;
    char *name = arena_alloc(arena, LIMIT_TASK_ID_LENGTH + 1);
    if (!name)
        return -ERR_NO_MEMORY;
    instance_name_format(name, group->job->name, group->name, instance->index);
    found->examples.items[found->examples.count++] = name;
    return 0;
}

/* ---- the whole ---- */

static int fill_instance(const struct instance *instance, struct arena *arena,
                         struct job_status *status, struct task_summary *summary)
{
    summary->count++;
    status->wanted++;
    const struct attempt *attempt = instance ? representative(instance) : NULL;
    count_attempt(attempt, status, summary);
    if (!instance)
        return 0;
    status->outdated += instance_is_outdated(instance);
    return instance->waiting && !attempt ? note_pending(instance, arena, status) : 0;
}

/* Said without an instance that could wait for it. */
static int fill_nowhere(const struct group *group, struct arena *arena, struct job_status *status)
{
    if (status->pending.count == LIMIT_PENDING_REASONS)
        return 0;
    if (group->job->gated)
        return add_pending_group(group, REASON_WAITING_FOR_DEPENDENCY, arena, status);
    if (!group->explanation)
        return 0;
    return add_pending_group(group, (int)cluster_explanation_reason(group->explanation), arena,
                             status);
}

static int fill_everywhere(const struct group *group, struct arena *arena,
                           struct job_status *status, struct task_summary *summary)
{
    int error = 0;
    for (size_t i = 0; group && i < group->capacity && !error; i++)
        if (group->instances[i] && instance_is_wanted(group->instances[i]))
            error = fill_instance(group->instances[i], arena, status, summary);
    return error || summary->count || !group ? error : fill_nowhere(group, arena, status);
}

/* What is wanted of the task, and what is still there of it that is not. */
static int fill_counted(const struct group *group, const struct task_spec *task,
                        struct arena *arena, struct job_status *status,
                        struct task_summary *summary)
{
    int error = 0;
    int64_t capacity = group ? (int64_t)group->capacity : 0;
    for (int64_t i = 0; (i < task->count || i < capacity) && !error; i++) {
        const struct instance *instance = group ? group_instance(group, i) : NULL;
        if (instance ? instance_is_wanted_by(instance, task) : i < task->count)
            error = fill_instance(instance, arena, status, summary);
        else if (instance)
            count_leaving(instance, &status->counts);
    }
    return error;
}

static bool wants_nothing(const struct job *job)
{
    return job->stopped || job->deleting || job_is_parent(job);
}

static int fill_task(const struct job *job, const struct task_spec *task, struct arena *arena,
                     struct job_status *status)
{
    struct task_summary *summary =
        RECORD_AT(struct task_summary, status->tasks, status->tasks.count++);
    const struct group *group = job_group(job, task->name);
    *summary = (struct task_summary){.name = task->name};
    if (wants_nothing(job))
        return 0;
    if (job_is_everywhere(job))
        return fill_everywhere(group, arena, status, summary);
    return fill_counted(group, task, arena, status, summary);
}

/* By fill_counted(). */
static bool is_counted(const struct group *group)
{
    const struct job *job = group->job;
    return !wants_nothing(job) && !job_is_everywhere(job) &&
           spec_task(&job_present(job)->spec, group->name);
}

/* Whether so many have failed for good; more than `others` that have not are not looked at. */
static bool have_failed_for_good(const struct job *job, int64_t count, int64_t others)
{
    for (const struct group *group = job->groups; group && others >= 0; group = group->next) {
        const struct task_spec *task = spec_task(&job_present(job)->spec, group->name);
        for (size_t i = 0; i < group->capacity && others >= 0; i++) {
            const struct instance *instance = group->instances[i];
            if (!instance || !instance_is_wanted_by(instance, task))
                continue;
            bool failed = instance_is_exhausted(instance);
            count -= failed;
            others -= !failed;
        }
    }
    return !count && others >= 0;
}

/* Of a job that is stopped only what has not ended is counted. */
static bool is_left(const struct state_counts *counts)
{
    return counts->scheduled || counts->preparing || counts->starting || counts->running ||
           counts->stopping || counts->unknown;
}

static enum job_state state_of(const struct job *job, const struct job_status *status)
{
    int64_t running = status->counts.running, completed = status->counts.completed;
    if (job->deleting)
        return JOB_DELETING;
    if (job->stopped)
        return is_left(&status->counts) ? JOB_STOPPING : JOB_STOPPED;
    if (job_is_parent(job))
        return JOB_PARENT;
    if (status->wanted && completed == status->wanted)
        return JOB_COMPLETED;
    if (status->wanted && have_failed_for_good(job, status->wanted - completed, completed))
        return JOB_FAILED;
    if (running + completed >= status->wanted && (status->wanted || !job_is_everywhere(job)))
        return JOB_RUNNING;
    return running ? JOB_DEGRADED : JOB_PENDING;
}

/* ---- when ---- */

/* All instances are counted for a status. Of ten thousand it is made ten times a second at most
 * while they start one after the other, of fewer than a hundred at once. */
static int64_t pause_ms(const struct job *job)
{
    enum { INSTANCES_A_MS = 100 };
    size_t instances = 0;
    for (const struct group *group = job->groups; group; group = group->next)
        instances += group->capacity;
    return (int64_t)instances / INSTANCES_A_MS;
}

void job_status_timer_fired(struct manager *manager, void *job)
{
    mark_job(manager, job, MARK_STATUS);
}

void job_note_progress(struct manager *manager, struct job *job)
{
    int64_t due_ms = job->counted_ms + pause_ms(job);
    if (due_ms <= manager->now.mono_ms)
        mark_job(manager, job, MARK_STATUS);
    else if (!job->status_timer.deadline.place)
        timer_set(&manager->timers, &job->status_timer, due_ms);
}

int status_fill(struct manager *manager, struct job *job, struct arena *arena,
                struct job_status *ret_status)
{
    const struct spec_version *present = job_present(job);
    const struct record_list *tasks = &present->spec.tasks;
    job->counted_ms = manager->now.mono_ms;
    *ret_status = (struct job_status){
        .version = present->version,
        .type = present->spec.type,
        .tasks = {arena_array(arena, tasks->count + 1, sizeof(struct task_summary)), 0},
        .pending = {arena_array(arena, LIMIT_PENDING_REASONS, sizeof(struct pending_group)), 0},
        .next_launch_ms = job->next_launch_s * 1000,
        .changed_ms = manager->now.wall_ms,
    };
    if (!ret_status->tasks.items || !ret_status->pending.items)
        return -ERR_NO_MEMORY;
    for (size_t i = 0; i < tasks->count; i++) {
        int error = fill_task(job, RECORD_AT(struct task_spec, *tasks, i), arena, ret_status);
        if (error)
            return error;
    }
    for (const struct group *group = job->groups; group; group = group->next)
        if (!is_counted(group))
            count_all_leaving(group, &ret_status->counts);
    ret_status->state = (int)state_of(job, ret_status);
    return 0;
}
