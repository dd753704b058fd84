/* Liveness, loss, return; what people do to nodes; updates that move instances. */
#include "cluster.h"

#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

static const char *const only_n2[] = {"n2", NULL};
static const char *const both[] = {"n1", "n2", NULL};

enum { SILENCE_MS = 3 * 10000 + DEFAULT_GRACE_MS };

#define PATIENT "{\"image\":\"x\",\"disconnect\":{\"lost_after\":\"1m\"}}"

/* "web" runs on n1; n2 has joined, and n1 is silent for `ms`. */
static void silence_n1(const char *spec, int64_t ms)
{
    cluster_set(c, "web", spec);
    cluster_obey(c, NULL);
    cluster_add_node(c, "n2");
    cluster_pass(c, ms, only_n2);
}

static void a_silent_node_makes_its_attempts_unknown_not_lost(void **state)
{
    (void)state;
    silence_n1(PATIENT, SILENCE_MS - 2000);
    assert_int_equal(cluster_status(c, "web")->counts.unknown, 0);
    cluster_pass(c, 4000, only_n2);
    assert_int_equal(cluster_status(c, "web")->counts.unknown, 1);
    assert_int_equal(cluster_wanted(c, NULL, "web"), 1);
    assert_true(cluster_saw_event(c, "node_silent"));
}

static void the_will_alone_moves_nothing_but_keeps_new_work_away(void **state)
{
    (void)state;
    cluster_set(c, "web", PATIENT);
    cluster_obey(c, NULL);
    cluster_presence(c, "n1", PRESENCE_OFFLINE, 1);
    assert_int_equal(cluster_status(c, "web")->counts.running, 1);
    cluster_set(c, "other", "{\"image\":\"x\"}");
    assert_string_equal(cluster_pending_reason(c, "other", 0), "node_silent");
    cluster_presence(c, "n1", PRESENCE_ONLINE, 2);
    assert_int_equal(cluster_wanted(c, "n1", "other"), 1);
}

static void a_leftover_whose_end_was_missed_does_not_bar_its_node_for_ever(void **state)
{
    (void)state;
    struct observed_attempt leftover = {.id = "old_old_0_abcdefgh", .state = ATTEMPT_RUNNING};
    struct node_state report = {.attempts = {&leftover, 1}};
    cluster_step(c, &(struct manager_event){.kind = EVENT_NODE_STATE,
                                            .node = "n1",
                                            .job = "old",
                                            .live = true,
                                            .node_state = &report});
    cluster_answer(c, "n1", NULL, 0, 0);
    cluster_presence(c, "n2", PRESENCE_OFFLINE, 1);
    cluster_set(c, "web", PATIENT);
    assert_string_equal(cluster_pending_reason(c, "web", 0), "node_cleaning");
    cluster_lose_link(c);
    cluster_lead(c);
    cluster_heartbeat(c, "n1");
    assert_int_equal(cluster_wanted(c, "n1", "web"), 1);
}

static void after_lost_after_the_instance_runs_elsewhere(void **state)
{
    (void)state;
    silence_n1(PATIENT, SILENCE_MS + 50000);
    assert_int_equal(cluster_wanted(c, "n2", "web"), 0);
    cluster_pass(c, 15000, only_n2);
    assert_int_equal(cluster_wanted(c, "n2", "web"), 1);
    cluster_obey(c, "n2");
    assert_int_equal(cluster_status(c, "web")->counts.running, 1);
}

static void a_pinned_instance_is_never_replaced(void **state)
{
    (void)state;
    silence_n1("{\"image\":\"x\",\"disconnect\":{\"lost_after\":\"1s\",\"replace\":false}}",
               SILENCE_MS + 600000);
    assert_int_equal(cluster_wanted(c, "n2", "web"), 0);
}

static void stop_after_is_waited_for_before_an_instance_is_replaced(void **state)
{
    (void)state;
    /* 1m + 2m + stop timeout 10s + 2.5 keepalives of 30s */
    silence_n1("{\"image\":\"x\",\"disconnect\":{\"lost_after\":\"1m\",\"stop_after\":\"2m\"}}",
               SILENCE_MS + 260000);
    assert_int_equal(cluster_wanted(c, "n2", "web"), 0);
    cluster_pass(c, 10000, only_n2);
    assert_int_equal(cluster_wanted(c, "n2", "web"), 1);
}

