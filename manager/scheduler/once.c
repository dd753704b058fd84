/* The only instance of a task that nothing else is like: to build a class for it would be to look
 * at every candidate, and to remember it for nobody. Under binpack nodes are looked at from the
 * fullest on, until none that is left can be better; otherwise all of them are. */
#include "manager/scheduler/leaf.h"

#include <stdlib.h>

bool once_is_enough(struct cluster *cluster, const struct cluster_group *group,
                    const struct cluster_demand *demand)
{
    if (demand->count != 1 || demand->distinct_count || demand->distinct_hosts_of_job ||
        demand_is_special(demand) || policy_is_load_based(policy_of(cluster, demand)))
        return false;
    return !group->tally->size && group->job->total < LIMIT_ATTEMPTS_PER_ASSIGNMENT &&
           !cluster_asked_lately(cluster, demand);
}

struct one_spread {
    const struct column *column;
    int64_t *boosts; /* by value, weighted */
};

struct one {
    const struct cluster_demand *demand;
    struct affinities affinities;
    struct one_spread *spreads;
    struct size_factors *factors;
    enum placement_policy policy;
    int64_t scale;
};

/* Nothing of it is placed anywhere. */
static void init_spread(struct cluster *cluster, const struct cluster_demand *demand,
                        struct one_spread *one, const struct cluster_spread *spread)
{
    int64_t weights = 0;
    for (size_t i = 0; i < demand->spread_count; i++)
        weights += demand->spreads[i].weight;
    one->column = cluster_column(cluster, spread->attribute);
    one->boosts = mem_alloc(one->column->text_count * sizeof(*one->boosts));
    one->boosts[0] = -PART_ONE * spread->weight / weights;
    for (size_t value = 1; value < one->column->text_count; value++) {
        int64_t boost =
            spread->target_count
                ? part_spread_target(spread_percent(spread, one->column->texts[value]), 1, 0)
                : 0;
        one->boosts[value] = boost * spread->weight / weights;
    }
}

static void one_init(struct cluster *cluster, const struct cluster_demand *demand, struct one *one)
{
    int64_t parts = 1 + !!demand->affinity_count + !!demand->spread_count;
    *one = (struct one){
        .demand = demand,
        .spreads = mem_alloc((demand->spread_count + 1) * sizeof(*one->spreads)),
        .factors = cluster_factors(cluster, demand),
        .policy = policy_of(cluster, demand),
        .scale = CLUSTER_SCORE_SCALE / parts,
    };
    affinities_init(cluster, demand, &one->affinities);
    for (size_t i = 0; i < demand->spread_count; i++)
        init_spread(cluster, demand, &one->spreads[i], &demand->spreads[i]);
}

static void one_release(struct one *one)
{
    for (size_t i = 0; i < one->demand->spread_count; i++)
        free(one->spreads[i].boosts);
    affinities_release(&one->affinities);
    free(one->spreads);
    free(one->factors);
}

static int64_t score_of(const struct one *one, const struct node_fit *fit, size_t rank)
{
    int64_t sum = fit_policy(fit, one->factors, one->policy);
    sum += affinities_part(&one->affinities, rank);
    for (size_t i = 0; i < one->demand->spread_count; i++)
        sum += one->spreads[i].boosts[one->spreads[i].column->values[rank]];
    return sum * one->scale;
}

static void offer(struct pick *pick, const struct cluster *cluster, const struct one *one,
                  size_t rank)
{
    const struct node_fit *fit = &cluster->fits[rank];
    if (fit_has_room(fit, one->demand))
        pick_offer(pick, score_of(one, fit, rank), (uint32_t)rank);
}

/* ---- fullest first, while a node may still be better ---- */

/* Of all parts but the policy's. */
static int64_t most_of_others(const struct one *one)
{
    int64_t matched = 0, sum;
    for (size_t i = 0; i < one->demand->affinity_count; i++)
        if (one->demand->affinities[i].weight > 0)
            matched += one->demand->affinities[i].weight;
    sum = matched ? matched * PART_ONE / one->affinities.weights : 0;
    for (size_t i = 0; i < one->demand->spread_count; i++) {
        int64_t most = one->spreads[i].boosts[0];
        for (size_t value = 1; value < one->spreads[i].column->text_count; value++)
            most = one->spreads[i].boosts[value] > most ? one->spreads[i].boosts[value] : most;
        sum += most;
    }
    return sum;
}

struct search {
    const struct cluster *cluster;
    const struct one *one;
    const uint64_t *words; /* of the candidates */
    int64_t others;        /* the most of all parts but the policy's */
};

/* A grid that is still to be looked through. */
struct search_grid {
    const struct grid *grid;
    struct size_factors factors; /* what the powers are multiplied with at least */
    size_t cpu, memory;          /* the first steps where there may be room */
    int64_t best;                /* the most that a node there can be worth */
};

