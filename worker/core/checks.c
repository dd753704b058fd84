/* Health checks of attempts: probes out, results in. A task that is unhealthy is ended, and its
 * ending goes through the restart policy with reason `unhealthy`. */
#include "worker/core/worker_state.h"

#include <string.h>

void attempt_checks_start(struct step *step, struct attempt *attempt, enum health_state before)
{
    if (attempt->task && attempt->state == ATTEMPT_RUNNING) {
        health_start(&attempt->health, attempt->task, before, step->now.mono_ms);
    }
}

static void count_result(struct step *step, struct attempt *attempt, size_t index, bool healthy,
                         const char *message)
{
    enum health_state before = attempt->health.state;
    enum health_state after =
        health_result(&attempt->health, attempt->task, index, healthy, step->now.mono_ms);
    if (after == before) {
        return;
    }
    if (after == HEALTH_UNHEALTHY) {
        attempt->ending = ENDING_UNHEALTHY;
        attempt->reason = REASON_UNHEALTHY;
        attempt_message(attempt, message ? message : reason_text(REASON_UNHEALTHY));
        health_stop(&attempt->health);
        attempt_send_stop(step, attempt);
        effects_event(step->effects, "task_unhealthy", REASON_UNHEALTHY, attempt->job->name,
                      attempt->id, "%s", attempt->message ? attempt->message : "");
    }
    attempt_touch(step, attempt);
}

void attempt_on_health(struct step *step, struct attempt *attempt,
                       const struct runtime_event *event)
{
    bool expected = attempt->state == ATTEMPT_RUNNING && attempt->task && event->health_index >= 0;
    if (expected) {
        count_result(step, attempt, (size_t)event->health_index, event->healthy, event->message);
    }
}

void attempt_checks_timer(struct step *step, struct attempt *attempt)
{
    /* A down engine says nothing about the task. */
    if (!attempt->task || !step->worker->runtimes[attempt->runtime].up) {
        return;
    }
    int index;
    while ((index = health_overdue(&attempt->health, step->now.mono_ms)) >= 0) {
        count_result(step, attempt, (size_t)index, false, "a health check did not end in time");
    }
    while ((index = health_next(&attempt->health, attempt->task, step->now.mono_ms)) >= 0) {
        struct effect *effect = effects_add(step->effects, EFFECT_PROBE);
        effect->runtime = attempt->runtime;
        memcpy(effect->task_id, attempt->id, sizeof(effect->task_id));
        memcpy(effect->job, attempt->job->name, sizeof(effect->job));
        effect->run = attempt->run;
        effect->health_index = index;
    }
}
