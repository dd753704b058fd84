#include "schema/snapshot.h"

#include "schema/documents_rows.h"

#include <math.h>

static const struct field amounts_fields[] = {
    FIELD(struct snapshot_amounts, CPU, "cpu", cpu_millis, "Cores.", .flags = FIELD_OMIT_DEFAULT,
          COUNT_BOUNDS),
    FIELD(struct snapshot_amounts, SIZE, "memory", memory_bytes, "Memory.",
          .flags = FIELD_OMIT_DEFAULT, COUNT_BOUNDS),
    FIELD(struct snapshot_amounts, SIZE, "disk", disk_bytes, "Disk.", .flags = FIELD_OMIT_DEFAULT,
          COUNT_BOUNDS),
};
static const struct record amounts_record =
    RECORD("amounts", struct snapshot_amounts, amounts_fields, "Resources of a node.");

static const struct field usage_fields[] = {
    FIELD(struct snapshot_usage, NUMBER, "cpu_percent", cpu_percent,
          "Busy part of all cores together, 0 to 100.", .max = 100),
    FIELD(struct snapshot_usage, SIZE, "mem_used", mem_used_bytes, "Memory in use.",
          .flags = FIELD_OMIT_DEFAULT, COUNT_BOUNDS),
    FIELD(struct snapshot_usage, DURATION, "age", age_ms, "How old this was.",
          .flags = FIELD_OMIT_DEFAULT, COUNT_BOUNDS),
};
static const struct record usage_record =
    RECORD("usage", struct snapshot_usage, usage_fields, "What a node's heartbeat told.");

static const struct field snapshot_node_fields[] = {
    FIELD(struct snapshot_node, NODE_ID, "id", id, "Its id.", .flags = FIELD_REQUIRED),
    FIELD(struct snapshot_node, STRING, "datacenter", datacenter, "Its datacenter."),
    FIELD(struct snapshot_node, BOOL, "online", online, "Whether it is heard from.",
          .flags = FIELD_OMIT_DEFAULT, .fallback = true),
    FIELD(struct snapshot_node, BOOL, "eligible", eligible, "Whether it takes new work.",
          .flags = FIELD_OMIT_DEFAULT, .fallback = true),
    FIELD(struct snapshot_node, MAP, "labels", labels, "Its labels, people's over its own.",
          LABEL_KEYS, .flags = FIELD_SCALARS),
    FIELD(struct snapshot_node, MAP, "attributes", attributes,
          "arch, os, kernel.version, cpu.cores, …", LABEL_KEYS, .flags = FIELD_SCALARS),
    FIELD(struct snapshot_node, STRINGS, "runtimes", runtimes, "Its runtimes. Default: all."),
    FIELD_INSIDE(struct snapshot_node, RECORD, "capacity", capacity, &amounts_record,
                 "What it has."),
    FIELD_INSIDE(struct snapshot_node, RECORD, "reserved", reserved, &amounts_record,
                 "What of it is kept back from tasks."),
    FIELD_INSIDE(struct snapshot_node, RECORD, "usage", usage, &usage_record,
                 "What its heartbeat told."),
    FIELD(struct snapshot_node, STRINGS, "ports_used", ports_used,
          "Ports that something else than a task holds: 8080, or 53/udp.", .flags = FIELD_SCALARS),
    FIELD(struct snapshot_node, INT, "max_tasks", max_tasks, "Most attempts that it takes.",
          .flags = FIELD_OMIT_DEFAULT, .fallback = LIMIT_ATTEMPTS_PER_NODE,
          .max = LIMIT_ATTEMPTS_PER_NODE),
};
static const struct record snapshot_node_record =
    RECORD("snapshot_node", struct snapshot_node, snapshot_node_fields, "One node.");

static const struct field snapshot_task_fields[] = {
    FIELD(struct snapshot_task, NAME, "job", job, "Its job.", .flags = FIELD_REQUIRED),
    FIELD(struct snapshot_task, NAME, "task", task, "Its task. Default: the job's name."),
    FIELD(struct snapshot_task, INT, "index", index, "Its index in the task.", COUNT_BOUNDS),
    FIELD(struct snapshot_task, NODE_ID, "node", node, "Where it is.", .flags = FIELD_REQUIRED),
    FIELD(struct snapshot_task, INT, "priority", priority, "Its job's priority.", .min = 1,
          .max = 100, .fallback = 50),
    FIELD(struct snapshot_task, ENUM, "state", state, "Its state.", .words = &attempt_state_words,
          .fallback = ATTEMPT_RUNNING),
    FIELD_INSIDE(struct snapshot_task, RECORD, "resources", resources, &resources_record,
                 "What it reserves."),
    FIELD(struct snapshot_task, STRINGS, "ports", ports, "Its ports, as in a job specification.",
          .flags = FIELD_OMIT_DEFAULT),
};
static const struct record snapshot_task_record = RECORD(
    "snapshot_task", struct snapshot_task, snapshot_task_fields, "One attempt that has not ended.");

static const struct field snapshot_fields[] = {
    FIELD(struct cluster_snapshot, STRING, "cluster", cluster, "Id of the cluster.", .min = 1,
          .max = 64),
    FIELD(struct cluster_snapshot, TIME, "taken_ms", taken_ms, "When it was taken.",
          .flags = FIELD_OMIT_DEFAULT, COUNT_BOUNDS),
    FIELD(struct cluster_snapshot, STRING, "policy", policy,
          "By which it places: binpack, spread, epvm, greedy or round_robin."),
    FIELD(struct cluster_snapshot, ENUM, "preemption", preemption,
          "Which jobs may take the room of a lower priority. Default: all.",
          .words = &preemption_words),
    FIELD(struct cluster_snapshot, NODE_ID, "cursor", cursor,
          "The node that round_robin used last."),
    FIELD(struct cluster_snapshot, INT, "max_jobs", max_jobs,
          "Tasks that epvm thinks a node holds at most.", .flags = FIELD_OMIT_DEFAULT, .min = 1,
          .max = LIMIT_ATTEMPTS_PER_NODE, .fallback = LIMIT_ATTEMPTS_PER_NODE),
    FIELD(struct cluster_snapshot, RECORDS, "nodes", nodes, "The nodes.",
          .record = &snapshot_node_record),
    FIELD(struct cluster_snapshot, RECORDS, "tasks", tasks, "What is placed on them.",
          .record = &snapshot_task_record),
    FIELD(struct cluster_snapshot, RECORDS, "jobs", jobs,
          "Specifications of the jobs that are there: what a plan compares with.",
          .flags = FIELD_OMIT_DEFAULT, .record = &job_spec_record),
};
const struct record cluster_snapshot_record =
    RECORD("cluster_snapshot", struct cluster_snapshot, snapshot_fields,
           "A cluster as the scheduler sees it: what argosy snapshot writes and argosy plan "
           "--cluster reads.");
