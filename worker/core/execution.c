/* What runtimes report, brought together with what we think of the attempt.
 *
 * Reports name an execution (attempt, run). A smaller run than the attempt's is a leftover; a
 * larger one is taken over (our store was older). For the present run, the state machine:
 *
 *               ┌──────────── FAILED, EXITED: restart policy, next run ◄──────────────┐
 *               ▼                                                                      │
 *   scheduled ──► preparing ──► starting ──► running ──(told to end)──► stopping ──► final
 *        │            PREPARING   STARTING    RUNNING                     │  EXITED, GONE, FAILED
 *        └── also straight to any later state: an execution that is found, is adopted
 *
 * Level-triggered: a list reports everything again, and what a complete list lacks has vanished.
 * While an engine does not answer, nothing is decided. */
#include "worker/core/worker_state.h"

#include "platform/base/text.h"

#include <string.h>
#include <utlist.h>

/* What a report means to an attempt. */
enum signal {
    SIGNAL_PREPARING,
    SIGNAL_STARTING,
    SIGNAL_RUNNING,
    SIGNAL_EXITED,
    SIGNAL_FAILED,
    SIGNAL_GONE, /* also: a complete list lacks it */
    SIGNAL_COUNT
};

typedef void attempt_handler(struct step *step, struct attempt *attempt,
                             const struct runtime_event *event);

/* ---- handlers ---- */

static void copy_execution(struct attempt *attempt, const struct runtime_event *event)
{
    if (event->execution_id) {
        text_copy(attempt->execution, sizeof(attempt->execution), event->execution_id);
    }
    if (event->address) {
        text_copy(attempt->address, sizeof(attempt->address), event->address);
    }
    if (event->started_ms) {
        attempt->started_ms = event->started_ms;
    }
}

static bool copy_ports(struct attempt *attempt, const struct runtime_event *event)
{
    struct bound_port ports[PORTS_MAX];
    size_t count = event->port_count < PORTS_MAX ? event->port_count : PORTS_MAX;
    bool changed = count != attempt->port_count;
    for (size_t i = 0; i < count; i++) {
        ports[i] = (struct bound_port){.port = event->ports[i].container,
                                       .host = event->ports[i].host,
                                       .udp = event->ports[i].udp};
        changed = changed || ports[i].port != attempt->ports[i].port ||
                  ports[i].host != attempt->ports[i].host || ports[i].udp != attempt->ports[i].udp;
    }
    if (changed) {
        attempt_set_ports(attempt, ports, count);
    }
    return changed;
}

static void on_preparing(struct step *step, struct attempt *attempt,
                         const struct runtime_event *event)
{
    enum attempt_state state =
        attempt->state == ATTEMPT_STARTING ? ATTEMPT_STARTING : ATTEMPT_PREPARING;
    bool same = attempt->state == state && attempt->reason == REASON_PULLING_IMAGE;
    if (same && step->now.mono_ms - attempt->progress_mono_ms < PROGRESS_INTERVAL_MS) {
        return;
    }
    attempt->progress_mono_ms = step->now.mono_ms;
    attempt_set_state(step, attempt, state, attempt->run, REASON_PULLING_IMAGE, event->message);
}

static void on_starting(struct step *step, struct attempt *attempt,
                        const struct runtime_event *event)
{
    if (attempt->state != ATTEMPT_STARTING || attempt->reason) {
        attempt_set_state(step, attempt, ATTEMPT_STARTING, attempt->run, REASON_NONE,
                          event->message);
    }
}

static void on_running(struct step *step, struct attempt *attempt,
                       const struct runtime_event *event)
{
    attempt->in_flight = false;
    attempt->retry_ms = attempt->retry_mono_ms = 0;
    copy_execution(attempt, event);
    copy_ports(attempt, event);
    if (!attempt->started_ms) {
        attempt->started_ms = step->now.wall_ms;
    }
    attempt->exit_code = UNSET;
    attempt->finished_ms = 0;
    attempt_note_began(step, attempt);
    attempt_set_state(step, attempt, ATTEMPT_RUNNING, attempt->run, REASON_NONE, NULL);
    attempt_checks_start(step, attempt, 0);
    if (attempt->kept_run) {
        attempt_remove_run(step, attempt, attempt->kept_run);
        attempt->kept_run = 0;
    }
}

