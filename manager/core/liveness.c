/* Which nodes are there (SEMANTICS 4). A heartbeat is a live metrics message. Silence of three
 * intervals and the grace makes a node silent; the will alone only keeps new work away from it.
 *
 *   unseen --heartbeat--> alive --silence--> silent --heartbeat, live birth--> alive
 *      \------------------silence-------------^
 *
 * While we are not connected, or do not run (stopped, suspended), the timers stand still;
 * afterwards every node gets a full grace. */
#include "manager/core/internal.h"

#include "platform/base/text.h"

#include <string.h>

enum { HEARTBEATS_TO_BELIEVE = 2 };

static int64_t interval_ms(const struct node *node)
{
    if (node->interval_ms != UNSET)
        return node->interval_ms;
    return node->has_info && node->info.interval_ms > 0 ? node->info.interval_ms
                                                        : DEFAULT_HEARTBEAT_MS;
}

int64_t node_silence_ms(const struct manager *manager, const struct node *node)
{
    return interval_ms(node) * HEARTBEATS_MISSED + manager->grace_ms;
}

void node_set_grace(struct manager *manager, struct node *node)
{
    if (manager->phase != PHASE_LEADING || node->deleted || node->liveness == NODE_SILENT)
        return;
    timer_set(&manager->timers, &node->timer,
              manager->now.mono_ms + node_silence_ms(manager, node));
}

static void set_unknown(struct manager *manager, struct node *node, bool unknown)
{
    for (size_t i = 0; i < node->binding_count; i++)
        for (struct attempt *attempt = node->bindings[i]->attempts; attempt;
             attempt = attempt->next)
            if (!attempt_is_final(attempt)) {
                attempt_set_unknown(manager, attempt, unknown);
                attempt->unheard |= unknown;
            }
}

static bool has_others(const struct attempt *attempt)
{
    return attempt->older || attempt->instance->attempts != attempt;
}

/* What was heard of the node may tell apart two of an instance, and decides nothing else: jobs of
 * which it has none are not looked through, since all nodes are heard at once after a start. */
static void queue_jobs_with_doubles(struct manager *manager, struct node *node)
{
    for (size_t i = 0; i < node->binding_count; i++) {
        const struct attempt *attempt = node->bindings[i]->attempts;
        while (attempt && !has_others(attempt))
            attempt = attempt->next;
        if (attempt)
            job_queue(manager, node->bindings[i]->job);
    }
}

static void set_liveness(struct manager *manager, struct node *node, enum liveness liveness)
{
    bool was_silent = node->liveness == NODE_SILENT;
    node->liveness = liveness;
    node_refresh(manager, node);
    if (was_silent == (liveness == NODE_SILENT)) {
        queue_jobs_with_doubles(manager, node); /* seen for the first time since we listen */
        return;
    }
    set_unknown(manager, node, liveness == NODE_SILENT);
    node_queue_jobs(manager, node);
    for (size_t i = 0; i < node->binding_count; i++)
        if (node->bindings[i]->attempts)
            mark_job(manager, node->bindings[i]->job, MARK_STATUS);
    emit_event(manager, was_silent ? "node_back" : "node_silent",
               was_silent ? REASON_NONE : REASON_NODE_SILENT, NULL, node->id, NULL, "%s",
               was_silent ? "the node is heard again" : reason_text(REASON_NODE_SILENT));
}

void node_timer_fired(struct manager *manager, void *owner)
{
    struct node *node = owner;
    node->silent_since_ms = manager->now.mono_ms;
    node->heartbeats = 0;
    set_liveness(manager, node, NODE_SILENT);
}

void node_heard(struct manager *manager, struct node *node)
{
    if (manager->phase != PHASE_LEADING || node->deleted)
        return;
    if (node->liveness != NODE_ALIVE)
        set_liveness(manager, node, NODE_ALIVE);
    node_set_grace(manager, node);
}

