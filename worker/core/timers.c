/* What time brings: restarts that are due, health probes, lists, stop_after, the clearing of
 * tombstones. */
#include "worker/core/worker_state.h"

#include <utlist.h>

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

void runtime_request_list(struct step *step, enum runtime_kind kind)
{
    step->worker->runtimes[kind].list_due_ms = step->now.mono_ms;
}

void lists_issue(struct step *step)
{
    struct worker *worker = step->worker;
    if (!worker->started || worker->holding) {
        return;
    }
    for (int kind = RUNTIME_DOCKER; kind < RUNTIME_KIND_COUNT; kind++) {
        struct runtime_view *runtime = &worker->runtimes[kind];
        if (runtime->present && !runtime->listing && runtime->list_due_ms <= step->now.mono_ms) {
            runtime->listing = true;
            runtime->list_number++;
            runtime->list_due_ms = step->now.mono_ms + RUNTIME_LIST_INTERVAL_MS;
            effects_add(step->effects, EFFECT_LIST)->runtime = (enum runtime_kind)kind;
        }
    }
}

static void jobs_forget(struct step *step)
{
    struct worker *worker = step->worker;
    struct job *job, *next;
    HASH_ITER(hh, worker->jobs, job, next)
    {
        if (worker->link && job->forget_mono_ms && job->forget_mono_ms <= step->now.mono_ms) {
            effects_mark(step->effects, job->name, MARK_FORGET);
            worker_job_free(worker, job);
        }
    }
}

void worker_timers(struct step *step)
{
    struct attempt *attempt, *next;
    HASH_ITER(hh, step->worker->attempts, attempt, next)
    {
        attempt_checks_timer(step, attempt);
        attempt_max_run_timer(step, attempt);
    }
    jobs_forget(step);
    worker_drive(step);
}

static int64_t attempt_deadline_ms(const struct worker *worker, const struct attempt *attempt)
{
    int64_t deadline_ms = INT64_MAX;
    if (worker->runtimes[attempt->runtime].up) {
        deadline_ms = health_deadline_ms(&attempt->health);
    }
    deadline_ms = earlier(deadline_ms, attempt_max_run_deadline_ms(attempt));
    /* What was due when all were last driven waits for something else than time. */
    if (attempt->retry_mono_ms > worker->driven_ms) {
        deadline_ms = earlier(deadline_ms, attempt->retry_mono_ms);
    }
    if (!worker->link && attempt->job->held && attempt->state < ATTEMPT_STOPPING) {
        int64_t stop_after_ms = attempt->job->held->value.spec.disconnect.stop_after_ms;
        if (stop_after_ms != UNSET) {
            deadline_ms = earlier(deadline_ms, worker->offline_since_ms + stop_after_ms);
        }
    }
    return deadline_ms;
}

static int64_t find_deadline_ms(const struct worker *worker)
{
    int64_t deadline_ms = INT64_MAX;
    if (!worker->started || worker->holding) {
        return deadline_ms;
    }
    for (int kind = RUNTIME_DOCKER; kind < RUNTIME_KIND_COUNT; kind++) {
        const struct runtime_view *runtime = &worker->runtimes[kind];
        if (runtime->present && !runtime->listing) {
            deadline_ms = earlier(deadline_ms, runtime->list_due_ms);
        }
    }
    for (struct attempt *attempt = worker->attempts; attempt; attempt = attempt->hh.next) {
        deadline_ms = earlier(deadline_ms, attempt_deadline_ms(worker, attempt));
    }
    for (struct job *job = worker->jobs; job && worker->link; job = job->hh.next) {
        if (job->forget_mono_ms) {
            deadline_ms = earlier(deadline_ms, job->forget_mono_ms);
        }
    }
    return deadline_ms;
}

/* Nothing moves it but a step. */
int64_t worker_deadline_ms(struct worker *worker)
{
    if (worker->stepped) {
        worker->deadline_ms = find_deadline_ms(worker);
        worker->stepped = false;
    }
    return worker->deadline_ms;
}
