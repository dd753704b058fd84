/* Nodes: the table, their resources, and the scheduler's view of them. */
#include "manager/core/internal.h"

#include "schema/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct node *node_find(struct manager *manager, const char *id)
{
    struct node *node;
    HASH_FIND_STR(manager->nodes, id, node);
    return node;
}

static void views_add(struct manager *manager, struct node *node)
{
    if (manager->view_count == manager->view_capacity) {
        manager->view_capacity = manager->view_capacity ? manager->view_capacity * 2 : 16;
        manager->views = mem_resize(manager->views, manager->view_capacity, sizeof(void *));
    }
    manager->views[manager->view_count++] = &node->view;
}

static void views_remove(struct manager *manager, const struct node *node)
{
    size_t kept = 0;
    for (size_t i = 0; i < manager->view_count; i++)
        if (manager->views[i] != &node->view)
            manager->views[kept++] = manager->views[i];
    manager->view_count = kept;
}

struct node *node_obtain(struct manager *manager, const char *id)
{
    struct node *node = node_find(manager, id);
    if (node)
        return node;
    node = mem_alloc(sizeof(*node));
    snprintf(node->id, sizeof(node->id), "%s", id);
    node->eligible = true;
    node->interval_ms = UNSET;
    node->view.id = node->id;
    timer_init(&node->timer, node_timer_fired, node);
    timer_init(&node->ask_timer, node_ask_timer_fired, node);
    HASH_ADD_STR(manager->nodes, id, node);
    node_set_grace(manager, node);
    return node;
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
    struct binding *binding, *next;
    HASH_ITER(hh, node->bindings, binding, next)
    {
        while (binding->attempts)
            attempt_free(manager, binding->attempts);
        binding_free(binding);
    }
    node_forget_strays(node);
    views_remove(manager, node);
    timer_unset(&manager->timers, &node->timer);
    timer_unset(&manager->timers, &node->ask_timer);
    arena_release(&node->info_arena);
    arena_release(&node->labels_arena);
    free(node->ports);
    HASH_DEL(manager->nodes, node);
    free(node);
}

/* ---- what is taken on it ---- */

static void take_ports(struct node *node, const struct scheduler_demand *demand)
{
    size_t needed = node->view.port_count + demand->port_count;
    if (needed > node->port_capacity) {
        node->port_capacity = needed * 2;
        node->ports = mem_resize(node->ports, node->port_capacity, sizeof(*node->ports));
    }
    for (size_t i = 0; i < demand->port_count; i++)
        node->ports[node->view.port_count++] = demand->ports[i];
    node->view.ports = node->ports;
}

static void give_back_ports(struct node *node, const struct scheduler_demand *demand)
{
    for (size_t i = 0; i < demand->port_count; i++)
        for (size_t at = 0; at < node->view.port_count; at++)
            if (node->ports[at].port == demand->ports[i].port &&
                node->ports[at].udp == demand->ports[i].udp) {
                node->ports[at] = node->ports[--node->view.port_count];
                break;
            }
}

static const struct scheduler_demand *demand_of(const struct attempt *attempt)
{
    return &attempt->spec->demands[spec_task_index(&attempt->spec->spec, attempt->task)];
}

void node_take(struct manager *manager, struct node *node, const struct attempt *attempt)
{
    const struct scheduler_demand *demand = demand_of(attempt);
    (void)manager;
    node->view.used.cpu_millis += demand->needs.cpu_millis;
    node->view.used.memory_bytes += demand->needs.memory_bytes;
    node->view.used.disk_bytes += demand->needs.disk_bytes;
    node->view.attempts++;
    take_ports(node, demand);
}

void node_give_back(struct manager *manager, struct node *node, const struct attempt *attempt)
{
    const struct scheduler_demand *demand = demand_of(attempt);
    node->view.used.cpu_millis -= demand->needs.cpu_millis;
    node->view.used.memory_bytes -= demand->needs.memory_bytes;
    node->view.used.disk_bytes -= demand->needs.disk_bytes;
    node->view.attempts--;
    give_back_ports(node, demand);
    manager->room_made = true;
}

