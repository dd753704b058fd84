/* Jobs with a schedule: children by the clock. */
#include "cluster.h"

#include "schema/timezone.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MINUTE_MS 60000
#define JOB(cron, ...) \
    "{\"image\":\"x\",\"type\":\"batch\",\"schedule\":{\"cron\":\"" cron "\"" __VA_ARGS__ "}}"

static const char *const one[] = {"n1", NULL};

/* At 2023-11-14 22:13:20 UTC. */
/* Children that were ever assigned to the node. */
static size_t launches(const char *parent)
{
    size_t count = 0;
    for (size_t i = 0; i < c->document_count; i++) {
        const struct document *document = &c->documents[i].document;
        const char *prefix = "nodes/n1/assign/";
        const char *name = document->topic + strlen(prefix);
        count += !strncmp(document->topic, prefix, strlen(prefix)) &&
                 !strncmp(name, parent, strlen(parent)) && name[strlen(parent)] == '-';
    }
    return count;
}

static const char *child_at(const char *parent, int64_t at_s)
{
    static char name[LIMIT_NAME_LENGTH + 1];
    snprintf(name, sizeof(name), "%s-%010lld-0", parent, (long long)at_s);
    return name;
}

static int64_t now_s(void)
{
    return c->now.wall_ms / 1000;
}

static void assert_launched(const char *parent, int64_t at_s)
{
    const struct assignment *assignment = cluster_assignment(c, "n1", child_at(parent, at_s));
    assert_non_null(assignment);
    assert_null(assignment->spec.schedule);
    assert_string_equal(assignment->spec.dispatched->parent, parent);
}

static void it_is_launched_at_its_times_and_is_not_run_itself(void **state)
{
    (void)state;
    int64_t minute = now_s() / 60 * 60 + 60;
    cluster_set(c, "job", JOB("* * * * *"));
    assert_int_equal(cluster_status(c, "job")->state, JOB_PARENT);
    assert_int_equal(cluster_status(c, "job")->next_launch_ms, minute * 1000);
    assert_int_equal(launches("job"), 0);
    cluster_pass(c, MINUTE_MS, one);
    assert_int_equal(launches("job"), 1);
    assert_launched("job", minute);
    assert_true(cluster_saw_event(c, "launched"));
    assert_int_equal(cluster_status(c, "job")->next_launch_ms, (minute + 60) * 1000);
}

static void a_launch_that_still_runs_makes_the_next_time_pass(void **state)
{
    (void)state;
    cluster_set(c, "job", JOB("* * * * *"));
    cluster_pass(c, MINUTE_MS, one);
    cluster_obey(c, NULL);
    cluster_pass(c, 3 * MINUTE_MS, one);
    assert_int_equal(launches("job"), 1);
    assert_true(cluster_saw_event(c, "launch_passed_over"));
    cluster_report(c, "n1", child_at("job", now_s() / 60 * 60 - 180), 0, ATTEMPT_COMPLETED, 0);
    cluster_pass(c, MINUTE_MS, one);
    assert_int_equal(launches("job"), 2);
}

static void with_overlap_each_time_is_launched(void **state)
{
    (void)state;
    cluster_set(c, "job", JOB("* * * * *", ",\"overlap\":true"));
    cluster_pass(c, 3 * MINUTE_MS, one);
    assert_int_equal(launches("job"), 3);
}

static void several_expressions_launch_once_where_they_meet(void **state)
{
    (void)state;
    cluster_set(c, "job",
                "{\"image\":\"x\",\"type\":\"batch\",\"schedule\":{\"overlap\":true,"
                "\"cron\":[\"*/2 * * * *\",\"*/3 * * * *\"]}}");
    cluster_pass(c, 6 * MINUTE_MS, one); /* 14 15 16 18, and 20 is not yet */
    assert_int_equal(launches("job"), 4);
}

static void what_was_missed_is_launched_once(void **state)
{
    (void)state;
    cluster_set(c, "job", JOB("* * * * *", ",\"overlap\":true"));
    cluster_pass(c, MINUTE_MS, one);
    c->now.wall_ms += 10 * MINUTE_MS;
    c->now.mono_ms += 10 * MINUTE_MS;
    int64_t last = now_s() / 60 * 60;
    cluster_restart(c, false);
    cluster_add_node(c, "n1");
    cluster_lead(c);
    cluster_pass(c, 20000, one);
    assert_int_equal(launches("job"), 2);
    assert_launched("job", last);
}

static void a_manager_that_lost_its_store_launches_no_time_again(void **state)
{
    (void)state;
    cluster_set(c, "job", JOB("* * * * *", ",\"overlap\":true"));
    cluster_pass(c, MINUTE_MS, one);
    cluster_restart(c, true);
    cluster_add_node(c, "n1");
    cluster_lead(c);
    cluster_pass(c, 20000, one);
    assert_int_equal(launches("job"), 1);
}

static void a_clock_that_jumps_ahead_launches_once_and_one_that_goes_back_not_again(void **state)
{
    (void)state;
    cluster_set(c, "job", JOB("* * * * *", ",\"overlap\":true"));
    cluster_pass(c, MINUTE_MS, one);
    c->now.wall_ms += 30 * MINUTE_MS;
    cluster_pass(c, 1000, one);
    assert_int_equal(launches("job"), 2);
    c->now.wall_ms -= 30 * MINUTE_MS;
    cluster_pass(c, 29 * MINUTE_MS, one);
    assert_int_equal(launches("job"), 2);
    cluster_pass(c, 2 * MINUTE_MS, one);
    assert_int_equal(launches("job"), 3);
}

