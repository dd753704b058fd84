/* Who would have to go. Each class ranks its candidates by what preemption on them would cost, so
 * that only nodes that changed are looked at again. */
#include "manager/scheduler/cluster_state.h"

#include <stdlib.h>
#include <string.h>

struct victim {
    const struct held *held;
    int64_t distance; /* once it is needed */
    bool stays;
};

/* What would be free, and what cannot be had at all. */
struct room {
    int64_t cpu, memory, disk, attempts, ports;
    size_t conflicts; /* claims that hold a port or device that is asked for */
};

static struct room room_of(const struct cluster_demand *demand, const struct cluster_node *node)
{
    struct room room = {
        .cpu = node->capacity.cpu_millis - node->used.cpu_millis,
        .memory = node->capacity.memory_bytes - node->used.memory_bytes,
        .disk = node->capacity.disk_bytes - node->used.disk_bytes,
        .attempts = node->max_attempts - node->attempts,
        .ports =
            node->dynamic_ports == UNSET ? INT64_MAX / 2 : node->dynamic_ports - node->dynamic_used,
    };
    if (node->held_specials && (demand->port_count || demand->devices.count))
        for (int64_t i = 0; i < node->attempts; i++)
            room.conflicts += demands_conflict(node->held[i].demand, demand);
    return room;
}

/* `sign` 1: it goes; -1: it stays after all. */
static void room_change(struct room *room, const struct cluster_demand *demand,
                        const struct cluster_demand *held, int64_t sign)
{
    room->cpu += sign * held->needs.cpu_millis;
    room->memory += sign * held->needs.memory_bytes;
    room->disk += sign * held->needs.disk_bytes;
    room->attempts += sign;
    if (!demand_is_special(demand))
        return;
    room->ports += sign * held->dynamic_ports;
    if (demands_conflict(held, demand))
        room->conflicts -= (size_t)sign;
}

static bool room_fits(const struct room *room, const struct cluster_demand *demand)
{
    return room->cpu >= demand->needs.cpu_millis && room->memory >= demand->needs.memory_bytes &&
           room->disk >= demand->needs.disk_bytes && room->attempts >= 1 &&
           (!demand->dynamic_ports || room->ports >= demand->dynamic_ports) && !room->conflicts;
}

/* ---- the order of victims ---- */

/* In 1024ths of what is asked. */
static int64_t difference(int64_t held, int64_t asked)
{
    int64_t share =
        fixed_fraction(held > asked ? held - asked : asked - held, asked) >> (FIXED_BITS - 10);
    return share > PART_ONE ? PART_ONE : share;
}

/* How different two are in size: squares of the differences, as shares of what is asked. */
static int64_t size_distance(const struct capacity *held, const struct capacity *asked)
{
    int64_t cpu = difference(held->cpu_millis, asked->cpu_millis);
    int64_t memory = difference(held->memory_bytes, asked->memory_bytes);
    int64_t disk = difference(held->disk_bytes, asked->disk_bytes);
    return cpu * cpu + memory * memory + disk * disk;
}

static bool may_go(const struct cluster_group *group, const struct cluster_demand *demand,
                   const struct held *held, bool has_same_job)
{
    if (held->priority > demand->priority - PREEMPTION_PRIORITY_GAP &&
        held->priority != PRIORITY_LEAVING)
        return false;
    return !has_same_job || held->group->job != group->job;
}

bool preemption_might_do(const struct cluster_group *group, const struct cluster_demand *demand,
                         const struct cluster_node *node)
{
    struct room room = room_of(demand, node);
    bool has_same_job = tally_get(&group->job->tally, node);
    for (int64_t i = 0; i < node->attempts; i++)
        if (may_go(group, demand, &node->held[i], has_same_job))
            room_change(&room, demand, node->held[i].demand, 1);
    return room_fits(&room, demand);
}

