#include "schema/codec/number.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* printf and strtod follow LC_NUMERIC; JSON does not. */
static void point_restore(char *text)
{
    size_t odd = strspn(text, "0123456789+-eE");
    if (text[odd])
        text[odd] = '.';
}

void number_format(double number, char ret_text[NUMBER_TEXT_LENGTH])
{
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(ret_text, NUMBER_TEXT_LENGTH, "%.*g", digits, number);
        if (strtod(ret_text, NULL) == number)
            break;
    }
    point_restore(ret_text);
}
