/* The only instance of a task that nothing else is like: to build a class for it would be to look
 * at every candidate, and to remember it for nobody. Under binpack nodes are looked at from the
 * fullest on, until none that is left can be better; otherwise all of them are. */
#include "manager/scheduler/leaf.h"

#include <stdlib.h>

/* False when such a one was asked for lately, and notes it. */
static bool is_first(struct cluster *cluster, const struct cluster_demand *demand)
{
    for (size_t i = 0; i < ONCE_KEPT; i++)
        if (cluster->once[i] == demand->hash)
            return false;
    cluster->once[cluster->once_count++ % ONCE_KEPT] = demand->hash;
    return true;
}

bool once_is_enough(struct cluster *cluster, const struct cluster_group *group,
                    const struct cluster_demand *demand)
{
    if (demand->count != 1 || demand->distinct_count || demand->distinct_hosts_of_job ||
        demand_is_special(demand) || policy_is_load_based(policy_of(cluster, demand)))
        return false;
    return !group->tally.size && group->job->total < LIMIT_ATTEMPTS_PER_ASSIGNMENT &&
           is_first(cluster, demand);
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

/* What the powers are multiplied with at least, where it fits at all. */
static int64_t least_factor(const struct cluster *cluster, const struct one *one)
{
    int64_t least = FIXED_ONE;
    const struct capacity *needs = &one->demand->needs;
    for (const struct node_size *size = cluster->sizes; size; size = size->hh.next) {
        const struct size_factors *factors = &one->factors[size->index];
        if (size->key.cpu_millis < needs->cpu_millis ||
            size->key.memory_bytes < needs->memory_bytes)
            continue;
        least = factors->cpu < least ? factors->cpu : least;
        least = factors->memory < least ? factors->memory : least;
    }
    return least;
}

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

/* False: too many had to be looked at, and not all were. */
static bool pick_fullest(struct cluster *cluster, const struct one *one, const uint64_t *words,
                         struct pick *pick)
{
    const struct shelves *shelves = shelves_obtain(cluster);
    int64_t factor = least_factor(cluster, one), others = most_of_others(one);
    size_t looked_at = 0;
    for (size_t shelf = 0; shelf < SHELVES; shelf++) {
        /* two units in the last place: each product was cut off */
        int64_t power = ((shelf_least(shelf) * factor) >> FIXED_BITS) - 2;
        if (pick->found && (part_binpack(power, 0) + others) * one->scale < pick->score)
            return true;
        for (uint32_t at = shelves->first[shelf]; at; at = shelves->places[at - 1].next) {
            size_t rank = at - 1;
            if (words[rank / 64] >> (rank % 64) & 1)
                offer(pick, cluster, one, rank);
            if (++looked_at > cluster->count / 2)
                return false;
        }
    }
    return true;
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
    if (one.policy != POLICY_BINPACK || !pick_fullest(cluster, &one, words, &pick))
        pick_of_all(cluster, &one, words, &pick);
    one_release(&one);
    return pick;
}
