/* Hearing our own documents: from the store at start, from the broker up to the barrier. One path:
 * the larger one wins. While we lead, what others write on our topics is only overwritten.
 *
 * Nothing is decided here; on_picture_whole (lead.c) looks at everything that came together. */
#include "manager/core/internal.h"

#include <string.h>

static struct spec_version *take_version(struct job *job, const struct job_spec *spec,
                                         int64_t version, int64_t submitted_ms)
{
    struct spec_version *known = job_version(job, version);
    if (known || !spec->name || version < 1)
        return known;
    struct spec_version *made = spec_version_new(spec, version, submitted_ms);
    if (made)
        job_add_version(job, made);
    return job_version(job, version);
}

/* ---- jobs/<job>/spec, history, status ---- */

static void bury_heard(struct manager *manager, struct job *job,
                       const struct job_document *document)
{
    while (job->version_count)
        spec_version_unref(job->versions[--job->version_count]);
    mark_job_withdraw_status(manager, job);
    job->tombstone = true;
    job->stopped = job->deleting = false;
    if (document->version > job->last_version)
        job->last_version = document->version;
    grave_dig(manager, TOPIC_JOB_SPEC, job->name, NULL);
    grave_dig(manager, TOPIC_JOB_HISTORY, job->name, NULL);
}

void on_job_document(struct manager *manager, const struct manager_event *event)
{
    const struct job_document *document = event->job_document;
    bool overwrite;
    struct job *job = job_find(manager, event->job);
    struct order none = {0};
    bool news = document_is_news(manager, event, &document->head, job ? &job->spec_order : &none,
                                 &overwrite);
    if (overwrite)
        mark_job(manager, job, MARK_SPEC);
    if (!news)
        return;
    job = job_obtain(manager, event->job);
    order_take(manager, &job->spec_order, &document->head);
    job->has_document = true;
    job->submitted_ms = document->submitted_ms;
    if (document->head.tombstone) {
        bury_heard(manager, job, document);
        return;
    }
    job->tombstone = false;
    job->stopped = document->stopped;
    job->deleting = document->deleting;
    take_version(job, &document->spec, document->version, document->submitted_ms);
    grave_close(manager, TOPIC_JOB_SPEC, job->name, NULL);
    grave_close(manager, TOPIC_JOB_HISTORY, job->name, NULL);
}

static void take_reschedule(struct manager *manager, struct job *job,
                            const struct reschedule_record *record)
{
    if (record->index < 0 || record->index >= LIMIT_INSTANCES_PER_TASK || !record->task)
        return;
    struct group *group = job_group_obtain(job, record->task);
    struct instance *instance = group_instance_obtain(manager, group, record->index);
    reschedule_forget(instance);
    struct reschedule *kept = reschedule_obtain(instance);
    kept->count = record->count;
    kept->first_ms = record->first_ms;
    kept->last_ms = record->last_ms;
    kept->delay_ms = record->delay_ms;
    kept->due_ms = record->due_ms;
    for (size_t i = 0; i < record->failed_nodes.count; i++)
        reschedule_add_node(kept, record->failed_nodes.items[i]);
}

void on_job_history(struct manager *manager, const struct manager_event *event)
{
    const struct job_history *history = event->job_history;
    bool overwrite;
    struct job *job = job_find(manager, event->job);
    struct order none = {0};
    bool news = document_is_news(manager, event, &history->head, job ? &job->history_order : &none,
                                 &overwrite);
    if (overwrite)
        mark_job(manager, job, MARK_HISTORY);
    if (!news)
        return;
    job = job_obtain(manager, event->job);
    order_take(manager, &job->history_order, &history->head);
    if (job->tombstone || history->head.tombstone)
        return;
    job->admitted = history->admitted;
    job->launched_s = history->launched_ms / 1000;
    for (size_t i = 0; i < history->versions.count; i++) {
        const struct version_record *record =
            RECORD_AT(struct version_record, history->versions, i);
        take_version(job, &record->spec, record->version, record->submitted_ms);
    }
    for (size_t i = 0; i < history->reschedules.count; i++)
        take_reschedule(manager, job, RECORD_AT(struct reschedule_record, history->reschedules, i));
}

void on_job_status(struct manager *manager, const struct manager_event *event)
{
    char topic[LIMIT_TOPIC_LENGTH + 1];
    bool overwrite;
    struct job *job = job_find(manager, event->job);
    struct order none = {0};
    bool news = document_is_news(manager, event, &event->job_status->head,
                                 job ? &job->status_order : &none, &overwrite);
    if (job && news)
        order_take(manager, &job->status_order, &event->job_status->head);
    if (overwrite)
        mark_job(manager, job, MARK_STATUS);
    bool left_behind = job ? job->tombstone : !manager->started_empty;
    if (!left_behind)
        return;
    topic_format(topic, TOPIC_JOB_STATUS, event->job, NULL);
    emit_clear(manager, CLEAR_TOPIC, topic);
}

