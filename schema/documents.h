/* Every message on the bus but the job specification (schema/job_spec.h), as structs with field
 * tables.
 *
 * Order of documents. A manager's document is ordered by (term, manager, seq), a node's by seq.
 * Readers keep the larger one. A tombstone says that its subject is gone for good. */
#ifndef ARGOSY_SCHEMA_DOCUMENTS_H
#define ARGOSY_SCHEMA_DOCUMENTS_H

#include "schema/field.h"
#include "schema/job_spec.h"
#include "schema/states.h"

/* ---- heads ---- */

struct manager_head {
    const char *cluster;
    const char *manager; /* id of the manager that wrote it */
    int64_t term;
    int64_t seq;
    bool tombstone;
};
/* <0, 0, >0: order of two documents on one topic. */
int manager_head_compare(const struct manager_head *a, const struct manager_head *b);

struct node_head {
    const char *cluster; /* NULL until the worker has heard of one */
    int64_t term;        /* highest seen */
    int64_t seq;
};

/* ---- jobs/<job>/spec, history, status ---- */

struct job_document {
    struct manager_head head;
    int64_t version; /* 1, 2, … */
    bool stopped;
    bool deleting; /* being stopped in order to be deleted */
    int64_t submitted_ms;
    struct job_spec spec; /* normalised; absent in a tombstone (spec.name NULL) */
};
extern const struct record job_document_record;

struct version_record {
    int64_t version;
    int64_t submitted_ms;
    struct job_spec spec;
};

/* What happened to one instance: what rescheduling needs. */
struct reschedule_record {
    const char *task;
    int64_t index;
    int64_t count;    /* reschedules since the series began */
    int64_t first_ms; /* wall: start of the interval */
    int64_t last_ms;  /* wall: last reschedule */
    int64_t delay_ms; /* last delay used */
    int64_t due_ms;   /* wall: not placed before; 0: not waiting */
    struct string_list failed_nodes;
};

struct job_history {
    struct manager_head head;
    struct record_list versions;    /* struct version_record, newest first, at most six */
    struct record_list reschedules; /* struct reschedule_record */
    bool admitted;                  /* what it depends on was there */
    int64_t launched_ms;            /* the last time of its schedule that was taken; 0 */
};
extern const struct record job_history_record;

enum job_state {
    JOB_PENDING = 1, /* nothing of it runs yet */
    JOB_RUNNING,     /* all instances run (batch: run or have completed) */
    JOB_DEGRADED,    /* some run */
    JOB_COMPLETED,   /* batch: all completed */
    JOB_FAILED,      /* ended, and at least one instance failed for good */
    JOB_STOPPING,    /* to be stopped, and something of it is still there */
    JOB_STOPPED,     /* nothing of it is left */
    JOB_DELETING,
    JOB_PARENT, /* run by its children only */
};

struct state_counts {
    int64_t pending, scheduled, preparing, starting, running, stopping;
    int64_t completed, failed, stopped, lost, unknown;
};

struct exclusion {
    const char *reason; /* wire name of an enum reason */
    const char *text;   /* "node is in another datacenter" */
    const char *detail; /* the constraint, property or device, or NULL */
    int64_t nodes;
};

struct pending_group {
    const char *reason;
    const char *text; /* a sentence: why, for a person */
    const char *task;
    int64_t count;               /* instances */
    struct string_list examples; /* a few instance names */
    struct record_list excluded; /* struct exclusion */
    const char *nearest;         /* "edge-04 lacks 12 MiB memory", or NULL */
};

struct task_summary {
    const char *name;
    int64_t count;
    int64_t running;
    int64_t completed;
    int64_t failed;
    int64_t pending;
};

struct job_status {
    struct manager_head head;
    int64_t version;
    int type;       /* enum job_type */
    int state;      /* enum job_state */
    int64_t wanted; /* instances */
    struct state_counts counts;
    int64_t outdated;           /* instances that still run what an older version said */
    struct record_list tasks;   /* struct task_summary */
    struct record_list pending; /* struct pending_group */
    int64_t next_launch_ms;     /* of its schedule; 0: none */
    int64_t changed_ms;
};
extern const struct record job_status_record;

/* ---- nodes/<node>/desired, assign/<job> ---- */

struct node_desired {
    struct manager_head head;
    bool eligible;
    struct string_map labels;   /* set by people; over the worker's own */
    int64_t interval_ms;        /* heartbeat; UNSET: the worker's own */
    struct int_map assignments; /* job -> revision: everything that is assigned */
    int64_t session_floor; /* its last session, in a tombstone or when it speaks with a smaller one;
                              0 */
};
extern const struct record node_desired_record;