void nodes_begin_grace(struct manager *manager)
{
    for (struct node *node = manager->nodes; node; node = node->hh.next) {
        if (node->liveness == NODE_ALIVE)
            node->liveness = NODE_UNSEEN;
        node->heartbeats = 0;
        if (node->liveness == NODE_SILENT)
            node->silent_since_ms = manager->now.mono_ms + node_silence_ms(manager, node);
        node_set_grace(manager, node);
        node_refresh(manager, node);
    }
}

enum { DUPLICATE_QUIET_MS = 60 * 1000 };

/* Each process has an instance of its own, so one that speaks again after another one did is a
 * second worker that lives under the same id: they take the connection from each other in turns,
 * and neither of them can hear the other. */
static void note_instance(struct manager *manager, struct node *node, const char *instance)
{
    if (!instance || !strncmp(instance, node->instance, NODE_INSTANCE_SIZE - 1))
        return;
    bool returned = !strncmp(instance, node->former_instance, NODE_INSTANCE_SIZE - 1);
    memcpy(node->former_instance, node->instance, NODE_INSTANCE_SIZE);
    text_copy(node->instance, NODE_INSTANCE_SIZE, instance);
    if (!returned || manager->now.mono_ms < node->duplicate_quiet_until_ms)
        return;
    node->duplicate_quiet_until_ms = manager->now.mono_ms + DUPLICATE_QUIET_MS;
    emit_event(manager, "duplicate_node", REASON_DUPLICATE_NODE, NULL, node->id, NULL,
               "two workers, %s and %s, use this id", node->instance, node->former_instance);
}

/* A worker that lost its store, with its clock set back, and whose will has overwritten what it
 * could have read back, would never be heard again; nor one that could not store its last session
 * and was born with it once more. Its birth may have come while we were away, so a retained one is
 * answered too: where it is only an old copy, its worker ignores the answer. A deleted node's
 * tombstone may have been cleared meanwhile, and one that is back has no other document until it
 * was asked. */
static void tell_floor(struct manager *manager, struct node *node)
{
    if (node->deleted || node->reborn) {
        node_bury(manager, node);
    } else if (!node->muted) {
        node->muted = true;
        mark_desired(manager, node);
    }
}

/* A session that we have seen the end of, or an older one. */
static bool is_over(const struct node *node, const struct presence_document *presence)
{
    bool ended = node->deleted || node->offline;
    return presence->session < node->session || (presence->session == node->session && ended);
}

void on_presence(struct manager *manager, const struct manager_event *event)
{
    const struct presence_document *presence = event->presence;
    bool offline = presence->state == PRESENCE_OFFLINE;
    struct node *node = node_admit(manager, event->node);
    if (!node)
        return;
    if (!offline && is_over(node, presence)) {
        tell_floor(manager, node);
        return;
    }
    if (presence->session < node->session || (node->deleted && offline))
        return;
    node->muted = node->muted && presence->session == node->session;
    node->session = presence->session;
    node->offline = offline;
    node_revive(manager, node);
    if (event->live && !offline) {
        note_instance(manager, node, presence->instance);
        node_heard(manager, node);
    }
    node_refresh(manager, node);
}

/* A worker that connects again reports before its second heartbeat. One that was only slow has
 * nothing new to report: what it said before its silence still holds. */
static void believe_reports(struct manager *manager, struct node *node)
{
    bool news = false;
    for (size_t i = 0; i < node->binding_count; i++)
        for (struct attempt *attempt = node->bindings[i]->attempts; attempt;
             attempt = attempt->next) {
            news |= attempt->unheard;
            attempt->unheard = false;
        }
    if (news)
        queue_jobs_with_doubles(manager, node);
}

void on_heartbeat(struct manager *manager, const struct manager_event *event)
{
    struct node *node = node_find(manager, event->node);
    if (!node || node->deleted)
        return;
    node_heard(manager, node);
    if (manager->by_loads)
        node_hear_load(manager, node, &event->metrics->numbers);
    if (++node->heartbeats == HEARTBEATS_TO_BELIEVE)
        believe_reports(manager, node);
}
