#include "tests/simulation/allocations.h"

#include "platform/base/arena.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int64_t count, fail_at, failed;
static int paused;

static bool fails(void)
{
    bool now = !paused && ++count == fail_at;
    failed += now;
    return now;
}

void allocations_begin(int64_t n)
{
    count = failed = 0;
    fail_at = n;
}

int64_t allocations_count(void)
{
    return count;
}

int64_t allocations_failed(void)
{
    return failed;
}

void allocations_pause(void)
{
    paused++;
}

void allocations_resume(void)
{
    paused--;
}

/* ---- what the linker puts in the place of arena_… ---- */

void *__real_arena_alloc(struct arena *arena, size_t size);
void *__real_arena_array(struct arena *arena, size_t items, size_t size);
char *__real_arena_strndup(struct arena *arena, const char *text, size_t length);
void *__wrap_arena_alloc(struct arena *arena, size_t size);
void *__wrap_arena_array(struct arena *arena, size_t items, size_t size);
char *__wrap_arena_strndup(struct arena *arena, const char *text, size_t length);
char *__wrap_arena_strdup(struct arena *arena, const char *text);
char *__wrap_arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

void *__wrap_arena_alloc(struct arena *arena, size_t size)
{
    return arena->limit_bytes && fails() ? NULL : __real_arena_alloc(arena, size);
}

void *__wrap_arena_array(struct arena *arena, size_t items, size_t size)
{
    return arena->limit_bytes && fails() ? NULL : __real_arena_array(arena, items, size);
}

char *__wrap_arena_strndup(struct arena *arena, const char *text, size_t length)
{
    return arena->limit_bytes && fails() ? NULL : __real_arena_strndup(arena, text, length);
}

char *__wrap_arena_strdup(struct arena *arena, const char *text)
{
    return __wrap_arena_strndup(arena, text, strlen(text));
}

char *__wrap_arena_printf(struct arena *arena, const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int length = vasprintf(&text, format, args);
    va_end(args);
    char *copy = length < 0 ? NULL : __wrap_arena_strndup(arena, text, (size_t)length);
    free(length < 0 ? NULL : text);
    return copy;
}
