/* What follows from what is wanted and what is observed. Level-triggered: called after anything
 * changed, does the next step, and nothing when there is none.
 *
 *   wanted            | not final yet                    | final
 *   ------------------+----------------------------------+---------------------------
 *   run               | start, when it is due            | stays (it never runs again)
 *   stop              | stop; nothing started: stopped   | stays
 *   nobody wants it   | stop, once that is certain       | remove, forget
 *   not known         | goes on as it is                 | stays */
#include "worker/core/worker_state.h"

#include <string.h>
#include <utlist.h>

enum {
    STOP_TIMEOUT_DEFAULT_MS = 10 * 1000, /* of a task whose specification is not known */
    SIGNAL_DEFAULT = 15,
};

enum wish { WISH_RUN, WISH_STOP, WISH_DROP, WISH_REST };

static bool job_is_tombstoned(const struct job *job)
{
    return job->held && job->held->value.head.tombstone;
}

static int64_t index_revision(const struct node_desired *desired, const char *job)
{
    for (size_t i = 0; i < desired->assignments.count; i++) {
        if (!strcmp(desired->assignments.items[i].key, job)) {
            return desired->assignments.items[i].value;
        }
    }
    return UNSET;
}

bool job_is_settled(const struct worker *worker, const char *name)
{
    if (!worker->whole || !worker->leading || !worker->desired) {
        return false;
    }
    const struct manager_head *head = &worker->desired->value.head;
    if (head->term != worker->term || strcmp(head->manager, worker->manager) != 0) {
        return false;
    }
    const struct job *job = worker_job_find(worker, name);
    int64_t revision = index_revision(&worker->desired->value, name);
    if (!job || !job->held) {
        return revision == UNSET;
    }
    /* Only the very assignment that the index names is the leader's last word. One that it does not
     * name is not known to it yet: it will ask for it. */
    const struct assignment *held = &job->held->value;
    return held->revision == revision && held->head.term == worker->term;
}

bool index_is_beyond(const struct node_desired *desired, const char *job,
                     const struct assignment *assignment)
{
    const struct manager_head *head = &assignment->head;
    return head->term == desired->head.term && !strcmp(head->manager, desired->head.manager) &&
           head->seq < desired->head.seq && index_revision(desired, job) != assignment->revision;
}

static bool stop_after_is_due(const struct step *step, const struct attempt *attempt)
{
    const struct worker *worker = step->worker;
    if (worker->link || !attempt->job->held) {
        return false;
    }
    int64_t stop_after_ms = attempt->job->held->value.spec.disconnect.stop_after_ms;
    return stop_after_ms != UNSET && step->now.mono_ms - worker->offline_since_ms >= stop_after_ms;
}

static enum wish attempt_wish(const struct step *step, const struct attempt *attempt,
                              enum reason *ret_reason)
{
    bool final = attempt_state_is_final(attempt->state);
    if (job_is_tombstoned(attempt->job)) {
        *ret_reason = REASON_JOB_DELETED;
        return final ? WISH_DROP : WISH_STOP;
    }
    if (!attempt->assigned && job_is_settled(step->worker, attempt->job->name)) {
        *ret_reason = REASON_UNKNOWN_ATTEMPT;
        return final ? WISH_DROP : WISH_STOP;
    }
    if (final) {
        return WISH_REST;
    }
    if (attempt->assigned && attempt->desired == DESIRED_STOP) {
        *ret_reason = attempt->stop_reason ? attempt->stop_reason : REASON_JOB_STOPPED;
        return WISH_STOP;
    }
    if (stop_after_is_due(step, attempt)) {
        *ret_reason = REASON_STOPPED_OFFLINE;
        return WISH_STOP;
    }
    return WISH_RUN;
}

/* ---- effects on executions ---- */

