/* Cron expressions: when a scheduled job is launched.
 *
 *   [second] minute hour day-of-month month day-of-week
 *
 *   *   1-5   1,15,30   * /15 (without the space)   10-50/20   JAN-DEC   SUN-SAT (0 and 7 are
 * Sunday)
 *   @yearly @annually @monthly @weekly @daily @midnight @hourly
 *
 * Five fields begin at second 0. When day-of-month and day-of-week are both restricted, either may
 * match, as in Vixie cron: a field that begins with * is not restricted. Pure; time zones are
 * schema/timezone.h's. */
#ifndef ARGOSY_SCHEMA_CRON_H
#define ARGOSY_SCHEMA_CRON_H

#include "schema/timezone.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A bit for each value that matches. */
struct cron {
    uint64_t seconds, minutes;
    uint64_t hours;
    uint64_t days;     /* 1 to 31 */
    uint64_t months;   /* 1 to 12 */
    uint64_t weekdays; /* 0 to 6, Sunday is 0 */
    bool any_day;      /* day-of-month begins with * */
    bool any_weekday;
};

enum { CRON_MESSAGE_LENGTH = 160, CRON_TEXT_MAX = 200 };

struct cron_problem {
    size_t offset; /* in bytes, of what is wrong */
    char message[CRON_MESSAGE_LENGTH];
    char hint[CRON_MESSAGE_LENGTH];
};

/* Also refuses what never comes, such as 30 February. -ERR_INVALID fills in `ret_problem`. */
int cron_parse(const char *text, struct cron *ret_cron, struct cron_problem *ret_problem);

/* The first launch after an instant, both in seconds since 1970. A local time that the clocks skip
 * has no launch, one that they repeat has one, the first. CRON_NEVER: none for CRON_YEARS years. */
#define CRON_NEVER INT64_MAX
enum { CRON_YEARS = 12 /* 29 February is at most eight years away */ };
int64_t cron_next(const struct cron *cron, const struct timezone *zone, int64_t after_s);

#endif
