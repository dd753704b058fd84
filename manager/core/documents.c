/* What is written: entities to documents. Lists are built in the caller's arena; specifications are
 * pointed to where they are. */
#include "manager/core/internal.h"

#include <stdlib.h>
#include <string.h>

/* ---- jobs/<job>/spec ---- */

static void fill_job_document(struct manager *manager, struct job *job, struct document *document)
{
    const struct spec_version *present = job_present(job);
    struct job_document *out = &document->job_document;
    document->record = &job_document_record;
    *out = (struct job_document){
        .head = head_next(manager, &job->spec_order, job->tombstone),
        .version = present ? present->version : job->last_version,
        .stopped = job->stopped,
        .deleting = job->deleting,
        .submitted_ms = job->submitted_ms,
    };
    if (present)
        out->spec = present->spec;
}

/* ---- jobs/<job>/history ---- */

static bool is_worth_keeping(const struct instance *instance)
{
    const struct reschedule *reschedule = instance ? instance->reschedule : NULL;
    return reschedule && (reschedule->count || reschedule->failed_count);
}

static size_t count_reschedules(const struct job *job)
{
    size_t count = 0;
    for (const struct group *group = job->groups; group; group = group->next)
        for (size_t i = 0; i < group->capacity; i++)
            count += is_worth_keeping(group->instances[i]);
    return count;
}

static void fill_reschedule(const struct instance *instance, struct reschedule_record *out)
{
    const struct reschedule *reschedule = instance->reschedule;
    *out = (struct reschedule_record){
        .task = instance->group->name,
        .index = instance->index,
        .count = reschedule->count,
        .first_ms = reschedule->first_ms,
        .last_ms = reschedule->last_ms,
        .delay_ms = reschedule->delay_ms,
        .due_ms = reschedule->due_ms,
        .failed_nodes = {(const char **)instance->reschedule->failed_nodes,
                         reschedule->failed_count},
    };
}

static int fill_reschedules(const struct job *job, struct arena *arena,
                            struct record_list *ret_list)
{
    struct reschedule_record *items =
        arena_array(arena, count_reschedules(job) + 1, sizeof(*items));
    if (!items)
        return -ERR_NO_MEMORY;
    *ret_list = (struct record_list){items, 0};
    for (const struct group *group = job->groups; group; group = group->next)
        for (size_t i = 0; i < group->capacity; i++)
            if (is_worth_keeping(group->instances[i]))
                fill_reschedule(group->instances[i], &items[ret_list->count++]);
    return 0;
}

bool job_has_history(const struct job *job)
{
    return job->history_order.seq || job->version_count > 1 || job->launched_s || job->admitted ||
           count_reschedules(job);
}

static int fill_job_history(struct manager *manager, struct job *job, struct arena *arena,
                            struct document *document)
{
    struct job_history *out = &document->job_history;
    struct version_record *versions = arena_array(arena, job->version_count + 1, sizeof(*versions));
    document->record = &job_history_record;
    *out = (struct job_history){0};
    if (!versions)
        return -ERR_NO_MEMORY;
    for (size_t i = 0; i < job->version_count; i++)
        versions[i] = (struct version_record){
            job->versions[i]->version, job->versions[i]->submitted_ms, job->versions[i]->spec};
    out->versions = (struct record_list){versions, job->version_count};
    out->admitted = job->admitted;
    out->launched_ms = job->launched_s * 1000;
    int error = job->tombstone ? 0 : fill_reschedules(job, arena, &out->reschedules);
    if (!error)
        out->head = head_next(manager, &job->history_order, job->tombstone);
    return error;
}

static int fill_job_status(struct manager *manager, struct job *job, struct arena *arena,
                           struct document *document)
{
    document->record = &job_status_record;
    document->derived = true;
    int error = status_fill(manager, job, arena, &document->job_status);
    if (!error)
        document->job_status.head = head_next(manager, &job->status_order, false);
    return error;
}

