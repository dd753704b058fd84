/* One node by itself: the reasons against it, and what the load-based policies think of it. */
#include "manager/scheduler/cluster_state.h"

#include "schema/job_spec.h"

#include <string.h>

/* ---- reasons against it ---- */

static bool datacenter_matches(const struct cluster_demand *demand, const struct cluster_node *node)
{
    for (size_t i = 0; i < demand->datacenters->count; i++)
        if (glob_match(demand->datacenters->items[i], node->properties.datacenter))
            return true;
    return false;
}

bool node_has_device(const struct cluster_node *node, const char *device)
{
    for (size_t i = 0; i < node->devices.count; i++)
        if (strcmp(node->devices.items[i], device) == 0)
            return true;
    return !node->devices_known;
}

static enum reason property_missing(const struct cluster_demand *demand,
                                    const struct cluster_node *node, const char **ret_detail)
{
    for (size_t i = 0; i < demand->distinct_count; i++) {
        *ret_detail = demand->distincts[i].attribute;
        if (!node_property(&node->properties, *ret_detail))
            return REASON_DISTINCT_PROPERTY;
    }
    for (size_t i = 0; i < demand->devices.count; i++) {
        *ret_detail = demand->devices.items[i];
        if (!node_has_device(node, *ret_detail))
            return REASON_DEVICE_MISSING;
    }
    return REASON_NONE;
}

/* The first one that it does not satisfy, NULL: none. */
static const char *constraint_missed(const struct cluster_demand *demand,
                                     const struct cluster_node *node)
{
    for (size_t i = 0; i < demand->constraint_count; i++) {
        const struct expression *constraint = &demand->constraints[i];
        if (!expression_holds(constraint, node_property(&node->properties, constraint->target)))
            return constraint->text;
    }
    return NULL;
}

bool cluster_node_matches(const struct cluster_demand *demand, const struct cluster_node *node)
{
    return datacenter_matches(demand, node) && !constraint_missed(demand, node);
}

enum reason cluster_node_misses(const struct cluster_demand *demand,
                                const struct cluster_node *node)
{
    const char *detail;
    return node_properties_exclude(demand, node, &detail);
}

enum reason node_properties_exclude(const struct cluster_demand *demand,
                                    const struct cluster_node *node, const char **ret_detail)
{
    *ret_detail = NULL;
    if (!datacenter_matches(demand, node))
        return REASON_DATACENTER;
    if (!(node->runtimes & (1u << demand->runtime)))
        return REASON_RUNTIME_MISSING;
    if ((*ret_detail = constraint_missed(demand, node)))
        return REASON_CONSTRAINT;
    enum reason reason = property_missing(demand, node, ret_detail);
    if (reason)
        return reason;
    *ret_detail = NULL;
    return demand->memory_max_bytes > node->capacity.memory_bytes ? REASON_MEMORY_EXHAUSTED
                                                                  : REASON_NONE;
}

enum reason node_others_exclude(const struct cluster_group *group,
                                const struct cluster_demand *demand,
                                const struct cluster_node *node)
{
    const struct cluster_job *job = group->job;
    if (demand->distinct_hosts_of_task && tally_get(group->tally, node))
        return REASON_DISTINCT_HOSTS;
    if (demand->distinct_hosts_of_job && tally_get(&job->tally, node))
        return REASON_DISTINCT_HOSTS;
    if (job->total >= LIMIT_ATTEMPTS_PER_ASSIGNMENT &&
        tally_get(&job->tally, node) >= LIMIT_ATTEMPTS_PER_ASSIGNMENT)
        return REASON_TOO_MANY_ATTEMPTS;
    return REASON_NONE;
}

bool demand_is_special(const struct cluster_demand *demand)
{
    return demand->port_count || demand->devices.count || demand->dynamic_ports;
}

static bool has_port(const struct cluster_demand *held, const struct cluster_port *port)
{
    for (size_t i = 0; i < held->port_count; i++)
        if (held->ports[i].port == port->port && held->ports[i].udp == port->udp)
            return true;
    return false;
}

static bool has_device(const struct cluster_demand *held, const char *device)
{
    for (size_t i = 0; i < held->devices.count; i++)
        if (strcmp(held->devices.items[i], device) == 0)
            return true;
    return false;
}

