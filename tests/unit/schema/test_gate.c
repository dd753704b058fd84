/* What must not come through: each text once, with what is said of it. */
#include "schema/codec/gate.h"

#include "platform/base/buf.h"
#include "platform/base/err.h"
#include "platform/base/mem.h"
#include "schema/limits.h"
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

struct row {
    const char *text;
    const char *fault; /* NULL: passes */
};

static void check(const char *text, size_t length, const char *fault)
{
    _cleanup_problems_ struct problems problems = {0};
    _cleanup_tree_ struct tree tree = {0};
    int result = gate_read(text, length, &problems, &tree);
    if ((result == 0) != (fault == NULL))
        fail_msg("%.100s: %s", text, result ? problems.items[0].message : "passed");
    if (!fault)
        return;
    assert_int_equal(result, -ERR_INVALID);
    assert_int_equal(problems.count, 1);
    if (!strstr(problems.items[0].message, fault))
        fail_msg("%.100s: said \"%s\", not \"%s\"", text, problems.items[0].message, fault);
}

static void check_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        check(rows[i].text, strlen(rows[i].text), rows[i].fault);
}

static void json_objects_pass(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"{}", NULL},
        {" \t\r\n{ \"a\" : [ 1 , 2 ] , \"b\" : { } } \n", NULL},
        {"{\"a\":true,\"b\":false,\"c\":null,\"d\":\"\"}", NULL},
        {"{\"a\":-0,\"b\":0.5,\"c\":1e3,\"d\":-1.25E-7,\"e\":0e0}", NULL},
        {"{\"a\":9007199254740991,\"b\":-9007199254740991,\"c\":0.1e16}", NULL},
        {"{\"a\":0.00000000000000000000000000000000000001,\"b\":1e-400}", NULL},
        {"{\"\xc3\xa4\":\"\xe2\x82\xac \xf0\x9f\x9a\xa2\",\"\\u00e4\\n\":\"\\ud83d\\udea2\"}",
         NULL},
        {"{\"a\":{\"a\":{\"a\":1}},\"b\":{\"a\":1}}", NULL},
        {"{\"ab\":1,\"ba\":2,\"abc\":3}", NULL},
    };
    check_rows(rows, ARRAY_LENGTH(rows));
}

static void what_is_no_json_object_is_refused(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {" ", "expected an object"},
        {"[]", "expected an object"},
        {"1", "expected an object"},
        {"\xef\xbb\xbf{}", "expected an object"},
        {"{", "expected a key"},
        {"{\"a\"", "expected ':'"},
        {"{\"a\":", "the text ends too early"},
        {"{\"a\":1", "expected ',' or '}'"},
        {"{\"a\":[1", "expected ',' or ']'"},
        {"{\"a\":[1,]}", "expected a value"},
        {"{\"a\":1,}", "expected a key"},
        {"{a:1}", "expected a key"},
        {"{'a':1}", "expected a key"},
        {"{\"a\":tru}", "expected a value"},
        {"{\"a\":NaN}", "expected a value"},
        {"{\"a\":undefined}", "expected a value"},
        {"{\"a\":1 /* c */}", "expected ','"},
        {"{} {}", "something follows"},
        {"{}x", "something follows"},
    };
    check_rows(rows, ARRAY_LENGTH(rows));
    check("{}\0", 3, "something follows");
}

static void numbers_are_json_and_below_2_to_the_53(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"{\"a\":01}", "not a number"},
        {"{\"a\":-}", "not a number"},
        {"{\"a\":+1}", "expected a value"},
        {"{\"a\":.5}", "expected a value"},
        {"{\"a\":1.}", "ends in its point"},
        {"{\"a\":1e}", "ends in its exponent"},
        {"{\"a\":1e+}", "exponent"},
        {"{\"a\":0x10}", "expected ','"},
        {"{\"a\":9007199254740992}", "2^53"},
        {"{\"a\":-9007199254740992}", "2^53"},
        {"{\"a\":1e16}", "2^53"},
        {"{\"a\":1e400}", "2^53"},
        {"{\"a\":0.1e99999999999}", "2^53"},
        {"{\"a\":123456789012345678901234567890}", "2^53"},
    };
    check_rows(rows, ARRAY_LENGTH(rows));
}

