/* Filling in what a job left out: names, lists and the defaults that depend on the job's type. The
 * constant defaults are in the field table and have been filled in by decoding. */
#include "platform/base/err.h"
#include "schema/field_rows.h"
#include "schema/job_spec.h"
#include "schema/job_spec_text.h"

#include <stdio.h>
#include <string.h>

/* SEMANTICS sections 1, 2 and 4. */
struct type_defaults {
    int restart_policy;
    int64_t restart_attempts;
    int64_t restart_interval_ms;
    int64_t reschedule_attempts;
    int64_t reschedule_delay_ms;
    int reschedule_backoff;
    int64_t reschedule_unlimited;
    int64_t lost_after_ms;
    int64_t replace;
};

static const struct type_defaults defaults_by_type[] = {
    [JOB_SERVICE] = {RESTART_ALWAYS, 2, 30 * MINUTE_MS, 0, 30 * SECOND_MS, BACKOFF_EXPONENTIAL,
                     true, 10 * MINUTE_MS, true},
    [JOB_BATCH] = {RESTART_ON_FAILURE, 3, DAY_MS, 1, 5 * SECOND_MS, BACKOFF_CONSTANT, false, 0,
                   true},
    [JOB_SYSTEM] = {RESTART_ALWAYS, 2, 30 * MINUTE_MS, 0, 30 * SECOND_MS, BACKOFF_CONSTANT, false,
                    10 * MINUTE_MS, false},
    [JOB_SYSBATCH] = {RESTART_ON_FAILURE, 3, DAY_MS, 0, 5 * SECOND_MS, BACKOFF_CONSTANT, false, 0,
                      false},
};

#define RESTART_MAX_DELAY_MS    (5 * MINUTE_MS)
#define RESCHEDULE_MAX_DELAY_MS HOUR_MS

static void fill(int64_t *value, int64_t fallback)
{
    if (*value == UNSET)
        *value = fallback;
}

static void fill_word(int *value, int fallback)
{
    if (!*value)
        *value = fallback;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static void restart_normalise(struct restart_policy *restart, const struct type_defaults *defaults)
{
    fill_word(&restart->policy, defaults->restart_policy);
    fill(&restart->attempts, defaults->restart_attempts);
    fill(&restart->interval_ms, defaults->restart_interval_ms);
    fill(&restart->max_delay_ms, larger(RESTART_MAX_DELAY_MS, restart->delay_ms));
}

static void reschedule_normalise(struct reschedule_policy *reschedule,
                                 const struct type_defaults *defaults)
{
    fill(&reschedule->unlimited,
         reschedule->attempts == UNSET ? defaults->reschedule_unlimited : false);
    fill(&reschedule->attempts, defaults->reschedule_attempts);
    fill(&reschedule->delay_ms, defaults->reschedule_delay_ms);
    fill_word(&reschedule->backoff, defaults->reschedule_backoff);
    fill(&reschedule->max_delay_ms, larger(RESCHEDULE_MAX_DELAY_MS, reschedule->delay_ms));
}

/* "80/tcp" and "80" are one port: the shorter is kept, so that equal jobs are equal. */
static int ports_normalise(struct string_list *ports, struct arena *arena)
{
    for (size_t i = 0; i < ports->count; i++) {
        size_t length = strlen(ports->items[i]);
        if (length < 4 || strcmp(ports->items[i] + length - 4, "/tcp"))
            continue;
        const char *port = arena_strndup(arena, ports->items[i], length - 4);
        if (!port)
            return -ERR_NO_MEMORY;
        ports->items[i] = port;
    }
    return 0;
}

static void stop_normalise(struct stop_policy *stop)
{
    const char *name = signal_name(stop->signal ? stop->signal : "SIGTERM");
    if (name)
        stop->signal = name;
}

static int task_normalise(struct task_spec *task, const char *job,
                          const struct type_defaults *defaults, struct arena *arena)
{
    if (!task->name)
        task->name = job;
    restart_normalise(&task->restart, defaults);
    stop_normalise(&task->stop);
    return ports_normalise(&task->ports, arena);
}

static int datacenters_normalise(struct string_list *datacenters, struct arena *arena)
{
    if (datacenters->count)
        return 0;
    datacenters->items = arena_array(arena, 1, sizeof *datacenters->items);
    if (!datacenters->items)
        return -ERR_NO_MEMORY;
    datacenters->items[0] = "*";
    datacenters->count = 1;
    return 0;
}

static int schedule_normalise(const struct schedule **schedule, struct arena *arena)
{
    if (!*schedule || (*schedule)->timezone)
        return 0;
    struct schedule *filled = arena_alloc(arena, sizeof *filled);
    if (!filled)
        return -ERR_NO_MEMORY;
    *filled = **schedule;
    filled->timezone = "UTC";
    *schedule = filled;
    return 0;
}

int job_spec_normalise(struct job_spec *spec, const char *name, struct arena *arena)
{
    fill_word(&spec->type, JOB_SERVICE);
    const struct type_defaults *defaults = &defaults_by_type[spec->type];
    if (!spec->name)
        spec->name = name;
    reschedule_normalise(&spec->reschedule, defaults);
    fill(&spec->disconnect.lost_after_ms, defaults->lost_after_ms);
    fill(&spec->disconnect.replace, defaults->replace);
    int result = datacenters_normalise(&spec->datacenters, arena);
    if (!result)
        result = schedule_normalise(&spec->schedule, arena);
    for (size_t i = 0; i < spec->tasks.count && !result; i++)
        result = task_normalise(RECORD_AT(struct task_spec, spec->tasks, i), spec->name, defaults,
                                arena);
    return result;
}
