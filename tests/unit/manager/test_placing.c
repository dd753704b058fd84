/* Where instances go, as the specification says it; and whose room they may take. */
#include "cluster.h"

#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

/* A node has four cores: two of these fill it. */
#define BIG(...) "{\"image\":\"x\",\"resources\":{\"cpu\":2}" __VA_ARGS__ "}"

static int setup(void **state)
{
    (void)state;
    c = calloc(1, sizeof(*c));
    cluster_init_preempting(c, PREEMPTION_BY_ALL);
    return 0;
}

static void racks_join(void)
{
    cluster_add_node_labelled(c, "n1", "rack", "a");
    cluster_add_node_labelled(c, "n2", "rack", "b");
    cluster_add_node_labelled(c, "n3", "rack", "c");
}

static const struct pending_group *pending(const char *job)
{
    assert_true(cluster_status(c, job)->pending.count > 0);
    return RECORD_AT(struct pending_group, cluster_status(c, job)->pending, 0);
}

/* ---- constraints and the like ---- */

static void a_constraint_is_kept_to_and_named_where_nothing_satisfies_it(void **state)
{
    (void)state;
    cluster_add_node_labelled(c, "n1", "rack", "a");
    cluster_set(c, "web", BIG(",\"constraints\":[\"label.rack == b\"]"));
    assert_string_equal(pending("web")->reason, "constraint");
    const struct exclusion *excluded = RECORD_AT(struct exclusion, pending("web")->excluded, 0);
    assert_string_equal(excluded->detail, "label.rack == b");
    assert_int_equal(excluded->nodes, 1);
    cluster_add_node_labelled(c, "n2", "rack", "b");
    assert_int_equal(cluster_wanted(c, "n2", "web"), 1);
}

static void the_constraints_of_job_and_task_hold_both(void **state)
{
    (void)state;
    racks_join();
    cluster_set(c, "web",
                "{\"constraints\":[\"label.rack != a\"],"
                "\"tasks\":[{\"name\":\"x\",\"image\":\"x\",\"constraints\":[\"label.rack != b\"]},"
                "{\"name\":\"y\",\"image\":\"x\"}]}");
    assert_int_equal(cluster_wanted(c, "n1", "web"), 0);
    assert_int_equal(cluster_wanted(c, NULL, "web"), 2);
    assert_true(cluster_wanted(c, "n3", "web") >= 1);
}

static void a_new_constraint_moves_what_is_on_the_wrong_node_and_nothing_else(void **state)
{
    (void)state;
    static const char *const all[] = {"n1", "n2", "n3", NULL};
    racks_join();
    cluster_set(c, "web", BIG(",\"count\":3,\"distinct_hosts\":true"));
    cluster_obey(c, NULL);
    cluster_pass(c, 11000, all); /* min_healthy */
    int64_t version = cluster_attempt(c, "n3", "web", 0)->version;
    cluster_set(c, "web", BIG(",\"count\":3,\"constraints\":[\"label.rack in [b, c]\"]"));
    assert_int_equal(cluster_attempt(c, "n1", "web", 0)->reason, REASON_UPDATED);
    assert_int_equal(cluster_attempt(c, "n3", "web", 0)->desired, DESIRED_RUN);
    assert_int_equal(cluster_attempt(c, "n3", "web", 0)->version, version + 1);
    cluster_obey(c, NULL);
    assert_int_equal(cluster_wanted(c, "n1", "web"), 0);
    assert_int_equal(cluster_wanted(c, NULL, "web"), 3);
}

static void a_node_whose_label_changes_keeps_what_runs_there(void **state)
{
    (void)state;
    cluster_add_node_labelled(c, "n1", "rack", "b");
    cluster_set(c, "web", BIG(",\"constraints\":[\"label.rack == b\"]"));
    cluster_obey(c, NULL);
    cluster_add_node_labelled(c, "n1", "rack", "a");
    cluster_add_node_labelled(c, "n2", "rack", "b");
    assert_int_equal(cluster_wanted(c, "n1", "web"), 1);
}

