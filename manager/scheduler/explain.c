/* Why nothing can take an instance: what a person would want to hear first about each node, where,
 * whether, with what, how much; and the nearest miss. */
#include "manager/scheduler/cluster_state.h"

#include "schema/quantity.h"

#include <stdio.h>
#include <string.h>

static const char *full_property(const struct placement_class *class,
                                 const struct cluster_node *node)
{
    size_t spreads = class->demand->spread_count;
    for (size_t i = spreads; i < class->count_count; i++) {
        const struct class_count *count = &class->counts[i];
        const struct cluster_distinct *distinct = &class->demand->distincts[i - spreads];
        if (count->used[count->column->values[node->rank]] >= distinct->limit)
            return distinct->attribute;
    }
    return NULL;
}

static enum reason exclude_by_quantities(const struct cluster_demand *demand,
                                         const struct cluster_node *node)
{
    struct capacity lacks = node_lacks(demand, node);
    if (node->attempts >= node->max_attempts)
        return REASON_TOO_MANY_ATTEMPTS;
    if (lacks.cpu_millis)
        return REASON_CPU_EXHAUSTED;
    if (lacks.memory_bytes)
        return REASON_MEMORY_EXHAUSTED;
    return lacks.disk_bytes ? REASON_DISK_EXHAUSTED : REASON_NONE;
}

static enum reason exclude(const struct placement_class *class, const struct cluster_node *node,
                           const char **ret_detail)
{
    const struct cluster_demand *demand = class->demand;
    *ret_detail = NULL;
    if (node->barred)
        return node->barred;
    enum reason reason = node_properties_exclude(demand, node, ret_detail);
    if (reason)
        return reason;
    reason = node_others_exclude(class->group, demand, node);
    if (reason)
        return reason;
    if ((*ret_detail = full_property(class, node)))
        return REASON_DISTINCT_PROPERTY;
    reason = node_specials_exclude(demand, node, ret_detail);
    return reason ? reason : exclude_by_quantities(demand, node);
}

enum reason cluster_exclude(struct cluster *cluster, struct cluster_group *group,
                            const struct cluster_demand *demand, struct cluster_node *node,
                            const char **ret_detail)
{
    const char *detail;
    enum reason reason = exclude(class_obtain(cluster, group, demand), node, &detail);
    if (ret_detail)
        *ret_detail = detail;
    return reason;
}

bool cluster_might_take(const struct cluster_group *group, const struct cluster_demand *demand,
                        const struct cluster_node *node, bool by_preemption)
{
    const char *detail;
    if (node->barred || node_properties_exclude(demand, node, &detail) ||
        node_others_exclude(group, demand, node))
        return false;
    if (!node_specials_exclude(demand, node, NULL) && !exclude_by_quantities(demand, node))
        return true;
    return by_preemption && preemption_might_do(group, demand, node);
}

/* ---- all nodes ---- */

static void note_exclusion(struct cluster_explanation *explanation, enum reason reason,
                           const char *detail, int64_t nodes)
{
    for (size_t i = 0; i < explanation->count; i++)
        if (explanation->exclusions[i].reason == reason &&
            explanation->exclusions[i].detail == detail) {
            explanation->exclusions[i].nodes += nodes;
            return;
        }
    if (explanation->count < CLUSTER_EXCLUSIONS_MAX)
        explanation->exclusions[explanation->count++] =
            (struct cluster_exclusion){reason, detail, 0};
    explanation->exclusions[explanation->count - 1].nodes += nodes;
}

/* How far off a node is: its largest shortage as a share of what is asked, in millionths. */
static int64_t distance(const struct capacity *lacks, const struct capacity *asked)
{
    const int64_t pairs[][2] = {{lacks->cpu_millis, asked->cpu_millis},
                                {lacks->memory_bytes, asked->memory_bytes},
                                {lacks->disk_bytes, asked->disk_bytes}};
    int64_t largest = 0;
    for (size_t i = 0; i < ARRAY_LENGTH(pairs); i++) {
        int64_t share = pairs[i][0] ? (int64_t)((__int128)pairs[i][0] * PART_ONE / pairs[i][1]) : 0;
        largest = share > largest ? share : largest;
    }
    return largest;
}

/* Nodes come in the order of their ids: the first of equal ones stays. */
static void note_nearest(struct cluster_explanation *explanation,
                         const struct cluster_demand *demand, const struct cluster_node *node)
{
    struct capacity lacks = node_lacks(demand, node);
    if (!lacks.cpu_millis && !lacks.memory_bytes && !lacks.disk_bytes)
        return;
    if (explanation->nearest[0] &&
        distance(&lacks, &demand->needs) >= distance(&explanation->nearest_lacks, &demand->needs))
        return;
    snprintf(explanation->nearest, sizeof(explanation->nearest), "%s", node->properties.id);
    explanation->nearest_lacks = lacks;
}

