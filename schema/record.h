/* Deep copies and comparison of records, driven by the field tables. Pure. */
#ifndef ARGOSY_SCHEMA_RECORD_H
#define ARGOSY_SCHEMA_RECORD_H

#include "platform/base/arena.h"
#include "schema/field.h"

#include <stdbool.h>

/* Copies `source`, with everything that it points to, into `ret_copy` (record->size bytes). Memory
 * comes from `arena`. -ERR_NO_MEMORY; then ret_copy holds a part that must not be used. */
int record_copy(const struct record *record, const void *source, struct arena *arena,
                void *ret_copy);

/* True when every field is the same: for normalised job specifications, when they are the same. */
bool record_equal(const struct record *record, const void *a, const void *b);

#endif