bool demands_conflict(const struct cluster_demand *held, const struct cluster_demand *demand)
{
    for (size_t i = 0; i < demand->port_count; i++)
        if (has_port(held, &demand->ports[i]))
            return true;
    for (size_t i = 0; i < demand->devices.count; i++)
        if (has_device(held, demand->devices.items[i]))
            return true;
    return false;
}

static const char *device_taken(const struct cluster_demand *demand,
                                const struct cluster_node *node)
{
    for (size_t i = 0; i < demand->devices.count; i++)
        for (int64_t j = 0; j < node->attempts; j++)
            if (has_device(node->held[j].demand, demand->devices.items[i]))
                return demand->devices.items[i];
    return NULL;
}

static bool port_taken(const struct cluster_demand *demand, const struct cluster_node *node)
{
    for (size_t i = 0; i < demand->port_count; i++)
        for (int64_t j = 0; j < node->attempts; j++)
            if (has_port(node->held[j].demand, &demand->ports[i]))
                return true;
    return false;
}

enum reason node_specials_exclude(const struct cluster_demand *demand,
                                  const struct cluster_node *node, const char **ret_detail)
{
    const char *device = node->held_specials ? device_taken(demand, node) : NULL;
    if (ret_detail)
        *ret_detail = device;
    if (node->held_specials && port_taken(demand, node))
        return REASON_PORT_TAKEN;
    if (device)
        return REASON_DEVICE_TAKEN;
    if (demand->dynamic_ports && node->dynamic_ports != UNSET &&
        node->dynamic_ports - node->dynamic_used < demand->dynamic_ports)
        return REASON_PORTS_EXHAUSTED;
    return REASON_NONE;
}

static int64_t shortage(int64_t capacity, int64_t used, int64_t asked)
{
    int64_t free = capacity - used;
    return asked > free ? asked - free : 0;
}

struct capacity node_lacks(const struct cluster_demand *demand, const struct cluster_node *node)
{
    const struct capacity *has = &node->capacity, *used = &node->used, *asked = &demand->needs;
    return (struct capacity){
        .cpu_millis = shortage(has->cpu_millis, used->cpu_millis, asked->cpu_millis),
        .memory_bytes = shortage(has->memory_bytes, used->memory_bytes, asked->memory_bytes),
        .disk_bytes = shortage(has->disk_bytes, used->disk_bytes, asked->disk_bytes),
    };
}

/* ---- policies that go by loads ---- */

enum placement_policy policy_of(const struct cluster *cluster, const struct cluster_demand *demand)
{
    return demand->policy ? demand->policy : cluster->policy;
}

bool policy_is_load_based(enum placement_policy policy)
{
    return policy == POLICY_EPVM || policy == POLICY_GREEDY || policy == POLICY_ROUND_ROBIN;
}

size_t cluster_cursor_rank(const struct cluster *cluster)
{
    size_t low = 0, high = cluster->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (strcmp(cluster->nodes[middle]->properties.id, cluster->cursor) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The heartbeat's and what was claimed since; without one what is reserved. */
static struct capacity node_load(const struct cluster_node *node)
{
    if (!node->load_known)
        return node->used;
    return (struct capacity){
        .cpu_millis = node->load.cpu_millis + node->claimed_since.cpu_millis,
        .memory_bytes = node->load.memory_bytes + node->claimed_since.memory_bytes,
    };
}

int64_t policy_cost(const struct cluster *cluster, const struct cluster_demand *demand,
                    const struct cluster_node *node, size_t cursor_rank)
{
    struct capacity load = node_load(node);
    enum placement_policy policy = policy_of(cluster, demand);
    if (policy == POLICY_ROUND_ROBIN)
        return (int64_t)((node->rank + cluster->count - cursor_rank) % cluster->count);
    /* greedy divides by 2^0.8, which changes no order */
    if (policy == POLICY_GREEDY)
        return fixed_fraction(load.cpu_millis, node->capacity.cpu_millis);
    return cost_epvm(load.cpu_millis, demand->needs.cpu_millis, node->capacity.cpu_millis) +
           cost_epvm(load.memory_bytes, demand->needs.memory_bytes, node->capacity.memory_bytes) +
           cost_epvm(node->attempts, 1, cluster->max_jobs);
}
