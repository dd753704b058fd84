/* What the manager writes: jobs, assignments, its own status. */
#include "schema/documents_rows.h"
#include "schema/reasons.h"

#include <string.h>

static int order_of(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

int manager_head_compare(const struct manager_head *a, const struct manager_head *b)
{
    int order = order_of(a->term, b->term);
    if (!order)
        order = strcmp(a->manager ? a->manager : "", b->manager ? b->manager : "");
    return order ? order : order_of(a->seq, b->seq);
}

static const struct word attempt_state_items[] = {
#define ATTEMPT_STATE_WORD(name, wire, order) {ATTEMPT_##name, wire},
    ATTEMPT_STATE_TABLE(ATTEMPT_STATE_WORD)
#undef ATTEMPT_STATE_WORD
};
const struct words attempt_state_words = WORDS(attempt_state_items);

static const struct word reason_items[] = {
#define REASON_WORD(name, wire, text) {REASON_##name, wire},
    REASON_TABLE(REASON_WORD)
#undef REASON_WORD
};
/* All but REASON_NONE, which is the absence of one. */
const struct words reason_words = {reason_items + 1, ARRAY_LENGTH(reason_items) - 1};

/* ---- jobs/<job>/spec, history ---- */

static const struct field job_document_fields[] = {
    MANAGER_HEAD_ROWS(struct job_document),
    FIELD(struct job_document, INT, "version", version, "Version of the job: 1, 2, …",
          .flags = FIELD_OMIT_DEFAULT, COUNT_BOUNDS),
    FIELD(struct job_document, BOOL, "stopped", stopped, "Nothing of it is to run.",
          .flags = FIELD_OMIT_DEFAULT),
    FIELD(struct job_document, BOOL, "deleting", deleting,
          "It is being stopped in order to be deleted.", .flags = FIELD_OMIT_DEFAULT),
    FIELD(struct job_document, TIME, "submitted_ms", submitted_ms,
          "When this version was accepted.", .flags = FIELD_OMIT_DEFAULT, COUNT_BOUNDS),
    FIELD_INSIDE(struct job_document, RECORD, "spec", spec, &job_spec_record,
                 "The specification with all defaults; absent in a tombstone.",
                 .flags = FIELD_KEYED),
};
const struct record job_document_record =
    RECORD("job_document", struct job_document, job_document_fields,
           "The accepted specification of a job: what is wanted.");

static const struct field version_fields[] = {
    FIELD(struct version_record, INT, "version", version, "Version of the job.",
          .flags = FIELD_REQUIRED, COUNT_BOUNDS),
    FIELD(struct version_record, TIME, "submitted_ms", submitted_ms, "When it was accepted.",
          .flags = FIELD_OMIT_DEFAULT, COUNT_BOUNDS),
    FIELD_INSIDE(struct version_record, RECORD, "spec", spec, &job_spec_record,
                 "Its specification.", .flags = FIELD_REQUIRED),
};
static const struct record version_record_record =
    RECORD("job_version", struct version_record, version_fields, "One kept version of a job.");

static const struct field reschedule_fields[] = {
    FIELD(struct reschedule_record, NAME, "task", task, "Name of the task.",
          .flags = FIELD_REQUIRED),
    FIELD(struct reschedule_record, INT, "index", index, "Index of the instance.",
          .flags = FIELD_REQUIRED, COUNT_BOUNDS),
    FIELD(struct reschedule_record, INT, "count", count, "Reschedules since the series began.",
          .flags = FIELD_OMIT_DEFAULT, COUNT_BOUNDS),
    FIELD(struct reschedule_record, TIME, "first_ms", first_ms, "Start of the interval.",
          .flags = FIELD_OMIT_DEFAULT, COUNT_BOUNDS),
    FIELD(struct reschedule_record, TIME, "last_ms", last_ms, "Last reschedule.",
          .flags = FIELD_OMIT_DEFAULT, COUNT_BOUNDS),
    FIELD(struct reschedule_record, INT, "delay_ms", delay_ms, "Last delay used.",
          .flags = FIELD_OMIT_DEFAULT, COUNT_BOUNDS),
    FIELD(struct reschedule_record, TIME, "due_ms", due_ms, "Not placed before this time.",
          .flags = FIELD_OMIT_DEFAULT, COUNT_BOUNDS),
    FIELD(struct reschedule_record, STRINGS, "failed_nodes", failed_nodes,
          "Nodes on which the instance failed."),
};
static const struct record reschedule_record_record =
    RECORD("reschedule_history", struct reschedule_record, reschedule_fields,
           "What happened to one instance.");

static const struct field job_history_fields[] = {
    MANAGER_HEAD_ROWS(struct job_history),
    FIELD(struct job_history, RECORDS, "versions", versions, "Kept versions, newest first.",
          .record = &version_record_record, .max = LIMIT_VERSIONS_KEPT),
    FIELD(struct job_history, RECORDS, "reschedules", reschedules,
          "Instances with a history of failures.", .record = &reschedule_record_record),
    FIELD(struct job_history, TIME, "launched_ms", launched_ms,
          "The last time of its schedule that was launched, or passed over.",
          .flags = FIELD_OMIT_DEFAULT, COUNT_BOUNDS),
    FIELD(struct job_history, BOOL, "admitted", admitted,
          "What it depends on was there: it is not waited for again.", .flags = FIELD_OMIT_DEFAULT),
};
const struct record job_history_record =
    RECORD("job_history", struct job_history, job_history_fields,
           "What recovery needs beyond the specification; not there as long as that is nothing.");

/* ---- jobs/<job>/status ---- */

static const struct word job_state_items[] = {
    {JOB_PENDING, "pending"},     {JOB_RUNNING, "running"},   {JOB_DEGRADED, "degraded"},
    {JOB_COMPLETED, "completed"}, {JOB_FAILED, "failed"},     {JOB_STOPPING, "stopping"},
    {JOB_STOPPED, "stopped"},     {JOB_DELETING, "deleting"}, {JOB_PARENT, "parent"}};
static const struct words job_state_words = WORDS(job_state_items);

#define COUNT_ROW(name, doc_) \
    FIELD(struct state_counts, INT, #name, name, doc_, .flags = FIELD_OMIT_DEFAULT, COUNT_BOUNDS)

static const struct field state_counts_fields[] = {
    COUNT_ROW(pending, "Not placed yet."),
    COUNT_ROW(scheduled, "Placed on a node that has not answered yet."),
    COUNT_ROW(preparing, "The image is being pulled."),
    COUNT_ROW(starting, "Being started, or waiting to be restarted."),
    COUNT_ROW(running, "Running."),
    COUNT_ROW(stopping, "Asked to end."),
    COUNT_ROW(completed, "Ended by themselves with success."),
    COUNT_ROW(failed, "Failed for good."),
    COUNT_ROW(stopped, "Stopped on purpose."),
    COUNT_ROW(lost, "Given up with their node."),
    COUNT_ROW(unknown, "On a node that is silent (counted beside the last state)."),
};
static const struct record state_counts_record =
    RECORD("state_counts", struct state_counts, state_counts_fields, "Instances by state.");

static const struct field task_summary_fields[] = {
    FIELD(struct task_summary, NAME, "name", name, "Name of the task.", .flags = FIELD_REQUIRED),
    FIELD(struct task_summary, INT, "count", count, "Instances wanted.", COUNT_BOUNDS),
    FIELD(struct task_summary, INT, "running", running, "Instances that run.",
          .flags = FIELD_OMIT_DEFAULT, COUNT_BOUNDS),
    FIELD(struct task_summary, INT, "completed", completed, "Instances that ended with success.",
          .flags = FIELD_OMIT_DEFAULT, COUNT_BOUNDS),
    FIELD(struct task_summary, INT, "failed", failed, "Instances that failed for good.",
          .flags = FIELD_OMIT_DEFAULT, COUNT_BOUNDS),
    FIELD(struct task_summary, INT, "pending", pending, "Instances that are not placed.",
          .flags = FIELD_OMIT_DEFAULT, COUNT_BOUNDS),
};
static const struct record task_summary_record =
    RECORD("task_summary", struct task_summary, task_summary_fields, "One task in numbers.");

static const struct field exclusion_fields[] = {
    FIELD(struct exclusion, STRING, "reason", reason, "Word of the reason."),
    FIELD(struct exclusion, STRING, "text", text, "The reason for a person."),
    FIELD(struct exclusion, STRING, "detail", detail, "The constraint, property or device."),
    FIELD(struct exclusion, INT, "nodes", nodes, "Nodes that it excludes.", COUNT_BOUNDS),
};
static const struct record exclusion_record =
    RECORD("exclusion", struct exclusion, exclusion_fields, "Why nodes cannot take an instance.");

static const struct field pending_group_fields[] = {
    FIELD(struct pending_group, STRING, "reason", reason, "Word of the reason."),
    FIELD(struct pending_group, STRING, "text", text, "The reason for a person."),
    FIELD(struct pending_group, NAME, "task", task, "Name of the task."),
    FIELD(struct pending_group, INT, "count", count, "Instances that wait for it.", COUNT_BOUNDS),
    FIELD(struct pending_group, STRINGS, "examples", examples, "A few of them."),
    FIELD(struct pending_group, RECORDS, "excluded", excluded, "Nodes excluded, by reason.",
          .record = &exclusion_record),
    FIELD(struct pending_group, STRING, "nearest", nearest, "The node that nearly fits."),
};
static const struct record pending_group_record =
    RECORD("pending_group", struct pending_group, pending_group_fields,
           "Why some instances are not placed.");

static const struct field job_status_fields[] = {
    MANAGER_HEAD_ROWS(struct job_status),
    FIELD(struct job_status, INT, "version", version, "Version of the job.",
          .flags = FIELD_OMIT_DEFAULT, COUNT_BOUNDS),
    FIELD(struct job_status, ENUM, "type", type, "Type of the job.", .words = &job_type_words),
    FIELD(struct job_status, ENUM, "state", state, "The job as a whole.",
          .words = &job_state_words),
    FIELD(struct job_status, INT, "wanted", wanted, "Instances wanted.",
          .flags = FIELD_OMIT_DEFAULT, COUNT_BOUNDS),
    FIELD_INSIDE(struct job_status, RECORD, "counts", counts, &state_counts_record,
                 "Instances by state."),
    FIELD(struct job_status, INT, "outdated", outdated,
          "Instances that still run what an older version said; the update replaces them.",
          .flags = FIELD_OMIT_DEFAULT, COUNT_BOUNDS),
    FIELD(struct job_status, RECORDS, "tasks", tasks, "Each task in numbers.",
          .record = &task_summary_record),
    FIELD(struct job_status, RECORDS, "pending", pending, "Why instances are not placed.",
          .record = &pending_group_record, .max = LIMIT_PENDING_REASONS),
    FIELD(struct job_status, TIME, "next_launch_ms", next_launch_ms, "When it is launched next.",
          .flags = FIELD_OMIT_DEFAULT, COUNT_BOUNDS),
    FIELD(struct job_status, TIME, "changed_ms", changed_ms, "Last change.",
          .flags = FIELD_OMIT_DEFAULT, COUNT_BOUNDS),
};
const struct record job_status_record =
    RECORD("job_status", struct job_status, job_status_fields, "How a job is doing, and why.");

/* ---- nodes/<node>/desired, assign/<job> ---- */

static const struct field node_desired_fields[] = {
    MANAGER_HEAD_ROWS(struct node_desired),
    FIELD(struct node_desired, BOOL, "eligible", eligible, "New work may be placed on it.",
          .fallback = true),
    FIELD(struct node_desired, MAP, "labels", labels, "Set by people; over the worker's own.",
          LABEL_KEYS),
    FIELD(struct node_desired, INT, "interval_ms", interval_ms,
          "Heartbeat interval; absent: the worker's own.", .min = LIMIT_HEARTBEAT_MIN_MS,
          .max = LIMIT_HEARTBEAT_MAX_MS, .fallback = UNSET),
    FIELD(struct node_desired, INT_MAP, "assignments", assignments,
          "Revision by job: everything that is assigned to the node.", COUNT_BOUNDS,
          .pattern = "^[a-z0-9][a-z0-9-]{0,39}$", .accepts = name_is_valid),
    FIELD(struct node_desired, INT, "session_floor", session_floor,
          "Its last session, in a tombstone; or the least that it has to speak with, when it spoke "
          "with one that is over.",
          COUNT_BOUNDS, .flags = FIELD_OMIT_DEFAULT),
};
const struct record node_desired_record =
    RECORD("node_desired", struct node_desired, node_desired_fields,
           "What is wanted of a node, and the index of its assignments.");

static const struct word desired_items[] = {{DESIRED_RUN, "run"}, {DESIRED_STOP, "stop"}};
static const struct words desired_words = WORDS(desired_items);

static const struct field known_fields[] = {
    FIELD(struct known_state, ENUM, "state", state, "Last state.", .words = &attempt_state_words),
    FIELD(struct known_state, INT, "run", run, "Its run.", .flags = FIELD_OMIT_DEFAULT,
          COUNT_BOUNDS),
    FIELD(struct known_state, INT, "restarts", restarts, "Its restarts by policy.",
          .flags = FIELD_OMIT_DEFAULT, COUNT_BOUNDS),
    FIELD(struct known_state, INT, "seq", seq, "The worker's seq of this observation.",
          .flags = FIELD_OMIT_DEFAULT, COUNT_BOUNDS),
    FIELD(struct known_state, INT, "exit_code", exit_code, "Exit code, when it has ended.",
          COUNT_BOUNDS, .fallback = UNSET),
    FIELD(struct known_state, ENUM, "reason", reason, "Why it is so.", .flags = FIELD_OPEN,
          .words = &reason_words),
    FIELD(struct known_state, TIME, "finished_ms", finished_ms, "When it ended.",
          .flags = FIELD_OMIT_DEFAULT, COUNT_BOUNDS),
};
static const struct record known_record =
    RECORD("known_state", struct known_state, known_fields,
           "What the manager knows of an attempt: lets an emptied worker go on where it was.");

static const struct field assigned_attempt_fields[] = {
    FIELD(struct assigned_attempt, TASK_ID, "id", id, "Task id: job_task_index_suffix.",
          .flags = FIELD_REQUIRED),
    FIELD(struct assigned_attempt, INT, "version", version, "Version of the job that it runs.",
          .flags = FIELD_OMIT_DEFAULT, COUNT_BOUNDS),
    FIELD(struct assigned_attempt, ENUM, "desired", desired, "What is wanted of it.",
          .flags = FIELD_REQUIRED, .words = &desired_words),
    FIELD(struct assigned_attempt, INT, "run_wanted", run_wanted,
          "Start at least this run (a person's restart).", .flags = FIELD_OMIT_DEFAULT,
          COUNT_BOUNDS),
    FIELD(struct assigned_attempt, ENUM, "reason", reason, "Why it is to stop.",
          .flags = FIELD_OPEN, .words = &reason_words),
    FIELD_INSIDE(struct assigned_attempt, RECORD, "known", known, &known_record,
                 "What the manager knows of it.", .flags = FIELD_KEYED),
};
static const struct record assigned_attempt_record =
    RECORD("assigned_attempt", struct assigned_attempt, assigned_attempt_fields,
           "One attempt that is placed on the node.");

static const struct field versioned_spec_fields[] = {
    FIELD(struct versioned_spec, INT, "version", version, "Version of the job.",
          .flags = FIELD_REQUIRED, COUNT_BOUNDS),
    FIELD_INSIDE(struct versioned_spec, RECORD, "spec", spec, &job_spec_record,
                 "Its specification.", .flags = FIELD_REQUIRED),
};
const struct record versioned_spec_record =
    RECORD("versioned_spec", struct versioned_spec, versioned_spec_fields,
           "An older version that attempts still run.");

static const struct field assignment_fields[] = {
    MANAGER_HEAD_ROWS(struct assignment),
    FIELD(struct assignment, INT, "revision", revision, "Grows when the content changes.",
          .flags = FIELD_OMIT_DEFAULT, COUNT_BOUNDS),
    FIELD(struct assignment, INT, "version", version, "Version of the job.",
          .flags = FIELD_OMIT_DEFAULT, COUNT_BOUNDS),
    FIELD_INSIDE(struct assignment, RECORD, "spec", spec, &job_spec_record,
                 "The specification of that version; absent in a tombstone.", .flags = FIELD_KEYED),
    FIELD(struct assignment, RECORDS, "older", older, "Older versions that attempts still run.",
          .record = &versioned_spec_record),
    FIELD(struct assignment, RECORDS, "attempts", attempts, "All attempts of the job on the node.",
          .record = &assigned_attempt_record, .max = LIMIT_ATTEMPTS_PER_ASSIGNMENT),
};
const struct record assignment_record =
    RECORD("assignment", struct assignment, assignment_fields,
           "One job on one node: complete in itself, a worker can start it offline.");

/* ---- manager/status ---- */

static const struct word manager_state_items[] = {
    {MANAGER_RECOVERING, "recovering"}, {MANAGER_LEADING, "leading"}, {MANAGER_OFFLINE, "offline"}};
static const struct words manager_state_words = WORDS(manager_state_items);

static const struct word preemption_items[] = {{PREEMPTION_BY_SYSTEM_JOBS, "system"},
                                               {PREEMPTION_BY_ALL, "all"},
                                               {PREEMPTION_BY_NONE, "none"}};
const struct words preemption_words = WORDS(preemption_items);

static const struct field manager_status_fields[] = {
    MANAGER_HEAD_ROWS(struct manager_status),
    FIELD(struct manager_status, ENUM, "state", state, "What the manager is doing.",
          .flags = FIELD_REQUIRED, .words = &manager_state_words),
    FIELD(struct manager_status, INT, "session", session, "Session of its managers/<id>/status.",
          .flags = FIELD_OMIT_DEFAULT, COUNT_BOUNDS),
    FIELD(struct manager_status, STRING, "version", version, "Version of argosy."),
    FIELD(struct manager_status, ENUM, "policy", policy, "How jobs that say none are placed.",
          .flags = FIELD_OPEN, .words = &placement_policy_words),
    FIELD(struct manager_status, ENUM, "preemption", preemption,
          "Which jobs may take the room of a lower priority.", .flags = FIELD_OPEN,
          .words = &preemption_words),
};
const struct record manager_status_record =
    RECORD("manager_status", struct manager_status, manager_status_fields, "Who leads.");
