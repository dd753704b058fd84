/* The worker's core: its life, and the table of its events. */
#include "worker/core/worker.h"

#include "platform/base/mem.h"
#include "platform/base/text.h"
#include "worker/core/worker_state.h"

#include <stdlib.h>

void held_assignment_free(struct held_assignment *held)
{
    if (held) {
        arena_release(&held->arena);
        free(held->heard);
        free(held);
    }
}

void held_desired_free(struct held_desired *held)
{
    if (held) {
        arena_release(&held->arena);
        free(held);
    }
}

struct worker *worker_new(const struct worker_config *config)
{
    struct worker *worker = mem_alloc(sizeof(*worker));
    text_copy(worker->node, sizeof(worker->node), config->node);
    text_copy(worker->cluster, sizeof(worker->cluster), config->cluster);
    worker->term = config->term;
    worker->seq = config->seq;
    worker->stored_offline_ms = config->offline_ms;
    worker->holding = config->empty_store;
    worker->rebooted = config->rebooted;
    worker->deadline_ms = INT64_MAX; /* before it is started */
    worker->interval_ms = worker->own_interval_ms = config->interval_ms;
    prng_init(&worker->prng, config->seed);
    for (int kind = RUNTIME_DOCKER; kind < RUNTIME_KIND_COUNT; kind++) {
        worker->runtimes[kind].present = config->runtimes[kind];
    }
    return worker;
}

void worker_free(struct worker *worker)
{
    if (!worker) {
        return;
    }
    struct job *job, *next;
    HASH_ITER(hh, worker->jobs, job, next)
    {
        worker_job_free(worker, job);
    }
    held_desired_free(worker->desired);
    free(worker);
}

/* ---- events ---- */

static void lists_request(struct step *step)
{
    for (int kind = RUNTIME_DOCKER; kind < RUNTIME_KIND_COUNT; kind++) {
        runtime_request_list(step, (enum runtime_kind)kind);
    }
}

static void on_start(struct step *step, struct worker_event *event)
{
    (void)event;
    struct worker *worker = step->worker;
    worker->started = true;
    worker->offline_since_ms = step->now.mono_ms;
    /* stop_after is a fence: a restart of the worker must not prolong it. */
    if (worker->stored_offline_ms && worker->stored_offline_ms < step->now.wall_ms) {
        worker->offline_since_ms -= step->now.wall_ms - worker->stored_offline_ms;
    }
    lists_request(step);
    worker_drive(step);
}

static void on_link_up(struct step *step, struct worker_event *event)
{
    (void)event;
    step->worker->link = true;
    /* A tombstone that was told to nobody is told again, and cleared after that. */
    for (struct job *job = step->worker->jobs; job; job = job->hh.next) {
        if (job->forget_mono_ms) {
            job->forget_mono_ms = step->now.mono_ms + TOMBSTONE_KEPT_MS;
        }
    }
}

static void on_link_lost(struct step *step, struct worker_event *event)
{
    (void)event;
    step->worker->link = step->worker->whole = step->worker->leading = false;
    step->worker->offline_since_ms = step->now.mono_ms;
}

static void on_picture_whole(struct step *step, struct worker_event *event)
{
    (void)event;
    step->worker->whole = true;
    if (step->worker->holding) {
        step->worker->holding = false;
        lists_request(step);
    }
    worker_drive(step);
}

static void on_timer(struct step *step, struct worker_event *event)
{
    (void)event;
    worker_timers(step);
}

typedef void event_handler(struct step *step, struct worker_event *event);

static event_handler *const event_handlers[WORKER_EVENT_COUNT] = {
    [WORKER_START] = on_start,
    [WORKER_ASSIGNMENT] = hear_assignment,
    [WORKER_DESIRED] = hear_desired,
    [WORKER_OWN_STATE] = hear_own_state,
    [WORKER_MANAGER_STATUS] = hear_manager,
    [WORKER_RUNTIME] = hear_execution,
    [WORKER_LINK_UP] = on_link_up,
    [WORKER_LINK_LOST] = on_link_lost,
    [WORKER_PICTURE_WHOLE] = on_picture_whole,
    [WORKER_TIMER] = on_timer,
};

void worker_step(struct worker *worker, struct worker_event *event, struct now now,
                 struct effects *effects)
{
    ASSERT(event->kind >= 0 && event->kind < WORKER_EVENT_COUNT);
    struct step step = {.worker = worker, .now = now, .effects = effects};
    worker->stepped = true;
    event_handlers[event->kind](&step, event);
    lists_issue(&step);
}
