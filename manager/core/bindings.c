/* Bindings: what of one job is on one node, which is one assignment. */
#include "manager/core/internal.h"

#include <stdlib.h>

struct binding *binding_find(const struct node *node, const struct job *job)
{
    struct binding *binding;
    HASH_FIND_PTR(node->bindings, &job, binding);
    return binding;
}

struct binding *binding_obtain(struct node *node, struct job *job)
{
    struct binding *binding = binding_find(node, job);
    if (binding)
        return binding;
    binding = mem_alloc(sizeof(*binding));
    binding->job = job;
    binding->node = node;
    binding->tombstone = true;
    binding->job_next = job->bindings;
    job->bindings = binding;
    HASH_ADD_PTR(node->bindings, job, binding);
    return binding;
}

void binding_free(struct binding *binding)
{
    struct binding **at = &binding->job->bindings;
    ASSERT(!binding->attempts);
    while (*at != binding)
        at = &(*at)->job_next;
    *at = binding->job_next;
    HASH_DEL(binding->node->bindings, binding);
    free(binding);
}

void binding_bury_if_empty(struct manager *manager, struct binding *binding)
{
    if (binding->attempts || binding->tombstone)
        return;
    binding->tombstone = true;
    mark_assignment(manager, binding);
    grave_dig(manager, TOPIC_NODE_ASSIGN, binding->node->id, binding->job->name);
}
