/* A check is probed each `interval`; the first probe comes early, so that a task that is healthy at
 * once is known to be. Failures inside the grace are not counted, successes are. `retries` failures
 * in a row make the task unhealthy; it is healthy while the last result of every check was good. */
#include "worker/core/health.h"

#include "platform/base/mem.h"

#include <stdlib.h>

enum {
    FIRST_PROBE_MS = 1000,
    ANSWER_MARGIN_MS = 2000, /* beyond the check's own time-out, which the runtime keeps */
};

static const struct health_check *check_at(const struct task_spec *task, size_t index)
{
    return RECORD_AT(const struct health_check, task->health, index);
}

void health_start(struct health *health, const struct task_spec *task, enum health_state before,
                  int64_t mono_ms)
{
    health_release(health);
    if (!task->health.count) {
        return;
    }
    health->state = before == HEALTH_HEALTHY ? HEALTH_HEALTHY : HEALTH_UNKNOWN;
    health->count = task->health.count;
    health->probes = mem_resize(NULL, health->count, sizeof(*health->probes));
    health->started_ms = mono_ms;
    for (size_t i = 0; i < health->count; i++) {
        int64_t interval_ms = check_at(task, i)->interval_ms;
        int64_t first_ms = interval_ms < FIRST_PROBE_MS ? interval_ms : FIRST_PROBE_MS;
        health->probes[i] =
            (struct health_probe){.due_ms = mono_ms + first_ms, .passed = before == HEALTH_HEALTHY};
    }
}

void health_stop(struct health *health)
{
    free(health->probes);
    health->probes = NULL;
    health->count = 0;
}

void health_release(struct health *health)
{
    health_stop(health);
    *health = (struct health){0};
}

int health_next(struct health *health, const struct task_spec *task, int64_t mono_ms)
{
    for (size_t i = 0; i < health->count; i++) {
        struct health_probe *probe = &health->probes[i];
        if (!probe->answer_by_ms && probe->due_ms <= mono_ms) {
            const struct health_check *check = check_at(task, i);
            probe->answer_by_ms = mono_ms + check->timeout_ms + ANSWER_MARGIN_MS;
            probe->due_ms = mono_ms + check->interval_ms;
            return (int)i;
        }
    }
    return -1;
}

int health_overdue(const struct health *health, int64_t mono_ms)
{
    for (size_t i = 0; i < health->count; i++) {
        int64_t answer_by_ms = health->probes[i].answer_by_ms;
        if (answer_by_ms && answer_by_ms <= mono_ms) {
            return (int)i;
        }
    }
    return -1;
}

static bool all_passed(const struct health *health)
{
    for (size_t i = 0; i < health->count; i++) {
        if (!health->probes[i].passed) {
            return false;
        }
    }
    return true;
}

enum health_state health_result(struct health *health, const struct task_spec *task, size_t index,
                                bool healthy, int64_t mono_ms)
{
    if (index >= health->count) {
        return health->state;
    }
    const struct health_check *check = check_at(task, index);
    struct health_probe *probe = &health->probes[index];
    probe->answer_by_ms = 0;
    if (healthy) {
        probe->passed = true;
        probe->failures = 0;
    } else if (mono_ms >= health->started_ms + check->grace_ms) {
        probe->passed = false;
        probe->failures++;
    }
    if (probe->failures >= check->retries && probe->failures > 0) {
        health->state = HEALTH_UNHEALTHY;
    } else if (all_passed(health)) {
        health->state = HEALTH_HEALTHY;
    }
    return health->state;
}

int64_t health_deadline_ms(const struct health *health)
{
    int64_t deadline_ms = INT64_MAX;
    for (size_t i = 0; i < health->count; i++) {
        const struct health_probe *probe = &health->probes[i];
        int64_t at_ms = probe->answer_by_ms ? probe->answer_by_ms : probe->due_ms;
        deadline_ms = at_ms < deadline_ms ? at_ms : deadline_ms;
    }
    return deadline_ms;
}