static void a_completed_batch_does_not_run_again_because_of_a_new_constraint(void **state)
{
    (void)state;
    racks_join();
    cluster_set(c, "sum", BIG(",\"type\":\"batch\",\"constraints\":[\"label.rack == a\"]"));
    cluster_report(c, "n1", "sum", 0, ATTEMPT_COMPLETED, 0);
    cluster_set(c, "sum", BIG(",\"type\":\"batch\",\"constraints\":[\"label.rack == b\"]"));
    assert_int_equal(cluster_wanted(c, "n2", "sum"), 0);
    assert_int_equal(cluster_status(c, "sum")->state, JOB_COMPLETED);
}

static void distinct_hosts_and_properties_leave_the_rest_pending(void **state)
{
    (void)state;
    racks_join();
    cluster_set(c, "web", "{\"image\":\"x\",\"count\":4,\"distinct_hosts\":true}");
    assert_int_equal(cluster_wanted(c, NULL, "web"), 3);
    assert_string_equal(pending("web")->reason, "distinct_hosts");
    cluster_set(c, "db",
                "{\"image\":\"x\",\"count\":7,\"distinct_property\":"
                "{\"attribute\":\"label.rack\",\"limit\":2}}");
    assert_int_equal(cluster_wanted(c, "n2", "db"), 2);
    assert_int_equal(cluster_wanted(c, NULL, "db"), 6);
    assert_string_equal(pending("db")->reason, "distinct_property");
}

static void affinity_spread_and_policy_choose(void **state)
{
    (void)state;
    racks_join();
    cluster_set(c, "near", BIG(",\"affinities\":[{\"expr\":\"label.rack == c\",\"weight\":100}]"));
    assert_int_equal(cluster_wanted(c, "n3", "near"), 1);
    cluster_set(c, "wide",
                "{\"image\":\"x\",\"count\":6,\"spread\":[{\"attribute\":\"label.rack\"}]}");
    assert_int_equal(cluster_wanted(c, "n1", "wide"), 2);
    assert_int_equal(cluster_wanted(c, "n3", "wide"), 2);
    cluster_set(c, "flat", BIG(",\"policy\":\"spread\""));
    assert_int_equal(cluster_wanted(c, "n3", "flat"), 0);
}

/* ---- the line ---- */

static void room_goes_to_the_highest_priority_and_then_to_who_waits_longest(void **state)
{
    (void)state;
    cluster_add_node(c, "n1");
    cluster_set(c, "full", BIG(",\"count\":2,\"priority\":80"));
    cluster_set(c, "first", BIG());
    cluster_set(c, "second", BIG());
    cluster_set(c, "third", BIG(",\"priority\":55"));
    cluster_obey(c, NULL);
    cluster_scale(c, "full", 1);
    cluster_obey(c, NULL);
    assert_int_equal(cluster_wanted(c, "n1", "third"), 1);
    cluster_scale(c, "full", 0);
    cluster_obey(c, NULL);
    assert_int_equal(cluster_wanted(c, "n1", "first"), 1);
    assert_int_equal(cluster_wanted(c, "n1", "second"), 0);
}

static void what_is_told_of_the_nodes_follows_a_little_later(void **state)
{
    (void)state;
    static const char *const one[] = {"n1", NULL};
    cluster_add_node_labelled(c, "n1", "rack", "a");
    cluster_set(c, "web", BIG(",\"constraints\":[\"label.rack == b\"]"));
    cluster_add_node_labelled(c, "n2", "rack", "c");
    cluster_pass(c, 2000, one);
    assert_int_equal(RECORD_AT(struct exclusion, pending("web")->excluded, 0)->nodes, 2);
    cluster_set_eligible(c, "n2", false);
    cluster_pass(c, 2000, one);
    assert_int_equal(pending("web")->excluded.count, 2);
    int64_t writes = cluster_writes(c, "jobs/web/status");
    cluster_pass(c, 20000, one);
    assert_int_equal(cluster_writes(c, "jobs/web/status"), writes);
}

