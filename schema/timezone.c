/* TZif -> changes and the rule after them; instants and local times. */
#include "schema/timezone.h"

#include "platform/base/err.h"

#include <stdlib.h>
#include <string.h>

enum {
    MINUTE_S = 60,
    HOUR_S = 3600,
    DAY_S = 86400,
    OFFSET_MAX_S = 26 * HOUR_S,
    YEAR_MAX = 100000000 /* far from overflowing seconds */
};

const struct timezone timezone_utc = {.changes = NULL};

bool timezone_name_is_valid(const char *text)
{
    bool begins = true;
    for (const char *at = text; *at; at++) {
        bool letter = (*at | 32) >= 'a' && (*at | 32) <= 'z', digit = *at >= '0' && *at <= '9';
        if (*at == '/' ? begins : !letter && !digit && !strchr("_+-", *at))
            return false;
        begins = *at == '/';
    }
    return !begins;
}

/* ---- the calendar ---- */

static int64_t floor_div(int64_t value, int64_t by)
{
    return value / by - (value % by < 0);
}

int64_t days_from_civil(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t era = floor_div(year, 400), of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    return era * 146097 + day_of_era - 719468;
}

static void set_date(struct civil *civil, int64_t days)
{
    days += 719468;
    int64_t era = floor_div(days, 146097), day_of_era = days - era * 146097;
    int64_t of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t of_year = day_of_era - (365 * of_era + of_era / 4 - of_era / 100);
    int64_t shifted = (5 * of_year + 2) / 153;
    civil->day = of_year - (153 * shifted + 2) / 5 + 1;
    civil->month = shifted < 10 ? shifted + 3 : shifted - 9;
    civil->year = of_era + era * 400 + (civil->month <= 2);
}

struct civil civil_from_seconds(int64_t seconds)
{
    int64_t days = floor_div(seconds, DAY_S), rest = seconds - days * DAY_S;
    struct civil civil = {.hour = rest / HOUR_S,
                          .minute = rest % HOUR_S / MINUTE_S,
                          .second = rest % MINUTE_S,
                          .weekday = (days % 7 + 11) % 7}; /* 1970 began on a Thursday */
    set_date(&civil, days);
    return civil;
}

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

int64_t days_in_month(int64_t year, int64_t month)
{
    static const int64_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && is_leap(year));
}

/* ---- the rule of later years ---- */

/* Days since 1970 of the rule's day in a year. */
static int64_t rule_day(const struct timezone_rule *rule, int64_t year)
{
    int64_t first = days_from_civil(year, 1, 1);
    if (rule->kind == 'N')
        return first + rule->day;
    if (rule->kind == 'J')
        return first + rule->day - 1 + (is_leap(year) && rule->day >= 60);
    int64_t month = days_from_civil(year, rule->month, 1);
    int64_t weekday = (month % 7 + 11) % 7;
    int64_t day = month + (rule->weekday - weekday + 7) % 7 + (rule->week - 1) * 7;
    return day < month + days_in_month(year, rule->month) ? day : day - 7;
}

static bool is_summer(const struct timezone_footer *footer, int64_t utc_s)
{
    int64_t year = civil_from_seconds(utc_s + footer->standard_s).year;
    int64_t begins =
        rule_day(&footer->begins, year) * DAY_S + footer->begins.time_s - footer->standard_s;
    int64_t ends = rule_day(&footer->ends, year) * DAY_S + footer->ends.time_s - footer->summer_s;
    return begins < ends ? utc_s >= begins && utc_s < ends : utc_s >= begins || utc_s < ends;
}

static bool is_sane(int64_t utc_s)
{
    return utc_s > -(int64_t)YEAR_MAX * DAY_S && utc_s < (int64_t)YEAR_MAX * DAY_S;
}

static int64_t footer_offset(const struct timezone_footer *footer, int64_t utc_s)
{
    bool summer = footer->has_summer && is_sane(utc_s) && is_summer(footer, utc_s);
    return summer ? footer->summer_s : footer->standard_s;
}

int64_t timezone_offset_at(const struct timezone *zone, int64_t utc_s)
{
    size_t low = 0, high = zone->change_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (zone->changes[middle].at_s <= utc_s)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == zone->change_count && zone->has_footer)
        return footer_offset(&zone->footer, utc_s);
    return low ? zone->changes[low - 1].offset_s : zone->first_s;
}

