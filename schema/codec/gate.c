/* The gate is a recursive descent over the grammar of RFC 8259, at most LIMIT_JSON_DEPTH deep.
 *
 * Happy path: gate_check -> scan_value -> scan_object | scan_array | scan_string | scan_number |
 * literal. Keys of open objects lie on one stack; at an object's end its own are sorted and
 * neighbours compared. The first fault ends the scan: its text is kept and reported with line and
 * column. */
#include "schema/codec/gate.h"

#include "platform/base/arena.h"
#include "platform/base/err.h"
#include "platform/base/mem.h"
#include "schema/limits.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_MAX 9007199254740992.0 /* 2^53 */

struct key {
    const char *text; /* without escapes; may hold no NUL */
    size_t length;
};

struct scanner {
    const char *at, *end;
    struct arena arena; /* of keys */
    struct key *keys;   /* of all open objects */
    size_t key_count, key_capacity;
    int depth;
    int code; /* enum err_code of the fault */
    const char *fault;
};

static bool scan_value(struct scanner *scanner);

static bool fail(struct scanner *scanner, int code, const char *fault)
{
    if (!scanner->fault) {
        scanner->code = code;
        scanner->fault = fault;
    }
    return false;
}

static bool invalid(struct scanner *scanner, const char *fault)
{
    return fail(scanner, ERR_INVALID, fault);
}

static char peek(const struct scanner *scanner)
{
    return scanner->at < scanner->end ? *scanner->at : '\0';
}

static bool take(struct scanner *scanner, char expected)
{
    if (peek(scanner) != expected || scanner->at == scanner->end)
        return false;
    scanner->at++;
    return true;
}

static void skip_space(struct scanner *scanner)
{
    while (scanner->at < scanner->end && memchr(" \t\n\r", *scanner->at, 4))
        scanner->at++;
}

/* ---- strings ---- */

