/* The plain full scan that the scheduler is measured against: for every instance it looks at every
 * node. It is no straw man: what a node is and has free is in one array with its powers computed,
 * constraints and affinities are evaluated once a demand and not once an instance, and counts are
 * arrays. What it knows: binpack, constraints, affinities, even spread over one label,
 * anti-affinity. */
#ifndef ARGOSY_TESTS_BENCH_SCHEDULER_SCAN_H
#define ARGOSY_TESTS_BENCH_SCHEDULER_SCAN_H

#include "tests/bench/scheduler_world.h"

struct scan;
struct scan *scan_new(const struct bench_world *world);
void scan_free(struct scan *scan);
/* Of another task: nothing of it is placed yet. */
void scan_begin(struct scan *scan, const struct cluster_demand *demand);
/* The node's index, or -1; `ret_score` as the scheduler has it. */
long scan_place(const struct scan *scan, int64_t *ret_score);
void scan_take(struct scan *scan, size_t node);

#endif
