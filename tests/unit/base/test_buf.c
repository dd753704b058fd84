#include "platform/base/buf.h"
#include "tests/unit/unit.h"

#include <stdint.h>
#include <string.h>

static void additions_follow_each_other_and_end_with_a_nul(void **state)
{
    (void)state;
    _cleanup_buf_ struct buf buf = BUF_EMPTY;
    assert_string_equal(buf_text(&buf), "");
    buf_add_text(&buf, "a");
    buf_add_char(&buf, 'b');
    buf_add(&buf, "cde", 2);
    buf_printf(&buf, "%d", 42);
    buf_add(&buf, NULL, 0);
    assert_string_equal(buf_text(&buf), "abcd42");
    assert_int_equal(buf.length, 6);
}

static void what_it_is_extended_by_is_written_by_the_caller(void **state)
{
    (void)state;
    _cleanup_buf_ struct buf buf = {.limit = 300};
    buf_add_char(&buf, 'a');
    memcpy(buf_extend(&buf, 2), "bc", 2);
    assert_string_equal(buf_text(&buf), "abc");
    memset(buf_extend(&buf, 297), 'x', 297); /* has to grow for it */
    assert_int_equal(strlen(buf_text(&buf)), 300);
    assert_null(buf_extend(&buf, 1));
    assert_true(buf.failed);
    assert_null(buf_extend(&buf, 0));
}

static void bytes_with_nul_in_them_are_kept(void **state)
{
    (void)state;
    _cleanup_buf_ struct buf buf = BUF_EMPTY;
    buf_add(&buf, "a\0b", 3);
    assert_int_equal(buf.length, 3);
    assert_memory_equal(buf.data, "a\0b", 4);
}

static void it_grows_over_many_additions(void **state)
{
    (void)state;
    _cleanup_buf_ struct buf buf = BUF_EMPTY;
    for (int i = 0; i < 10000; i++)
        buf_printf(&buf, "%04d", i);
    assert_int_equal(buf.length, 40000);
    assert_memory_equal(buf.data + 39996, "9999", 5);
    assert_false(buf.failed);
}

static void past_the_limit_it_fails_once_and_for_all(void **state)
{
    (void)state;
    _cleanup_buf_ struct buf buf = {.limit = 5};
    buf_add_text(&buf, "12345");
    assert_false(buf.failed);
    buf_add_char(&buf, '6');
    assert_true(buf.failed);
    buf_clear(&buf);
    assert_false(buf.failed);
    buf_printf(&buf, "%s", "123456");
    assert_true(buf.failed);
    buf_add_char(&buf, 'x'); /* would fit, but something is missing before it */
    assert_string_equal(buf_text(&buf), "");
}

static void a_length_that_cannot_be_is_a_failure(void **state)
{
    (void)state;
    _cleanup_buf_ struct buf buf = BUF_EMPTY;
    buf_add_char(&buf, 'x');
    buf_add(&buf, "y", SIZE_MAX - 1);
    assert_true(buf.failed);
    assert_string_equal(buf_text(&buf), "x");
}

static void the_front_is_dropped(void **state)
{
    (void)state;
    _cleanup_buf_ struct buf buf = BUF_EMPTY;
    buf_drop_front(&buf, 1);
    buf_add_text(&buf, "abcdef");
    buf_drop_front(&buf, 2);
    assert_string_equal(buf_text(&buf), "cdef");
    buf_drop_front(&buf, 100);
    assert_string_equal(buf_text(&buf), "");
    assert_int_equal(buf.length, 0);
}

static void a_released_buffer_can_be_used_again(void **state)
{
    (void)state;
    struct buf buf = BUF_EMPTY;
    buf_add_text(&buf, "x");
    buf_release(&buf);
    assert_string_equal(buf_text(&buf), "");
    buf_add_text(&buf, "y");
    assert_string_equal(buf_text(&buf), "y");
    buf_release(&buf);
    buf_release(&buf);
    buf_release(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(additions_follow_each_other_and_end_with_a_nul),
        cmocka_unit_test(what_it_is_extended_by_is_written_by_the_caller),
        cmocka_unit_test(bytes_with_nul_in_them_are_kept),
        cmocka_unit_test(it_grows_over_many_additions),
        cmocka_unit_test(past_the_limit_it_fails_once_and_for_all),
        cmocka_unit_test(a_length_that_cannot_be_is_a_failure),
        cmocka_unit_test(the_front_is_dropped),
        cmocka_unit_test(a_released_buffer_can_be_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
