/* Asking a node what it has stored (docs/decisions.md, D5): a manager that lost its store, with a
 * broker that lost its memory, knows of nothing that runs. Until a node has answered, nothing is
 * placed there and its index is not written, since an index that lacks a job ends that job's
 * attempts.
 *
 *   node with a document of ours, or one that never heard of a cluster -> settled
 *   any other -> asked, and asked again every ANSWER_TIMEOUT_MS -> all parts heard -> settled */
#include "manager/core/internal.h"

#include <string.h>

enum { ASK_TOKEN_LENGTH = 16 };

/* A node that is away is asked when it is back. */
static void ask_again(struct manager *manager, struct node *node)
{
    prng_base32(&manager->prng, node->ask_token, ASK_TOKEN_LENGTH);
    node->ask_parts = 0;
    if (!node->offline)
        emit_ask(manager, node);
    timer_set(&manager->timers, &node->ask_timer, manager->now.mono_ms + ANSWER_TIMEOUT_MS);
}

void node_ask_timer_fired(struct manager *manager, void *owner)
{
    struct node *node = owner;
    if (node->ask_token[0])
        ask_again(manager, node);
}

void node_ask(struct manager *manager, struct node *node)
{
    if (node->ask_token[0] || manager->phase != PHASE_LEADING)
        return;
    node->settled = false;
    node_refresh(manager, node);
    ask_again(manager, node);
}

void node_settle(struct manager *manager, struct node *node)
{
    timer_unset(&manager->timers, &node->ask_timer);
    node->ask_token[0] = '\0';
    if (node->settled)
        return;
    node->settled = true;
    mark_desired(manager, node);
    node_refresh(manager, node);
}

void on_answer_assignment(struct manager *manager, const struct manager_event *event)
{
    const struct answer *answer = event->answer;
    struct node *node = node_find(manager, event->node);
    if (!node || !node->ask_token[0] || !answer->token ||
        strcmp(answer->token, node->ask_token) != 0 || answer->result != REPLY_ACCEPTED)
        return;
    if (answer->assignment && answer->assignment->spec.name &&
        answer->part == node->ask_parts + 1) {
        struct job *job = job_obtain(manager, answer->assignment->spec.name);
        const struct manager_head *head = &answer->assignment->head;
        node->ask_parts++;
        cluster_hear(manager, head->cluster);
        term_outbid(manager, head->term, head->manager);
        adopt_assignment(manager, job, node, answer->assignment);
    }
    if (answer->parts != node->ask_parts)
        return;
    node->answered = true;
    node->ask_wanted = false;
    node_settle(manager, node);
}
