/* Assignments written anew under a new term, some at a time: workers have them already, and what is
 * decided meanwhile is said before the rest of them.
 *
 *   mark_everything -> renewing, from the first node on -EVENT_RENEW, each time there is room->
 *   the last node -> done
 *
 * An assignment that was written since for a reason of its own is left out. Who dies before the end
 * finds those that it had not come to on the bus, as news, and begins again. What an index names
 * and nobody has told is left alone: its node is asked (asks.c). */
#include "manager/core/internal.h"

void renew_begin(struct manager *manager)
{
    manager->renewing = true;
    manager->renew_next = NULL;
    manager->renew_above = manager->seq;
}

void renew_forget(struct manager *manager, const struct node *node)
{
    if (manager->renew_next == node)
        manager->renew_next = node->hh.next;
}

/* Documents, and what they name. */
static size_t renew_node(struct manager *manager, const struct node *node)
{
    size_t count = 0;
    for (size_t i = 0; i < node->binding_count; i++) {
        struct binding *binding = node->bindings[i];
        int64_t term = order_term(&binding->order);
        bool renewed = term == manager->term && binding->order.seq > manager->renew_above;
        if (renewed || !term)
            continue;
        mark_binding(manager, binding);
        count++;
        for (const struct attempt *attempt = binding->attempts; attempt; attempt = attempt->next)
            count++;
    }
    return count;
}

void on_renew(struct manager *manager, const struct manager_event *event)
{
    struct node *node = manager->renew_next ? manager->renew_next : manager->nodes;
    size_t count = 0;
    for (; node && count < event->renew_limit; node = node->hh.next)
        count += renew_node(manager, node);
    manager->renew_next = node;
    manager->renewing = node != NULL;
}

bool manager_is_renewing(const struct manager *manager)
{
    return manager->phase == PHASE_LEADING && manager->renewing;
}
