/* Events: how many of a kind are told, and what is said of those that are not. */
#include "platform/session/events.h"

#include "schema/limits.h"
#include "tests/unit/unit.h"

#include <string.h>

enum { MINUTE_MS = 60 * 1000, SHARE_MS = MINUTE_MS / EVENTS_PER_MINUTE };

static struct event_limits limits;

static int setup(void **state)
{
    (void)state;
    limits = (struct event_limits){.count = 0};
    return 0;
}

/* How many of so many that happen at once are told. */
static int burst(const char *kind, int count, int64_t mono_ms)
{
    int told = 0;
    for (int i = 0; i < count; i++) {
        struct event event = {.kind = kind};
        told += event_limits_take(&limits, &event, mono_ms);
    }
    return told;
}

/* What the next one says was left out; -1: it is left out itself. */
static int64_t next(const char *kind, int64_t mono_ms)
{
    struct event event = {.kind = kind};
    return event_limits_take(&limits, &event, mono_ms) ? event.suppressed : -1;
}

static void of_a_burst_a_hundred_are_told_and_the_next_one_says_how_many_were_not(void **state)
{
    (void)state;
    int64_t now_ms = 5000;
    assert_int_equal(burst("task_restarted", 150, now_ms), EVENTS_PER_MINUTE);
    assert_int_equal(limits.suppressed_total, 50);
    now_ms += SHARE_MS;
    assert_int_equal(next("task_restarted", now_ms), 50);
    assert_int_equal(next("task_restarted", now_ms), -1);
    assert_int_equal(next("task_restarted", now_ms + SHARE_MS), 1);
    assert_int_equal(next("task_restarted", now_ms + 2 * SHARE_MS), 0);
    assert_int_equal(limits.suppressed_total, 51);
}

static void one_comes_back_after_its_share_of_the_minute_and_not_before(void **state)
{
    (void)state;
    burst("task_restarted", EVENTS_PER_MINUTE, 0);
    assert_int_equal(next("task_restarted", SHARE_MS - 1), -1);
    assert_int_equal(next("task_restarted", SHARE_MS), 1);
}

static void another_kind_is_told_as_if_nothing_had_happened(void **state)
{
    (void)state;
    burst("task_restarted", 150, 0);
    char kind[] = "task_failed"; /* told apart by their words, wherever these lie */
    assert_int_equal(next(kind, 0), 0);
    assert_int_equal(burst("task_failed", 150, 0), EVENTS_PER_MINUTE - 1);
    assert_int_equal(limits.count, 2);
}

static void after_a_quiet_minute_a_hundred_are_told_again_and_no_more(void **state)
{
    (void)state;
    burst("task_restarted", 150, 0);
    assert_int_equal(burst("task_restarted", 150, MINUTE_MS), EVENTS_PER_MINUTE);
    assert_int_equal(burst("task_restarted", 150, 60 * MINUTE_MS), EVENTS_PER_MINUTE);
}

static void half_a_quiet_minute_gives_half_of_them(void **state)
{
    (void)state;
    burst("task_restarted", EVENTS_PER_MINUTE, 0);
    assert_int_equal(burst("task_restarted", 150, MINUTE_MS / 2), EVENTS_PER_MINUTE / 2);
}

static void what_keeps_within_the_rate_is_told_for_ever(void **state)
{
    (void)state;
    int64_t now_ms = 0;
    for (int i = 0; i < 10 * EVENTS_PER_MINUTE; i++, now_ms += SHARE_MS)
        assert_int_equal(next("task_restarted", now_ms), 0);
    assert_int_equal(limits.suppressed_total, 0);
}

static void with_a_clock_that_does_not_move_a_hundred_are_told_in_all(void **state)
{
    (void)state;
    assert_int_equal(burst("task_restarted", 1000, 0), EVENTS_PER_MINUTE);
    assert_int_equal(burst("task_restarted", 1000, 0), 0);
    assert_int_equal(limits.suppressed_total, 2000 - EVENTS_PER_MINUTE);
}

static void encode(int64_t suppressed, struct buf *out)
{
    struct event event = {
        .kind = "task_restarted", .message = "again", .node = "n1", .suppressed = suppressed};
    struct event_origin origin = {.source = "/argosy/c/nodes/n1", .instance = "i", .number = 1};
    event_encode(&event, &origin, out);
}

static void an_event_carries_the_number_only_when_there_is_one(void **state)
{
    (void)state;
    _cleanup_buf_ struct buf some = BUF_EMPTY, none = BUF_EMPTY;
    encode(17, &some);
    encode(0, &none);
    assert_non_null(strstr(some.data, "\"suppressed\":17"));
    assert_null(strstr(none.data, "suppressed"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(
            of_a_burst_a_hundred_are_told_and_the_next_one_says_how_many_were_not, setup),
        cmocka_unit_test_setup(one_comes_back_after_its_share_of_the_minute_and_not_before, setup),
        cmocka_unit_test_setup(another_kind_is_told_as_if_nothing_had_happened, setup),
        cmocka_unit_test_setup(after_a_quiet_minute_a_hundred_are_told_again_and_no_more, setup),
        cmocka_unit_test_setup(half_a_quiet_minute_gives_half_of_them, setup),
        cmocka_unit_test_setup(what_keeps_within_the_rate_is_told_for_ever, setup),
        cmocka_unit_test_setup(with_a_clock_that_does_not_move_a_hundred_are_told_in_all, setup),
        cmocka_unit_test_setup(an_event_carries_the_number_only_when_there_is_one, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
