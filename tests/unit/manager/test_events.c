/* The manager's events: what happens too often is told in part, and what was not told is not taken
 * for told. */
#include "office.h"

#include "schema/limits.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#define UNREADABLE "manager/events/unreadable_document"

enum { SHARE_MS = 60 * 1000 / EVENTS_PER_MINUTE };

static struct office *office;

static int setup(void **state)
{
    (void)state;
    office = office_new();
    office_start(office);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    office_free(office);
    return 0;
}

/* A node whose info cannot be read; returns how many events have told of such until now. */
static size_t bad_node(int number)
{
    char topic[64];
    snprintf(topic, sizeof(topic), "nodes/n%d/info", number);
    office_say(office, topic, "garbage", false);
    return office_heard_times(office, UNREADABLE);
}

static size_t bad_nodes(int count)
{
    size_t told = 0;
    for (int number = 1; number <= count; number++)
        told = bad_node(number);
    return told;
}

static void
of_many_events_of_a_kind_a_hundred_are_told_and_the_next_one_says_how_many_were_not(void **state)
{
    (void)state;
    assert_int_equal(bad_nodes(EVENTS_PER_MINUTE + 17), EVENTS_PER_MINUTE);
    assert_null(strstr(office_heard(office, UNREADABLE)->payload, "suppressed"));
    office_pass(office, SHARE_MS);
    assert_int_equal(bad_node(1000), EVENTS_PER_MINUTE + 1);
    assert_non_null(strstr(office_heard(office, UNREADABLE)->payload, "\"suppressed\":17"));
}

static void another_kind_is_told_meanwhile(void **state)
{
    (void)state;
    bad_nodes(EVENTS_PER_MINUTE + 17);
    office_say(office, "do/jobs/web/set", "{\"image\":\"x\"}", false);
    office_say(office, "do/jobs/web/delete", "", false);
    assert_int_equal(office_heard_times(office, "manager/events/job_deleted"), 1);
}

static void what_is_told_once_and_was_left_out_is_told_when_it_comes_again(void **state)
{
    (void)state;
    assert_int_equal(bad_nodes(EVENTS_PER_MINUTE + 1), EVENTS_PER_MINUTE);
    office_pass(office, SHARE_MS);
    assert_int_equal(bad_node(EVENTS_PER_MINUTE), EVENTS_PER_MINUTE); /* it was told */
    assert_int_equal(bad_node(EVENTS_PER_MINUTE + 1), EVENTS_PER_MINUTE + 1);
    office_pass(office, SHARE_MS);
    assert_int_equal(bad_node(EVENTS_PER_MINUTE + 1), EVENTS_PER_MINUTE + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            of_many_events_of_a_kind_a_hundred_are_told_and_the_next_one_says_how_many_were_not,
            setup, teardown),
        cmocka_unit_test_setup_teardown(another_kind_is_told_meanwhile, setup, teardown),
        cmocka_unit_test_setup_teardown(
            what_is_told_once_and_was_left_out_is_told_when_it_comes_again, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
