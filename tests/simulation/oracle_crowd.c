#include "tests/simulation/oracle_crowd.h"

#include "tests/simulation/crowd.h"

enum { PRIORITY_GAP = 10 }; /* SEMANTICS 6 */

static bool is_its_zone(const struct kind *kind, int site)
{
    return !kind->zone || kind->zone == crowd_zone(site);
}

void crowd_check(const struct oracle *oracle, int number)
{
    const struct site *site = &oracle->sites[number];
    for (int i = 0; i < site->count; i++) {
        const struct wish *wish = oracle_wish_of(oracle, site->running[i].task_id);
        if (wish && !is_its_zone(wish->kind, number))
            world_fail(oracle->world, "I4: %s runs on n%d, which its constraint excludes",
                       site->running[i].task_id, number + 1);
        for (int j = 0; wish && wish->kind->port && j < i; j++) {
            const struct wish *other = oracle_wish_of(oracle, site->running[j].task_id);
            if (other && other->kind->port == wish->kind->port)
                world_fail(oracle->world, "I4: %s and %s have the same port of n%d",
                           site->running[i].task_id, site->running[j].task_id, number + 1);
        }
    }
}

bool crowd_has_room(const struct oracle *oracle, const struct wish *wish, int number)
{
    const struct site *site = &oracle->sites[number];
    const struct kind *kind = wish->kind;
    int64_t free_millis = crowd_node_cpu_millis(oracle->world);
    bool port_is_free = true;
    for (int i = 0; i < site->count; i++) {
        const struct wish *other = oracle_wish_of(oracle, site->running[i].task_id);
        if (!other || other->kind->priority + PRIORITY_GAP <= kind->priority)
            continue; /* would have to go */
        free_millis -= kind_cpu_millis(other->kind);
        port_is_free = port_is_free && (!kind->port || kind->port != other->kind->port);
    }
    return is_its_zone(kind, number) && port_is_free && free_millis >= kind_cpu_millis(kind);
}

bool crowd_has_room_anywhere(const struct oracle *oracle, const struct wish *wish)
{
    for (int site = 0; site < oracle->world->options.nodes; site++)
        if (crowd_has_room(oracle, wish, site))
            return true;
    return false;
}
