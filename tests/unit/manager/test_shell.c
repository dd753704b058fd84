/* The shell: what is stored before it is said, what is answered, what is refused. */
#include "office.h"

#include "platform/base/mem.h"
#include "tests/held_store.h"
#include "tests/store_write.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct office *office;

static int setup(void **state)
{
    (void)state;
    office = office_new();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    office_free(office);
    return 0;
}

static bool says(const char *topic, const char *part)
{
    const struct office_message *heard = office_heard(office, topic);
    return heard && strstr(heard->payload, part);
}

static void a_submitted_job_is_stored_published_and_answered(void **state)
{
    (void)state;
    office_start(office);
    office_add_node(office, "n1");
    office_say(office, "do/jobs/web/set", "{\"image\":\"x\",\"token\":\"t1\"}", false);
    assert_true(says("do/jobs/web/set/accepted", "\"token\":\"t1\""));
    assert_true(says("do/jobs/web/set/accepted", "\"version\":1"));
    assert_non_null(office_retained(office, "jobs/web/spec"));
    assert_non_null(office_retained(office, "nodes/n1/assign/web"));
    assert_non_null(strstr(office_retained(office, "nodes/n1/desired"), "{\"web\":1}"));
    assert_non_null(strstr(office_retained(office, "manager/status"), "\"leading\""));
    assert_int_equal(office_stored(office, STORE_TOKENS), 1);
}

/* No timer has to come for it, and none runs on an end. */
static void
what_comes_while_the_disk_is_slow_is_heard_and_answered_when_it_was_written(void **state)
{
    (void)state;
    struct held_store *held = held_store_new(office->store);
    office->store = &held->store;
    held->holds = false;
    office_start(office);
    office_add_node(office, "n1");
    held->holds = true;
    office_say(office, "do/jobs/web/set", "{\"image\":\"x\",\"token\":\"t1\"}", false);
    office_say(office, "do/jobs/db/set", "{\"image\":\"x\",\"token\":\"t2\"}", false);
    assert_null(office_heard(office, "do/jobs/web/set/accepted"));
    assert_true(office->deadline_ms > office->now.mono_ms);
    held_settle(office->store);
    office_settle(office);
    assert_true(says("do/jobs/web/set/accepted", "t1"));
    assert_non_null(office_retained(office, "nodes/n1/assign/web"));
    assert_null(office_heard(office, "do/jobs/db/set/accepted"));
    held_settle(office->store);
    office_settle(office);
    assert_true(says("do/jobs/db/set/accepted", "t2"));
    assert_non_null(office_retained(office, "nodes/n1/assign/db"));
}

static void a_manager_that_ends_waits_for_what_is_under_way(void **state)
{
    (void)state;
    struct held_store *held = held_store_new(office->store);
    office->store = &held->store;
    held->holds = false;
    office_start(office);
    held->holds = true;
    office_say(office, "do/jobs/web/set", "{\"image\":\"x\",\"token\":\"t1\"}", false);
    office_say(office, "do/jobs/db/set", "{\"image\":\"x\",\"token\":\"t2\"}", false);
    manager_shell_stop(office->shell);
    office_settle(office);
    assert_true(says("do/jobs/web/set/accepted", "t1"));
    assert_true(says("do/jobs/db/set/accepted", "t2"));
    assert_non_null(strstr(office_retained(office, "manager/status"), "\"offline\""));
}

static void the_answer_comes_to_the_reply_topic_with_its_correlation(void **state)
{
    (void)state;
    office_start(office);
    struct bus_message message = {.topic = OFFICE_ROOT "/do/jobs/web/set",
                                  .payload = "{\"image\":\"x\"}",
                                  .length = 13,
                                  .qos = 1,
                                  .response_topic = OFFICE_ROOT "/replies/me",
                                  .correlation = "c-7",
                                  .correlation_length = 3};
    memory_broker_inject(office->broker, &message);
    office_settle(office);
    assert_true(says("replies/me", "\"accepted\""));
    assert_string_equal(office_heard(office, "replies/me")->correlation, "c-7");
    office_say(office, "do/jobs/web/stop", "{\"reply_to\":\"t/replies/you\"}", false);
    assert_true(says("replies/you", "\"changed\":true"));
    assert_int_equal(office_heard_times(office, "do/jobs/web/stop/accepted"), 1);
}

