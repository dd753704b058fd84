/* The schedule of a job: its check, and its launches. */
#include "schema/cron.h"
#include "schema/job_spec.h"
#include "schema/limits.h"

#include <stdio.h>
#include <string.h>

enum { PATH_BYTES = 64, MINUTE_S = 60, HOUR_S = 3600, DAY_S = 86400 };

static void crons_check(const struct schedule *schedule, struct problems *problems)
{
    char path[PATH_BYTES];
    for (size_t i = 0; i < schedule->cron.count; i++) {
        struct cron cron;
        struct cron_problem problem;
        snprintf(path, sizeof(path), "/schedule/cron/%zu", i);
        if (cron_parse(schedule->cron.items[i], &cron, &problem))
            problems_add(problems, path, problem.hint, "%s (at character %zu)", problem.message,
                         problem.offset + 1);
    }
}

void schedule_check(const struct job_spec *spec, struct problems *problems)
{
    if (!spec->schedule)
        return;
    if (!job_type_ends(spec->type))
        problems_add(problems, "/schedule", "use type: batch or sysbatch",
                     "what is launched again has to end by itself");
    if (spec->parameters)
        problems_add(problems, "/schedule", "leave out one of the two",
                     "a job is either dispatched with parameters or launched by a schedule");
    if (spec->name && strlen(spec->name) > LIMIT_PARENT_LENGTH)
        problems_add(problems, "/name", "choose a shorter one: launches are named after it",
                     "the name of a job with a schedule has at most %d characters",
                     LIMIT_PARENT_LENGTH);
    crons_check(spec->schedule, problems);
}

int64_t schedule_next(const struct schedule *schedule, const struct timezone *zone, int64_t after_s)
{
    int64_t first = CRON_NEVER;
    for (size_t i = 0; i < schedule->cron.count; i++) {
        struct cron cron;
        struct cron_problem problem;
        if (cron_parse(schedule->cron.items[i], &cron, &problem))
            continue;
        int64_t next = cron_next(&cron, zone, after_s);
        first = next < first ? next : first;
    }
    return first;
}

/* The last one after `after_s`: each is gone through. */
static int64_t last_of(const struct schedule *schedule, const struct timezone *zone,
                       int64_t after_s, int64_t until_s)
{
    int64_t last = CRON_NEVER, next = schedule_next(schedule, zone, after_s);
    while (next <= until_s) {
        last = next;
        next = schedule_next(schedule, zone, next);
    }
    return last;
}

int64_t schedule_last_due(const struct schedule *schedule, const struct timezone *zone,
                          int64_t after_s, int64_t until_s)
{
    static const int64_t spans_s[] = {MINUTE_S, HOUR_S, DAY_S, (int64_t)31 * DAY_S};
    /* from the end, so that a long absence costs little */
    for (size_t i = 0; i < sizeof(spans_s) / sizeof(spans_s[0]); i++) {
        int64_t from_s = until_s - spans_s[i] > after_s ? until_s - spans_s[i] : after_s;
        int64_t last = last_of(schedule, zone, from_s, until_s);
        if (last != CRON_NEVER)
            return last;
    }
    return last_of(schedule, zone, after_s, until_s);
}
