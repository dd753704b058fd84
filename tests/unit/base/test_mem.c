#include "platform/base/mem.h"
#include "tests/unit/unit.h"

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Otherwise the sanitizer's allocator ends the process before our own check sees that there is
 * none. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

static void memory_is_zeroed(void **state)
{
    (void)state;
    _cleanup_free_ unsigned char *memory = mem_alloc(1000);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(memory[i], 0);
    _cleanup_free_ void *nothing = mem_alloc(0);
    assert_non_null(nothing);
}

static void a_resized_block_keeps_its_contents(void **state)
{
    (void)state;
    char *text = mem_strdup("abc");
    text = mem_resize(text, 1000, 8);
    assert_string_equal(text, "abc");
    text = mem_resize(text, 0, 8);
    assert_non_null(text);
    free(text);
}

static void texts_are_formatted(void **state)
{
    (void)state;
    _cleanup_free_ char *text = mem_printf("%s-%03d", "a", 7);
    assert_string_equal(text, "a-007");
}

static char *make_text(void)
{
    _cleanup_free_ char *text = mem_strdup("handed over");
    return mem_steal(text);
}

static void a_stolen_pointer_is_not_freed_at_the_end_of_its_scope(void **state)
{
    (void)state;
    _cleanup_free_ char *text = make_text();
    assert_string_equal(text, "handed over");
}

/* Runs it in a child with a closed stderr; returns the signal that ended the child, 0 for none. */
static int signal_of(void (*run)(void))
{
    int status;
    pid_t child = fork();
    if (!child) {
        signal(SIGABRT, SIG_DFL);
        if (!freopen("/dev/null", "w", stderr))
            _exit(2);
        run();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void assert_what_is_false(void)
{
    ASSERT(2 == 3);
}

static void assert_a_negation_that_is_false(void)
{
    int yes = 1;
    ASSERT(!yes || 2 == 3); /* an assert without parentheses passes this */
}

static void assert_what_is_true(void)
{
    ASSERT(2 == 2);
}

static void resize_past_all_memory(void)
{
    free(mem_resize(NULL, SIZE_MAX / 2, 3));
}

static void a_false_assertion_aborts_whatever_the_build(void **state)
{
    (void)state;
    assert_int_equal(signal_of(assert_what_is_false), SIGABRT);
    assert_int_equal(signal_of(assert_a_negation_that_is_false), SIGABRT);
    assert_int_equal(signal_of(assert_what_is_true), 0);
}

static void a_product_that_overflows_aborts(void **state)
{
    (void)state;
    assert_int_equal(signal_of(resize_past_all_memory), SIGABRT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed),
        cmocka_unit_test(a_resized_block_keeps_its_contents),
        cmocka_unit_test(texts_are_formatted),
        cmocka_unit_test(a_stolen_pointer_is_not_freed_at_the_end_of_its_scope),
        cmocka_unit_test(a_false_assertion_aborts_whatever_the_build),
        cmocka_unit_test(a_product_that_overflows_aborts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