static void a_leftover_bars_its_node_until_its_worker_clears_what_it_said_of_it(void **state)
{
    (void)state;
    struct observed_attempt leftover = {.id = "old_old_0_abcdefgh", .state = ATTEMPT_RUNNING};
    struct node_state report = {.head = {.seq = 1000}, .attempts = {&leftover, 1}};
    struct manager_event event = {
        .kind = EVENT_NODE_STATE, .node = "n1", .job = "old", .live = true, .node_state = &report};
    cluster_add_node(c, "n1");
    cluster_step(c, &event);
    cluster_answer(c, "n1", NULL, 0, 0);
    cluster_set(c, "web", BIG());
    assert_string_equal(pending("web")->reason, "node_cleaning");
    cluster_step(c,
                 &(struct manager_event){.kind = EVENT_STATE_CLEARED, .node = "n1", .job = "old"});
    assert_int_equal(cluster_wanted(c, "n1", "web"), 1);
}

/* ---- preemption ---- */

static void a_higher_priority_takes_the_room_once_it_is_empty(void **state)
{
    (void)state;
    cluster_add_node(c, "n1");
    cluster_set(c, "low", BIG(",\"count\":2,\"priority\":20"));
    cluster_obey(c, NULL);
    cluster_set(c, "high", BIG(",\"priority\":70"));
    assert_int_equal(cluster_wanted(c, "n1", "low"), 1);
    assert_int_equal(cluster_wanted(c, "n1", "high"), 0);
    assert_string_equal(pending("high")->reason, "making_room");
    assert_true(cluster_saw_event(c, "attempt_preempted"));
    cluster_set(c, "thief", BIG(",\"priority\":70")); /* the room is not anybody's: low's other */
    assert_int_equal(cluster_wanted(c, "n1", "low"), 0);
    cluster_set(c, "late", BIG(",\"priority\":75"));
    assert_string_equal(pending("late")->reason, "cpu_exhausted");
    cluster_obey(c, NULL);
    assert_int_equal(cluster_wanted(c, "n1", "high"), 1);
    assert_int_equal(cluster_wanted(c, "n1", "thief"), 1);
    assert_int_equal(cluster_status(c, "low")->counts.pending, 2);
    cluster_command(c, COMMAND_JOB_STOP, "high");
    cluster_obey(c, NULL);
    assert_int_equal(cluster_wanted(c, "n1", "late"), 1);
}

static void less_than_ten_more_is_not_enough(void **state)
{
    (void)state;
    cluster_add_node(c, "n1");
    cluster_set(c, "low", BIG(",\"count\":2"));
    cluster_obey(c, NULL);
    cluster_set(c, "high", BIG(",\"priority\":59"));
    assert_int_equal(cluster_wanted(c, "n1", "low"), 2);
    assert_string_equal(pending("high")->reason, "cpu_exhausted");
    cluster_set(c, "high", BIG(",\"priority\":60")); /* in place, and looked at anew */
    assert_int_equal(cluster_wanted(c, "n1", "low"), 1);
}

static void reserved_room_is_given_up_when_its_node_goes(void **state)
{
    (void)state;
    cluster_add_node(c, "n1");
    cluster_set(c, "low", BIG(",\"count\":2,\"priority\":20"));
    cluster_obey(c, NULL);
    cluster_set(c, "high", BIG(",\"priority\":70"));
    cluster_set_eligible(c, "n1", false);
    cluster_obey(c, NULL);
    assert_int_equal(cluster_wanted(c, NULL, "high"), 0);
    assert_string_equal(pending("high")->reason, "ineligible");
    cluster_add_node(c, "n2");
    assert_int_equal(cluster_wanted(c, "n2", "high"), 1);
}

static void reserved_room_is_given_up_when_the_job_is_stopped(void **state)
{
    (void)state;
    cluster_add_node(c, "n1");
    cluster_set(c, "low", BIG(",\"count\":2,\"priority\":20"));
    cluster_obey(c, NULL);
    cluster_set(c, "high", BIG(",\"priority\":70"));
    cluster_command(c, COMMAND_JOB_STOP, "high");
    cluster_obey(c, NULL);
    assert_int_equal(cluster_wanted(c, "n1", "high"), 0);
    assert_int_equal(cluster_wanted(c, "n1", "low"), 2);
}