/* ---- nodes/<node>/desired ---- */

static void note_index(struct manager *manager, struct node *node, const struct int_map *index)
{
    for (size_t i = 0; i < index->count; i++)
        binding_obtain(manager, node, job_obtain(manager, index->items[i].key))->indexed = true;
}

static bool index_names(const struct int_map *index, const char *job)
{
    for (size_t i = 0; i < index->count; i++)
        if (!strcmp(index->items[i].key, job))
            return true;
    return false;
}

/* What we knew before another manager led, and its index does not name, it has ended. */
static void drop_what_has_ended(struct manager *manager, struct node *node,
                                const struct node_desired *desired)
{
    for (size_t i = 0; i < node->binding_count; i++) {
        struct binding *binding = node->bindings[i];
        if (order_term(&binding->order) >= desired->head.term ||
            index_names(&desired->assignments, binding->job->name))
            continue;
        while (binding->attempts)
            attempt_free(manager, binding->attempts);
        binding_bury_if_empty(manager, binding);
    }
}

void on_node_desired(struct manager *manager, const struct manager_event *event)
{
    const struct node_desired *desired = event->node_desired;
    bool overwrite;
    struct node *node = node_find(manager, event->node);
    struct order none = {0};
    bool news =
        document_is_news(manager, event, &desired->head, node ? &node->order : &none, &overwrite);
    if (overwrite)
        mark_desired(manager, node);
    if (!news)
        return;
    node = node_obtain(manager, event->node);
    order_take(manager, &node->order, &desired->head);
    node->has_document = true;
    node->deleted = desired->head.tombstone;
    if (node->deleted) {
        node->settled = true;
        node->session = desired->session_floor;
        grave_dig(manager, TOPIC_NODE_DESIRED, node->id, NULL);
        node_describe(manager, node);
        return;
    }
    manager->cluster_settled = true;
    node->eligible = desired->eligible;
    node->interval_ms = desired->interval_ms;
    node_set_labels(node, &desired->labels);
    node_describe(manager, node);
    note_index(manager, node, &desired->assignments);
    drop_what_has_ended(manager, node, desired);
    grave_close(manager, TOPIC_NODE_DESIRED, node->id, NULL);
}

/* ---- nodes/<node>/assign/<job> ---- */

static struct spec_version *attempt_version(struct job *job, const struct assignment *assignment,
                                            int64_t version)
{
    struct spec_version *known = job_version(job, version);
    if (known)
        return spec_version_ref(known);
    if (version == assignment->version)
        return spec_version_new(&assignment->spec, version, 0);
    for (size_t i = 0; i < assignment->older.count; i++) {
        const struct versioned_spec *older = RECORD_AT(struct versioned_spec, assignment->older, i);
        if (older->version == version)
            return spec_version_new(&older->spec, version, 0);
    }
    return NULL;
}

static struct attempt *adopt_new(struct manager *manager, struct job *job, struct node *node,
                                 const struct assignment *assignment,
                                 const struct assigned_attempt *assigned)
{
    struct attempt_name name;
    if (!attempt_name_parse(assigned->id, &name) || strcmp(name.job, job->name) != 0 ||
        name.index < 0 || name.index >= LIMIT_INSTANCES_PER_TASK)
        return NULL;
    struct spec_version *version = attempt_version(job, assignment, assigned->version);
    const struct task_spec *task = version ? spec_task(&version->spec, name.task) : NULL;
    struct attempt *attempt = NULL;
    if (task) {
        struct group *group = job_group_obtain(job, name.task);
        attempt = attempt_new(manager, name.suffix,
                              group_instance_obtain(manager, group, name.index), node, version);
        attempt->adopted = attempt->unheard = true;
        attempt_set_unknown(manager, attempt, node->liveness == NODE_SILENT);
        attempt_schedule(manager, attempt);
    }
    spec_version_unref(version);
    return attempt;
}

static void adopt_attempt(struct manager *manager, struct job *job, struct node *node,
                          const struct assignment *assignment,
                          const struct assigned_attempt *assigned)
{
    struct attempt *attempt = attempt_find(manager, assigned->id);
    if (!attempt)
        attempt = adopt_new(manager, job, node, assignment, assigned);
    if (!attempt || attempt->binding->node != node)
        return;
    attempt->desired = (enum desired_state)assigned->desired;
    attempt->stop_reason = (enum reason)assigned->reason;
    if (attempt->desired == DESIRED_STOP)
        cluster_claim_leave(manager->scheduler, attempt->claim);
    attempt_want_run(manager, attempt, assigned->run_wanted);
    attempt_remember(manager, attempt, &assigned->known);
}