static struct effect *execution_effect(struct step *step, enum effect_kind kind,
                                       const struct attempt *attempt, int64_t run)
{
    struct effect *effect = effects_add(step->effects, kind);
    effect->runtime = attempt->runtime;
    memcpy(effect->task_id, attempt->id, sizeof(effect->task_id));
    memcpy(effect->job, attempt->job->name, sizeof(effect->job));
    effect->run = run;
    return effect;
}

void attempt_stop_run(struct step *step, const struct attempt *attempt, int64_t run)
{
    struct effect *effect = execution_effect(step, EFFECT_STOP, attempt, run);
    const struct task_spec *task = attempt->task;
    int number = task && task->stop.signal ? signal_from_string(task->stop.signal) : 0;
    effect->signal_number = number ? number : SIGNAL_DEFAULT;
    effect->timeout_ms = task ? task->stop.timeout_ms : STOP_TIMEOUT_DEFAULT_MS;
}

void attempt_remove_run(struct step *step, const struct attempt *attempt, int64_t run)
{
    execution_effect(step, EFFECT_REMOVE, attempt, run);
}

void attempt_send_stop(struct step *step, struct attempt *attempt)
{
    attempt->stop_sent = true;
    attempt_stop_run(step, attempt, attempt->run);
}

/* ---- one step nearer ---- */

static const struct runtime_view *runtime_of(const struct worker *worker,
                                             const struct attempt *attempt)
{
    return &worker->runtimes[attempt->runtime];
}

static void attempt_drop(struct step *step, struct attempt *attempt)
{
    if (runtime_of(step->worker, attempt)->present && attempt->state != ATTEMPT_REJECTED) {
        if (attempt->kept_run) {
            attempt_remove_run(step, attempt, attempt->kept_run);
        }
        attempt_remove_run(step, attempt, attempt->run);
    }
    effects_mark(step->effects, attempt->job->name, MARK_STATE);
    worker_attempt_free(step->worker, attempt);
}

/* Something may exist that must be ended: it runs, is being started, or has not been looked for
 * yet. */
static bool has_execution(const struct worker *worker, const struct attempt *attempt)
{
    return runtime_of(worker, attempt)->present &&
           (attempt->state == ATTEMPT_RUNNING || attempt->in_flight || attempt->awaits_list);
}

static void drive_stop(struct step *step, struct attempt *attempt, enum reason reason)
{
    if (attempt->state != ATTEMPT_STOPPING) {
        attempt->stop_reason = reason;
        if (!has_execution(step->worker, attempt)) {
            attempt_set_state(step, attempt, ATTEMPT_STOPPED, attempt->run, reason, NULL);
            attempt_drive(step, attempt);
            return;
        }
        attempt->retry_ms = attempt->retry_mono_ms = 0;
        attempt_set_state(step, attempt, ATTEMPT_STOPPING, attempt->run, reason, NULL);
    }
    if (!attempt->stop_sent && runtime_of(step->worker, attempt)->up) {
        attempt_send_stop(step, attempt);
    }
}

static void reject(struct step *step, struct attempt *attempt, enum reason reason,
                   const char *message)
{
    attempt_set_state(step, attempt, ATTEMPT_REJECTED, attempt->run, reason, message);
    effects_event(step->effects, "task_rejected", reason, attempt->job->name, attempt->id, "%s",
                  message);
}

/* False when this node can never run it. */
static bool can_run_here(struct step *step, struct attempt *attempt)
{
    if (!attempt->task) {
        if (attempt->assigned) {
            reject(step, attempt, REASON_INVALID_SPEC,
                   "the assignment has no such task or version");
        }
        return false;
    }
    if (!runtime_of(step->worker, attempt)->present) {
        bool docker = attempt->runtime == RUNTIME_DOCKER;
        enum reason reason = docker ? REASON_RUNTIME_MISSING : REASON_RUNTIME_DISABLED;
        reject(step, attempt, reason, reason_text((int)reason));
        return false;
    }
    return true;
}

