#include "manager/scheduler/demand.h"

#include "platform/base/err.h"
#include "platform/base/mem.h"

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

/* ---- placement: the job's and the task's together ---- */

static int add_constraints(const struct placement *placement, struct arena *arena,
                           struct expression *items, size_t *count)
{
    struct expression_problem problem;
    int result = 0;
    for (size_t i = 0; i < placement->constraints.count && !result; i++)
        result =
            expression_parse(placement->constraints.items[i], arena, &items[(*count)++], &problem);
    return result;
}

static int add_affinities(const struct placement *placement, struct arena *arena,
                          struct cluster_affinity *items, size_t *count)
{
    struct expression_problem problem;
    int result = 0;
    for (size_t i = 0; i < placement->affinities.count && !result; i++) {
        const struct affinity *affinity = RECORD_AT(struct affinity, placement->affinities, i);
        items[*count].weight = affinity->weight;
        result = expression_parse(affinity->expr, arena, &items[(*count)++].expression, &problem);
    }
    return result;
}

static int add_targets(const struct int_map *targets, struct arena *arena,
                       struct cluster_spread *spread)
{
    struct cluster_spread_target *items = arena_array(arena, targets->count + 1, sizeof(*items));
    if (!items)
        return -ERR_NO_MEMORY;
    for (size_t i = 0; i < targets->count; i++)
        items[i] = (struct cluster_spread_target){targets->items[i].key, targets->items[i].value};
    spread->targets = items;
    spread->target_count = targets->count;
    return 0;
}

static int add_spreads(const struct placement *placement, struct arena *arena,
                       struct cluster_spread *items, size_t *count)
{
    int result = 0;
    for (size_t i = 0; i < placement->spread.count && !result; i++) {
        const struct spread_block *block = RECORD_AT(struct spread_block, placement->spread, i);
        items[*count] =
            (struct cluster_spread){.attribute = block->attribute, .weight = block->weight};
        result = add_targets(&block->targets, arena, &items[(*count)++]);
    }
    return result;
}

static void add_distinct(const struct placement *placement, bool of_job,
                         struct cluster_distinct *items, size_t *count)
{
    const struct distinct_property *property = placement->distinct_property;
    if (property)
        items[(*count)++] = (struct cluster_distinct){property->attribute, property->limit, of_job};
}

static int add_placement(const struct placement *job, const struct placement *task,
                         struct arena *arena, struct cluster_demand *demand)
{
    struct expression *constraints = arena_array(
        arena, job->constraints.count + task->constraints.count + 1, sizeof(*constraints));
    struct cluster_affinity *affinities =
        arena_array(arena, job->affinities.count + task->affinities.count + 1, sizeof(*affinities));
    struct cluster_spread *spreads =
        arena_array(arena, job->spread.count + task->spread.count + 1, sizeof(*spreads));
    struct cluster_distinct *distincts = arena_array(arena, 2, sizeof(*distincts));
    if (!constraints || !affinities || !spreads || !distincts)
        return -ERR_NO_MEMORY;
    demand->constraints = constraints;
    demand->affinities = affinities;
    demand->spreads = spreads;
    demand->distincts = distincts;
    demand->distinct_hosts_of_job = job->distinct_hosts == 1;
    demand->distinct_hosts_of_task = task->distinct_hosts == 1;
    add_distinct(job, true, distincts, &demand->distinct_count);
    add_distinct(task, false, distincts, &demand->distinct_count);
    const struct placement *const both[] = {job, task};
    int result = 0;
    for (size_t i = 0; i < ARRAY_LENGTH(both) && !result; i++) {
        result = add_constraints(both[i], arena, constraints, &demand->constraint_count);
        result =
            result ? result : add_affinities(both[i], arena, affinities, &demand->affinity_count);
        result = result ? result : add_spreads(both[i], arena, spreads, &demand->spread_count);
    }
    return result;
}

int demand_from_spec(const struct job_spec *spec, const struct task_spec *task, struct arena *arena,
                     struct cluster_demand *ret_demand)
{
    *ret_demand = (struct cluster_demand){
        .datacenters = &spec->datacenters,
        .runtime = task->runtime,
        .policy = (enum placement_policy)spec->policy,
        .priority = spec->priority,
        .count = task->count,
    };
    int result = demand_add_resources(&task->resources, &task->ports, arena, ret_demand);
    result = result ? result : add_placement(&spec->placement, &task->placement, arena, ret_demand);
    return result ? result : cluster_demand_seal(ret_demand, arena);
}
