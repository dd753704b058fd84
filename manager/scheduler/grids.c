/* Nodes of about one size, on a grid of free cpu and free memory, so that a search can pass over
 * those that have no room and stop before those that are not full enough. Kept once somebody has
 * asked. */
#include "manager/scheduler/cluster_state.h"

#include <stdlib.h>

enum { CUT_OFF = 64 /* by fixed.h, at most, in the last place */ };

/* Steps are finest where little is free: the fraction is that of the squares. The last one is for
 * what is free altogether. */
static int64_t step_least(size_t step)
{
    return (int64_t)((step * step) << FIXED_BITS) / ((GRID_STEPS - 1) * (GRID_STEPS - 1));
}

static size_t step_of(int64_t fraction)
{
    size_t step = 0;
    for (size_t more = GRID_STEPS / 2; more; more /= 2)
        if (step_least(step + more) <= fraction)
            step += more;
    return step;
}

size_t grid_step_with_room(int64_t asked, int64_t total)
{
    return step_of(fixed_fraction(asked, total) - CUT_OFF);
}

/* ---- which grid ---- */

/* Grows with the quantity: four grades an octave. */
static uint32_t grade_of(int64_t quantity)
{
    uint64_t value = (uint64_t)greater(quantity, 4);
    int octave = 63 - __builtin_clzll(value);
    return (uint32_t)octave * 4 + (uint32_t)(value >> (octave - 2) & 3);
}

/* The last one takes all that the others have no place for. */
static size_t grid_for(struct grids *grids, const struct capacity *capacity)
{
    uint32_t grade = grade_of(capacity->cpu_millis) << 16 | grade_of(capacity->memory_bytes);
    for (size_t i = 0; i < grids->count; i++)
        if (grids->grids[i]->grade == grade)
            return i;
    if (grids->count == GRIDS_MAX)
        return GRIDS_MAX - 1;
    struct grid *grid = mem_alloc(sizeof(*grid));
    grid->grade = grade;
    grid->least = grid->most = *capacity;
    grids->grids[grids->count] = grid;
    return grids->count++;
}

static void stretch(struct grid *grid, const struct capacity *capacity)
{
    struct capacity *least = &grid->least, *most = &grid->most;
    least->cpu_millis = lesser(least->cpu_millis, capacity->cpu_millis);
    least->memory_bytes = lesser(least->memory_bytes, capacity->memory_bytes);
    most->cpu_millis = greater(most->cpu_millis, capacity->cpu_millis);
    most->memory_bytes = greater(most->memory_bytes, capacity->memory_bytes);
}

/* ---- which cell ---- */

static struct grid_place place_of(const struct cluster *cluster, uint32_t rank, uint8_t grid)
{
    const struct capacity *has = &cluster->nodes[rank]->capacity;
    const struct node_fit *fit = &cluster->fits[rank];
    return (struct grid_place){
        .grid = grid,
        .cpu = (uint8_t)step_of(fixed_fraction(fit->cpu_free, has->cpu_millis)),
        .memory = (uint8_t)step_of(fixed_fraction(fit->memory_free, has->memory_bytes)),
    };
}

static void put(struct grids *grids, uint32_t rank, struct grid_place place)
{
    struct grid *grid = grids->grids[place.grid];
    uint32_t *first = &grid->first[place.cpu][place.memory];
    place.next = *first;
    if (place.next)
        grids->places[place.next - 1].previous = rank + 1;
    *first = rank + 1;
    grid->filled[place.cpu] |= UINT64_C(1) << place.memory;
    grids->places[rank] = place;
}

static void take(struct grids *grids, uint32_t rank)
{
    const struct grid_place *place = &grids->places[rank];
    struct grid *grid = grids->grids[place->grid];
    if (place->next)
        grids->places[place->next - 1].previous = place->previous;
    if (place->previous)
        grids->places[place->previous - 1].next = place->next;
    else
        grid->first[place->cpu][place->memory] = place->next;
    if (!grid->first[place->cpu][place->memory])
        grid->filled[place->cpu] &= ~(UINT64_C(1) << place->memory);
}

void grids_drop(struct cluster *cluster)
{
    for (size_t i = 0; cluster->grids && i < cluster->grids->count; i++)
        free(cluster->grids->grids[i]);
    free(cluster->grids);
    cluster->grids = NULL;
}

const struct grids *grids_obtain(struct cluster *cluster)
{
    struct grids *grids = cluster->grids;
    if (grids)
        return grids;
    grids = mem_alloc(sizeof(*grids) + cluster->count * sizeof(*grids->places));
    for (size_t step = 0; step < GRID_STEPS; step++)
        grids->powers[step] = fixed_power_of_10(step_least(step)) - CUT_OFF;
    for (uint32_t rank = (uint32_t)cluster->count; rank-- > 0;) {
        const struct capacity *capacity = &cluster->nodes[rank]->capacity;
        size_t grid = grid_for(grids, capacity);
        stretch(grids->grids[grid], capacity);
        put(grids, rank, place_of(cluster, rank, (uint8_t)grid));
    }
    return cluster->grids = grids;
}

void grids_move(struct cluster *cluster, uint32_t rank)
{
    struct grids *grids = cluster->grids;
    if (!grids)
        return;
    const struct grid_place *was = &grids->places[rank];
    struct grid_place is = place_of(cluster, rank, was->grid);
    if (is.cpu == was->cpu && is.memory == was->memory)
        return;
    take(grids, rank);
    put(grids, rank, is);
}