/* Length of the UTF-8 sequence at `at` (Unicode 15, table 3-7), 0 when it is none. */
static size_t utf8_length(const unsigned char *at, size_t room)
{
    static const struct {
        unsigned char first_low, first_high, second_low, second_high;
        size_t length;
    } forms[] = {
        {0x01, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(forms); i++) {
        if (at[0] < forms[i].first_low || at[0] > forms[i].first_high)
            continue;
        size_t length = forms[i].length;
        if (length > room ||
            (length > 1 && (at[1] < forms[i].second_low || at[1] > forms[i].second_high)))
            return 0;
        for (size_t j = 2; j < length; j++)
            if (at[j] < 0x80 || at[j] > 0xbf)
                return 0;
        return length;
    }
    return 0;
}

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    digit |= 0x20;
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* Four hex digits. */
static bool take_hex(struct scanner *scanner, unsigned *ret_unit)
{
    unsigned unit = 0;
    for (int i = 0; i < 4; i++) {
        int value = hex_value(peek(scanner));
        if (value < 0)
            return invalid(scanner, "\\u needs four hex digits");
        unit = unit * 16 + (unsigned)value;
        scanner->at++;
    }
    *ret_unit = unit;
    return true;
}

static bool scan_unicode_escape(struct scanner *scanner)
{
    unsigned unit, low;
    if (!take_hex(scanner, &unit))
        return false;
    if (!unit)
        return invalid(scanner, "\\u0000 is not allowed in a string");
    if (unit >= 0xdc00 && unit <= 0xdfff)
        return invalid(scanner, "half a surrogate pair");
    if (unit < 0xd800 || unit > 0xdbff)
        return true;
    if (!take(scanner, '\\') || !take(scanner, 'u'))
        return invalid(scanner, "half a surrogate pair");
    if (!take_hex(scanner, &low))
        return false;
    return (low >= 0xdc00 && low <= 0xdfff) || invalid(scanner, "half a surrogate pair");
}

static bool scan_escape(struct scanner *scanner)
{
    if (take(scanner, 'u'))
        return scan_unicode_escape(scanner);
    char letter = peek(scanner);
    if (!letter || !strchr("\"\\/bfnrt", letter))
        return invalid(scanner, "unknown escape in a string");
    scanner->at++;
    return true;
}

/* At the character after the opening quote. `ret_escaped`: there was a backslash. */
static bool scan_string(struct scanner *scanner, bool *ret_escaped)
{
    *ret_escaped = false;
    while (scanner->at < scanner->end) {
        const unsigned char *at = (const unsigned char *)scanner->at;
        if (*at == '"') {
            scanner->at++;
            return true;
        }
        if (*at < 0x20)
            return invalid(scanner, *at ? "a control character in a string" : "a NUL byte");
        if (*at == '\\') {
            scanner->at++;
            *ret_escaped = true;
            if (!scan_escape(scanner))
                return false;
            continue;
        }
        size_t length = utf8_length(at, (size_t)(scanner->end - scanner->at));
        if (!length)
            return invalid(scanner, "not UTF-8");
        scanner->at += length;
    }
    return invalid(scanner, "a string has no end");
}

/* ---- numbers, literals ---- */

static bool is_digit(char character)
{
    return character >= '0' && character <= '9';
}

/* Digits behind *value; false when there is none. */
static bool scan_digits(struct scanner *scanner, double *value, int *ret_count)
{
    int count = 0; /* a payload's length fits */
    for (; is_digit(peek(scanner)); scanner->at++, count++)
        *value = *value * 10 + (*scanner->at - '0');
    *ret_count = count;
    return count > 0;
}

/* value * 10^exponent, or anything on the same side of the limit. */
static double scaled(double value, double exponent)
{
    for (; exponent > 0 && value > 0 && value < NUMBER_MAX; exponent--)
        value *= 10;
    for (; exponent < 0 && value >= 1; exponent++)
        value /= 10;
    return value;
}

static bool scan_exponent(struct scanner *scanner, double *ret_exponent)
{
    int count;
    double exponent = 0;
    if (!take(scanner, 'e') && !take(scanner, 'E'))
        return true;
    bool negative = take(scanner, '-');
    if (!negative)
        take(scanner, '+');
    if (!scan_digits(scanner, &exponent, &count))
        return invalid(scanner, "a number ends in its exponent");
    *ret_exponent = negative ? -exponent : exponent;
    return true;
}

/* Adds up the value only to compare it with the limit; the tree's number is cJSON's. */
static bool scan_number(struct scanner *scanner)
{
    double value = 0, exponent = 0;
    int count, decimals = 0;
    take(scanner, '-');
    bool zero = peek(scanner) == '0';
    if (!scan_digits(scanner, &value, &count) || (zero && count > 1))
        return invalid(scanner, "not a number");
    if (take(scanner, '.') && !scan_digits(scanner, &value, &decimals))
        return invalid(scanner, "a number ends in its point");
    if (!scan_exponent(scanner, &exponent))
        return false;
    return scaled(value, exponent - decimals) < NUMBER_MAX ||
           invalid(scanner, "numbers must be below 2^53");
}

static bool scan_literal(struct scanner *scanner)
{
    static const char *const literals[] = {"true", "false", "null"};
    for (size_t i = 0; i < ARRAY_LENGTH(literals); i++) {
        size_t length = strlen(literals[i]);
        if ((size_t)(scanner->end - scanner->at) >= length &&
            !memcmp(scanner->at, literals[i], length)) {
            scanner->at += length;
            return true;
        }
    }
    return invalid(scanner,
                   scanner->at == scanner->end ? "the text ends too early" : "expected a value");
}

/* ---- keys ---- */

static size_t utf8_put(char *to, unsigned point)
{
    if (point < 0x80) {
        to[0] = (char)point;
        return 1;
    }
    size_t length = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    static const unsigned char marks[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = length - 1; i > 0; i--, point >>= 6)
        to[i] = (char)(0x80 | (point & 0x3f));
    to[0] = (char)(marks[length] | point);
    return length;
}

/* The character of a checked \u escape at *at (behind the u), moved behind it. */
static unsigned point_of(const char **at)
{
    unsigned point = 0;
    for (int i = 0; i < 4; i++)
        point = point * 16 + (unsigned)hex_value(*(*at)++);
    if (point < 0xd800 || point > 0xdbff)
        return point;
    unsigned low = 0;
    *at += 2;
    for (int i = 0; i < 4; i++)
        low = low * 16 + (unsigned)hex_value(*(*at)++);
    return 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
}

static bool fail_to_alloc(struct scanner *scanner)
{
    return fail(scanner, scanner->arena.exhausted ? ERR_TOO_LARGE : ERR_NO_MEMORY, "out of memory");
}

/* The same key may be written in several ways: compare without escapes. */
static bool key_unescape(struct scanner *scanner, struct key *key)
{
    static const char letters[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    const char *at = key->text, *end = key->text + key->length;
    char *copy = arena_alloc(&scanner->arena, key->length + 1);
    if (!copy)
        return fail_to_alloc(scanner);
    size_t length = 0;
    while (at < end) {
        if (*at != '\\') {
            copy[length++] = *at++;
        } else if (at[1] == 'u') {
            at += 2;
            length += utf8_put(copy + length, point_of(&at));
        } else {
            copy[length++] = values[strchr(letters, at[1]) - letters];
            at += 2;
        }
    }
    *key = (struct key){copy, length};
    return true;
}

static bool key_push(struct scanner *scanner, struct key key)
{
    if (scanner->key_count == scanner->key_capacity) {
        size_t capacity = scanner->key_capacity ? scanner->key_capacity * 2 : 64;
        struct key *keys = arena_array(&scanner->arena, capacity, sizeof *keys);
        if (!keys)
            return fail_to_alloc(scanner);
        if (scanner->key_count)
            memcpy(keys, scanner->keys, scanner->key_count * sizeof *keys);
        scanner->keys = keys;
        scanner->key_capacity = capacity;
    }
    scanner->keys[scanner->key_count++] = key;
    return true;
}

static int key_compare(const void *a_item, const void *b_item)
{
    const struct key *a = a_item, *b = b_item;
    if (a->length != b->length)
        return a->length < b->length ? -1 : 1;
    return memcmp(a->text, b->text, a->length);
}

/* Pops the keys of one object. */
static bool keys_are_unique(struct scanner *scanner, size_t first)
{
    size_t count = scanner->key_count - first;
    scanner->key_count = first;
    if (count < 2)
        return true;
    struct key *keys = scanner->keys + first;
    qsort(keys, count, sizeof *keys, key_compare);
    for (size_t i = 1; i < count; i++)
        if (!key_compare(&keys[i - 1], &keys[i])) {
            char *fault =
                arena_printf(&scanner->arena, "the key \"%.*s\" is there twice",
                             keys[i].length < 64 ? (int)keys[i].length : 64, keys[i].text);
            return invalid(scanner, fault ? fault : "a key is there twice");
        }
    return true;
}

/* ---- containers ---- */

static bool scan_key(struct scanner *scanner)
{
    bool escaped;
    if (!take(scanner, '"'))
        return invalid(scanner, "expected a key in double quotes");
    struct key key = {.text = scanner->at};
    if (!scan_string(scanner, &escaped))
        return false;
    key.length = (size_t)(scanner->at - 1 - key.text);
    return (!escaped || key_unescape(scanner, &key)) && key_push(scanner, key);
}

static bool scan_member(struct scanner *scanner)
{
    skip_space(scanner);
    if (!scan_key(scanner))
        return false;
    skip_space(scanner);
    return (take(scanner, ':') || invalid(scanner, "expected ':'")) && scan_value(scanner);
}

/* Members of an object or items of an array, up to `close`. */
static bool scan_list(struct scanner *scanner, char close, bool (*scan_item)(struct scanner *))
{
    if (scanner->depth == LIMIT_JSON_DEPTH)
        return invalid(scanner, "nested too deeply");
    scanner->depth++;
    skip_space(scanner);
    if (!take(scanner, close)) {
        do {
            if (!scan_item(scanner))
                return false;
            skip_space(scanner);
        } while (take(scanner, ','));
        if (!take(scanner, close))
            return invalid(scanner, close == '}' ? "expected ',' or '}'" : "expected ',' or ']'");
    }
    scanner->depth--;
    return true;
}

static bool scan_object(struct scanner *scanner)
{
    size_t first = scanner->key_count;
    return scan_list(scanner, '}', scan_member) && keys_are_unique(scanner, first);
}

static bool scan_value(struct scanner *scanner)
{
    bool escaped;
    skip_space(scanner);
    if (take(scanner, '{'))
        return scan_object(scanner);
    if (take(scanner, '['))
        return scan_list(scanner, ']', scan_value);
    if (take(scanner, '"'))
        return scan_string(scanner, &escaped);
    if (peek(scanner) == '-' || is_digit(peek(scanner)))
        return scan_number(scanner);
    return scan_literal(scanner);
}

static bool scan_document(struct scanner *scanner)
{
    skip_space(scanner);
    if (!take(scanner, '{'))
        return invalid(scanner, "expected an object: { … }");
    if (!scan_object(scanner))
        return false;
    skip_space(scanner);
    return scanner->at == scanner->end || invalid(scanner, "something follows the object");
}

static void report(const struct scanner *scanner, const char *text, struct problems *problems)
{
    size_t line = 1, column = 1;
    for (const char *at = text; at < scanner->at; at++) {
        column++;
        if (*at == '\n') {
            line++;
            column = 1;
        }
    }
    problems_add(problems, "", NULL, "%s (line %zu, column %zu)", scanner->fault, line, column);
}

static int check(const char *text, size_t length, size_t limit, size_t arena_limit,
                 struct problems *problems)
{
    if (length > limit) {
        problems_add(problems, "", NULL, "larger than %zu KiB", limit / 1024);
        return -ERR_TOO_LARGE;
    }
    struct scanner scanner = {.at = text, .end = text + length};
    scanner.arena.limit_bytes = arena_limit;
    bool passed = scan_document(&scanner);
    if (!passed)
        report(&scanner, text, problems);
    arena_release(&scanner.arena);
    return passed ? 0 : -scanner.code;
}

int gate_check(const char *text, size_t length, struct problems *problems)
{
    return check(text, length, LIMIT_PAYLOAD_BYTES, LIMIT_DECODE_ARENA_BYTES, problems);
}

int gate_check_file(const char *text, size_t length, struct problems *problems)
{
    return check(text, length, LIMIT_FILE_BYTES, 0, problems);
}
