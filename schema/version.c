#include "schema/version.h"

#include "platform/base/err.h"
#include "platform/base/mem.h"

#include <string.h>
#include <strings.h>

static bool is_digit(char character)
{
    return character >= '0' && character <= '9';
}

static bool is_letter(char character)
{
    return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z');
}

static size_t digits(const char *text, size_t length)
{
    size_t count = 0;
    while (count < length && is_digit(text[count]))
        count++;
    return count;
}

/* ---- comparing ---- */

/* Of any length, so that no number overflows. */
static int numbers_compare(struct version_part a, struct version_part b)
{
    for (; a.length && *a.text == '0'; a.length--)
        a.text++;
    for (; b.length && *b.text == '0'; b.length--)
        b.text++;
    if (a.length != b.length)
        return a.length < b.length ? -1 : 1;
    return a.length ? memcmp(a.text, b.text, a.length) : 0;
}

static int texts_compare(struct version_part a, struct version_part b)
{
    size_t shorter = a.length < b.length ? a.length : b.length;
    int order = shorter ? memcmp(a.text, b.text, shorter) : 0;
    return order || a.length == b.length ? order : a.length < b.length ? -1 : 1;
}

/* Cuts the next piece off: an identifier between dots, or, when `runs`, digits and others apart, so
 * that rc10 is behind rc9. */
static struct version_part cut(struct version_part *rest, bool runs)
{
    struct version_part piece = {rest->text, 0};
    while (piece.length < rest->length && rest->text[piece.length] != '.') {
        if (runs && piece.length &&
            is_digit(rest->text[piece.length]) != is_digit(rest->text[piece.length - 1]))
            break;
        piece.length++;
    }
    size_t behind = piece.length;
    behind += behind < rest->length && rest->text[behind] == '.';
    rest->text += behind;
    rest->length -= behind;
    return piece;
}

/* SemVer 2.0, item 11: numbers below words, the shorter first when all else is equal. */
static int identifiers_compare(struct version_part a, struct version_part b)
{
    bool a_number = digits(a.text, a.length) == a.length;
    bool b_number = digits(b.text, b.length) == b.length;
    if (a_number != b_number)
        return a_number ? -1 : 1;
    return a_number ? numbers_compare(a, b) : texts_compare(a, b);
}

static int pre_compare(struct version_part a, struct version_part b, bool strict)
{
    if (!a.length || !b.length)
        return !!b.length - !!a.length; /* the release is behind its pre-releases */
    while (a.length && b.length) {
        int order = identifiers_compare(cut(&a, !strict), cut(&b, !strict));
        if (order)
            return order;
    }
    return !!a.length - !!b.length;
}

static int prefix_compare(const struct version *a, const struct version *b, size_t count)
{
    static const struct version_part zero = {"0", 1};
    for (size_t i = 0; i < count; i++) {
        int order = numbers_compare(i < a->count ? a->numbers[i] : zero,
                                    i < b->count ? b->numbers[i] : zero);
        if (order)
            return order;
    }
    return 0;
}

int version_compare(const struct version *a, const struct version *b)
{
    int order = prefix_compare(a, b, VERSION_NUMBERS_MAX);
    return order ? order : pre_compare(a->pre, b->pre, a->strict);
}

/* ---- parsing ---- */

static bool is_suffix_character(char character)
{
    return is_digit(character) || is_letter(character) || (character && strchr(".-~_", character));
}

static bool is_suffix(struct version_part text)
{
    for (size_t i = 0; i < text.length; i++)
        if (!is_suffix_character(text.text[i]))
            return false;
    return true;
}

static bool names_pre_release(struct version_part suffix)
{
    static const char *const words[] = {"a",   "alpha", "b",       "beta",     "c",      "rc",
                                        "dev", "pre",   "preview", "snapshot", "nightly"};
    size_t letters = 0;
    while (letters < suffix.length && is_letter(suffix.text[letters]))
        letters++;
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++)
        if (strlen(words[i]) == letters && strncasecmp(words[i], suffix.text, letters) == 0)
            return true;
    return false;
}

static bool numbers_take(struct version_part *rest, struct version *version)
{
    for (;;) {
        size_t length = digits(rest->text, rest->length);
        if (!length || version->count == VERSION_NUMBERS_MAX)
            return false;
        version->numbers[version->count++] = (struct version_part){rest->text, length};
        rest->text += length;
        rest->length -= length;
        if (rest->length < 2 || rest->text[0] != '.' || !is_digit(rest->text[1]))
            return true;
        rest->text++;
        rest->length--;
    }
}

static struct version_part without_build(struct version_part text)
{
    const char *plus = text.length ? memchr(text.text, '+', text.length) : NULL;
    return (struct version_part){text.text, plus ? (size_t)(plus - text.text) : text.length};
}

static bool lenient_suffix(struct version_part rest, struct version *version)
{
    rest = without_build(rest);
    if (!is_suffix(rest))
        return false;
    while (rest.length && strchr(".-~_", *rest.text)) {
        rest.text++;
        rest.length--;
    }
    if (names_pre_release(rest))
        version->pre = rest;
    return true;
}

/* Dot-separated identifiers of SemVer; numbers without leading zeros where `numbers` says so. */
static bool identifiers_are_valid(struct version_part text, bool numbers)
{
    if (!text.length || text.text[text.length - 1] == '.')
        return false;
    while (text.length) {
        struct version_part piece = cut(&text, false);
        if (!piece.length)
            return false;
        for (size_t i = 0; i < piece.length; i++)
            if (!is_digit(piece.text[i]) && !is_letter(piece.text[i]) && piece.text[i] != '-')
                return false;
        if (numbers && piece.length > 1 && piece.text[0] == '0' &&
            digits(piece.text, piece.length) == piece.length)
            return false;
    }
    return true;
}