bool timezone_from_local(const struct timezone *zone, int64_t local_s, int64_t *ret_utc_s)
{
    bool found = false;
    /* offsets are less than a day, and clocks do not change twice in two */
    for (int64_t at = local_s - DAY_S; at <= local_s + DAY_S; at += DAY_S) {
        int64_t utc_s = local_s - timezone_offset_at(zone, at);
        if (utc_s + timezone_offset_at(zone, utc_s) != local_s || (found && utc_s >= *ret_utc_s))
            continue;
        *ret_utc_s = utc_s;
        found = true;
    }
    return found;
}

/* ---- the text of the rule ---- */

static bool skip_name(const char **at)
{
    const char *start = *at;
    if (**at == '<') {
        while (**at && **at != '>')
            ++*at;
        return *(*at)++ == '>' && *at - start > 2;
    }
    while ((**at >= 'A' && **at <= 'Z') || (**at >= 'a' && **at <= 'z'))
        ++*at;
    return *at - start >= 3;
}

static bool read_number(const char **at, int64_t max, int64_t *ret_number)
{
    int64_t number = 0;
    const char *start = *at;
    while (**at >= '0' && **at <= '9' && *at - start < 4)
        number = number * 10 + *(*at)++ - '0';
    *ret_number = number;
    return *at > start && number <= max;
}

/* [+-]hh[:mm[:ss]] */
static bool read_time(const char **at, int64_t hours_max, int64_t *ret_seconds)
{
    int64_t sign = **at == '-' ? -1 : 1, hours, minutes = 0, seconds = 0;
    *at += **at == '-' || **at == '+';
    if (!read_number(at, hours_max, &hours))
        return false;
    if (**at == ':' && (++*at, !read_number(at, 59, &minutes)))
        return false;
    if (**at == ':' && (++*at, !read_number(at, 59, &seconds)))
        return false;
    *ret_seconds = sign * (hours * HOUR_S + minutes * MINUTE_S + seconds);
    return true;
}

static bool read_month_rule(const char **at, struct timezone_rule *rule)
{
    return read_number(at, 12, &rule->month) && rule->month && *(*at)++ == '.' &&
           read_number(at, 5, &rule->week) && rule->week && *(*at)++ == '.' &&
           read_number(at, 6, &rule->weekday);
}

/* ,M3.5.0[/time] */
static bool read_rule(const char **at, struct timezone_rule *rule)
{
    *rule = (struct timezone_rule){.kind = 'N', .time_s = (int64_t)2 * HOUR_S};
    if (*(*at)++ != ',')
        return false;
    if (**at == 'M' || **at == 'J')
        rule->kind = *(*at)++;
    bool ok = rule->kind == 'M'   ? read_month_rule(at, rule)
              : rule->kind == 'J' ? read_number(at, 365, &rule->day) && rule->day
                                  : read_number(at, 365, &rule->day);
    if (ok && **at == '/')
        ok = (++*at, read_time(at, 167, &rule->time_s));
    return ok;
}

bool timezone_parse_footer(const char *text, struct timezone_footer *ret_footer)
{
    const char *at = text;
    struct timezone_footer footer = {.has_summer = false};
    int64_t west;
    if (!skip_name(&at) || !read_time(&at, 24, &west))
        return false;
    footer.standard_s = footer.summer_s = -west;
    if (*at) {
        footer.has_summer = true;
        footer.summer_s += HOUR_S;
        if (!skip_name(&at))
            return false;
        if (*at && *at != ',') {
            if (!read_time(&at, 24, &west))
                return false;
            footer.summer_s = -west;
        }
        if (!read_rule(&at, &footer.begins) || !read_rule(&at, &footer.ends) || *at)
            return false;
    }
    *ret_footer = footer;
    return true;
}

/* ---- TZif ---- */

struct reader {
    const unsigned char *at;
    size_t left;
};

static int64_t read_integer(const unsigned char *bytes, size_t size)
{
    uint64_t value = bytes[0] & 0x80 ? UINT64_MAX : 0;
    for (size_t i = 0; i < size; i++)
        value = value << 8 | bytes[i];
    return (int64_t)value;
}

