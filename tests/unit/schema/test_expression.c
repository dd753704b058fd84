/* Every row of the table of operators, with its traps, and the place of every error. */
#include "schema/expression.h"

#include "platform/base/err.h"
#include "platform/base/mem.h"
#include "tests/unit/unit.h"

#include <string.h>

struct row {
    const char *text; /* the property is label.x */
    const char *property;
    bool holds;
};

static bool holds(const char *text, const char *property)
{
    _cleanup_arena_ struct arena arena = {0};
    struct expression expression;
    struct expression_problem problem;
    if (expression_parse(text, &arena, &expression, &problem))
        fail_msg("%s: %s at %zu", text, problem.message, problem.offset);
    return expression_holds(&expression, property);
}

static void check_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (holds(rows[i].text, rows[i].property) != rows[i].holds)
            fail_msg("%s of \"%s\" is %d", rows[i].text, rows[i].property, !rows[i].holds);
}

#define CHECK(rows) check_rows(rows, ARRAY_LENGTH(rows))

static void equality_is_of_texts_and_what_is_missing_is_unequal(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"label.x == a", "a", true},       {"label.x==a", "a", true},
        {"label.x == a", "A", false},      {"label.x == a", NULL, false},
        {"label.x != a", "b", true},       {"label.x != a", "a", false},
        {"label.x != a", NULL, true},      {"label.x == 1", "1.0", false},
        {"label.x == \"\"", "", true},     {"label.x == a b ", "a b", true},
        {"label.x == \" a\"", " a", true}, {"label.x == \"a\"\"", "a\"", true},
    };
    CHECK(rows);
}

static void order_is_of_numbers_when_both_are_and_of_texts_otherwise(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"label.x > 9", "10", true},
        {"label.x > 9", "9", false},
        {"label.x >= 9", "9.0", true},
        {"label.x < 9", "10", false},
        {"label.x < 1e3", "999.5", true},
        {"label.x <= -1", "-1.5", true},
        {"label.x < -1", "-0.5", false},
        {"label.x > 0.09", ".1", true},
        {"label.x >= 0", "-0", true},
        {"label.x > 9007199254740992", "9007199254740993", true}, /* no double holds it */
        {"label.x > 99999999999999999999", "100000000000000000000", true},
        {"label.x > 9", "10a", false}, /* as texts */
        {"label.x < b", "a", true},
        {"label.x < 0x10", "1", false}, /* hexadecimal is text: "1" is behind "0" */
        {"label.x > 1", NULL, false},
        {"label.x <= 1", NULL, false},
        {"label.x < 5", "", true}, /* text: the empty one is first */
    };
    CHECK(rows);
}

static void presence_is_asked_for_by_name(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"label.x is_set", "", true},
        {"label.x is_set", NULL, false},
        {"label.x is_not_set", NULL, true},
        {"label.x is_not_set", "a", false},
    };
    CHECK(rows);
}

static void versions_are_lenient_and_pre_releases_match_only_when_named(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"label.x version >= 5.10", "5.10.0-28-amd64", true}, /* a packager's suffix */
        {"label.x version >= 5.10", "5.9.16", false},
        {"label.x version >= 1.2, < 2", "1.10", true},
        {"label.x version >= 1.2, < 2", "2.0.0", false},
        {"label.x version 1.2", "v1.2.0", true},
        {"label.x version = 1.2", "1.2.1", false},
        {"label.x version != 1.2", "1.2.0", false},
        {"label.x version != 1.2", "1.3-rc1", true},
        {"label.x version ~> 1.2", "1.9", true},
        {"label.x version ~> 1.2", "2.0", false},
        {"label.x version ~> 1.2.3", "1.2.9", true},
        {"label.x version ~> 1.2.3", "1.3.0", false},
        {"label.x version ~> 1.2.3", "1.2.2", false},
        {"label.x version ~> 1", "1.9", true},
        {"label.x version ~> 1", "2", false},
        {"label.x version > 1.2", "1.3-beta2", false},
        {"label.x version > 1.3-beta1", "1.3-beta2", true},
        {"label.x version > 1.3-beta1", "1.4-beta1", false}, /* of other numbers */
        {"label.x version > 1.3-rc9", "1.3rc10", true},
        {"label.x version > 1.3-beta1", "1.3", true},
        {"label.x version < 1.3", "1.3-rc1", false},
        {"label.x version >= 20", "20.10.21+dfsg1", true},
        {"label.x version >= 1", "1.27-alpine", true},
        {"label.x version >= 1", "unknown", false},
        {"label.x version >= 1", "", false},
        {"label.x version >= 1", NULL, false},
        {"label.x version > 1.99999999999999999998", "1.99999999999999999999", true},
        {"label.x version < 1.10", "1.09", true},
    };
    CHECK(rows);
}

