/* Asking a node what it has stored (docs/decisions.md, D5): a manager that lost its store, with a
 * broker that lost its memory, knows of nothing that runs. Until a node has answered, nothing is
 * placed there and its index is not written, since an index that lacks a job ends that job's
 * attempts.
 *
 *   node with a document of ours, or one that never heard of a cluster -> settled
 *   one that was deleted and is back -> asked: its answer comes after its reports
 *   any other -> asked, and asked again every ANSWER_TIMEOUT_MS -> all parts heard -> settled */
#include "manager/core/internal.h"

#include <string.h>

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
    node->owed = true; /* the answer may name what the index does not */
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
    if (node->owed || !node->has_document)
        mark_desired(manager, node);
    node_refresh(manager, node);
}

/* What a node still has of the time before it was deleted was given up. */
static void bury_leftover(struct manager *manager, struct node *node,
                          const struct assignment *assignment)
{
    struct job *job = job_find(manager, assignment->spec.name);
    if (!job) {
        job = job_obtain(manager, assignment->spec.name);
        job->tombstone = true;
        grave_dig(manager, TOPIC_JOB_SPEC, job->name, NULL);
    }
    struct binding *binding = binding_obtain(manager, node, job);
    binding_raise_revision(binding, assignment->revision);
    binding->tombstone = !binding->attempts;
    mark_assignment(manager, binding);
    if (binding->tombstone)
        grave_dig(manager, TOPIC_NODE_ASSIGN, node->id, job->name);
}

static void take_part(struct manager *manager, struct node *node,
                      const struct assignment *assignment)
{
    const struct manager_head *head = &assignment->head;
    node->ask_parts++;
    if (!assignment->spec.name)
        return; /* a tombstone */
    cluster_hear(manager, head->cluster);
    term_outbid(manager, head->term, head->manager);
    if (node->reborn)
        bury_leftover(manager, node, assignment);
    else
        adopt_assignment(manager, job_obtain(manager, assignment->spec.name), node, assignment);
}

void on_answer_assignment(struct manager *manager, const struct manager_event *event)
{
    const struct answer *answer = event->answer;
    struct node *node = node_find(manager, event->node);
    if (!node || !node->ask_token[0] || !answer->token ||
        strcmp(answer->token, node->ask_token) != 0 || answer->result != REPLY_ACCEPTED)
        return;
    if (answer->assignment && answer->part == node->ask_parts + 1)
        take_part(manager, node, answer->assignment);
    if (answer->parts != node->ask_parts)
        return;
    node->answered = true;
    node->ask_wanted = node->reborn = false;
    node_settle(manager, node);
}
