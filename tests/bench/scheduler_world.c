#include "tests/bench/scheduler_world.h"

#include "platform/base/mem.h"
#include "schema/job_spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIB ((int64_t)1 << 20)
#define GIB ((int64_t)1 << 30)

static uint64_t below(struct bench_world *world, uint64_t bound)
{
    return prng_below(&world->prng, bound);
}

/* ---- nodes: eight machine types, 50 sites, 500 racks ---- */

static const struct machine {
    int64_t cores, memory_gib;
    const char *arch, *disk;
} machines[] = {
    {4, 4, "arm64", "ssd"},    {4, 8, "arm64", "ssd"},    {8, 16, "amd64", "hdd"},
    {8, 32, "amd64", "ssd"},   {16, 64, "amd64", "ssd"},  {32, 64, "amd64", "hdd"},
    {32, 128, "amd64", "ssd"}, {64, 256, "amd64", "ssd"},
};

static void fill_facts(struct bench_world *world, struct cluster_facts *facts, size_t index)
{
    const struct machine *machine = &machines[below(world, ARRAY_LENGTH(machines))];
    struct string_pair *labels = arena_array(&world->arena, 3, sizeof(*labels));
    struct string_pair *attributes = arena_array(&world->arena, 2, sizeof(*attributes));
    labels[0] = (struct string_pair){"disk", machine->disk};
    labels[1] = (struct string_pair){
        "rack", arena_printf(&world->arena, "rack-%03d", (int)below(world, 20))};
    labels[2] = (struct string_pair){
        "site", arena_printf(&world->arena, "site-%02d", (int)below(world, 50))};
    attributes[0] = (struct string_pair){"arch", machine->arch};
    attributes[1] = (struct string_pair){"kernel.version", index % 3 ? "6.1.0-18" : "5.10.0-28"};
    *facts = (struct cluster_facts){
        .properties = {.id = arena_printf(&world->arena, "node-%06zu", index),
                       .datacenter = index % 2 ? "north" : "south",
                       .labels = {labels, 3},
                       .attributes = {attributes, 2}},
        .runtimes = 1u << RUNTIME_DOCKER,
        .capacity = {machine->cores * 1000, machine->memory_gib * GIB, 500 * GIB},
        .max_attempts = 1000,
        .dynamic_ports = UNSET,
    };
}

void bench_world_init(struct bench_world *world, size_t nodes, uint64_t seed)
{
    *world = (struct bench_world){.node_count = nodes};
    prng_init(&world->prng, seed);
    world->cluster = cluster_new(&(struct cluster_settings){.policy = POLICY_BINPACK});
    world->facts = mem_alloc(nodes * sizeof(*world->facts));
    world->nodes = mem_alloc(nodes * sizeof(*world->nodes));
    for (size_t i = 0; i < nodes; i++) {
        fill_facts(world, &world->facts[i], i);
        world->nodes[i] = cluster_node_add(world->cluster, &world->facts[i]);
    }
}

void bench_world_release(struct bench_world *world)
{
    cluster_free(world->cluster);
    free(world->facts);
    free(world->nodes);
    arena_release(&world->arena);
}

size_t bench_node_index(const struct bench_world *world, const struct cluster_node *node)
{
    (void)world; /* ids say it */
    return (size_t)strtoull(cluster_node_id(node) + strlen("node-"), NULL, 10);
}

/* ---- demands ---- */

static struct expression parsed(struct bench_world *world, const char *text)
{
    struct expression expression;
    struct expression_problem problem;
    ASSERT(expression_parse(text, &world->arena, &expression, &problem) == 0);
    return expression;
}

static void seal(struct bench_world *world, struct cluster_demand *demand)
{
    ASSERT(cluster_demand_seal(demand, &world->arena) == 0);
}

struct cluster_demand bench_demand(struct bench_world *world, int64_t cpu_millis,
                                   int64_t memory_bytes, int64_t count, int64_t priority)
{
    static const char *all[] = {"*"};
    static const struct string_list everywhere = {all, 1};
    struct cluster_demand demand = {
        .datacenters = &everywhere,
        .runtime = RUNTIME_DOCKER,
        .needs = {cpu_millis, memory_bytes, 0},
        .count = count,
        .priority = priority,
    };
    seal(world, &demand);
    return demand;
}

/* Two constraints, the second one of four kinds. */
static const struct expression *rich_constraints(struct bench_world *world)
{
    struct expression *constraints = arena_array(&world->arena, 2, sizeof(*constraints));
    const char *second = "label.disk == ssd";
    uint64_t kind = below(world, 4);
    if (kind == 1)
        second = "kernel.version version >= 5.10, < 6.2";
    if (kind == 2)
        second = arena_printf(&world->arena, "label.site != site-%02d", (int)below(world, 50));
    if (kind == 3)
        second = arena_printf(&world->arena, "label.rack regexp [%d-9]$", (int)below(world, 5));
    constraints[0] = parsed(world, below(world, 2) ? "arch == amd64" : "arch in [amd64, arm64]");
    constraints[1] = parsed(world, second);
    return constraints;
}

static const struct cluster_affinity *rich_affinities(struct bench_world *world)
{
    struct cluster_affinity *affinities = arena_array(&world->arena, 2, sizeof(*affinities));
    affinities[0].expression = parsed(world, "datacenter == north");
    affinities[0].weight = 20 + (int64_t)below(world, 80);
    affinities[1].expression = parsed(
        world, arena_printf(&world->arena, "label.site == site-%02d", (int)below(world, 50)));
    affinities[1].weight = -50;
    return affinities;
}

struct cluster_demand bench_demand_rich(struct bench_world *world, int64_t count)
{
    static const struct cluster_spread by_rack = {"label.rack", 50, NULL, 0};
    struct cluster_demand demand = bench_demand(world, 10 + (int64_t)below(world, 500),
                                                (16 + (int64_t)below(world, 500)) * MIB, count, 50);
    demand.constraints = rich_constraints(world);
    demand.constraint_count = 2;
    demand.affinities = rich_affinities(world);
    demand.affinity_count = 2;
    demand.spreads = &by_rack;
    demand.spread_count = 1;
    seal(world, &demand);
    return demand;
}