static void strings_are_utf_8_without_nul(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"{\"a\":\"b}", "has no end"},
        {"{\"a\":\"\n\"}", "control character"},
        {"{\"a\":\"\\x\"}", "unknown escape"},
        {"{\"a\":\"\\u12\"}", "four hex digits"},
        {"{\"a\":\"\\u0000\"}", "\\u0000"},
        {"{\"\\u0000\":1}", "\\u0000"},
        {"{\"a\":\"\\ud800\"}", "half a surrogate"},
        {"{\"a\":\"\\ud800\\u0041\"}", "half a surrogate"},
        {"{\"a\":\"\\udc00\"}", "half a surrogate"},
        {"{\"a\":\"\x80\"}", "not UTF-8"},
        {"{\"a\":\"\xc0\x80\"}", "not UTF-8"},
        {"{\"a\":\"\xc3\"}", "not UTF-8"},
        {"{\"a\":\"\xe0\x80\x80\"}", "not UTF-8"},
        {"{\"a\":\"\xed\xa0\x80\"}", "not UTF-8"},
        {"{\"a\":\"\xf0\x80\x80\x80\"}", "not UTF-8"},
        {"{\"a\":\"\xf4\x90\x80\x80\"}", "not UTF-8"},
        {"{\"a\":\"\xff\"}", "not UTF-8"},
    };
    check_rows(rows, ARRAY_LENGTH(rows));
    check("{\"a\":\"x\0y\"}", 11, "a NUL byte");
    check("{\"a\":\"\xe2\x82", 8, "not UTF-8");
}

static void no_key_comes_twice_however_it_is_written(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"{\"a\":1,\"a\":2}", "the key \"a\" is there twice"},
        {"{\"a\":1,\"b\":2,\"\\u0061\":3}", "twice"},
        {"{\"/\":1,\"\\/\":2}", "twice"},
        {"{\"\xc3\xa4\":1,\"\\u00E4\":2}", "twice"},
        {"{\"\xf0\x9f\x9a\xa2\":1,\"\\ud83d\\udea2\":2}", "twice"},
        {"{\"x\":[{\"k\":1,\"k\":1}]}", "twice"},
        {"{\"\":1,\"\":1}", "twice"},
    };
    check_rows(rows, ARRAY_LENGTH(rows));
}

static void nesting_ends_at_its_limit(void **state)
{
    (void)state;
    for (int extra = 0; extra < 2; extra++) {
        _cleanup_buf_ struct buf text = BUF_EMPTY;
        int depth = LIMIT_JSON_DEPTH + extra - 1;
        buf_add_text(&text, "{\"a\":");
        for (int i = 0; i < depth; i++)
            buf_add_char(&text, '[');
        for (int i = 0; i < depth; i++)
            buf_add_char(&text, ']');
        buf_add_char(&text, '}');
        check(text.data, text.length, extra ? "nested too deeply" : NULL);
    }
}

static void a_payload_ends_at_its_limit(void **state)
{
    (void)state;
    _cleanup_buf_ struct buf text = BUF_EMPTY;
    buf_add_text(&text, "{\"a\":\"");
    while (text.length < LIMIT_PAYLOAD_BYTES - 2)
        buf_add_char(&text, 'x');
    buf_add_text(&text, "\"}");
    check(text.data, text.length, NULL);
    buf_add_char(&text, ' ');
    _cleanup_problems_ struct problems problems = {0};
    _cleanup_tree_ struct tree tree = {0};
    assert_int_equal(gate_read(text.data, text.length, &problems, &tree), -ERR_TOO_LARGE);
    assert_int_equal(problems.count, 1);
}

static void a_fault_is_told_with_line_and_column(void **state)
{
    (void)state;
    check("{\n  \"a\": 1,\n  \"b\" 2\n}", 22, "line 3, column 7");
}

static void the_tree_has_the_texts_without_their_escapes(void **state)
{
    (void)state;
    static const char text[] = "{ \"a\" : [\"\\u00e4\\n/\\/\", \"\", \"\xe2\x82\xac\\\\\"],"
                               "\"\\ud83d\\udea2\":{\"\":true,\"x\":null} }";
    _cleanup_problems_ struct problems problems = {0};
    _cleanup_tree_ struct tree tree = {0};
    assert_int_equal(gate_read(text, strlen(text), &problems, &tree), 0);
    const cJSON *list = tree.root->child, *inside = list->next;
    assert_string_equal(list->string, "a");
    assert_int_equal(cJSON_GetArraySize(list), 3);
    assert_string_equal(list->child->valuestring, "\xc3\xa4\n//");
    assert_string_equal(list->child->next->valuestring, "");
    assert_string_equal(list->child->prev->valuestring, "\xe2\x82\xac\\");
    assert_string_equal(inside->string, "\xf0\x9f\x9a\xa2");
    assert_true(cJSON_IsTrue(inside->child) && cJSON_IsNull(inside->child->next));
    assert_string_equal(inside->child->string, "");
    assert_null(inside->next);
}

