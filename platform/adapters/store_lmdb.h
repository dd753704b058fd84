/* The store on LMDB. */
#ifndef ARGOSY_ADAPTERS_STORE_LMDB_H
#define ARGOSY_ADAPTERS_STORE_LMDB_H

#include "platform/ports/store.h"

/* Opens the store in `directory`, which is made (0700) when it is not there. One process at a time:
 * a second one gets -ERR_BUSY with the holder's pid. -ERR_CORRUPT when the files are none of ours
 * or damaged, -ERR_FULL, -ERR_IO. To be called after any fork. */
int lmdb_store_open(const char *directory, struct store **ret_store, struct err *err);

#endif
