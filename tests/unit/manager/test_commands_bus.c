/* The second connection: commands wait at the broker whatever else is said meanwhile, and whoever
 * leads next hears them. */
#include "office.h"

#include "schema/limits.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WEB "{\"image\":\"x\"}"

enum { QUEUE = 5, STATES = 50 };

static struct office *office;

static int setup(void **state)
{
    (void)state;
    office = office_new();
    office_start(office);
    office_add_node(office, "n1");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    office_free(office);
    return 0;
}

/* Another one: it has another id. */
static void replace_the_manager(void)
{
    office_kill(office);
    memory_store_clear(office->store);
    office->seed++;
    office_start(office);
}

static bool is_accepted(void)
{
    return office_heard_times(office, "do/jobs/web/set/accepted") == 1;
}

static void states_that_no_queue_holds_drop_no_command_that_waits(void **state)
{
    (void)state;
    char payload[100];
    memory_broker_limit_queues(office->broker, QUEUE);
    office_kill(office);
    for (int seq = 1; seq <= STATES; seq++) {
        snprintf(payload, sizeof(payload), "{\"term\":1,\"seq\":%d,\"revision\":1,\"attempts\":[]}",
                 seq);
        office_say(office, "nodes/n1/state/other", payload, true);
    }
    office_say(office, "do/jobs/web/set", WEB, false);
    memory_broker_limit_queues(office->broker, SIZE_MAX);
    office_start(office);
    assert_true(is_accepted());
}

static void another_manager_hears_what_was_said_while_there_was_none(void **state)
{
    (void)state;
    char id[64];
    snprintf(id, sizeof(id), "%s", manager_shell_id(office->shell));
    office_kill(office);
    office_say(office, "do/jobs/web/set", WEB, false);
    replace_the_manager();
    assert_string_not_equal(manager_shell_id(office->shell), id);
    assert_true(is_accepted());
}

/* Other machines, other versions: a manager of another name would not find what waits. */
static void the_client_id_is_that_of_the_root_for_ever(void **state)
{
    (void)state;
    assert_string_equal(manager_shell_commands_id(office->shell),
                        "argosy-commands-76033e85f0acf92d");
}

static void another_manager_says_that_it_leads(void)
{
    char said[200], cluster[32];
    sscanf(strstr(office_retained(office, "manager/status"), "\"cluster\":\""),
           "\"cluster\":\"%31[^\"]", cluster);
    snprintf(said, sizeof(said),
             "{\"cluster\":\"%s\",\"term\":9000000000,\"manager\":\"other\",\"seq\":1,"
             "\"state\":\"leading\"}",
             cluster);
    office_say(office, "manager/status", said, true);
}

static void who_no_longer_leads_leaves_commands_to_the_one_who_does(void **state)
{
    (void)state;
    another_manager_says_that_it_leads();
    office_pass(office, 100);
    office_say(office, "do/jobs/web/set", WEB, false);
    assert_false(is_accepted());
    replace_the_manager(); /* its term is above the other's */
    assert_true(is_accepted());
}

static void what_comes_while_the_documents_are_away_waits_for_them(void **state)
{
    (void)state;
    struct bus_handler documents = manager_shell_bus_handler(office->shell);
    documents.on_disconnected(documents.context, "lost");
    office_say(office, "do/jobs/web/set", WEB, false);
    assert_false(is_accepted());
    documents.on_connected(documents.context);
    office_settle(office);
    assert_true(is_accepted());
}

static void commands_are_heard_again_when_their_connection_was_lost(void **state)
{
    (void)state;
    memory_broker_refuse_next(office->broker, 1);
    memory_bus_cut(office->commands);
    office_settle(office);
    office_say(office, "do/jobs/web/set", WEB, false);
    assert_true(is_accepted());
}

static int asked;

static void ask_in_vain(struct bus *bus, int stage, const struct bus_filter *filters, size_t count)
{
    (void)bus;
    (void)stage;
    (void)filters;
    (void)count;
    asked++;
}

static void a_subscription_that_is_not_answered_is_made_on_a_new_connection(void **state)
{
    (void)state;
    const struct bus_ops *ops = office->commands->ops;
    struct bus_ops deaf = *ops;
    deaf.subscribe = ask_in_vain;
    office->commands->ops = &deaf;
    memory_bus_cut(office->commands);
    office_pass(office, ANSWER_TIMEOUT_MS - 1000);
    assert_int_equal(asked, 1);
    office_pass(office, 2000);
    assert_int_equal(asked, 2);
    office->commands->ops = ops;
}

/* Also one that was said, retained, while the connection was there, or waits in the session. */
static void a_retained_command_is_not_executed_whenever_it_was_said(void **state)
{
    (void)state;
    office_say(office, "do/jobs/web/set", WEB, false);
    office_say(office, "do/jobs/web/delete", "", true); /* nothing is retained: somebody clears */
    assert_null(office_heard(office, "do/jobs/web/delete/accepted"));
    office_say(office, "do/jobs/web/delete", "{}", true);
    office_kill(office);
    office_say(office, "do/jobs/web/delete", "{}", true);
    office_start(office);
    assert_null(office_heard(office, "do/jobs/web/delete/accepted"));
    assert_null(office_retained(office, "do/jobs/web/delete"));
    assert_true(office_heard_times(office, "manager/events/retained_command") >= 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(states_that_no_queue_holds_drop_no_command_that_waits),
        TEST(another_manager_hears_what_was_said_while_there_was_none),
        TEST(the_client_id_is_that_of_the_root_for_ever),
        TEST(who_no_longer_leads_leaves_commands_to_the_one_who_does),
        TEST(what_comes_while_the_documents_are_away_waits_for_them),
        TEST(commands_are_heard_again_when_their_connection_was_lost),
        TEST(a_subscription_that_is_not_answered_is_made_on_a_new_connection),
        TEST(a_retained_command_is_not_executed_whenever_it_was_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