static bool strict_suffix(struct version_part rest, struct version *version)
{
    struct version_part pre = without_build(rest);
    if (pre.length < rest.length &&
        !identifiers_are_valid(
            (struct version_part){pre.text + pre.length + 1, rest.length - pre.length - 1}, false))
        return false;
    if (!pre.length)
        return true;
    version->pre = (struct version_part){pre.text + 1, pre.length - 1};
    return *pre.text == '-' && identifiers_are_valid(version->pre, true);
}

static bool numbers_are_strict(const struct version *version)
{
    for (size_t i = 0; i < version->count; i++)
        if (version->numbers[i].length > 1 && *version->numbers[i].text == '0')
            return false;
    return version->count == 3;
}

bool version_parse(const char *text, size_t length, bool strict, struct version *ret_version)
{
    struct version_part rest = {text, length};
    struct version version = {.strict = strict};
    if (!strict && length && (*text == 'v' || *text == 'V'))
        rest = (struct version_part){text + 1, length - 1};
    if (!numbers_take(&rest, &version))
        return false;
    if (strict ? !numbers_are_strict(&version) || !strict_suffix(rest, &version)
               : !lenient_suffix(rest, &version))
        return false;
    *ret_version = version;
    return true;
}

/* ---- rules ---- */

static const struct relation_row {
    const char *sign;
    enum version_relation relation;
} relations[] = {
    {"!=", VERSION_NOT_EQUAL},   {"<=", VERSION_AT_MOST}, {">=", VERSION_AT_LEAST},
    {"~>", VERSION_PESSIMISTIC}, {"==", VERSION_EQUAL},   {"=", VERSION_EQUAL},
    {"<", VERSION_LESS},         {">", VERSION_GREATER},
};

static const char *skip_spaces(const char *at)
{
    while (*at == ' ' || *at == '\t')
        at++;
    return at;
}

static enum version_relation take_relation(const char **at)
{
    for (size_t i = 0; i < ARRAY_LENGTH(relations); i++) {
        size_t length = strlen(relations[i].sign);
        if (strncmp(*at, relations[i].sign, length) == 0) {
            *at += length;
            return relations[i].relation;
        }
    }
    return VERSION_EQUAL;
}

static bool rule_take(const char **at, bool strict, struct version_rule *ret_rule,
                      const char **ret_message, const char **ret_hint)
{
    const char *sign = *at;
    ret_rule->relation = take_relation(at);
    if (strict && ret_rule->relation == VERSION_PESSIMISTIC) {
        *at = sign;
        *ret_message = "semver has no ~>";
        *ret_hint = "use version, or write \">= 1.2.0, < 2.0.0\"";
        return false;
    }
    *at = skip_spaces(*at);
    size_t length = strcspn(*at, ", \t");
    if (!version_parse(*at, length, strict, &ret_rule->version)) {
        *ret_message = strict ? "this is no semantic version" : "this is no version";
        *ret_hint = strict ? "three numbers, such as 1.2.0" : "such as \">= 1.2, < 2\"";
        return false;
    }
    *at = skip_spaces(*at + length);
    if (!**at || **at == ',')
        return true;
    *ret_message = "a comma is missing here";
    *ret_hint = "such as \">= 1.2, < 2\"";
    return false;
}

int version_rules_parse(const char *text, bool strict, struct arena *arena,
                        struct version_rules *ret_rules, size_t *ret_offset,
                        const char **ret_message, const char **ret_hint)
{
    size_t most = 1;
    for (const char *at = text; *at; at++)
        most += *at == ',';
    struct version_rules rules = {arena_array(arena, most, sizeof(*rules.items)), 0};
    if (!rules.items)
        return -ERR_NO_MEMORY;
    for (const char *at = text; rules.count < most; at++) {
        at = skip_spaces(at);
        bool ok = rule_take(&at, strict, &rules.items[rules.count++], ret_message, ret_hint);
        if (!ok) {
            *ret_offset = (size_t)(at - text);
            return -ERR_INVALID;
        }
    }
    *ret_rules = rules;
    return 0;
}

/* A pre-release only where the rule names one of the same numbers. */
static bool pre_release_may(const struct version *version, const struct version *named)
{
    if (!version->pre.length || version->strict)
        return true;
    return named->pre.length && prefix_compare(version, named, VERSION_NUMBERS_MAX) == 0;
}

/* ~> 1.2.3: at least that, and what stands before its last number is the same; ~> 1: below 2. */
static bool pessimistic_holds(const struct version *version, const struct version *least)
{
    size_t fixed = least->count > 1 ? least->count - 1 : 1;
    return version_compare(version, least) >= 0 && prefix_compare(version, least, fixed) == 0;
}

static bool rule_holds(const struct version_rule *rule, const struct version *version)
{
    int order = version_compare(version, &rule->version);
    bool may = pre_release_may(version, &rule->version);
    switch (rule->relation) {
    case VERSION_EQUAL:
        return order == 0;
    case VERSION_NOT_EQUAL:
        return order != 0;
    case VERSION_LESS:
        return may && order < 0;
    case VERSION_AT_MOST:
        return may && order <= 0;
    case VERSION_GREATER:
        return may && order > 0;
    case VERSION_AT_LEAST:
        return may && order >= 0;
    case VERSION_PESSIMISTIC:
        return may && pessimistic_holds(version, &rule->version);
    }
    return false;
}

bool version_rules_hold(const struct version_rules *rules, bool strict, const char *text)
{
    struct version version;
    if (!version_parse(text, strlen(text), strict, &version))
        return false;
    for (size_t i = 0; i < rules->count; i++)
        if (!rule_holds(&rules->items[i], &version))
            return false;
    return true;
}
