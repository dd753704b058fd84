/* Foreign JSON: what is refused, and what the getters say. */
#include "tests/unit/unit.h"

#include "schema/codec/json_reader.h"

#include <string.h>

static int parse(const char *text, size_t length)
{
    struct json *tree = NULL;
    int status = json_parse(text, length, &tree, NULL);
    json_free(tree);
    return status;
}
#define PARSE(text) parse(text, sizeof(text) - 1)

static void test_what_a_tree_would_hide_is_refused(void **state)
{
    (void)state;
    assert_int_equal(PARSE("{\"a\":[1,2,{\"b\":\"\\u00e9\xc3\xa9\"}]} \r\n"), 0);
    assert_int_equal(PARSE(""), -ERR_INVALID);
    assert_int_equal(PARSE("{\"a\":1} x"), -ERR_INVALID);
    assert_int_equal(PARSE("{\"a\":1}{}"), -ERR_INVALID);
    assert_int_equal(PARSE("{\"a\":\"x\\u0000y\"}"), -ERR_INVALID);
    assert_int_equal(PARSE("{\"a\":\"x\0y\"}"), -ERR_INVALID);
    assert_int_equal(PARSE("\"\xff\""), -ERR_INVALID);
    assert_int_equal(PARSE("\"\xc0\xaf\""), -ERR_INVALID);     /* overlong */
    assert_int_equal(PARSE("\"\xed\xa0\x80\""), -ERR_INVALID); /* a surrogate */
    assert_int_equal(PARSE("\"\xf4\x90\x80\x80\""), -ERR_INVALID);
    assert_int_equal(PARSE("\"\xe2\x82"), -ERR_INVALID);
    assert_int_equal(PARSE("\"\\"), -ERR_INVALID);
}

static void test_depth_is_bounded_and_brackets_in_strings_do_not_count(void **state)
{
    (void)state;
    char text[200];
    memset(text, '[', 100);
    memset(text + 100, ']', 100);
    assert_int_equal(parse(text + 100 - JSON_READER_DEPTH, JSON_READER_DEPTH * 2), 0);
    assert_int_equal(parse(text + 99 - JSON_READER_DEPTH, JSON_READER_DEPTH * 2 + 2), -ERR_INVALID);
    memset(text, '[', sizeof(text));
    text[0] = text[sizeof(text) - 1] = '"';
    assert_int_equal(parse(text, sizeof(text)), 0);
}

static void test_a_path_into_what_is_not_there_is_absent(void **state)
{
    (void)state;
    _cleanup_json_ struct json *tree = NULL;
    static const char text[] =
        "{\"Id\":\"x\",\"n\":1.5,\"big\":1e300,\"i\":-3,\"t\":true,\"l\":[1,\"two\"]}";
    assert_int_equal(json_parse(text, strlen(text), &tree, NULL), 0);
    assert_string_equal(json_text(json_get(tree, "Id")), "x");
    assert_null(json_get(tree, "id")); /* case counts */
    assert_null(json_text(json_get(json_get(json_get(tree, "a"), "b"), "c")));
    assert_null(json_text(json_get(tree, "n")));
    assert_int_equal(json_int(json_get(tree, "n"), 7), 7);
    assert_int_equal(json_int(json_get(tree, "big"), 7), 7);
    assert_int_equal(json_int(json_get(tree, "Id"), 7), 7);
    assert_int_equal(json_int(json_get(tree, "i"), 7), -3);
    assert_true(json_is_true(json_get(tree, "t")));
    assert_false(json_is_true(json_get(tree, "i")));
    const struct json *item = json_first(json_get(tree, "l"));
    assert_int_equal(json_int(item, 0), 1);
    assert_null(json_key(item));
    assert_string_equal(json_text(json_next(item)), "two");
    assert_null(json_next(json_next(item)));
    assert_string_equal(json_key(json_first(tree)), "Id");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_a_tree_would_hide_is_refused),
        cmocka_unit_test(test_depth_is_bounded_and_brackets_in_strings_do_not_count),
        cmocka_unit_test(test_a_path_into_what_is_not_there_is_absent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