static void nobody_makes_us_publish_elsewhere(void **state)
{
    (void)state;
    office_start(office);
    office_say(office, "do/jobs/web/set", "{\"image\":\"x\",\"reply_to\":\"t/nodes/n1/desired\"}",
               false);
    assert_true(says("do/jobs/web/set/rejected", "\"reply_refused\""));
    assert_null(office_retained(office, "jobs/web/spec"));
    assert_null(office_heard(office, "nodes/n1/desired"));
}

static void a_rejection_lists_all_errors_and_the_token(void **state)
{
    (void)state;
    office_start(office);
    office_say(office, "do/jobs/web/set", "{\"imagee\":\"x\",\"count\":-1,\"token\":\"t9\"}",
               false);
    assert_true(says("do/jobs/web/set/rejected", "\"code\":\"invalid_job\""));
    assert_true(says("do/jobs/web/set/rejected", "/imagee"));
    assert_true(says("do/jobs/web/set/rejected", "/count"));
    assert_true(says("do/jobs/web/set/rejected", "\"token\":\"t9\""));
    office_say(office, "do/jobs/web/frobnicate", "{}", false);
    assert_true(says("do/jobs/web/frobnicate/rejected", "unknown_command"));
    office_say(office, "do/jobs/web/stop", "no json", false);
    assert_true(says("do/jobs/web/stop/rejected", "errors"));
}

static void
a_repeated_token_gets_the_same_answer_and_does_nothing_also_after_a_restart(void **state)
{
    (void)state;
    office_start(office);
    office_say(office, "do/jobs/web/set", "{\"image\":\"x\",\"token\":\"t1\"}", false);
    office_say(office, "do/jobs/web/set", "{\"image\":\"y\"}", false);
    office_kill(office);
    office_start(office);
    office_say(office, "do/jobs/web/set", "{\"image\":\"x\",\"token\":\"t1\"}", false);
    assert_true(says("do/jobs/web/set/accepted", "\"version\":1"));
    assert_non_null(strstr(office_retained(office, "jobs/web/spec"), "\"version\":2"));
    office_say(office, "do/jobs/other/set", "{\"image\":\"x\",\"token\":\"t1\"}", false);
    assert_true(says("do/jobs/other/set/rejected", "invalid_arguments"));
}

static void tokens_are_forgotten_after_a_day(void **state)
{
    (void)state;
    office_start(office);
    office_say(office, "do/jobs/web/set", "{\"image\":\"x\",\"token\":\"t1\"}", false);
    office->now.wall_ms += 25 * 3600 * 1000;
    office->now.mono_ms += 25 * 3600 * 1000;
    office_pass(office, 200);
    assert_int_equal(office_stored(office, STORE_TOKENS), 0);
}

static void a_retained_command_is_reported_cleared_and_not_executed(void **state)
{
    (void)state;
    office_say(office, "do/jobs/web/set", "{\"image\":\"x\"}", true);
    office_start(office);
    assert_null(office_retained(office, "do/jobs/web/set"));
    assert_null(office_retained(office, "jobs/web/spec"));
    assert_true(says("manager/events/retained_command", "\"topic\":\"do/jobs/web/set\""));
}

static void say_two_at_once(void)
{
    const char *const topics[] = {OFFICE_ROOT "/do/jobs/first/set",
                                  OFFICE_ROOT "/do/jobs/second/set"};
    office->backlog = 1;
    office_start(office);
    office_add_node(office, "n1");
    for (size_t i = 0; i < ARRAY_LENGTH(topics); i++)
        memory_broker_inject(office->broker, &(struct bus_message){.topic = topics[i],
                                                                   .payload = "{\"image\":\"x\"}",
                                                                   .length = 13,
                                                                   .qos = 1});
}

/* The broker has taken all of the first before the second is looked at. */
static void commands_wait_while_the_broker_has_not_taken_what_was_decided(void **state)
{
    (void)state;
    say_two_at_once();
    office_settle(office);
    assert_true(says("do/jobs/second/set/accepted", "\"accepted\""));
    assert_true(office_heard(office, "do/jobs/first/set/accepted") <
                office_heard(office, "nodes/n1/assign/second"));
}