static void the_original_is_kept_when_its_node_is_back(void **state)
{
    (void)state;
    silence_n1(PATIENT, SILENCE_MS + 62000);
    cluster_obey(c, "n2");
    assert_int_equal(cluster_wanted(c, NULL, "web"), 2);
    cluster_heartbeat(c, "n1");
    assert_int_equal(cluster_wanted(c, NULL, "web"), 2); /* it may have ended meanwhile */
    cluster_report(c, "n1", "web", 0, ATTEMPT_RUNNING, UNSET);
    assert_int_equal(cluster_wanted(c, "n1", "web"), 1);
    assert_int_equal(cluster_wanted(c, "n2", "web"), 0);
    assert_int_equal(cluster_attempt(c, "n2", "web", 0)->reason, REASON_REPLACED);
    cluster_obey(c, NULL);
    assert_int_equal(cluster_status(c, "web")->counts.running, 1);
}

static void
an_original_that_ended_while_its_node_was_silent_does_not_end_its_replacement(void **state)
{
    (void)state;
    silence_n1(PATIENT, SILENCE_MS + 62000);
    cluster_obey(c, "n2");
    cluster_heartbeat(c, "n1");
    cluster_report(c, "n1", "web", 0, ATTEMPT_STOPPED, UNSET);
    cluster_pass(c, 5000, both);
    assert_int_equal(cluster_wanted(c, "n2", "web"), 1);
    assert_int_equal(cluster_status(c, "web")->counts.running, 1);
}

static void a_node_whose_will_came_before_its_info_gets_nothing(void **state)
{
    (void)state;
    const char *runtimes[] = {"docker"};
    struct node_info info = {.head = {.seq = 9},
                             .datacenter = "dc1",
                             .capacity = {64000, (int64_t)64 << 30, (int64_t)64 << 30},
                             .runtimes = {runtimes, 1}};
    cluster_presence(c, "dead", PRESENCE_OFFLINE, 1);
    cluster_step(
        c, &(struct manager_event){.kind = EVENT_NODE_INFO, .node = "dead", .node_info = &info});
    cluster_set(c, "web", "{\"image\":\"x\",\"count\":3}");
    assert_int_equal(cluster_wanted(c, "dead", "web"), 0);
}

static void a_node_that_was_only_slow_is_believed_after_two_heartbeats(void **state)
{
    (void)state;
    silence_n1(PATIENT, SILENCE_MS + 62000);
    cluster_obey(c, "n2");
    cluster_heartbeat(c, "n1");
    assert_int_equal(cluster_wanted(c, NULL, "web"), 2);
    cluster_heartbeat(c, "n1");
    assert_int_equal(cluster_wanted(c, NULL, "web"), 1);
}

static void the_replacement_is_kept_when_the_policy_says_so(void **state)
{
    (void)state;
    silence_n1("{\"image\":\"x\",\"disconnect\":{\"lost_after\":\"1m\","
               "\"reconcile\":\"keep_replacement\"}}",
               SILENCE_MS + 62000);
    cluster_obey(c, "n2");
    assert_int_equal(cluster_attempt(c, "n1", "web", 0)->known.state, ATTEMPT_LOST);
    assert_int_equal(cluster_attempt(c, "n1", "web", 0)->desired, DESIRED_STOP);
    cluster_heartbeat(c, "n1");
    assert_int_equal(cluster_wanted(c, "n2", "web"), 1);
    /* stop until it has answered */
    cluster_pass(c, 60000, both);
    assert_int_equal(cluster_attempt(c, "n1", "web", 0)->desired, DESIRED_STOP);
    cluster_obey(c, "n1");
    assert_true(cluster_assignment(c, "n1", "web")->head.tombstone);
}

static void a_lost_attempt_stays_lost_whatever_is_reported_later(void **state)
{
    (void)state;
    char id[LIMIT_TASK_ID_LENGTH + 1];
    silence_n1("{\"image\":\"x\",\"disconnect\":{\"lost_after\":\"1m\","
               "\"reconcile\":\"keep_replacement\"}}",
               SILENCE_MS + 62000);
    strcpy(id, cluster_attempt(c, "n1", "web", 0)->id);
    cluster_report_id(c, "n1", id, ATTEMPT_RUNNING, UNSET);
    assert_int_equal(cluster_attempt(c, "n1", "web", 0)->known.state, ATTEMPT_LOST);
    assert_int_equal(cluster_wanted(c, NULL, "web"), 1);
}

