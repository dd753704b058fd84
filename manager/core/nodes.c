/* Nodes: the table, and what people do to them. */
#include "manager/core/internal.h"

#include "platform/base/text.h"

#include "schema/record.h"

#include <stdlib.h>
#include <string.h>

struct node *node_find(struct manager *manager, const char *id)
{
    struct node *node;
    HASH_FIND_STR(manager->nodes, id, node);
    return node;
}

struct node *node_obtain(struct manager *manager, const char *id)
{
    struct node *node = node_find(manager, id);
    if (node)
        return node;
    node = mem_alloc(sizeof(*node));
    text_copy(node->id, sizeof(node->id), id);
    node->eligible = true;
    node->interval_ms = UNSET;
    timer_init(&node->timer, node_timer_fired, node);
    timer_init(&node->ask_timer, node_ask_timer_fired, node);
    HASH_ADD_STR(manager->nodes, id, node);
    node_set_grace(manager, node);
    return node;
}

size_t manager_assignment_count(const struct manager *manager)
{
    size_t count = 0;
    for (const struct node *node = manager->nodes; node; node = node->hh.next)
        count += node->binding_count;
    return count;
}

const char *manager_node_after(const struct manager *manager, const char *id,
                               size_t *ret_assignments)
{
    const struct node *node = NULL;
    if (id)
        HASH_FIND_STR(manager->nodes, id, node);
    node = node ? node->hh.next : manager->nodes;
    *ret_assignments = node ? node->binding_count : 0;
    return node ? node->id : NULL;
}

struct node *node_admit(struct manager *manager, const char *id)
{
    struct node *node = node_find(manager, id);
    if (node || HASH_COUNT(manager->nodes) < LIMIT_NODES)
        return node ? node : node_obtain(manager, id);
    emit_event(manager, "limit_reached", REASON_LIMIT_REACHED, NULL, id, NULL,
               "the cluster has %d nodes; this one is ignored", LIMIT_NODES);
    return NULL;
}

void node_free(struct manager *manager, struct node *node)
{
    while (node->binding_count) {
        struct binding *binding = node->bindings[node->binding_count - 1];
        while (binding->attempts)
            attempt_free(manager, binding->attempts);
        binding_free(manager, binding);
    }
    free(node->bindings);
    node_forget_strays(node);
    node_undescribe(manager, node);
    node_forget_room(manager, node);
    timer_unset(&manager->timers, &node->timer);
    timer_unset(&manager->timers, &node->ask_timer);
    arena_release(&node->info_arena);
    arena_release(&node->labels_arena);
    renew_forget(manager, node);
    HASH_DEL(manager->nodes, node);
    free(node);
}

/* ---- whether it takes new work ---- */

static enum reason barred_because(const struct node *node)
{
    if (node->foreign)
        return REASON_FOREIGN_CLUSTER;
    if (node->offline || node->liveness == NODE_SILENT)
        return REASON_NODE_SILENT;
    if (!node->settled)
        return REASON_RECOVERING;
    if (node->strays)
        return REASON_NODE_CLEANING;
    return node->eligible ? REASON_NONE : REASON_INELIGIBLE;
}

void node_refresh(struct manager *manager, struct node *node)
{
    node->barred = barred_because(node);
    if (node->place)
        cluster_node_bar(manager->scheduler, node->place, node->barred);
    node_note_room(manager, node);
    node_wake_everywhere(manager, node);
}

void node_queue_jobs(struct manager *manager, struct node *node)
{
    for (size_t i = 0; i < node->binding_count; i++)
        if (node->bindings[i]->attempts)
            job_queue(manager, node->bindings[i]->job);
}

/* ---- by people ---- */

void node_set_labels(struct node *node, const struct string_map *labels)
{
    struct arena arena = ARENA_EMPTY;
    struct string_map copy = {arena_array(&arena, labels->count + 1, sizeof(*copy.items)), 0};
    for (size_t i = 0; copy.items && i < labels->count; i++)
        copy.items[copy.count++] =
            (struct string_pair){arena_strdup(&arena, labels->items[i].key),
                                 arena_strdup(&arena, labels->items[i].value)};
    arena_release(&node->labels_arena);
    node->labels_arena = arena;
    node->labels = copy;
}

static void clear_worker_topics(struct manager *manager, struct node *node)
{
    static const enum topic_kind kinds[] = {TOPIC_NODE_INFO, TOPIC_NODE_STATUS, TOPIC_NODE_METRICS};
    char topic[LIMIT_TOPIC_LENGTH + 1], id[LIMIT_TASK_ID_LENGTH + 1];
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++) {
        topic_format(topic, kinds[i], node->id, NULL);
        emit_clear(manager, CLEAR_TOPIC, topic);
    }
    for (size_t i = 0; i < node->binding_count; i++) {
        const struct binding *binding = node->bindings[i];
        topic_format(topic, TOPIC_NODE_STATE, node->id, binding->job->name);
        emit_clear(manager, CLEAR_TOPIC, topic);
        for (struct attempt *attempt = binding->attempts; attempt; attempt = attempt->next) {
            attempt_id(attempt, id);
            topic_format(topic, TOPIC_TASK_METRICS, node->id, id);
            emit_clear(manager, CLEAR_TOPIC, topic);
        }
    }
}

void node_bury(struct manager *manager, struct node *node)
{
    node->deleted = true;
    node->has_info = false;
    node->settled = true;
    node->ask_wanted = node->reborn = false;
    timer_unset(&manager->timers, &node->timer);
    timer_unset(&manager->timers, &node->ask_timer);
    node->ask_token[0] = '\0';
    mark_desired(manager, node);
    grave_dig(manager, TOPIC_NODE_DESIRED, node->id, NULL);
    node_describe(manager, node);
}

void node_delete(struct manager *manager, struct node *node)
{
    for (size_t i = 0; i < node->binding_count; i++)
        for (struct attempt *attempt = node->bindings[i]->attempts; attempt;
             attempt = attempt->next)
            if (!attempt_is_final(attempt))
                attempt_lose(manager, attempt, REASON_NODE_DELETED);
    clear_worker_topics(manager, node);
    node_queue_jobs(manager, node);
    node_forget_strays(node);
    node->eligible = true;
    node->interval_ms = UNSET;
    node_set_labels(node, &(struct string_map){NULL, 0});
    node_bury(manager, node);
    emit_event(manager, "node_deleted", REASON_NODE_DELETED, NULL, node->id, NULL,
               "what it had is placed elsewhere");
}

void node_revive(struct manager *manager, struct node *node)
{
    if (!node->deleted)
        return;
    node->deleted = false;
    node->reborn = node->ask_wanted = true;
    node->settled = node->answered = false;
    for (size_t i = 0; i < node->binding_count; i++)
        node->bindings[i]->state_seq =
            0; /* its topics were cleared: it cannot know how far it was */
    grave_close(manager, TOPIC_NODE_DESIRED, node->id, NULL);
    node_set_grace(manager, node);
    node_describe(manager, node);
    node_settle_or_ask(manager, node);
}
