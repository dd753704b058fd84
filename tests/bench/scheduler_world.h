/* A cluster for the bench: mixed nodes, and demands of all kinds, from a seed. */
#ifndef ARGOSY_TESTS_BENCH_SCHEDULER_WORLD_H
#define ARGOSY_TESTS_BENCH_SCHEDULER_WORLD_H

#include "manager/scheduler/cluster.h"
#include "platform/base/prng.h"

struct bench_world {
    struct prng prng;
    struct arena arena;
    struct cluster *cluster;
    struct cluster_facts *facts;
    struct cluster_node **nodes;
    size_t node_count;
};

/* Every node with the same seed is the same. */
void bench_world_init(struct bench_world *world, size_t nodes, uint64_t seed);
void bench_world_release(struct bench_world *world);
size_t bench_node_index(const struct bench_world *world, const struct cluster_node *node);

/* Plain: `count` instances, no constraints. */
struct cluster_demand bench_demand(struct bench_world *world, int64_t cpu_millis,
                                   int64_t memory_bytes, int64_t count, int64_t priority);
/* With constraints, affinities and a spread block, of sizes that hardly ever repeat. */
struct cluster_demand bench_demand_rich(struct bench_world *world, int64_t count);

#endif
