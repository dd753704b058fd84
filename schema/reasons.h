/* Why: one table of reasons for every rejection, pending instance, restart, failure and loss, used
 * in status topics, events, command line, logs and docs. The wire name is the machine's word, the
 * text the person's. */
#ifndef ARGOSY_SCHEMA_REASONS_H
#define ARGOSY_SCHEMA_REASONS_H

#define REASON_TABLE(X)                                                                            \
    X(NONE, "", "")                                                                                \
    /* pending */                                                                                  \
    X(NO_NODES, "no_nodes", "the cluster has no node")                                             \
    X(DATACENTER, "datacenter", "node is in another datacenter")                                   \
    X(INELIGIBLE, "ineligible", "node is not eligible for new work")                               \
    X(NODE_SILENT, "node_silent", "node is not heard from")                                        \
    X(NODE_CLEANING, "node_cleaning", "node still stops what nobody wants any more")               \
    X(RUNTIME_MISSING, "runtime_missing", "node lacks the runtime")                                \
    X(CPU_EXHAUSTED, "cpu_exhausted", "not enough cpu left")                                       \
    X(MEMORY_EXHAUSTED, "memory_exhausted", "not enough memory left")                              \
    X(DISK_EXHAUSTED, "disk_exhausted", "not enough disk left")                                    \
    X(PORT_TAKEN, "port_taken", "a static port is taken")                                          \
    X(PORTS_EXHAUSTED, "ports_exhausted", "not enough free ports left")                            \
    X(CONSTRAINT, "constraint", "node does not satisfy a constraint")                              \
    X(DISTINCT_HOSTS, "distinct_hosts", "another instance is on the node")                         \
    X(DISTINCT_PROPERTY, "distinct_property", "enough instances have the property's value")        \
    X(DEVICE_MISSING, "device_missing", "node lacks a device")                                     \
    X(DEVICE_TAKEN, "device_taken", "a device is in use")                                          \
    X(TOO_MANY_ATTEMPTS, "too_many_attempts", "node holds as many attempts as it may")             \
    X(WAITING_TO_RESCHEDULE, "waiting_to_reschedule", "waits before it is placed again")           \
    X(WAITING_FOR_UPDATE, "waiting_for_update", "waits for its turn in the update")                \
    X(WAITING_FOR_DEPENDENCY, "waiting_for_dependency", "waits for a job that it depends on")      \
    X(MAKING_ROOM, "making_room", "waits until what has a lower priority has made room")           \
    X(RECOVERING, "recovering", "the manager is still collecting the picture")                     \
    /* preparing and starting */                                                                   \
    X(PULLING_IMAGE, "pulling_image", "the image is being pulled")                                 \
    X(BACKOFF, "backoff", "waits before the next restart")                                         \
    X(ENGINE_DOWN, "engine_down", "the container engine does not answer")                          \
    X(IMAGE_NOT_FOUND, "image_not_found", "the image does not exist")                              \
    X(IMAGE_PULL_FAILED, "image_pull_failed", "the image could not be pulled")                     \
    X(COMMAND_NOT_FOUND, "command_not_found", "the command does not exist in the image")           \
    X(COMMAND_NOT_EXECUTABLE, "command_not_executable", "the command cannot be executed")          \
    X(START_FAILED, "start_failed", "the task could not be started")                               \
    X(INVALID_SPEC, "invalid_spec", "the specification cannot be run here")                        \
    X(NAME_IN_USE, "name_in_use", "a container that is not ours has this name")                    \
    X(PORT_IN_USE, "port_in_use", "a port is in use on the node")                                  \
    X(RUNTIME_DISABLED, "runtime_disabled", "the node does not allow this runtime")                \
    /* running and ended */                                                                        \
    X(EXITED, "exited", "the task ended by itself")                                                \
    X(OOM_KILLED, "oom_killed", "the task used more memory than it may")                           \
    X(KILLED, "killed", "the task was ended by a signal")                                          \
    X(UNHEALTHY, "unhealthy", "health checks failed")                                              \
    X(MAX_RUN, "max_run", "it ran for longer than max_run")                                        \
    X(ATTEMPTS_EXCEEDED, "attempts_exceeded", "restarted as often as its policy allows")           \
    X(NO_RESTART, "no_restart", "its policy does not restart it")                                  \
    X(VANISHED, "vanished", "the container disappeared from the engine")                           \
    X(NODE_REBOOTED, "node_rebooted", "the node was restarted")                                    \
    /* stopped on purpose */                                                                       \
    X(JOB_STOPPED, "job_stopped", "the job was stopped")                                           \
    X(JOB_DELETED, "job_deleted", "the job was deleted")                                           \
    X(SCALED_DOWN, "scaled_down", "fewer instances are wanted")                                    \
    X(NODE_MISMATCH, "node_mismatch", "its node does not match the job any more")                  \
    X(UPDATED, "updated", "a newer version of the job replaces it")                                \
    X(PREEMPTED, "preempted", "something of a higher priority took its room")                      \
    X(REPLACED, "replaced", "another attempt took its place")                                      \
    X(STOPPED_OFFLINE, "stopped_offline", "the node was without the broker for stop_after")        \
    X(NODE_LOST, "node_lost", "its node was silent for longer than lost_after")                    \
    X(NODE_DELETED, "node_deleted", "its node was deleted")                                        \
    X(UNKNOWN_ATTEMPT, "unknown_attempt", "nobody wants it any more")                              \
    /* answers to commands */                                                                      \
    X(INVALID_JOB, "invalid_job", "the job specification is not valid")                            \
    X(INVALID_ARGUMENTS, "invalid_arguments", "the command's arguments are not valid")             \
    X(INVALID_JSON, "invalid_json", "the payload is not acceptable JSON")                          \
    X(PAYLOAD_TOO_LARGE, "payload_too_large", "the payload is larger than the limit")              \
    X(UNKNOWN_COMMAND, "unknown_command", "no such command")                                       \
    X(UNKNOWN_JOB, "unknown_job", "no such job")                                                   \
    X(UNKNOWN_NODE, "unknown_node", "no such node")                                                \
    X(UNKNOWN_TASK, "unknown_task", "no such task")                                                \
    X(VERSION_MISMATCH, "version_mismatch", "the job has another version than expected")           \
    X(COMMAND_EXPIRED, "command_expired", "the command expired before it was handled")             \
    X(REPLY_REFUSED, "reply_refused", "the reply topic is not allowed")                            \
    X(RETAINED_COMMAND, "retained_command", "a command must not be retained; it was not executed") \
    X(OVERLOADED, "overloaded", "too many commands are waiting; send it again")                    \
    X(STORE_FAILED, "store_failed", "the store cannot be written")                                 \
    X(LIMIT_REACHED, "limit_reached", "a limit of the cluster is reached")                         \
    X(UNKNOWN_TIMEZONE, "unknown_timezone", "the manager has no such time zone")                   \
    X(STILL_RUNNING, "still_running", "the last launch still runs")                                \
    /* events */                                                                                   \
    X(FOREIGN_DOCUMENT, "foreign_document", "a retained message of ours was overwritten")          \
    X(UNREADABLE_DOCUMENT, "unreadable_document", "a retained message cannot be read")             \
    X(UNKNOWN_SUBJECT, "unknown_subject", "a message names what nobody knows")                     \
    X(STALE_TERM, "stale_term", "an older manager spoke")                                          \
    X(DUPLICATE_NODE, "duplicate_node", "two workers use one node id")                             \
    X(FOREIGN_CLUSTER, "foreign_cluster", "a message belongs to another cluster")

enum reason {
#define REASON_ENUM(name, wire, text) REASON_##name,
    REASON_TABLE(REASON_ENUM)
#undef REASON_ENUM
        REASON_COUNT
};

/* "" for REASON_NONE and for numbers that are none. */
const char *reason_to_string(int reason);
const char *reason_text(int reason);
/* REASON_NONE when unknown. */
enum reason reason_from_string(const char *text);

#endif
