/* Every message: the examples in schema/examples are read strictly and printed again byte for byte.
 */
#include "schema/codec/codec.h"
#include "schema/limits.h"

#include "platform/base/mem.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

static const struct example {
    const char *name;
    const struct record *record;
} examples[] = {
    {"job_spec", &job_spec_record},
    {"scale_arguments", &scale_arguments_record},
    {"dispatch_arguments", &dispatch_arguments_record},
    {"job_arguments", &job_arguments_record},
    {"node_arguments", &node_arguments_record},
    {"reply", &reply_record},
    {"ask", &ask_record},
    {"answer", &answer_record},
    {"job_document", &job_document_record},
    {"job_history", &job_history_record},
    {"job_status", &job_status_record},
    {"node_desired", &node_desired_record},
    {"assignment", &assignment_record},
    {"node_state", &node_state_record},
    {"presence", &presence_record},
    {"node_info", &node_info_record},
    {"barrier", &barrier_record},
    {"log_chunk", &log_chunk_record},
    {"cloud_event", &cloud_event_record},
    {"manager_status", &manager_status_record},
    {"store_meta", &store_meta_record},
    {"token_record", &token_record_record},
};

enum { VALUE_BYTES = 4096 };

/* The example without the space between its tokens. */
static void example_read(const char *name, struct buf *out)
{
    _cleanup_free_ char *path = mem_printf("%s/%s.json", SCHEMA_EXAMPLES, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    bool quoted = false;
    for (int at = fgetc(file), before = 0; at != EOF; before = at, at = fgetc(file)) {
        if (at == '"' && before != '\\')
            quoted = !quoted;
        if (quoted || !strchr(" \n", at))
            buf_add_char(out, (char)at);
    }
    fclose(file);
}

static void assert_round_trip(const struct example *example)
{
    _cleanup_buf_ struct buf text = BUF_EMPTY;
    _cleanup_buf_ struct buf again = BUF_EMPTY;
    _cleanup_arena_ struct arena arena = ARENA_EMPTY;
    _cleanup_problems_ struct problems problems = {0};
    _Alignas(16) char value[VALUE_BYTES];
    assert_true(example->record->size <= sizeof value);
    example_read(example->name, &text);
    int result = codec_decode(example->record, text.data, text.length, CODEC_STRICT, &arena, value,
                              &problems);
    if (result)
        fail_msg("%s: %s: %s", example->name, problems.items[0].path, problems.items[0].message);
    codec_encode(example->record, value, &again);
    assert_string_equal(buf_text(&again), buf_text(&text));
}

static void every_example_is_read_and_printed_again_byte_for_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(examples); i++)
        assert_round_trip(&examples[i]);
}

static void metrics_are_read_and_printed_again(void **state)
{
    (void)state;
    static const char *const names[] = {"node_metrics", "task_metrics"};
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        _cleanup_buf_ struct buf text = BUF_EMPTY;
        _cleanup_buf_ struct buf again = BUF_EMPTY;
        _cleanup_arena_ struct arena arena = ARENA_EMPTY;
        _cleanup_problems_ struct problems problems = {0};
        struct number_map numbers;
        example_read(names[i], &text);
        assert_int_equal(codec_decode_metrics(text.data, text.length, &arena, &numbers, &problems),
                         0);
        codec_encode_metrics(&numbers, &again);
        assert_string_equal(buf_text(&again), buf_text(&text));
    }
}

/* ---- what an absent key means ---- */

static int decode(const struct record *record, const char *text, enum codec_mode mode,
                  struct arena *arena, void *value)
{
    _cleanup_problems_ struct problems problems = {0};
    return codec_decode(record, text, strlen(text), mode, arena, value, &problems);
}

static void a_tombstone_holds_no_specification(void **state)
{
    (void)state;
    _cleanup_buf_ struct buf text = BUF_EMPTY;
    _cleanup_arena_ struct arena arena = ARENA_EMPTY;
    struct job_document document = {
        .head = {.cluster = "c", .manager = "m", .term = 1, .seq = 2, .tombstone = true}};
    codec_encode(&job_document_record, &document, &text);
    assert_string_equal(
        buf_text(&text),
        "{\"cluster\":\"c\",\"manager\":\"m\",\"term\":1,\"seq\":2,\"tombstone\":true}");
    assert_int_equal(decode(&job_document_record, buf_text(&text), CODEC_STRICT, &arena, &document),
                     0);
    assert_true(document.head.tombstone);
    assert_null(document.spec.name);
}

static void an_exit_code_of_zero_is_not_an_absent_one(void **state)
{
    (void)state;
    _cleanup_buf_ struct buf text = BUF_EMPTY;
    struct observed_attempt attempt = {.id = "web_web_0_7f3k2q2m", .state = ATTEMPT_RUNNING};
    struct node_state node_state = {.head = {.seq = 1}, .attempts = {&attempt, 1}};
    codec_encode(&node_state_record, &node_state, &text);
    assert_non_null(strstr(buf_text(&text), "\"exit_code\":0"));
    buf_clear(&text);
    attempt.exit_code = UNSET;
    codec_encode(&node_state_record, &node_state, &text);
    assert_null(strstr(buf_text(&text), "exit_code"));
}