static void drop_unnamed(struct manager *manager, struct binding *binding,
                         const struct assignment *assignment)
{
    struct attempt *attempt = binding->attempts;
    while (attempt) {
        struct attempt *next = attempt->next;
        bool named = false;
        for (size_t i = 0; i < assignment->attempts.count && !named; i++)
            named = attempt_has_id(attempt,
                                   RECORD_AT(struct assigned_attempt, assignment->attempts, i)->id);
        if (!named)
            attempt_free(manager, attempt);
        attempt = next;
    }
}

/* A job of which only its assignments are left. */
static void infer_job(struct manager *manager, struct job *job, const struct assignment *assignment)
{
    for (size_t i = 0; i < assignment->attempts.count; i++) {
        int reason = RECORD_AT(struct assigned_attempt, assignment->attempts, i)->reason;
        job->stopped |= reason == REASON_JOB_STOPPED || reason == REASON_JOB_DELETED;
    }
    job->submitted_ms = manager->now.wall_ms;
    job->admitted = true; /* it would not have been placed */
    if (manager->phase == PHASE_LEADING && !job->hold_until_ms)
        job->hold_until_ms =
            manager->now.mono_ms + DEFAULT_HEARTBEAT_MS * HEARTBEATS_MISSED + manager->grace_ms;
    mark_job(manager, job, MARK_SPEC);
    mark_job(manager, job, MARK_HISTORY);
}

void adopt_assignment(struct manager *manager, struct job *job, struct node *node,
                      const struct assignment *assignment)
{
    if (job->tombstone)
        return;
    struct binding *binding = binding_obtain(manager, node, job);
    take_version(job, &assignment->spec, assignment->version, manager->now.wall_ms);
    binding_raise_revision(binding, assignment->revision);
    for (size_t i = 0; i < assignment->attempts.count; i++)
        adopt_attempt(manager, job, node, assignment,
                      RECORD_AT(struct assigned_attempt, assignment->attempts, i));
    if (!job->has_document)
        infer_job(manager, job, assignment);
    if (manager->phase == PHASE_LEADING) {
        mark_assignment(manager, binding);
        mark_job(manager, job, MARK_STATUS);
    }
    job_queue(manager, job);
}

void on_assignment(struct manager *manager, const struct manager_event *event)
{
    const struct assignment *assignment = event->assignment;
    bool overwrite;
    struct node *node = node_find(manager, event->node);
    struct job *job = job_find(manager, event->job);
    struct binding *binding = node && job ? binding_find(node, job) : NULL;
    struct order none = {0};
    bool news = document_is_news(manager, event, &assignment->head,
                                 binding ? &binding->order : &none, &overwrite);
    if (overwrite)
        mark_assignment(manager, binding);
    if (!news)
        return;
    node = node_obtain(manager, event->node);
    job = job_obtain(manager, event->job);
    binding = binding_obtain(manager, node, job);
    order_take(manager, &binding->order, &assignment->head);
    drop_unnamed(manager, binding, assignment);
    binding_raise_revision(binding, assignment->revision);
    if (assignment->head.tombstone) {
        binding->tombstone = true;
        grave_dig(manager, TOPIC_NODE_ASSIGN, node->id, job->name);
        return;
    }
    adopt_assignment(manager, job, node, assignment);
    if (binding->attempts)
        return;
    binding->tombstone = false; /* nothing in it could be read: written anew as a tombstone */
}

void on_manager_status(struct manager *manager, const struct manager_event *event)
{
    bool overwrite;
    bool news = document_is_news(manager, event, &event->manager_status->head,
                                 &manager->status_order, &overwrite);
    if (news)
        order_take(manager, &manager->status_order, &event->manager_status->head);
    if (overwrite)
        mark_manager_status(manager);
}

/* What belongs there is written again. */
static void write_again(struct manager *manager, enum topic_kind kind, struct job *job,
                        struct node *node)
{
    struct binding *binding = node && job ? binding_find(node, job) : NULL;
    if (kind == TOPIC_MANAGER_STATUS)
        mark_manager_status(manager);
    else if (kind == TOPIC_NODE_ASSIGN && binding && !binding->tombstone)
        mark_assignment(manager, binding);
    else if (kind == TOPIC_NODE_DESIRED && node && node->has_document && !node->deleted)
        mark_desired(manager, node);
    else if (kind == TOPIC_JOB_SPEC && job && job_present(job))
        mark_job(manager, job, MARK_SPEC);
    else if (kind == TOPIC_JOB_HISTORY && job && job_present(job))
        mark_job(manager, job, MARK_HISTORY);
    else if (kind == TOPIC_JOB_STATUS && job && job_present(job))
        mark_job(manager, job, MARK_STATUS);
}

void on_unreadable(struct manager *manager, const struct manager_event *event)
{
    struct job *job = event->job ? job_find(manager, event->job) : NULL;
    struct node *node = event->node ? node_find(manager, event->node) : NULL;
    if (manager->phase == PHASE_SUPERSEDED)
        return;
    write_again(manager, event->unreadable, job, node);
}
