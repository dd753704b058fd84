#include "schema/expression_text.h"

#include <stdint.h>
#include <string.h>

static bool is_digit(char character)
{
    return character >= '0' && character <= '9';
}

bool is_key_character(char character)
{
    return is_digit(character) || (character >= 'a' && character <= 'z') ||
           (character >= 'A' && character <= 'Z') || (character && strchr("._/-", character));
}

/* ---- numbers ---- */

/* sign · 0.d1d2d3… · 10^place, the digits of `text` from the first that is not 0 */
struct decimal {
    bool negative, zero;
    int64_t place;
    const char *digits, *end; /* with at most one point among them */
};

enum { EXPONENT_DIGITS_MAX = 6 };

static bool exponent_take(const char **at, int64_t *place)
{
    if (**at != 'e' && **at != 'E')
        return true;
    ++*at;
    bool negative = **at == '-';
    *at += **at == '-' || **at == '+';
    int64_t exponent = 0;
    const char *start = *at;
    for (; is_digit(**at) && *at - start < EXPONENT_DIGITS_MAX; ++*at)
        exponent = exponent * 10 + (**at - '0');
    *place += negative ? -exponent : exponent;
    return *at > start;
}

static bool decimal_parse(const char *at, struct decimal *ret_decimal)
{
    struct decimal number = {.negative = *at == '-', .zero = true};
    at += *at == '-' || *at == '+';
    bool point = false, any = false;
    for (; is_digit(*at) || (*at == '.' && !point); at++) {
        if (*at == '.') {
            point = true;
            continue;
        }
        any = true;
        if (number.zero && *at != '0') {
            number.zero = false;
            number.digits = at;
        }
        if (!number.zero && !point)
            number.place++;
        if (number.zero && point)
            number.place--;
    }
    number.end = at;
    if (!any || !exponent_take(&at, &number.place) || *at)
        return false;
    number.negative &= !number.zero;
    *ret_decimal = number;
    return true;
}

static char next_digit(const char **at, const char *end)
{
    if (*at < end && **at == '.')
        ++*at;
    return *at < end ? *(*at)++ : '0';
}

static int magnitudes_compare(const struct decimal *a, const struct decimal *b)
{
    if (a->place != b->place)
        return a->place < b->place ? -1 : 1;
    const char *left = a->digits, *right = b->digits;
    while (left < a->end || right < b->end) {
        int order = next_digit(&left, a->end) - next_digit(&right, b->end);
        if (order)
            return order;
    }
    return 0;
}

static int decimals_compare(const struct decimal *a, const struct decimal *b)
{
    int a_sign = a->zero ? 0 : a->negative ? -1 : 1, b_sign = b->zero ? 0 : b->negative ? -1 : 1;
    if (a_sign != b_sign || !a_sign)
        return a_sign - b_sign;
    return magnitudes_compare(a, b) * a_sign;
}

int values_compare(const char *a, const char *b)
{
    struct decimal left, right;
    if (decimal_parse(a, &left) && decimal_parse(b, &right))
        return decimals_compare(&left, &right);
    return strcmp(a, b);
}

/* ---- lists ---- */

size_t list_item(const char **at, const char *end)
{
    while (*at < end && (**at == ' ' || **at == '\t'))
        ++*at;
    const char *last = *at;
    for (const char *next = *at; next < end && *next != ','; next++)
        if (*next != ' ' && *next != '\t')
            last = next + 1;
    return (size_t)(last - *at);
}

bool list_contains(const char *list, const char *item)
{
    const char *end = list + strlen(list);
    size_t wanted = strlen(item);
    for (const char *at = list; at <= end; at++) {
        size_t length = list_item(&at, end);
        if (length == wanted && memcmp(at, item, length) == 0)
            return true;
        at += length;
        while (at < end && *at != ',')
            at++;
    }
    return false;
}
