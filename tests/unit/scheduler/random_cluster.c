#include "tests/unit/scheduler/random_cluster.h"

#include "platform/base/mem.h"
#include "schema/job_spec.h"

#include <string.h>

#define MIB ((int64_t)1 << 20)

uint64_t below(struct random_cluster *it, uint64_t bound)
{
    return prng_below(&it->prng, bound);
}

static bool chance(struct random_cluster *it, uint64_t percent)
{
    return below(it, 100) < percent;
}

#define PICK(it, array) ((array)[below(it, ARRAY_LENGTH(array))])

/* ---- nodes ---- */

static struct string_map random_labels(struct random_cluster *it)
{
    static const char *const racks[] = {"r1", "r2", "r3"}, *const disks[] = {"ssd", "hdd"};
    struct string_map labels = {arena_array(&it->arena, 3, sizeof(*labels.items)), 0};
    if (chance(it, 60))
        labels.items[labels.count++] = (struct string_pair){"disk", PICK(it, disks)};
    if (chance(it, 85))
        labels.items[labels.count++] = (struct string_pair){"rack", PICK(it, racks)};
    return labels;
}

static struct string_map random_attributes(struct random_cluster *it)
{
    static const char *const archs[] = {"amd64", "arm64"};
    static const char *const cores[] = {"2", "4", "16"};
    static const char *const kernels[] = {"5.10.0-28-amd64", "6.1.0", "6.6-rc1"};
    struct string_map map = {arena_array(&it->arena, 3, sizeof(*map.items)), 0};
    map.items[map.count++] = (struct string_pair){"arch", PICK(it, archs)};
    map.items[map.count++] = (struct string_pair){"cpu.cores", PICK(it, cores)};
    if (chance(it, 80))
        map.items[map.count++] = (struct string_pair){"kernel.version", PICK(it, kernels)};
    return map;
}

static const struct string_list *random_devices(struct random_cluster *it)
{
    static const char *usb[] = {"/dev/ttyUSB0", "/dev/ttyUSB1"};
    static const struct string_list lists[] = {{usb, 0}, {usb, 1}, {usb, 2}};
    return chance(it, 30) ? NULL : &PICK(it, lists);
}

/* Of a few models, or like no other. */
static struct capacity random_capacity(struct random_cluster *it)
{
    static const int64_t cpus[] = {1000, 2000, 4000}, memories[] = {1024, 2048, 8192};
    if (chance(it, 40))
        return (struct capacity){1 + (int64_t)below(it, 20000),
                                 1 + (int64_t)below(it, (uint64_t)(65536 * MIB)), 4096 * MIB};
    return (struct capacity){PICK(it, cpus), PICK(it, memories) * MIB, 4096 * MIB};
}

static struct cluster_facts random_facts(struct random_cluster *it, const char *id)
{
    static const char *const datacenters[] = {"plant-1", "plant-2", "office"};
    return (struct cluster_facts){
        .properties = {.id = id,
                       .datacenter = PICK(it, datacenters),
                       .labels = random_labels(it),
                       .attributes = random_attributes(it)},
        .barred = chance(it, 10) ? REASON_INELIGIBLE : REASON_NONE,
        .runtimes =
            chance(it, 90) ? 1u << RUNTIME_DOCKER | 1u << RUNTIME_PROCESS : 1u << RUNTIME_PROCESS,
        .capacity = random_capacity(it),
        .max_attempts = chance(it, 20) ? 3 : 100,
        .dynamic_ports = chance(it, 50) ? UNSET : (int64_t)below(it, 4),
        .devices = random_devices(it),
    };
}

void random_node_add(struct random_cluster *it)
{
    for (size_t i = 0; i < REFERENCE_NODES; i++) {
        if (it->reference.nodes[i].there)
            continue;
        const char *id = arena_printf(&it->arena, "n%03d-%zu", (int)below(it, 1000), i);
        struct cluster_facts facts = random_facts(it, id);
        it->reference.nodes[i] = (struct reference_node){.there = true, .facts = facts};
        it->nodes[i] = cluster_node_add(it->cluster, &facts);
        return;
    }
}

/* One that is there, or REFERENCE_NODES. */
static size_t random_node(struct random_cluster *it)
{
    for (size_t tries = 0; tries < 1000; tries++) {
        size_t i = below(it, REFERENCE_NODES);
        if (it->reference.nodes[i].there)
            return i;
    }
    return REFERENCE_NODES;
}

static void random_load(struct random_cluster *it, struct reference_node *node, size_t i)
{
    node->load_known = chance(it, 80);
    node->load = (struct capacity){.cpu_millis = (int64_t)below(it, 4000),
                                   .memory_bytes = (int64_t)below(it, 4096) * MIB};
    node->load_claim_number = it->reference.claim_count;
    cluster_node_load(it->cluster, it->nodes[i], node->load_known ? &node->load : NULL);
}

