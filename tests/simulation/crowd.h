/* Clusters that have not room for all that users want: their jobs, nodes and managers. */
#ifndef ARGOSY_SIMULATION_CROWD_H
#define ARGOSY_SIMULATION_CROWD_H

#include "tests/simulation/kinds.h"

struct world;

/* How much a node offers: in a crowded cluster half of what users may want, else just enough. */
int64_t crowd_node_cpu_millis(const struct world *world);
/* The node's label, 1 or 2. */
int crowd_zone(int node);
/* enum preemption of the managers. */
int crowd_preemption(const struct world *world);

#endif