/* ---- nodes/<node>/desired ---- */

static int compare_keys(const void *a, const void *b)
{
    return strcmp(((const struct int_pair *)a)->key, ((const struct int_pair *)b)->key);
}

static int fill_index(const struct node *node, struct arena *arena, struct int_map *ret_index)
{
    struct int_pair *items = arena_array(arena, node->binding_count + 1, sizeof(*items));
    if (!items)
        return -ERR_NO_MEMORY;
    *ret_index = (struct int_map){items, 0};
    for (size_t i = 0; i < node->binding_count; i++) {
        const struct binding *binding = node->bindings[i];
        if (!binding->tombstone)
            items[ret_index->count++] = (struct int_pair){binding->job->name, binding->revision};
    }
    qsort(items, ret_index->count, sizeof(*items), compare_keys);
    return 0;
}

/* A deleted node's next session is another node's, above the one that was deleted. */
static int64_t session_floor(const struct node *node)
{
    if (node->deleted)
        return node->session;
    return node->muted ? node->session + 1 : 0;
}

static int fill_node_desired(struct manager *manager, struct node *node, struct arena *arena,
                             struct document *document)
{
    struct node_desired *out = &document->node_desired;
    document->record = &node_desired_record;
    *out = (struct node_desired){.eligible = node->eligible,
                                 .labels = node->labels,
                                 .interval_ms = node->interval_ms,
                                 .session_floor = session_floor(node)};
    int error = fill_index(node, arena, &out->assignments);
    if (error)
        return error;
    out->head = head_next(manager, &node->order, node->deleted);
    node->has_document = true;
    return 0;
}

/* ---- nodes/<node>/assign/<job> ---- */

static void fill_known(const struct attempt *attempt, struct known_state *out)
{
    bool heard = attempt->seq || attempt->run || attempt_is_final(attempt);
    *out = (struct known_state){.exit_code = UNSET};
    if (!heard)
        return;
    struct attempt_ends ends = attempt_ends(attempt);
    *out = (struct known_state){
        .state = (int)attempt->state,
        .run = attempt->run,
        .restarts = ends.restarts,
        .seq = attempt->seq,
        .exit_code = ends.exit_code,
        .reason = (int)attempt->reason,
        .finished_ms = ends.finished_ms,
    };
}

static bool fill_attempt(const struct attempt *attempt, struct arena *arena,
                         struct assigned_attempt *out)
{
    char id[LIMIT_TASK_ID_LENGTH + 1];
    attempt_id(attempt, id);
    *out = (struct assigned_attempt){
        .id = arena_strdup(arena, id),
        .version = attempt->spec->version,
        .desired = (int)attempt->desired,
        .run_wanted = attempt_ends(attempt).run_wanted,
        .reason = attempt->desired == DESIRED_STOP ? (int)attempt->stop_reason : REASON_NONE,
    };
    fill_known(attempt, &out->known);
    return out->id;
}

static const struct spec_version *newest_version(const struct binding *binding)
{
    const struct spec_version *newest = NULL;
    for (const struct attempt *attempt = binding->attempts; attempt; attempt = attempt->next)
        if (!newest || attempt->spec->version > newest->version)
            newest = attempt->spec;
    return newest;
}

static void add_older(struct record_list *older, const struct spec_version *version)
{
    for (size_t i = 0; i < older->count; i++)
        if (RECORD_AT(struct versioned_spec, *older, i)->version == version->version)
            return;
    *RECORD_AT(struct versioned_spec, *older, older->count++) =
        (struct versioned_spec){version->version, version->spec};
}

static size_t count_attempts(const struct binding *binding)
{
    size_t count = 0;
    for (const struct attempt *attempt = binding->attempts; attempt; attempt = attempt->next)
        count++;
    return count;
}