static void explain_one(const struct placement_class *class, const struct cluster_node *node,
                        struct cluster_explanation *explanation)
{
    const char *detail;
    enum reason reason = exclude(class, node, &detail);
    if (!reason)
        return;
    note_exclusion(explanation, reason, detail, 1);
    if (reason == REASON_CPU_EXHAUSTED || reason == REASON_MEMORY_EXHAUSTED ||
        reason == REASON_DISK_EXHAUSTED)
        note_nearest(explanation, class->demand, node);
}

void cluster_explain(struct cluster *cluster, struct cluster_group *group,
                     const struct cluster_demand *demand,
                     struct cluster_explanation *ret_explanation)
{
    const struct placement_class *class = class_obtain(cluster, group, demand);
    *ret_explanation = (struct cluster_explanation){.nodes = (int64_t)cluster->count};
    for (size_t rank = 0; rank < cluster->count; rank++)
        explain_one(class, cluster->nodes[rank], ret_explanation);
}

void cluster_explain_node(struct cluster *cluster, struct cluster_group *group,
                          const struct cluster_demand *demand, struct cluster_node *node,
                          struct cluster_explanation *ret_explanation)
{
    *ret_explanation = (struct cluster_explanation){.nodes = 1};
    explain_one(class_obtain(cluster, group, demand), node, ret_explanation);
}

void cluster_explanation_add(struct cluster_explanation *sum,
                             const struct cluster_explanation *more)
{
    sum->nodes += more->nodes;
    for (size_t i = 0; i < more->count; i++)
        note_exclusion(sum, more->exclusions[i].reason, more->exclusions[i].detail,
                       more->exclusions[i].nodes);
    if (sum->nearest[0])
        return;
    memcpy(sum->nearest, more->nearest, sizeof(sum->nearest));
    sum->nearest_lacks = more->nearest_lacks;
}

bool cluster_explanation_equal(const struct cluster_explanation *a,
                               const struct cluster_explanation *b)
{
    const struct capacity *mine = &a->nearest_lacks, *theirs = &b->nearest_lacks;
    if (a->nodes != b->nodes || a->count != b->count || strcmp(a->nearest, b->nearest) != 0 ||
        mine->cpu_millis != theirs->cpu_millis || mine->memory_bytes != theirs->memory_bytes ||
        mine->disk_bytes != theirs->disk_bytes)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (a->exclusions[i].reason != b->exclusions[i].reason ||
            a->exclusions[i].detail != b->exclusions[i].detail ||
            a->exclusions[i].nodes != b->exclusions[i].nodes)
            return false;
    return true;
}

int64_t cluster_explanation_nodes(const struct cluster_explanation *explanation, enum reason reason)
{
    int64_t nodes = 0;
    for (size_t i = 0; i < explanation->count; i++)
        if (explanation->exclusions[i].reason == reason)
            nodes += explanation->exclusions[i].nodes;
    return nodes;
}

enum reason cluster_explanation_reason(const struct cluster_explanation *explanation)
{
    enum reason best = REASON_NO_NODES;
    int64_t most = 0;
    for (size_t i = 0; i < explanation->count; i++) {
        enum reason reason = explanation->exclusions[i].reason;
        int64_t nodes = cluster_explanation_nodes(explanation, reason);
        if (nodes < most || (nodes == most && reason >= best))
            continue;
        most = nodes;
        best = reason;
    }
    return best;
}

void cluster_nearest_text(const struct cluster_explanation *explanation, char *ret_text,
                          size_t size)
{
    char quantity[3][QUANTITY_TEXT_LENGTH];
    const struct capacity *lacks = &explanation->nearest_lacks;
    const int64_t amounts[] = {lacks->cpu_millis, lacks->memory_bytes, lacks->disk_bytes};
    static const char *const names[] = {"cpu", "memory", "disk"};
    const char *word = " lacks ";
    ret_text[0] = '\0';
    if (!explanation->nearest[0])
        return;
    cpu_format(lacks->cpu_millis, quantity[0]);
    size_format(lacks->memory_bytes, quantity[1]);
    size_format(lacks->disk_bytes, quantity[2]);
    size_t length = (size_t)snprintf(ret_text, size, "%s", explanation->nearest);
    for (size_t i = 0; i < ARRAY_LENGTH(amounts) && length < size; i++) {
        if (!amounts[i])
            continue;
        length += (size_t)snprintf(ret_text + length, size - length, "%s%s %s", word, quantity[i],
                                   names[i]);
        word = " and ";
    }
}
