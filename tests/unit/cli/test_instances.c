/* The picture of retained documents, and the instances that people see in it. */
#include "tests/unit/unit.h"

#include "cli/format.h"
#include "cli/instances.h"
#include "platform/base/buf.h"
#include "schema/codec/codec.h"

#include <string.h>

static void hear(struct picture *picture, const char *topic, const char *payload)
{
    struct bus_message message = {
        .topic = topic, .payload = payload, .length = strlen(payload), .qos = 1, .retained = true};
    assert_true(picture_hear(picture, &message));
}

#define HEAD "\"cluster\":\"c\",\"manager\":\"m1\",\"term\":1,\"seq\":1"

static void hear_node(struct picture *picture)
{
    hear(picture, "nodes/n1/status", "{\"state\":\"online\",\"session\":1,\"instance\":\"i\"}");
    hear(
        picture, "nodes/n1/info",
        "{\"cluster\":\"c\",\"term\":1,\"seq\":1,\"datacenter\":\"dc\",\"address\":\"192.0.2.7\"}");
    hear(picture, "nodes/n1/state/web",
         "{\"cluster\":\"c\",\"term\":1,\"seq\":2,\"revision\":1,\"attempts\":["
         "{\"id\":\"web_web_0_aaaaaaaa\",\"version\":1,\"state\":\"failed\",\"run\":1,\"restarts\":"
         "0,\"seq\":3,"
         "\"exit_code\":3,\"reason\":\"exited\",\"changed_ms\":1000},"
         "{\"id\":\"web_web_0_bbbbbbbb\",\"version\":1,\"state\":\"running\",\"run\":2,"
         "\"restarts\":1,\"seq\":3,"
         "\"ports\":[{\"port\":80,\"host\":31001},{\"port\":53,\"host\":31002,\"udp\":true}],"
         "\"changed_ms\":2000}]}");
    hear(picture, "nodes/n1/assign/web",
         "{" HEAD ",\"revision\":1,\"version\":1,\"spec\":{\"name\":\"web\",\"tasks\":[{\"name\":"
         "\"web\",\"image\":\"x\"}]},\"attempts\":["
         "{\"id\":\"web_web_0_bbbbbbbb\",\"version\":1,\"desired\":\"run\"},"
         "{\"id\":\"web_web_10_dddddddd\",\"version\":1,\"desired\":\"run\"},"
         "{\"id\":\"web_web_2_cccccccc\",\"version\":1,\"desired\":\"run\"}]}");
    picture_sort(picture);
}

static void instances_are_what_is_assigned_and_what_is_reported(void **state)
{
    (void)state;
    _cleanup_picture_ struct picture picture = {0};
    _cleanup_instances_ struct instances instances = {0};
    hear_node(&picture);
    assert_int_equal(picture.unreadable, 0);
    instances_collect(&instances, &picture, "web", NULL, false);
    assert_int_equal(instances.count, 3);
    assert_string_equal(instances.items[0].id, "web_web_0_bbbbbbbb");
    assert_string_equal(instances.items[0].instance, "web_web_0");
    assert_string_equal(instances.items[0].address, "192.0.2.7:31001, 192.0.2.7:31002/udp");
    assert_int_equal(instances.items[0].state, ATTEMPT_RUNNING);
    assert_true(instances.items[0].node_online);
    assert_int_equal(instances.items[1].index, 2);
    assert_int_equal(instances.items[1].state, ATTEMPT_SCHEDULED);
    assert_int_equal(instances.items[2].index, 10);
}

static void all_shows_attempts_that_were_replaced(void **state)
{
    (void)state;
    _cleanup_picture_ struct picture picture = {0};
    _cleanup_instances_ struct instances instances = {0};
    hear_node(&picture);
    instances_collect(&instances, &picture, "web", "n1", true);
    assert_int_equal(instances.count, 4);
    assert_string_equal(instances.items[1].id, "web_web_0_aaaaaaaa");
    assert_string_equal(instances.items[1].reason, "exited");
    assert_int_equal(instances.items[1].seen.exit_code, 3);
}

static void what_a_silent_node_has_is_not_called_online(void **state)
{
    (void)state;
    _cleanup_picture_ struct picture picture = {0};
    _cleanup_instances_ struct instances instances = {0};
    hear_node(&picture);
    hear(&picture, "nodes/n1/status", "{\"state\":\"offline\",\"session\":1,\"instance\":\"i\"}");
    instances_collect(&instances, &picture, NULL, NULL, false);
    assert_false(instances.items[0].node_online);
}