enum desired_state { DESIRED_RUN = 1, DESIRED_STOP };

/* What the manager knows of an attempt: lets an emptied worker go on where it was. */
struct known_state {
    int state; /* enum attempt_state */
    int64_t run;
    int64_t restarts;
    int64_t seq;
    int64_t exit_code; /* UNSET: none */
    int reason;        /* enum reason */
    int64_t finished_ms;
};

struct assigned_attempt {
    const char *id;
    int64_t version;
    int desired;              /* enum desired_state */
    int64_t run_wanted;       /* a person's restart: start at least this run; 0 none */
    int reason;               /* why it is to stop */
    struct known_state known; /* known.state 0: nothing yet */
};

struct versioned_spec {
    int64_t version;
    struct job_spec spec;
};

struct assignment {
    struct manager_head head;
    int64_t revision; /* grows when the content changes */
    int64_t version;
    struct job_spec spec;     /* of `version` */
    struct record_list older; /* struct versioned_spec: of attempts that still run an older one */
    struct record_list attempts; /* struct assigned_attempt */
};
extern const struct record assignment_record;

/* ---- nodes/<node>/state/<job>, status, info, metrics ---- */

struct bound_port {
    int64_t port; /* inside */
    int64_t host;
    bool udp;
};

enum health_state { HEALTH_UNKNOWN = 1, HEALTH_HEALTHY, HEALTH_UNHEALTHY };

struct observed_attempt {
    const char *id;
    int64_t version;
    int state; /* enum attempt_state */
    int64_t run;
    int64_t restarts;
    int64_t seq;
    int64_t exit_code; /* UNSET: none */
    int reason;
    const char *message;
    int health;                                  /* 0 when the task has no check */
    struct record_list ports;                    /* struct bound_port */
    const char *execution;                       /* container id or pid of the run */
    const char *address;                         /* inside address of the task, or NULL */
    int64_t changed_ms, started_ms, finished_ms; /* wall; 0: not yet */
    /* restart policy's memory, so that a reboot loop gets no fresh attempts */
    int64_t window_ms;       /* wall start of the tumbling window */
    int64_t window_restarts; /* restarts counted in it */
    int64_t backoff_step;
    int64_t retry_ms; /* wall: next start, 0 when it does not wait */
};

struct node_state {
    struct node_head head;
    int64_t revision;            /* of the assignment that was stored */
    bool tombstone;              /* nothing of this job is left here; the topic will be cleared */
    struct record_list attempts; /* struct observed_attempt */
};
extern const struct record node_state_record;

enum presence { PRESENCE_ONLINE = 1, PRESENCE_OFFLINE };

struct presence_document { /* nodes/<id>/status and managers/<id>/status */
    int state;             /* enum presence */
    int64_t session;
    const char *instance; /* random per process start: tells two workers with one id apart */
    int64_t since_ms;
};
extern const struct record presence_record;

struct capacity {
    int64_t cpu_millis;
    int64_t memory_bytes;
    int64_t disk_bytes;
};

struct node_info {
    struct node_head head;
    const char *datacenter;
    const char *address; /* where its published ports are reached, or NULL */
    struct string_map labels;
    struct string_map attributes; /* arch, os, kernel.version, cpu.cores, hostname, … */
    struct capacity capacity;     /* offered to tasks, after what is reserved */
    struct string_list runtimes;
    int64_t max_attempts;
    int64_t interval_ms;
    const char *version; /* of argosy */
    const char *boot_id;
    const char *refused_manager; /* an older manager that it refused, or NULL */
    int64_t refused_term;
};
extern const struct record node_info_record;

/* nodes/<node>/metrics and nodes/<node>/tasks/<id>/metrics: one flat object of numbers. */
struct metrics_document {
    struct number_map numbers;
};
/* Names and meanings of the numbers, for the docs and the schema. */
struct metric_row {
    const char *name;
    const char *unit;
    const char *doc;
};
extern const struct metric_row node_metric_rows[];
extern const size_t node_metric_row_count;
extern const struct metric_row task_metric_rows[];
extern const size_t task_metric_row_count;

/* ---- manager/status ---- */

enum manager_state { MANAGER_RECOVERING = 1, MANAGER_LEADING, MANAGER_OFFLINE };

/* Whose instances may take the room of those of a lower priority. */
enum preemption { PREEMPTION_BY_SYSTEM_JOBS = 1, PREEMPTION_BY_ALL, PREEMPTION_BY_NONE };
extern const struct words preemption_words;