static void a_manager_started_anew_stops_nobody_else_for_the_same_room(void **state)
{
    (void)state;
    static const char *const one[] = {"n1", NULL};
    cluster_add_node(c, "n1");
    cluster_set(c, "low", BIG(",\"count\":2,\"priority\":20"));
    cluster_obey(c, NULL);
    cluster_set(c, "high", BIG(",\"priority\":70"));
    cluster_restart(c, false);
    cluster_add_node(c, "n1");
    cluster_lead(c);
    cluster_pass(c, 60000, one);
    assert_int_equal(cluster_wanted(c, "n1", "low"), 1);
    cluster_obey(c, NULL);
    assert_int_equal(cluster_wanted(c, "n1", "high"), 1);
    assert_int_equal(cluster_wanted(c, "n1", "low"), 1);
}

static void room_that_is_being_left_anyway_costs_nobody_else_theirs(void **state)
{
    (void)state;
    cluster_add_node(c, "n1");
    cluster_set(c, "peer", BIG(",\"priority\":70"));
    cluster_set(c, "low", BIG(",\"priority\":20"));
    cluster_obey(c, NULL);
    cluster_command(c, COMMAND_JOB_STOP, "peer");
    cluster_set(c, "high", BIG(",\"priority\":70"));
    assert_int_equal(cluster_wanted(c, "n1", "low"), 1);
    assert_string_equal(pending("high")->reason, "making_room");
    cluster_obey(c, NULL);
    assert_int_equal(cluster_wanted(c, "n1", "high"), 1);
    assert_int_equal(cluster_wanted(c, "n1", "low"), 1);
}

static void a_system_job_takes_its_room_on_each_node_and_a_service_does_not(void **state)
{
    (void)state;
    cluster_add_node(c, "n1");
    cluster_add_node(c, "n2");
    cluster_set(c, "low", BIG(",\"count\":4,\"priority\":20"));
    cluster_obey(c, NULL);
    cluster_set(c, "high", BIG(",\"priority\":100"));
    assert_int_equal(cluster_wanted(c, NULL, "low"), 4);
    cluster_set(c, "agent", BIG(",\"type\":\"system\",\"priority\":90"));
    assert_int_equal(cluster_wanted(c, "n1", "low"), 1);
    assert_int_equal(cluster_wanted(c, "n2", "low"), 1);
    cluster_obey(c, NULL);
    assert_int_equal(cluster_wanted(c, "n1", "agent"), 1);
    assert_int_equal(cluster_wanted(c, "n2", "agent"), 1);
}

int main(void)
{
#define TEST(name)        cmocka_unit_test_setup_teardown(name, setup, cluster_teardown)
#define TEST_SYSTEM(name) cmocka_unit_test_setup_teardown(name, cluster_setup, cluster_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_constraint_is_kept_to_and_named_where_nothing_satisfies_it),
        TEST(the_constraints_of_job_and_task_hold_both),
        TEST(a_new_constraint_moves_what_is_on_the_wrong_node_and_nothing_else),
        TEST(a_node_whose_label_changes_keeps_what_runs_there),
        TEST(a_completed_batch_does_not_run_again_because_of_a_new_constraint),
        TEST(distinct_hosts_and_properties_leave_the_rest_pending),
        TEST(affinity_spread_and_policy_choose),
        TEST(room_goes_to_the_highest_priority_and_then_to_who_waits_longest),
        TEST(what_is_told_of_the_nodes_follows_a_little_later),
        TEST(a_leftover_bars_its_node_until_its_worker_clears_what_it_said_of_it),
        TEST(a_higher_priority_takes_the_room_once_it_is_empty),
        TEST(less_than_ten_more_is_not_enough),
        TEST(reserved_room_is_given_up_when_its_node_goes),
        TEST(reserved_room_is_given_up_when_the_job_is_stopped),
        TEST(a_manager_started_anew_stops_nobody_else_for_the_same_room),
        TEST(room_that_is_being_left_anyway_costs_nobody_else_theirs),
        TEST_SYSTEM(a_system_job_takes_its_room_on_each_node_and_a_service_does_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
