/* Assignments that a new term writes anew. */
#include "cluster.h"

#include "tests/unit/unit.h"

#include <stdlib.h>

#define EVERYWHERE "{\"image\":\"x\",\"type\":\"system\"}"

static const char *const nodes[] = {"n1", "n2", "n3", NULL};

/* One task on each of three nodes; the manager's store is gone, and it leads again. */
static int setup(void **state)
{
    cluster_setup(state);
    for (size_t i = 0; nodes[i]; i++)
        cluster_add_node(c, nodes[i]);
    cluster_set(c, "web", EVERYWHERE);
    cluster_obey(c, NULL);
    cluster_restart(c, true);
    cluster_lead(c);
    return 0;
}

static size_t of_this_term(void)
{
    size_t count = 0;
    for (size_t i = 0; nodes[i]; i++)
        count += cluster_assignment(c, nodes[i], "web")->head.term == manager_term(c->manager);
    return count;
}

static void they_are_written_some_at_a_time(void **state)
{
    (void)state;
    assert_int_equal(of_this_term(), 0);
    for (size_t written = 1; written <= 3; written++) {
        assert_true(manager_is_renewing(c->manager));
        cluster_renew(c, 1);
        assert_int_equal(of_this_term(), written);
    }
    assert_false(manager_is_renewing(c->manager));
}

static void all_are_written_at_once_where_there_is_room(void **state)
{
    (void)state;
    cluster_renew(c, 1000);
    assert_int_equal(of_this_term(), 3);
    assert_false(manager_is_renewing(c->manager));
}

static void what_was_decided_meanwhile_is_written_once(void **state)
{
    (void)state;
    cluster_command(c, COMMAND_JOB_STOP, "web");
    assert_int_equal(of_this_term(), 3);
    int64_t writes = cluster_writes(c, "nodes/n3/assign/web");
    cluster_renew_all(c);
    assert_int_equal(cluster_writes(c, "nodes/n3/assign/web"), writes);
}

static void a_link_that_is_lost_meanwhile_interrupts_it(void **state)
{
    (void)state;
    cluster_renew(c, 1);
    cluster_lose_link(c);
    assert_false(manager_is_renewing(c->manager));
    cluster_lead(c);
    cluster_renew_all(c);
    assert_int_equal(of_this_term(), 3);
}

static void a_node_that_is_deleted_meanwhile_is_passed_over(void **state)
{
    (void)state;
    cluster_renew(c, 1);
    cluster_pass(c, 120000, (const char *[]){"n1", "n3", NULL});
    assert_true(cluster_command(c, COMMAND_NODE_DELETE, "n2")->accepted);
    cluster_renew_all(c);
    assert_int_equal(cluster_assignment(c, "n3", "web")->head.term, manager_term(c->manager));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, cluster_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(they_are_written_some_at_a_time),
        TEST(all_are_written_at_once_where_there_is_room),
        TEST(what_was_decided_meanwhile_is_written_once),
        TEST(a_link_that_is_lost_meanwhile_interrupts_it),
        TEST(a_node_that_is_deleted_meanwhile_is_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