static void an_empty_object_has_every_value_absent(void **state)
{
    (void)state;
    _cleanup_arena_ struct arena arena = ARENA_EMPTY;
    struct command_envelope envelope;
    assert_int_equal(decode(&command_envelope_record, "", CODEC_STRICT, &arena, &envelope), 0);
    assert_null(envelope.token);
    assert_true(envelope.expect_version == UNSET);
    struct node_arguments arguments;
    assert_int_equal(decode(&node_arguments_record, "{}", CODEC_STRICT, &arena, &arguments), 0);
    assert_true(arguments.eligible == UNSET);
    assert_true(arguments.interval_ms == UNSET);
}

/* ---- other versions ---- */

static void unknown_keys_of_our_own_messages_are_ignored_when_lenient(void **state)
{
    (void)state;
    static const char text[] = "{\"state\":\"online\",\"session\":1,\"later\":{\"x\":[1]}}";
    _cleanup_arena_ struct arena arena = ARENA_EMPTY;
    struct presence_document presence;
    assert_int_equal(decode(&presence_record, text, CODEC_LENIENT, &arena, &presence), 0);
    assert_int_equal(presence.session, 1);
    assert_int_not_equal(decode(&presence_record, text, CODEC_STRICT, &arena, &presence), 0);
}

static void an_unknown_reason_is_none_but_an_unknown_state_is_an_error(void **state)
{
    (void)state;
    _cleanup_arena_ struct arena arena = ARENA_EMPTY;
    struct node_state document;
    assert_int_equal(decode(&node_state_record,
                            "{\"seq\":1,\"attempts\":[{\"id\":\"web_web_0_7f3k2q2m\",\"state\":"
                            "\"running\",\"reason\":\"later\"}]}",
                            CODEC_LENIENT, &arena, &document),
                     0);
    assert_int_equal(RECORD_AT(struct observed_attempt, document.attempts, 0)->reason, 0);
    assert_int_not_equal(decode(&node_state_record,
                                "{\"seq\":1,\"attempts\":[{\"id\":\"web_web_0_7f3k2q2m\","
                                "\"state\":\"dancing\"}]}",
                                CODEC_LENIENT, &arena, &document),
                         0);
}

static void manager_documents_are_ordered_by_term_then_manager_then_seq(void **state)
{
    (void)state;
    struct manager_head old = {.term = 1, .manager = "b", .seq = 9};
    struct manager_head later_term = {.term = 2, .manager = "a", .seq = 1};
    struct manager_head other_manager = {.term = 1, .manager = "c", .seq = 1};
    struct manager_head later_seq = {.term = 1, .manager = "b", .seq = 10};
    assert_true(manager_head_compare(&later_term, &old) > 0);
    assert_true(manager_head_compare(&other_manager, &old) > 0);
    assert_true(manager_head_compare(&later_seq, &old) > 0);
    assert_true(manager_head_compare(&old, &later_seq) < 0);
    assert_int_equal(manager_head_compare(&old, &old), 0);
}

/* LIMIT_ATTEMPT_RECORD_BYTES is what assignments and states are sized by. */
static void an_observed_attempt_fits_its_limit(void **state)
{
    (void)state;
    _cleanup_buf_ struct buf text = BUF_EMPTY;
    struct observed_attempt attempt = {
        .id = "telemetry_collector_12_7f3k2q2m",
        .version = 12,
        .state = ATTEMPT_RUNNING,
        .run = 3,
        .restarts = 2,
        .seq = 123456,
        .exit_code = 137,
        .execution = "4f1e2d3c4b5a",
        .address = "172.17.0.12",
        .changed_ms = 1795425700000,
        .started_ms = 1795425700000,
        .finished_ms = 1795425700000,
        .window_ms = 1795425700000,
        .window_restarts = 2,
    };
    struct node_state node_state = {.head = {.seq = 1}, .attempts = {&attempt, 1}};
    codec_encode(&node_state_record, &node_state, &text);
    assert_true(text.length <= LIMIT_ATTEMPT_RECORD_BYTES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_example_is_read_and_printed_again_byte_for_byte),
        cmocka_unit_test(metrics_are_read_and_printed_again),
        cmocka_unit_test(a_tombstone_holds_no_specification),
        cmocka_unit_test(an_exit_code_of_zero_is_not_an_absent_one),
        cmocka_unit_test(an_empty_object_has_every_value_absent),
        cmocka_unit_test(unknown_keys_of_our_own_messages_are_ignored_when_lenient),
        cmocka_unit_test(an_unknown_reason_is_none_but_an_unknown_state_is_an_error),
        cmocka_unit_test(manager_documents_are_ordered_by_term_then_manager_then_seq),
        cmocka_unit_test(an_observed_attempt_fits_its_limit),
    };
    return cmocka_run_group_tests_name("documents", tests, NULL, NULL);
}