/* The most that a node of such a cell can be worth: two units in the last place were cut off. */
static int64_t cell_best(const struct search *search, const struct search_grid *at, size_t cpu,
                         size_t memory)
{
    const int64_t *powers = search->cluster->grids->powers;
    int64_t sum = ((powers[cpu] * at->factors.cpu) >> FIXED_BITS) +
                  ((powers[memory] * at->factors.memory) >> FIXED_BITS);
    return (part_binpack(sum - 2, 0) + search->others) * search->one->scale;
}

static uint64_t cells_from(const struct search_grid *at, size_t cpu)
{
    return at->grid->filled[cpu] & (~UINT64_C(0) << at->memory);
}

static int64_t grid_best(const struct search *search, const struct search_grid *at)
{
    int64_t best = INT64_MIN;
    for (size_t cpu = at->cpu; cpu < GRID_STEPS; cpu++)
        if (cells_from(at, cpu))
            best = greater(
                best, cell_best(search, at, cpu, (size_t)__builtin_ctzll(cells_from(at, cpu))));
    return best;
}

static void grid_begin(const struct search *search, const struct grid *grid,
                       struct search_grid *ret_at)
{
    const struct capacity *needs = &search->one->demand->needs;
    *ret_at = (struct search_grid){
        .grid = grid,
        .factors = {fixed_asked_factor(needs->cpu_millis, grid->least.cpu_millis),
                    fixed_asked_factor(needs->memory_bytes, grid->least.memory_bytes)},
        .cpu = grid_step_with_room(needs->cpu_millis, grid->most.cpu_millis),
        .memory = grid_step_with_room(needs->memory_bytes, grid->most.memory_bytes),
    };
    ret_at->best = grid_best(search, ret_at);
}

static void offer_cell(const struct search *search, uint32_t first, struct pick *pick)
{
    for (uint32_t at = first; at; at = search->cluster->grids->places[at - 1].next) {
        size_t rank = at - 1;
        if (search->words[rank / 64] >> (rank % 64) & 1)
            offer(pick, search->cluster, search->one, rank);
    }
}

/* Fuller cells first: when one cannot be better, no emptier one can. */
static void offer_grid(const struct search *search, const struct search_grid *at, struct pick *pick)
{
    for (size_t cpu = at->cpu; cpu < GRID_STEPS; cpu++) {
        uint64_t filled = cells_from(at, cpu);
        if (pick->found && cell_best(search, at, cpu, at->memory) < pick->score)
            return;
        for (; filled; filled &= filled - 1) {
            size_t memory = (size_t)__builtin_ctzll(filled);
            if (pick->found && cell_best(search, at, cpu, memory) < pick->score)
                break;
            offer_cell(search, at->grid->first[cpu][memory], pick);
        }
    }
}

/* Of several the one whose nodes may be best. */
static struct search_grid *take_best(struct search_grid *grids, size_t count)
{
    struct search_grid *best = &grids[0], found;
    for (size_t i = 1; i < count; i++)
        if (grids[i].best > best->best)
            best = &grids[i];
    found = *best;
    *best = grids[count - 1];
    grids[count - 1] = found;
    return &grids[count - 1];
}

static void pick_fullest(struct cluster *cluster, const struct one *one, const uint64_t *words,
                         struct pick *pick)
{
    const struct grids *grids = grids_obtain(cluster);
    const struct search search = {cluster, one, words, most_of_others(one)};
    struct search_grid left[GRIDS_MAX];
    for (size_t i = 0; i < grids->count; i++)
        grid_begin(&search, grids->grids[i], &left[i]);
    for (size_t count = grids->count; count; count--) {
        const struct search_grid *at = take_best(left, count);
        if (pick->found && at->best < pick->score)
            return;
        offer_grid(&search, at, pick);
    }
}

/* ---- all of them ---- */

static void pick_of_all(const struct cluster *cluster, const struct one *one, const uint64_t *words,
                        struct pick *pick)
{
    for (size_t i = 0; i < cluster_words(cluster); i++)
        for (uint64_t word = words[i]; word; word &= word - 1)
            offer(pick, cluster, one, i * 64 + (size_t)__builtin_ctzll(word));
}

struct pick pick_once(struct cluster *cluster, const struct cluster_demand *demand)
{
    struct one one;
    struct pick pick = {.found = false};
    cluster_settle(cluster);
    _cleanup_free_ uint64_t *words = cluster_candidates(cluster, demand);
    one_init(cluster, demand, &one);
    if (one.policy == POLICY_BINPACK)
        pick_fullest(cluster, &one, words, &pick);
    else
        pick_of_all(cluster, &one, words, &pick);
    one_release(&one);
    return pick;
}
