/* What people and scripts send, what they get back, events, and what stores hold beside documents.
 */
#include "schema/documents_rows.h"

/* ---- commands ---- */

static const struct field envelope_fields[] = {ENVELOPE_ROWS(struct command_envelope, )};
const struct record command_envelope_record =
    RECORD("command_envelope", struct command_envelope, envelope_fields,
           "Reserved keys beside a specification or arguments.");

static const struct field scale_fields[] = {
    ENVELOPE_ROWS(struct scale_arguments, envelope.),
    FIELD(struct scale_arguments, INT, "count", count, "Instances wanted.", .flags = FIELD_REQUIRED,
          .max = LIMIT_INSTANCES_PER_TASK),
    FIELD(struct scale_arguments, NAME, "task", task, "The task; absent: the only one."),
};
const struct record scale_arguments_record =
    RECORD("scale_arguments", struct scale_arguments, scale_fields, "Arguments of scale.");

static const struct field dispatch_fields[] = {
    ENVELOPE_ROWS(struct dispatch_arguments, envelope.),
    FIELD(struct dispatch_arguments, MAP, "meta", meta,
          "Values for the keys that the job's parameters name.", .flags = FIELD_SCALARS,
          .max = LIMIT_META_KEYS, LABEL_KEYS),
    FIELD(struct dispatch_arguments, STRING, "payload", payload, "A payload that is text.",
          .max = LIMIT_DISPATCH_PAYLOAD_BYTES),
    FIELD(struct dispatch_arguments, STRING, "payload_base64", payload_base64,
          "Any payload, in Base64; instead of payload.",
          .max = (LIMIT_DISPATCH_PAYLOAD_BYTES + 2) / 3 * 4),
};
const struct record dispatch_arguments_record =
    RECORD("dispatch_arguments", struct dispatch_arguments, dispatch_fields,
           "Arguments of dispatch; may be empty.");

static const struct field job_arguments_fields[] = {ENVELOPE_ROWS(struct job_arguments, envelope.)};
const struct record job_arguments_record =
    RECORD("job_arguments", struct job_arguments, job_arguments_fields,
           "Arguments of stop, delete and restart; may be empty.");

static const struct field node_arguments_fields[] = {
    ENVELOPE_ROWS(struct node_arguments, envelope.),
    FIELD(struct node_arguments, TRISTATE, "eligible", eligible,
          "eligibility: new work may be placed on the node.", .fallback = UNSET),
    FIELD(struct node_arguments, MAP, "labels", labels,
          "labels: set by people; an empty text removes one.", .flags = FIELD_SCALARS, .max = 100,
          LABEL_KEYS),
    FIELD(struct node_arguments, INT, "interval_ms", interval_ms, "interval: of the heartbeat.",
          .min = LIMIT_HEARTBEAT_MIN_MS, .max = LIMIT_HEARTBEAT_MAX_MS, .fallback = UNSET),
};
const struct record node_arguments_record =
    RECORD("node_arguments", struct node_arguments, node_arguments_fields,
           "Arguments of eligibility, labels, interval and delete.");

/* ---- answers ---- */

static const struct word reply_result_items[] = {{REPLY_ACCEPTED, "accepted"},
                                                 {REPLY_REJECTED, "rejected"}};
const struct words reply_result_words = WORDS(reply_result_items);

static const struct field reply_error_fields[] = {
    FIELD(struct reply_error, STRING, "path", path, "JSON pointer into the payload."),
    FIELD(struct reply_error, STRING, "message", message, "What is wrong."),
    FIELD(struct reply_error, STRING, "hint", hint, "The remedy."),
};
static const struct record reply_error_record =
    RECORD("reply_error", struct reply_error, reply_error_fields, "One thing that is wrong.");