/* Known to run and found again; after a start of ours this is the adoption. */
static void on_still_running(struct step *step, struct attempt *attempt,
                             const struct runtime_event *event)
{
    char execution[sizeof(attempt->execution)];
    memcpy(execution, attempt->execution, sizeof(execution));
    copy_execution(attempt, event);
    if (copy_ports(attempt, event) || strcmp(execution, attempt->execution) != 0) {
        attempt_touch(step, attempt);
    }
    if (!attempt->running_mono_ms) {
        attempt_note_began(step, attempt);
        attempt_checks_start(step, attempt, attempt->health.state);
    }
    if (attempt->ending != ENDING_NONE) {
        attempt_send_stop(step, attempt);
    }
}

static int64_t ran_ms(const struct step *step, const struct attempt *attempt,
                      const struct runtime_event *event)
{
    if (event->started_ms && event->finished_ms) {
        return event->finished_ms - event->started_ms;
    }
    return attempt->running_mono_ms ? step->now.mono_ms - attempt->running_mono_ms : 0;
}

/* Why we told it to end; REASON_NONE: we did not. */
static enum reason ending_reason(const struct attempt *attempt)
{
    return attempt->ending == ENDING_UNHEALTHY ? REASON_UNHEALTHY
           : attempt->ending == ENDING_MAX_RUN ? REASON_MAX_RUN
                                               : REASON_NONE;
}

static enum reason exit_reason(const struct step *step, const struct attempt *attempt,
                               const struct runtime_event *event)
{
    if (ending_reason(attempt)) {
        return ending_reason(attempt);
    }
    if (event->oom_killed) {
        return REASON_OOM_KILLED;
    }
    if (attempt->awaits_list && step->worker->rebooted) {
        return REASON_NODE_REBOOTED;
    }
    return event->reason ? (enum reason)event->reason : REASON_EXITED;
}

static void on_exited(struct step *step, struct attempt *attempt, const struct runtime_event *event)
{
    copy_execution(attempt, event);
    struct ending ending = {
        .exit_code = event->exit_code,
        .reason = exit_reason(step, attempt, event),
        .ran_ms = ran_ms(step, attempt, event),
        .finished_ms = event->finished_ms,
        .message = event->message,
    };
    attempt_end(step, attempt, &ending);
}

static void on_failed(struct step *step, struct attempt *attempt, const struct runtime_event *event)
{
    if (event->reason == REASON_ENGINE_DOWN) {
        attempt->in_flight = false; /* not the task's fault: again when the engine is up */
        return;
    }
    struct ending ending = {
        .exit_code = UNSET,
        .reason = event->reason ? (enum reason)event->reason : REASON_START_FAILED,
        .start_error = true,
        .message = event->message,
    };
    attempt_end(step, attempt, &ending);
}

/* It ran, and now there is no trace of it: its exit code is unknown, which is no success. */
static void on_vanished(struct step *step, struct attempt *attempt,
                        const struct runtime_event *event)
{
    (void)event;
    bool rebooted = attempt->awaits_list && step->worker->rebooted;
    struct ending ending = {
        .exit_code = UNSET,
        .reason = rebooted ? REASON_NODE_REBOOTED : REASON_VANISHED,
        .ran_ms = attempt->running_mono_ms ? step->now.mono_ms - attempt->running_mono_ms : 0,
    };
    if (ending_reason(attempt)) {
        ending.reason = ending_reason(attempt);
    }
    attempt_end(step, attempt, &ending);
}

/* Told to end and still there: the order may have been lost with the engine. */
static void on_stop_again(struct step *step, struct attempt *attempt,
                          const struct runtime_event *event)
{
    copy_execution(attempt, event);
    attempt_send_stop(step, attempt);
}

static void on_stray(struct step *step, struct attempt *attempt, const struct runtime_event *event)
{
    attempt_stop_run(step, attempt, event->run);
}

static void on_nothing(struct step *step, struct attempt *attempt,
                       const struct runtime_event *event)
{
    (void)step;
    (void)attempt;
    (void)event;
}

/* ---- the table ---- */

