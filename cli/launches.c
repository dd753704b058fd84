#include "cli/launches.h"

#include "platform/adapters/zoneinfo.h"
#include "schema/cron.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { HOUR_S = 3600, MINUTE_S = 60, DAY_S = 86400, TIME_TEXT_LENGTH = 40 };

int launches_zone(const struct schedule *schedule, struct arena *arena, struct timezone *ret_zone,
                  struct err *err)
{
    const void *bytes;
    size_t length;
    *ret_zone = timezone_utc;
    if (!schedule->timezone || strcmp(schedule->timezone, "UTC") == 0)
        return 0;
    int result = zoneinfo.read(&zoneinfo, schedule->timezone, arena, &bytes, &length, err);
    if (!result && timezone_parse(bytes, length, arena, ret_zone))
        result = err_set(err, ERR_CORRUPT, "its file is damaged");
    return result;
}

/* ---- times as text ---- */

/* "Z" or "+01:00"; false: it is neither. */
static bool parse_offset(const char *text, int64_t *ret_offset_s)
{
    int hours, minutes, end = 0;
    *ret_offset_s = 0;
    if (strcmp(text, "Z") == 0)
        return true;
    if ((text[0] != '+' && text[0] != '-') ||
        sscanf(text + 1, "%2d:%2d%n", &hours, &minutes, &end) != 2 || text[1 + end])
        return false;
    *ret_offset_s = (hours * HOUR_S + minutes * MINUTE_S) * (text[0] == '-' ? -1 : 1);
    return hours >= 0 && hours <= 24 && minutes >= 0 && minutes < 60;
}

static bool is_sane(int year, int month, int day, int hour, int minute, int second)
{
    return year >= 1970 && year <= 9999 && month >= 1 && month <= 12 && day >= 1 &&
           day <= days_in_month(year, month) && hour >= 0 && hour < 24 && minute >= 0 &&
           minute < 60 && second >= 0 && second < 60;
}

bool launches_parse_time(const char *text, const struct timezone *zone, int64_t *ret_s)
{
    int year, month, day, hour = 0, minute = 0, second = 0, end = 0, more = 0;
    int64_t offset_s;
    if (sscanf(text, "%4d-%2d-%2d%n", &year, &month, &day, &end) != 3)
        return false;
    if (text[end] == 'T' || text[end] == ' ') {
        text += end + 1;
        if (sscanf(text, "%2d:%2d%n", &hour, &minute, &end) != 2)
            return false;
        if (text[end] == ':') {
            if (sscanf(text + end + 1, "%2d%n", &second, &more) != 1)
                return false;
            end += 1 + more;
        }
    }
    if (!is_sane(year, month, day, hour, minute, second))
        return false;
    int64_t local_s =
        days_from_civil(year, month, day) * DAY_S + hour * HOUR_S + minute * MINUTE_S + second;
    if (text[end]) {
        *ret_s = local_s;
        bool ok = parse_offset(text + end, &offset_s);
        *ret_s -= ok ? offset_s : 0;
        return ok;
    }
    if (!timezone_from_local(zone, local_s, ret_s)) /* clocks skip it */
        *ret_s = local_s - timezone_offset_at(zone, local_s);
    return true;
}

/* "2026-11-23T02:30:00+01:00", "…Z" without a zone. */
static void format_time(int64_t utc_s, const struct timezone *zone, char ret_text[TIME_TEXT_LENGTH])
{
    int64_t offset_s = zone ? timezone_offset_at(zone, utc_s) : 0;
    int64_t east_s = offset_s < 0 ? -offset_s : offset_s;
    struct civil at = civil_from_seconds(utc_s + offset_s);
    int length =
        snprintf(ret_text, TIME_TEXT_LENGTH,
                 "%04" PRId64 "-%02" PRId64 "-%02" PRId64 "T%02" PRId64 ":%02" PRId64 ":%02" PRId64,
                 at.year, at.month, at.day, at.hour, at.minute, at.second);
    if (zone)
        snprintf(ret_text + length, (size_t)(TIME_TEXT_LENGTH - length),
                 "%c%02" PRId64 ":%02" PRId64, offset_s < 0 ? '-' : '+', east_s / HOUR_S,
                 east_s % HOUR_S / MINUTE_S);
    else
        snprintf(ret_text + length, (size_t)(TIME_TEXT_LENGTH - length), "Z");
}

/* ---- launches ---- */

struct launch {
    int64_t at_s;
    char local[TIME_TEXT_LENGTH], utc[TIME_TEXT_LENGTH];
};

/* The one after it; false: there is none. */
static bool next_launch(const struct schedule *schedule, const struct timezone *zone,
                        struct launch *launch)
{
    launch->at_s = schedule_next(schedule, zone, launch->at_s);
    if (launch->at_s == CRON_NEVER)
        return false;
    format_time(launch->at_s, zone, launch->local);
    format_time(launch->at_s, NULL, launch->utc);
    return true;
}

void launches_add_text(const struct schedule *schedule, const struct timezone *zone,
                       int64_t after_s, int64_t count, struct buf *out)
{
    static const char *const weekdays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    struct launch launch = {.at_s = after_s};
    while (count-- > 0 && next_launch(schedule, zone, &launch)) {
        struct civil at = civil_from_seconds(launch.at_s + timezone_offset_at(zone, launch.at_s));
        buf_printf(out, "  %s %s  %s\n", weekdays[at.weekday], launch.local, launch.utc);
    }
}

void launches_add_json(const struct schedule *schedule, const struct timezone *zone,
                       int64_t after_s, int64_t count, struct buf *out)
{
    struct launch launch = {.at_s = after_s};
    for (int64_t i = 0; i < count && next_launch(schedule, zone, &launch); i++)
        buf_printf(out, "%s{\"local\":\"%s\",\"utc\":\"%s\",\"at_ms\":%" PRId64 "}", i ? "," : "",
                   launch.local, launch.utc, launch.at_s * 1000);
}