static void what_a_lost_attempt_holds_is_free_only_when_the_worker_has_answered(void **state)
{
    (void)state;
    cluster_add_node_sized(c, "n1", "dc1", 1000, (int64_t)4 << 30);
    cluster_set(c, "web",
                "{\"image\":\"x\",\"resources\":{\"cpu\":0.8},\"disconnect\":{"
                "\"lost_after\":\"1s\",\"reconcile\":\"keep_replacement\"}}");
    cluster_obey(c, NULL);
    cluster_add_node_sized(c, "n2", "dc1", 1000, (int64_t)4 << 30);
    cluster_pass(c, SILENCE_MS + 5000, only_n2);
    cluster_obey(c, "n2");
    cluster_set(c, "other", "{\"image\":\"x\",\"resources\":{\"cpu\":0.8}}");
    cluster_heartbeat(c, "n1");
    assert_int_equal(cluster_wanted(c, "n1", "other"), 0);
    cluster_obey(c, "n1");
    assert_int_equal(cluster_wanted(c, "n1", "other"), 1);
}

static void while_we_are_not_connected_the_timers_stand_still(void **state)
{
    (void)state;
    cluster_set(c, "web", PATIENT);
    cluster_obey(c, NULL);
    cluster_heartbeat(c, "n1");
    cluster_lose_link(c);
    c->now.mono_ms += 3600 * 1000;
    c->now.wall_ms += 3600 * 1000;
    cluster_lead(c);
    cluster_pass(c, SILENCE_MS - 1000, NULL);
    assert_int_equal(cluster_status(c, "web")->counts.unknown, 0);
    cluster_pass(c, 2000, NULL);
    assert_int_equal(cluster_status(c, "web")->counts.unknown, 1);
}

static void an_ineligible_node_gets_nothing_new_and_keeps_what_it_has(void **state)
{
    (void)state;
    cluster_set(c, "web", PATIENT);
    cluster_obey(c, NULL);
    struct command_envelope envelope = {.expect_version = UNSET, .expires_at_ms = UNSET};
    struct node_arguments arguments = {.eligible = 0, .interval_ms = UNSET};
    struct command command = {
        .kind = COMMAND_NODE_ELIGIBILITY, .envelope = &envelope, .node = &arguments};
    cluster_step(c,
                 &(struct manager_event){.kind = EVENT_COMMAND, .node = "n1", .command = &command});
    assert_true(c->effects.verdict.accepted);
    assert_false(cluster_document(c, "nodes/n1/desired")->node_desired.eligible);
    cluster_scale(c, "web", 2);
    assert_int_equal(cluster_wanted(c, "n1", "web"), 1);
    assert_string_equal(cluster_pending_reason(c, "web", 0), "ineligible");
}

static void labels_set_by_people_are_merged_and_taken_away(void **state)
{
    (void)state;
    struct string_pair first[] = {{"rack", "r1"}, {"site", "graz"}};
    struct string_pair second[] = {{"rack", ""}, {"zone", "z"}};
    struct command_envelope envelope = {.expect_version = UNSET, .expires_at_ms = UNSET};
    struct node_arguments arguments = {
        .eligible = UNSET, .interval_ms = UNSET, .labels = {first, 2}};
    struct command command = {
        .kind = COMMAND_NODE_LABELS, .envelope = &envelope, .node = &arguments};
    struct manager_event event = {.kind = EVENT_COMMAND, .node = "n1", .command = &command};
    cluster_step(c, &event);
    arguments.labels = (struct string_map){second, 2};
    cluster_step(c, &event);
    const struct string_map *labels = &cluster_document(c, "nodes/n1/desired")->node_desired.labels;
    assert_int_equal(labels->count, 2);
    assert_string_equal(labels->items[0].key, "site");
    assert_string_equal(labels->items[1].key, "zone");
}

/* ---- failures and where they lead ---- */

static void a_failed_service_is_placed_again_after_a_growing_delay_on_another_node(void **state)
{
    (void)state;
    cluster_set(c, "web", "{\"image\":\"x\"}");
    cluster_add_node(c, "n2");
    cluster_report(c, "n1", "web", 0, ATTEMPT_FAILED, 1);
    cluster_pass(c, 29000, both);
    assert_int_equal(cluster_wanted(c, NULL, "web"), 0);
    cluster_pass(c, 2000, both);
    assert_int_equal(cluster_wanted(c, "n2", "web"), 1);
    cluster_report(c, "n2", "web", 0, ATTEMPT_FAILED, 1);
    cluster_pass(c, 58000, both);
    assert_int_equal(cluster_wanted(c, NULL, "web"), 0);
    cluster_pass(c, 3000, both);
    assert_int_equal(cluster_wanted(c, NULL, "web"), 1);
}

