/* A store that holds a write back until it is settled, as a slow disk does. */
#ifndef ARGOSY_TESTS_HELD_STORE_H
#define ARGOSY_TESTS_HELD_STORE_H

#include "platform/base/mem.h"
#include "platform/ports/store.h"

#include <stdlib.h>

struct held_store {
    struct store store; /* first */
    struct store *inner;
    bool holds; /* else it writes at once */
    const struct store_write *writes;
    size_t count;
    store_written_fn *written;
    void *context;
};

static inline void held_write(struct store *store, const struct store_write *writes, size_t count,
                              store_written_fn *written, void *context)
{
    struct held_store *held = (struct held_store *)store;
    if (!held->holds) {
        held->inner->ops->write(held->inner, writes, count, written, context);
        return;
    }
    ASSERT(!held->writes);
    held->writes = writes;
    held->count = count;
    held->written = written;
    held->context = context;
}

static inline void held_settle(struct store *store)
{
    struct held_store *held = (struct held_store *)store;
    const struct store_write *writes = held->writes;
    held->writes = NULL;
    if (writes)
        held->inner->ops->write(held->inner, writes, held->count, held->written, held->context);
}

static inline int held_scan(struct store *store, enum store_table table, store_visit_fn *visit,
                            void *context, struct err *err)
{
    struct store *inner = ((struct held_store *)store)->inner;
    return inner->ops->scan(inner, table, visit, context, err);
}

static inline void held_close(struct store *store)
{
    struct store *inner = ((struct held_store *)store)->inner;
    inner->ops->close(inner);
    free(store);
}

/* Takes `inner` over. */
static inline struct held_store *held_store_new(struct store *inner)
{
    static const struct store_ops ops = {.name = "held",
                                         .write = held_write,
                                         .settle = held_settle,
                                         .scan = held_scan,
                                         .close = held_close};
    struct held_store *held = mem_alloc(sizeof *held);
    held->store.ops = &ops;
    held->inner = inner;
    held->holds = true;
    return held;
}

#endif