static const struct field reply_fields[] = {
    FIELD(struct reply, STRING, "token", token, "The caller's token."),
    FIELD(struct reply, ENUM, "result", result, "Accepted or rejected.", .flags = FIELD_REQUIRED,
          .words = &reply_result_words),
    FIELD(struct reply, STRING, "code", code, "accepted, or the word of a reason."),
    FIELD(struct reply, STRING, "message", message, "The same for a person."),
    FIELD(struct reply, STRING, "job", job, "The job it is about."),
    FIELD(struct reply, STRING, "node", node, "The node it is about."),
    FIELD(struct reply, INT, "version", version, "Version of the job.", COUNT_BOUNDS,
          .fallback = UNSET),
    FIELD(struct reply, TRISTATE, "changed", changed, "false: everything was so already.",
          .fallback = UNSET),
    FIELD(struct reply, NAME, "child", child, "dispatch: the job that was made."),
    FIELD(struct reply, RECORDS, "errors", errors, "Everything that is wrong.",
          .record = &reply_error_record),
};
const struct record reply_record =
    RECORD("reply", struct reply, reply_fields, "The manager's answer to a command.");

/* ---- ask, answers, logs ---- */

static const struct field ask_fields[] = {
    FIELD(struct ask, TOKEN, "token", token, "Names the topic of the answer.",
          .flags = FIELD_REQUIRED),
    FIELD(struct ask, STRING, "task", task,
          "logs, inspect, stats: a task id, or an instance job_task_index.", .min = 1,
          .max = LIMIT_TASK_ID_LENGTH),
    FIELD(struct ask, NAME, "job", job, "assignments: one job; absent: all."),
    FIELD(struct ask, INT, "lines", lines, "logs: the last lines; absent: all.", COUNT_BOUNDS,
          .fallback = UNSET),
    FIELD(struct ask, BOOL, "follow", follow, "logs: go on sending for lease_ms.",
          .flags = FIELD_OMIT_DEFAULT),
    FIELD(struct ask, INT, "lease_ms", lease_ms, "logs: how long it follows; asked again to go on.",
          .flags = FIELD_OMIT_DEFAULT, .max = HOUR_MS),
};
const struct record ask_record = RECORD("ask", struct ask, ask_fields, "A question to a worker.");

static const struct field answer_fields[] = {
    FIELD(struct answer, STRING, "token", token, "The caller's token."),
    FIELD(struct answer, ENUM, "result", result, "Accepted or rejected.", .flags = FIELD_REQUIRED,
          .words = &reply_result_words),
    FIELD(struct answer, STRING, "code", code, "accepted, or the word of a reason."),
    FIELD(struct answer, STRING, "message", message, "The same for a person."),
    FIELD(struct answer, STRING, "task", task, "The task id it is about."),
    FIELD(struct answer, INT, "chunks", chunks, "logs: number of chunks sent.",
          .flags = FIELD_OMIT_DEFAULT, COUNT_BOUNDS),
    FIELD(struct answer, INT, "part", part, "assignments: 1 … parts.", .flags = FIELD_OMIT_DEFAULT,
          COUNT_BOUNDS),
    FIELD(struct answer, INT, "parts", parts, "assignments: number of answers.",
          .flags = FIELD_OMIT_DEFAULT, COUNT_BOUNDS),
    FIELD_INSIDE(struct answer, OBJECT_OPTIONAL, "assignment", assignment, &assignment_record,
                 "assignments: one that is stored."),
    FIELD_INSIDE(struct answer, OBJECT_OPTIONAL, "state", state, &node_state_record,
                 "inspect: what is observed."),
    FIELD(struct answer, NUMBER_MAP, "numbers", numbers, "stats: usage of the task."),
};
const struct record answer_record =
    RECORD("answer", struct answer, answer_fields, "A worker's answer.");

static const struct field log_chunk_fields[] = {
    FIELD(struct log_chunk, TOKEN, "token", token, "The caller's token.", .flags = FIELD_REQUIRED),
    FIELD(struct log_chunk, INT, "seq", seq, "1, 2, … over both streams of one request.",
          .flags = FIELD_REQUIRED, COUNT_BOUNDS),
    FIELD(struct log_chunk, STRING, "data", data, "Text of the log."),
    FIELD(struct log_chunk, BOOL, "end", end, "Nothing follows.", .flags = FIELD_OMIT_DEFAULT),
};
const struct record log_chunk_record =
    RECORD("log_chunk", struct log_chunk, log_chunk_fields, "A piece of a log.");

