/* A class from nothing: its candidates, sorted into buckets, and all that does not change while the
 * nodes are what they are. */
#include "manager/scheduler/cluster_state.h"

#include "platform/base/buf.h"
#include "platform/base/err.h"

#include <stdlib.h>
#include <string.h>

/* ---- the key: whatever makes a difference to candidates or scores, but the count ---- */

static void add_list(struct buf *key, const struct string_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        buf_printf(key, "%s,", list->items[i]);
    buf_add_char(key, '\n');
}

static void add_spreads(struct buf *key, const struct cluster_demand *demand)
{
    for (size_t i = 0; i < demand->spread_count; i++) {
        const struct cluster_spread *spread = &demand->spreads[i];
        buf_printf(key, "s%s %lld", spread->attribute, (long long)spread->weight);
        for (size_t j = 0; j < spread->target_count; j++)
            buf_printf(key, " %zu:%s=%lld", strlen(spread->targets[j].value),
                       spread->targets[j].value, (long long)spread->targets[j].percent);
        buf_add_char(key, '\n');
    }
    for (size_t i = 0; i < demand->distinct_count; i++)
        buf_printf(key, "d%s %lld %d\n", demand->distincts[i].attribute,
                   (long long)demand->distincts[i].limit, demand->distincts[i].of_job);
}

static uint64_t hash_of(const char *text)
{
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
    return hash;
}

int cluster_demand_seal(struct cluster_demand *demand, struct arena *arena)
{
    _cleanup_buf_ struct buf key = BUF_EMPTY;
    const struct capacity *needs = &demand->needs;
    buf_printf(&key, "%d %d %lld %lld %lld %lld %lld %d%d %lld\n", (int)demand->policy,
               demand->runtime, (long long)needs->cpu_millis, (long long)needs->memory_bytes,
               (long long)needs->disk_bytes, (long long)demand->memory_max_bytes,
               (long long)demand->dynamic_ports, demand->distinct_hosts_of_task,
               demand->distinct_hosts_of_job, (long long)demand->priority);
    add_list(&key, demand->datacenters);
    add_list(&key, &demand->devices);
    for (size_t i = 0; i < demand->port_count; i++)
        buf_printf(&key, "%lld%c", (long long)demand->ports[i].port,
                   demand->ports[i].udp ? 'u' : 't');
    for (size_t i = 0; i < demand->constraint_count; i++)
        buf_printf(&key, "\nc%s", demand->constraints[i].text);
    for (size_t i = 0; i < demand->affinity_count; i++)
        buf_printf(&key, "\na%lld %s", (long long)demand->affinities[i].weight,
                   demand->affinities[i].expression.text);
    buf_add_char(&key, '\n');
    add_spreads(&key, demand);
    demand->key = key.failed ? NULL : arena_strdup(arena, buf_text(&key));
    if (!demand->key)
        return -ERR_NO_MEMORY;
    demand->hash = hash_of(demand->key);
    return 0;
}

/* ---- candidates ---- */

static void *class_array(struct placement_class *class, size_t count, size_t size)
{
    void *memory = arena_array(&class->arena, count ? count : 1, size);
    ASSERT(memory); /* a cluster's state, see mem.h */
    return memory;
}

/* Ranks in ascending order. */
static void list_candidates(struct cluster *cluster, struct placement_class *class,
                            const struct cluster_demand *demand)
{
    _cleanup_free_ uint64_t *words = cluster_candidates(cluster, demand);
    size_t most = 0;
    for (size_t i = 0; i < cluster_words(cluster); i++)
        most += (size_t)__builtin_popcountll(words[i]);
    class->ranks = class_array(class, most, sizeof(*class->ranks));
    for (size_t i = 0; i < cluster_words(cluster); i++)
        for (uint64_t word = words[i]; word; word &= word - 1)
            class->ranks[class->count++] = (uint32_t)(i * 64 + (size_t)__builtin_ctzll(word));
}

/* ---- counts ---- */

int64_t spread_percent(const struct cluster_spread *spread, const char *value)
{
    int64_t rest = 100, named = -1;
    for (size_t i = 0; i < spread->target_count; i++) {
        const struct cluster_spread_target *target = &spread->targets[i];
        if (strcmp(target->value, value) == 0)
            return target->percent;
        if (strcmp(target->value, "*") == 0)
            named = target->percent;
        rest -= target->percent;
    }
    return named >= 0 ? named : rest > 0 ? rest : 0;
}