void random_node_change(struct random_cluster *it)
{
    size_t i = random_node(it);
    if (i == REFERENCE_NODES)
        return;
    struct reference_node *node = &it->reference.nodes[i];
    switch (below(it, 4)) {
    case 0:
        node->facts = random_facts(it, node->facts.properties.id);
        cluster_node_change(it->cluster, it->nodes[i], &node->facts);
        return;
    case 1:
        random_load(it, node, i);
        return;
    default:
        node->facts.barred = node->facts.barred ? REASON_NONE : REASON_NODE_SILENT;
        cluster_node_bar(it->cluster, it->nodes[i], node->facts.barred);
    }
}

void random_node_remove(struct random_cluster *it)
{
    size_t i = random_node(it);
    if (i == REFERENCE_NODES)
        return;
    for (size_t number = 0; number < it->reference.claim_count; number++)
        if (it->reference.claims[number].there && it->reference.claims[number].node == i)
            claim_free(it, number);
    for (size_t number = 0; number < it->reference.claim_count; number++)
        if (it->reference.claims[number].node == i)
            it->reference.claims[number].node = REFERENCE_NODES; /* of no node that comes later */
    cluster_node_remove(it->cluster, it->nodes[i]);
    it->reference.nodes[i].there = false;
}

/* ---- claims ---- */

void claim_add(struct random_cluster *it, size_t group, size_t node)
{
    const struct cluster_demand *demand = &it->demands[group];
    size_t number = it->reference.claim_count++;
    ASSERT(number < REFERENCE_CLAIMS);
    it->reference.claims[number] = (struct reference_claim){.there = true,
                                                            .node = node,
                                                            .job = (int)(group / GROUPS_PER_JOB),
                                                            .group = (int)group,
                                                            .demand = demand,
                                                            .priority = demand->priority};
    enum placement_policy policy = demand->policy ? demand->policy : it->reference.policy;
    if (policy == POLICY_ROUND_ROBIN)
        strcpy(it->reference.cursor, it->reference.nodes[node].facts.properties.id);
    it->claims[number] = cluster_claim_new(it->cluster, it->nodes[node], it->groups[group], demand,
                                           &it->reference.claims[number]);
}

void claim_free(struct random_cluster *it, size_t number)
{
    it->reference.claims[number].there = false;
    cluster_claim_free(it->cluster, it->claims[number]);
}

void random_claim_free(struct random_cluster *it)
{
    size_t count = it->reference.claim_count;
    for (size_t tries = 0; count && tries < 20; tries++) {
        size_t number = below(it, count);
        if (!it->reference.claims[number].there)
            continue;
        claim_free(it, number);
        return;
    }
}

void random_claim_leave(struct random_cluster *it)
{
    size_t count = it->reference.claim_count;
    size_t number = count ? below(it, count) : 0;
    if (!count || !it->reference.claims[number].there)
        return;
    it->reference.claims[number].priority = 0;
    cluster_claim_leave(it->cluster, it->claims[number]);
}

/* ---- demands ---- */

static struct expression parsed(struct random_cluster *it, const char *text)
{
    struct expression expression;
    struct expression_problem problem;
    ASSERT(expression_parse(text, &it->arena, &expression, &problem) == 0);
    return expression;
}

static const char *random_expression(struct random_cluster *it)
{
    static const char *const texts[] = {
        "arch == arm64",          "arch != arm64",         "label.disk is_set",
        "label.disk == ssd",      "cpu.cores >= 4",        "kernel.version version >= 5.10",
        "label.rack in [r1, r2]", "node.id regexp [0-4]$", "datacenter != office",
        "label.rack is_not_set",
    };
    return PICK(it, texts);
}

static void random_constraints(struct random_cluster *it, struct cluster_demand *demand)
{
    struct expression *constraints = arena_array(&it->arena, 2, sizeof(*constraints));
    struct cluster_affinity *affinities = arena_array(&it->arena, 3, sizeof(*affinities));
    static const int64_t weights[] = {-100, -30, 1, 50, 100};
    demand->constraints = constraints;
    demand->affinities = affinities;
    for (uint64_t i = chance(it, 50) ? 1 + below(it, 2) : 0; i; i--)
        constraints[demand->constraint_count++] = parsed(it, random_expression(it));
    for (uint64_t i = chance(it, 50) ? 1 + below(it, 3) : 0; i; i--)
        affinities[demand->affinity_count++] =
            (struct cluster_affinity){parsed(it, random_expression(it)), PICK(it, weights)};
}

static void random_spreads(struct random_cluster *it, struct cluster_demand *demand)
{
    static const char *const attributes[] = {"label.rack", "datacenter", "label.disk", "node.id"};
    static const struct cluster_spread_target targets[][2] = {
        {{"r1", 70}, {"r2", 30}}, {{"r1", 50}, {"*", 20}}, {{"ssd", 60}, {"office", 0}}};
    struct cluster_spread *spreads = arena_array(&it->arena, 2, sizeof(*spreads));
    struct cluster_distinct *distincts = arena_array(&it->arena, 2, sizeof(*distincts));
    demand->spreads = spreads;
    demand->distincts = distincts;
    for (uint64_t i = chance(it, 50) ? 1 + below(it, 2) : 0; i; i--) {
        struct cluster_spread *spread = &spreads[demand->spread_count++];
        *spread = (struct cluster_spread){PICK(it, attributes), 1 + (int64_t)below(it, 100),
                                          PICK(it, targets), below(it, 3)};
    }
    for (uint64_t i = chance(it, 25) ? 1 + below(it, 2) : 0; i; i--)
        distincts[demand->distinct_count++] = (struct cluster_distinct){
            PICK(it, attributes), 1 + (int64_t)below(it, 3), chance(it, 50)};
}

