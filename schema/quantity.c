/* Quantities people write. Parsers read digits by hand: no locale, no overflow, no surprise. */
#include "schema/quantity.h"

#include "platform/base/mem.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Everything must stay a whole number in a double. */
#define QUANTITY_MAX ((int64_t)1 << 53)

enum { FRACTION_DIGITS = 9 };

/* A decimal number: whole + fraction / scale, scale a power of ten. */
struct decimal {
    int64_t whole;
    int64_t fraction;
    int64_t scale;
};

struct unit {
    const char *text;
    int64_t factor;
};

static bool is_digit(char character)
{
    return character >= '0' && character <= '9';
}

/* Reads digits at *text and moves it behind them; false when there are none or too many. */
static bool whole_parse(const char **text, int64_t *ret_value)
{
    const char *at = *text;
    int64_t value = 0;
    if (!is_digit(*at))
        return false;
    for (; is_digit(*at); at++) {
        value = value * 10 + (*at - '0');
        if (value >= QUANTITY_MAX)
            return false;
    }
    *text = at;
    *ret_value = value;
    return true;
}

static bool decimal_parse(const char **text, struct decimal *ret_value)
{
    struct decimal value = {.scale = 1};
    const char *at = *text;
    if (!whole_parse(&at, &value.whole))
        return false;
    if (*at == '.') {
        at++;
        if (!is_digit(*at))
            return false;
        for (int digits = 0; is_digit(*at); at++) {
            if (++digits > FRACTION_DIGITS)
                return false;
            value.fraction = value.fraction * 10 + (*at - '0');
            value.scale *= 10;
        }
    }
    *text = at;
    *ret_value = value;
    return true;
}

/* value * factor, when that is a whole number below the maximum. */
static bool decimal_times(const struct decimal *value, int64_t factor, int64_t *ret_product)
{
    int64_t product, part;
    if (__builtin_mul_overflow(value->whole, factor, &product) ||
        __builtin_mul_overflow(value->fraction, factor, &part) || part % value->scale ||
        __builtin_add_overflow(product, part / value->scale, &product) || product >= QUANTITY_MAX)
        return false;
    *ret_product = product;
    return true;
}

static const struct unit size_units[] = {
    {"", 1},
    {"B", 1},
    {"KiB", 1024},
    {"MiB", 1 << 20},
    {"GiB", 1 << 30},
    {"TiB", (int64_t)1 << 40},
    {"Ki", 1024},
    {"Mi", 1 << 20},
    {"Gi", 1 << 30},
    {"Ti", (int64_t)1 << 40},
    {"kB", 1000},
    {"MB", 1000 * 1000},
    {"GB", 1000 * 1000 * 1000},
    {"TB", (int64_t)1000 * 1000 * 1000 * 1000},
};

static const struct unit size_hints[] = {
    {"k", 0}, {"m", 0}, {"g", 0}, {"t", 0}, {"kb", 0}, {"mb", 0}, {"gb", 0}, {"tb", 0},
};

static const char *size_hint(const char *unit)
{
    for (size_t i = 0; i < ARRAY_LENGTH(size_hints); i++)
        if (!strcasecmp(unit, size_hints[i].text))
            return "say which unit is meant: KiB, MiB, GiB, TiB (powers of 1024) or kB, MB, GB, TB "
                   "(powers of 1000)";
    return "write bytes as a number, or a number with a unit, such as 64MiB";
}

bool size_parse(const char *text, int64_t *ret_bytes, const char **ret_hint)
{
    struct decimal value;
    *ret_hint = size_hint("");
    if (!decimal_parse(&text, &value))
        return false;
    if (*text == ' ')
        text++;
    for (size_t i = 0; i < ARRAY_LENGTH(size_units); i++)
        if (!strcmp(text, size_units[i].text))
            return decimal_times(&value, size_units[i].factor, ret_bytes);
    *ret_hint = size_hint(text);
    return false;
}

/* Longest first is not needed: a unit ends where a digit or the text ends. */
static const struct unit duration_units[] = {
    {"d", 24 * 3600 * 1000}, {"h", 3600 * 1000}, {"m", 60 * 1000}, {"s", 1000}, {"ms", 1},
};

