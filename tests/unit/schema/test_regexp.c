/* The patterns that the C library understands too mean the same to both. */
#include "schema/regexp.h"

#include "platform/base/mem.h"
#include "platform/base/prng.h"
#include "tests/unit/unit.h"

#include <regex.h>
#include <string.h>

enum { ROUNDS = 20000, PATTERN_MAX = 120 };

struct text {
    char data[PATTERN_MAX];
    size_t length;
};

static void add(struct text *text, const char *piece)
{
    size_t length = strlen(piece);
    if (text->length + length >= sizeof(text->data))
        return;
    memcpy(text->data + text->length, piece, length + 1);
    text->length += length;
}

/* Anchors stand at the ends only: within, the two have different opinions. */
static void add_pattern(struct prng *prng, struct text *text, int depth)
{
    static const char *const atoms[] = {"a", "b", "c", ".", "[ab]", "[^a]", "[b-c]", "[[:alpha:]]"};
    static const char *const signs[] = {"", "", "", "*", "+", "?", "{2}", "{1,2}", "{0,1}", "{2,}"};
    size_t pieces = 1 + prng_below(prng, 3);
    for (size_t i = 0; i < pieces; i++) {
        if (depth && prng_below(prng, 3) == 0) {
            add(text, "(");
            add_pattern(prng, text, depth - 1);
            add(text, ")");
        } else {
            add(text, atoms[prng_below(prng, ARRAY_LENGTH(atoms))]);
        }
        add(text, signs[prng_below(prng, ARRAY_LENGTH(signs))]);
    }
    if (prng_below(prng, 4) == 0) {
        add(text, "|");
        add_pattern(prng, text, 0);
    }
}

static void random_patterns_mean_what_they_mean_to_the_c_library(void **state)
{
    (void)state;
    struct prng prng;
    prng_init(&prng, 20261123);
    size_t compared = 0, matched = 0;
    for (int round = 0; round < ROUNDS; round++) {
        _cleanup_arena_ struct arena arena = {0};
        struct text pattern = {.length = 0}, subject = {.length = 0};
        const struct regexp *regexp;
        size_t offset;
        const char *message;
        regex_t posix;
        bool anchored = prng_below(&prng, 2);
        add(&pattern, anchored ? "^(" : "");
        add_pattern(&prng, &pattern, 2);
        add(&pattern, anchored ? ")$" : "");
        for (uint64_t i = prng_below(&prng, 8); i; i--)
            add(&subject, (const char *[]){"a", "b", "c"}[prng_below(&prng, 3)]);
        if (regcomp(&posix, pattern.data, REG_EXTENDED | REG_NOSUB))
            continue; /* cut off in the middle */
        if (regexp_parse(pattern.data, &arena, &regexp, &offset, &message))
            fail_msg("%s: %s at %zu", pattern.data, message, offset);
        bool theirs = regexec(&posix, subject.data, 0, NULL, 0) == 0;
        if (regexp_matches(regexp, subject.data) != theirs)
            fail_msg("%s of \"%s\" is %d", pattern.data, subject.data, theirs);
        regfree(&posix);
        compared++;
        matched += theirs;
    }
    assert_true(compared > ROUNDS / 2 && matched > compared / 10 && matched < compared * 9 / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_patterns_mean_what_they_mean_to_the_c_library),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