struct state_row {
    enum attempt_state state;
    attempt_handler *on[SIGNAL_COUNT];
};

/* clang-format off */
static const struct state_row state_rows[] = {
    /*                     PREPARING     STARTING     RUNNING           EXITED      FAILED      GONE */
    {ATTEMPT_SCHEDULED, {on_preparing, on_starting, on_running,       on_exited,  on_failed,  on_nothing}},
    {ATTEMPT_PREPARING, {on_preparing, on_starting, on_running,       on_exited,  on_failed,  on_nothing}},
    {ATTEMPT_STARTING,  {on_preparing, on_starting, on_running,       on_exited,  on_failed,  on_nothing}},
    {ATTEMPT_RUNNING,   {on_nothing,   on_nothing,  on_still_running, on_exited,  on_failed,  on_vanished}},
    {ATTEMPT_STOPPING,  {on_nothing,   on_nothing,  on_stop_again,    on_exited,  on_vanished, on_vanished}},
};
static const struct state_row final_row =
    {ATTEMPT_NONE,      {on_stray,     on_stray,    on_stray,         on_nothing, on_nothing, on_nothing}};
/* clang-format on */

static void attempt_signal(struct step *step, struct attempt *attempt, enum signal signal,
                           const struct runtime_event *event)
{
    const struct state_row *row = &final_row;
    for (size_t i = 0; i < sizeof(state_rows) / sizeof(state_rows[0]); i++) {
        if (state_rows[i].state == attempt->state) {
            row = &state_rows[i];
        }
    }
    row->on[signal](step, attempt, event);
}

/* ---- which attempt is meant ---- */

static bool has_present_execution(const struct attempt *attempt)
{
    return attempt->state >= ATTEMPT_RUNNING;
}

/* A leftover of an earlier run: ended, it is kept for its logs until the present run is there. */
static void older_run(struct step *step, struct attempt *attempt, const struct runtime_event *event)
{
    if (event->kind == RUNTIME_RUNNING) {
        attempt_stop_run(step, attempt, event->run);
    } else if (event->kind == RUNTIME_EXITED && has_present_execution(attempt)) {
        attempt_remove_run(step, attempt, event->run);
    } else if (event->kind == RUNTIME_EXITED) {
        attempt->kept_run = event->run;
    }
}

/* A later run than we know of: of two the newest stays. */
static void newer_run(struct step *step, struct attempt *attempt, const struct runtime_event *event)
{
    if (attempt->state == ATTEMPT_RUNNING) {
        attempt_stop_run(step, attempt, attempt->run);
    }
    attempt_set_state(step, attempt, ATTEMPT_STARTING, event->run, REASON_NONE, NULL);
}

static bool is_execution(const struct runtime_event *event)
{
    return event->kind == RUNTIME_RUNNING || event->kind == RUNTIME_EXITED;
}

/* Its attempt was forgotten before it could be removed (a full disk, a death in between). */
static void remove_leftover(struct step *step, enum runtime_kind runtime, const char *job,
                            const struct runtime_event *event)
{
    struct effect *effect = effects_add(step->effects, EFFECT_REMOVE);
    effect->runtime = runtime;
    effect->run = event->run;
    text_copy(effect->task_id, sizeof(effect->task_id), event->task_id);
    text_copy(effect->job, sizeof(effect->job), job);
}

/* An execution with our labels of which no document speaks. */
static struct attempt *unknown_execution(struct step *step, enum runtime_kind runtime,
                                         const struct runtime_event *event)
{
    struct attempt_name name;
    if (!is_execution(event) || !attempt_name_parse(event->task_id, &name)) {
        return NULL;
    }
    if (event->kind == RUNTIME_EXITED && job_is_settled(step->worker, name.job)) {
        remove_leftover(step, runtime, name.job, event);
        return NULL;
    }
    struct job *job = worker_job_obtain(step->worker, name.job);
    struct attempt *attempt = worker_attempt_new(step->worker, job, event->task_id);
    if (attempt) {
        attempt->runtime = runtime;
        attempt->run = event->run;
        attempt_touch(step, attempt);
    }
    return attempt;
}

