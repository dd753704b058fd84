/* What the scheduler knows of ours: the nodes that have said what they are, and what attempts and
 * reservations hold on them. Kept in step here, and nowhere else. */
#include "manager/core/internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LOAD_AGE_MAX_MS = 60 * 1000 }; /* of a heartbeat, to go by what it said */

/* ---- attempts ---- */

static struct cluster_claim *claim(struct manager *manager, struct instance *instance,
                                   struct node *node, const struct cluster_demand *demand)
{
    return cluster_claim_new(manager->scheduler, node->place, instance->group->places, demand,
                             instance);
}

void attempt_claim(struct manager *manager, struct attempt *attempt)
{
    struct node *node = attempt->binding->node;
    const struct spec_version *spec = attempt->spec;
    if (!attempt->holds || !node->place || attempt->claim)
        return;
    attempt->claim = claim(manager, attempt->instance, node,
                           &spec->demands[spec_task_index(&spec->spec, attempt_task(attempt))]);
    if (attempt->desired == DESIRED_STOP)
        cluster_claim_leave(manager->scheduler, attempt->claim);
}

void attempt_unclaim(struct manager *manager, struct attempt *attempt)
{
    cluster_claim_free(manager->scheduler, attempt->claim);
    attempt->claim = NULL;
    node_note_room(manager, attempt->binding->node);
}

/* ---- reservations ---- */

void reservation_lift(struct manager *manager, struct reservation *reservation)
{
    cluster_claim_free(manager->scheduler, reservation->claim);
    reservation->claim = NULL;
}

void reservation_renew(struct manager *manager, struct reservation *reservation)
{
    reservation->claim = claim(manager, reservation->instance, reservation->node,
                               group_demand(reservation->instance->group));
}

struct reservation *reservation_of(const struct manager *manager, const struct instance *instance)
{
    struct reservation *reservation;
    HASH_FIND_PTR(manager->reservations, &instance, reservation);
    return reservation;
}

void reservation_make(struct manager *manager, struct instance *instance, struct node *node)
{
    struct reservation *reservation = mem_alloc(sizeof(*reservation));
    reservation->instance = instance;
    reservation->node = node;
    reservation->spec = spec_version_ref(job_present(instance->group->job));
    reservation_renew(manager, reservation);
    HASH_ADD_PTR(manager->reservations, instance, reservation);
}

void reservation_drop(struct manager *manager, struct instance *instance)
{
    struct reservation *reservation = reservation_of(manager, instance);
    if (!reservation)
        return;
    reservation_lift(manager, reservation);
    node_note_room(manager, reservation->node);
    spec_version_unref(reservation->spec);
    HASH_DEL(manager->reservations, reservation);
    free(reservation);
}

static void drop_reservations_on(struct manager *manager, const struct node *node)
{
    struct reservation *at, *next;
    HASH_ITER(hh, manager->reservations, at, next)
    {
        if (at->node != node)
            continue;
        job_queue(manager, at->instance->group->job);
        reservation_drop(manager, at->instance);
    }
}

/* ---- nodes ---- */

static unsigned runtime_bits(const struct string_list *runtimes)
{
    unsigned bits = 0;
    for (size_t i = 0; i < runtimes->count; i++) {
        int kind = words_from_string(&runtime_words, runtimes->items[i]);
        bits |= kind ? 1u << kind : 0;
    }
    return bits;
}

static struct cluster_facts facts_of(const struct node *node)
{
    const struct node_info *info = &node->info;
    bool limited = info->max_attempts > 0 && info->max_attempts <= LIMIT_ATTEMPTS_PER_NODE;
    return (struct cluster_facts){
        .properties = {.id = node->id,
                       .datacenter = info->datacenter,
                       .labels = info->labels,
                       .people_labels = node->labels,
                       .attributes = info->attributes},
        .barred = node->barred,
        .runtimes = runtime_bits(&info->runtimes),
        .capacity = info->capacity,
        .max_attempts = limited ? info->max_attempts : LIMIT_ATTEMPTS_PER_NODE,
        .dynamic_ports = UNSET,
    };
}

static void claim_all(struct manager *manager, struct node *node, bool claimed)
{
    for (size_t i = 0; i < node->binding_count; i++)
        for (struct attempt *attempt = node->bindings[i]->attempts; attempt;
             attempt = attempt->next)
            if (claimed)
                attempt_claim(manager, attempt);
            else
                attempt_unclaim(manager, attempt);
}

void node_describe(struct manager *manager, struct node *node)
{
    struct cluster_facts facts = facts_of(node);
    if (!node->has_info || node->deleted) {
        node_undescribe(manager, node);
    } else if (node->place) {
        cluster_node_change(manager->scheduler, node->place, &facts);
    } else {
        node->place = cluster_node_add(manager->scheduler, &facts);
        claim_all(manager, node, true);
    }
    node_refresh(manager, node);
}

/* NAN: it does not say. */
static double number_of(const struct number_map *numbers, const char *key)
{
    for (size_t i = 0; i < numbers->count; i++)
        if (strcmp(numbers->items[i].key, key) == 0)
            return numbers->items[i].value;
    return NAN;
}

void node_hear_load(struct manager *manager, struct node *node, const struct number_map *numbers)
{
    double busy = number_of(numbers, "cpu_usage_ratio");
    double used = number_of(numbers, "mem_used_bytes");
    if (!node->place)
        return;
    /* a node that says nothing for longer is silent, and gets nothing */
    bool told = busy >= 0 && busy <= 1 && used >= 0 && used < (double)INT64_MAX &&
                node_silence_ms(manager, node) <= LOAD_AGE_MAX_MS;
    struct capacity load = {.cpu_millis =
                                told ? (int64_t)((double)node->info.capacity.cpu_millis * busy) : 0,
                            .memory_bytes = told ? (int64_t)used : 0};
    cluster_node_load(manager->scheduler, node->place, told ? &load : NULL);
}

void node_undescribe(struct manager *manager, struct node *node)
{
    if (!node->place)
        return;
    drop_reservations_on(manager, node);
    claim_all(manager, node, false);
    cluster_node_remove(manager->scheduler, node->place);
    node->place = NULL;
}
