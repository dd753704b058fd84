/* Strays: what still runs on a node and hangs in no assignment of ours. A job that is deleted does
 * not wait for silent nodes, so when such a node is back, what it has of the job holds resources
 * that are in no account until the worker has stopped it. The node gets no new work meanwhile. */
#include "manager/core/internal.h"

#include "platform/base/text.h"

#include <stdlib.h>

void node_set_stray(struct manager *manager, struct node *node, const char *job, bool there)
{
    struct stray *stray;
    HASH_FIND_STR(node->strays, job, stray);
    if (there == (stray != NULL))
        return;
    if (there) {
        stray = mem_alloc(sizeof(*stray));
        text_copy(stray->job, sizeof(stray->job), job);
        HASH_ADD_STR(node->strays, job, stray);
    } else {
        HASH_DEL(node->strays, stray);
        free(stray);
    }
    node_refresh(manager, node);
}

void node_forget_strays(struct node *node)
{
    struct stray *stray, *next;
    HASH_ITER(hh, node->strays, stray, next)
    {
        HASH_DEL(node->strays, stray);
        free(stray);
    }
}

/* Its last word on the job may never have come: a worker whose disk was full says only how it is
 * in the end. */
void on_state_cleared(struct manager *manager, const struct manager_event *event)
{
    struct node *node = node_find(manager, event->node);
    if (node && !node->deleted) /* of a deleted one we clear it ourselves */
        node_set_stray(manager, node, event->job, false);
}