static const enum signal signal_of_kind[] = {
    [RUNTIME_PREPARING] = SIGNAL_PREPARING, [RUNTIME_STARTING] = SIGNAL_STARTING,
    [RUNTIME_RUNNING] = SIGNAL_RUNNING,     [RUNTIME_EXITED] = SIGNAL_EXITED,
    [RUNTIME_FAILED] = SIGNAL_FAILED,       [RUNTIME_GONE] = SIGNAL_GONE,
};

/* Of our cluster, as far as its label says. Until ours is known nothing is adopted: it runs on, and
 * the next list reports it again. */
static bool is_ours(const struct worker *worker, const struct runtime_event *event)
{
    return worker->cluster[0] &&
           (!event->cluster || !event->cluster[0] || !strcmp(event->cluster, worker->cluster));
}

static void on_execution(struct step *step, enum runtime_kind runtime,
                         const struct runtime_event *event)
{
    if (!is_ours(step->worker, event)) {
        return;
    }
    struct attempt *attempt = worker_attempt_find(step->worker, event->task_id);
    if (!attempt && !(attempt = unknown_execution(step, runtime, event))) {
        return;
    }
    if (is_execution(event)) {
        attempt->runtime = runtime;
    }
    if (event->run < attempt->run) {
        older_run(step, attempt, event);
        return;
    }
    if (event->run > attempt->run && !attempt_state_is_final(attempt->state)) {
        if (!is_execution(event)) {
            return;
        }
        newer_run(step, attempt, event);
    }
    if (is_execution(event)) {
        attempt->list_seen = step->worker->runtimes[runtime].list_number;
    }
    if (event->kind == RUNTIME_HEALTH) {
        attempt_on_health(step, attempt, event);
    } else {
        attempt_signal(step, attempt, signal_of_kind[event->kind], event);
    }
    attempt_drive_alone(step, attempt);
}

/* ---- lists and engines ---- */

static const struct runtime_event nothing_reported = {.kind = RUNTIME_GONE};

static void on_listed(struct step *step, enum runtime_kind kind)
{
    struct worker *worker = step->worker;
    struct runtime_view *runtime = &worker->runtimes[kind];
    runtime->up = runtime->listed = true;
    runtime->down = runtime->listing = false;
    struct attempt *attempt, *next;
    HASH_ITER(hh, worker->attempts, attempt, next)
    {
        if (attempt->runtime != kind) {
            continue;
        }
        if (attempt->list_seen != runtime->list_number && !attempt->in_flight) {
            attempt_signal(step, attempt, SIGNAL_GONE, &nothing_reported);
        }
        attempt->awaits_list = false;
    }
    worker_drive(step);
}

/* What was given to the engine is forgotten: the list after it is back tells what became of it. */
static void on_engine_down(struct step *step, enum runtime_kind kind)
{
    struct runtime_view *runtime = &step->worker->runtimes[kind];
    if (runtime->up) {
        effects_event(step->effects, "engine_down", REASON_ENGINE_DOWN, NULL, NULL,
                      "the engine does not answer; its tasks are left as they are");
    }
    runtime->up = runtime->listed = runtime->listing = false;
    runtime->down = true;
    struct attempt *attempt, *next;
    HASH_ITER(hh, step->worker->attempts, attempt, next)
    {
        if (attempt->runtime == kind) {
            attempt->awaits_list = attempt->awaits_list || attempt->in_flight;
            attempt->in_flight = attempt->stop_sent = false;
        }
    }
    worker_drive(step);
}

void hear_execution(struct step *step, struct worker_event *event)
{
    switch (event->execution->kind) {
    case RUNTIME_UP:
        step->worker->runtimes[event->runtime].up = true;
        step->worker->runtimes[event->runtime].down = false;
        runtime_request_list(step, event->runtime);
        break;
    case RUNTIME_DOWN:
        on_engine_down(step, event->runtime);
        break;
    case RUNTIME_LISTED:
        on_listed(step, event->runtime);
        break;
    case RUNTIME_PREPARING:
    case RUNTIME_STARTING:
    case RUNTIME_RUNNING:
    case RUNTIME_EXITED:
    case RUNTIME_FAILED:
    case RUNTIME_GONE:
    case RUNTIME_HEALTH:
        on_execution(step, event->runtime, event->execution);
        break;
    }
}
