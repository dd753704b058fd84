/* The store port: a few ordered tables of (key, value), changed by one transaction at a time.
 *
 * A shell gives everything that a batch changed in one write. What is on disk is told later, so
 * that a slow disk does not keep the owner from its other work. Who reads waits for the write that
 * is under way, and sees it. */
#ifndef ARGOSY_PORTS_STORE_H
#define ARGOSY_PORTS_STORE_H

#include "platform/base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum store_table {
    STORE_META,      /* "meta": one record (schema/documents.h, struct store_meta) */
    STORE_DOCUMENTS, /* topic below the root -> the document as published */
    STORE_TOKENS,    /* command token -> the answer that was given */
    STORE_TABLE_COUNT
};

enum { STORE_KEY_MAX = 400 }; /* bytes; a longer key is -ERR_TOO_LARGE */

struct store;

struct store_write {
    enum store_table table;
    bool remove; /* removing what is not there is no error */
    const char *key;
    const void *value;
    size_t length;
};

/* 0: all of it is on disk. Else nothing of it is, the store stays usable and holds what the last
 * transaction left: -ERR_FULL (disk or map), -ERR_IO, -ERR_TOO_LARGE. */
typedef void store_written_fn(void *context, int result, const struct err *err);

/* Called for each record in key order; key and value are valid during the call only. The store must
 * not be written from it. A non-zero return ends the scan and is returned by it. */
typedef int store_visit_fn(void *context, const char *key, const void *value, size_t length);

struct store_ops {
    const char *name;
    /* One transaction, in the order of the array. `written` is called once on the owner's thread,
     * from within or later; the array and what it points to stay until then, and no other write may
     * begin. */
    void (*write)(struct store *store, const struct store_write *writes, size_t count,
                  store_written_fn *written, void *context);
    /* Waits for the write that is under way; its `written` is called from within. */
    void (*settle)(struct store *store);
    int (*scan)(struct store *store, enum store_table table, store_visit_fn *visit, void *context,
                struct err *err);
    void (*close)(struct store *store); /* frees the store; no write is under way */
};

struct store {
    const struct store_ops *ops;
};

#endif