/* A person's restart is at once, and skips the wait of a backoff. */
static void apply_run_wanted(struct step *step, struct attempt *attempt)
{
    if (attempt->run_wanted > attempt->run) {
        attempt_set_state(step, attempt, ATTEMPT_STARTING, attempt->run_wanted, REASON_NONE, NULL);
    }
    if (attempt->run_wanted >= attempt->run) {
        attempt->retry_ms = attempt->retry_mono_ms = 0;
    }
}

static void start_now(struct step *step, struct attempt *attempt)
{
    attempt->in_flight = true;
    attempt->retry_ms = attempt->retry_mono_ms = 0;
    if (attempt->reason) {
        attempt_set_state(step, attempt, attempt->state, attempt->run, REASON_NONE, NULL);
    }
    execution_effect(step, EFFECT_START, attempt, attempt->run);
}

static bool may_start(const struct step *step, const struct attempt *attempt)
{
    const struct worker *worker = step->worker;
    const struct runtime_view *runtime = runtime_of(worker, attempt);
    return worker->started && !worker->holding && runtime->up && runtime->listed &&
           !attempt->awaits_list && attempt->retry_mono_ms <= step->now.mono_ms;
}

static void drive_run(struct step *step, struct attempt *attempt)
{
    if (attempt->state == ATTEMPT_RUNNING) {
        /* An emptied worker may still hear that this was done. */
        if (!step->worker->holding && attempt->run_wanted > attempt->run &&
            attempt->ending == ENDING_NONE) {
            attempt->ending = ENDING_ASKED;
            attempt_send_stop(step, attempt);
        }
        return;
    }
    if (attempt->state == ATTEMPT_STOPPING || attempt->in_flight || !can_run_here(step, attempt)) {
        return;
    }
    if (!attempt->awaits_list) { /* what may exist of this run is looked for first */
        apply_run_wanted(step, attempt);
    }
    if (may_start(step, attempt)) {
        start_now(step, attempt);
    } else if (runtime_of(step->worker, attempt)->down && attempt->reason != REASON_ENGINE_DOWN) {
        attempt_set_state(step, attempt, attempt->state, attempt->run, REASON_ENGINE_DOWN, NULL);
    }
}

void attempt_drive(struct step *step, struct attempt *attempt)
{
    enum reason reason = REASON_NONE;
    switch (attempt_wish(step, attempt, &reason)) {
    case WISH_RUN:
        drive_run(step, attempt);
        break;
    case WISH_STOP:
        drive_stop(step, attempt, reason);
        break;
    case WISH_DROP:
        attempt_drop(step, attempt);
        break;
    case WISH_REST:
        break;
    }
}

/* Nothing of it is here and nobody wants it: a tombstone first, its topic is cleared later. */
static void job_bury(struct step *step, struct job *job)
{
    bool gone = job_is_tombstoned(job) || (!job->held && job_is_settled(step->worker, job->name));
    if (gone && !job->attempts && !job->forget_mono_ms) {
        job->forget_mono_ms = step->now.mono_ms + TOMBSTONE_KEPT_MS;
        effects_mark(step->effects, job->name, MARK_STATE);
    }
}

/* What happens to one attempt changes nothing for the others of its job. */
void attempt_drive_alone(struct step *step, struct attempt *attempt)
{
    struct job *job = attempt->job;
    if (step->worker->started) {
        attempt_drive(step, attempt);
        job_bury(step, job);
    }
}

void job_drive(struct step *step, struct job *job)
{
    if (!step->worker->started) {
        return; /* half of the store is read */
    }
    struct attempt *attempt, *next;
    DL_FOREACH_SAFE(job->attempts, attempt, next)
    {
        attempt_drive(step, attempt);
    }
    job_bury(step, job);
}

void worker_drive(struct step *step)
{
    step->worker->driven_ms = step->now.mono_ms;
    struct job *job, *next;
    HASH_ITER(hh, step->worker->jobs, job, next)
    {
        job_drive(step, job);
    }
}
