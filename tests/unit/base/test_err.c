#include "platform/base/err.h"
#include "platform/base/mem.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

static void codes_have_wire_names_and_texts_of_their_own(void **state)
{
    (void)state;
    for (int a = 0; a < ERR_COUNT; a++) {
        assert_true(*err_name(a) && *err_text(a));
        for (int b = 0; b < a; b++)
            assert_string_not_equal(err_name(a), err_name(b));
    }
    assert_string_equal(err_name(ERR_NOT_FOUND), "not_found");
    assert_string_equal(err_name(-ERR_NOT_FOUND), "not_found");
    assert_string_equal(err_name(12345), "internal");
}

static void an_error_gains_context_on_the_way_up(void **state)
{
    (void)state;
    struct err err = {0};
    assert_int_equal(err_set(&err, ERR_IO, "file %d", 7), -ERR_IO);
    assert_int_equal(err_wrap(&err, "store %s", "x"), -ERR_IO);
    assert_int_equal(err.code, ERR_IO);
    assert_string_equal(err.text, "store x: file 7");
}

static void errno_is_told_in_words_and_kept(void **state)
{
    (void)state;
    struct err err = {0};
    assert_int_equal(err_set_errno(&err, ERR_FULL, ENOSPC, "%s", "/x"), -ERR_FULL);
    assert_string_equal(err.text, "/x: No space left on device");
    errno = EAGAIN;
    err_set(&err, ERR_IO, "%*d", 10, 1);
    assert_int_equal(errno, EAGAIN);
}

static void a_text_that_does_not_fit_is_cut_and_terminated(void **state)
{
    (void)state;
    struct err err = {0};
    char text[2 * sizeof err.text];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    err_set(&err, ERR_IO, "%s", text);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
    err_wrap(&err, "in front");
    assert_int_equal(strncmp(err.text, "in front: xxx", 13), 0);
    assert_true(strlen(err.text) < sizeof err.text);
    assert_int_equal(err_wrap(&err, "%s", text), -ERR_IO);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
    err_set_errno(&err, ERR_IO, EIO, "%s", text);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
}

static void nobody_has_to_want_the_text(void **state)
{
    (void)state;
    assert_int_equal(err_set(NULL, ERR_BUSY, "x"), -ERR_BUSY);
    assert_int_equal(err_set_errno(NULL, ERR_BUSY, EIO, "x"), -ERR_BUSY);
    assert_int_equal(err_wrap(NULL, "x"), -ERR_INTERNAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_have_wire_names_and_texts_of_their_own),
        cmocka_unit_test(an_error_gains_context_on_the_way_up),
        cmocka_unit_test(errno_is_told_in_words_and_kept),
        cmocka_unit_test(a_text_that_does_not_fit_is_cut_and_terminated),
        cmocka_unit_test(nobody_has_to_want_the_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
