#include "schema/topics.h"

#include "platform/base/mem.h"
#include "tests/unit/unit.h"

#include <string.h>

#define TASK "web_api_2_7f3k2q2m"

static void assert_topic(const char *text, enum topic_kind kind, const char *first,
                         const char *second)
{
    struct topic topic;
    char again[LIMIT_TOPIC_LENGTH + 1];
    assert_true(topic_parse(text, &topic));
    assert_int_equal(topic.kind, kind);
    assert_string_equal(topic.level[0], first);
    assert_string_equal(topic.level[1], second);
    topic_format(again, kind, first, second);
    assert_string_equal(again, text);
}

static void topics_are_parsed_and_written_alike(void **state)
{
    (void)state;
    assert_topic("do/jobs/web/set", TOPIC_DO_JOB, "web", "set");
    assert_topic("do/jobs/web/set/accepted", TOPIC_JOB_ACCEPTED, "web", "set");
    assert_topic("do/nodes/n-1/labels", TOPIC_DO_NODE, "n-1", "labels");
    assert_topic("nodes/n1/assign/web", TOPIC_NODE_ASSIGN, "n1", "web");
    assert_topic("nodes/n1/state/web", TOPIC_NODE_STATE, "n1", "web");
    assert_topic("nodes/n1/tasks/" TASK "/metrics", TOPIC_TASK_METRICS, "n1", TASK);
    assert_topic("nodes/n1/logs/" TASK "/stderr", TOPIC_TASK_STDERR, "n1", TASK);
    assert_topic("nodes/n1/answers/a-B_1", TOPIC_ANSWER, "n1", "a-B_1");
    assert_topic("manager/status", TOPIC_MANAGER_STATUS, "", "");
    assert_topic("managers/m1/barrier", TOPIC_MANAGER_BARRIER, "m1", "");
}

/* The first two levels in <> that the pattern has. */
static void example_levels(const char *pattern, const char *ret_levels[2])
{
    static const char *const examples[][2] = {{"<task>", TASK}, {"<job>", "s"}, {"<", "n-1"}};
    ret_levels[0] = ret_levels[1] = "";
    for (size_t count = 0; (pattern = strchr(pattern, '<')); pattern++)
        for (size_t i = 0; i < ARRAY_LENGTH(examples); i++)
            if (!strncmp(pattern, examples[i][0], strlen(examples[i][0]))) {
                ret_levels[count++] = examples[i][1];
                break;
            }
}

static void every_row_of_the_table_is_parsed(void **state)
{
    (void)state;
    for (int kind = TOPIC_UNKNOWN + 1; kind < TOPIC_KIND_COUNT; kind++) {
        const char *levels[2];
        char text[LIMIT_TOPIC_LENGTH + 8];
        struct topic topic;
        example_levels(topic_row((enum topic_kind)kind)->pattern, levels);
        topic_format(text, (enum topic_kind)kind, levels[0], levels[1]);
        assert_topic(text, (enum topic_kind)kind, levels[0], levels[1]);
        strcat(text, "/"); /* no pattern ends with it */
        assert_false(topic_parse(text, &topic));
        strcat(text, "/a/b");
        assert_false(topic_parse(text, &topic));
    }
}

static void every_row_of_the_table_can_be_written_as_a_filter(void **state)
{
    (void)state;
    char text[LIMIT_TOPIC_LENGTH + 1];
    for (int kind = TOPIC_UNKNOWN + 1; kind < TOPIC_KIND_COUNT; kind++) {
        topic_format(text, (enum topic_kind)kind, "+", "+");
        assert_null(strpbrk(text, "<>"));
        assert_true(topic_row((enum topic_kind)kind)->qos <= 1);
    }
    topic_format(text, TOPIC_NODE_STATE, "+", "+");
    assert_string_equal(text, "nodes/+/state/+");
}

static void everything_else_is_unknown(void **state)
{
    (void)state;
    static const char *const topics[] = {
        "",
        "/",
        "nodes",
        "nodes/",
        "nodes/n1",
        "nodes//status",
        "nodes/N1/status",
        "nodes/n1/status/",
        "nodes/n1/status/x",
        "/nodes/n1/status",
        "nodes/n1/assign/",
        "nodes/n1/assign/My_Job",
        "nodes/n1/tasks/web/metrics",
        "nodes/n1/logs/" TASK "/stdin",
        "do/jobs/web/s t",
        "do/jobs/web",
        "do/jobs/web/set/accepted/x",
        "jobs/+/spec",
        "jobs/#",
        "$SYS/broker",
        "jobs/a2345678901234567890123456789012345678901/spec",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(topics); i++) {
        struct topic topic;
        if (topic_parse(topics[i], &topic))
            fail_msg("\"%s\" was taken for a topic", topics[i]);
        assert_int_equal(topic.kind, TOPIC_UNKNOWN);
    }
}

