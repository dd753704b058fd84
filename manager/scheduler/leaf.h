/* What one candidate is worth to the group that its class is set to. In a header, since everything
 * that is fast here is a loop around it. Private to manager/scheduler. */
#ifndef ARGOSY_MANAGER_SCHEDULER_LEAF_H
#define ARGOSY_MANAGER_SCHEDULER_LEAF_H

#include "manager/scheduler/cluster_state.h"

/* Plain quantities. */
static inline bool fit_has_room(const struct node_fit *fit, const struct cluster_demand *demand)
{
    return !fit->barred && fit->attempts_free >= 1 && fit->cpu_free >= demand->needs.cpu_millis &&
           fit->memory_free >= demand->needs.memory_bytes &&
           fit->disk_free >= demand->needs.disk_bytes;
}

/* Of a policy that does not go by loads, with one more instance there. */
static inline int64_t fit_policy(const struct node_fit *fit, const struct size_factors *factors,
                                 enum placement_policy policy)
{
    int64_t cpu = (fit->cpu_power * factors[fit->size].cpu) >> FIXED_BITS;
    int64_t memory = (fit->memory_power * factors[fit->size].memory) >> FIXED_BITS;
    return policy == POLICY_SPREAD ? part_spread(cpu, memory) : part_binpack(cpu, memory);
}

static inline bool leaf_fits(const struct cluster *cluster, const struct placement_class *class,
                             size_t leaf)
{
    const struct cluster_demand *demand = class->demand;
    const struct cluster_node *node = cluster->nodes[class->ranks[leaf]];
    if (!fit_has_room(&cluster->fits[class->ranks[leaf]], demand))
        return false;
    if (demand_is_special(demand) && node_specials_exclude(demand, node, NULL))
        return false;
    return !node_others_exclude(class->group, demand, node);
}

/* Other instances of the task there. */
static inline int64_t leaf_others(const struct cluster *cluster,
                                  const struct placement_class *class, size_t leaf)
{
    return tally_get(class->group->tally, cluster->nodes[class->ranks[leaf]]);
}

static inline int64_t leaf_policy(const struct cluster *cluster,
                                  const struct placement_class *class, size_t leaf)
{
    return fit_policy(&cluster->fits[class->ranks[leaf]], class->factors, class->policy);
}

#endif