static void count_init(struct cluster *cluster, struct placement_class *class,
                       struct class_count *count, const char *attribute)
{
    count->column = cluster_column(cluster, attribute);
    count->used = class_array(class, count->column->text_count, sizeof(*count->used));
    count->present = class_array(class, count->column->text_count, sizeof(*count->present));
}

static void init_counts(struct cluster *cluster, struct placement_class *class,
                        const struct cluster_demand *demand)
{
    class->count_count = demand->spread_count + demand->distinct_count;
    class->counts = class_array(class, class->count_count, sizeof(*class->counts));
    for (size_t i = 0; i < demand->spread_count; i++) {
        struct class_count *count = &class->counts[i];
        const struct cluster_spread *spread = &demand->spreads[i];
        count_init(cluster, class, count, spread->attribute);
        if (!spread->target_count)
            continue;
        count->percents = class_array(class, count->column->text_count, sizeof(*count->percents));
        for (size_t value = 1; value < count->column->text_count; value++)
            count->percents[value] = spread_percent(spread, count->column->texts[value]);
    }
    for (size_t i = 0; i < demand->distinct_count; i++) {
        struct class_count *count = &class->counts[demand->spread_count + i];
        count_init(cluster, class, count, demand->distincts[i].attribute);
        count->of_job = demand->distincts[i].of_job;
    }
}

/* ---- buckets ---- */

/* Numbers of buckets by their values: a table while it is small, else a hash. */
enum { TABLE_MAX = 1 << 14 };

struct bucket_key {
    UT_hash_handle hh; /* by values */
    uint32_t number;
    uint32_t values[];
};

struct bucket_numbers {
    uint32_t *table; /* from 1 on; NULL: too large */
    struct bucket_key *keys, *probe;
    size_t count;
};

static size_t values_space(const struct placement_class *class)
{
    size_t space = 1;
    for (size_t i = 0; i < class->count_count && space <= TABLE_MAX; i++)
        space *= class->counts[i].column->text_count;
    return space;
}

static void bucket_add(struct placement_class *class, struct bucket_numbers *numbers, size_t rank)
{
    uint32_t *values = class_array(class, class->count_count, sizeof(*values));
    for (size_t i = 0; i < class->count_count; i++)
        values[i] = class->counts[i].column->values[rank];
    class->buckets[numbers->count++].values = values;
}

static uint32_t number_by_table(struct placement_class *class, struct bucket_numbers *numbers,
                                size_t rank)
{
    size_t at = class->counts[0].column->values[rank];
    for (size_t i = 1; i < class->count_count; i++)
        at = at * class->counts[i].column->text_count + class->counts[i].column->values[rank];
    if (!numbers->table[at]) {
        bucket_add(class, numbers, rank);
        numbers->table[at] = (uint32_t)numbers->count;
    }
    return numbers->table[at] - 1;
}

static uint32_t number_by_hash(struct placement_class *class, struct bucket_numbers *numbers,
                               size_t rank)
{
    struct bucket_key *found, *probe = numbers->probe;
    size_t bytes = class->count_count * sizeof(uint32_t);
    for (size_t i = 0; i < class->count_count; i++)
        probe->values[i] = class->counts[i].column->values[rank];
    HASH_FIND(hh, numbers->keys, probe->values, bytes, found);
    if (found)
        return found->number;
    found = class_array(class, 1, sizeof(*found) + bytes);
    memcpy(found->values, probe->values, bytes);
    found->number = (uint32_t)numbers->count;
    HASH_ADD_KEYPTR(hh, numbers->keys, found->values, bytes, found);
    bucket_add(class, numbers, rank);
    return found->number;
}

/* Of each candidate; to be freed. */
static uint32_t *number_buckets(struct placement_class *class)
{
    struct bucket_numbers numbers = {.count = 0};
    uint32_t *of = mem_resize(NULL, class->count + 1, sizeof(*of));
    size_t space = values_space(class), most = space < class->count ? space : class->count;
    class->buckets = class_array(class, most, sizeof(*class->buckets));
    if (!class->count_count) {
        class->bucket_count = class->count > 0;
        return memset(of, 0, class->count * sizeof(*of));
    }
    if (space <= TABLE_MAX)
        numbers.table = mem_alloc(space * sizeof(*numbers.table));
    else
        numbers.probe = mem_alloc(sizeof(*numbers.probe) + class->count_count * sizeof(uint32_t));
    for (size_t i = 0; i < class->count; i++)
        of[i] = numbers.table ? number_by_table(class, &numbers, class->ranks[i])
                              : number_by_hash(class, &numbers, class->ranks[i]);
    class->bucket_count = numbers.count;
    HASH_CLEAR(hh, numbers.keys);
    free(numbers.table);
    free(numbers.probe);
    return of;
}

