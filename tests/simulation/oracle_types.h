/* What jobs of certain types promise: who waits for whom, and whose children there are. */
#ifndef ARGOSY_SIMULATION_ORACLE_TYPES_H
#define ARGOSY_SIMULATION_ORACLE_TYPES_H

#include "tests/simulation/user.h"

struct types;

struct types *types_new(struct world *world);
void types_free(struct types *types);
/* An execution of the wish was seen to run for the first time. */
void types_on_run(struct types *types, const struct wish *wish, const char *task_id);
/* How many children of it were seen to run. */
int64_t types_children(const struct types *types, const struct wish *wish);
/* By the clock, since the last fault. */
bool types_was_launched(const struct types *types, const struct wish *wish);

#endif
