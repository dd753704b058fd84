/* What workers report: nodes/<node>/info and nodes/<node>/state/<job>. */
#include "manager/core/internal.h"

#include "schema/record.h"

#include <string.h>

/* ---- info ---- */

static bool keep_info(struct node *node, const struct node_info *info)
{
    struct arena arena = ARENA_EMPTY;
    struct node_info copy;
    if (record_copy(&node_info_record, info, &arena, &copy)) {
        arena_release(&arena);
        return false;
    }
    arena_release(&node->info_arena);
    node->info_arena = arena;
    node->info = copy;
    node->has_info = true;
    return true;
}

/* Which cluster it belongs to, and which terms it has seen. */
static void hear_head(struct manager *manager, struct node *node, const struct node_info *info)
{
    cluster_hear(manager, info->head.cluster);
    bool foreign = info->head.cluster && strcmp(info->head.cluster, manager->cluster) != 0;
    if (foreign && !node->foreign)
        emit_event(manager, "foreign_cluster", REASON_FOREIGN_CLUSTER, NULL, node->id, NULL,
                   "the node belongs to cluster %s", info->head.cluster);
    node->foreign = foreign;
    if (foreign)
        return;
    if (info->head.cluster)
        manager->cluster_settled = true;
    term_outbid(manager, info->head.term, NULL);
    /* an equal term of another manager is refused too: only a larger one helps */
    if (info->refused_manager && info->refused_term == manager->term &&
        strcmp(info->refused_manager, manager->id) == 0)
        term_raise(manager, info->head.term + 1);
}

void node_settle_or_ask(struct manager *manager, struct node *node)
{
    if (node->settled || node->foreign || manager->phase != PHASE_LEADING)
        return;
    bool never_assigned = node->has_info && !node->info.head.cluster;
    if (!node->ask_wanted && (node->has_document || never_assigned))
        node_settle(manager, node);
    else if (node->ask_wanted || node->has_info)
        node_ask(manager, node);
}

void on_node_info(struct manager *manager, const struct manager_event *event)
{
    const struct node_info *info = event->node_info;
    struct node *node = node_admit(manager, event->node);
    if (!node)
        return; /* too many */
    if (node->has_info && info->head.seq <= node->info_seq)
        return;
    if (!keep_info(node, info))
        return;
    node->info_seq = info->head.seq;
    hear_head(manager, node, info);
    node_set_grace(manager, node);
    node_settle_or_ask(manager, node);
    node_describe(manager, node);
}

/* ---- state ---- */

static bool report_names(const struct node_state *report, const struct attempt *attempt)
{
    for (size_t i = 0; i < report->attempts.count; i++)
        if (attempt_has_id(attempt, RECORD_AT(struct observed_attempt, report->attempts, i)->id))
            return true;
    return false;
}

/* A worker that has stored our assignment and does not name an attempt that is to stop has nothing
 * of it. */
static void note_absent(struct manager *manager, struct binding *binding,
                        const struct node_state *report)
{
    if (report->revision < binding->revision)
        return;
    for (struct attempt *attempt = binding->attempts; attempt; attempt = attempt->next)
        if (!attempt->answered && attempt->desired == DESIRED_STOP &&
            (report->tombstone || !report_names(report, attempt)))
            attempt_gone(manager, attempt);
}

struct findings {
    bool unknown; /* it names an attempt that we cannot know about: nobody has told us yet */
    bool live;    /* and that has not ended */
    bool matters; /* something is to be decided about the job; else its status changes at most */
};

/* What is the only attempt of its instance and goes on needs no decision, unless an update waits
 * for it: a job of ten thousand is not looked through whenever one of them starts. */
static bool needs_decision(const struct attempt *attempt)
{
    return attempt_is_final(attempt) || attempt->unheard || attempt->unknown || attempt->older ||
           attempt->instance->attempts != attempt || attempt->instance->group->updating;
}

static void observe(struct manager *manager, struct attempt *attempt,
                    const struct observed_attempt *observed, struct findings *findings)
{
    bool waited_for = needs_decision(attempt);
    attempt->unheard = false;
    if (attempt_observe(manager, attempt, observed))
        job_note_progress(manager, attempt->binding->job);
    findings->matters |= waited_for || attempt_is_final(attempt);
}

/* Workers name them in our order: `next` is most often the one. NULL: not one of this assignment.
 */
static struct attempt *find_reported(struct manager *manager, const struct binding *binding,
                                     struct attempt *next, const char *id)
{
    if (next && attempt_has_id(next, id))
        return next;
    struct attempt *attempt = attempt_find(manager, id);
    return attempt && attempt->binding == binding ? attempt : NULL;
}

static struct findings observe_all(struct manager *manager, struct binding *binding,
                                   const struct node_state *report)
{
    struct findings findings = {.matters = !report->attempts.count || manager->gated};
    struct attempt *next = binding ? binding->attempts : NULL;
    for (size_t i = 0; i < report->attempts.count; i++) {
        const struct observed_attempt *observed =
            RECORD_AT(struct observed_attempt, report->attempts, i);
        struct attempt *attempt = find_reported(manager, binding, next, observed->id);
        if (attempt) {
            observe(manager, attempt, observed, &findings);
            next = attempt->next;
            continue;
        }
        findings.unknown = findings.matters = true;
        findings.live |= !attempt_state_is_final((enum attempt_state)observed->state);
    }
    return findings;
}

/* Whether an assignment of that job may exist on that node which we have not heard of (D5). */
static bool may_be_unheard(const struct manager *manager, const struct job *job,
                           const struct binding *binding)
{
    if (!job)
        return true;
    if (job->tombstone || (binding && order_term(&binding->order)))
        return false;
    return manager->started_empty || manager->others_led;
}

void on_node_state(struct manager *manager, const struct manager_event *event)
{
    const struct node_state *report = event->node_state;
    struct node *node = node_admit(manager, event->node);
    if (!node)
        return;
    struct job *job = job_find(manager, event->job);
    struct binding *binding = job ? binding_find(node, job) : NULL;
    if (binding && report->head.seq < binding->state_seq)
        return;
    struct findings findings = observe_all(manager, binding, report);
    node_set_stray(manager, node, event->job, findings.live);
    if (binding) {
        binding->state_seq = report->head.seq;
        binding->state_revision = report->revision;
        note_absent(manager, binding, report);
        if (findings.matters)
            job_queue(manager, job);
    }
    if (!findings.unknown || node->answered || node->foreign || node->deleted ||
        !may_be_unheard(manager, job, binding))
        return;
    node->ask_wanted = true;
    node_ask(manager, node);
}
