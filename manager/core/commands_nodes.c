/* do/nodes/<node>/<verb>. */
#include "manager/core/internal.h"

#include <string.h>

static void set_eligibility(struct manager *manager, struct node *node,
                            const struct node_arguments *arguments)
{
    if (arguments->eligible == UNSET) {
        verdict_reject(manager, REASON_INVALID_ARGUMENTS, "\"eligible\" must be true or false");
        return;
    }
    bool changed = node->eligible != (arguments->eligible == 1);
    node->eligible = arguments->eligible == 1;
    verdict_accept(manager, UNSET, changed);
}

static void set_interval(struct manager *manager, struct node *node,
                         const struct node_arguments *arguments)
{
    int64_t interval_ms = arguments->interval_ms;
    if (interval_ms != UNSET &&
        (interval_ms < LIMIT_HEARTBEAT_MIN_MS || interval_ms > LIMIT_HEARTBEAT_MAX_MS)) {
        verdict_reject(manager, REASON_INVALID_ARGUMENTS,
                       "\"interval\" must be between 100ms and 1d");
        return;
    }
    bool changed = node->interval_ms != interval_ms;
    node->interval_ms = interval_ms;
    node_set_grace(manager, node);
    verdict_accept(manager, UNSET, changed);
}

static const struct string_pair *label_find(const struct string_map *labels, const char *key)
{
    for (size_t i = 0; i < labels->count; i++)
        if (strcmp(labels->items[i].key, key) == 0)
            return &labels->items[i];
    return NULL;
}

/* Merges two maps that are sorted by key; an empty value takes the label away. */
static void merge_labels(const struct string_map *old, const struct string_map *changes,
                         struct string_map *merged)
{
    size_t at = 0;
    for (size_t i = 0; i < changes->count; i++) {
        while (at < old->count && strcmp(old->items[at].key, changes->items[i].key) < 0)
            merged->items[merged->count++] = old->items[at++];
        if (at < old->count && strcmp(old->items[at].key, changes->items[i].key) == 0)
            at++;
        if (changes->items[i].value[0])
            merged->items[merged->count++] = changes->items[i];
    }
    while (at < old->count)
        merged->items[merged->count++] = old->items[at++];
}

static void set_labels(struct manager *manager, struct node *node,
                       const struct node_arguments *arguments)
{
    _cleanup_arena_ struct arena arena = ARENA_EMPTY;
    const struct string_map *changes = &arguments->labels;
    bool changed = false;
    struct string_map merged = {
        arena_array(&arena, node->labels.count + changes->count + 1, sizeof(struct string_pair)),
        0};
    if (!merged.items) {
        verdict_reject(manager, REASON_LIMIT_REACHED, "out of memory");
        return;
    }
    for (size_t i = 0; i < changes->count; i++) {
        const struct string_pair *had = label_find(&node->labels, changes->items[i].key);
        changed |= strcmp(had ? had->value : "", changes->items[i].value) != 0;
    }
    merge_labels(&node->labels, changes, &merged);
    node_set_labels(node, &merged);
    verdict_accept(manager, UNSET, changed);
}

static void remove_node(struct manager *manager, struct node *node,
                        const struct node_arguments *arguments)
{
    (void)arguments;
    node_delete(manager, node);
    verdict_accept(manager, UNSET, true);
}

void command_node(struct manager *manager, const char *id, const struct command *command)
{
    static void (*const verbs[COMMAND_KIND_COUNT])(struct manager *, struct node *,
                                                   const struct node_arguments *) = {
        [COMMAND_NODE_ELIGIBILITY] = set_eligibility,
        [COMMAND_NODE_LABELS] = set_labels,
        [COMMAND_NODE_INTERVAL] = set_interval,
        [COMMAND_NODE_DELETE] = remove_node,
    };
    struct node *node = node_find(manager, id);
    bool exists = node && !node->deleted;
    if (!exists && command->kind == COMMAND_NODE_DELETE) {
        verdict_accept(manager, UNSET, false);
        return;
    }
    if (!exists) {
        verdict_reject(manager, REASON_UNKNOWN_NODE, "there is no node %s", id);
        return;
    }
    if (!node->settled && command->kind != COMMAND_NODE_DELETE) { /* its index cannot be stored */
        verdict_reject(manager, REASON_RECOVERING,
                       "node %s has not answered yet what it has; send it again", id);
        return;
    }
    verbs[command->kind](manager, node, command->node);
    if (!manager->effects->verdict.changed || node->deleted)
        return;
    mark_desired(manager, node);
    node_describe(manager, node);
}
