#include "manager/scheduler/cluster_state.h"

#include <stdlib.h>

static int64_t part_of(const struct affinities *affinities, int64_t matched)
{
    return affinities->weights ? matched * PART_ONE / affinities->weights : 0;
}

void affinities_init(struct cluster *cluster, const struct cluster_demand *demand,
                     struct affinities *ret_affinities)
{
    size_t count = demand->affinity_count;
    *ret_affinities = (struct affinities){
        .demand = demand, .words = mem_alloc((count + 1) * sizeof(*ret_affinities->words))};
    cluster_reserve_predicates(cluster, count);
    for (size_t i = 0; i < count; i++) {
        ret_affinities->words[i] =
            cluster_matching(cluster, &demand->affinities[i].expression)->words;
        ret_affinities->weights += llabs(demand->affinities[i].weight);
    }
    if (count > AFFINITIES_IN_TABLE)
        return;
    for (size_t mask = 0; mask < (size_t)1 << count; mask++) {
        int64_t matched = 0;
        for (size_t i = 0; i < count; i++)
            matched += mask >> i & 1 ? demand->affinities[i].weight : 0;
        ret_affinities->table[mask] = part_of(ret_affinities, matched);
    }
}

void affinities_release(struct affinities *affinities)
{
    free(affinities->words);
}

int64_t affinities_sum(const struct affinities *affinities, size_t rank)
{
    int64_t matched = 0;
    for (size_t i = 0; i < affinities->demand->affinity_count; i++)
        if (affinities->words[i][rank / 64] >> (rank % 64) & 1)
            matched += affinities->demand->affinities[i].weight;
    return part_of(affinities, matched);
}
