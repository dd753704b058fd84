/* Lines, log frames and the last part of a log, cut into pieces at every place. */
#include "tests/unit/unit.h"

#include "platform/base/buf.h"
#include "worker/runtime/lines.h"
#include "worker/runtime/log_frames.h"
#include "worker/runtime/log_tail.h"

#include <stdio.h>
#include <string.h>

/* "1:text;2:text;": neighbouring pieces of one stream are one. */
struct written {
    struct buf text;
    int stream;
};

static void write_piece(void *context, int stream, const char *bytes, size_t length)
{
    struct written *written = context;
    if (length == 0)
        return;
    if (written->stream != stream)
        buf_printf(&written->text, "%d:", stream);
    written->stream = stream;
    buf_add(&written->text, bytes, length);
}

static const char frames[] =
    "\1\0\0\0\0\0\0\3one\2\0\0\0\0\0\0\2er\1\0\0\0\0\0\0\0\1\0\0\0\0\0\0\1!";

static void test_frames_are_the_same_in_whatever_pieces_they_come(void **state)
{
    (void)state;
    size_t length = sizeof(frames) - 1;
    for (size_t piece = 1; piece <= length; piece++) {
        struct log_frames reader = LOG_FRAMES_EMPTY;
        struct written written = {0};
        for (size_t at = 0; at < length; at += piece) {
            size_t size = length - at < piece ? length - at : piece;
            assert_true(log_frames_feed(&reader, frames + at, size, write_piece, &written));
        }
        log_frames_end(&reader, write_piece, &written);
        assert_string_equal(buf_text(&written.text), "1:one2:er1:!");
        buf_release(&written.text);
    }
}

static void test_a_stream_of_a_terminal_is_passed_on_as_it_is(void **state)
{
    (void)state;
    static const char *const texts[] = {"hello\n", "\1x", "\1\0\0", ""};
    static const size_t lengths[] = {6, 2, 3, 0};
    for (size_t i = 0; i < 4; i++) {
        struct log_frames reader = LOG_FRAMES_EMPTY;
        struct written written = {0};
        assert_true(log_frames_feed(&reader, texts[i], lengths[i], write_piece, &written));
        log_frames_end(&reader, write_piece, &written);
        assert_int_equal(written.text.length, lengths[i] ? lengths[i] + 2 : 0);
        buf_release(&written.text);
    }
}

static void test_a_damaged_stream_is_noticed(void **state)
{
    (void)state;
    struct log_frames reader = LOG_FRAMES_EMPTY;
    struct written written = {0};
    assert_false(log_frames_feed(&reader, "\1\0\0\0\0\0\0\1a\7garbage", 17, write_piece, &written));
    assert_string_equal(buf_text(&written.text), "1:a");
    buf_release(&written.text);
}

static void add_line(void *context, const char *line, size_t length)
{
    buf_printf(context, "<%.*s>", (int)length, line);
}

static void test_lines_are_the_same_in_whatever_pieces_they_come(void **state)
{
    (void)state;
    static const char text[] = "one\r\n\ntwo\na line that is too long\nthree";
    for (size_t piece = 1; piece < sizeof(text); piece++) {
        struct buf rest = {.limit = 8}, out = BUF_EMPTY;
        for (size_t at = 0; at < sizeof(text) - 1; at += piece) {
            size_t left = sizeof(text) - 1 - at;
            lines_feed(&rest, text + at, left < piece ? left : piece, add_line, &out);
        }
        lines_feed(&rest, "\n", 1, add_line, &out);
        assert_string_equal(buf_text(&out), "<one><two><three>");
        buf_release(&rest);
        buf_release(&out);
    }
}

static void assert_tail(const struct log_tail *tail, const char *expected)
{
    struct written written = {0};
    log_tail_each(tail, write_piece, &written);
    assert_string_equal(buf_text(&written.text), expected);
    buf_release(&written.text);
}

static void test_the_end_of_a_log_is_kept_within_its_limit(void **state)
{
    (void)state;
    struct log_tail tail = {.limit_bytes = 7};
    log_tail_add(&tail, 1, "abcdef", 6);
    log_tail_add(&tail, 2, "ghij", 4);
    log_tail_add(&tail, 1, "k", 1);
    assert_tail(&tail, "1:ef2:ghij1:k");
    log_tail_release(&tail);
    tail.limit_bytes = 40000;
    char large[50000];
    memset(large, 'x', sizeof(large));
    log_tail_add(&tail, 1, large, sizeof(large));
    assert_int_equal(tail.used_bytes, 40000);
    log_tail_release(&tail);
}

static void test_the_last_lines_are_counted_over_both_streams(void **state)
{
    (void)state;
    static const char *const expected[] = {"",
                                           "2:e",
                                           "1:d\n2:e",
                                           "1:c\nd\n2:e",
                                           "2:b\n1:c\nd\n2:e",
                                           "1:a\n2:b\n1:c\nd\n2:e",
                                           "1:a\n2:b\n1:c\nd\n2:e"};
    for (size_t lines = 0; lines < 7; lines++) {
        struct log_tail tail = {.limit_bytes = 100};
        log_tail_add(&tail, 1, "a\n", 2);
        log_tail_add(&tail, 2, "b\n", 2);
        log_tail_add(&tail, 1, "c\nd\n", 4);
        log_tail_add(&tail, 2, "e", 1);
        log_tail_keep_lines(&tail, lines);
        assert_tail(&tail, expected[lines]);
        log_tail_release(&tail);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frames_are_the_same_in_whatever_pieces_they_come),
        cmocka_unit_test(test_a_stream_of_a_terminal_is_passed_on_as_it_is),
        cmocka_unit_test(test_a_damaged_stream_is_noticed),
        cmocka_unit_test(test_lines_are_the_same_in_whatever_pieces_they_come),
        cmocka_unit_test(test_the_end_of_a_log_is_kept_within_its_limit),
        cmocka_unit_test(test_the_last_lines_are_counted_over_both_streams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
