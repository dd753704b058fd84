/* The runtime port: what starts, stops, watches and lists the tasks of one node.
 *
 * Level-triggered: `list` is the truth, events are only faster. Every call returns at once; results
 * are events on the owner thread. A runtime never restarts anything by itself and never stops what
 * it was not told to stop. An execution is named by (task id, run). */
#ifndef ARGOSY_PORTS_RUNTIME_H
#define ARGOSY_PORTS_RUNTIME_H

#include "platform/base/err.h"
#include "platform/ports/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct runtime;
struct task_spec; /* schema/job_spec.h */

enum runtime_event_kind {
    RUNTIME_PREPARING, /* pulling the image; `message` holds progress ("pulling 40 %") */
    RUNTIME_STARTING,  /* image is there, creating */
    RUNTIME_RUNNING,   /* started; also for each running execution found by list */
    RUNTIME_EXITED,    /* ended by itself or by stop; also for each ended execution found by list */
    RUNTIME_FAILED, /* could not be started (reason, message); nothing was left behind. May follow
                       RUNNING: a container's init process finds out last that there is no such
                       command */
    RUNTIME_GONE,   /* removed, or never existed: answer to stop/remove of what is not there */
    RUNTIME_HEALTH, /* the result of a probe: `healthy` */
    RUNTIME_LISTED, /* a list is complete: every execution of ours was reported since it began */
    RUNTIME_UP,     /* the engine answers (again) */
    RUNTIME_DOWN,   /* the engine does not answer: nothing is known about its tasks */
};

struct runtime_port_binding {
    int64_t container; /* port inside, 1..65535 */
    int64_t host;      /* port on the node */
    bool udp;
};

struct runtime_event {
    enum runtime_event_kind kind;
    const char *task_id; /* NULL for LISTED, UP, DOWN */
    const char *cluster; /* the cluster that the execution is labelled with, or NULL */
    int64_t run;
    int64_t exit_code; /* EXITED: 0..255; 128 + signal when killed by one */
    int reason;        /* enum reason (schema/reasons.h) for FAILED and EXITED, 0: none */
    bool oom_killed;
    bool healthy;
    int health_index;         /* HEALTH: which check of the task */
    const char *message;      /* a sentence for a person, or NULL */
    const char *execution_id; /* container id or pid, or NULL */
    const char *address;      /* where the task's own ports answer (container ip), or NULL */
    int64_t started_ms;       /* wall, 0: unknown */
    int64_t finished_ms;      /* wall, 0: unknown */
    const struct runtime_port_binding *ports;
    size_t port_count;
};

struct runtime_handler {
    void *context;
    void (*on_event)(void *context, struct runtime *runtime, const struct runtime_event *event);
    /* A chunk of a log, `stream` 1 stdout, 2 stderr; `length` 0 with `end`: finished, `err` NULL or
     * why. */
    void (*on_log)(void *context, uint64_t request, int stream, const void *bytes, size_t length,
                   bool end, const struct err *err);
};

struct runtime_start {
    const char *task_id;
    int64_t run;
    const char *job;
    int64_t term;
    const struct task_spec *task; /* valid during the call; the runtime copies what it needs */
    const char *const *env; /* "KEY=value" entries beyond the spec's own (ARGOSY_*), NULL-ended */
    /* What the task finds in the file that ARGOSY_PAYLOAD_FILE names; NULL: there is none. */
    const void *payload;
    size_t payload_length;
};

/* Usage of one running execution; -1 where unknown. */
struct runtime_usage {
    double cpu_seconds_total;
    int64_t memory_bytes;
    int64_t memory_limit_bytes;
    int64_t net_rx_bytes;
    int64_t net_tx_bytes;
    int64_t block_read_bytes;
    int64_t block_write_bytes;
    int64_t pids;
};
typedef void runtime_usage_fn(void *context, const char *task_id,
                              const struct runtime_usage *usage);

struct runtime_ops {
    const char *name; /* the spec's word: docker, process, simulated */
    /* The cluster that this node belongs to became known. Copied; later starts carry it, and lists
     * leave out what belongs to another one. While none is known, lists hold every execution of
     * this node. */
    void (*set_cluster)(struct runtime *runtime, const char *cluster);
    /* Prepares, creates and starts. Idempotent: an execution of the same name that already exists
     * is reported as it is. PREPARING, STARTING, then RUNNING or FAILED. */
    void (*start)(struct runtime *runtime, const struct runtime_start *start);
    /* Asks it to end: `signal` number, SIGKILL after `timeout_ms`. EXITED or GONE follows. Also
     * ends a start that is under way. */
    void (*stop)(struct runtime *runtime, const char *task_id, int64_t run, int signal,
                 int64_t timeout_ms);
    /* Removes an ended execution with its logs and its directory. GONE follows. */
    void (*remove)(struct runtime *runtime, const char *task_id, int64_t run);
    /* Reports every execution of this cluster and node, then LISTED; DOWN when the engine does not
     * answer. */
    void (*list)(struct runtime *runtime);
    /* Runs check `health_index` of the task once. HEALTH follows. */
    void (*probe)(struct runtime *runtime, const char *task_id, int64_t run,
                  const struct task_spec *task, int health_index);
    /* The last `tail_lines` of the log (-1: all), at most `limit_bytes`, as on_log chunks with
     * `request`. */
    void (*logs)(struct runtime *runtime, uint64_t request, const char *task_id, int64_t run,
                 int64_t tail_lines, size_t limit_bytes, bool follow);
    void (*logs_cancel)(struct runtime *runtime, uint64_t request);
    /* Calls `report` some time later; never when it does not run. Asked again before that it is one
     * question. */
    void (*usage)(struct runtime *runtime, const char *task_id, int64_t run,
                  runtime_usage_fn *report, void *context);
    void (*close)(struct runtime *runtime); /* leaves the tasks running; frees the runtime */
};

struct runtime {
    const struct runtime_ops *ops;
};

#endif
