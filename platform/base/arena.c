#include "platform/base/arena.h"

#include "platform/base/mem.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is ours may be kept for long, a message only while it is looked at. */
enum {
    BLOCK_MIN_BYTES = 160 - 48,
    BLOCK_MIN_OF_MESSAGE_BYTES = 512 - 64,
    BLOCK_MAX_BYTES = 4096 - 64
};

struct arena_block {
    struct arena_block *next;
    size_t used;
    size_t size;
    alignas(max_align_t) unsigned char data[];
};

static struct arena_block *arena_grow(struct arena *arena, size_t size)
{
    /* as much as it holds already: one that is kept for long and holds little is small */
    size_t data_size = arena->used_bytes < BLOCK_MAX_BYTES ? arena->used_bytes : BLOCK_MAX_BYTES;
    size_t least = arena->limit_bytes ? BLOCK_MIN_OF_MESSAGE_BYTES : BLOCK_MIN_BYTES;
    if (data_size < least)
        data_size = least;
    if (data_size < size)
        data_size = size;
    if (data_size > SIZE_MAX - sizeof(struct arena_block))
        return NULL;
    size_t block_size = sizeof(struct arena_block) + data_size;
    struct arena_block *block = arena->limit_bytes ? calloc(1, block_size) : mem_alloc(block_size);
    if (!block)
        return NULL;
    block->size = data_size;
    block->next = arena->blocks;
    arena->blocks = block;
    return block;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    size_t align = alignof(max_align_t);
    if (size > SIZE_MAX - align)
        return NULL;
    size = (size + align - 1) / align * align;
    if (arena->limit_bytes && size > arena->limit_bytes - arena->used_bytes) {
        arena->exhausted = true;
        return NULL;
    }
    struct arena_block *block = arena->blocks;
    if (!block || block->size - block->used < size)
        block = arena_grow(arena, size);
    if (!block)
        return NULL;
    void *memory = block->data + block->used;
    block->used += size;
    arena->used_bytes += size;
    return memory;
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
    size_t total;
    return __builtin_mul_overflow(count, size, &total) ? NULL : arena_alloc(arena, total);
}

char *arena_strndup(struct arena *arena, const char *text, size_t length)
{
    char *copy = length == SIZE_MAX ? NULL : arena_alloc(arena, length + 1);
    if (copy)
        memcpy(copy, text, length);
    return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
    return arena_strndup(arena, text, strlen(text));
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = length < 0 ? NULL : arena_alloc(arena, (size_t)length + 1);
    if (text)
        vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}

void arena_release(struct arena *arena)
{
    if (!arena)
        return;
    for (struct arena_block *block = arena->blocks; block;) {
        struct arena_block *next = block->next;
        free(block);
        block = next;
    }
    arena->blocks = NULL;
    arena->used_bytes = 0;
    arena->exhausted = false;
}
