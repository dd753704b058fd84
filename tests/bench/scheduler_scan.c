#include "tests/bench/scheduler_scan.h"

#include "manager/scheduler/fixed.h"
#include "platform/base/mem.h"

#include <stdlib.h>
#include <string.h>

enum { VALUES_MAX = 64 };

struct scan_node {
    int64_t cpu_free, memory_free, cpu_power, memory_power;
    /* of the present demand */
    int64_t cpu_factor, memory_factor, affinity, others;
    uint32_t value;
    bool matches;
};

struct scan {
    const struct bench_world *world;
    const struct cluster_demand *demand;
    struct scan_node *nodes;
    int64_t used[VALUES_MAX]; /* by value of the spread's label */
    const char *values[VALUES_MAX];
    size_t value_count;
};

static void refresh(struct scan *scan, size_t i)
{
    const struct capacity *has = &scan->world->facts[i].capacity;
    struct scan_node *node = &scan->nodes[i];
    node->cpu_power = fixed_free_power(has->cpu_millis - node->cpu_free, has->cpu_millis);
    node->memory_power = fixed_free_power(has->memory_bytes - node->memory_free, has->memory_bytes);
}

struct scan *scan_new(const struct bench_world *world)
{
    struct scan *scan = mem_alloc(sizeof(*scan));
    scan->world = world;
    scan->nodes = mem_alloc(world->node_count * sizeof(*scan->nodes));
    for (size_t i = 0; i < world->node_count; i++) {
        scan->nodes[i].cpu_free = world->facts[i].capacity.cpu_millis;
        scan->nodes[i].memory_free = world->facts[i].capacity.memory_bytes;
        refresh(scan, i);
    }
    return scan;
}

void scan_free(struct scan *scan)
{
    free(scan->nodes);
    free(scan);
}

static uint32_t value_number(struct scan *scan, const char *text)
{
    uint32_t number = 0;
    while (number < scan->value_count && strcmp(scan->values[number], text) != 0)
        number++;
    if (number == scan->value_count) {
        ASSERT(scan->value_count < VALUES_MAX);
        scan->values[scan->value_count++] = text;
    }
    return number;
}

static void prepare(struct scan *scan, size_t i)
{
    const struct cluster_demand *demand = scan->demand;
    const struct cluster_facts *facts = &scan->world->facts[i];
    struct scan_node *node = &scan->nodes[i];
    int64_t matched = 0, weights = 0;
    node->matches = true;
    for (size_t j = 0; j < demand->constraint_count; j++)
        node->matches &=
            expression_holds(&demand->constraints[j],
                             node_property(&facts->properties, demand->constraints[j].target));
    for (size_t j = 0; j < demand->affinity_count; j++) {
        const struct expression *expression = &demand->affinities[j].expression;
        weights += llabs(demand->affinities[j].weight);
        if (expression_holds(expression, node_property(&facts->properties, expression->target)))
            matched += demand->affinities[j].weight;
    }
    node->affinity = weights ? matched * PART_ONE / weights : 0;
    node->others = 0;
    node->cpu_factor = fixed_asked_factor(demand->needs.cpu_millis, facts->capacity.cpu_millis);
    node->memory_factor =
        fixed_asked_factor(demand->needs.memory_bytes, facts->capacity.memory_bytes);
    if (demand->spread_count)
        node->value =
            value_number(scan, node_property(&facts->properties, demand->spreads[0].attribute));
}

void scan_begin(struct scan *scan, const struct cluster_demand *demand)
{
    scan->demand = demand;
    memset(scan->used, 0, sizeof(scan->used));
    for (size_t i = 0; i < scan->world->node_count; i++)
        prepare(scan, i);
}

static void measure(const struct scan *scan, int64_t *ret_least, int64_t *ret_most)
{
    bool present[VALUES_MAX] = {false};
    *ret_least = INT64_MAX;
    *ret_most = 0;
    for (size_t i = 0; i < scan->world->node_count; i++)
        if (scan->nodes[i].matches)
            present[scan->nodes[i].value] = true;
    for (size_t value = 0; value < scan->value_count; value++) {
        if (!present[value])
            continue;
        *ret_least = scan->used[value] < *ret_least ? scan->used[value] : *ret_least;
        *ret_most = scan->used[value] > *ret_most ? scan->used[value] : *ret_most;
    }
}

static int64_t score_of(const struct scan *scan, const struct scan_node *node, int64_t least,
                        int64_t most)
{
    const struct cluster_demand *demand = scan->demand;
    int64_t sum = part_binpack((node->cpu_power * node->cpu_factor) >> FIXED_BITS,
                               (node->memory_power * node->memory_factor) >> FIXED_BITS);
    int64_t parts = 1 + !!node->others + !!demand->affinity_count + !!demand->spread_count;
    if (node->others)
        sum += part_anti_affinity(node->others, demand->count);
    if (demand->spread_count)
        sum += part_spread_even(scan->used[node->value], least, most);
    return (sum + node->affinity) * (CLUSTER_SCORE_SCALE / parts);
}

long scan_place(const struct scan *scan, int64_t *ret_score)
{
    int64_t least = 0, most = 0;
    long best = -1;
    if (scan->demand->spread_count)
        measure(scan, &least, &most);
    for (size_t i = 0; i < scan->world->node_count; i++) {
        const struct scan_node *node = &scan->nodes[i];
        if (!node->matches || node->cpu_free < scan->demand->needs.cpu_millis ||
            node->memory_free < scan->demand->needs.memory_bytes)
            continue;
        int64_t score = score_of(scan, node, least, most);
        if (best >= 0 && score <= *ret_score)
            continue;
        best = (long)i;
        *ret_score = score;
    }
    return best;
}

void scan_take(struct scan *scan, size_t i)
{
    struct scan_node *node = &scan->nodes[i];
    node->cpu_free -= scan->demand->needs.cpu_millis;
    node->memory_free -= scan->demand->needs.memory_bytes;
    node->others++;
    scan->used[node->value]++;
    refresh(scan, i);
}
