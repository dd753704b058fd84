/* Documents heard, from the store at start or from the bus: one path for both.
 *
 *   cluster ours? -> term not older? -> document newer than ours? -> taken, marked to be stored,
 * driven
 *
 * A refusal changes nothing but what we say: an event, and for an older manager the info document.
 */
#include "worker/core/worker_state.h"

#include "platform/base/text.h"

#include <string.h>
#include <utlist.h>

/* ---- who speaks ---- */

static void cluster_take(struct step *step, const char *cluster)
{
    struct worker *worker = step->worker;
    text_copy(worker->cluster, sizeof(worker->cluster), cluster);
    step->effects->info = step->effects->meta = true;
    for (int kind = RUNTIME_DOCKER; kind < RUNTIME_KIND_COUNT; kind++) {
        runtime_request_list(step, (enum runtime_kind)kind); /* what is ours can be told now */
    }
}

static void term_take(struct step *step, const struct manager_head *head)
{
    struct worker *worker = step->worker;
    if (head->term == worker->term && !strcmp(head->manager, worker->manager)) {
        return;
    }
    if (head->term > worker->term) {
        worker->leading = false;
        step->effects->info = step->effects->meta = true;
    }
    worker->term = head->term;
    text_copy(worker->manager, sizeof(worker->manager), head->manager);
}

static void term_refuse(struct step *step, const struct worker_event *event,
                        const struct manager_head *head)
{
    struct worker *worker = step->worker;
    /* Our own manager's documents of an earlier term are just old: it is writing them anew. */
    if (!strcmp(head->manager, worker->manager)) {
        return;
    }
    if (worker->refused_term != head->term || strcmp(worker->refused_manager, head->manager) != 0) {
        worker->refused_term = head->term;
        text_copy(worker->refused_manager, sizeof(worker->refused_manager), head->manager);
        step->effects->info = true;
    }
    effects_event(step->effects, "refused", REASON_STALE_TERM, event->job, NULL,
                  "manager %s speaks with term %lld, manager %s leads with %lld", head->manager,
                  (long long)head->term, worker->manager[0] ? worker->manager : "unknown",
                  (long long)worker->term);
}

static bool head_is_admitted(struct step *step, const struct worker_event *event,
                             const struct manager_head *head)
{
    struct worker *worker = step->worker;
    if (!head->cluster || !head->manager || !head->cluster[0] || !head->manager[0]) {
        return false;
    }
    if (worker->cluster[0] && strcmp(worker->cluster, head->cluster) != 0) {
        effects_event(step->effects, "refused", REASON_FOREIGN_CLUSTER, event->job, NULL,
                      "a document of cluster %.40s; this worker belongs to %.40s", head->cluster,
                      worker->cluster);
        return false;
    }
    bool other = worker->manager[0] && strcmp(worker->manager, head->manager) != 0;
    if (head->term < worker->term || (head->term == worker->term && other)) {
        term_refuse(step, event, head);
        return false;
    }
    if (!worker->cluster[0]) {
        cluster_take(step, head->cluster);
    }
    term_take(step, head);
    return true;
}

/* ---- assignments ---- */

static const struct job_spec *spec_of_version(const struct assignment *assignment, int64_t version)
{
    if (assignment->version == version) {
        return &assignment->spec;
    }
    for (size_t i = 0; i < assignment->older.count; i++) {
        const struct versioned_spec *older =
            RECORD_AT(const struct versioned_spec, assignment->older, i);
        if (older->version == version) {
            return &older->spec;
        }
    }
    return NULL;
}

static const struct task_spec *task_of(const struct job_spec *spec, const struct attempt *attempt)
{
    const char *name = attempt->id + strlen(attempt->job->name) + 1; /* job_task_index_suffix */
    size_t length = strcspn(name, "_");
    for (size_t i = 0; spec && i < spec->tasks.count; i++) {
        const struct task_spec *task = RECORD_AT(const struct task_spec, spec->tasks, i);
        if (!strncmp(task->name, name, length) && !task->name[length]) {
            return task;
        }
    }
    return NULL;
}

static void attempt_resolve(struct step *step, struct attempt *attempt)
{
    attempt->spec = spec_of_version(&attempt->job->held->value, attempt->version);
    attempt->task = task_of(attempt->spec, attempt);
    if (!attempt->task) {
        return;
    }
    attempt->runtime = (enum runtime_kind)attempt->task->runtime;
    attempt_limit_wait(step, attempt);
    /* Known late, or changed in place. */
    if (attempt->running_mono_ms && attempt->ending == ENDING_NONE &&
        attempt->health.count != attempt->task->health.count) {
        attempt_checks_start(step, attempt, attempt->health.state);
    }
}

/* What the manager knows of it, as if we had observed it: lets an emptied worker go on
 * (CONTRACT 3.6). */
static void attempt_recall_known(struct step *step, struct attempt *attempt,
                                 const struct assigned_attempt *assigned)
{
    const struct known_state *known = &assigned->known;
    if (known->state == ATTEMPT_LOST && attempt->observed) {
        return;
    }
    struct observed_attempt observed = {
        .state = known->state,
        .version = assigned->version,
        .run = known->run,
        .restarts = known->restarts,
        .seq = known->seq,
        .exit_code = known->exit_code,
        .reason = known->reason,
        .finished_ms = known->finished_ms,
    };
    attempt_recall(step, attempt, &observed);
}

