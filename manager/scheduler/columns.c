/* What is true of which node. A target's values are numbered, so that an expression is evaluated
 * once a value, and the outcome is kept as a bit a node: jobs share their constraints. */
#include "manager/scheduler/cluster_state.h"

#include "platform/base/buf.h"
#include "schema/job_spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BITS = 64 };

size_t cluster_words(const struct cluster *cluster)
{
    return (cluster->count + BITS - 1) / BITS;
}

/* ---- columns ---- */

struct column_value {
    UT_hash_handle hh; /* by text */
    const char *text;
    uint32_t number;
};

static uint32_t value_number(struct column *column, struct column_value **values, const char *text)
{
    struct column_value *value;
    HASH_FIND_STR(*values, text, value);
    if (value)
        return value->number;
    value = mem_alloc(sizeof(*value));
    value->text = text;
    value->number = (uint32_t)column->text_count;
    HASH_ADD_KEYPTR(hh, *values, text, strlen(text), value);
    column->texts[column->text_count++] = text;
    return value->number;
}

static void column_fill(struct cluster *cluster, struct column *column)
{
    struct column_value *values = NULL, *value, *next;
    for (size_t rank = 0; rank < cluster->count; rank++) {
        const char *text = node_property(&cluster->nodes[rank]->properties, column->target);
        column->values[rank] = text ? value_number(column, &values, text) : 0;
    }
    HASH_ITER(hh, values, value, next)
    {
        HASH_DEL(values, value);
        free(value);
    }
}

const struct column *cluster_column(struct cluster *cluster, const char *target)
{
    struct column *column;
    HASH_FIND_STR(cluster->columns, target, column);
    if (column)
        return column;
    column = mem_alloc(sizeof(*column));
    column->target = mem_strdup(target);
    column->values = mem_alloc((cluster->count + 1) * sizeof(*column->values));
    column->texts = mem_alloc((cluster->count + 1) * sizeof(*column->texts));
    column->text_count = 1;
    column_fill(cluster, column);
    HASH_ADD_KEYPTR(hh, cluster->columns, column->target, strlen(column->target), column);
    return column;
}

/* ---- predicates ---- */

static void predicates_release(struct cluster *cluster)
{
    struct predicate *predicate, *next;
    HASH_ITER(hh, cluster->predicates, predicate, next)
    {
        HASH_DEL(cluster->predicates, predicate);
        free(predicate->text);
        free(predicate->words);
        free(predicate);
    }
}

void cluster_columns_release(struct cluster *cluster)
{
    struct column *column, *next;
    predicates_release(cluster);
    HASH_ITER(hh, cluster->columns, column, next)
    {
        HASH_DEL(cluster->columns, column);
        free(column->target);
        free(column->values);
        free(column->texts);
        free(column);
    }
}

void cluster_reserve_predicates(struct cluster *cluster, size_t count)
{
    if (HASH_COUNT(cluster->predicates) + count > PREDICATES_KEPT)
        predicates_release(cluster);
}

static const struct predicate *predicate_find(struct cluster *cluster, const char *text)
{
    struct predicate *predicate;
    HASH_FIND_STR(cluster->predicates, text, predicate);
    return predicate;
}

/* True for no node yet. */
static struct predicate *predicate_add(struct cluster *cluster, const char *text)
{
    if (HASH_COUNT(cluster->predicates) >= PREDICATES_KEPT)
        predicates_release(cluster);
    struct predicate *predicate = mem_alloc(sizeof(*predicate));
    predicate->text = mem_strdup(text);
    predicate->words = mem_alloc((cluster_words(cluster) + 1) * sizeof(*predicate->words));
    HASH_ADD_KEYPTR(hh, cluster->predicates, predicate->text, strlen(predicate->text), predicate);
    return predicate;
}

static void predicate_set(struct predicate *predicate, size_t rank, bool is_true)
{
    predicate->words[rank / BITS] |= (uint64_t)is_true << (rank % BITS);
}

/* `truths`: of each value of the column. */
static const struct predicate *predicate_of_values(struct cluster *cluster, const char *text,
                                                   const struct column *column, const bool *truths)
{
    struct predicate *predicate = predicate_add(cluster, text);
    for (size_t rank = 0; rank < cluster->count; rank++)
        predicate_set(predicate, rank, truths[column->values[rank]]);
    return predicate;
}

const struct predicate *cluster_matching(struct cluster *cluster,
                                         const struct expression *expression)
{
    const struct predicate *predicate = predicate_find(cluster, expression->text);
    if (predicate)
        return predicate;
    const struct column *column = cluster_column(cluster, expression->target);
    _cleanup_free_ bool *truths = mem_alloc(column->text_count * sizeof(*truths));
    for (size_t value = 0; value < column->text_count; value++)
        truths[value] = expression_holds(expression, column->texts[value]);
    return predicate_of_values(cluster, expression->text, column, truths);
}