/* All who may go, in no order; 0 when even that would not be enough. */
static size_t list_victims(const struct placement_class *class, const struct cluster_node *node,
                           struct room room, struct victim *ret_victims)
{
    size_t count = 0;
    bool has_same_job = tally_get(&class->group->job->tally, node);
    for (int64_t i = 0; i < node->attempts; i++) {
        const struct held *held = &node->held[i];
        if (!may_go(class->group, class->demand, held, has_same_job))
            continue;
        ret_victims[count++] = (struct victim){.held = held};
        room_change(&room, class->demand, held->demand, 1);
    }
    return room_fits(&room, class->demand) ? count : 0;
}

/* Moves those of the lowest priority to the front, with their distances; how many they are. */
static size_t gather_lowest(struct victim *victims, size_t count, const struct capacity *asked)
{
    int64_t lowest = INT64_MAX;
    size_t gathered = 0;
    for (size_t i = 0; i < count; i++)
        lowest = victims[i].held->priority < lowest ? victims[i].held->priority : lowest;
    for (size_t i = 0; i < count; i++) {
        if (victims[i].held->priority != lowest)
            continue;
        struct victim victim = victims[i];
        victim.distance = size_distance(&victim.held->demand->needs, asked);
        victims[i] = victims[gathered];
        victims[gathered++] = victim;
    }
    return gathered;
}

static bool goes_first(const struct victim *a, const struct victim *b)
{
    return a->distance != b->distance ? a->distance < b->distance
                                      : a->held->number > b->held->number;
}

/* Brings the next one of equal priority to the front. */
static void select_nearest(struct victim *victims, size_t count)
{
    size_t nearest = 0;
    for (size_t i = 1; i < count; i++)
        if (goes_first(&victims[i], &victims[nearest]))
            nearest = i;
    struct victim first = victims[nearest];
    victims[nearest] = victims[0];
    victims[0] = first;
}

/* As many as it takes, in order, to the front. */
static size_t take_victims(const struct cluster_demand *demand, struct room *room,
                           struct victim *victims, size_t count)
{
    size_t taken = 0, equals = 0; /* in front: those of the priority that is being taken */
    while (!room_fits(room, demand)) {
        if (!equals)
            equals = gather_lowest(victims + taken, count - taken, &demand->needs);
        select_nearest(victims + taken, equals--);
        room_change(room, demand, victims[taken++].held->demand, 1);
    }
    return taken;
}

/* Who goes, in front, by priority; the number of them, 0: it cannot be had. */
static size_t choose_victims(const struct placement_class *class, const struct cluster_node *node,
                             struct victim *victims)
{
    const struct cluster_demand *demand = class->demand;
    struct room room = room_of(demand, node);
    size_t listed = list_victims(class, node, room, victims), kept = 0;
    if (!listed)
        return 0;
    size_t taken = take_victims(demand, &room, victims, listed);
    for (size_t i = taken; i-- > 0;) { /* the last ones, of the highest priority, first */
        room_change(&room, demand, victims[i].held->demand, -1);
        victims[i].stays = room_fits(&room, demand);
        if (!victims[i].stays)
            room_change(&room, demand, victims[i].held->demand, 1);
    }
    for (size_t i = 0; i < taken; i++)
        if (!victims[i].stays)
            victims[kept++] = victims[i];
    return kept;
}

static struct victim *victims_scratch(struct cluster *cluster, const struct cluster_node *node)
{
    size_t needed = (size_t)node->attempts + 1;
    if (needed > cluster->scratch_capacity) {
        cluster->scratch_capacity = needed * 2;
        cluster->scratch =
            mem_resize(cluster->scratch, cluster->scratch_capacity, sizeof(struct victim));
    }
    return cluster->scratch;
}

/* ---- which node ---- */

