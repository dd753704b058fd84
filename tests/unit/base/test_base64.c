#include "platform/base/base64.h"

#include "tests/unit/unit.h"

#include "platform/base/err.h"

#include <string.h>

static void the_vectors_of_the_rfc_hold(void **state)
{
    static const char *const pairs[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"}};
    (void)state;
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        char text[BASE64_SIZE(6)], bytes[9];
        size_t length = strlen(pairs[i][0]);
        base64_encode(pairs[i][0], length, text);
        assert_string_equal(text, pairs[i][1]);
        assert_int_equal(base64_decode(text, bytes), length);
        assert_memory_equal(bytes, pairs[i][0], length);
    }
}

static void every_byte_survives(void **state)
{
    unsigned char all[256], back[260];
    char text[BASE64_SIZE(256)];
    (void)state;
    for (int i = 0; i < 256; i++)
        all[i] = (unsigned char)i;
    base64_encode(all, sizeof(all), text);
    assert_int_equal(base64_decode(text, back), 256);
    assert_memory_equal(all, back, 256);
}

static void what_is_not_base64_is_refused(void **state)
{
    static const char *const bad[] = {"A",      "AB",   "ABC",      "AB=C", "A===",      "====",
                                      "AAAA\n", "AA-_", "AA==AAAA", "Zg= ", "\303\251AA"};
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(base64_decode(bad[i], NULL), -ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vectors_of_the_rfc_hold),
        cmocka_unit_test(every_byte_survives),
        cmocka_unit_test(what_is_not_base64_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