/* ---- those that are no expressions: their texts have no operator ---- */

static bool any_glob_matches(const struct string_list *globs, const char *text)
{
    for (size_t i = 0; i < globs->count; i++)
        if (glob_match(globs->items[i], text))
            return true;
    return false;
}

static const struct predicate *in_datacenters(struct cluster *cluster,
                                              const struct string_list *globs)
{
    _cleanup_buf_ struct buf key = BUF_EMPTY;
    buf_add_text(&key, "datacenters");
    for (size_t i = 0; i < globs->count; i++)
        buf_printf(&key, ",%s", globs->items[i]);
    const struct predicate *predicate = predicate_find(cluster, buf_text(&key));
    if (predicate)
        return predicate;
    const struct column *column = cluster_column(cluster, "datacenter");
    _cleanup_free_ bool *truths = mem_alloc(column->text_count * sizeof(*truths));
    for (size_t value = 1; value < column->text_count; value++)
        truths[value] = any_glob_matches(globs, column->texts[value]);
    return predicate_of_values(cluster, buf_text(&key), column, truths);
}

static const struct predicate *with_runtime(struct cluster *cluster, int runtime)
{
    char key[32];
    snprintf(key, sizeof(key), "runtime,%d", runtime);
    const struct predicate *known = predicate_find(cluster, key);
    if (known)
        return known;
    struct predicate *predicate = predicate_add(cluster, key);
    for (size_t rank = 0; rank < cluster->count; rank++)
        predicate_set(predicate, rank, cluster->nodes[rank]->runtimes & (1u << runtime));
    return predicate;
}

static const struct predicate *with_device(struct cluster *cluster, const char *device)
{
    _cleanup_free_ char *key = mem_printf("device,%s", device);
    const struct predicate *known = predicate_find(cluster, key);
    if (known)
        return known;
    struct predicate *predicate = predicate_add(cluster, key);
    for (size_t rank = 0; rank < cluster->count; rank++)
        predicate_set(predicate, rank, node_has_device(cluster->nodes[rank], device));
    return predicate;
}

static const struct predicate *with_property(struct cluster *cluster, const char *target)
{
    _cleanup_free_ char *key = mem_printf("property,%s", target);
    const struct predicate *known = predicate_find(cluster, key);
    if (known)
        return known;
    const struct column *column = cluster_column(cluster, target);
    struct predicate *predicate = predicate_add(cluster, key);
    for (size_t rank = 0; rank < cluster->count; rank++)
        predicate_set(predicate, rank, column->values[rank]);
    return predicate;
}

static const struct predicate *with_memory(struct cluster *cluster, int64_t bytes)
{
    char key[40];
    snprintf(key, sizeof(key), "memory,%lld", (long long)bytes);
    const struct predicate *known = predicate_find(cluster, key);
    if (known)
        return known;
    struct predicate *predicate = predicate_add(cluster, key);
    for (size_t rank = 0; rank < cluster->count; rank++)
        predicate_set(predicate, rank, cluster->nodes[rank]->capacity.memory_bytes >= bytes);
    return predicate;
}

/* ---- all of them ---- */

static void keep(const struct cluster *cluster, const struct predicate *predicate, uint64_t *words)
{
    for (size_t i = 0; i < cluster_words(cluster); i++)
        words[i] &= predicate->words[i];
}

uint64_t *cluster_candidates(struct cluster *cluster, const struct cluster_demand *demand)
{
    uint64_t *words = mem_resize(NULL, cluster_words(cluster) + 1, sizeof(*words));
    memcpy(words, with_runtime(cluster, demand->runtime)->words,
           cluster_words(cluster) * sizeof(*words));
    if (demand->datacenters->count != 1 || strcmp(demand->datacenters->items[0], "*") != 0)
        keep(cluster, in_datacenters(cluster, demand->datacenters), words);
    for (size_t i = 0; i < demand->constraint_count; i++)
        keep(cluster, cluster_matching(cluster, &demand->constraints[i]), words);
    for (size_t i = 0; i < demand->distinct_count; i++)
        keep(cluster, with_property(cluster, demand->distincts[i].attribute), words);
    for (size_t i = 0; i < demand->devices.count; i++)
        keep(cluster, with_device(cluster, demand->devices.items[i]), words);
    if (demand->memory_max_bytes)
        keep(cluster, with_memory(cluster, demand->memory_max_bytes), words);
    return words;
}