static void a_command_that_waits_is_done_before_the_manager_goes(void **state)
{
    (void)state;
    say_two_at_once();
    memory_broker_step(office->broker);
    manager_shell_stop(office->shell);
    office_kill(office);
    office_start(office);
    assert_non_null(office_retained(office, "jobs/first/spec"));
    assert_non_null(office_retained(office, "jobs/second/spec"));
}

static void commands_wait_at_the_broker_while_the_manager_is_away(void **state)
{
    (void)state;
    office_start(office);
    office_kill(office);
    office_say(office, "do/jobs/web/set", "{\"image\":\"x\"}", false);
    assert_null(office_heard(office, "do/jobs/web/set/accepted"));
    office_start(office);
    assert_true(says("do/jobs/web/set/accepted", "\"version\":1"));
}

static void an_expired_command_is_refused(void **state)
{
    (void)state;
    office_start(office);
    office_say(office, "do/jobs/web/set", "{\"image\":\"x\",\"expires_at_ms\":1600000000000}",
               false);
    assert_true(says("do/jobs/web/set/rejected", "command_expired"));
    assert_null(office_retained(office, "jobs/web/spec"));
}

static void while_the_store_fails_nothing_is_published_and_commands_are_refused(void **state)
{
    (void)state;
    office_start(office);
    office_add_node(office, "n1");
    memory_store_fail_always(office->store, ERR_FULL);
    office_say(office, "do/jobs/web/set", "{\"image\":\"x\"}", false);
    assert_null(office_retained(office, "jobs/web/spec"));
    assert_null(office_heard(office, "do/jobs/web/set/accepted"));
    office_say(office, "do/jobs/other/set", "{\"image\":\"x\"}", false);
    assert_true(says("do/jobs/other/set/rejected", "store_failed"));
    memory_store_fail_always(office->store, ERR_NONE);
    office_pass(office, 1500);
    assert_non_null(office_retained(office, "nodes/n1/assign/web"));
    assert_true(says("do/jobs/web/set/accepted", "\"version\":1"));
}

static void killed_between_commit_and_publishing_it_publishes_after_the_restart(void **state)
{
    (void)state;
    office_start(office);
    office_add_node(office, "n1");
    struct bus_message message = {
        .topic = "do/jobs/web/set", .payload = "{\"image\":\"x\"}", .length = 13, .qos = 1};
    struct bus_handler handler = manager_shell_commands_handler(office->shell);
    handler.on_message(handler.context, &message);
    handler.on_batch_end(handler.context); /* committed; the outbox dies with the process */
    office_kill(office);
    office_start(office);
    assert_non_null(office_retained(office, "jobs/web/spec"));
    assert_non_null(office_retained(office, "nodes/n1/assign/web"));
}

static void what_others_put_on_our_topics_is_reported_once_and_written_over(void **state)
{
    (void)state;
    office_start(office);
    office_say(office, "do/jobs/web/set", "{\"image\":\"x\"}", false);
    office_say(office, "jobs/web/spec", "garbage", true);
    assert_non_null(strstr(office_retained(office, "jobs/web/spec"), "\"image\":\"x\""));
    assert_int_equal(office_heard_times(office, "manager/events/unreadable_document"), 1);
    office_say(office, "jobs/web/spec", "garbage", true);
    assert_non_null(strstr(office_retained(office, "jobs/web/spec"), "\"image\":\"x\""));
    assert_int_equal(office_heard_times(office, "manager/events/unreadable_document"), 1);
    office_say(office, "jobs/web/spec", "", true);
    assert_non_null(office_retained(office, "jobs/web/spec"));
}

static void a_broker_that_forgot_everything_is_told_everything_again(void **state)
{
    (void)state;
    office_start(office);
    office_add_node(office, "n1");
    office_say(office, "do/jobs/web/set", "{\"image\":\"x\"}", false);
    memory_broker_crash(office->broker, false);
    office_settle(office);
    memory_broker_restart(office->broker);
    office_settle(office);
    assert_non_null(office_retained(office, "jobs/web/spec"));
    assert_non_null(office_retained(office, "jobs/web/status"));
    assert_non_null(office_retained(office, "nodes/n1/assign/web"));
    assert_non_null(office_retained(office, "manager/status"));
}

