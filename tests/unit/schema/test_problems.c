#include "schema/problems.h"

#include "platform/base/mem.h"
#include "schema/limits.h"
#include "tests/unit/unit.h"

static void the_nearest_word_is_found_by_edit_distance(void **state)
{
    (void)state;
    static const char *const words[] = {"image", "count", "command", "env", "name"};
    assert_string_equal(problems_nearest("imge", words, ARRAY_LENGTH(words)), "image");
    assert_string_equal(problems_nearest("cuont", words, ARRAY_LENGTH(words)), "count");
    assert_string_equal(problems_nearest("comand", words, ARRAY_LENGTH(words)), "command");
    assert_string_equal(problems_nearest("nane", words, ARRAY_LENGTH(words)), "name");
    assert_null(problems_nearest("xyz", words, ARRAY_LENGTH(words)));
    assert_null(problems_nearest("", words, ARRAY_LENGTH(words)));
    assert_null(problems_nearest("en", words, ARRAY_LENGTH(words))); /* half of it would change */
    assert_null(problems_nearest("a_word_that_is_much_longer_than_any_key_that_there_is", words,
                                 ARRAY_LENGTH(words)));
}

static void what_is_too_much_is_counted(void **state)
{
    (void)state;
    _cleanup_problems_ struct problems problems = {0};
    assert_false(problems_any(&problems));
    for (int i = 0; i < LIMIT_PROBLEMS + 3; i++)
        problems_add(&problems, "/a", i % 2 ? "hint" : NULL, "number %d", i);
    assert_int_equal(problems.count, LIMIT_PROBLEMS);
    assert_int_equal(problems.dropped, 3);
    assert_string_equal(problems.items[1].message, "number 1");
    assert_string_equal(problems.items[1].hint, "hint");
    assert_null(problems.items[2].hint);
}

static void problems_own_their_texts(void **state)
{
    (void)state;
    _cleanup_problems_ struct problems problems = {0};
    char path[] = "/path", hint[] = "hint";
    problems_add(&problems, path, hint, "%s", "message");
    path[1] = hint[0] = 'X';
    assert_string_equal(problems.items[0].path, "/path");
    assert_string_equal(problems.items[0].hint, "hint");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nearest_word_is_found_by_edit_distance),
        cmocka_unit_test(what_is_too_much_is_counted),
        cmocka_unit_test(problems_own_their_texts),
    };
    return cmocka_run_group_tests_name("problems", tests, NULL, NULL);
}
