/* A cluster as a scheduler sees it: what `argosy snapshot` writes and `argosy plan --cluster`
 * reads.
 *
 * It is written for people too: cores and sizes as in a job specification, and everything but ids
 * has a default, so that a cluster for a question can be typed by hand. */
#ifndef ARGOSY_SCHEMA_SNAPSHOT_H
#define ARGOSY_SCHEMA_SNAPSHOT_H

#include "schema/job_spec.h"

/* Cores and sizes that belong to a node; 0 where nothing is said. */
struct snapshot_amounts {
    int64_t cpu_millis;
    int64_t memory_bytes;
    int64_t disk_bytes;
};

struct snapshot_usage { /* what the heartbeat told */
    double cpu_percent; /* of all cores, 0 to 100; NAN: not told */
    int64_t mem_used_bytes;
    int64_t age_ms; /* of the heartbeat when the snapshot was taken */
};

struct snapshot_node {
    const char *id;
    const char *datacenter;
    bool online;
    bool eligible;
    struct string_map labels;
    struct string_map attributes;
    struct string_list runtimes;
    struct snapshot_amounts capacity;
    struct snapshot_amounts reserved; /* of the capacity, not for tasks */
    struct snapshot_usage usage;
    struct string_list ports_used; /* "8080", "53/udp": by others than tasks */
    int64_t max_tasks;
};

struct snapshot_task { /* an attempt that has not ended */
    const char *job;
    const char *task;
    int64_t index;
    const char *node;
    int64_t priority;
    int state; /* enum attempt_state */
    struct resources resources;
    struct string_list ports; /* as in a job specification */
};

struct cluster_snapshot {
    const char *cluster;      /* its id, NULL: none */
    int64_t taken_ms;         /* since 1970, 0: not told */
    const char *policy;       /* by which it places; NULL: binpack */
    int preemption;           /* enum preemption; 0: not told, so each job may */
    const char *cursor;       /* round robin: the node last used, or NULL */
    int64_t max_jobs;         /* epvm: tasks that a node is thought to hold at most */
    struct record_list nodes; /* struct snapshot_node */
    struct record_list tasks; /* struct snapshot_task */
    struct record_list jobs;  /* struct job_spec: of jobs that are there */
};
extern const struct record cluster_snapshot_record;

#endif