static void the_json_of_an_instance_has_its_documented_keys(void **state)
{
    (void)state;
    _cleanup_picture_ struct picture picture = {0};
    _cleanup_instances_ struct instances instances = {0};
    _cleanup_buf_ struct buf json = BUF_EMPTY;
    hear_node(&picture);
    instances_collect(&instances, &picture, "web", NULL, false);
    codec_encode(&instance_record, &instances.items[0], &json);
    assert_string_equal(
        buf_text(&json),
        "{\"id\":\"web_web_0_bbbbbbbb\",\"instance\":\"web_web_0\",\"job\":\"web\",\"task\":"
        "\"web\",\"index\":0,"
        "\"node\":\"n1\",\"state\":\"running\",\"desired\":\"run\",\"node_online\":true,"
        "\"version\":1,\"run\":2,"
        "\"restarts\":1,\"address\":\"192.0.2.7:31001, 192.0.2.7:31002/udp\",\"ports\":["
        "{\"port\":80,\"host\":31001,\"udp\":false},{\"port\":53,\"host\":31002,\"udp\":true}],"
        "\"changed_ms\":2000}");
}

static void garbage_and_unknown_topics_change_nothing(void **state)
{
    (void)state;
    _cleanup_picture_ struct picture picture = {0};
    hear_node(&picture);
    hear(&picture, "nodes/n1/state/web", "{garbage");
    assert_int_equal(picture.unreadable, 1);
    assert_non_null(picture_find(&picture, TOPIC_NODE_STATE, "n1", "web"));
    struct bus_message message = {.topic = "replies/x", .payload = "", .length = 0};
    assert_false(picture_hear(&picture, &message));
    hear(&picture, "nodes/n1/state/web", "");
    assert_null(picture_find(&picture, TOPIC_NODE_STATE, "n1", "web"));
}

static void a_manager_leads_when_its_status_and_its_presence_say_so(void **state)
{
    (void)state;
    _cleanup_picture_ struct picture picture = {0};
    const char *manager;
    assert_int_equal(picture_leadership(&picture, &manager), LEADERSHIP_NONE);
    hear(&picture, "manager/status",
         "{" HEAD ",\"state\":\"leading\",\"session\":7,\"version\":\"0.1.0\"}");
    hear(&picture, "managers/m1/status", "{\"state\":\"online\",\"session\":7,\"instance\":\"i\"}");
    assert_int_equal(picture_leadership(&picture, &manager), LEADERSHIP_LEADING);
    assert_string_equal(manager, "m1");
    hear(&picture, "managers/m1/status",
         "{\"state\":\"offline\",\"session\":6,\"instance\":\"i\"}"); /* the will of an older
                                                                         session */
    assert_int_equal(picture_leadership(&picture, &manager), LEADERSHIP_LEADING);
    hear(&picture, "managers/m1/status",
         "{\"state\":\"offline\",\"session\":7,\"instance\":\"i\"}");
    assert_int_equal(picture_leadership(&picture, &manager), LEADERSHIP_OFFLINE);
}

static void ages_are_told_in_two_units_at_most(void **state)
{
    (void)state;
    static const struct {
        int64_t ms;
        const char *text;
    } rows[] = {{900, "0s"},
                {42000, "42s"},
                {180000, "3m"},
                {190000, "3m10s"},
                {18120000, "5h2m"},
                {86400000, "1d"},
                {86400000 + 7200000, "1d2h"}};
    struct arena arena = ARENA_EMPTY;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(format_age(&arena, 1000, 1000 + rows[i].ms), rows[i].text);
    assert_string_equal(format_age(&arena, 0, 5000), "-");
    assert_string_equal(format_age(&arena, 9000, 5000), "0s");
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(instances_are_what_is_assigned_and_what_is_reported),
        cmocka_unit_test(all_shows_attempts_that_were_replaced),
        cmocka_unit_test(what_a_silent_node_has_is_not_called_online),
        cmocka_unit_test(the_json_of_an_instance_has_its_documented_keys),
        cmocka_unit_test(garbage_and_unknown_topics_change_nothing),
        cmocka_unit_test(a_manager_leads_when_its_status_and_its_presence_say_so),
        cmocka_unit_test(ages_are_told_in_two_units_at_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
