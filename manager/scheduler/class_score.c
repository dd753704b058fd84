/* What a class's buckets are worth, for the group that it is set to. */
#include "manager/scheduler/cluster_state.h"

/* ---- buckets ---- */

static void count_used(const struct cluster *cluster, struct class_count *count,
                       const struct tally *tally)
{
    for (size_t value = 0; value < count->column->text_count; value++)
        count->used[value] = 0;
    for (size_t i = 0; i < tally->size; i++) {
        const struct tally_entry *entry = &tally->entries[i];
        if (entry->count)
            count->used[count->column->values[cluster->numbered[entry->number]->rank]] +=
                entry->count;
    }
}

void class_count_used(const struct cluster *cluster, struct placement_class *class)
{
    for (size_t i = 0; i < class->count_count; i++) {
        struct class_count *count = &class->counts[i];
        count_used(cluster, count, count->of_job ? &class->group->job->tally : class->group->tally);
    }
}

void class_measure(struct placement_class *class)
{
    for (size_t i = 0; i < class->demand->spread_count; i++) {
        struct class_count *count = &class->counts[i];
        count->least = INT64_MAX;
        count->most = 0;
        for (size_t value = 1; value < count->column->text_count; value++) {
            if (!count->present[value])
                continue;
            int64_t used = count->used[value];
            count->least = used < count->least ? used : count->least;
            count->most = used > count->most ? used : count->most;
        }
    }
}

bool bucket_is_open(const struct placement_class *class, const struct bucket *bucket)
{
    size_t spreads = class->demand->spread_count;
    for (size_t i = spreads; i < class->count_count; i++)
        if (class->counts[i].used[bucket->values[i]] >= class->demand->distincts[i - spreads].limit)
            return false;
    return true;
}

/* Of one spread block; a node without the attribute is where nobody wants it. */
static int64_t block_boost(const struct class_count *count, uint32_t value, int64_t wanted)
{
    if (!value)
        return -PART_ONE;
    if (!count->percents)
        return part_spread_even(count->used[value], count->least, count->most);
    return part_spread_target(count->percents[value], wanted, count->used[value]);
}

int64_t bucket_spread(const struct placement_class *class, const struct bucket *bucket)
{
    int64_t sum = 0, weights = 0;
    const struct cluster_demand *demand = class->demand;
    for (size_t i = 0; i < demand->spread_count; i++)
        weights += demand->spreads[i].weight;
    for (size_t i = 0; i < demand->spread_count; i++)
        sum += block_boost(&class->counts[i], bucket->values[i], demand->count) *
               demand->spreads[i].weight / weights;
    return sum;
}