/* A job's status is published and not stored: it is no news. */
static void started_again_on_its_own_store_it_says_nothing_anew(void **state)
{
    static const char *const documents[] = {"jobs/web/spec", "nodes/n1/desired",
                                            "nodes/n1/assign/web"};
    size_t times[ARRAY_LENGTH(documents)];
    (void)state;
    office_start(office);
    office_add_node(office, "n1");
    office_say(office, "do/jobs/web/set", "{\"image\":\"x\"}", false);
    for (size_t i = 0; i < ARRAY_LENGTH(documents); i++)
        times[i] = office_heard_times(office, documents[i]);
    office_kill(office);
    office_start(office);
    office_pass(office, 20 * 1000);
    assert_non_null(office_retained(office, "jobs/web/status"));
    for (size_t i = 0; i < ARRAY_LENGTH(documents); i++)
        assert_int_equal(office_heard_times(office, documents[i]), times[i]);
}

static void an_emptied_store_is_rebuilt_from_the_broker_under_the_next_term(void **state)
{
    (void)state;
    office_start(office);
    office_add_node(office, "n1");
    office_say(office, "do/jobs/web/set", "{\"image\":\"x\"}", false);
    char before[4096], after[4096];
    snprintf(before, sizeof(before), "%s",
             strstr(office_retained(office, "nodes/n1/assign/web"), "\"attempts\""));
    office_kill(office);
    memory_store_clear(office->store);
    office_start(office);
    snprintf(after, sizeof(after), "%s",
             strstr(office_retained(office, "nodes/n1/assign/web"), "\"attempts\""));
    assert_string_equal(before, after);
    assert_non_null(strstr(office_retained(office, "manager/status"), "\"term\":1700000001"));
    assert_true(office_stored(office, STORE_DOCUMENTS) >= 4);
}

static void a_clean_end_says_offline(void **state)
{
    (void)state;
    office_start(office);
    manager_shell_stop(office->shell);
    office_settle(office);
    assert_non_null(strstr(office_retained(office, "manager/status"), "\"offline\""));
}

static int open_with_meta(const char *meta, struct err *err)
{
    struct manager_shell *shell = NULL;
    struct manager_shell_config config = {
        .root = OFFICE_ROOT, .store = office->store, .clock = &office->clock};
    assert_int_equal(store_put(office->store, STORE_META, "meta", meta, err), 0);
    int result = manager_shell_new(&config, &shell, err);
    manager_shell_free(result ? NULL : shell);
    return result;
}

static void a_store_that_is_not_ours_is_refused_with_the_remedy(void **state)
{
    (void)state;
    struct err err = {0};
    assert_int_equal(
        open_with_meta("{\"schema_version\":99,\"role\":\"manager\",\"id\":\"m\"}", &err),
        -ERR_SCHEMA_NEWER);
    assert_int_equal(
        open_with_meta("{\"schema_version\":1,\"role\":\"worker\",\"id\":\"n1\"}", &err),
        -ERR_FOREIGN);
    assert_int_equal(open_with_meta("damaged", &err), -ERR_CORRUPT);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_submitted_job_is_stored_published_and_answered),
        TEST(what_comes_while_the_disk_is_slow_is_heard_and_answered_when_it_was_written),
        TEST(a_manager_that_ends_waits_for_what_is_under_way),
        TEST(the_answer_comes_to_the_reply_topic_with_its_correlation),
        TEST(nobody_makes_us_publish_elsewhere),
        TEST(a_rejection_lists_all_errors_and_the_token),
        TEST(a_repeated_token_gets_the_same_answer_and_does_nothing_also_after_a_restart),
        TEST(tokens_are_forgotten_after_a_day),
        TEST(a_retained_command_is_reported_cleared_and_not_executed),
        TEST(commands_wait_while_the_broker_has_not_taken_what_was_decided),
        TEST(a_command_that_waits_is_done_before_the_manager_goes),
        TEST(commands_wait_at_the_broker_while_the_manager_is_away),
        TEST(an_expired_command_is_refused),
        TEST(while_the_store_fails_nothing_is_published_and_commands_are_refused),
        TEST(killed_between_commit_and_publishing_it_publishes_after_the_restart),
        TEST(what_others_put_on_our_topics_is_reported_once_and_written_over),
        TEST(a_broker_that_forgot_everything_is_told_everything_again),
        TEST(started_again_on_its_own_store_it_says_nothing_anew),
        TEST(an_emptied_store_is_rebuilt_from_the_broker_under_the_next_term),
        TEST(a_clean_end_says_offline),
        TEST(a_store_that_is_not_ours_is_refused_with_the_remedy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