static void attempt_assign(struct step *step, struct job *job,
                           const struct assigned_attempt *assigned)
{
    struct worker *worker = step->worker;
    struct attempt *attempt = worker_attempt_find(worker, assigned->id);
    bool created = !attempt;
    if (created && !(attempt = worker_attempt_new(worker, job, assigned->id))) {
        effects_event(step->effects, "refused", REASON_UNKNOWN_SUBJECT, job->name, assigned->id,
                      "an attempt that is none of this job, or one too many");
        return;
    }
    /* Known by its execution or an own document only: look at it again now that its policy is
     * known. */
    bool looked_at = attempt->task != NULL;
    attempt->assigned = true;
    attempt->version = assigned->version;
    attempt->desired = (enum desired_state)assigned->desired;
    attempt->run_wanted = assigned->run_wanted;
    if (attempt->state < ATTEMPT_STOPPING) {
        attempt->stop_reason = (enum reason)assigned->reason;
    }
    if (created || worker->holding) {
        attempt_recall_known(step, attempt, assigned);
    }
    attempt_resolve(step, attempt);
    if (created && attempt->state == ATTEMPT_SCHEDULED) {
        attempt_touch(step, attempt);
    }
    bool seen_before = !created || attempt->state != ATTEMPT_SCHEDULED;
    if (seen_before && !looked_at && !attempt_state_is_final(attempt->state)) {
        attempt->awaits_list = true;
        runtime_request_list(step, attempt->runtime);
    }
}

static void assignment_take(struct step *step, struct job *job, struct worker_event *event)
{
    struct held_assignment *old = job->held;
    job->held = event->assignment;
    event->assignment = NULL;
    job->forget_mono_ms = 0;

    struct attempt *attempt;
    DL_FOREACH(job->attempts, attempt)
    {
        attempt->assigned = false;
    }
    const struct assignment *assignment = &job->held->value;
    for (size_t i = 0; i < assignment->attempts.count; i++) {
        attempt_assign(step, job,
                       RECORD_AT(const struct assigned_attempt, assignment->attempts, i));
    }
    DL_FOREACH(job->attempts, attempt)
    {
        if (!attempt->assigned) {
            attempt_resolve(step, attempt);
        }
    }
    held_assignment_free(old);
    if (!event->from_store) {
        effects_mark(step->effects, job->name, MARK_ASSIGNMENT | MARK_STATE);
    }
}

/* An old copy, of a broker that went back in time, of what is over or was changed since. */
static bool is_left_over(const struct worker *worker, const struct worker_event *event)
{
    return worker->desired &&
           index_is_beyond(&worker->desired->value, event->job, &event->assignment->value);
}

void hear_assignment(struct step *step, struct worker_event *event)
{
    const struct assignment *heard = &event->assignment->value;
    if (!head_is_admitted(step, event, &heard->head)) {
        return;
    }
    struct job *job = worker_job_find(step->worker, event->job);
    if (job && job->held && manager_head_compare(&heard->head, &job->held->value.head) <= 0) {
        return;
    }
    if (!event->from_store && !heard->head.tombstone && is_left_over(step->worker, event)) {
        return;
    }
    if (!job) {
        job = worker_job_obtain(step->worker, event->job);
    }
    assignment_take(step, job, event);
    job_drive(step, job);
}

/* ---- the desired document and the manager's status ---- */

void hear_desired(struct step *step, struct worker_event *event)
{
    struct worker *worker = step->worker;
    const struct node_desired *heard = &event->desired->value;
    if (!head_is_admitted(step, event, &heard->head)) {
        return;
    }
    if (worker->desired && manager_head_compare(&heard->head, &worker->desired->value.head) <= 0) {
        return;
    }
    held_desired_free(worker->desired);
    worker->desired = event->desired;
    event->desired = NULL;
    step->effects->desired = step->effects->desired || !event->from_store;
    int64_t interval_ms =
        heard->interval_ms == UNSET ? worker->own_interval_ms : heard->interval_ms;
    if (interval_ms != worker->interval_ms) {
        worker->interval_ms = interval_ms;
        step->effects->info = true;
    }
    worker_drive(step);
}

void hear_manager(struct step *step, struct worker_event *event)
{
    const struct manager_status *status = event->manager;
    if (!head_is_admitted(step, event, &status->head)) {
        return;
    }
    step->worker->leading = status->state == MANAGER_LEADING;
    worker_drive(step);
}

/* ---- own state documents, read back ---- */

/* What a process that starts goes on with. Later our own record is the truth, and is written again.
 */
static void recall_attempt(struct step *step, struct job *job,
                           const struct observed_attempt *observed)
{
    struct attempt *attempt = worker_attempt_find(step->worker, observed->id);
    if (!attempt) {
        attempt = worker_attempt_new(step->worker, job, observed->id);
    }
    if (!attempt) {
        return;
    }
    attempt_recall(step, attempt, observed);
    attempt->observed = true;
}

void hear_own_state(struct step *step, struct worker_event *event)
{
    struct worker *worker = step->worker;
    const struct node_state *state = event->state;
    struct job *job = worker_job_find(worker, event->job);
    if (worker->seq < state->head.seq) {
        worker->seq = state->head.seq;
        step->effects->meta = true;
    }
    if (job && state->head.seq <= job->state_seq) {
        return; /* our own echo */
    }
    job = job ? job : worker_job_obtain(worker, event->job);
    job->state_seq = state->head.seq;
    bool recalls = !worker->started || worker->holding;
    for (size_t i = 0; recalls && i < state->attempts.count; i++) {
        recall_attempt(step, job, RECORD_AT(const struct observed_attempt, state->attempts, i));
    }
    if (!event->from_store) {
        effects_mark(step->effects, job->name, MARK_STATE);
    }
    job_drive(step, job);
}