static void semantic_versions_are_strict(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"label.x semver >= 1.2.0", "1.10.0", true},
        {"label.x semver >= 1.2.0", "1.10", false}, /* is none */
        {"label.x semver >= 1.2.0", "v1.10.0", false},
        {"label.x semver >= 1.2.0", "1.02.0", false},
        {"label.x semver >= 1.2.0, < 2.0.0", "1.9.9", true},
        {"label.x semver > 1.0.0-alpha", "1.0.0-alpha.1", true},
        {"label.x semver > 1.0.0-alpha.1", "1.0.0-alpha.beta", true},
        {"label.x semver > 1.0.0-beta.2", "1.0.0-beta.11", true},
        {"label.x semver > 1.0.0-rc9", "1.0.0-rc10", false}, /* one word each */
        {"label.x semver > 1.0.0-rc.1", "1.0.0", true},
        {"label.x semver == 1.0.0", "1.0.0+build.5", true},
        {"label.x semver < 1.0.0", "1.0.0-rc.1", true},
        {"label.x semver >= 1.0.0", "1.0.0-01", false},
        {"label.x semver >= 1.0.0", "1.0.0-", false},
        {"label.x semver >= 1.0.0", NULL, false},
    };
    CHECK(rows);
}

static void patterns_match_anywhere_unless_anchored(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"label.x regexp b", "abc", true},         {"label.x regexp ^b", "abc", false},
        {"label.x regexp ^a.*c$", "abc", true},    {"label.x regexp ^(ab|cd)+$", "abcdab", true},
        {"label.x regexp ^[^0-9]+$", "a1", false}, {"label.x regexp ^a{2,3}$", "aaaa", false},
        {"label.x regexp ^a{2,}$", "aaaa", true},  {"label.x regexp \\d\\.\\d", "v1.2", true},
        {"label.x regexp \"^ x\"", " x", true},    {"label.x regexp ^$", "", true},
        {"label.x regexp a", NULL, false},         {"label.x regexp ^(a*)*$", "aaab", false},
    };
    CHECK(rows);
}

static void sets_are_comma_lists_with_items_trimmed(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"label.x in [graz, berlin]", "berlin", true},
        {"label.x in [graz, berlin]", "linz", false},
        {"label.x in graz", "graz", true},
        {"label.x in [graz]", NULL, false},
        {"label.x set_contains [a, b]", "c, b ,a", true},
        {"label.x set_contains a,b", "a,c", false},
        {"label.x set_contains_any a,b", "c, b", true},
        {"label.x set_contains_any [ab]", "a,b", false},
        {"label.x set_contains [a b]", "x, a b", true},
        {"label.x set_contains a", "", false},
    };
    CHECK(rows);
}

