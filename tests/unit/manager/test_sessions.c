/* Which session of a node counts; nodes that are deleted, and what they bring when they are back.
 */
#include "cluster.h"

#include "tests/unit/unit.h"

#include <string.h>

#define PATIENT "{\"image\":\"x\",\"disconnect\":{\"lost_after\":\"1m\"}}"

static void an_offline_of_an_older_session_changes_nothing(void **state)
{
    (void)state;
    cluster_presence(c, "n1", PRESENCE_ONLINE, 5);
    cluster_presence(c, "n1", PRESENCE_OFFLINE, 4);
    cluster_set(c, "web", PATIENT);
    assert_int_equal(cluster_wanted(c, "n1", "web"), 1);
}

/* Found by the simulation, seed 54750. */
static void a_birth_with_a_smaller_session_is_answered_with_one_above_that_is_known(void **state)
{
    (void)state;
    cluster_presence(c, "n1", PRESENCE_ONLINE, 5);
    assert_int_equal(cluster_document(c, "nodes/n1/desired")->node_desired.session_floor, 0);
    cluster_presence(c, "n1", PRESENCE_ONLINE, 3);
    assert_int_equal(cluster_document(c, "nodes/n1/desired")->node_desired.session_floor, 6);
}

/* Found by the simulation, seed 36381. */
static void a_smaller_birth_that_came_while_the_manager_was_away_is_answered_too(void **state)
{
    (void)state;
    struct presence_document presence = {.state = PRESENCE_ONLINE, .session = 3};
    cluster_presence(c, "n1", PRESENCE_ONLINE, 5);
    cluster_step(c, &(struct manager_event){.kind = EVENT_LINK_LOST});
    cluster_step(c, &(struct manager_event){
                        .kind = EVENT_NODE_PRESENCE, .node = "n1", .presence = &presence});
    cluster_step(c, &(struct manager_event){.kind = EVENT_PICTURE_WHOLE});
    assert_int_equal(cluster_document(c, "nodes/n1/desired")->node_desired.session_floor, 6);
}

/* Its disk was full when it should have stored its session. Found by the simulation, seed 6094584.
 */
static void a_birth_with_a_session_that_has_ended_is_answered_too(void **state)
{
    (void)state;
    cluster_presence(c, "n1", PRESENCE_ONLINE, 5);
    cluster_presence(c, "n1", PRESENCE_OFFLINE, 5);
    cluster_presence(c, "n1", PRESENCE_ONLINE, 5);
    assert_int_equal(cluster_document(c, "nodes/n1/desired")->node_desired.session_floor, 6);
}

static void a_deleted_nodes_attempts_are_lost_and_its_topics_cleared(void **state)
{
    (void)state;
    cluster_set(c, "web", PATIENT);
    cluster_obey(c, NULL);
    cluster_add_node(c, "n2");
    cluster_presence(c, "n1", PRESENCE_OFFLINE, 1);
    assert_true(cluster_command(c, COMMAND_NODE_DELETE, "n1")->accepted);
    assert_int_equal(cluster_wanted(c, "n2", "web"), 1);
    assert_true(cluster_cleared(c, "nodes/n1/info"));
    assert_true(cluster_cleared(c, "nodes/n1/status"));
    assert_true(cluster_cleared(c, "nodes/n1/state/web"));
    const struct document *desired = cluster_document(c, "nodes/n1/desired");
    assert_true(desired->node_desired.head.tombstone);
    assert_int_equal(desired->node_desired.session_floor, 1);
    assert_true(cluster_assignment(c, "n1", "web")->head.tombstone);
}

static void a_deleted_node_comes_back_with_a_new_session_only(void **state)
{
    (void)state;
    cluster_command(c, COMMAND_NODE_DELETE, "n1");
    cluster_presence(c, "n1", PRESENCE_ONLINE, 1);
    cluster_heartbeat(c, "n1");
    assert_int_equal(c->asked_count, 0);
    cluster_presence(c, "n1", PRESENCE_ONLINE, 2);
    assert_true(cluster_document(c, "nodes/n1/desired")->node_desired.head.tombstone);
    cluster_answer(c, "n1", NULL, 0, 0);
    assert_false(cluster_document(c, "nodes/n1/desired")->node_desired.head.tombstone);
}

/* Found by the simulation, seed 6085186. */
static void a_deleted_node_that_is_back_is_told_until_it_was_asked(void **state)
{
    (void)state;
    cluster_command(c, COMMAND_NODE_DELETE, "n1");
    cluster_presence(c, "n1", PRESENCE_ONLINE, 7);
    cluster_presence(c, "n1", PRESENCE_OFFLINE, 7);
    cluster_presence(c, "n1", PRESENCE_ONLINE, 6);
    const struct document *desired = cluster_document(c, "nodes/n1/desired");
    assert_true(desired->node_desired.head.tombstone);
    assert_int_equal(desired->node_desired.session_floor, 7);
    cluster_presence(c, "n1", PRESENCE_ONLINE, 8);
    cluster_answer(c, "n1", NULL, 0, 0);
    assert_false(cluster_document(c, "nodes/n1/desired")->node_desired.head.tombstone);
}

/* Its index is not written before. Found by the simulation, seed 30518914. */
static void a_command_for_a_node_that_was_not_asked_yet_is_refused_and_not_lost(void **state)
{
    (void)state;
    cluster_command(c, COMMAND_NODE_DELETE, "n1");
    cluster_presence(c, "n1", PRESENCE_ONLINE, 2);
    assert_false(cluster_command(c, COMMAND_NODE_ELIGIBILITY, "n1")->accepted);
    cluster_answer(c, "n1", NULL, 0, 0);
    assert_true(cluster_document(c, "nodes/n1/desired")->node_desired.eligible);
}

static void what_a_deleted_node_brings_back_is_buried_before_anything_is_placed_there(void **state)
{
    (void)state;
    cluster_set(c, "web", PATIENT);
    struct assignment kept = {.revision = 70, .spec = {.name = "web"}};
    cluster_command(c, COMMAND_JOB_DELETE, "web");
    cluster_command(c, COMMAND_NODE_DELETE, "n1");
    cluster_add_node(c, "n1");
    cluster_presence(c, "n1", PRESENCE_ONLINE, 2);
    cluster_set(c, "other", PATIENT);
    assert_int_equal(cluster_wanted(c, "n1", "other"), 0);
    cluster_answer(c, "n1", &kept, 1, 1);
    assert_true(cluster_assignment(c, "n1", "web")->head.tombstone);
    assert_true(cluster_assignment(c, "n1", "web")->revision > 70);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, cluster_setup_with_n1, cluster_teardown)
    const struct CMUnitTest tests[] = {
        TEST(an_offline_of_an_older_session_changes_nothing),
        TEST(a_birth_with_a_smaller_session_is_answered_with_one_above_that_is_known),
        TEST(a_smaller_birth_that_came_while_the_manager_was_away_is_answered_too),
        TEST(a_birth_with_a_session_that_has_ended_is_answered_too),
        TEST(a_deleted_nodes_attempts_are_lost_and_its_topics_cleared),
        TEST(a_deleted_node_comes_back_with_a_new_session_only),
        TEST(a_deleted_node_that_is_back_is_told_until_it_was_asked),
        TEST(a_command_for_a_node_that_was_not_asked_yet_is_refused_and_not_lost),
        TEST(what_a_deleted_node_brings_back_is_buried_before_anything_is_placed_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
