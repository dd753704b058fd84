#include "schema/codec/number.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WHOLE_BELOW 1e15

/* printf and strtod follow LC_NUMERIC; JSON does not. */
static void point_restore(char *text)
{
    size_t odd = strspn(text, "0123456789+-eE");
    if (text[odd])
        text[odd] = '.';
}

/* Nearly all that is measured is whole. What %.15g would print with an exponent is not for here,
 * nor is a negative zero. */
static bool whole_format(double number, char ret_text[NUMBER_TEXT_LENGTH])
{
    if (!(number >= 1 && number < WHOLE_BELOW) || number != (double)(int64_t)number)
        return false;
    char digits[16];
    int count = 0;
    for (int64_t rest = (int64_t)number; rest; rest /= 10)
        digits[count++] = (char)('0' + rest % 10);
    while (count)
        *ret_text++ = digits[--count];
    *ret_text = '\0';
    return true;
}

void number_format(double number, char ret_text[NUMBER_TEXT_LENGTH])
{
    if (whole_format(number, ret_text))
        return;
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(ret_text, NUMBER_TEXT_LENGTH, "%.*g", digits, number);
        if (strtod(ret_text, NULL) == number)
            break;
    }
    point_restore(ret_text);
}