/* Sorts the candidates by bucket; within one they stay in the order of ranks. */
static void sort_into_buckets(struct placement_class *class)
{
    _cleanup_free_ uint32_t *numbers = number_buckets(class);
    uint32_t *unsorted = class->ranks, first = 0;
    class->ranks = class_array(class, class->count, sizeof(*class->ranks));
    class->bucket_of = class_array(class, class->count, sizeof(*class->bucket_of));
    for (size_t i = 0; i < class->count; i++)
        class->buckets[numbers[i]].count++;
    for (size_t i = 0; i < class->bucket_count; i++) {
        class->buckets[i].first = first;
        first += class->buckets[i].count;
        class->buckets[i].count = 0;
    }
    for (size_t i = 0; i < class->count; i++) {
        struct bucket *bucket = &class->buckets[numbers[i]];
        uint32_t leaf = bucket->first + bucket->count++;
        class->ranks[leaf] = unsorted[i];
        class->bucket_of[leaf] = numbers[i];
    }
}

/* ---- parts that do not change ---- */

static void init_affinity(struct cluster *cluster, struct placement_class *class,
                          const struct cluster_demand *demand)
{
    struct affinities affinities;
    class->affinity = class_array(class, class->count, sizeof(*class->affinity));
    if (!demand->affinity_count)
        return;
    affinities_init(cluster, demand, &affinities);
    for (size_t leaf = 0; leaf < class->count; leaf++)
        class->affinity[leaf] = affinities_part(&affinities, class->ranks[leaf]);
    affinities_release(&affinities);
}

/* How many candidates are not barred, by value. */
static void init_open(const struct cluster *cluster, struct placement_class *class)
{
    class->open = class_array(class, class->count, sizeof(*class->open));
    for (size_t i = 0; i < class->bucket_count; i++) {
        const struct bucket *bucket = &class->buckets[i];
        int64_t open = 0;
        for (size_t leaf = bucket->first; leaf < bucket->first + bucket->count; leaf++)
            open += class->open[leaf] = !cluster->fits[class->ranks[leaf]].barred;
        for (size_t j = 0; j < class->count_count; j++)
            class->counts[j].present[bucket->values[j]] += open;
    }
}

struct size_factors *cluster_factors(const struct cluster *cluster,
                                     const struct cluster_demand *demand)
{
    struct size_factors *factors =
        mem_resize(NULL, HASH_COUNT(cluster->sizes) + 1, sizeof(*factors));
    for (const struct node_size *size = cluster->sizes; size; size = size->hh.next)
        factors[size->index] = (struct size_factors){
            fixed_asked_factor(demand->needs.cpu_millis, size->key.cpu_millis),
            fixed_asked_factor(demand->needs.memory_bytes, size->key.memory_bytes),
        };
    return factors;
}

void class_build(struct cluster *cluster, struct placement_class *class,
                 const struct cluster_demand *demand)
{
    arena_release(&class->arena);
    class->count = class->bucket_count = 0;
    class->preempts = false;
    class->policy = policy_of(cluster, demand);
    class->by_load = policy_is_load_based(class->policy);
    class->parts = 1 + !!demand->affinity_count + !!demand->spread_count;
    for (int64_t lane = 0; lane < 2; lane++)
        class->scales[lane] = CLUSTER_SCORE_SCALE / (class->parts + lane);
    init_counts(cluster, class, demand);
    list_candidates(cluster, class, demand);
    sort_into_buckets(class);
    init_affinity(cluster, class, demand);
    free(class->factors);
    class->factors = cluster_factors(cluster, demand);
    init_open(cluster, class);
    class->leaf_of = class_array(class, cluster->count, sizeof(*class->leaf_of));
    for (size_t leaf = 0; leaf < class->count; leaf++)
        class->leaf_of[class->ranks[leaf]] = (uint32_t)leaf + 1;
    for (size_t i = 0; i < class->bucket_count; i++)
        ranking_init(&class->buckets[i].rankings[0], class->buckets[i].count, &class->arena);
    class->picture = cluster->picture;
}
