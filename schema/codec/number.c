#include "schema/codec/number.h"

#include "platform/base/mem.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* where %.15g prints no exponent */
#define SHORT_FROM  1e-4
#define SHORT_BELOW 1e15

/* printf and strtod follow LC_NUMERIC; JSON does not. */
static void point_restore(char *text)
{
    size_t odd = strspn(text, "0123456789+-eE");
    if (text[odd])
        text[odd] = '.';
}

/* count / 10^decimals */
static void decimal_write(int64_t count, size_t decimals, char ret_text[NUMBER_TEXT_LENGTH])
{
    char digits[NUMBER_TEXT_LENGTH];
    size_t length = 0;
    for (size_t i = 0; count || i <= decimals; i++, count /= 10) {
        if (i == decimals && decimals)
            digits[length++] = '.';
        digits[length++] = (char)('0' + count % 10);
    }
    while (length)
        *ret_text++ = digits[--length];
    *ret_text = '\0';
}

/* Nearly all that is measured is whole, or has a few decimals. A quotient of two whole numbers that
 * a double holds is the double that is nearest to the decimal; such a decimal of 15 digits at most
 * is what %.15g prints. What that would print with an exponent is not for here, nor is a negative
 * zero. */
static bool short_format(double number, char ret_text[NUMBER_TEXT_LENGTH])
{
    static const double powers[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6};
    bool zero = number == 0 && !signbit(number);
    if (!zero && !(number >= SHORT_FROM && number < SHORT_BELOW))
        return false;
    for (size_t decimals = 0; decimals < ARRAY_LENGTH(powers); decimals++) {
        double scaled = number * powers[decimals];
        int64_t count = (int64_t)(scaled + 0.5);
        if (scaled >= SHORT_BELOW)
            return false;
        if ((double)count / powers[decimals] == number) {
            decimal_write(count, decimals, ret_text);
            return true;
        }
    }
    return false;
}

void number_format(double number, char ret_text[NUMBER_TEXT_LENGTH])
{
    if (short_format(number, ret_text))
        return;
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(ret_text, NUMBER_TEXT_LENGTH, "%.*g", digits, number);
        if (strtod(ret_text, NULL) == number)
            break;
    }
    point_restore(ret_text);
}