static void a_rejected_attempt_is_placed_elsewhere(void **state)
{
    (void)state;
    cluster_set(c, "web", "{\"image\":\"x\"}");
    cluster_add_node(c, "n2");
    cluster_report(c, "n1", "web", 0, ATTEMPT_REJECTED, UNSET);
    cluster_pass(c, 31000, both);
    assert_int_equal(cluster_wanted(c, "n2", "web"), 1);
}

static void a_failed_attempt_stays_for_an_hour_for_a_look(void **state)
{
    (void)state;
    cluster_set(c, "web", "{\"image\":\"x\"}");
    cluster_report(c, "n1", "web", 0, ATTEMPT_FAILED, 1);
    cluster_pass(c, 31000, (const char *[]){"n1", NULL});
    cluster_obey(c, NULL);
    assert_int_equal(cluster_assignment(c, "n1", "web")->attempts.count, 2);
    cluster_pass(c, FINAL_ATTEMPT_KEPT_MS, (const char *[]){"n1", NULL});
    assert_int_equal(cluster_assignment(c, "n1", "web")->attempts.count, 1);
}

/* ---- updates ---- */

#define VERSION(image)                                                                             \
    "{\"image\":\"" image "\",\"count\":3,\"update\":{\"max_parallel\":1,\"min_healthy\":\"10s\"}" \
    "}"

static void an_update_replaces_one_instance_at_a_time_and_waits_for_its_health(void **state)
{
    (void)state;
    cluster_set(c, "web", VERSION("a"));
    cluster_obey(c, NULL);
    cluster_set(c, "web", VERSION("b"));
    assert_int_equal(cluster_wanted(c, NULL, "web"), 2);
    cluster_obey(c, NULL); /* stopped, and the new one started */
    assert_int_equal(cluster_wanted(c, NULL, "web"), 3);
    assert_int_equal(cluster_assignment(c, "n1", "web")->older.count, 1);
    cluster_pass(c, 9000, (const char *[]){"n1", NULL});
    assert_int_equal(cluster_wanted(c, NULL, "web"), 3);
    cluster_pass(c, 2000, (const char *[]){"n1", NULL});
    assert_int_equal(cluster_wanted(c, NULL, "web"), 2);
    for (int i = 0; i < 3; i++) {
        cluster_obey(c, NULL);
        cluster_pass(c, 11000, (const char *[]){"n1", NULL});
    }
    assert_int_equal(cluster_assignment(c, "n1", "web")->older.count, 0);
    assert_int_equal(cluster_assignment(c, "n1", "web")->version, 2);
    assert_int_equal(cluster_status(c, "web")->counts.running, 3);
}

static void an_update_in_place_restarts_nothing(void **state)
{
    (void)state;
    cluster_set(c, "web", "{\"image\":\"x\"}");
    cluster_obey(c, NULL);
    char id[LIMIT_TASK_ID_LENGTH + 1];
    strcpy(id, cluster_attempt(c, "n1", "web", 0)->id);
    cluster_set(c, "web", "{\"image\":\"x\",\"restart\":{\"attempts\":7},\"meta\":{\"a\":\"b\"}}");
    assert_string_equal(cluster_attempt(c, "n1", "web", 0)->id, id);
    assert_int_equal(cluster_attempt(c, "n1", "web", 0)->desired, DESIRED_RUN);
    assert_int_equal(cluster_attempt(c, "n1", "web", 0)->version, 2);
}

static void a_replaced_instance_is_placed_only_when_the_old_one_has_ended(void **state)
{
    (void)state;
    cluster_set(c, "web", "{\"image\":\"a\"}");
    cluster_obey(c, NULL);
    cluster_add_node(c, "n2");
    cluster_set(c, "web", "{\"image\":\"b\"}");
    cluster_pass(c, 60000, both);
    assert_int_equal(cluster_wanted(c, NULL, "web"), 0);
    assert_int_equal(cluster_attempt(c, "n1", "web", 0)->reason, REASON_UPDATED);
    cluster_obey(c, NULL);
    assert_int_equal(cluster_wanted(c, NULL, "web"), 1);
}

