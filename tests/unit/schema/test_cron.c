/* Cron expressions and time zones. */
#include "schema/cron.h"

#include "platform/base/err.h"
#include "platform/base/prng.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#define VIENNA    "CET-1CEST,M3.5.0,M10.5.0/3"
#define NEW_YORK  "EST5EDT,M3.2.0,M11.1.0"
#define LORD_HOWE "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0"

static struct timezone zone_of(const char *rule)
{
    struct timezone zone = {.has_footer = true};
    assert_true(timezone_parse_footer(rule, &zone.footer));
    return zone;
}

static struct cron cron_of(const char *text)
{
    struct cron cron;
    struct cron_problem problem;
    if (cron_parse(text, &cron, &problem))
        fail_msg("%s: %s at %zu", text, problem.message, problem.offset);
    return cron;
}

static int64_t utc(int64_t year, int64_t month, int64_t day, int64_t hour, int64_t minute)
{
    return days_from_civil(year, month, day) * 86400 + hour * 3600 + minute * 60;
}

/* The launches after an instant, in UTC. */
static void assert_launches(const char *text, const char *rule, int64_t after_s,
                            const int64_t *expected, size_t count)
{
    struct cron cron = cron_of(text);
    struct timezone zone = zone_of(rule);
    for (size_t i = 0; i < count; i++) {
        after_s = cron_next(&cron, &zone, after_s);
        if (after_s != expected[i]) {
            struct civil at = civil_from_seconds(after_s);
            fail_msg("%s, launch %zu: %lld-%02lld-%02lld %02lld:%02lld:%02lld UTC", text, i,
                     (long long)at.year, (long long)at.month, (long long)at.day, (long long)at.hour,
                     (long long)at.minute, (long long)at.second);
        }
    }
}
#define LAUNCHES(text, rule, after, ...)                               \
    assert_launches(text, rule, after, (const int64_t[]){__VA_ARGS__}, \
                    sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t))

/* ---- text ---- */

static void five_fields_begin_at_second_0_and_six_have_one(void **state)
{
    (void)state;
    LAUNCHES("30 2 * * *", "UTC0", utc(2026, 11, 23, 0, 0), utc(2026, 11, 23, 2, 30),
             utc(2026, 11, 24, 2, 30));
    LAUNCHES("*/20 * * * * *", "UTC0", utc(2026, 11, 23, 0, 0), utc(2026, 11, 23, 0, 0) + 20,
             utc(2026, 11, 23, 0, 0) + 40, utc(2026, 11, 23, 0, 1));
}

static void names_ranges_steps_and_lists_are_understood(void **state)
{
    (void)state;
    struct cron cron = cron_of("0,30 8-18/4 1-7,15 jan-MAR,dec Mon-FRI");
    assert_true(cron.minutes == (UINT64_C(1) | UINT64_C(1) << 30));
    assert_true(cron.hours == (UINT64_C(1) << 8 | UINT64_C(1) << 12 | UINT64_C(1) << 16));
    assert_true(cron.days == (0xfe | UINT64_C(1) << 15));
    assert_true(cron.months == (UINT64_C(0xe) | UINT64_C(1) << 12));
    assert_true(cron.weekdays == 0x3e);
    assert_true(cron_of("10/20 * * * *").minutes ==
                (UINT64_C(1) << 10 | UINT64_C(1) << 30 | UINT64_C(1) << 50));
    assert_true(cron_of("0 0 * * 7").weekdays & 1);
}

static void shorthands_are_what_they_say(void **state)
{
    (void)state;
    LAUNCHES("@hourly", "UTC0", utc(2026, 1, 1, 0, 0), utc(2026, 1, 1, 1, 0));
    LAUNCHES("@daily", "UTC0", utc(2026, 1, 1, 0, 0), utc(2026, 1, 2, 0, 0));
    LAUNCHES("@weekly", "UTC0", utc(2026, 1, 1, 0, 0), utc(2026, 1, 4, 0, 0));
    LAUNCHES("@monthly", "UTC0", utc(2026, 1, 1, 0, 0), utc(2026, 2, 1, 0, 0));
    LAUNCHES("@yearly", "UTC0", utc(2026, 1, 1, 0, 0), utc(2027, 1, 1, 0, 0));
}

static void day_of_month_or_day_of_week_when_both_are_restricted(void **state)
{
    (void)state;
    LAUNCHES("0 0 13 * 5", "UTC0", utc(2026, 11, 1, 0, 0), utc(2026, 11, 6, 0, 0),
             utc(2026, 11, 13, 0, 0), utc(2026, 11, 20, 0, 0), utc(2026, 11, 27, 0, 0),
             utc(2026, 12, 4, 0, 0), utc(2026, 12, 11, 0, 0), utc(2026, 12, 13, 0, 0));
    LAUNCHES("0 0 */10 * 5", "UTC0", utc(2026, 11, 1, 0, 0), utc(2026, 12, 11, 0, 0));
}

