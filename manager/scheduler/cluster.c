/* What there is: nodes, and what is claimed on them. Every change of a node is noted in a ring,
 * from which classes learn what to score again; a change of what nodes are (not of what is claimed)
 * makes a new picture, from which they are built again. */
#include "manager/scheduler/cluster_state.h"

#include "platform/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct cluster *cluster_new(const struct cluster_settings *settings)
{
    struct cluster *cluster = mem_alloc(sizeof(*cluster));
    cluster->claims = POOL_OF(struct cluster_claim);
    cluster->policy = settings->policy ? settings->policy : POLICY_BINPACK;
    cluster->max_jobs = settings->max_jobs > 0 ? settings->max_jobs : 1;
    text_copy(cluster->cursor, sizeof(cluster->cursor), settings->cursor);
    return cluster;
}

/* ---- numbers ---- */

static void node_number(struct cluster *cluster, struct cluster_node *node)
{
    if (cluster->vacant_count) {
        node->number = cluster->vacant[--cluster->vacant_count];
    } else {
        node->number = ++cluster->numbers;
        if (node->number >= cluster->number_capacity) {
            cluster->number_capacity += cluster->number_capacity / 2 + 16;
            cluster->numbered =
                mem_resize(cluster->numbered, cluster->number_capacity, sizeof(*cluster->numbered));
            cluster->vacant =
                mem_resize(cluster->vacant, cluster->number_capacity, sizeof(*cluster->vacant));
        }
    }
    cluster->numbered[node->number] = node;
}

static void node_free(struct cluster *cluster, struct cluster_node *node)
{
    cluster->vacant[cluster->vacant_count++] = node->number;
    arena_release(&node->arena);
    free(node->held);
    free(node);
}

static void sizes_release(struct cluster *cluster)
{
    struct node_size *size, *next;
    HASH_ITER(hh, cluster->sizes, size, next)
    {
        HASH_DEL(cluster->sizes, size);
        free(size);
    }
}

void cluster_free(struct cluster *cluster)
{
    if (!cluster)
        return;
    classes_release(cluster);
    cluster_columns_release(cluster);
    sizes_release(cluster);
    grids_drop(cluster);
    for (size_t i = 0; i < cluster->count; i++) {
        node_free(cluster, cluster->nodes[i]);
    }
    free(cluster->nodes);
    free(cluster->fits);
    free(cluster->numbered);
    free(cluster->vacant);
    pool_release(&cluster->claims);
    free(cluster->victims);
    free(cluster->scratch);
    free(cluster);
}

const char *cluster_cursor(const struct cluster *cluster)
{
    return cluster->cursor;
}

/* ---- facts ---- */

static struct string_map map_copy(struct arena *arena, const struct string_map *map)
{
    struct string_map copy = {arena_array(arena, map->count + 1, sizeof(*copy.items)), 0};
    ASSERT(copy.items);
    for (; copy.count < map->count; copy.count++)
        copy.items[copy.count] =
            (struct string_pair){arena_strdup(arena, map->items[copy.count].key),
                                 arena_strdup(arena, map->items[copy.count].value)};
    return copy;
}

static struct string_list list_copy(struct arena *arena, const struct string_list *list)
{
    struct string_list copy = {arena_array(arena, list->count + 1, sizeof(*copy.items)), 0};
    ASSERT(copy.items);
    for (; copy.count < list->count; copy.count++)
        copy.items[copy.count] = arena_strdup(arena, list->items[copy.count]);
    return copy;
}

static void node_set_facts(struct cluster_node *node, const struct cluster_facts *facts)
{
    struct arena arena = ARENA_EMPTY;
    const struct node_properties *from = &facts->properties;
    node->properties = (struct node_properties){
        .id = arena_strdup(&arena, from->id),
        .datacenter = arena_strdup(&arena, from->datacenter ? from->datacenter : ""),
        .labels = map_copy(&arena, &from->labels),
        .people_labels = map_copy(&arena, &from->people_labels),
        .attributes = map_copy(&arena, &from->attributes),
    };
    node->devices_known = facts->devices;
    node->devices = list_copy(&arena, facts->devices ? facts->devices : &(struct string_list){0});
    node->barred = facts->barred;
    node->runtimes = facts->runtimes;
    node->capacity = facts->capacity;
    node->max_attempts = facts->max_attempts;
    node->dynamic_ports = facts->dynamic_ports;
    arena_release(&node->arena);
    node->arena = arena;
}

struct cluster_node *cluster_node_add(struct cluster *cluster, const struct cluster_facts *facts)
{
    struct cluster_node *node = mem_alloc(sizeof(*node));
    node_number(cluster, node);
    node_set_facts(node, facts);
    if (cluster->count == cluster->capacity) {
        cluster->capacity = cluster->capacity ? cluster->capacity * 2 : 16;
        cluster->nodes = mem_resize(cluster->nodes, cluster->capacity, sizeof(*cluster->nodes));
    }
    cluster->nodes[cluster->count++] = node;
    cluster->settled = false;
    return node;
}

