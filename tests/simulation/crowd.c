/* Kinds of jobs for a cluster that has not room for all: priorities that are apart by less than the
 * gap of preemption and by more, two sizes, one port for two jobs, a constraint, two tasks. */
#include "tests/simulation/crowd.h"

#include "manager/core/manager.h"
#include "platform/base/mem.h"
#include "tests/simulation/world.h"

enum { ZONES = 2 };

/* Its row is the job's number: in a cluster of two jobs only the first two are there. */
static const struct kind kinds[] = {
    {.type = "service", .priority = 20, .cpu_millis = 500, .port = 7000},
    {.type = "service", .priority = 90, .cpu_millis = 500},
    {.type = "batch", .ends = true, .priority = 70, .cpu_millis = 500},
    {.type = "service", .priority = 50, .cpu_millis = 1000, .two_tasks = true},
    {.type = "service", .priority = 55, .cpu_millis = 500, .zone = 1},
    {.type = "service", .priority = 80, .cpu_millis = 1000, .port = 7000},
    {.type = "system", .everywhere = true, .priority = 75, .cpu_millis = 500},
    {.type = "batch", .ends = true, .priority = 10, .cpu_millis = 1000, .zone = 2},
};

const struct kind *crowd_kind(int job)
{
    static struct kind filled[ARRAY_LENGTH(kinds)];
    struct kind *kind = &filled[job % (int)ARRAY_LENGTH(kinds)];
    *kind = kinds[job % (int)ARRAY_LENGTH(kinds)];
    kind->state = kind->ends ? "completed" : "running";
    kind->more = kind->everywhere ? "" : KIND_PLACED_AGAIN;
    kind->tasks = kind->everywhere ? KIND_STARTED_AGAIN : KIND_RUN_AGAIN;
    return kind;
}

int crowd_zone(int node)
{
    return 1 + node % ZONES;
}

int crowd_preemption(const struct world *world)
{
    return world->options.kinds == KINDS_CROWDED ? PREEMPTION_BY_ALL : 0;
}

int64_t crowd_node_cpu_millis(const struct world *world)
{
    enum { LARGEST_MILLIS = 1000 };
    int instances = world->options.jobs * INSTANCES_MAX;
    int each = (instances + world->options.nodes - 1) / world->options.nodes;
    int64_t half = (each + 1) / 2 * TASK_CPU_MILLIS;
    switch (world->options.kinds) {
    case KINDS_CROWDED:
        return half > LARGEST_MILLIS ? half : LARGEST_MILLIS;
    case KINDS_EVERY: /* what is everywhere needs room on each node, wherever the others are */
        return (int64_t)instances * TASK_CPU_MILLIS;
    case KINDS_FEW:
        break;
    }
    return (int64_t)each * TASK_CPU_MILLIS;
}
