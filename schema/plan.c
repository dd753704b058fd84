#include "schema/plan.h"

#include "schema/documents_rows.h"

static const struct word action_items[] = {{PLAN_KEEP, "keep"},   {PLAN_UPDATE, "update"},
                                           {PLAN_PLACE, "place"}, {PLAN_REPLACE, "replace"},
                                           {PLAN_STOP, "stop"},   {PLAN_PENDING, "pending"}};
const struct words plan_action_words = WORDS(action_items);

#define PART(name, doc_)                                                          \
    FIELD(struct plan_parts, NUMBER, #name, name, doc_, .min = -SAFE_INTEGER_MAX, \
          .max = SAFE_INTEGER_MAX)
static const struct field parts_fields[] = {
    PART(policy, "How well the node suits as the policy sees it."),
    PART(anti_affinity, "Other instances of the task are there."),
    PART(penalty, "The instance has failed there before."),
    PART(affinity, "Affinities that match, by weight."),
    PART(spread, "What the spread blocks say."),
};
static const struct record parts_record =
    RECORD("plan_parts", struct plan_parts, parts_fields, "Parts of a score that apply.");

static const struct field exclusion_fields[] = {
    FIELD(struct plan_exclusion, STRING, "reason", reason, "Word of the reason."),
    FIELD(struct plan_exclusion, STRING, "text", text, "The same for a person."),
    FIELD(struct plan_exclusion, STRING, "detail", detail, "Constraint, device or property."),
    FIELD(struct plan_exclusion, INT, "nodes", nodes, "Nodes that it excludes.", COUNT_BOUNDS),
};
static const struct record exclusion_record =
    RECORD("plan_exclusion", struct plan_exclusion, exclusion_fields,
           "Nodes that cannot take an instance, by the first reason against them.");

#define SCORE_ROW(type)                                                                 \
    FIELD(type, NUMBER, "score", score, "Mean of the parts.", .min = -SAFE_INTEGER_MAX, \
          .max = SAFE_INTEGER_MAX)
static const struct field candidate_fields[] = {
    FIELD(struct plan_candidate, STRING, "node", node, "The node."),
    SCORE_ROW(struct plan_candidate),
    FIELD_INSIDE(struct plan_candidate, RECORD, "parts", parts, &parts_record, "Its parts."),
    FIELD(struct plan_candidate, STRING, "excluded", excluded,
          "Word of the first reason why it cannot take it."),
    FIELD(struct plan_candidate, STRING, "detail", detail, "Constraint, device or property."),
};
static const struct record candidate_record =
    RECORD("plan_candidate", struct plan_candidate, candidate_fields,
           "A node as the scheduler saw it for one instance.");

static const struct field instance_fields[] = {
    FIELD(struct plan_instance, STRING, "instance", instance, "job_task_index."),
    FIELD(struct plan_instance, STRING, "job", job, "Its job."),
    FIELD(struct plan_instance, STRING, "task", task, "Its task."),
    FIELD(struct plan_instance, INT, "index", index, "Its index.", COUNT_BOUNDS),
    FIELD(struct plan_instance, ENUM, "action", action, "What would become of it.",
          .words = &plan_action_words),
    FIELD(struct plan_instance, STRING, "node", node, "Where."),
    SCORE_ROW(struct plan_instance),
    FIELD_INSIDE(struct plan_instance, RECORD, "parts", parts, &parts_record,
                 "Parts of the score."),
    FIELD(struct plan_instance, STRINGS, "preempts", preempts,
          "Instances of a lower priority that have to make room first."),
    FIELD(struct plan_instance, RECORDS, "excluded", excluded, "Why it is pending.",
          .flags = FIELD_OMIT_DEFAULT, .record = &exclusion_record),
    FIELD(struct plan_instance, STRING, "nearest", nearest, "The nearest miss."),
    FIELD(struct plan_instance, RECORDS, "candidates", candidates, "All nodes, with --explain.",
          .flags = FIELD_OMIT_DEFAULT, .record = &candidate_record),
};
static const struct record instance_record = RECORD(
    "plan_instance", struct plan_instance, instance_fields, "What would become of an instance.");

static const struct field change_fields[] = {
    FIELD(struct plan_change, STRING, "field", field, "Its path; tasks by their names."),
    FIELD(struct plan_change, STRING, "from", from, "What it is; absent: not there."),
    FIELD(struct plan_change, STRING, "to", to, "What it would be; absent: gone."),
};
static const struct record change_record =
    RECORD("plan_change", struct plan_change, change_fields, "A field that would change.");

static const struct field plan_job_fields[] = {
    FIELD(struct plan_job, STRING, "job", job, "Its name."),
    FIELD(struct plan_job, BOOL, "new", is_new, "Whether it is not there yet."),
    FIELD(struct plan_job, BOOL, "parent", is_parent,
          "Whether it is run by its children only, so that nothing of it is placed.",
          .flags = FIELD_OMIT_DEFAULT),
    FIELD(struct plan_job, RECORDS, "changes", changes, "What would change of its specification.",
          .record = &change_record),
};
static const struct record plan_job_record =
    RECORD("plan_job", struct plan_job, plan_job_fields, "What would change of a job.");

static const struct field plan_fields[] = {
    FIELD(struct plan, RECORDS, "jobs", jobs, "What would change of the jobs.",
          .record = &plan_job_record),
    FIELD(struct plan, RECORDS, "instances", instances, "Instances of the jobs, in their order.",
          .record = &instance_record),
};
const struct record plan_record =
    RECORD("plan", struct plan, plan_fields, "What would become of jobs on a cluster.");
