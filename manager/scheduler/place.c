/* The pick: the best of what each bucket's rankings have on top, and of the nodes where the
 * instance failed, which are taken out of the rankings meanwhile. Policies that go by loads have no
 * rankings: the rank of one node depends on all others. */
#include "manager/scheduler/leaf.h"

#include <stdlib.h>
#include <string.h>

/* The leaf of a node, from 1; 0: it is no candidate. */
static size_t leaf_of(const struct placement_class *class, const struct cluster_node *node)
{
    return class->leaf_of[node->rank];
}

static bool failed_on(const struct cluster_failures *failures, const struct cluster_node *node)
{
    for (size_t i = 0; i < failures->count; i++)
        if (failures->nodes[i] == node)
            return true;
    return false;
}

/* ---- one node's score ---- */

static void score_fill(const struct cluster *cluster, const struct placement_class *class,
                       size_t leaf, int64_t policy, bool failed, struct cluster_score *ret_score)
{
    int64_t others = leaf_others(cluster, class, leaf);
    const struct bucket *bucket = &class->buckets[class->bucket_of[leaf]];
    struct cluster_score score = {
        .policy = policy,
        .anti_affinity = others ? part_anti_affinity(others, class->demand->count) : 0,
        .penalty = failed ? -PART_ONE : 0,
        .affinity = class->affinity[leaf],
        .spread = class->demand->spread_count ? bucket_spread(class, bucket) : 0,
        .parts = class->parts + !!others + failed,
    };
    score.mean =
        (score.policy + score.anti_affinity + score.penalty + score.affinity + score.spread) *
        (CLUSTER_SCORE_SCALE / score.parts);
    *ret_score = score;
}

/* ---- policies that go by loads ---- */

struct cost {
    int64_t cost;
    uint32_t leaf;
};

static int costs_compare(const void *a, const void *b)
{
    const struct cost *left = a, *right = b;
    return left->cost < right->cost ? -1 : left->cost > right->cost;
}

/* What every open node that fits costs, cheapest first. */
static struct cost *list_costs(const struct cluster *cluster, const struct placement_class *class,
                               size_t *ret_count)
{
    struct cost *costs = mem_resize(NULL, class->count + 1, sizeof(*costs));
    size_t count = 0, cursor_rank = cluster_cursor_rank(cluster);
    for (size_t leaf = 0; leaf < class->count; leaf++) {
        if (!bucket_is_open(class, &class->buckets[class->bucket_of[leaf]]) ||
            !leaf_fits(cluster, class, leaf))
            continue;
        const struct cluster_node *node = cluster->nodes[class->ranks[leaf]];
        costs[count++] =
            (struct cost){policy_cost(cluster, class->demand, node, cursor_rank), (uint32_t)leaf};
    }
    qsort(costs, count, sizeof(*costs), costs_compare);
    *ret_count = count;
    return costs;
}

/* Different costs are ranked from 1 (the lowest) down to 0 in equal steps. */
static int64_t *rank_costs(const struct cost *costs, size_t count)
{
    int64_t *parts = mem_resize(NULL, count + 1, sizeof(*parts)), steps = 0;
    for (size_t i = 0; i < count; i++) {
        steps += i && costs[i].cost != costs[i - 1].cost;
        parts[i] = steps;
    }
    for (size_t i = 0; i < count; i++)
        parts[i] = steps ? (steps - parts[i]) * PART_ONE / steps : PART_ONE;
    return parts;
}

static struct pick pick_by_load(const struct cluster *cluster, const struct placement_class *class,
                                const struct cluster_failures *failures)
{
    size_t count;
    struct pick pick = {.found = false};
    _cleanup_free_ struct cost *costs = list_costs(cluster, class, &count);
    _cleanup_free_ int64_t *parts = rank_costs(costs, count);
    for (size_t i = 0; i < count; i++) {
        struct cluster_score score;
        uint32_t rank = class->ranks[costs[i].leaf];
        bool failed = failed_on(failures, cluster->nodes[rank]);
        score_fill(cluster, class, costs[i].leaf, parts[i], failed, &score);
        pick_offer(&pick, score.mean, rank);
    }
    return pick;
}

