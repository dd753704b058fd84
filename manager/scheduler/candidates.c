/* Step one: which nodes can take a task at all. The order of the checks is the order in which a
 * person would want to hear about them: where, whether, with what, how much. */
#include "manager/scheduler/scheduler.h"

#include "schema/job_spec.h"

static bool datacenter_matches(const struct scheduler_demand *demand,
                               const struct scheduler_node *node)
{
    for (size_t i = 0; i < demand->datacenters->count; i++)
        if (glob_match(demand->datacenters->items[i], node->datacenter ? node->datacenter : ""))
            return true;
    return false;
}

static bool port_is_taken(const struct scheduler_node *node, const struct scheduler_port *port)
{
    for (size_t i = 0; i < node->port_count; i++)
        if (node->ports[i].port == port->port && node->ports[i].udp == port->udp)
            return true;
    return false;
}

static bool any_port_is_taken(const struct scheduler_demand *demand,
                              const struct scheduler_node *node)
{
    for (size_t i = 0; i < demand->port_count; i++)
        if (port_is_taken(node, &demand->ports[i]))
            return true;
    return false;
}

static int64_t shortage(int64_t capacity, int64_t used, int64_t asked)
{
    int64_t free = capacity - used;
    return asked > free ? asked - free : 0;
}

struct capacity scheduler_lacks(const struct scheduler_demand *demand,
                                const struct scheduler_node *node)
{
    const struct capacity *has = &node->capacity, *used = &node->used, *asked = &demand->needs;
    return (struct capacity){
        .cpu_millis = shortage(has->cpu_millis, used->cpu_millis, asked->cpu_millis),
        .memory_bytes = shortage(has->memory_bytes, used->memory_bytes, asked->memory_bytes),
        .disk_bytes = shortage(has->disk_bytes, used->disk_bytes, asked->disk_bytes),
    };
}

static enum reason exclude_by_resources(const struct scheduler_demand *demand,
                                        const struct scheduler_node *node)
{
    struct capacity lacks = scheduler_lacks(demand, node);
    if (lacks.cpu_millis)
        return REASON_CPU_EXHAUSTED;
    if (lacks.memory_bytes)
        return REASON_MEMORY_EXHAUSTED;
    return lacks.disk_bytes ? REASON_DISK_EXHAUSTED : REASON_NONE;
}

enum reason scheduler_exclude(const struct scheduler_demand *demand,
                              const struct scheduler_node *node)
{
    if (node->barred)
        return (enum reason)node->barred;
    if (!datacenter_matches(demand, node))
        return REASON_DATACENTER;
    if (!(node->runtimes & (1u << demand->runtime)))
        return REASON_RUNTIME_MISSING;
    if (any_port_is_taken(demand, node))
        return REASON_PORT_TAKEN;
    if (node->attempts >= node->max_attempts || node->job_attempts >= LIMIT_ATTEMPTS_PER_ASSIGNMENT)
        return REASON_TOO_MANY_ATTEMPTS;
    return exclude_by_resources(demand, node);
}
