/* The arithmetic of scores. Integers only, so that every machine computes the same: libm differs
 * between machines, and a compiler may fuse a multiplication with an addition.
 *
 * Fractions have 28 bits behind the point. Parts of a score are millionths. */
#ifndef ARGOSY_MANAGER_SCHEDULER_FIXED_H
#define ARGOSY_MANAGER_SCHEDULER_FIXED_H

#include <stdint.h>

enum { FIXED_BITS = 28 };
#define FIXED_ONE ((int64_t)1 << FIXED_BITS)

enum { PART_ONE = 1000000 };

/* part/whole; 0 when there is no whole or the part is not positive. */
int64_t fixed_fraction(int64_t part, int64_t whole);
/* 10^x for x in [0, 1] (below 0 is 0, above 1 is 1); error below 2^-22. */
int64_t fixed_power_of_10(int64_t x);
/* Lieb's square ice constant 1.5396… to the x for x in [0, 8] (clamped). */
int64_t fixed_power_of_lieb(int64_t x);

/* 10^free of a resource, free = 1 - used/total. */
int64_t fixed_free_power(int64_t used, int64_t total);
/* What it is multiplied with when `asked` more is taken: 10^-(asked/total). */
int64_t fixed_asked_factor(int64_t asked, int64_t total);

static inline int64_t lesser(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static inline int64_t greater(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* clamp(20 - (10^free_cpu + 10^free_memory), 0, 18) / 18, from both powers as they would be. */
static inline int64_t part_binpack(int64_t cpu_power, int64_t memory_power)
{
    int64_t fitness = 20 * FIXED_ONE - (cpu_power + memory_power);
    fitness = fitness < 0 ? 0 : fitness > 18 * FIXED_ONE ? 18 * FIXED_ONE : fitness;
    return (fitness * PART_ONE + 9 * FIXED_ONE) / (18 * FIXED_ONE);
}

/* clamp(10^free_cpu + 10^free_memory - 2, 0, 18) / 18 */
static inline int64_t part_spread(int64_t cpu_power, int64_t memory_power)
{
    int64_t fitness = cpu_power + memory_power - 2 * FIXED_ONE;
    fitness = fitness < 0 ? 0 : fitness > 18 * FIXED_ONE ? 18 * FIXED_ONE : fitness;
    return (fitness * PART_ONE + 9 * FIXED_ONE) / (18 * FIXED_ONE);
}

/* -(others + 1) / count, at least -1. */
static inline int64_t part_anti_affinity(int64_t others, int64_t count)
{
    int64_t share = (others + 1) * PART_ONE / (count > 0 ? count : 1);
    return share > PART_ONE ? -PART_ONE : -share;
}

/* (desired - (used + 1)) / desired with desired = percent/100 of count; -1 when none is. */
int64_t part_spread_target(int64_t percent, int64_t count, int64_t used);
/* The boost of a value that has `here`, where all values have between `least` and `most`. */
int64_t part_spread_even(int64_t here, int64_t least, int64_t most);

/* Marginal cost of a resource or of a task count under E-PVM: L^((used + asked)/total) -
 * L^(used/total). */
int64_t cost_epvm(int64_t used, int64_t asked, int64_t total);

#endif
