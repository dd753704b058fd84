#include "manager/scheduler/demand.h"

#include "platform/base/err.h"

static int add_ports(const struct string_list *ports, struct arena *arena,
                     struct cluster_demand *demand)
{
    struct cluster_port *items = arena_array(arena, ports->count + 1, sizeof(*items));
    if (!items)
        return -ERR_NO_MEMORY;
    demand->ports = items;
    for (size_t i = 0; i < ports->count; i++) {
        struct port_spec port;
        if (!port_spec_parse(ports->items[i], &port))
            continue;
        if (port.host)
            items[demand->port_count++] = (struct cluster_port){port.host, port.udp};
        else
            demand->dynamic_ports++;
    }
    return 0;
}

int demand_add_resources(const struct resources *resources, const struct string_list *ports,
                         struct arena *arena, struct cluster_demand *demand)
{
    demand->needs =
        (struct capacity){resources->cpu_millis, resources->memory_bytes, resources->disk_bytes};
    demand->memory_max_bytes =
        resources->memory_max_bytes == UNSET ? 0 : resources->memory_max_bytes;
    demand->devices = resources->devices;
    return add_ports(ports, arena, demand);
}

int demand_from_spec(const struct job_spec *spec, const struct task_spec *task, struct arena *arena,
                     struct cluster_demand *ret_demand)
{
    *ret_demand = (struct cluster_demand){
        .datacenters = &spec->datacenters,
        .runtime = task->runtime,
        .priority = DEFAULT_PRIORITY,
        .count = task->count,
    };
    int result = demand_add_resources(&task->resources, &task->ports, arena, ret_demand);
    return result ? result : cluster_demand_seal(ret_demand, arena);
}
