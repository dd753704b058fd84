/* The only instance of a task that nothing else is like: to build a class for it would be to look
 * at every candidate too, and to remember it for nobody. */
#include "manager/scheduler/leaf.h"

#include <stdlib.h>

static uint64_t hash_of(const char *text)
{
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
    return hash;
}

/* False when such a one was asked for lately, and notes it. */
static bool is_first(struct cluster *cluster, const struct cluster_demand *demand)
{
    uint64_t hash = hash_of(demand->key);
    for (size_t i = 0; i < ONCE_KEPT; i++)
        if (cluster->once[i] == hash)
            return false;
    cluster->once[cluster->once_count++ % ONCE_KEPT] = hash;
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
    enum cluster_policy policy;
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

struct pick pick_once(struct cluster *cluster, const struct cluster_demand *demand)
{
    struct one one;
    struct pick pick = {.found = false};
    cluster_settle(cluster);
    _cleanup_free_ uint64_t *words = cluster_candidates(cluster, demand);
    one_init(cluster, demand, &one);
    for (size_t i = 0; i < cluster_words(cluster); i++) {
        for (uint64_t word = words[i]; word; word &= word - 1) {
            size_t rank = i * 64 + (size_t)__builtin_ctzll(word);
            const struct node_fit *fit = &cluster->fits[rank];
            if (fit_has_room(fit, demand))
                pick_offer(&pick, score_of(&one, fit, rank), (uint32_t)rank);
        }
    }
    one_release(&one);
    return pick;
}
