/* The store port: a few ordered tables of (key, value) with one write transaction at a time.
 *
 * A shell writes everything that one batch changed between begin and commit; commit returns only
 * after the data is on disk. Readers see the last commit. */
#ifndef ARGOSY_PORTS_STORE_H
#define ARGOSY_PORTS_STORE_H

#include "platform/base/err.h"

#include <stddef.h>

enum store_table {
    STORE_META,      /* "meta": one record (schema/documents.h, struct store_meta) */
    STORE_DOCUMENTS, /* topic below the root -> the document as published */
    STORE_TOKENS,    /* command token -> the answer that was given */
    STORE_TABLE_COUNT
};

enum { STORE_KEY_MAX = 400 }; /* bytes; a longer key is -ERR_TOO_LARGE */

struct store;

/* Called for each record in key order; key and value are valid during the call only. The store must
 * not be written from it. A non-zero return ends the scan and is returned by it. */
typedef int store_visit_fn(void *context, const char *key, const void *value, size_t length);

struct store_ops {
    const char *name;
    /* Errors of begin, put, remove and commit: -ERR_FULL (disk or map), -ERR_IO. After any of them
     * the transaction is to be aborted; the store stays usable and holds what the last commit left.
     */
    int (*begin)(struct store *store, struct err *err);
    int (*put)(struct store *store, enum store_table table, const char *key, const void *value,
               size_t length, struct err *err);
    /* Removing what is not there is 0. */
    int (*remove)(struct store *store, enum store_table table, const char *key, struct err *err);
    int (*commit)(struct store *store, struct err *err);
    /* Ends a transaction without a trace. Does nothing when none is open. */
    void (*abort)(struct store *store);
    int (*scan)(struct store *store, enum store_table table, store_visit_fn *visit, void *context,
                struct err *err);
    void (*close)(struct store *store); /* frees the store */
};

struct store {
    const struct store_ops *ops;
};

#endif
