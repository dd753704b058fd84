/* Writes to a store that are over when they return. */
#ifndef ARGOSY_TESTS_STORE_WRITE_H
#define ARGOSY_TESTS_STORE_WRITE_H

#include "platform/ports/store.h"

#include <string.h>

struct store_outcome {
    int result;
    struct err *err;
};

static inline void store_note_outcome(void *context, int result, const struct err *err)
{
    struct store_outcome *outcome = context;
    outcome->result = result;
    *outcome->err = *err;
}

static inline int store_write(struct store *store, const struct store_write *writes, size_t count,
                              struct err *err)
{
    struct store_outcome outcome = {-1, err};
    store->ops->write(store, writes, count, store_note_outcome, &outcome);
    store->ops->settle(store);
    return outcome.result;
}

static inline int store_put(struct store *store, enum store_table table, const char *key,
                            const char *value, struct err *err)
{
    struct store_write write = {table, false, key, value, strlen(value)};
    return store_write(store, &write, 1, err);
}

#endif
