/* A store in an array, which can be told to fail. */
#ifndef ARGOSY_TESTS_WORKER_FAKE_STORE_H
#define ARGOSY_TESTS_WORKER_FAKE_STORE_H

#include "platform/ports/store.h"

#include <stdbool.h>
#include <stdint.h>

enum { FAKE_RECORDS = 64 };

struct fake_record {
    enum store_table table;
    char *key; /* NULL: free */
    char *value;
    size_t length;
};

struct fake_store {
    struct store store;
    struct fake_record committed[FAKE_RECORDS];
    struct fake_record open[FAKE_RECORDS]; /* a copy while a transaction is open */
    bool in_transaction;
    bool fails; /* the next commits */
    int commits;
};

void fake_store_init(struct fake_store *fake);
void fake_store_release(struct fake_store *fake);
/* NULL: none. */
const char *fake_store_get(const struct fake_store *fake, enum store_table table, const char *key);
/* Puts and commits. */
void fake_store_put(struct fake_store *fake, enum store_table table, const char *key,
                    const char *value);

#endif
