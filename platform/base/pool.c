#include "platform/base/pool.h"

#include "platform/base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#if defined(__SANITIZE_ADDRESS__)
#define IS_WATCHED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define IS_WATCHED 1
#endif
#endif

/* With AddressSanitizer each object has a chunk of its own, so that none is used after its end. */
#ifdef IS_WATCHED
enum { CHUNK_BYTES = 1 };
#else
enum { CHUNK_BYTES = 32 * 1024 };
#endif

/* An object that is free. */
struct vacancy {
    struct vacancy *next;
};

struct pool_chunk {
    struct pool_chunk *prev, *next; /* in pool->open */
    struct vacancy *vacant;
    uint32_t used;
    uint32_t touched; /* the objects behind were never used */
    _Alignas(int64_t) char objects[];
};

static size_t room(const struct pool *pool)
{
    return CHUNK_BYTES / pool->size ? CHUNK_BYTES / pool->size : 1;
}

/* Where the first chunk behind the address is, or would be. */
static size_t place_behind(const struct pool *pool, const void *address)
{
    size_t low = 0, high = pool->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if ((uintptr_t)pool->chunks[middle] <= (uintptr_t)address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void chunk_add(struct pool *pool)
{
    size_t bytes = sizeof(struct pool_chunk) + room(pool) * pool->size;
    struct pool_chunk *chunk = mem_resize(NULL, 1, bytes); /* not touched before it is used */
    *chunk = (struct pool_chunk){.used = 0};
    size_t place = place_behind(pool, chunk);
    if (pool->count == pool->capacity) {
        pool->capacity += pool->capacity / 2 + 8;
        pool->chunks = mem_resize(pool->chunks, pool->capacity, sizeof(struct pool_chunk *));
    }
    memmove(&pool->chunks[place + 1], &pool->chunks[place],
            (pool->count++ - place) * sizeof(struct pool_chunk *));
    pool->chunks[place] = chunk;
    DL_PREPEND(pool->open, chunk);
}

static void chunk_remove(struct pool *pool, size_t place)
{
    struct pool_chunk *chunk = pool->chunks[place];
    DL_DELETE(pool->open, chunk);
    memmove(&pool->chunks[place], &pool->chunks[place + 1],
            (--pool->count - place) * sizeof(struct pool_chunk *));
    free(chunk);
}

void *pool_alloc(struct pool *pool)
{
    if (!pool->open)
        chunk_add(pool);
    struct pool_chunk *chunk = pool->open;
    void *object = chunk->vacant;
    if (object)
        chunk->vacant = chunk->vacant->next;
    else
        object = &chunk->objects[chunk->touched++ * pool->size];
    if (++chunk->used == room(pool))
        DL_DELETE(pool->open, chunk);
    return memset(object, 0, pool->size);
}

void pool_free(struct pool *pool, void *object)
{
    if (!object)
        return;
    size_t behind = place_behind(pool, object);
    ASSERT(behind);
    struct pool_chunk *chunk = pool->chunks[behind - 1];
    struct vacancy *vacancy = object;
    vacancy->next = chunk->vacant;
    chunk->vacant = vacancy;
    if (chunk->used == room(pool))
        DL_PREPEND(pool->open, chunk);
    if (!--chunk->used)
        chunk_remove(pool, behind - 1);
}

void pool_release(struct pool *pool)
{
    for (size_t i = 0; i < pool->count; i++)
        free(pool->chunks[i]);
    free(pool->chunks);
    *pool = (struct pool){.size = pool->size};
}
