#include "schema/quantity.h"

#include "platform/base/mem.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct row {
    const char *text;
    int64_t value; /* -1: refused */
};

typedef bool parse_fn(const char *text, int64_t *ret, const char **ret_hint);

static void check_rows(parse_fn *parse, const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int64_t value = -1;
        const char *hint = NULL;
        bool parsed = parse(rows[i].text, &value, &hint);
        if (parsed != (rows[i].value >= 0) || value != rows[i].value)
            fail_msg("\"%s\" gave %lld", rows[i].text, (long long)value);
        assert_true(parsed || hint);
    }
}

static void sizes_have_units_that_say_which_power_is_meant(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"0", 0},
        {"1", 1},
        {"64MiB", 67108864},
        {"64 MiB", 67108864},
        {"1Gi", 1 << 30},
        {"1.5KiB", 1536},
        {"2kB", 2000},
        {"3MB", 3000000},
        {"1B", 1},
        {"1TiB", 1099511627776},
        {"m", -1},
        {"64m", -1},
        {"64M", -1},
        {"64mb", -1},
        {"64MB ", -1},
        {"", -1},
        {"-1", -1},
        {"0.5", -1},
        {"1.", -1},
        {".5KiB", -1},
        {"1e3", -1},
        {"99999999999999999999", -1},
        {"9007199254740992", -1},
        {"9007199254740991", 9007199254740991},
        {"8192TiB", -1},
        {" 1", -1},
    };
    check_rows(size_parse, rows, ARRAY_LENGTH(rows));
}

static void durations_need_units_from_large_to_small(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"500ms", 500},
        {"10s", 10000},
        {"1m30s", 90000},
        {"2h", 7200000},
        {"1d", 86400000},
        {"1d2h3m4s5ms", 93784005},
        {"0s", 0},
        {"10", -1},
        {"", -1},
        {"s", -1},
        {"1s1s", -1},
        {"1s1m", -1},
        {"1.5s", -1},
        {"10 s", -1},
        {"10sec", -1},
        {"1w", -1},
        {"-1s", -1},
        {"104249991d8h59m0s991ms", 9007199254740991},
        {"104249991d8h59m0s992ms", -1},
        {"99999999999999d", -1},
    };
    check_rows(duration_parse, rows, ARRAY_LENGTH(rows));
}

static void cores_are_numbers_or_thousandths(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"0.25", 250},  {"250m", 250}, {"2", 2000},  {"1.5", 1500},  {"0.001", 1}, {"0", 0},
        {"0.0005", -1}, {"0.5m", -1},  {"1.0m", -1}, {"500MHz", -1}, {"", -1},     {"m", -1},
    };
    check_rows(cpu_parse, rows, ARRAY_LENGTH(rows));
}

static void cores_from_json_are_exact_to_a_thousandth(void **state)
{
    (void)state;
    int64_t millis = -1;
    for (int64_t expected = 0; expected < 100000; expected++) {
        assert_true(cpu_from_number((double)expected / 1000, &millis));
        assert_int_equal(millis, expected);
    }
    assert_false(cpu_from_number(0.0005, &millis));
    assert_false(cpu_from_number(-1, &millis));
    assert_false(cpu_from_number(1e300, &millis));
}

static void a_written_duration_reads_back_the_same(void **state)
{
    (void)state;
    static const int64_t values[] = {
        0,       1,       999,      1000,     1001,     59999,           60000,
        3599999, 3600000, 86399999, 86400000, 90061001, 9007199254740991};
    char text[QUANTITY_TEXT_LENGTH];
    const char *hint;
    for (size_t i = 0; i < ARRAY_LENGTH(values); i++) {
        int64_t value = -1;
        duration_format(values[i], text);
        assert_true(duration_parse(text, &value, &hint));
        assert_int_equal(value, values[i]);
    }
    duration_format(90000, text);
    assert_string_equal(text, "1m30s");
}

static void sizes_and_cores_read_well(void **state)
{
    (void)state;
    char text[QUANTITY_TEXT_LENGTH];
    size_format(12 << 20, text);
    assert_string_equal(text, "12 MiB");
    size_format(1536 << 20, text);
    assert_string_equal(text, "1.5 GiB");
    size_format(1023, text);
    assert_string_equal(text, "1023 B");
    cpu_format(250, text);
    assert_string_equal(text, "0.25");
    cpu_format(12000, text);
    assert_string_equal(text, "12");
    cpu_format(-1500, text);
    assert_string_equal(text, "-1.5");
}

static void cores_are_written_as_printf_would(void **state)
{
    (void)state;
    static const int64_t numbers[] = {INT64_MIN, INT64_MAX, -12345678, 1234567890};
    for (int64_t i = 0; i < 5000 + (int64_t)ARRAY_LENGTH(numbers); i++) {
        int64_t millis = i < 5000 ? i - 2500 : numbers[i - 5000];
        char text[QUANTITY_TEXT_LENGTH], expected[64];
        int length = snprintf(expected, sizeof expected, "%s%lld.%03lld", millis < 0 ? "-" : "",
                              (long long)llabs(millis / 1000), (long long)llabs(millis % 1000));
        while (expected[length - 1] == '0')
            expected[--length] = '\0';
        if (expected[length - 1] == '.')
            expected[--length] = '\0';
        cpu_format(millis, text);
        assert_string_equal(text, expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_have_units_that_say_which_power_is_meant),
        cmocka_unit_test(durations_need_units_from_large_to_small),
        cmocka_unit_test(cores_are_numbers_or_thousandths),
        cmocka_unit_test(cores_from_json_are_exact_to_a_thousandth),
        cmocka_unit_test(a_written_duration_reads_back_the_same),
        cmocka_unit_test(sizes_and_cores_read_well),
        cmocka_unit_test(cores_are_written_as_printf_would),
    };
    return cmocka_run_group_tests_name("quantity", tests, NULL, NULL);
}