/* NULL: there are not so many bytes. */
static const unsigned char *take(struct reader *reader, size_t length)
{
    const unsigned char *taken = reader->at;
    if (length > reader->left)
        return NULL;
    reader->at += length;
    reader->left -= length;
    return taken;
}

struct counts {
    size_t utc, standard, leaps, changes, types, letters;
};

enum { HEADER_BYTES = 44, TYPE_BYTES = 6, COUNT_MAX = 100000 };

static bool read_header(struct reader *reader, char *ret_version, struct counts *ret_counts)
{
    size_t counts[6];
    const unsigned char *header = take(reader, HEADER_BYTES);
    if (!header || memcmp(header, "TZif", 4) != 0)
        return false;
    *ret_version = (char)header[4];
    for (size_t i = 0; i < 6; i++) {
        int64_t count = read_integer(header + 20 + 4 * i, 4);
        if (count < 0 || count > COUNT_MAX)
            return false;
        counts[i] = (size_t)count;
    }
    *ret_counts = (struct counts){counts[0], counts[1], counts[2], counts[3], counts[4], counts[5]};
    return true;
}

static size_t block_length(const struct counts *counts, size_t time_size)
{
    return counts->changes * (time_size + 1) + counts->types * TYPE_BYTES + counts->letters +
           counts->leaps * (time_size + 4) + counts->standard + counts->utc;
}

static bool offset_of_type(const unsigned char *types, size_t type, int64_t *ret_offset)
{
    *ret_offset = read_integer(types + type * TYPE_BYTES, 4);
    return *ret_offset > -OFFSET_MAX_S && *ret_offset < OFFSET_MAX_S;
}

static int read_changes(const unsigned char *block, const struct counts *counts, size_t time_size,
                        struct arena *arena, struct timezone *zone)
{
    const unsigned char *indexes = block + counts->changes * time_size;
    const unsigned char *types = indexes + counts->changes;
    struct timezone_change *changes = arena_array(arena, counts->changes + 1, sizeof(*changes));
    if (!changes)
        return -ERR_NO_MEMORY;
    if (!counts->types || !offset_of_type(types, 0, &zone->first_s))
        return -ERR_INVALID;
    for (size_t i = 0; i < counts->changes; i++) {
        changes[i].at_s = read_integer(block + i * time_size, time_size);
        if (indexes[i] >= counts->types ||
            !offset_of_type(types, indexes[i], &changes[i].offset_s) ||
            (i && changes[i].at_s <= changes[i - 1].at_s))
            return -ERR_INVALID;
    }
    zone->changes = changes;
    zone->change_count = counts->changes;
    return 0;
}

/* "\n<rule>\n"; nothing between: there is none. */
static bool read_footer(struct reader *reader, struct timezone *zone)
{
    char text[128];
    const unsigned char *first = take(reader, 1);
    const unsigned char *end = first ? memchr(reader->at, '\n', reader->left) : NULL;
    if (!end || *first != '\n' || (size_t)(end - reader->at) >= sizeof(text))
        return false;
    size_t length = (size_t)(end - reader->at);
    memcpy(text, reader->at, length);
    text[length] = '\0';
    zone->has_footer = length > 0;
    return !length || timezone_parse_footer(text, &zone->footer);
}

int timezone_parse(const void *bytes, size_t length, struct arena *arena, struct timezone *ret_zone)
{
    struct reader reader = {bytes, length};
    struct counts counts;
    size_t time_size = 4;
    char version;
    *ret_zone = (struct timezone){.changes = NULL};
    if (!read_header(&reader, &version, &counts))
        return -ERR_INVALID;
    if (version >= '2') { /* the same again, with longer times */
        time_size = 8;
        if (!take(&reader, block_length(&counts, 4)) || !read_header(&reader, &version, &counts))
            return -ERR_INVALID;
    }
    const unsigned char *block = take(&reader, block_length(&counts, time_size));
    if (!block)
        return -ERR_INVALID;
    int result = read_changes(block, &counts, time_size, arena, ret_zone);
    if (!result && time_size == 8 && !read_footer(&reader, ret_zone))
        result = -ERR_INVALID;
    return result;
}