static void every_error_names_its_place_and_the_remedy(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t offset;
        const char *hint; /* a part of it */
    } rows[] = {
        {"", 0, "arch == arm64"},
        {"  == a", 2, "arch == arm64"},
        {"arhc == arm64", 0, "did you mean \"arch\"?"},
        {"labels.site == a", 0, "did you mean \"label.site\"?"},
        {"site == a", 0, "targets are"},
        {"label. == a", 0, "targets are"},
        {"${node.id} == a", 0, "targets are"},
        {"arch = arm64", 5, "did you mean \"==\"?"},
        {"arch", 4, "operators are"},
        {"arch is arm64", 5, "operators are"},
        {"arch regex ^a", 5, "did you mean \"regexp\"?"},
        {"arch is_st", 5, "did you mean \"is_set\"?"},
        {"arch ~> 1.2", 5, "version ~>"},
        {"arch ==", 7, "\"\""},
        {"arch == \"a", 8, "quote"},
        {"arch is_set yes", 12, "leave it out"},
        {"arch in [a, b", 13, "]"},
        {"arch in [a, , b]", 12, "[graz, berlin]"},
        {"arch in []", 9, "[graz, berlin]"},
        {"arch regexp a(b", 13, "regular"},
        {"arch regexp a)", 13, "regular"},
        {"arch regexp *", 12, "regular"},
        {"arch regexp [a", 12, "regular"},
        {"arch regexp a{3,2}", 13, "regular"},
        {"arch regexp \\q", 13, "regular"},
        {"arch version >= x", 16, ">= 1.2"},
        {"arch version >= 1.2,", 20, ">= 1.2"},
        {"arch version >= 1.2 < 2", 20, ">= 1.2, < 2"},
        {"arch semver >= 1.2", 15, "1.2.0"},
        {"arch semver ~> 1.2.0", 12, "use version"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        _cleanup_arena_ struct arena arena = {0};
        struct expression expression;
        struct expression_problem problem;
        assert_int_equal(expression_parse(rows[i].text, &arena, &expression, &problem),
                         -ERR_INVALID);
        if (problem.offset != rows[i].offset || !strstr(problem.hint, rows[i].hint))
            fail_msg("%s: at %zu %s (%s)", rows[i].text, problem.offset, problem.message,
                     problem.hint);
        assert_true(problem.message[0]);
    }
}

static void a_pattern_may_be_hard_but_never_slow_or_large(void **state)
{
    (void)state;
    _cleanup_arena_ struct arena arena = {0};
    struct expression expression;
    struct expression_problem problem;
    assert_int_equal(
        expression_parse("arch regexp (((a{100}){100}){100}){100}", &arena, &expression, &problem),
        -ERR_INVALID);
    assert_string_equal(problem.message, "the pattern is too large");
    assert_false(
        holds("label.x regexp ^(a|a)*(a|a)*(a|a)*(a|a)*b$",
              "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
}

static void properties_come_from_where_their_prefix_says(void **state)
{
    (void)state;
    struct string_pair own[] = {{"disk", "hdd"}, {"site", "graz"}}, people[] = {{"disk", "ssd"}};
    struct string_pair attributes[] = {{"arch", "arm64"}, {"kernel.version", "6.1"}};
    const struct node_properties node = {.id = "n1",
                                         .datacenter = "plant",
                                         .labels = {own, 2},
                                         .people_labels = {people, 1},
                                         .attributes = {attributes, 2}};
    assert_string_equal(node_property(&node, "node.id"), "n1");
    assert_string_equal(node_property(&node, "datacenter"), "plant");
    assert_string_equal(node_property(&node, "arch"), "arm64");
    assert_string_equal(node_property(&node, "attr.arch"), "arm64");
    assert_string_equal(node_property(&node, "kernel.version"), "6.1");
    assert_string_equal(node_property(&node, "label.site"), "graz");
    assert_string_equal(node_property(&node, "label.disk"), "ssd");
    assert_null(node_property(&node, "label.arch"));
    assert_null(node_property(&node, "os"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equality_is_of_texts_and_what_is_missing_is_unequal),
        cmocka_unit_test(order_is_of_numbers_when_both_are_and_of_texts_otherwise),
        cmocka_unit_test(presence_is_asked_for_by_name),
        cmocka_unit_test(versions_are_lenient_and_pre_releases_match_only_when_named),
        cmocka_unit_test(semantic_versions_are_strict),
        cmocka_unit_test(patterns_match_anywhere_unless_anchored),
        cmocka_unit_test(sets_are_comma_lists_with_items_trimmed),
        cmocka_unit_test(every_error_names_its_place_and_the_remedy),
        cmocka_unit_test(a_pattern_may_be_hard_but_never_slow_or_large),
        cmocka_unit_test(properties_come_from_where_their_prefix_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
