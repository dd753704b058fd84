/* Objects of one size, many and long-lived: side by side in chunks, without what malloc adds to
 * each, and not among what comes and goes, whose holes would stay between them. A chunk that is
 * empty is given back. */
#ifndef ARGOSY_BASE_POOL_H
#define ARGOSY_BASE_POOL_H

#include <stddef.h>

struct pool_chunk;

struct pool {
    size_t size;                /* of an object */
    struct pool_chunk **chunks; /* by address */
    size_t count, capacity;
    struct pool_chunk *open; /* those with room */
};

#define POOL_OF(type)        \
    (struct pool)            \
    {                        \
        .size = sizeof(type) \
    }

/* Zeroed memory, aligned for pointers and 64-bit numbers; aborts when there is none. */
void *pool_alloc(struct pool *pool);
/* Does nothing when it is NULL. */
void pool_free(struct pool *pool, void *object);
/* With all objects that are left. */
void pool_release(struct pool *pool);

#endif
