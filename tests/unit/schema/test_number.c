/* Numbers as text: what is written by hand is what printf would write. */
#include "schema/codec/number.h"

#include "platform/base/mem.h"
#include "platform/base/prng.h"
#include "tests/unit/unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check(double number)
{
    char expected[NUMBER_TEXT_LENGTH], text[NUMBER_TEXT_LENGTH];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(expected, sizeof expected, "%.*g", digits, number);
        if (strtod(expected, NULL) == number)
            break;
    }
    number_format(number, text);
    if (strcmp(text, expected))
        fail_msg("%s was written as %s", expected, text);
}

static void check_with_neighbours(double number)
{
    check(number);
    check(-number);
    check(nextafter(number, INFINITY));
    check(nextafter(number, 0));
}

static void numbers_are_written_as_printf_would(void **state)
{
    (void)state;
    static const double numbers[] = {
        0,    1,    9,    10,   0.5,   0.05,    1e-3,  1e-4,   9.9999e-5, 1e-5,       0.1 + 0.2,
        1e14, 1e15, 1e16, 0.01, 1e300, 5e-324,  2.675, 1234.5, 99.999999, 1e8,        1.0 / 3,
        4.35, 0.07, 1e9,  1e-7, 1e-6,  1.00001, 100,   123456, 999999.5,  1e14 + 0.5,
    };
    for (size_t i = 0; i < ARRAY_LENGTH(numbers); i++)
        check_with_neighbours(numbers[i]);
    check(9007199254740991);
    check(999999999999999);
    check(99999999999999.9);
}

static void numbers_of_few_decimals_are_written_as_printf_would(void **state)
{
    (void)state;
    static const double powers[] = {1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8};
    struct prng prng;
    prng_init(&prng, 7);
    for (int i = 0; i < 50000; i++) {
        uint64_t count = prng_next(&prng) >> (10 + i % 50);
        check_with_neighbours((double)count / powers[(size_t)i % ARRAY_LENGTH(powers)]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_written_as_printf_would),
        cmocka_unit_test(numbers_of_few_decimals_are_written_as_printf_would),
    };
    return cmocka_run_group_tests_name("number", tests, NULL, NULL);
}
