/* Jobs and attempts of this node, and the one place where an attempt's state changes. */
#include "worker/core/worker_state.h"

#include "platform/base/mem.h"
#include "platform/base/text.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

struct job *worker_job_find(const struct worker *worker, const char *name)
{
    struct job *job = NULL;
    HASH_FIND_STR(worker->jobs, name, job);
    return job;
}

struct job *worker_job_obtain(struct worker *worker, const char *name)
{
    struct job *job = worker_job_find(worker, name);
    if (!job) {
        job = mem_alloc(sizeof(*job));
        text_copy(job->name, sizeof(job->name), name);
        HASH_ADD_STR(worker->jobs, name, job);
    }
    return job;
}

void worker_job_free(struct worker *worker, struct job *job)
{
    struct attempt *attempt, *next;
    DL_FOREACH_SAFE(job->attempts, attempt, next)
    {
        worker_attempt_free(worker, attempt);
    }
    HASH_DEL(worker->jobs, job);
    held_assignment_free(job->held);
    free(job);
}

struct attempt *worker_attempt_find(const struct worker *worker, const char *id)
{
    struct attempt *attempt = NULL;
    HASH_FIND_STR(worker->attempts, id, attempt);
    return attempt;
}

/* Until its specification or its execution says which one: one whose list will come. */
static enum runtime_kind some_runtime(const struct worker *worker)
{
    for (int kind = RUNTIME_DOCKER; kind < RUNTIME_KIND_COUNT; kind++) {
        if (worker->runtimes[kind].present) {
            return (enum runtime_kind)kind;
        }
    }
    return RUNTIME_DOCKER;
}

struct attempt *worker_attempt_new(struct worker *worker, struct job *job, const char *id)
{
    struct attempt_name name;
    if (!attempt_name_parse(id, &name) || strcmp(name.job, job->name) != 0 ||
        HASH_COUNT(worker->attempts) >= LIMIT_ATTEMPTS_PER_NODE) {
        return NULL;
    }
    struct attempt *attempt = mem_alloc(sizeof(*attempt));
    text_copy(attempt->id, sizeof(attempt->id), id);
    attempt->job = job;
    attempt->desired = DESIRED_RUN;
    attempt->state = ATTEMPT_SCHEDULED;
    attempt->runtime = some_runtime(worker);
    attempt->awaits_list = !worker->started || worker->holding;
    attempt->run = 1;
    attempt->exit_code = UNSET;
    HASH_ADD_STR(worker->attempts, id, attempt);
    DL_APPEND(job->attempts, attempt);
    return attempt;
}

void worker_attempt_free(struct worker *worker, struct attempt *attempt)
{
    HASH_DEL(worker->attempts, attempt);
    DL_DELETE(attempt->job->attempts, attempt);
    health_release(&attempt->health);
    free(attempt->message);
    free(attempt->ports);
    free(attempt);
}

void attempt_touch(struct step *step, struct attempt *attempt)
{
    attempt->seq++;
    attempt->changed_ms = step->now.wall_ms;
    effects_mark(step->effects, attempt->job->name, MARK_STATE);
}

void attempt_message(struct attempt *attempt, const char *message)
{
    char *old = attempt->message; /* which `message` may be */
    attempt->message = NULL;
    if (message && message[0]) {
        size_t size = strnlen(message, LIMIT_MESSAGE_LENGTH) + 1;
        attempt->message = mem_alloc(size);
        text_copy(attempt->message, size, message);
    }
    free(old);
}

void attempt_set_ports(struct attempt *attempt, const struct bound_port *ports, size_t count)
{
    attempt->port_count = count;
    if (count) {
        attempt->ports = mem_resize(attempt->ports, count, sizeof(*ports));
        memcpy(attempt->ports, ports, count * sizeof(*ports));
    }
}

/* A new run knows nothing yet of where it answers. */
static void run_begin(struct attempt *attempt, int64_t run)
{
    attempt->run = run;
    attempt->list_seen = 0;
    attempt->port_count = 0;
    attempt->execution[0] = attempt->address[0] = '\0';
    attempt->started_ms = attempt->running_mono_ms = 0;
    attempt->in_flight = attempt->stop_sent = false;
    attempt->ending = ENDING_NONE;
    attempt->health.state = attempt->health.state ? HEALTH_UNKNOWN : 0;
}

