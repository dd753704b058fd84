/* Step two: how good a node is. Integers only, so that every machine computes the same score: libm
 * differs between machines, and a compiler may fuse a multiplication with an addition. */
#include "manager/scheduler/scheduler.h"

enum { FIXED_BITS = 28 };
static const int64_t FIXED_ONE = (int64_t)1 << FIXED_BITS;

/* 10^(2^-k) for k = 1 … 28. */
static const uint64_t pow10_roots[FIXED_BITS] = {
    848867446, 477353244, 357964434, 309984429, 288462842, 278269033, 273308022,
    270860782, 269645392, 269039744, 268737430, 268586401, 268510918, 268473184,
    268454319, 268444888, 268440172, 268437814, 268436635, 268436045, 268435751,
    268435603, 268435530, 268435493, 268435474, 268435465, 268435461, 268435458,
};

/* 10^x for x in [0, 1]: the product of the roots that x's bits name (error below 2^-22). */
static int64_t pow10_fixed(int64_t x)
{
    if (x >= FIXED_ONE)
        return 10 * FIXED_ONE;
    uint64_t result = (uint64_t)FIXED_ONE;
    for (int k = 0; k < FIXED_BITS; k++)
        if (x & (FIXED_ONE >> (k + 1)))
            result = (result * pow10_roots[k]) >> FIXED_BITS;
    return (int64_t)result;
}

/* 1 - used/total, never below 0; a node without the resource has nothing free. */
static int64_t free_fraction(int64_t used, int64_t total)
{
    if (total <= 0 || used >= total)
        return 0;
    /* 128 bits: bytes times 2^28 does not fit into 64 for more than 32 GiB */
    return (int64_t)(((__int128)(total - used) << FIXED_BITS) / total);
}

/* clamp(20 - (10^free_cpu + 10^free_memory), 0, 18) / 18 with free as it is after the placement. */
static int64_t binpack_score(const struct scheduler_demand *demand,
                             const struct scheduler_node *node)
{
    int64_t cpu =
        free_fraction(node->used.cpu_millis + demand->needs.cpu_millis, node->capacity.cpu_millis);
    int64_t memory = free_fraction(node->used.memory_bytes + demand->needs.memory_bytes,
                                   node->capacity.memory_bytes);
    int64_t fitness = 20 * FIXED_ONE - (pow10_fixed(cpu) + pow10_fixed(memory));
    if (fitness < 0)
        fitness = 0;
    if (fitness > 18 * FIXED_ONE)
        fitness = 18 * FIXED_ONE;
    return fitness * SCHEDULER_SCORE_ONE / (18 * FIXED_ONE);
}

/* -(others here + 1) / count; the caller asks only when there are others. */
static int64_t anti_affinity_score(const struct scheduler_demand *demand,
                                   const struct scheduler_node *node)
{
    int64_t count = demand->count > 0 ? demand->count : 1;
    int64_t score = (node->task_attempts + 1) * SCHEDULER_SCORE_ONE / count;
    return -(score > SCHEDULER_SCORE_ONE ? SCHEDULER_SCORE_ONE : score);
}

int64_t scheduler_score(const struct scheduler_demand *demand, const struct scheduler_node *node)
{
    int64_t sum = binpack_score(demand, node);
    int64_t parts = 1;
    if (node->task_attempts > 0) {
        sum += anti_affinity_score(demand, node);
        parts++;
    }
    if (node->failed_here) {
        sum -= SCHEDULER_SCORE_ONE;
        parts++;
    }
    return sum / parts;
}
