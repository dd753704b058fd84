/* Bindings: what of one job is on one node, which is one assignment. */
#include "manager/core/internal.h"

#include <stdlib.h>
#include <string.h>

/* Where the binding is among the node's, or belongs. */
static size_t place_of(const struct node *node, const struct job *job)
{
    size_t low = 0, high = node->binding_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (node->bindings[middle]->job->number < job->number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct binding *binding_find(const struct node *node, const struct job *job)
{
    size_t place = place_of(node, job);
    bool found = place < node->binding_count && node->bindings[place]->job == job;
    return found ? node->bindings[place] : NULL;
}

static void put_in(struct node *node, struct binding *binding)
{
    size_t place = place_of(node, binding->job);
    if (node->binding_count == node->binding_capacity) {
        node->binding_capacity += node->binding_capacity / 8 + 1;
        node->bindings =
            mem_resize(node->bindings, node->binding_capacity, sizeof(struct binding *));
    }
    memmove(&node->bindings[place + 1], &node->bindings[place],
            (node->binding_count++ - place) * sizeof(struct binding *));
    node->bindings[place] = binding;
}

static void take_out(struct node *node, const struct binding *binding)
{
    size_t place = place_of(node, binding->job);
    memmove(&node->bindings[place], &node->bindings[place + 1],
            (--node->binding_count - place) * sizeof(struct binding *));
}

struct binding *binding_obtain(struct manager *manager, struct node *node, struct job *job)
{
    struct binding *binding = binding_find(node, job);
    if (binding)
        return binding;
    binding = pool_alloc(&manager->bindings);
    binding->job = job;
    binding->node = node;
    binding->tombstone = true;
    binding->job_next = job->bindings;
    job->bindings = binding;
    put_in(node, binding);
    return binding;
}

void binding_free(struct manager *manager, struct binding *binding)
{
    struct binding **at = &binding->job->bindings;
    ASSERT(!binding->attempts);
    while (*at != binding)
        at = &(*at)->job_next;
    *at = binding->job_next;
    take_out(binding->node, binding);
    pool_free(&manager->bindings, binding);
}

void binding_raise_revision(struct binding *binding, int64_t revision)
{
    if (revision > binding->revision)
        binding->revision = revision & REVISION_MAX;
}

void binding_bury_if_empty(struct manager *manager, struct binding *binding)
{
    if (binding->attempts || binding->tombstone)
        return;
    binding->tombstone = true;
    mark_assignment(manager, binding);
    grave_dig(manager, TOPIC_NODE_ASSIGN, binding->node->id, binding->job->name);
}