void attempt_set_state(struct step *step, struct attempt *attempt, enum attempt_state state,
                       int64_t run, enum reason reason, const char *message)
{
    bool next_run = run > attempt->run;
    ASSERT(run >= attempt->run);
    ASSERT(attempt_state_may_follow(attempt->state, state, next_run));
    if (next_run) {
        run_begin(attempt, run);
    }
    if (state != ATTEMPT_RUNNING) {
        health_stop(&attempt->health);
    }
    if (attempt_state_is_final(state)) {
        attempt->in_flight = false;
        attempt->retry_ms = attempt->retry_mono_ms = 0;
    }
    attempt->state = state;
    attempt->observed = true;
    attempt->reason = reason;
    attempt_message(attempt, message);
    attempt_touch(step, attempt);
}

void attempt_limit_wait(struct step *step, struct attempt *attempt)
{
    if (attempt->task) {
        int64_t latest_ms = step->now.mono_ms + restart_delay_max_ms(&attempt->task->restart);
        bool jumped = attempt->retry_mono_ms > latest_ms;
        attempt->retry_mono_ms = jumped ? latest_ms : attempt->retry_mono_ms;
    }
}

/* The memory of the restart policy, with the wait brought to this process's monotonic clock. */
static void recall_policy(struct step *step, struct attempt *attempt,
                          const struct observed_attempt *observed)
{
    attempt->restart = (struct restart_memory){
        .window_ms = observed->window_ms,
        .window_restarts = observed->window_restarts,
        .backoff_step = observed->backoff_step,
    };
    attempt->retry_ms = observed->retry_ms;
    int64_t wait_ms = observed->retry_ms ? observed->retry_ms - step->now.wall_ms : 0;
    attempt->retry_mono_ms = wait_ms > 0 ? step->now.mono_ms + wait_ms : 0;
    attempt_limit_wait(step, attempt);
}

static void recall_ports(struct attempt *attempt, const struct observed_attempt *observed)
{
    size_t count = observed->ports.count < PORTS_MAX ? observed->ports.count : PORTS_MAX;
    attempt_set_ports(attempt, observed->ports.items, count);
}

static int order_compare(const struct observed_attempt *a, const struct attempt *b)
{
    struct attempt_order left = {a->run, (enum attempt_state)a->state, a->seq};
    struct attempt_order right = {b->run, b->state, b->seq};
    return attempt_order_compare(&left, &right);
}

/* The manager's `lost` is a verdict on our silence and no observation: an emptied worker goes by
 * it, until it hears a word of its own. */
static bool is_newer(const struct observed_attempt *observed, const struct attempt *attempt)
{
    if (attempt->state == ATTEMPT_LOST && !attempt->observed) {
        return observed->run >= attempt->run;
    }
    return order_compare(observed, attempt) > 0;
}

void attempt_recall(struct step *step, struct attempt *attempt,
                    const struct observed_attempt *observed)
{
    if (observed->state < ATTEMPT_SCHEDULED || !is_newer(observed, attempt)) {
        return;
    }
    attempt->state = (enum attempt_state)observed->state;
    attempt->version = observed->version;
    attempt->run = observed->run > 0 ? observed->run : 1;
    attempt->restarts = observed->restarts;
    attempt->seq = observed->seq;
    attempt->exit_code = observed->exit_code;
    attempt->reason = (enum reason)observed->reason;
    attempt_message(attempt, observed->message);
    attempt->health.state = (enum health_state)observed->health;
    recall_ports(attempt, observed);
    text_copy(attempt->execution, sizeof(attempt->execution), observed->execution);
    text_copy(attempt->address, sizeof(attempt->address), observed->address);
    attempt->changed_ms = observed->changed_ms;
    attempt->started_ms = observed->started_ms;
    attempt->finished_ms = observed->finished_ms;
    recall_policy(step, attempt, observed);
    if (attempt->state == ATTEMPT_RUNNING && attempt->reason == REASON_MAX_RUN) {
        attempt->ending = ENDING_MAX_RUN;
    }
    effects_mark(step->effects, attempt->job->name, MARK_STATE);
}
