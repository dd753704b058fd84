/* From hearing to leading, and back when the link is lost. */
#include "manager/core/internal.h"

#include <string.h>

static void make_cluster_id(struct manager *manager)
{
    if (!manager->cluster[0])
        prng_base32(&manager->prng, manager->cluster, CLUSTER_ID_LENGTH);
}

/* docs/decisions.md, D3. True when it is another term than that of the documents. */
static bool choose_term(struct manager *manager)
{
    int64_t before = manager->term;
    bool others = manager->term_heard_from[0] && strcmp(manager->term_heard_from, manager->id) != 0;
    if (manager->term_heard > manager->term || (manager->term_heard == manager->term && others))
        manager->term = manager->term_heard + 1;
    manager->others_led = manager->others_led || others;
    if (!manager->term)
        manager->term = manager->now.wall_ms / 1000;
    return manager->term != before;
}

/* The index names what was assigned: what we were not told of, the node is asked for. */
static void check_index(struct node *node)
{
    for (size_t i = 0; i < node->binding_count; i++) {
        const struct binding *binding = node->bindings[i];
        if (binding->indexed && !order_term(&binding->order) && !binding->job->tombstone)
            node->ask_wanted = true;
    }
}

/* A deleted job of which an old assignment has turned up: the tombstone wins. */
static void drop_attempts_of_deleted(struct manager *manager, struct job *job)
{
    for (struct binding *binding = job->bindings; binding; binding = binding->job_next) {
        while (binding->attempts)
            attempt_free(manager, binding->attempts);
        binding_bury_if_empty(manager, binding);
    }
}

static void take_up_jobs(struct manager *manager)
{
    for (struct job *job = manager->jobs; job; job = job->hh.next) {
        if (job->tombstone)
            drop_attempts_of_deleted(manager, job);
        if (!job_present(job))
            continue;
        mark_job(manager, job, MARK_STATUS);
        job_queue(manager, job);
    }
}

void on_picture_whole(struct manager *manager, const struct manager_event *event)
{
    (void)event;
    if (manager->phase == PHASE_SUPERSEDED)
        return;
    make_cluster_id(manager);
    bool anew = choose_term(manager) || manager->heard_news;
    manager->phase = PHASE_LEADING;
    manager->has_led = true;
    manager->heard_news = false;
    nodes_begin_grace(manager);
    for (struct node *node = manager->nodes; node; node = node->hh.next) {
        node->answered = false;
        check_index(node);
        node_settle_or_ask(manager, node);
    }
    if (anew)
        mark_everything(manager);
    mark_manager_status(manager);
    graves_clear_again(manager);
    take_up_jobs(manager);
}

void on_link_lost(struct manager *manager, const struct manager_event *event)
{
    (void)event;
    if (manager->phase == PHASE_SUPERSEDED)
        return;
    manager->phase = PHASE_RECOVERING;
    for (struct node *node = manager->nodes; node; node = node->hh.next) {
        timer_unset(&manager->timers, &node->timer);
        node->ask_token[0] = '\0';
        /* what they still have is heard anew, an end that we miss is not: nor while we recover */
        node_forget_strays(node);
    }
}