/* The policy's part for one node that fits. */
static int64_t load_part(const struct cluster *cluster, const struct placement_class *class,
                         size_t leaf)
{
    size_t count;
    int64_t part = 0;
    _cleanup_free_ struct cost *costs = list_costs(cluster, class, &count);
    _cleanup_free_ int64_t *parts = rank_costs(costs, count);
    for (size_t i = 0; i < count; i++)
        if (costs[i].leaf == leaf)
            part = parts[i];
    return part;
}

/* ---- all others ---- */

static void bucket_offer(struct pick *pick, const struct placement_class *class,
                         const struct bucket *bucket)
{
    int64_t spread = class->demand->spread_count ? bucket_spread(class, bucket) : 0;
    for (size_t lane = 0; lane < 1u + bucket_has_others(bucket); lane++) {
        size_t at;
        int64_t top = ranking_top(&bucket->rankings[lane], &at);
        if (top != RANKING_NONE)
            pick_offer(pick, top + spread * class->scales[lane], class->ranks[bucket->first + at]);
    }
}

static void take_out(struct placement_class *class, const struct cluster_failures *failures)
{
    for (size_t i = 0; i < failures->count; i++) {
        size_t leaf = leaf_of(class, failures->nodes[i]);
        if (!leaf)
            continue;
        struct bucket *bucket = &class->buckets[class->bucket_of[leaf - 1]];
        ranking_set(&bucket->rankings[0], leaf - 1 - bucket->first, RANKING_NONE);
        if (bucket_has_others(bucket))
            ranking_set(&bucket->rankings[1], leaf - 1 - bucket->first, RANKING_NONE);
    }
}

static void offer_failed(struct pick *pick, const struct cluster *cluster,
                         const struct placement_class *class,
                         const struct cluster_failures *failures)
{
    for (size_t i = 0; i < failures->count; i++) {
        struct cluster_score score;
        size_t leaf = leaf_of(class, failures->nodes[i]);
        if (!leaf || !leaf_fits(cluster, class, leaf - 1) ||
            !bucket_is_open(class, &class->buckets[class->bucket_of[leaf - 1]]))
            continue;
        score_fill(cluster, class, leaf - 1, leaf_policy(cluster, class, leaf - 1), true, &score);
        pick_offer(pick, score.mean, failures->nodes[i]->rank);
    }
}

static struct pick pick_by_ranking(struct cluster *cluster, struct placement_class *class,
                                   const struct cluster_failures *failures)
{
    struct pick pick = {.found = false};
    take_out(class, failures);
    for (size_t i = 0; i < class->bucket_count; i++)
        if (bucket_is_open(class, &class->buckets[i]))
            bucket_offer(&pick, class, &class->buckets[i]);
    offer_failed(&pick, cluster, class, failures);
    for (size_t i = 0; i < failures->count; i++)
        if (leaf_of(class, failures->nodes[i]))
            class_refresh_leaf(cluster, class, leaf_of(class, failures->nodes[i]) - 1);
    return pick;
}

bool cluster_place(struct cluster *cluster, struct cluster_group *group,
                   const struct cluster_demand *demand, const struct cluster_failures *failures,
                   struct cluster_placement *ret_placement)
{
    static const struct cluster_failures none = {NULL, 0};
    struct pick pick;
    failures = failures ? failures : &none;
    if (!failures->count && once_is_enough(cluster, group, demand)) {
        pick = pick_once(cluster, demand);
    } else {
        struct placement_class *class = class_obtain(cluster, group, demand);
        class_measure(class);
        pick = class->by_load ? pick_by_load(cluster, class, failures)
                              : pick_by_ranking(cluster, class, failures);
    }
    if (pick.found)
        *ret_placement = (struct cluster_placement){cluster->nodes[pick.rank], pick.score};
    return pick.found;
}

void cluster_score(struct cluster *cluster, struct cluster_group *group,
                   const struct cluster_demand *demand, const struct cluster_failures *failures,
                   struct cluster_node *node, struct cluster_score *ret_score)
{
    struct placement_class *class = class_obtain(cluster, group, demand);
    class_measure(class);
    size_t leaf = leaf_of(class, node);
    ASSERT(leaf);
    int64_t policy = class->by_load ? load_part(cluster, class, leaf - 1)
                                    : leaf_policy(cluster, class, leaf - 1);
    score_fill(cluster, class, leaf - 1, policy, failures && failed_on(failures, node), ret_score);
}
