/* A store in memory, for tests and the simulation: the same behaviour, with faults on demand. */
#ifndef ARGOSY_ADAPTERS_STORE_MEMORY_H
#define ARGOSY_ADAPTERS_STORE_MEMORY_H

#include "platform/ports/store.h"

#include <stdint.h>

struct store *memory_store_new(void);
/* The n-th operation from now (1: the next; begin, put, remove and commit count) fails with `code`,
 * once; 0 switches it off. */
void memory_store_fail(struct store *store, int64_t operation, enum err_code code);
/* Every begin fails with `code` until ERR_NONE is set: a full disk. */
void memory_store_fail_always(struct store *store, enum err_code code);
/* Forgets everything: a deleted store. */
void memory_store_clear(struct store *store);
/* Number of commits so far. */
int64_t memory_store_commits(const struct store *store);

#endif
