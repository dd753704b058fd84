/* What a worker writes: what it observes, who it is, its numbers. */
#include "schema/documents_rows.h"

/* ---- nodes/<node>/state/<job> ---- */

static const struct field bound_port_fields[] = {
    FIELD(struct bound_port, PORT, "port", port, "Port inside the container.",
          .flags = FIELD_REQUIRED, .min = 1, .max = 65535),
    FIELD(struct bound_port, PORT, "host", host, "Port of the node.", .flags = FIELD_REQUIRED,
          .min = 1, .max = 65535),
    FIELD(struct bound_port, BOOL, "udp", udp, "UDP instead of TCP.", .flags = FIELD_OMIT_DEFAULT),
};
static const struct record bound_port_record =
    RECORD("bound_port", struct bound_port, bound_port_fields, "One published port.");

static const struct word health_items[] = {
    {HEALTH_UNKNOWN, "unknown"}, {HEALTH_HEALTHY, "healthy"}, {HEALTH_UNHEALTHY, "unhealthy"}};
static const struct words health_words = WORDS(health_items);

static const struct field observed_attempt_fields[] = {
    FIELD(struct observed_attempt, TASK_ID, "id", id, "Task id: job_task_index_suffix.",
          .flags = FIELD_REQUIRED),
    FIELD(struct observed_attempt, INT, "version", version, "Version of the job that it runs.",
          .flags = FIELD_OMIT_DEFAULT, COUNT_BOUNDS),
    FIELD(struct observed_attempt, ENUM, "state", state, "Its state.", .flags = FIELD_REQUIRED,
          .words = &attempt_state_words),
    FIELD(struct observed_attempt, INT, "run", run, "Counts every start.",
          .flags = FIELD_OMIT_DEFAULT, COUNT_BOUNDS),
    FIELD(struct observed_attempt, INT, "restarts", restarts, "Restarts by policy.",
          .flags = FIELD_OMIT_DEFAULT, COUNT_BOUNDS),
    FIELD(struct observed_attempt, INT, "seq", seq, "Grows with every observation.",
          .flags = FIELD_OMIT_DEFAULT, COUNT_BOUNDS),
    FIELD(struct observed_attempt, INT, "exit_code", exit_code, "Exit code of the last end.",
          COUNT_BOUNDS, .fallback = UNSET),
    FIELD(struct observed_attempt, ENUM, "reason", reason, "Why it is so.", .flags = FIELD_OPEN,
          .words = &reason_words),
    FIELD(struct observed_attempt, STRING, "message", message, "The same for a person."),
    FIELD(struct observed_attempt, ENUM, "health", health, "Absent when it has no check.",
          .words = &health_words),
    FIELD(struct observed_attempt, RECORDS, "ports", ports, "Published ports.",
          .record = &bound_port_record),
    FIELD(struct observed_attempt, STRING, "execution", execution, "Container id, or pid."),
    FIELD(struct observed_attempt, STRING, "address", address, "Inside address of the task."),
    FIELD(struct observed_attempt, TIME, "changed_ms", changed_ms, "Last change of state.",
          .flags = FIELD_OMIT_DEFAULT, COUNT_BOUNDS),
    FIELD(struct observed_attempt, TIME, "started_ms", started_ms, "Start of the last run.",
          .flags = FIELD_OMIT_DEFAULT, COUNT_BOUNDS),
    FIELD(struct observed_attempt, TIME, "finished_ms", finished_ms, "End of the last run.",
          .flags = FIELD_OMIT_DEFAULT, COUNT_BOUNDS),
    FIELD(struct observed_attempt, TIME, "window_ms", window_ms,
          "Start of the window in which restarts are counted.", .flags = FIELD_OMIT_DEFAULT,
          COUNT_BOUNDS),
    FIELD(struct observed_attempt, INT, "window_restarts", window_restarts,
          "Restarts counted in it.", .flags = FIELD_OMIT_DEFAULT, COUNT_BOUNDS),
    FIELD(struct observed_attempt, INT, "backoff_step", backoff_step,
          "Doublings of the delay so far.", .flags = FIELD_OMIT_DEFAULT, COUNT_BOUNDS),
    FIELD(struct observed_attempt, TIME, "retry_ms", retry_ms, "When it starts again.",
          .flags = FIELD_OMIT_DEFAULT, COUNT_BOUNDS),
};
static const struct record observed_attempt_record =
    RECORD("observed_attempt", struct observed_attempt, observed_attempt_fields,
           "One attempt as the worker sees it.");

