/* The labels of a node: its worker's own, and over them those that people set. */
#ifndef ARGOSY_SCHEMA_LABELS_H
#define ARGOSY_SCHEMA_LABELS_H

#include "platform/base/arena.h"
#include "schema/field.h"

/* Both sorted by key, as decoded; so is the result. Texts are shared, the list is in `arena`.
 * -ERR_NO_MEMORY. */
int labels_merge(const struct string_map *own, const struct string_map *people, struct arena *arena,
                 struct string_map *ret_labels);

#endif
