/* Time zones: when local clocks are how far from UTC. Pure: the bytes of a compiled zone file
 * (TZif, RFC 8536) come from an adapter. */
#ifndef ARGOSY_SCHEMA_TIMEZONE_H
#define ARGOSY_SCHEMA_TIMEZONE_H

#include "platform/base/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A moment of the year at which clocks change: "M10.5.0/3", "J60", "300/-1". */
struct timezone_rule {
    char kind;   /* 'M' month, week, weekday; 'J' day without 29 February; 'N' day from 0 on */
    int64_t day; /* of J and N */
    int64_t month, week, weekday;
    int64_t time_s; /* local time of the change */
};

/* The rule after the last transition: "CET-1CEST,M3.5.0,M10.5.0/3". */
struct timezone_footer {
    int64_t standard_s, summer_s; /* east of UTC */
    bool has_summer;
    struct timezone_rule begins, ends; /* summer time */
};

struct timezone_change {
    int64_t at_s;     /* UTC, since 1970 */
    int64_t offset_s; /* east of UTC, from then on */
};

struct timezone {
    const struct timezone_change *changes; /* in their order */
    size_t change_count;
    int64_t first_s; /* offset before the first change */
    bool has_footer;
    struct timezone_footer footer;
};

extern const struct timezone timezone_utc;

/* Whether a text can be the name of a zone, such as Europe/Vienna. It is also the path of a file
 * below a folder, and of no other: there is no ".." in it and no empty part. */
bool timezone_name_is_valid(const char *text);
/* Memory from `arena`. -ERR_INVALID: no zone file; -ERR_NO_MEMORY. Any bytes may be given. */
int timezone_parse(const void *bytes, size_t length, struct arena *arena,
                   struct timezone *ret_zone);
/* The text of a rule alone, as TZ has it. False: it is none. */
bool timezone_parse_footer(const char *text, struct timezone_footer *ret_footer);

/* Seconds that local clocks are east of UTC at an instant. */
int64_t timezone_offset_at(const struct timezone *zone, int64_t utc_s);
/* The first instant at which local clocks show a time, given as if it were UTC; false: they never
 * do. */
bool timezone_from_local(const struct timezone *zone, int64_t local_s, int64_t *ret_utc_s);

/* ---- the calendar (proleptic Gregorian) ---- */

struct civil {
    int64_t year, month, day; /* month and day from 1 on */
    int64_t hour, minute, second;
    int64_t weekday; /* Sunday is 0 */
};

/* Days since 1970 (Howard Hinnant's days_from_civil). */
int64_t days_from_civil(int64_t year, int64_t month, int64_t day);
struct civil civil_from_seconds(int64_t seconds);
int64_t days_in_month(int64_t year, int64_t month);

#endif
