/* An arena: memory that is released all at once.
 *
 * One with a limit holds what a peer's message decides: NULL when the limit or memory is exhausted,
 * and the message is refused. One without holds what is ours, and aborts as mem_* do. */
#ifndef ARGOSY_BASE_ARENA_H
#define ARGOSY_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct arena_block;

struct arena {
    struct arena_block *blocks; /* newest first */
    size_t limit_bytes;         /* 0: no limit */
    size_t used_bytes;
    bool exhausted; /* the limit has refused something */
};

#define ARENA_EMPTY ((struct arena){0})

/* Zeroed, aligned for any type. */
void *arena_alloc(struct arena *arena, size_t size);
/* count * size bytes, checked. */
void *arena_array(struct arena *arena, size_t count, size_t size);
char *arena_strndup(struct arena *arena, const char *text, size_t length);
char *arena_strdup(struct arena *arena, const char *text);
char *arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Releases everything; the arena is empty and can be used again. Accepts NULL. */
void arena_release(struct arena *arena);
#define _cleanup_arena_ __attribute__((cleanup(arena_release)))

#endif
