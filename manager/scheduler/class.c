/* Classes: who asks for the same shares one. A class learns lazily, when it is asked, which nodes
 * have changed since, and is set to the group that asks: only the nodes where that group, or the
 * one before, has instances score differently for it. */
#include "manager/scheduler/leaf.h"

#include <stdlib.h>
#include <string.h>

/* ---- scoring leaves ---- */

/* The parts but spread and penalty, as a mean of all that apply, and its lane. */
static int64_t leaf_value(const struct cluster *cluster, const struct placement_class *class,
                          size_t leaf, size_t *ret_lane)
{
    if (!leaf_fits(cluster, class, leaf))
        return RANKING_NONE;
    int64_t others = leaf_others(cluster, class, leaf);
    int64_t sum = leaf_policy(cluster, class, leaf) + class->affinity[leaf];
    if (others)
        sum += part_anti_affinity(others, class->demand->count);
    *ret_lane = others && class->demand->spread_count;
    return sum * class->scales[!!others];
}

static void note_open(const struct cluster *cluster, struct placement_class *class, size_t leaf)
{
    bool open = !cluster->fits[class->ranks[leaf]].barred;
    const uint32_t *values = class->buckets[class->bucket_of[leaf]].values;
    if (open == class->open[leaf])
        return;
    class->open[leaf] = open;
    for (size_t i = 0; i < class->count_count; i++)
        class->counts[i].present[values[i]] += open ? 1 : -1;
}

static void need_lane(struct placement_class *class, struct bucket *bucket, size_t lane)
{
    if (lane && !bucket_has_others(bucket))
        ranking_init(&bucket->rankings[lane], bucket->count, &class->arena);
}

void class_refresh_leaf(struct cluster *cluster, struct placement_class *class, size_t leaf)
{
    struct bucket *bucket = &class->buckets[class->bucket_of[leaf]];
    size_t lane = 0, at = leaf - bucket->first;
    note_open(cluster, class, leaf);
    if (class->preempts)
        ranking_set(&bucket->preemption, at, preemption_key(cluster, class, leaf));
    if (class->by_load)
        return; /* ranked when it is asked */
    int64_t value = leaf_value(cluster, class, leaf, &lane);
    need_lane(class, bucket, lane);
    ranking_set(&bucket->rankings[lane], at, value);
    if (bucket_has_others(bucket))
        ranking_set(&bucket->rankings[!lane], at, RANKING_NONE);
}

static void score_leaf(struct cluster *cluster, struct placement_class *class,
                       struct bucket *bucket, size_t at)
{
    size_t lane = 0, leaf = bucket->first + at;
    int64_t value = class->by_load ? RANKING_NONE : leaf_value(cluster, class, leaf, &lane);
    note_open(cluster, class, leaf);
    need_lane(class, bucket, lane);
    bucket->rankings[lane].levels[0][at] = value;
    if (bucket_has_others(bucket))
        bucket->rankings[!lane].levels[0][at] = RANKING_NONE;
    if (class->preempts)
        bucket->preemption.levels[0][at] = preemption_key(cluster, class, leaf);
}

/* Nothing of the job is placed yet, and only quantities count: what scoring most often is. */
static void score_fresh(const struct cluster *cluster, struct placement_class *class,
                        struct bucket *bucket)
{
    const struct cluster_demand *demand = class->demand;
    int64_t *values = bucket->rankings[0].levels[0];
    for (size_t at = 0; at < bucket->count; at++) {
        size_t leaf = bucket->first + at;
        const struct node_fit *fit = &cluster->fits[class->ranks[leaf]];
        int64_t sum = fit_policy(fit, class->factors, class->policy) + class->affinity[leaf];
        values[at] = fit_has_room(fit, demand) ? sum * class->scales[0] : RANKING_NONE;
    }
}

/* All of them, without climbing the rankings for each. */
static void score_all(struct cluster *cluster, struct placement_class *class, bool built)
{
    bool fresh =
        built && !class->by_load && !class->group->job->total && !demand_is_special(class->demand);
    for (size_t i = 0; i < class->bucket_count; i++) {
        struct bucket *bucket = &class->buckets[i];
        if (fresh)
            score_fresh(cluster, class, bucket);
        for (size_t at = 0; at < bucket->count && !fresh; at++)
            score_leaf(cluster, class, bucket, at);
        ranking_build(&bucket->rankings[0]);
        if (bucket_has_others(bucket))
            ranking_build(&bucket->rankings[1]);
        if (class->preempts)
            ranking_build(&bucket->preemption);
    }
}

void class_build_preemption(struct cluster *cluster, struct placement_class *class)
{
    if (class->preempts)
        return;
    class->preempts = true;
    for (size_t i = 0; i < class->bucket_count; i++) {
        struct bucket *bucket = &class->buckets[i];
        ranking_init(&bucket->preemption, bucket->count, &class->arena);
        for (size_t at = 0; at < bucket->count; at++)
            bucket->preemption.levels[0][at] = preemption_key(cluster, class, bucket->first + at);
        ranking_build(&bucket->preemption);
    }
}