/* ---- events ---- */

static const struct field event_data_fields[] = {
    FIELD(struct event_data, STRING, "reason", reason, "Word of the reason."),
    FIELD(struct event_data, STRING, "message", message, "The same for a person."),
    FIELD(struct event_data, STRING, "topic", topic, "The offending topic."),
    FIELD(struct event_data, STRING, "job", job, "The job it is about."),
    FIELD(struct event_data, STRING, "node", node, "The node it is about."),
    FIELD(struct event_data, STRING, "task", task, "The task id it is about."),
    FIELD(struct event_data, INT, "suppressed", suppressed,
          "So many of its kind were left out since the last that was told.",
          .flags = FIELD_OMIT_DEFAULT, COUNT_BOUNDS),
};
static const struct record event_data_record =
    RECORD("event_data", struct event_data, event_data_fields, "What happened.");

static const struct field cloud_event_fields[] = {
    FIELD(struct cloud_event, STRING, "specversion", specversion, "1.0", .flags = FIELD_REQUIRED),
    FIELD(struct cloud_event, STRING, "id", id, "Unique with source.", .flags = FIELD_REQUIRED),
    FIELD(struct cloud_event, STRING, "source", source,
          "/argosy/<cluster>/nodes/<node>, or …/manager.", .flags = FIELD_REQUIRED),
    FIELD(struct cloud_event, STRING, "type", type, "argosy.<kind>", .flags = FIELD_REQUIRED),
    FIELD(struct cloud_event, STRING, "subject", subject, "What it is about."),
    FIELD(struct cloud_event, STRING, "time", time, "RFC 3339."),
    FIELD(struct cloud_event, STRING, "datacontenttype", datacontenttype, "application/json"),
    FIELD_INSIDE(struct cloud_event, RECORD, "data", data, &event_data_record, "What happened."),
};
const struct record cloud_event_record =
    RECORD("cloud_event", struct cloud_event, cloud_event_fields,
           "Something that happened: CloudEvents 1.0, structured mode. Of each kind a process "
           "tells 100 at once and as many a minute.");

/* ---- in stores ---- */

static const struct field store_meta_fields[] = {
    FIELD(struct store_meta, INT, "schema_version", schema_version, "Format of the store.",
          .flags = FIELD_REQUIRED, COUNT_BOUNDS),
    FIELD(struct store_meta, STRING, "role", role, "manager or worker.", .flags = FIELD_REQUIRED),
    FIELD(struct store_meta, STRING, "cluster", cluster, "Id of the cluster, once it is known."),
    FIELD(struct store_meta, STRING, "id", id, "Own id."),
    FIELD(struct store_meta, STRING, "boot_id", boot_id, "Boot in which it was last open."),
    FIELD(struct store_meta, INT, "term", term, "Highest term seen, or own.", COUNT_BOUNDS),
    FIELD(struct store_meta, INT, "seq", seq, "Largest given out.", COUNT_BOUNDS),
    FIELD(struct store_meta, INT, "session", session, "Last used.", COUNT_BOUNDS),
    FIELD(struct store_meta, TIME, "offline_ms", offline_ms,
          "worker: since when it has had no broker; stop_after counts from here.",
          .flags = FIELD_OMIT_DEFAULT, COUNT_BOUNDS),
};
const struct record store_meta_record =
    RECORD("store_meta", struct store_meta, store_meta_fields, "Whose store this is.");

static const struct field token_record_fields[] = {
    FIELD(struct token_record, TIME, "received_ms", received_ms, "When the command came.",
          .flags = FIELD_REQUIRED, COUNT_BOUNDS),
    FIELD(struct token_record, STRING, "topic", topic, "The command's topic."),
    FIELD_INSIDE(struct token_record, RECORD, "reply", reply, &reply_record,
                 "The answer that was given."),
};
const struct record token_record_record =
    RECORD("token_record", struct token_record, token_record_fields,
           "A command that was handled: its repetition gets the same answer.");
