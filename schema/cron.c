/* Text to bits, and the next time that matches: field by field from the year down, so that at most
 * a few hundred days are looked at, not every second. */
#include "schema/cron.h"

#include "platform/base/err.h"
#include "platform/base/mem.h"
#include "platform/base/text.h"
#include "schema/problems.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { MINUTE_S = 60, HOUR_S = 3600, DAY_S = 86400 };

/* ---- fields ---- */

struct cron_field {
    const char *name;
    int min, max;
    const char *const *words; /* of the values from min on, NULL: none */
    size_t word_count;
};

static const char *const months[] = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                     "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
static const char *const weekdays[] = {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"};

enum { SECOND, MINUTE, HOUR, DAY, MONTH, WEEKDAY, FIELD_COUNT };

static const struct cron_field fields[FIELD_COUNT] = {
    [SECOND] = {"second", 0, 59, NULL, 0},
    [MINUTE] = {"minute", 0, 59, NULL, 0},
    [HOUR] = {"hour", 0, 23, NULL, 0},
    [DAY] = {"day-of-month", 1, 31, NULL, 0},
    [MONTH] = {"month", 1, 12, months, ARRAY_LENGTH(months)},
    [WEEKDAY] = {"day-of-week", 0, 7, weekdays, ARRAY_LENGTH(weekdays)},
};

struct parser {
    const char *text;
    const char *at;
    const struct cron_field *field; /* NULL: before the first */
    struct cron_problem *problem;
};

/* Always -ERR_INVALID. */
static int fail(const struct parser *parser, const char *at, const char *hint, const char *format,
                ...) __attribute__((format(printf, 4, 5)));
static int fail(const struct parser *parser, const char *at, const char *hint, const char *format,
                ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(parser->problem->message, sizeof(parser->problem->message), format, arguments);
    va_end(arguments);
    text_copy(parser->problem->hint, sizeof(parser->problem->hint), hint);
    parser->problem->offset = (size_t)(at - parser->text);
    return -ERR_INVALID;
}

static int out_of_range(const struct parser *parser, const char *at)
{
    char hint[CRON_MESSAGE_LENGTH];
    const struct cron_field *field = parser->field;
    snprintf(hint, sizeof(hint), "%d to %d%s%s%s%s", field->min, field->max,
             field->words ? ", or " : "", field->words ? field->words[0] : "",
             field->words ? " to " : "", field->words ? field->words[field->word_count - 1] : "");
    return fail(parser, at, hint, "\"%.*s\" is no %s", (int)strcspn(at, " ,-/"), at, field->name);
}

static int read_word(struct parser *parser, int *ret_value)
{
    const char *start = parser->at;
    size_t length = strcspn(start, " ,-/");
    for (size_t i = 0; i < parser->field->word_count; i++)
        if (length == 3 && strncasecmp(start, parser->field->words[i], 3) == 0) {
            parser->at += length;
            *ret_value = parser->field->min + (int)i;
            return 0;
        }
    return out_of_range(parser, start);
}

static int read_value(struct parser *parser, int min, int max, int *ret_value)
{
    const char *start = parser->at;
    int value = 0;
    if (!isdigit((unsigned char)*start))
        return read_word(parser, ret_value);
    while (isdigit((unsigned char)*parser->at) && value < 1000)
        value = value * 10 + *parser->at++ - '0';
    *ret_value = value;
    if (value < min || value > max || !strchr(" ,-/", *parser->at))
        return out_of_range(parser, start);
    return 0;
}

/* "/15": every 15th. */
static int read_step(struct parser *parser, int *ret_step)
{
    const char *start = ++parser->at;
    *ret_step = 0;
    while (isdigit((unsigned char)*parser->at) && *ret_step < 1000)
        *ret_step = *ret_step * 10 + *parser->at++ - '0';
    if (*ret_step < 1 || *ret_step > parser->field->max || !strchr(" ,", *parser->at))
        return fail(parser, start, "such as */15", "\"%.*s\" is no step of the %s",
                    (int)strcspn(start, " ,"), start, parser->field->name);
    return 0;
}

/* "*", "5", "1-5", each perhaps with a step; a single value with one goes on to the end. */
static int read_range(struct parser *parser, uint64_t *bits)
{
    const char *start = parser->at;
    int first = parser->field->min, last = parser->field->max, step = 1;
    bool is_single = false;
    int failed = 0;
    if (*parser->at == '*') {
        parser->at++;
        if (!strchr(" ,/", *parser->at))
            return out_of_range(parser, start);
    } else {
        failed = read_value(parser, first, last, &first);
        is_single = !failed && *parser->at != '-';
        if (!failed && !is_single) {
            parser->at++;
            failed = read_value(parser, parser->field->min, parser->field->max, &last);
        }
    }
    if (!failed && first > last)
        failed = fail(parser, start, "the smaller one first",
                      "the range of the %s ends before it begins", parser->field->name);
    if (!failed && *parser->at == '/')
        failed = read_step(parser, &step);
    else if (is_single)
        last = first;
    for (int value = first; !failed && value <= last; value += step)
        *bits |= UINT64_C(1) << value;
    return failed;
}

static int read_field(struct parser *parser, uint64_t *ret_bits)
{
    *ret_bits = 0;
    for (;;) {
        int failed = read_range(parser, ret_bits);
        if (failed)
            return failed;
        if (*parser->at == ',')
            parser->at++;
        else if (*parser->at == ' ' || !*parser->at)
            return 0;
        else
            return out_of_range(parser, parser->at);
    }
}

/* ---- the whole text ---- */

static size_t count_fields(const char *text)
{
    size_t count = 0;
    for (const char *at = text; *at;) {
        at += strspn(at, " ");
        count += *at != '\0';
        at += strcspn(at, " ");
    }
    return count;
}

static const struct {
    const char *name, *text;
} shorthands[] = {
    {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}, {"@monthly", "0 0 1 * *"},
    {"@weekly", "0 0 * * 0"}, {"@daily", "0 0 * * *"},    {"@midnight", "0 0 * * *"},
    {"@hourly", "0 * * * *"},
};

static int unfold(struct parser *parser)
{
    const char *names[ARRAY_LENGTH(shorthands)];
    char hint[CRON_MESSAGE_LENGTH];
    for (size_t i = 0; i < ARRAY_LENGTH(shorthands); i++) {
        names[i] = shorthands[i].name;
        if (strcmp(parser->at, shorthands[i].name) == 0) {
            parser->text = parser->at = shorthands[i].text;
            return 0;
        }
    }
    const char *nearest = problems_nearest(parser->at, names, ARRAY_LENGTH(names));
    if (nearest)
        snprintf(hint, sizeof(hint), "did you mean \"%s\"?", nearest);
    return fail(parser, parser->at,
                nearest ? hint : "@yearly, @monthly, @weekly, @daily or @hourly",
                "\"%.40s\" is not known", parser->at);
}

static int read_fields(struct parser *parser, struct cron *cron)
{
    uint64_t *const bits[FIELD_COUNT] = {&cron->seconds, &cron->minutes, &cron->hours,
                                         &cron->days,    &cron->months,  &cron->weekdays};
    size_t count = count_fields(parser->at), skipped = count == FIELD_COUNT ? 0 : 1;
    if (count != FIELD_COUNT && count != FIELD_COUNT - 1)
        return fail(parser, parser->text, "[second] minute hour day-of-month month day-of-week",
                    "a cron expression has 5 or 6 fields, this one %zu", count);
    cron->seconds = 1;
    for (size_t i = skipped; i < FIELD_COUNT; i++) {
        parser->at += strspn(parser->at, " ");
        parser->field = &fields[i];
        cron->any_day |= i == DAY && *parser->at == '*';
        cron->any_weekday |= i == WEEKDAY && *parser->at == '*';
        int failed = read_field(parser, bits[i]);
        if (failed)
            return failed;
    }
    if (cron->weekdays & 1 << 7) /* 7 is Sunday too */
        cron->weekdays |= 1;
    return 0;
}

int cron_parse(const char *text, struct cron *ret_cron, struct cron_problem *ret_problem)
{
    struct parser parser = {.text = text, .at = text, .problem = ret_problem};
    *ret_cron = (struct cron){.seconds = 0};
    *ret_problem = (struct cron_problem){.offset = 0};
    int failed = *text == '@' ? unfold(&parser) : 0;
    failed = failed ? failed : read_fields(&parser, ret_cron);
    if (!failed && cron_next(ret_cron, &timezone_utc, 0) == CRON_NEVER)
        failed = fail(&parser, parser.text, "such as 28 2 or 30 4 for day and month",
                      "there is no such day in any year");
    return failed;
}

/* ---- the next time ---- */

static bool has(uint64_t bits, int64_t value)
{
    return bits >> value & 1;
}

static bool day_matches(const struct cron *cron, const struct civil *at)
{
    bool day = has(cron->days, at->day), weekday = has(cron->weekdays, at->weekday);
    if (!has(cron->months, at->month))
        return false;
    return cron->any_day || cron->any_weekday ? day && weekday : day || weekday;
}

/* The first value that matches, from `from` on; -1: none. */
static int64_t first_of(uint64_t bits, int64_t from)
{
    uint64_t rest = from < 64 ? bits >> from << from : 0;
    return rest ? __builtin_ctzll(rest) : -1;
}

/* The first time of a day at or after `from`, in seconds of the day; -1: none. */
static int64_t next_of_day(const struct cron *cron, int64_t from)
{
    int64_t hour = from / HOUR_S, minute = from % HOUR_S / MINUTE_S, second = from % MINUTE_S;
    for (int64_t h = first_of(cron->hours, hour); h >= 0; h = first_of(cron->hours, h + 1)) {
        int64_t m = first_of(cron->minutes, h > hour ? 0 : minute);
        for (; m >= 0; m = first_of(cron->minutes, m + 1)) {
            int64_t s = first_of(cron->seconds, h > hour || m > minute ? 0 : second);
            if (s >= 0)
                return h * HOUR_S + m * MINUTE_S + s;
        }
    }
    return -1;
}

/* The first launch of one local day, at or after `from` seconds of it, that is after `after_s`;
 * CRON_NEVER: none. */
static int64_t next_on(const struct cron *cron, const struct timezone *zone, int64_t day_s,
                       int64_t from, int64_t after_s)
{
    for (int64_t at = next_of_day(cron, from); at >= 0; at = next_of_day(cron, at + 1)) {
        int64_t utc_s;
        if (timezone_from_local(zone, day_s + at, &utc_s) && utc_s > after_s)
            return utc_s;
    }
    return CRON_NEVER;
}

int64_t cron_next(const struct cron *cron, const struct timezone *zone, int64_t after_s)
{
    int64_t local_s = after_s + timezone_offset_at(zone, after_s) + 1;
    struct civil first = civil_from_seconds(local_s);
    int64_t from = first.hour * HOUR_S + first.minute * MINUTE_S + first.second;
    int64_t day_s = local_s - from;
    for (int64_t day = 0; day <= (int64_t)CRON_YEARS * 366; day++, day_s += DAY_S, from = 0) {
        struct civil civil = civil_from_seconds(day_s);
        int64_t next =
            day_matches(cron, &civil) ? next_on(cron, zone, day_s, from, after_s) : CRON_NEVER;
        if (next != CRON_NEVER)
            return next;
    }
    return CRON_NEVER;
}