/* ---- keeping up ---- */

static void refresh_where(struct cluster *cluster, struct placement_class *class,
                          const struct tally *tally)
{
    for (size_t i = 0; i < tally->size; i++) {
        const struct tally_entry *entry = &tally->entries[i];
        uint32_t leaf = entry->count ? class->leaf_of[cluster->numbered[entry->number]->rank] : 0;
        if (leaf)
            class_refresh_leaf(cluster, class, leaf - 1);
    }
}

static void catch_up(struct cluster *cluster, struct placement_class *class)
{
    for (; class->seen < cluster->change_count; class->seen++) {
        uint32_t leaf = class->leaf_of[cluster->changes[class->seen % CHANGES_KEPT]];
        if (leaf)
            class_refresh_leaf(cluster, class, leaf - 1);
    }
}

static void set_group(struct cluster *cluster, struct placement_class *class,
                      struct cluster_group *group, const struct cluster_demand *demand)
{
    bool behind = cluster->change_count - class->seen > CHANGES_KEPT ||
                  cluster->change_count - class->seen > class->count / 4 + 16;
    struct cluster_group *before = class->group;
    bool same = before == group && class->wanted == demand->count;
    class->group = group;
    class->demand = demand;
    class->wanted = demand->count;
    bool built = class->picture != cluster->picture;
    if (built) {
        class_build(cluster, class, demand);
    } else if (!behind && before) {
        if (!same) {
            refresh_where(cluster, class, &before->job->tally);
            refresh_where(cluster, class, &group->job->tally);
            class_count_used(cluster, class);
        }
        catch_up(cluster, class);
        return;
    }
    class_count_used(cluster, class);
    score_all(cluster, class, built);
    class->seen = cluster->change_count;
}

/* ---- finding ---- */

static void class_free(struct placement_class *class)
{
    arena_release(&class->arena);
    free(class->factors);
    free(class->key);
    free(class);
}

bool cluster_asked_lately(struct cluster *cluster, const struct cluster_demand *demand)
{
    for (size_t i = 0; i < ASKED_KEPT; i++)
        if (cluster->asked[i] == demand->hash)
            return true;
    cluster->asked[cluster->asked_count++ % ASKED_KEPT] = demand->hash;
    return false;
}

/* The least recently used ones make room. Of those that were built but once only a few are kept,
 * lest each be written to cold memory (2Q: Johnson and Shasha, VLDB 1994). */
static void drop_classes(struct cluster *cluster)
{
    struct placement_class **at = &cluster->classes;
    size_t again = 0, first = 0;
    while (*at) {
        struct placement_class *class = *at;
        bool drop = class->again ? ++again >= CLASSES_KEPT : ++first >= FIRST_CLASSES_KEPT;
        *at = drop ? class->next : class;
        if (drop)
            class_free(class);
        else
            at = &class->next;
    }
}

static struct placement_class *class_new(struct cluster *cluster,
                                         const struct cluster_demand *demand)
{
    drop_classes(cluster);
    struct placement_class *class = mem_alloc(sizeof(*class));
    class->key = mem_strdup(demand->key);
    class->hash = demand->hash;
    class->again = cluster_asked_lately(cluster, demand);
    class->next = cluster->classes;
    cluster->classes = class;
    return class;
}

struct placement_class *class_obtain(struct cluster *cluster, struct cluster_group *group,
                                     const struct cluster_demand *demand)
{
    struct placement_class **at = &cluster->classes, *class;
    ASSERT(demand->key);
    cluster_settle(cluster);
    while (*at && ((*at)->hash != demand->hash || strcmp((*at)->key, demand->key) != 0))
        at = &(*at)->next;
    class = *at;
    if (class) {
        *at = class->next;
        class->next = cluster->classes;
        cluster->classes = class;
    } else {
        class = class_new(cluster, demand);
    }
    set_group(cluster, class, group, demand);
    return class;
}

/* ---- what happens to their groups ---- */

void classes_count_claim(struct cluster *cluster, const struct cluster_group *group,
                         const struct cluster_node *node, int64_t amount)
{
    for (struct placement_class *class = cluster->classes; class; class = class->next) {
        if (!class->count_count || !class->group || class->group->job != group->job ||
            class->picture != cluster->picture)
            continue;
        for (size_t i = 0; i < class->count_count; i++)
            if (class->counts[i].of_job || class->group == group)
                class->counts[i].used[class->counts[i].column->values[node->rank]] += amount;
    }
}

void classes_forget_group(struct cluster *cluster, const struct cluster_group *group)
{
    for (struct placement_class *class = cluster->classes; class; class = class->next)
        if (class->group == group)
            class->group = NULL; /* and it is scored anew */
}

void classes_release(struct cluster *cluster)
{
    while (cluster->classes) {
        struct placement_class *class = cluster->classes;
        cluster->classes = class->next;
        class_free(class);
    }
}
