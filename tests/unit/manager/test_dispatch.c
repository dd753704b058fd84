/* Parents and their children. */
#include "cluster.h"

#include "platform/base/base64.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RESIZE                                                                               \
    "{\"type\":\"batch\",\"image\":\"resize:1\",\"meta\":{\"owner\":\"me\"},\"parameters\":" \
    "{\"payload\":\"required\",\"meta_required\":[\"size\"],\"meta_optional\":[\"note\"]}}"
#define FREE "{\"type\":\"batch\",\"image\":\"resize:1\",\"parameters\":{}}"

static struct string_pair size_big[] = {{"size", "big"}};
static const char *const nodes[] = {"n1", NULL};

static struct dispatch_arguments asked(void)
{
    return (struct dispatch_arguments){.meta = {size_big, 1}, .payload = "hello"};
}

static const struct verdict *dispatch(const char *job, struct dispatch_arguments arguments)
{
    struct command_envelope envelope = {.expect_version = UNSET, .expires_at_ms = UNSET};
    struct command command = {
        .kind = COMMAND_JOB_DISPATCH, .envelope = &envelope, .dispatch = &arguments};
    cluster_step(c,
                 &(struct manager_event){.kind = EVENT_COMMAND, .job = job, .command = &command});
    return &c->effects.verdict;
}

static const struct job_spec *spec_of(const char *job)
{
    char topic[LIMIT_TOPIC_LENGTH + 1];
    topic_format(topic, TOPIC_JOB_SPEC, job, NULL);
    return &cluster_document(c, topic)->job_document.spec;
}

static void a_parent_is_not_run_itself(void **state)
{
    (void)state;
    cluster_set(c, "resize", RESIZE);
    assert_int_equal(cluster_wanted(c, NULL, "resize"), 0);
    assert_int_equal(cluster_status(c, "resize")->state, JOB_PARENT);
}

static void a_dispatch_makes_a_child_with_its_meta_and_payload(void **state)
{
    (void)state;
    cluster_set(c, "resize", RESIZE);
    const struct verdict *verdict = dispatch("resize", asked());
    assert_true(verdict->accepted);
    assert_string_equal(verdict->child, "resize-1700000000-0");
    assert_int_equal(cluster_wanted(c, "n1", "resize-1700000000-0"), 1);
    const struct job_spec *spec = spec_of("resize-1700000000-0");
    assert_null(spec->parameters);
    assert_string_equal(spec->dispatched->parent, "resize");
    char bytes[9] = "";
    assert_int_equal(base64_decode(spec->dispatched->payload, bytes), 5);
    assert_string_equal(bytes, "hello");
    assert_int_equal(spec->meta.count, 2);
    assert_string_equal(spec->meta.items[0].key, "owner");
    assert_string_equal(spec->meta.items[1].value, "big");
}

static void each_dispatch_makes_a_child_of_its_own(void **state)
{
    (void)state;
    cluster_set(c, "resize", RESIZE);
    dispatch("resize", asked());
    assert_string_equal(dispatch("resize", asked())->child, "resize-1700000000-1");
    cluster_pass(c, 1000, nodes);
    assert_string_equal(dispatch("resize", asked())->child, "resize-1700000001-0");
    cluster_command(c, COMMAND_JOB_DELETE, "resize-1700000001-0");
    cluster_obey(c, NULL);
    assert_string_equal(dispatch("resize", asked())->child, "resize-1700000001-1");
}

static const char *refusal(struct dispatch_arguments arguments, const char *path)
{
    const struct verdict *verdict = dispatch("resize", arguments);
    assert_false(verdict->accepted);
    assert_int_equal(verdict->problems.count, 1);
    assert_string_equal(verdict->problems.items[0].path, path);
    assert_non_null(verdict->problems.items[0].hint);
    return verdict->problems.items[0].message;
}

static void what_its_parameters_do_not_allow_is_refused_with_its_place(void **state)
{
    (void)state;
    struct string_pair more[] = {{"colour", "red"}, {"size", "big"}};
    char large[LIMIT_DISPATCH_PAYLOAD_BYTES + 2];
    memset(large, 'x', sizeof(large) - 1);
    large[sizeof(large) - 1] = '\0';
    cluster_set(c, "resize", RESIZE);
    struct dispatch_arguments arguments = asked();
    arguments.meta.count = 0;
    assert_string_equal(refusal(arguments, "/meta"), "the job requires the key size");
    arguments.meta = (struct string_map){more, 2};
    assert_string_equal(refusal(arguments, "/meta/colour"), "the job has no parameter colour");
    arguments = asked();
    arguments.payload = NULL;
    refusal(arguments, "/payload");
    arguments.payload = large;
    refusal(arguments, "/payload");
    arguments = asked();
    arguments.payload_base64 = "aGVsbG8=";
    refusal(arguments, "/payload_base64");
    arguments.payload = NULL;
    arguments.payload_base64 = "no base64";
    refusal(arguments, "/payload_base64");
    arguments.payload_base64 = "aGVsbG8=";
    assert_true(dispatch("resize", arguments)->accepted);
}