static void a_level_longer_than_its_buffer_is_unknown(void **state)
{
    (void)state;
    char text[400] = "nodes/n1/answers/";
    struct topic topic;
    memset(text + strlen(text), 'a', LIMIT_TOKEN_LENGTH);
    assert_true(topic_parse(text, &topic));
    memset(text + strlen(text), 'a', 100);
    assert_false(topic_parse(text, &topic));
}

static void only_replies_below_the_root_may_be_asked_for(void **state)
{
    (void)state;
    assert_string_equal(reply_topic_permitted("argosy/v1", "argosy/v1/replies/me"), "replies/me");
    assert_string_equal(reply_topic_permitted("a", "a/replies/me/1"), "replies/me/1");
    static const char *const refused[] = {
        NULL,
        "",
        "replies/me",
        "argosy/v1/replies",
        "argosy/v1/replies/",
        "argosy/v1/replies//me",
        "argosy/v1/replies/+",
        "argosy/v1/replies/#",
        "argosy/v1/replies/me/",
        "argosy/v1replies/me",
        "argosy/v1/do/jobs/web/set",
        "argosy/v2/replies/me",
        "argosy/v1/replies/a b",
        "argosy/v1/replies/a/b/c/d/e/f/g",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(refused); i++)
        assert_null(reply_topic_permitted("argosy/v1", refused[i]));
}

static void a_root_leaves_room_for_our_levels(void **state)
{
    (void)state;
    assert_true(root_is_valid("argosy/v1"));
    assert_true(root_is_valid("a/b/c"));
    assert_false(root_is_valid("a/b/c/d"));
    assert_false(root_is_valid(""));
    assert_false(root_is_valid("a/"));
    assert_false(root_is_valid("/a"));
    assert_false(root_is_valid("a//b"));
    assert_false(root_is_valid("a b"));
    assert_false(root_is_valid("$a"));
    assert_false(root_is_valid(NULL));
}

static void attempt_names_have_four_parts(void **state)
{
    (void)state;
    struct attempt_name name;
    char text[LIMIT_TASK_ID_LENGTH + 1];
    assert_true(attempt_name_parse(TASK, &name));
    assert_string_equal(name.job, "web");
    assert_string_equal(name.task, "api");
    assert_int_equal(name.index, 2);
    assert_string_equal(name.suffix, "7f3k2q2m");
    attempt_name_format(text, &name);
    assert_string_equal(text, TASK);
    instance_name_format(text, "web", "api", 2);
    assert_string_equal(text, "web_api_2");
}

static void what_is_no_attempt_name_is_refused(void **state)
{
    (void)state;
    static const char *const refused[] = {
        NULL,
        "",
        "web",
        "web_api_2",
        "web_api_02_7f3k2q2m",
        "web_api_-1_7f3k2q2m",
        "web_api_2_7F3K2Q2M",
        "web_api_2_7f3k2q2",
        "web_api_2_7f3k2q2m_",
        "web_api_2_7f3k2q2m_x",
        "web__2_7f3k2q2m",
        "_api_2_7f3k2q2m",
        "Web_api_2_7f3k2q2m",
        "web_api_2_7f3k2q21",
        "web_api_100000_7f3k2q2m",
        "web_api_99999999_7f3k2q2m",
        "web_api_x_7f3k2q2m",
    };
    struct attempt_name name;
    for (size_t i = 0; i < ARRAY_LENGTH(refused); i++)
        assert_false(attempt_name_parse(refused[i], &name));
}

static void names_and_ids_have_their_alphabets(void **state)
{
    (void)state;
    assert_true(name_is_valid("a-1"));
    assert_false(name_is_valid("a_1"));
    assert_false(name_is_valid(""));
    assert_false(name_is_valid(NULL));
    assert_true(node_id_is_valid("edge-a-000000000000000000000000000000000000000000000000000001"));
    assert_false(node_id_is_valid("a.b"));
    assert_true(token_is_valid("A_b-9"));
    assert_false(token_is_valid("a.b"));
    assert_false(token_is_valid(""));
    assert_false(token_is_valid(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(topics_are_parsed_and_written_alike),
        cmocka_unit_test(every_row_of_the_table_is_parsed),
        cmocka_unit_test(every_row_of_the_table_can_be_written_as_a_filter),
        cmocka_unit_test(everything_else_is_unknown),
        cmocka_unit_test(a_level_longer_than_its_buffer_is_unknown),
        cmocka_unit_test(only_replies_below_the_root_may_be_asked_for),
        cmocka_unit_test(a_root_leaves_room_for_our_levels),
        cmocka_unit_test(attempt_names_have_four_parts),
        cmocka_unit_test(what_is_no_attempt_name_is_refused),
        cmocka_unit_test(names_and_ids_have_their_alphabets),
    };
    return cmocka_run_group_tests_name("topics", tests, NULL, NULL);
}
