/* The cluster as a scheduler sees it, out of what is retained on the bus. */
#ifndef ARGOSY_CLI_SNAPSHOT_H
#define ARGOSY_CLI_SNAPSHOT_H

#include "cli/client.h"
#include "schema/snapshot.h"

/* Hears everything that snapshot_of() looks at. */
int snapshot_hear(struct client *client);
/* Ages are counted to `now_ms` (since 1970). Strings point into the picture; the rest is in
 * `arena`. */
void snapshot_of(const struct picture *picture, int64_t now_ms, struct arena *arena,
                 struct cluster_snapshot *ret_snapshot);

#endif