static int fill_assignment(struct manager *manager, struct binding *binding, struct arena *arena,
                           struct document *document)
{
    struct assignment *out = &document->assignment;
    size_t count = count_attempts(binding);
    struct assigned_attempt *attempts = arena_array(arena, count + 1, sizeof(*attempts));
    struct versioned_spec *older = arena_array(arena, count + 1, sizeof(*older));
    const struct spec_version *newest = newest_version(binding);
    document->record = &assignment_record;
    if (!attempts || !older)
        return -ERR_NO_MEMORY;
    *out = (struct assignment){
        .revision = binding->revision, .older = {older, 0}, .attempts = {attempts, 0}};
    if (newest) {
        out->version = newest->version;
        out->spec = newest->spec;
    }
    for (const struct attempt *attempt = binding->attempts; attempt; attempt = attempt->next) {
        if (!fill_attempt(attempt, arena, &attempts[out->attempts.count++]))
            return -ERR_NO_MEMORY;
        if (attempt->spec->version != newest->version)
            add_older(&out->older, attempt->spec);
    }
    out->head = head_next(manager, &binding->order, binding->tombstone);
    return 0;
}

/* ---- manager/status ---- */

static void fill_manager_status(struct manager *manager, struct document *document)
{
    document->record = &manager_status_record;
    document->manager_status = (struct manager_status){
        .head = head_next(manager, &manager->status_order, false),
        .state = manager->offline                  ? MANAGER_OFFLINE
                 : manager->phase == PHASE_LEADING ? MANAGER_LEADING
                                                   : MANAGER_RECOVERING,
        .session = manager->session,
        .version = ARGOSY_VERSION,
        .policy = (int)(manager->policy ? manager->policy : POLICY_BINPACK),
        .preemption = (int)manager->preemption,
    };
}

/* ---- all of them ---- */

static int fill(struct manager *manager, const struct document_mark *mark, struct arena *arena,
                struct document *document)
{
    struct job *job = mark->job;
    if (mark->kind == TOPIC_NODE_DESIRED)
        return fill_node_desired(manager, mark->node, arena, document);
    if (mark->kind == TOPIC_NODE_ASSIGN)
        return fill_assignment(manager, binding_find(mark->node, job), arena, document);
    if (mark->kind == TOPIC_JOB_HISTORY)
        return fill_job_history(manager, job, arena, document);
    if (mark->kind == TOPIC_JOB_STATUS)
        return fill_job_status(manager, job, arena, document);
    if (mark->kind == TOPIC_JOB_SPEC)
        fill_job_document(manager, job, document);
    else
        fill_manager_status(manager, document);
    return 0;
}

static void unmark(struct manager *manager, const struct document_mark *mark)
{
    if (mark->kind == TOPIC_NODE_DESIRED)
        mark->node->marks &= ~(unsigned)MARK_DESIRED;
    else if (mark->kind == TOPIC_NODE_ASSIGN)
        binding_find(mark->node, mark->job)->marked = false;
    else if (mark->kind == TOPIC_JOB_SPEC)
        mark->job->marks &= ~(unsigned)MARK_SPEC;
    else if (mark->kind == TOPIC_JOB_HISTORY)
        mark->job->marks &= ~(unsigned)MARK_HISTORY;
    else if (mark->kind == TOPIC_JOB_STATUS)
        mark->job->marks &= ~(unsigned)MARK_STATUS;
    else
        manager->marks &= ~(unsigned)MARK_STATUS;
}

int manager_document(struct manager *manager, const struct document_mark *mark, struct now now,
                     struct arena *arena, struct document *ret_document)
{
    const char *first = mark->node ? mark->node->id : mark->job ? mark->job->name : NULL;
    const char *second = mark->node && mark->job ? mark->job->name : NULL;
    manager->now = now;
    ret_document->kind = mark->kind;
    ret_document->derived = false;
    topic_format(ret_document->topic, mark->kind, first, second);
    int error = fill(manager, mark, arena, ret_document);
    if (!error)
        unmark(manager, mark);
    return error;
}