static int64_t policy_afterwards(const struct placement_class *class,
                                 const struct cluster_node *node, const struct victim *victims,
                                 size_t count)
{
    struct capacity used = node->used;
    const struct capacity *asked = &class->demand->needs;
    for (size_t i = 0; i < count; i++) {
        used.cpu_millis -= victims[i].held->demand->needs.cpu_millis;
        used.memory_bytes -= victims[i].held->demand->needs.memory_bytes;
    }
    int64_t cpu = fixed_free_power(used.cpu_millis + asked->cpu_millis, node->capacity.cpu_millis);
    int64_t memory =
        fixed_free_power(used.memory_bytes + asked->memory_bytes, node->capacity.memory_bytes);
    if (class->by_load)
        return 0;
    return class->policy == POLICY_SPREAD ? part_spread(cpu, memory) : part_binpack(cpu, memory);
}

/* Lowest highest priority, then fewest, then the policy: in one number, the larger the better. */
int64_t preemption_key(struct cluster *cluster, const struct placement_class *class, size_t leaf)
{
    enum { PRIORITY_MAX = 100, PRIORITY_SHIFT = 40, COUNT_SHIFT = 24 };
    struct cluster_node *node = cluster->nodes[class->ranks[leaf]];
    if (node->barred || node_others_exclude(class->group, class->demand, node))
        return RANKING_NONE;
    struct victim *victims = victims_scratch(cluster, node);
    size_t count = choose_victims(class, node, victims);
    if (!count)
        return RANKING_NONE;
    int64_t highest = victims[count - 1].held->priority;
    return ((PRIORITY_MAX - highest) << PRIORITY_SHIFT) +
           ((int64_t)(LIMIT_ATTEMPTS_PER_NODE - count) << COUNT_SHIFT) +
           policy_afterwards(class, node, victims, count);
}

static struct cluster_node *pick_node(struct cluster *cluster, const struct placement_class *class)
{
    int64_t best = RANKING_NONE;
    uint32_t rank = 0;
    for (size_t i = 0; i < class->bucket_count; i++) {
        size_t at;
        const struct bucket *bucket = &class->buckets[i];
        int64_t key =
            bucket_is_open(class, bucket) ? ranking_top(&bucket->preemption, &at) : RANKING_NONE;
        if (key == RANKING_NONE)
            continue;
        uint32_t here = class->ranks[bucket->first + at];
        if (key < best || (key == best && here > rank))
            continue;
        best = key;
        rank = here;
    }
    return best == RANKING_NONE ? NULL : cluster->nodes[rank];
}

static bool preempt_there(struct cluster *cluster, const struct placement_class *class,
                          struct cluster_node *node, struct cluster_preemption *ret_preemption)
{
    struct victim *victims = victims_scratch(cluster, node);
    size_t count = choose_victims(class, node, victims);
    if (count > cluster->victim_capacity) {
        cluster->victim_capacity = count * 2;
        cluster->victims =
            mem_resize(cluster->victims, cluster->victim_capacity, sizeof(*cluster->victims));
    }
    for (size_t i = 0; i < count; i++)
        cluster->victims[i] = victims[i].held->claim;
    *ret_preemption = (struct cluster_preemption){node, cluster->victims, count};
    return count > 0;
}

bool cluster_preempt(struct cluster *cluster, struct cluster_group *group,
                     const struct cluster_demand *demand, struct cluster_preemption *ret_preemption)
{
    struct placement_class *class = class_obtain(cluster, group, demand);
    class_build_preemption(cluster, class);
    struct cluster_node *node = pick_node(cluster, class);
    return node && preempt_there(cluster, class, node, ret_preemption);
}

bool cluster_preempt_on(struct cluster *cluster, struct cluster_group *group,
                        const struct cluster_demand *demand, struct cluster_node *node,
                        struct cluster_preemption *ret_preemption)
{
    const struct placement_class *class = class_obtain(cluster, group, demand);
    size_t leaf = class->leaf_of[node->rank]; /* from 1; 0: it is no candidate */
    if (!leaf || !bucket_is_open(class, &class->buckets[class->bucket_of[leaf - 1]]) ||
        preemption_key(cluster, class, leaf - 1) == RANKING_NONE)
        return false;
    return preempt_there(cluster, class, node, ret_preemption);
}