static bool maps_equal(const struct string_map *a, const struct string_map *b)
{
    for (size_t i = 0; a->count == b->count && i < a->count; i++)
        if (strcmp(a->items[i].key, b->items[i].key) ||
            strcmp(a->items[i].value, b->items[i].value))
            return false;
    return a->count == b->count;
}

static bool lists_equal(const struct string_list *a, const struct string_list *b)
{
    for (size_t i = 0; a->count == b->count && i < a->count; i++)
        if (strcmp(a->items[i], b->items[i]))
            return false;
    return a->count == b->count;
}

static bool facts_equal(const struct cluster_node *node, const struct cluster_facts *facts)
{
    static const struct string_list none = {NULL, 0};
    const struct node_properties *is = &node->properties, *new = &facts->properties;
    return node->capacity.cpu_millis == facts->capacity.cpu_millis &&
           node->capacity.memory_bytes == facts->capacity.memory_bytes &&
           node->capacity.disk_bytes == facts->capacity.disk_bytes &&
           node->runtimes == facts->runtimes && node->max_attempts == facts->max_attempts &&
           node->dynamic_ports == facts->dynamic_ports &&
           node->devices_known == (facts->devices != NULL) &&
           lists_equal(&node->devices, facts->devices ? facts->devices : &none) &&
           !strcmp(is->datacenter, new->datacenter ? new->datacenter : "") &&
           maps_equal(&is->labels, &new->labels) &&
           maps_equal(&is->people_labels, &new->people_labels) &&
           maps_equal(&is->attributes, &new->attributes);
}

void cluster_node_change(struct cluster *cluster, struct cluster_node *node,
                         const struct cluster_facts *facts)
{
    if (facts_equal(node, facts)) { /* most often: workers say again what they are */
        cluster_node_bar(cluster, node, facts->barred);
        return;
    }
    node_set_facts(node, facts);
    cluster->settled = false;
}

void cluster_node_bar(struct cluster *cluster, struct cluster_node *node, enum reason barred)
{
    if (node->barred == barred)
        return;
    node->barred = barred;
    cluster_note_change(cluster, node);
}

void cluster_node_load(struct cluster *cluster, struct cluster_node *node,
                       const struct capacity *load)
{
    (void)cluster; /* what goes by loads looks at all of them each time */
    node->load_known = load;
    node->load = load ? *load : (struct capacity){0};
    node->claimed_since = (struct capacity){0};
}

void cluster_node_remove(struct cluster *cluster, struct cluster_node *node)
{
    ASSERT(!node->attempts);
    node->gone = true;
    cluster->settled = false;
}

const char *cluster_node_id(const struct cluster_node *node)
{
    return node->properties.id;
}

/* ---- settling ---- */

static int nodes_compare(const void *a, const void *b)
{
    const struct cluster_node *const *left = a, *const *right = b;
    return strcmp((*left)->properties.id, (*right)->properties.id);
}

static void drop_gone(struct cluster *cluster)
{
    size_t kept = 0, sorted = 0;
    for (size_t i = 0; i < cluster->count; i++) {
        if (cluster->nodes[i]->gone) {
            node_free(cluster, cluster->nodes[i]);
            continue;
        }
        sorted += i < cluster->sorted;
        cluster->nodes[kept++] = cluster->nodes[i];
    }
    cluster->count = kept;
    cluster->sorted = sorted;
}

/* What was added is sorted by itself and merged in: nodes come one by one. */
static void sort_nodes(struct cluster *cluster)
{
    size_t fresh = cluster->count - cluster->sorted, old = cluster->sorted;
    if (!fresh)
        return;
    qsort(cluster->nodes + old, fresh, sizeof(*cluster->nodes), nodes_compare);
    struct cluster_node **tail = mem_resize(NULL, fresh, sizeof(*tail));
    memcpy(tail, cluster->nodes + old, fresh * sizeof(*tail));
    for (size_t to = cluster->count; fresh;) {
        bool from_old = old && nodes_compare(&cluster->nodes[old - 1], &tail[fresh - 1]) > 0;
        cluster->nodes[--to] = from_old ? cluster->nodes[--old] : tail[--fresh];
    }
    free(tail);
    cluster->sorted = cluster->count;
}

static uint32_t size_index(struct cluster *cluster, const struct capacity *capacity)
{
    struct node_size *size, probe = {.index = 0};
    probe.key.cpu_millis = capacity->cpu_millis;
    probe.key.memory_bytes = capacity->memory_bytes;
    HASH_FIND(hh, cluster->sizes, &probe.key, sizeof(probe.key), size);
    if (size)
        return size->index;
    size = mem_alloc(sizeof(*size));
    size->key = probe.key;
    size->index = HASH_COUNT(cluster->sizes);
    HASH_ADD(hh, cluster->sizes, key, sizeof(size->key), size);
    return size->index;
}

