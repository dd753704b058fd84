#include "platform/base/arena.h"
#include "tests/unit/unit.h"

#include <stdalign.h>
#include <stdint.h>
#include <string.h>

static void memory_is_zeroed_and_aligned_for_any_type(void **state)
{
    (void)state;
    _cleanup_arena_ struct arena arena = ARENA_EMPTY;
    for (size_t size = 0; size < 100; size++) {
        unsigned char *memory = arena_alloc(&arena, size);
        assert_non_null(memory);
        assert_int_equal((uintptr_t)memory % alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(memory[i], 0);
        memset(memory, 0xff, size);
    }
}

static void what_is_larger_than_a_block_gets_its_own(void **state)
{
    (void)state;
    _cleanup_arena_ struct arena arena = ARENA_EMPTY;
    char *small = arena_strdup(&arena, "small");
    char *large = arena_alloc(&arena, 1 << 20);
    assert_non_null(large);
    memset(large, 'x', 1 << 20);
    assert_string_equal(small, "small");
    assert_string_equal(arena_strdup(&arena, "after"), "after");
}

static void the_limit_refuses_and_what_was_given_stays(void **state)
{
    (void)state;
    _cleanup_arena_ struct arena arena = {.limit_bytes = 64};
    char *kept = arena_strdup(&arena, "kept");
    assert_non_null(arena_alloc(&arena, 48));
    assert_null(arena_alloc(&arena, 1));
    assert_null(arena_printf(&arena, "%s", "more"));
    assert_string_equal(kept, "kept");
}

static void a_product_that_overflows_is_refused(void **state)
{
    (void)state;
    _cleanup_arena_ struct arena arena = ARENA_EMPTY;
    assert_null(arena_array(&arena, SIZE_MAX / 2, 3));
    assert_null(arena_alloc(&arena, SIZE_MAX));
    assert_null(arena_strndup(&arena, "", SIZE_MAX));
    assert_non_null(arena_array(&arena, 0, 8));
}

static void texts_are_copied_and_formatted(void **state)
{
    (void)state;
    _cleanup_arena_ struct arena arena = ARENA_EMPTY;
    assert_string_equal(arena_strndup(&arena, "abcdef", 3), "abc");
    assert_string_equal(arena_printf(&arena, "%s/%d", "x", 7), "x/7");
    assert_string_equal(arena_printf(&arena, "%s", ""), "");
}

static void a_released_arena_can_be_used_again(void **state)
{
    (void)state;
    struct arena arena = {.limit_bytes = 32};
    assert_non_null(arena_alloc(&arena, 32));
    assert_null(arena_alloc(&arena, 1));
    arena_release(&arena);
    assert_non_null(arena_alloc(&arena, 32));
    arena_release(&arena);
    arena_release(&arena);
    arena_release(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_and_aligned_for_any_type),
        cmocka_unit_test(what_is_larger_than_a_block_gets_its_own),
        cmocka_unit_test(the_limit_refuses_and_what_was_given_stays),
        cmocka_unit_test(a_product_that_overflows_is_refused),
        cmocka_unit_test(texts_are_copied_and_formatted),
        cmocka_unit_test(a_released_arena_can_be_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
