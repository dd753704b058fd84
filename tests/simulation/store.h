/* A store that outlives its processes: memory_store behind the port, with a fuse before and after
 * each commit, and a shadow of what is committed for the oracle (I6). */
#ifndef ARGOSY_SIMULATION_STORE_H
#define ARGOSY_SIMULATION_STORE_H

#include "platform/ports/store.h"
#include "tests/simulation/fuse.h"

#include <stddef.h>

struct store *sim_store_new(struct fuse *fuse, const int64_t *now_ms);
/* From now on a write is under way until settle(), for which `delay` is to see. */
typedef void store_delay_fn(void *context, int64_t slow_ms);
void sim_store_delay(struct store *store, store_delay_fn *delay, void *context);
/* The committed value; NULL: none. */
const void *sim_store_get(const struct store *store, enum store_table table, const char *key,
                          size_t *ret_length);
void sim_store_set_full(struct store *store, bool full);
/* A write takes that long, in which a process stands still that does not delay it. */
void sim_store_set_slow(struct store *store, int64_t commit_ms);
bool sim_store_is_full(const struct store *store);
/* The `operation`-th write from now on fails. */
void sim_store_fail(struct store *store, int64_t operation);
/* How many there were. */
int64_t sim_store_operations(const struct store *store);
void sim_store_clear(struct store *store);

#endif