/* ---- the scheduler's view ---- */

static enum reason barred_because(const struct manager *manager, const struct node *node)
{
    (void)manager;
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

static unsigned runtime_bits(const struct string_list *runtimes)
{
    static const struct {
        const char *name;
        enum runtime_kind kind;
    } rows[] = {
        {"docker", RUNTIME_DOCKER}, {"process", RUNTIME_PROCESS}, {"simulated", RUNTIME_SIMULATED}};
    unsigned bits = 0;
    for (size_t i = 0; i < runtimes->count; i++)
        for (size_t row = 0; row < ARRAY_LENGTH(rows); row++)
            if (strcmp(runtimes->items[i], rows[row].name) == 0)
                bits |= 1u << rows[row].kind;
    return bits;
}

void node_refresh(struct manager *manager, struct node *node)
{
    struct scheduler_node *view = &node->view;
    bool considered = node->has_info && !node->deleted;
    views_remove(manager, node);
    if (!considered) {
        node_wake_everywhere(manager, node);
        return;
    }
    views_add(manager, node);
    view->datacenter = node->info.datacenter;
    view->barred = (int)barred_because(manager, node);
    view->runtimes = runtime_bits(&node->info.runtimes);
    view->capacity = node->info.capacity;
    view->max_attempts = node->info.max_attempts;
    if (view->max_attempts <= 0 || view->max_attempts > LIMIT_ATTEMPTS_PER_NODE)
        view->max_attempts = LIMIT_ATTEMPTS_PER_NODE;
    manager->room_made = true;
    node_wake_everywhere(manager, node);
}

void node_queue_jobs(struct manager *manager, struct node *node)
{
    for (struct binding *binding = node->bindings; binding; binding = binding->hh.next)
        if (binding->attempts)
            job_queue(manager, binding->job);
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
    char topic[LIMIT_TOPIC_LENGTH + 1];
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++) {
        topic_format(topic, kinds[i], node->id, NULL);
        emit_clear(manager, CLEAR_TOPIC, topic);
    }
    for (struct binding *binding = node->bindings; binding; binding = binding->hh.next) {
        topic_format(topic, TOPIC_NODE_STATE, node->id, binding->job->name);
        emit_clear(manager, CLEAR_TOPIC, topic);
        for (struct attempt *attempt = binding->attempts; attempt; attempt = attempt->next) {
            topic_format(topic, TOPIC_TASK_METRICS, node->id, attempt->id);
            emit_clear(manager, CLEAR_TOPIC, topic);
        }
    }
}

void node_delete(struct manager *manager, struct node *node)
{
    for (struct binding *binding = node->bindings; binding; binding = binding->hh.next)
        for (struct attempt *attempt = binding->attempts; attempt; attempt = attempt->next)
            if (!attempt_is_final(attempt))
                attempt_lose(manager, attempt, REASON_NODE_DELETED);
    clear_worker_topics(manager, node);
    node_queue_jobs(manager, node);
    node_forget_strays(node);
    node->deleted = true;
    node->has_info = false;
    node->settled = true;
    node->eligible = true;
    node->interval_ms = UNSET;
    node_set_labels(node, &(struct string_map){NULL, 0});
    timer_unset(&manager->timers, &node->timer);
    timer_unset(&manager->timers, &node->ask_timer);
    node->ask_token[0] = '\0';
    mark_desired(manager, node);
    grave_dig(manager, TOPIC_NODE_DESIRED, node->id, NULL);
    node_refresh(manager, node);
    emit_event(manager, "node_deleted", REASON_NODE_DELETED, NULL, node->id, NULL,
               "what it had is placed elsewhere");
}

void node_revive(struct manager *manager, struct node *node)
{
    if (!node->deleted)
        return;
    node->deleted = false;
    grave_close(manager, TOPIC_NODE_DESIRED, node->id, NULL);
    node_set_grace(manager, node);
    mark_desired(manager, node);
    node_refresh(manager, node);
}