static void an_update_that_cannot_run_stops_at_the_first_instance(void **state)
{
    (void)state;
    cluster_set(c, "web", VERSION("a"));
    cluster_obey(c, NULL);
    cluster_set(c, "web", VERSION("broken"));
    cluster_report(c, "n1", "web", 0, ATTEMPT_STOPPED, UNSET);
    size_t last = cluster_assignment(c, "n1", "web")->attempts.count - 1;
    cluster_report(c, "n1", "web", last, ATTEMPT_FAILED, 1);
    cluster_pass(c, 20000, (const char *[]){"n1", NULL});
    assert_int_equal(cluster_wanted(c, NULL, "web"), 2);
}

/* ---- what is assigned and was not reported on (D31) ---- */

static void reports_are_awaited_as_long_as_some_come(void **state)
{
    static const char *const n1[] = {"n1", NULL};
    (void)state;
    cluster_set(c, "web", "{\"image\":\"x\",\"count\":3}");
    assert_int_equal(manager_awaited_reports(c->manager), 0); /* nobody has ever reported */
    cluster_report(c, "n1", "web", 0, ATTEMPT_RUNNING, UNSET);
    assert_int_equal(manager_awaited_reports(c->manager), 2);
    cluster_report(c, "n1", "web", 1, ATTEMPT_STARTING, UNSET);
    assert_int_equal(manager_awaited_reports(c->manager), 1);
    cluster_pass(c, 11000, n1);
    assert_int_equal(manager_awaited_reports(c->manager), 0);
    cluster_report(c, "n1", "web", 2, ATTEMPT_RUNNING, UNSET);
    assert_int_equal(manager_awaited_reports(c->manager), 0);
    cluster_set(c, "db", "{\"image\":\"x\"}");
    assert_int_equal(manager_awaited_reports(c->manager), 1);
    cluster_command(c, COMMAND_JOB_DELETE, "db");
    cluster_obey(c, NULL);
    assert_int_equal(manager_awaited_reports(c->manager), 0);
}

static void the_reports_of_a_silent_node_are_not_awaited(void **state)
{
    (void)state;
    cluster_set(c, "web", PATIENT);
    cluster_add_node(c, "n2");
    cluster_pass(c, SILENCE_MS + 2000, only_n2);
    cluster_set(c, "db", "{\"image\":\"x\"}");
    assert_int_equal(cluster_status(c, "web")->counts.unknown, 1);
    assert_int_equal(manager_awaited_reports(c->manager), 1);
    cluster_heartbeat(c, "n1");
    assert_int_equal(manager_awaited_reports(c->manager), 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, cluster_setup_with_n1, cluster_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_silent_node_makes_its_attempts_unknown_not_lost),
        TEST(the_will_alone_moves_nothing_but_keeps_new_work_away),
        TEST(a_leftover_whose_end_was_missed_does_not_bar_its_node_for_ever),
        TEST(after_lost_after_the_instance_runs_elsewhere),
        TEST(a_pinned_instance_is_never_replaced),
        TEST(stop_after_is_waited_for_before_an_instance_is_replaced),
        TEST(the_original_is_kept_when_its_node_is_back),
        TEST(an_original_that_ended_while_its_node_was_silent_does_not_end_its_replacement),
        TEST(a_node_whose_will_came_before_its_info_gets_nothing),
        TEST(a_node_that_was_only_slow_is_believed_after_two_heartbeats),
        TEST(the_replacement_is_kept_when_the_policy_says_so),
        TEST(a_lost_attempt_stays_lost_whatever_is_reported_later),
        TEST(what_a_lost_attempt_holds_is_free_only_when_the_worker_has_answered),
        TEST(while_we_are_not_connected_the_timers_stand_still),
        TEST(an_ineligible_node_gets_nothing_new_and_keeps_what_it_has),
        TEST(labels_set_by_people_are_merged_and_taken_away),
        TEST(a_failed_service_is_placed_again_after_a_growing_delay_on_another_node),
        TEST(a_rejected_attempt_is_placed_elsewhere),
        TEST(a_failed_attempt_stays_for_an_hour_for_a_look),
        TEST(an_update_replaces_one_instance_at_a_time_and_waits_for_its_health),
        TEST(an_update_in_place_restarts_nothing),
        TEST(a_replaced_instance_is_placed_only_when_the_old_one_has_ended),
        TEST(an_update_that_cannot_run_stops_at_the_first_instance),
        TEST(reports_are_awaited_as_long_as_some_come),
        TEST(the_reports_of_a_silent_node_are_not_awaited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
