/* Launches of scheduled jobs, told without a manager. */
#ifndef ARGOSY_CLI_LAUNCHES_H
#define ARGOSY_CLI_LAUNCHES_H

#include "platform/base/buf.h"
#include "platform/base/err.h"
#include "schema/job_spec.h"

/* The table of the schedule's time zone, in `arena`. Errors are the zones port's
 * (platform/ports/zones.h). */
int launches_zone(const struct schedule *schedule, struct arena *arena, struct timezone *ret_zone,
                  struct err *err);

/* Seconds since 1970 of "2026-11-23", "2026-11-23T08:00" or "…:30", which are the zone's unless
 * "Z" or "+01:00" follows. False: it is none. */
bool launches_parse_time(const char *text, const struct timezone *zone, int64_t *ret_s);

/* The next `count` launches after an instant: lines for people, or items of a JSON array. */
void launches_add_text(const struct schedule *schedule, const struct timezone *zone,
                       int64_t after_s, int64_t count, struct buf *out);
void launches_add_json(const struct schedule *schedule, const struct timezone *zone,
                       int64_t after_s, int64_t count, struct buf *out);

#endif