static void leap_days_come(void **state)
{
    (void)state;
    LAUNCHES("0 12 29 2 *", "UTC0", utc(2026, 1, 1, 0, 0), utc(2028, 2, 29, 12, 0),
             utc(2032, 2, 29, 12, 0));
    LAUNCHES("0 12 29 2 *", "UTC0", utc(2096, 3, 1, 0, 0), utc(2104, 2, 29, 12, 0));
}

static void what_is_wrong_is_told_with_its_field_and_place(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message, *hint;
        size_t offset;
    } rows[] = {
        {"61 * * * *", "\"61\" is no minute", "0 to 59", 0},
        {"0 24 * * *", "\"24\" is no hour", "0 to 23", 2},
        {"0 0 0 * *", "\"0\" is no day-of-month", "1 to 31", 4},
        {"0 0 * 13 *", "\"13\" is no month", "1 to 12, or JAN to DEC", 6},
        {"0 0 * * MOON", "\"MOON\" is no day-of-week", "0 to 7, or SUN to SAT", 8},
        {"0 0 * * 8", "\"8\" is no day-of-week", "0 to 7, or SUN to SAT", 8},
        {"*/0 * * * *", "\"0\" is no step of the minute", "such as */15", 2},
        {"5-1 * * * *", "the range of the minute ends before it begins", "the smaller one first",
         0},
        {"0 0 * *", "a cron expression has 5 or 6 fields, this one 4",
         "[second] minute hour day-of-month month day-of-week", 0},
        {"", "a cron expression has 5 or 6 fields, this one 0",
         "[second] minute hour day-of-month month day-of-week", 0},
        {"@dayly", "\"@dayly\" is not known", "did you mean \"@daily\"?", 0},
        {"0 0 30 2 *", "there is no such day in any year", "such as 28 2 or 30 4 for day and month",
         0},
        {"0 0 31 4,6 *", "there is no such day in any year",
         "such as 28 2 or 30 4 for day and month", 0},
        {"60 * * * * *", "\"60\" is no second", "0 to 59", 0},
        {"1, * * * *", "\"\" is no minute", "0 to 59", 2},
        {"1-a * * * *", "\"a\" is no minute", "0 to 59", 2},
        {"*5 * * * *", "\"*5\" is no minute", "0 to 59", 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cron cron;
        struct cron_problem problem;
        assert_int_equal(cron_parse(rows[i].text, &cron, &problem), -ERR_INVALID);
        assert_string_equal(problem.message, rows[i].message);
        assert_string_equal(problem.hint, rows[i].hint);
        assert_int_equal(problem.offset, rows[i].offset);
    }
}

/* ---- summer time ---- */

static void a_local_time_that_is_skipped_has_no_launch(void **state)
{
    (void)state;
    LAUNCHES("30 2 * * *", VIENNA, utc(2027, 3, 27, 0, 0), utc(2027, 3, 27, 1, 30),
             utc(2027, 3, 29, 0, 30));
    LAUNCHES("30 2 * * *", NEW_YORK, utc(2027, 3, 13, 0, 0), utc(2027, 3, 13, 7, 30),
             utc(2027, 3, 15, 6, 30));
    LAUNCHES("15 2 * * *", LORD_HOWE, utc(2026, 10, 2, 20, 0), utc(2026, 10, 4, 15, 15));
}

static void a_local_time_that_is_repeated_has_one_launch_the_first(void **state)
{
    (void)state;
    LAUNCHES("30 2 * * *", VIENNA, utc(2026, 10, 24, 12, 0), utc(2026, 10, 25, 0, 30),
             utc(2026, 10, 26, 1, 30));
    LAUNCHES("*/30 * * * *", VIENNA, utc(2026, 10, 25, 0, 0), utc(2026, 10, 25, 0, 30),
             utc(2026, 10, 25, 2, 0));
    LAUNCHES("30 1 * * *", NEW_YORK, utc(2026, 10, 31, 12, 0), utc(2026, 11, 1, 5, 30),
             utc(2026, 11, 2, 6, 30));
    LAUNCHES("45 1 * * *", LORD_HOWE, utc(2027, 4, 3, 0, 0), utc(2027, 4, 3, 14, 45),
             utc(2027, 4, 4, 15, 15));
}

static void the_day_is_the_local_one(void **state)
{
    (void)state;
    LAUNCHES("0 1 1 * *", VIENNA, utc(2026, 6, 15, 0, 0), utc(2026, 6, 30, 23, 0));
    LAUNCHES("0 20 * * 0", NEW_YORK, utc(2026, 7, 1, 0, 0), utc(2026, 7, 6, 0, 0));
}