static const struct field node_state_fields[] = {
    NODE_HEAD_ROWS(struct node_state),
    FIELD(struct node_state, INT, "revision", revision, "Of the assignment that was stored.",
          .flags = FIELD_OMIT_DEFAULT, COUNT_BOUNDS),
    FIELD(struct node_state, BOOL, "tombstone", tombstone,
          "Nothing of this job is left here; the topic will be cleared.",
          .flags = FIELD_OMIT_DEFAULT),
    FIELD(struct node_state, RECORDS, "attempts", attempts, "All attempts of the job on the node.",
          .record = &observed_attempt_record, .max = LIMIT_ATTEMPTS_PER_ASSIGNMENT),
};
const struct record node_state_record = RECORD("node_state", struct node_state, node_state_fields,
                                               "What is observed of one job on one node.");

/* ---- status, info ---- */

static const struct word presence_items[] = {{PRESENCE_ONLINE, "online"},
                                             {PRESENCE_OFFLINE, "offline"}};
static const struct words presence_words = WORDS(presence_items);

static const struct field presence_fields[] = {
    FIELD(struct presence_document, ENUM, "state", state, "Connected or not.",
          .flags = FIELD_REQUIRED, .words = &presence_words),
    FIELD(struct presence_document, INT, "session", session,
          "Number of the connection; birth and will carry the same.", .flags = FIELD_REQUIRED,
          COUNT_BOUNDS),
    FIELD(struct presence_document, STRING, "instance", instance, "Random per process start."),
    FIELD(struct presence_document, TIME, "since_ms", since_ms, "When it was said.",
          .flags = FIELD_OMIT_DEFAULT, COUNT_BOUNDS),
};
const struct record presence_record = RECORD("presence", struct presence_document, presence_fields,
                                             "Whether a node or manager is connected.");

static const struct field capacity_fields[] = {
    FIELD(struct capacity, INT, "cpu_millis", cpu_millis, "Thousandths of a core.", COUNT_BOUNDS),
    FIELD(struct capacity, INT, "memory_bytes", memory_bytes, "Memory.", COUNT_BOUNDS),
    FIELD(struct capacity, INT, "disk_bytes", disk_bytes, "Disk.", COUNT_BOUNDS),
};
static const struct record capacity_record =
    RECORD("capacity", struct capacity, capacity_fields, "What a node offers to tasks.");

static const struct field node_info_fields[] = {
    NODE_HEAD_ROWS(struct node_info),
    FIELD(struct node_info, STRING, "datacenter", datacenter, "Its datacenter."),
    FIELD(struct node_info, STRING, "address", address, "Where its published ports are reached."),
    FIELD(struct node_info, MAP, "labels", labels, "Labels of the worker's configuration.",
          LABEL_KEYS),
    FIELD(struct node_info, MAP, "attributes", attributes,
          "What was found out: arch, os, kernel.version, cpu.cores, hostname, …", LABEL_KEYS),
    FIELD_INSIDE(struct node_info, RECORD, "capacity", capacity, &capacity_record,
                 "What it offers to tasks."),
    FIELD(struct node_info, STRINGS, "runtimes", runtimes, "Runtimes that it has and allows."),
    FIELD(struct node_info, INT, "max_attempts", max_attempts, "Attempts it takes at most.",
          .flags = FIELD_OMIT_DEFAULT, COUNT_BOUNDS),
    FIELD(struct node_info, INT, "interval_ms", interval_ms, "Heartbeat interval in use.",
          .flags = FIELD_OMIT_DEFAULT, COUNT_BOUNDS),
    FIELD(struct node_info, STRING, "version", version, "Version of argosy."),
    FIELD(struct node_info, STRING, "boot_id", boot_id, "Changes when the machine boots."),
    FIELD(struct node_info, STRING, "refused_manager", refused_manager,
          "A manager whose term it refused."),
    FIELD(struct node_info, INT, "refused_term", refused_term, "That manager's term.",
          .flags = FIELD_OMIT_DEFAULT, COUNT_BOUNDS),
};
const struct record node_info_record =
    RECORD("node_info", struct node_info, node_info_fields, "What a node is and offers.");