static void random_specials(struct random_cluster *it, struct cluster_demand *demand)
{
    static const struct cluster_port ports[] = {{80, false}, {80, true}, {443, false}};
    static const char *devices[] = {"/dev/ttyUSB0", "/dev/ttyUSB1"};
    demand->ports = &ports[below(it, 2)];
    demand->port_count = chance(it, 20) ? 1 + below(it, 2) : 0;
    demand->dynamic_ports = chance(it, 20) ? 1 + (int64_t)below(it, 2) : 0;
    size_t first = below(it, 2);
    demand->devices = (struct string_list){devices + first, chance(it, 15) ? 1 : 0};
    demand->distinct_hosts_of_task = chance(it, 10);
    demand->distinct_hosts_of_job = chance(it, 10);
}

static struct cluster_demand random_demand(struct random_cluster *it)
{
    static const char *all[] = {"*"}, *plants[] = {"plant-*", "lab"};
    static const struct string_list everywhere = {all, 1}, some = {plants, 2};
    static const int64_t cpus[] = {100, 250, 500}, memories[] = {64, 128, 500};
    struct cluster_demand demand = {
        .datacenters = chance(it, 75) ? &everywhere : &some,
        .runtime = RUNTIME_DOCKER,
        .needs = {PICK(it, cpus), PICK(it, memories) * MIB, (int64_t)below(it, 2) * 700 * MIB},
        .memory_max_bytes = chance(it, 20) ? 2048 * MIB : 0,
        .policy = chance(it, 60) ? POLICY_OF_CLUSTER : (enum placement_policy)(1 + below(it, 5)),
    };
    random_constraints(it, &demand);
    random_spreads(it, &demand);
    random_specials(it, &demand);
    return demand;
}

struct cluster_demand random_lone_demand(struct random_cluster *it)
{
    struct cluster_demand demand = random_demand(it);
    demand.needs.cpu_millis += (int64_t)below(it, 100);
    demand.needs.memory_bytes += (int64_t)below(it, 1 << 20);
    demand.count = 1;
    demand.policy = chance(it, 90) ? POLICY_BINPACK : POLICY_SPREAD;
    demand.distinct_count = demand.port_count = demand.devices.count = 0;
    demand.dynamic_ports = 0;
    demand.distinct_hosts_of_job = false;
    ASSERT(cluster_demand_seal(&demand, &it->arena) == 0);
    return demand;
}

struct reference_question random_question(struct random_cluster *it)
{
    size_t group = below(it, GROUPS);
    if (chance(it, 10)) /* scaled */
        it->demands[group].count = 1 + (int64_t)below(it, 12);
    struct reference_question question = {
        .job = (int)(group / GROUPS_PER_JOB), .group = (int)group, .demand = &it->demands[group]};
    for (size_t i = 0; i < REFERENCE_NODES; i++)
        question.failed[i] = it->reference.nodes[i].there && chance(it, 5);
    return question;
}

/* ---- all of it ---- */

void random_cluster_init(struct random_cluster *it, uint64_t seed)
{
    struct cluster_demand demands[DEMANDS];
    memset(it, 0, sizeof(*it));
    prng_init(&it->prng, seed);
    it->reference.policy =
        chance(it, 50) ? POLICY_BINPACK : (enum placement_policy)(1 + below(it, 5));
    it->reference.max_jobs = 1 + (int64_t)below(it, 20);
    it->cluster = cluster_new(&(struct cluster_settings){.policy = it->reference.policy,
                                                         .max_jobs = it->reference.max_jobs});
    for (uint64_t i = 2 + below(it, below(it, 8) ? 16 : 50); i; i--)
        random_node_add(it);
    for (size_t i = 0; i < DEMANDS; i++)
        demands[i] = random_demand(it);
    for (size_t i = 0; i < GROUPS; i++) {
        if (i % GROUPS_PER_JOB == 0)
            it->jobs[i / GROUPS_PER_JOB] = cluster_job_new();
        it->groups[i] = cluster_group_new(it->jobs[i / GROUPS_PER_JOB]);
        it->demands[i] = PICK(it, demands);
        it->demands[i].count = 1 + (int64_t)below(it, 12);
        it->demands[i].priority = 20 + 10 * (int64_t)(i / GROUPS_PER_JOB * (below(it, 2)));
        ASSERT(cluster_demand_seal(&it->demands[i], &it->arena) == 0);
    }
}

void random_cluster_release(struct random_cluster *it)
{
    cluster_free(it->cluster);
    for (size_t i = 0; i < GROUPS; i++)
        cluster_group_free(NULL, it->groups[i]);
    for (size_t i = 0; i < JOBS; i++)
        cluster_job_free(it->jobs[i]);
    arena_release(&it->arena);
}
