/* Strings of the gate: checked, then unescaped where they lie. */
#include "schema/codec/scanner.h"

#include "platform/base/mem.h"
#include "schema/codec/characters.h"

#include <string.h>

/* Length of the UTF-8 sequence at `at` (Unicode 15, table 3-7), 0 when it is none. */
static size_t utf8_length(const unsigned char *at)
{
    static const struct {
        unsigned char first_low, first_high, second_low, second_high;
        size_t length;
    } forms[] = {
        {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
        {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
        {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(forms); i++) {
        if (at[0] < forms[i].first_low || at[0] > forms[i].first_high)
            continue;
        if (at[1] < forms[i].second_low || at[1] > forms[i].second_high)
            return 0;
        /* ends at the latest at the NUL behind the text */
        for (size_t j = 2; j < forms[i].length; j++)
            if (at[j] < 0x80 || at[j] > 0xbf)
                return 0;
        return forms[i].length;
    }
    return 0;
}

/* ---- escapes ---- */

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
        int value = hex_value(scanner_peek(scanner));
        if (value < 0)
            return scanner_invalid(scanner, "\\u needs four hex digits");
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
        return scanner_invalid(scanner, "\\u0000 is not allowed in a string");
    if (unit >= 0xdc00 && unit <= 0xdfff)
        return scanner_invalid(scanner, "half a surrogate pair");
    if (unit < 0xd800 || unit > 0xdbff)
        return true;
    if (!scanner_take(scanner, '\\') || !scanner_take(scanner, 'u'))
        return scanner_invalid(scanner, "half a surrogate pair");
    if (!take_hex(scanner, &low))
        return false;
    return (low >= 0xdc00 && low <= 0xdfff) || scanner_invalid(scanner, "half a surrogate pair");
}

static bool scan_escape(struct scanner *scanner)
{
    if (scanner_take(scanner, 'u'))
        return scan_unicode_escape(scanner);
    char letter = scanner_peek(scanner);
    if (!letter || !strchr("\"\\/bfnrt", letter))
        return scanner_invalid(scanner, "unknown escape in a string");
    scanner->at++;
    return true;
}

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

/* A checked string, in place: an escape is longer than what it stands for. The new length. */
static size_t unescape(char *text, const char *end)
{
    static const char letters[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    const char *at = text;
    char *to = text;
    while (at < end) {
        if (*at != '\\') {
            *to++ = *at++;
        } else if (at[1] == 'u') {
            at += 2;
            to += utf8_put(to, point_of(&at));
        } else {
            *to++ = values[strchr(letters, at[1]) - letters];
            at += 2;
        }
    }
    return (size_t)(to - text);
}

/* ---- strings ---- */

/* At something that does not stand for itself in a string, nor ends it. */
static bool scan_special(struct scanner *scanner, bool *ret_escaped)
{
    unsigned char first = (unsigned char)*scanner->at;
    if (first == '\\') {
        scanner->at++;
        *ret_escaped = true;
        return scan_escape(scanner);
    }
    if (!first && scanner->at == scanner->end)
        return scanner_invalid(scanner, "a string has no end");
    if (first < 0x20)
        return scanner_invalid(scanner, first ? "a control character in a string" : "a NUL byte");
    size_t length = utf8_length((const unsigned char *)scanner->at);
    scanner->at += length;
    return length || scanner_invalid(scanner, "not UTF-8");
}

bool scan_string(struct scanner *scanner, struct key *ret_string)
{
    char *text = scanner->at;
    bool escaped = false;
    for (;;) {
        const char *at = scanner->at;
        while (json_is_plain[(unsigned char)*at])
            at++;
        scanner->at += at - scanner->at;
        if (*at == '"')
            break;
        if (!scan_special(scanner, &escaped))
            return false;
    }
    size_t length = (size_t)(scanner->at - text);
    if (escaped)
        length = unescape(text, scanner->at);
    text[length] = '\0';
    scanner->at++;
    *ret_string = (struct key){text, length};
    return true;
}
