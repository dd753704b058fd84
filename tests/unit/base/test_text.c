#include "platform/base/text.h"
#include "tests/unit/unit.h"

static void a_text_is_cut_where_it_does_not_fit_and_always_ended(void **state)
{
    (void)state;
    char text[4] = "xyz";
    text_copy(text, sizeof(text), "ab");
    assert_string_equal(text, "ab");
    text_copy(text, sizeof(text), "abcd");
    assert_string_equal(text, "abc");
    text_copy(text, 1, "abc");
    assert_string_equal(text, "");
}

static void no_text_is_an_empty_one_and_a_part_may_be_moved(void **state)
{
    (void)state;
    char text[8] = "abcdef";
    text_copy(text, sizeof(text), text + 2);
    assert_string_equal(text, "cdef");
    text_copy(text, sizeof(text), NULL);
    assert_string_equal(text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_is_cut_where_it_does_not_fit_and_always_ended),
        cmocka_unit_test(no_text_is_an_empty_one_and_a_part_may_be_moved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