/* Minute by minute, as the definition says: all clocks here are whole minutes from UTC. */
static int64_t slow_next(const struct cron *cron, const struct timezone *zone, int64_t after_s)
{
    for (int64_t at = (after_s / 60 + 1) * 60;; at += 60) {
        struct civil local = civil_from_seconds(at + timezone_offset_at(zone, at));
        bool day = cron->days >> local.day & 1, weekday = cron->weekdays >> local.weekday & 1;
        bool date = cron->any_day || cron->any_weekday ? day && weekday : day || weekday;
        int64_t first;
        assert_true(timezone_from_local(zone, at + timezone_offset_at(zone, at), &first));
        if (date && cron->months >> local.month & 1 && cron->hours >> local.hour & 1 &&
            cron->minutes >> local.minute & 1 && cron->seconds >> local.second & 1 && first == at)
            return at;
    }
}

static void random_expressions_are_what_a_search_minute_by_minute_finds(void **state)
{
    (void)state;
    static const char *const rules[] = {"UTC0", VIENNA, NEW_YORK, LORD_HOWE};
    static const char *const minutes[] = {"*", "*/15", "7", "0,30", "50-59/3"};
    static const char *const hours[] = {"*", "1-3", "2", "0,23", "*/6"};
    static const char *const days[] = {"*", "25-31", "*/2", "1,4,8"};
    static const char *const weekdays[] = {"*", "0", "MON-FRI", "*/3"};
    static const int64_t days_near[] = {20536, 20538, 20751, 20549, 20719, 20909}; /* of changes */
    struct prng prng;
    prng_init(&prng, 4);
    for (int i = 0; i < 3000; i++) {
        char text[80];
        snprintf(text, sizeof(text), "%s %s %s * %s", minutes[prng_below(&prng, 5)],
                 hours[prng_below(&prng, 5)], days[prng_below(&prng, 4)],
                 weekdays[prng_below(&prng, 4)]);
        struct cron cron = cron_of(text);
        struct timezone zone = zone_of(rules[prng_below(&prng, 4)]);
        int64_t after =
            (days_near[prng_below(&prng, 6)] - 2) * 86400 + (int64_t)prng_below(&prng, 4 * 86400);
        int64_t next = cron_next(&cron, &zone, after);
        if (next - after < 3 * 86400 && slow_next(&cron, &zone, after) != next)
            fail_msg("%s after %lld: %lld", text, (long long)after, (long long)next);
    }
}

/* ---- zones ---- */

static void dates_go_there_and_back(void **state)
{
    (void)state;
    struct prng prng;
    prng_init(&prng, 5);
    for (int i = 0; i < 20000; i++) {
        int64_t at = (int64_t)prng_below(&prng, UINT64_C(500000000000)) - 250000000000;
        struct civil civil = civil_from_seconds(at);
        assert_true(days_from_civil(civil.year, civil.month, civil.day) * 86400 +
                        civil.hour * 3600 + civil.minute * 60 + civil.second ==
                    at);
        assert_true(civil.day <= days_in_month(civil.year, civil.month));
    }
    assert_int_equal(civil_from_seconds(utc(2026, 11, 23, 0, 0)).weekday, 1);
    assert_int_equal(civil_from_seconds(utc(1969, 12, 28, 0, 0)).weekday, 0);
}

static void rules_that_are_none_are_refused(void **state)
{
    (void)state;
    static const char *const rules[] = {"",
                                        "C-1",
                                        "CET",
                                        "CET-1CEST",
                                        "CET-1C",
                                        "CET-1CEST,M13.5.0,M10.5.0",
                                        "CET-25",
                                        "<A-1",
                                        "CET-1CEST,M3.5.0,M10.5.0x",
                                        "CET-1CEST,M3.6.0,M1.1.1"};
    struct timezone_footer footer;
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
        assert_false(timezone_parse_footer(rules[i], &footer));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(five_fields_begin_at_second_0_and_six_have_one),
        cmocka_unit_test(names_ranges_steps_and_lists_are_understood),
        cmocka_unit_test(shorthands_are_what_they_say),
        cmocka_unit_test(day_of_month_or_day_of_week_when_both_are_restricted),
        cmocka_unit_test(leap_days_come),
        cmocka_unit_test(what_is_wrong_is_told_with_its_field_and_place),
        cmocka_unit_test(a_local_time_that_is_skipped_has_no_launch),
        cmocka_unit_test(a_local_time_that_is_repeated_has_one_launch_the_first),
        cmocka_unit_test(the_day_is_the_local_one),
        cmocka_unit_test(random_expressions_are_what_a_search_minute_by_minute_finds),
        cmocka_unit_test(dates_go_there_and_back),
        cmocka_unit_test(rules_that_are_none_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
