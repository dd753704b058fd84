/* Nodes by how full they are: a list for each step of 10^free_cpu + 10^free_memory, fullest first.
 * Kept once somebody has asked. */
#include "manager/scheduler/cluster_state.h"

#include <stdlib.h>

enum { STEPS_PER_ONE = 64 };

static size_t shelf_of(const struct node_fit *fit)
{
    int64_t above = fit->cpu_power + fit->memory_power - 2 * FIXED_ONE;
    size_t shelf = (size_t)(above > 0 ? above / (FIXED_ONE / STEPS_PER_ONE) : 0);
    return shelf < SHELVES ? shelf : SHELVES - 1;
}

int64_t shelf_least(size_t shelf)
{
    return 2 * FIXED_ONE + (int64_t)shelf * (FIXED_ONE / STEPS_PER_ONE);
}

static void put(struct shelves *shelves, uint32_t rank, size_t shelf)
{
    struct shelf_place *place = &shelves->places[rank];
    *place = (struct shelf_place){.next = shelves->first[shelf], .shelf = (uint32_t)shelf};
    if (place->next)
        shelves->places[place->next - 1].previous = rank + 1;
    shelves->first[shelf] = rank + 1;
}

static void take(struct shelves *shelves, uint32_t rank)
{
    const struct shelf_place *place = &shelves->places[rank];
    if (place->next)
        shelves->places[place->next - 1].previous = place->previous;
    if (place->previous)
        shelves->places[place->previous - 1].next = place->next;
    else
        shelves->first[place->shelf] = place->next;
}

void shelves_drop(struct cluster *cluster)
{
    free(cluster->shelves);
    cluster->shelves = NULL;
}

const struct shelves *shelves_obtain(struct cluster *cluster)
{
    if (cluster->shelves)
        return cluster->shelves;
    cluster->shelves =
        mem_alloc(sizeof(*cluster->shelves) + cluster->count * sizeof(struct shelf_place));
    for (size_t rank = cluster->count; rank-- > 0;)
        put(cluster->shelves, (uint32_t)rank, shelf_of(&cluster->fits[rank]));
    return cluster->shelves;
}

void shelves_move(struct cluster *cluster, uint32_t rank)
{
    if (!cluster->shelves)
        return;
    size_t shelf = shelf_of(&cluster->fits[rank]);
    if (shelf == cluster->shelves->places[rank].shelf)
        return;
    take(cluster->shelves, rank);
    put(cluster->shelves, rank, shelf);
}