static void a_forbidden_payload_is_refused(void **state)
{
    (void)state;
    cluster_set(c, "resize",
                "{\"type\":\"batch\",\"image\":\"x\",\"parameters\":{\"payload\":\"forbidden\"}}");
    struct dispatch_arguments arguments = {.payload = "x"};
    refusal(arguments, "/payload");
    arguments.payload = NULL;
    assert_true(dispatch("resize", arguments)->accepted);
    assert_null(spec_of("resize-1700000000-0")->dispatched->payload);
}

static void what_is_no_parent_or_stopped_is_not_dispatched(void **state)
{
    (void)state;
    struct dispatch_arguments nothing = {.payload = NULL};
    assert_int_equal(dispatch("resize", nothing)->reason, REASON_UNKNOWN_JOB);
    cluster_set(c, "web", "{\"image\":\"x\"}");
    assert_int_equal(dispatch("web", nothing)->reason, REASON_INVALID_ARGUMENTS);
    cluster_set(c, "resize", FREE);
    cluster_command(c, COMMAND_JOB_STOP, "resize");
    assert_int_equal(dispatch("resize", nothing)->reason, REASON_INVALID_ARGUMENTS);
    cluster_set(c, "resize", FREE);
    assert_true(dispatch("resize", nothing)->accepted);
}

static void nobody_submits_under_a_childs_name(void **state)
{
    (void)state;
    const struct verdict *verdict = cluster_set(c, "web-1700000000-7", "{\"image\":\"x\"}");
    assert_false(verdict->accepted);
    assert_string_equal(verdict->problems.items[0].path, "/name");
    assert_true(cluster_set(c, "web-17-7", "{\"image\":\"x\"}")->accepted);
    assert_true(cluster_set(c, "web-1700000000", "{\"image\":\"x\"}")->accepted);
}

static void a_child_outlives_its_parent_and_a_restart_of_the_manager(void **state)
{
    (void)state;
    cluster_set(c, "resize", RESIZE);
    dispatch("resize", asked());
    cluster_obey(c, NULL);
    cluster_command(c, COMMAND_JOB_DELETE, "resize");
    cluster_obey(c, NULL);
    assert_true(cluster_document(c, "jobs/resize/spec")->job_document.head.tombstone);
    cluster_restart(c, true);
    cluster_add_node(c, "n1");
    cluster_lead(c);
    assert_int_equal(cluster_wanted(c, "n1", "resize-1700000000-0"), 1);
    assert_string_equal(spec_of("resize-1700000000-0")->dispatched->parent, "resize");
}

static bool is_there(const char *job)
{
    char topic[LIMIT_TOPIC_LENGTH + 1];
    topic_format(topic, TOPIC_JOB_SPEC, job, NULL);
    const struct document *document = cluster_document(c, topic);
    return document && !document->job_document.head.tombstone;
}

static void of_children_that_have_ended_the_newest_are_kept(void **state)
{
    (void)state;
    char name[64];
    cluster_set(c, "resize", RESIZE);
    dispatch("resize", asked()); /* it goes on: it stays */
    cluster_obey(c, NULL);
    for (int i = 1; i <= CHILDREN_KEPT + 2; i++) {
        snprintf(name, sizeof(name), "%s", dispatch("resize", asked())->child);
        cluster_report(c, "n1", name, 0, i % 2 ? ATTEMPT_COMPLETED : ATTEMPT_FAILED, i % 2 ? 0 : 1);
        cluster_pass(c, 60000, nodes); /* a failed one is placed once more */
        if (!(i % 2)) {
            cluster_report(c, "n1", name, 1, ATTEMPT_FAILED, 1);
            cluster_pass(c, 1000, nodes);
        }
    }
    cluster_obey(c, NULL);
    assert_true(is_there("resize-1700000000-0"));
    assert_false(is_there("resize-1700000000-1"));
    assert_true(is_there(name));
    size_t there = 0;
    for (size_t i = 0; i < c->document_count; i++) {
        const struct document *document = &c->documents[i].document;
        there += document->kind == TOPIC_JOB_SPEC && !document->job_document.head.tombstone;
    }
    assert_int_equal(there, 1 + 1 + CHILDREN_KEPT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, cluster_setup_with_n1, cluster_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_parent_is_not_run_itself),
        TEST(a_dispatch_makes_a_child_with_its_meta_and_payload),
        TEST(each_dispatch_makes_a_child_of_its_own),
        TEST(what_its_parameters_do_not_allow_is_refused_with_its_place),
        TEST(a_forbidden_payload_is_refused),
        TEST(what_is_no_parent_or_stopped_is_not_dispatched),
        TEST(nobody_submits_under_a_childs_name),
        TEST(a_child_outlives_its_parent_and_a_restart_of_the_manager),
        TEST(of_children_that_have_ended_the_newest_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
