/* What is retained is read node by node where it is more than may be had at once. */
#include "office.h"

#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct office *office;

/* A job of which one runs on each of two nodes. */
static int setup(void **state)
{
    (void)state;
    office = office_new();
    office->read_at_once = 1;
    office_start(office);
    office_add_node(office, "n1");
    office_add_node(office, "n2");
    office_say(office, "do/jobs/web/set", "{\"image\":\"x\",\"type\":\"system\"}", false);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    office_free(office);
    return 0;
}

static void assert_retained_has(const char *topic, const char *part)
{
    const char *payload = office_retained(office, topic);
    assert_non_null(payload);
    assert_non_null(strstr(payload, part));
}

static void a_worker_runs_its_task(const char *node)
{
    char topic[64], state[512], id[64] = "";
    snprintf(topic, sizeof(topic), "nodes/%s/assign/web", node);
    const char *at = strstr(office_retained(office, topic), "\"id\":\"");
    sscanf(at, "\"id\":\"%63[^\"]", id);
    snprintf(topic, sizeof(topic), "nodes/%s/state/web", node);
    snprintf(state, sizeof(state),
             "{\"term\":1700000000,\"seq\":9,\"revision\":1,\"attempts\":[{\"id\":\"%s\","
             "\"version\":1,\"state\":\"running\",\"run\":1,\"seq\":1}]}",
             id);
    office_say(office, topic, state, true);
}

/* Nobody is there who could be asked. */
static void an_emptied_manager_hears_the_assignments_of_each_node(void **state)
{
    (void)state;
    office_kill(office);
    memory_store_clear(office->store);
    office_start(office);
    assert_retained_has("nodes/n1/assign/web", "\"term\":1700000001");
    assert_retained_has("nodes/n2/assign/web", "\"term\":1700000001");
}

static void a_manager_hears_the_states_of_each_node(void **state)
{
    (void)state;
    office_kill(office);
    a_worker_runs_its_task("n1");
    a_worker_runs_its_task("n2");
    office_start(office);
    assert_retained_has("jobs/web/status", "\"running\":2");
}

static void what_is_said_meanwhile_is_heard_too(void **state)
{
    (void)state;
    office_kill(office);
    a_worker_runs_its_task("n1");
    office_start(office);
    a_worker_runs_its_task("n2");
    assert_retained_has("jobs/web/status", "\"running\":2");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_emptied_manager_hears_the_assignments_of_each_node),
        TEST(a_manager_hears_the_states_of_each_node),
        TEST(what_is_said_meanwhile_is_heard_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