/* Reads one "30s" at *text with a unit smaller than duration_units[*from - 1]. */
static bool duration_part_parse(const char **text, size_t *from, int64_t *total)
{
    int64_t count, part;
    if (!whole_parse(text, &count))
        return false;
    size_t length = strcspn(*text, "0123456789");
    for (; *from < ARRAY_LENGTH(duration_units); ++*from) {
        const struct unit *unit = &duration_units[*from];
        if (strlen(unit->text) != length || memcmp(unit->text, *text, length))
            continue;
        *text += length;
        ++*from;
        return !__builtin_mul_overflow(count, unit->factor, &part) &&
               !__builtin_add_overflow(*total, part, total) && *total < QUANTITY_MAX;
    }
    return false;
}

bool duration_parse(const char *text, int64_t *ret_ms, const char **ret_hint)
{
    int64_t total = 0;
    size_t from = 0;
    bool bare = *text && !text[strspn(text, "0123456789")];
    *ret_hint = bare ? "a duration needs a unit, such as 10s (units: ms, s, m, h, d)"
                     : "write a duration such as 500ms, 10s, 1m30s, 2h or 1d";
    do {
        if (!duration_part_parse(&text, &from, &total))
            return false;
    } while (*text);
    *ret_ms = total;
    return true;
}

bool cpu_parse(const char *text, int64_t *ret_millis, const char **ret_hint)
{
    struct decimal value;
    *ret_hint = "cpu is a number of cores, such as 0.25 or \"250m\"; never MHz";
    if (!decimal_parse(&text, &value))
        return false;
    if (!strcmp(text, "m") && value.scale == 1)
        return decimal_times(&value, 1, ret_millis);
    return !*text && value.scale <= 1000 && decimal_times(&value, 1000, ret_millis);
}

bool cpu_from_number(double cores, int64_t *ret_millis)
{
    if (!(cores >= 0 && cores < 1e9))
        return false;
    double millis = cores * 1000;
    int64_t whole = (int64_t)(millis + 0.5);
    double off = millis - (double)whole;
    if (off > 1e-6 || off < -1e-6)
        return false;
    *ret_millis = whole;
    return true;
}

/* "12h"; returns where it ends. By hand: each specification that is printed has dozens. */
static char *count_format(char *at, int64_t count, const char *unit)
{
    char digits[24];
    size_t length = 0;
    for (; count || !length; count /= 10)
        digits[length++] = (char)('0' + count % 10);
    while (length)
        *at++ = digits[--length];
    return stpcpy(at, unit);
}

void duration_format(int64_t ms, char ret_text[QUANTITY_TEXT_LENGTH])
{
    char *at = ret_text;
    for (size_t i = 0; i < ARRAY_LENGTH(duration_units); i++) {
        int64_t count = ms / duration_units[i].factor;
        ms %= duration_units[i].factor;
        if (count > 0)
            at = count_format(at, count, duration_units[i].text);
    }
    if (at == ret_text)
        count_format(at, 0, "s");
}

void size_format(int64_t bytes, char ret_text[QUANTITY_TEXT_LENGTH])
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    size_t unit = 0;
    int64_t rest = 0; /* of the last division, out of 1024 */
    while (bytes >= 1024 && unit + 1 < ARRAY_LENGTH(units)) {
        rest = bytes % 1024;
        bytes /= 1024;
        unit++;
    }
    int64_t tenths = rest * 10 / 1024;
    if (tenths)
        snprintf(ret_text, QUANTITY_TEXT_LENGTH, "%lld.%lld %s", (long long)bytes,
                 (long long)tenths, units[unit]);
    else
        snprintf(ret_text, QUANTITY_TEXT_LENGTH, "%lld %s", (long long)bytes, units[unit]);
}

void cpu_format(int64_t millis, char ret_text[QUANTITY_TEXT_LENGTH])
{
    int64_t whole = millis / 1000, rest = millis % 1000;
    char *at = ret_text;
    if (millis < 0) {
        *at++ = '-';
        whole = -whole;
        rest = -rest;
    }
    at = count_format(at, whole, rest ? "." : "");
    for (int64_t unit = 100; rest; unit /= 10) {
        *at++ = (char)('0' + rest / unit);
        rest %= unit;
    }
    *at = '\0';
}