struct manager_status {
    struct manager_head head; /* head.manager is its id */
    int state;
    int64_t session; /* of its managers/<id>/status */
    const char *version;
    int policy;     /* enum placement_policy: of jobs that have none */
    int preemption; /* enum preemption */
};
extern const struct record manager_status_record;

/* <own>/barrier */
struct barrier_document {
    const char *nonce;
};
extern const struct record barrier_record;

/* ---- commands ---- */

/* Reserved keys, beside a specification or a verb's arguments. */
struct command_envelope {
    const char *token;
    const char *reply_to;
    int64_t expect_version; /* UNSET: none */
    int64_t expires_at_ms;  /* UNSET: none */
};
extern const struct record command_envelope_record;

struct scale_arguments {
    struct command_envelope envelope;
    int64_t count;
    const char *task; /* NULL: the only one */
};
extern const struct record scale_arguments_record;

struct dispatch_arguments {
    struct command_envelope envelope;
    struct string_map meta;
    const char *payload;        /* text */
    const char *payload_base64; /* any bytes */
};
extern const struct record dispatch_arguments_record;

struct job_arguments { /* stop, delete, restart */
    struct command_envelope envelope;
};
extern const struct record job_arguments_record;

struct node_arguments { /* eligibility, labels, interval, delete */
    struct command_envelope envelope;
    int64_t eligible;         /* tristate */
    struct string_map labels; /* "" removes one */
    int64_t interval_ms;
};
extern const struct record node_arguments_record;

enum reply_result { REPLY_ACCEPTED = 1, REPLY_REJECTED };

struct reply_error {
    const char *path;
    const char *message;
    const char *hint;
};

struct reply {
    const char *token;
    int result;
    const char *code; /* "accepted", or the wire name of a reason */
    const char *message;
    const char *job;
    const char *node;
    int64_t version;           /* of the job, UNSET when it has none */
    int64_t changed;           /* tristate: false when everything was so already */
    const char *child;         /* dispatch: the job that was made */
    struct record_list errors; /* struct reply_error */
};
extern const struct record reply_record;

/* ---- ask/<node>/<verb>, answers, logs ---- */

struct ask {
    const char *token; /* required: names the answer topic */
    const char *task;  /* logs, inspect, stats: an attempt id; or an instance "job_task_index" */
    const char *job;   /* assignments: one job, or NULL for all */
    int64_t lines;     /* logs: last lines, UNSET: all */
    bool follow;       /* logs: keep sending for `lease_ms` (asked again to go on) */
    int64_t lease_ms;
};
extern const struct record ask_record;

struct answer {
    const char *token;
    int result;       /* enum reply_result */
    const char *code; /* "accepted", or the wire name of a reason */
    const char *message;
    const char *task;
    int64_t chunks; /* logs: number of chunks sent */
    int64_t part;   /* assignments: 1 … parts */
    int64_t parts;
    const struct assignment *assignment;
    const struct node_state *state; /* inspect */
    struct number_map numbers;      /* stats */
};
extern const struct record answer_record;

struct log_chunk {
    const char *token;
    int64_t seq; /* 1, 2, … over both streams of one request */
    const char *data;
    bool end;
};
extern const struct record log_chunk_record;

/* ---- events/<kind>: CloudEvents 1.0, structured ---- */

struct event_data {
    const char *reason; /* wire name */
    const char *message;
    const char *topic; /* the offending topic, or NULL */
    const char *job, *node, *task;
    int64_t suppressed; /* of its kind, since the last that was told */
};

struct cloud_event {
    const char *specversion; /* "1.0" */
    const char *id;
    const char *source; /* "/argosy/<cluster>/nodes/<node>" */
    const char *type;   /* "argosy.<kind>" */
    const char *subject;
    const char *time; /* RFC 3339 */
    const char *datacontenttype;
    struct event_data data;
};
extern const struct record cloud_event_record;

/* ---- in stores ---- */

struct store_meta {
    int64_t schema_version;
    const char *role;    /* "manager" or "worker" */
    const char *cluster; /* NULL: not known yet */
    const char *id;
    const char *boot_id;
    int64_t term;
    int64_t seq;        /* largest given out */
    int64_t session;    /* last used */
    int64_t offline_ms; /* worker: wall time since when it has no broker, 0: it has one */
};
extern const struct record store_meta_record;

struct token_record {
    int64_t received_ms;
    const char *topic;
    struct reply reply;
};
extern const struct record token_record_record;

#endif