static const struct field barrier_fields[] = {
    FIELD(struct barrier_document, STRING, "nonce", nonce, "Tells the own barriers apart.",
          .flags = FIELD_REQUIRED, .min = 1, .max = 64),
};
const struct record barrier_record =
    RECORD("barrier", struct barrier_document, barrier_fields,
           "Sent to oneself: what was retained before it has arrived when it returns.");

/* ---- metrics ---- */

const struct metric_row node_metric_rows[] = {
    {"ts_ms", "ms", "Time of the sample since 1970."},
    {"uptime_seconds", "s", "Since the machine booted."},
    {"load1", "", "Load average of one minute."},
    {"load5", "", "Load average of five minutes."},
    {"load15", "", "Load average of fifteen minutes."},
    {"threads", "", "Threads on the machine."},
    {"threads_running", "", "Those that run or could."},
    {"cpu_cores", "", "Cores that the worker may use."},
    {"cpu_seconds_total", "s", "Time that the cores were busy, over all cores."},
    {"cpu_idle_seconds_total", "s", "Time that the cores were idle, over all cores."},
    {"cpu_usage_ratio", "", "Busy part of the cores since the last sample, 0 to 1."},
    {"mem_total_bytes", "bytes", "Memory of the machine."},
    {"mem_available_bytes", "bytes", "Memory that can be had without swapping."},
    {"mem_used_bytes", "bytes", "The rest of it."},
    {"swap_total_bytes", "bytes", "Swap of the machine."},
    {"swap_free_bytes", "bytes", "Swap that is free."},
    {"disk_total_bytes", "bytes", "Size of the file system that holds the worker's data."},
    {"disk_available_bytes", "bytes", "What is free on it."},
    {"disk_read_bytes_total", "bytes", "Read from all disks of the machine."},
    {"disk_written_bytes_total", "bytes", "Written to them."},
    {"net_rx_bytes_total", "bytes", "Received, without loopback and the containers' interfaces."},
    {"net_tx_bytes_total", "bytes", "Sent, without loopback and the containers' interfaces."},
    {"attempts", "", "Attempts that the worker holds."},
    {"attempts_running", "", "Those that run."},
    {"cpu_reserved_millis", "", "Thousandths of a core reserved by attempts."},
    {"memory_reserved_bytes", "bytes", "Memory reserved by attempts."},
    {"disk_reserved_bytes", "bytes", "Disk reserved by attempts."},
    {"worker_resident_bytes", "bytes", "Memory of the worker process itself."},
    {"events_suppressed_total", "", "Events that it left out: too many of their kind in a minute."},
};
const size_t node_metric_row_count = ARRAY_LENGTH(node_metric_rows);

const struct metric_row task_metric_rows[] = {
    {"ts_ms", "ms", "Time of the sample since 1970."},
    {"run", "", "Run of the attempt."},
    {"restarts", "", "Restarts by policy."},
    {"cpu_seconds_total", "s", "Processor time of the run."},
    {"memory_bytes", "bytes", "Memory in use."},
    {"memory_limit_bytes", "bytes", "Memory it may use."},
    {"net_rx_bytes_total", "bytes", "Received."},
    {"net_tx_bytes_total", "bytes", "Sent."},
    {"block_read_bytes_total", "bytes", "Read from disks."},
    {"block_write_bytes_total", "bytes", "Written to disks."},
    {"pids", "", "Processes and threads."},
};
const size_t task_metric_row_count = ARRAY_LENGTH(task_metric_rows);