static void fit_update(struct node_fit *fit, const struct cluster_node *node)
{
    const struct capacity *has = &node->capacity, *used = &node->used;
    fit->cpu_free = has->cpu_millis - used->cpu_millis;
    fit->memory_free = has->memory_bytes - used->memory_bytes;
    fit->disk_free = has->disk_bytes - used->disk_bytes;
    fit->cpu_power = fixed_free_power(used->cpu_millis, has->cpu_millis);
    fit->memory_power = fixed_free_power(used->memory_bytes, has->memory_bytes);
    fit->attempts_free = (int32_t)(node->max_attempts - node->attempts);
    fit->barred = node->barred != REASON_NONE;
}

void cluster_settle(struct cluster *cluster)
{
    if (cluster->settled)
        return;
    grids_drop(cluster);
    drop_gone(cluster);
    sort_nodes(cluster);
    cluster_columns_release(cluster);
    sizes_release(cluster);
    if (cluster->count > cluster->fits_capacity) {
        cluster->fits_capacity = cluster->capacity;
        cluster->fits = mem_resize(cluster->fits, cluster->fits_capacity, sizeof(*cluster->fits));
    }
    for (size_t i = 0; i < cluster->count; i++) {
        cluster->nodes[i]->rank = (uint32_t)i;
        fit_update(&cluster->fits[i], cluster->nodes[i]);
        cluster->fits[i].size = size_index(cluster, &cluster->nodes[i]->capacity);
    }
    cluster->picture++;
    cluster->settled = true;
}

void cluster_note_change(struct cluster *cluster, struct cluster_node *node)
{
    if (!cluster->settled)
        return;
    fit_update(&cluster->fits[node->rank], node);
    grids_move(cluster, node->rank);
    cluster->changes[cluster->change_count++ % CHANGES_KEPT] = node->rank;
}

/* ---- claims ---- */

static void capacity_add(struct capacity *capacity, const struct capacity *more, int64_t sign)
{
    capacity->cpu_millis += sign * more->cpu_millis;
    capacity->memory_bytes += sign * more->memory_bytes;
    capacity->disk_bytes += sign * more->disk_bytes;
}

static void hold(struct cluster_node *node, const struct held *held)
{
    if ((size_t)node->attempts == node->held_capacity) {
        node->held_capacity += node->held_capacity / 8 + 1;
        node->held = mem_resize(node->held, node->held_capacity, sizeof(*node->held));
    }
    held->claim->place = (uint32_t)node->attempts;
    node->held[held->claim->place] = *held;
}

static void let_go(struct cluster_node *node, const struct cluster_claim *claim)
{
    node->held[claim->place] = node->held[node->attempts - 1];
    node->held[claim->place].claim->place = claim->place;
}

static void count_held(struct cluster *cluster, struct cluster_node *node, const struct held *held,
                       int64_t sign)
{
    const struct cluster_demand *demand = held->demand;
    capacity_add(&node->used, &demand->needs, sign);
    node->attempts += sign;
    node->dynamic_used += sign * demand->dynamic_ports;
    node->held_specials += (size_t)(demand->port_count || demand->devices.count ? sign : 0);
    tally_add(held->group->tally, node, sign);
    if (held->group->job->sharer != held->group)
        tally_add(&held->group->job->tally, node, sign);
    held->group->job->total += sign;
    if (cluster->settled)
        classes_count_claim(cluster, held->group, node, sign);
    cluster_note_change(cluster, node);
}

struct cluster_claim *cluster_claim_new(struct cluster *cluster, struct cluster_node *node,
                                        struct cluster_group *group,
                                        const struct cluster_demand *demand, void *owner)
{
    struct cluster_claim *claim = pool_alloc(&cluster->claims);
    struct held held = {.claim = claim,
                        .group = group,
                        .demand = demand,
                        .number = cluster->claim_number++ & CLAIM_NUMBER_MAX,
                        .priority = (uint8_t)demand->priority};
    *claim = (struct cluster_claim){.node = node->number, .owner = owner};
    hold(node, &held);
    if (node->load_known)
        capacity_add(&node->claimed_since, &demand->needs, 1);
    if (policy_of(cluster, demand) == POLICY_ROUND_ROBIN)
        memcpy(cluster->cursor, node->properties.id, strlen(node->properties.id) + 1);
    count_held(cluster, node, &held, 1);
    return claim;
}

void cluster_claim_free(struct cluster *cluster, struct cluster_claim *claim)
{
    if (!claim)
        return;
    struct cluster_node *node = cluster->numbered[claim->node];
    struct held held = node->held[claim->place];
    let_go(node, claim);
    count_held(cluster, node, &held, -1);
    pool_free(&cluster->claims, claim);
}

void cluster_claim_leave(struct cluster *cluster, struct cluster_claim *claim)
{
    if (!claim)
        return;
    struct cluster_node *node = cluster->numbered[claim->node];
    node->held[claim->place].priority = PRIORITY_LEAVING;
    cluster_note_change(cluster, node);
}

void *cluster_claim_owner(const struct cluster_claim *claim)
{
    return claim->owner;
}

struct cluster_node *cluster_claim_node(const struct cluster *cluster,
                                        const struct cluster_claim *claim)
{
    return cluster->numbered[claim->node];
}
