/* From a specification to what one instance of it asks of a node. Pure. */
#ifndef ARGOSY_MANAGER_SCHEDULER_DEMAND_H
#define ARGOSY_MANAGER_SCHEDULER_DEMAND_H

#include "manager/scheduler/cluster.h"
#include "schema/job_spec.h"

/* Of a task of a job, both normalised and checked. Sealed. Points into the specification, and its
 * memory is from `arena`: both are to stay as long as the demand. -ERR_INVALID: an expression is
 * none (of a specification that nobody checked); -ERR_NO_MEMORY. */
int demand_from_spec(const struct job_spec *spec, const struct task_spec *task, struct arena *arena,
                     struct cluster_demand *ret_demand);

/* Adds resources and ports to a demand that is not sealed yet. What is no port is left out. Lives
 * as above. -ERR_NO_MEMORY. */
int demand_add_resources(const struct resources *resources, const struct string_list *ports,
                         struct arena *arena, struct cluster_demand *demand);

#endif