/* To the bit. What is short is not read by strtod. */
static void a_number_is_the_double_that_is_nearest_to_its_text(void **state)
{
    (void)state;
    static const char *const numbers[] = {
        "0",
        "-0",
        "0.0",
        "-0.0",
        "7",
        "-12",
        "0.1",
        "0.3",
        "1.005",
        "-2.5",
        "0.000001",
        "123456789012345",
        "0.10",
        "1e3",
        "1E-3",
        "0e5",
        "2.5e+2",
        "1234567890123456",
        "1e-400",
        "5e-324",
        "4.35",
        "0.07",
        "1.23456789012345",
        "0.12345678901234",
        "0.123456789012345",
        "9007199254740991",
        "2.2250738585072011e-308",
        "0.30000000000000004",
        "99999999999999.9",
        "999999999999.999",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(numbers); i++) {
        _cleanup_problems_ struct problems problems = {0};
        _cleanup_tree_ struct tree tree = {0};
        _cleanup_buf_ struct buf text = BUF_EMPTY;
        buf_printf(&text, "{\"a\":%s}", numbers[i]);
        double expected = strtod(numbers[i], NULL);
        assert_int_equal(gate_read(text.data, text.length, &problems, &tree), 0);
        if (memcmp(&tree.root->child->valuedouble, &expected, sizeof expected))
            fail_msg("%s was read as %.17g", numbers[i], tree.root->child->valuedouble);
    }
}

/* `twice`: the last key is that of this index again; none when it is `count`. */
static void check_keys(int count, int step, int twice, const char *fault)
{
    _cleanup_buf_ struct buf text = BUF_EMPTY;
    buf_add_char(&text, '{');
    for (int i = 0; i < count; i++)
        buf_printf(&text, "\"k%03d\":0,", i * step % count);
    buf_printf(&text, "\"k%03d\":{\"k000\":1}}", twice);
    check(text.data, text.length, fault);
}

static void a_key_that_comes_twice_is_found_among_few_and_among_many(void **state)
{
    (void)state;
    for (int count = 1; count < 70; count++) {
        for (int step = 1; step < 12; step += 10) { /* in order; 11: in none */
            if (count % 11 == 0 && step == 11)
                continue;
            check_keys(count, step, count, NULL);
            check_keys(count, step, 0, "the key \"k000\" is there twice");
            check_keys(count, step, count - 1, "is there twice");
        }
    }
}

/* Small ones lie on the stack, larger ones in an arena. */
static void a_tree_of_any_size_is_whole(void **state)
{
    (void)state;
    for (int count = 0; count < 600; count++) {
        _cleanup_buf_ struct buf text = BUF_EMPTY;
        _cleanup_problems_ struct problems problems = {0};
        _cleanup_tree_ struct tree tree = {0};
        buf_add_text(&text, "{\"list\":[");
        for (int i = 0; i < count; i++)
            buf_printf(&text, "%s%d", i ? "," : "", i % 10);
        buf_printf(&text, "],\"last\":\"%s\"}", count % 3 ? "z" : "yz");
        assert_int_equal(gate_read(text.data, text.length, &problems, &tree), 0);
        const cJSON *list = tree.root->child, *item = list->child;
        for (int i = 0; i < count; i++, item = item->next)
            assert_true(item->valuedouble == i % 10);
        assert_null(item);
        assert_string_equal(list->next->string, "last");
        assert_string_equal(list->next->valuestring, count % 3 ? "z" : "yz");
    }
}

static void many_keys_are_compared_quickly(void **state)
{
    (void)state;
    _cleanup_buf_ struct buf text = BUF_EMPTY;
    buf_add_char(&text, '{');
    for (int i = 0; i < 20000; i++)
        buf_printf(&text, "%s\"%d\":0", i ? "," : "", i);
    buf_add_char(&text, '}');
    check(text.data, text.length, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_objects_pass),
        cmocka_unit_test(what_is_no_json_object_is_refused),
        cmocka_unit_test(numbers_are_json_and_below_2_to_the_53),
        cmocka_unit_test(strings_are_utf_8_without_nul),
        cmocka_unit_test(no_key_comes_twice_however_it_is_written),
        cmocka_unit_test(nesting_ends_at_its_limit),
        cmocka_unit_test(a_payload_ends_at_its_limit),
        cmocka_unit_test(a_fault_is_told_with_line_and_column),
        cmocka_unit_test(the_tree_has_the_texts_without_their_escapes),
        cmocka_unit_test(a_number_is_the_double_that_is_nearest_to_its_text),
        cmocka_unit_test(a_key_that_comes_twice_is_found_among_few_and_among_many),
        cmocka_unit_test(a_tree_of_any_size_is_whole),
        cmocka_unit_test(many_keys_are_compared_quickly),
    };
    return cmocka_run_group_tests_name("gate", tests, NULL, NULL);
}