static void a_clock_that_was_years_ahead_does_not_end_the_launches(void **state)
{
    (void)state;
    c->now.wall_ms += INT64_C(3000) * 24 * 60 * MINUTE_MS;
    cluster_set(c, "job", JOB("* * * * *", ",\"overlap\":true"));
    cluster_pass(c, MINUTE_MS, one);
    c->now.wall_ms -= INT64_C(3000) * 24 * 60 * MINUTE_MS;
    cluster_pass(c, 2 * MINUTE_MS, one);
    assert_int_equal(launches("job"), 3);
}

static void a_stopped_job_is_not_launched_and_misses_nothing(void **state)
{
    (void)state;
    cluster_set(c, "job", JOB("* * * * *", ",\"overlap\":true"));
    cluster_command(c, COMMAND_JOB_STOP, "job");
    cluster_pass(c, 5 * MINUTE_MS, one);
    assert_int_equal(launches("job"), 0);
    assert_int_equal(cluster_status(c, "job")->next_launch_ms, 0);
    cluster_set(c, "job", JOB("* * * * *", ",\"overlap\":true"));
    assert_int_equal(launches("job"), 0);
    cluster_pass(c, MINUTE_MS, one);
    assert_int_equal(launches("job"), 1);
}

static void a_new_schedule_begins_now(void **state)
{
    (void)state;
    cluster_set(c, "job", JOB("0 0 * * *"));
    cluster_pass(c, 5 * MINUTE_MS, one);
    cluster_set(c, "job", JOB("15 22 * * *")); /* three minutes ago */
    cluster_pass(c, 1000, one);
    assert_int_equal(launches("job"), 0);
}

static void a_zone_is_used_when_it_is_known(void **state)
{
    (void)state;
    struct timezone zone = {.has_footer = true};
    assert_true(timezone_parse_footer("CET-1CEST,M3.5.0,M10.5.0/3", &zone.footer));
    struct zone_event event = {"Europe/Vienna", &zone};
    cluster_set(c, "far", JOB("30 23 * * *", ",\"timezone\":\"Asia/Tokyo\""));
    assert_int_equal(cluster_status(c, "far")->next_launch_ms, 0);
    cluster_step(c, &(struct manager_event){.kind = EVENT_ZONE, .zone = &event});
    cluster_set(c, "job", JOB("30 23 * * *", ",\"timezone\":\"Europe/Vienna\""));
    cluster_pass(c, 20 * MINUTE_MS, one);
    assert_launched("job", INT64_C(1700001000)); /* 22:30 UTC */
}

static void a_person_may_launch_it_too(void **state)
{
    (void)state;
    cluster_set(c, "job", JOB("* * * * *"));
    struct dispatch_arguments arguments = {.payload = NULL};
    struct command_envelope envelope = {.expect_version = UNSET, .expires_at_ms = UNSET};
    struct command command = {
        .kind = COMMAND_JOB_DISPATCH, .envelope = &envelope, .dispatch = &arguments};
    cluster_step(c, &(struct manager_event){
                        .kind = EVENT_COMMAND, .job = "job", .live = true, .command = &command});
    assert_true(c->effects.verdict.accepted);
    assert_int_equal(launches("job"), 1);
    arguments.payload = "text";
    cluster_step(c, &(struct manager_event){
                        .kind = EVENT_COMMAND, .job = "job", .live = true, .command = &command});
    assert_false(c->effects.verdict.accepted);
}

static void only_the_newest_launches_that_have_ended_are_kept(void **state)
{
    (void)state;
    cluster_set(c, "job", JOB("* * * * *"));
    for (int i = 0; i < 15; i++) {
        cluster_pass(c, MINUTE_MS, one);
        cluster_report(c, "n1", child_at("job", now_s() / 60 * 60), 0, ATTEMPT_COMPLETED, 0);
    }
    cluster_obey(c, NULL);
    size_t kept = 0;
    for (size_t i = 0; i < c->document_count; i++)
        kept += strstr(c->documents[i].document.topic, "jobs/job-") &&
                strstr(c->documents[i].document.topic, "/spec") &&
                !c->documents[i].document.job_document.head.tombstone;
    assert_int_equal(kept, CHILDREN_KEPT);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, cluster_setup_with_n1, cluster_teardown)
    const struct CMUnitTest tests[] = {
        TEST(it_is_launched_at_its_times_and_is_not_run_itself),
        TEST(a_launch_that_still_runs_makes_the_next_time_pass),
        TEST(with_overlap_each_time_is_launched),
        TEST(several_expressions_launch_once_where_they_meet),
        TEST(what_was_missed_is_launched_once),
        TEST(a_manager_that_lost_its_store_launches_no_time_again),
        TEST(a_clock_that_jumps_ahead_launches_once_and_one_that_goes_back_not_again),
        TEST(a_clock_that_was_years_ahead_does_not_end_the_launches),
        TEST(a_stopped_job_is_not_launched_and_misses_nothing),
        TEST(a_new_schedule_begins_now),
        TEST(a_zone_is_used_when_it_is_known),
        TEST(a_person_may_launch_it_too),
        TEST(only_the_newest_launches_that_have_ended_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
