/* The parts of the Docker runtime, to each other.
 *
 *   docker.c         the port: operations, the table of executions, events to the worker
 *   docker_link.c    is the engine there? its version, its event stream
 *   docker_start.c   create, pull, start; what is taken back when that fails
 *   docker_end.c     stop, how it ended, remove
 *   docker_list.c    every container of ours
 *   docker_logs.c  docker_probe.c  docker_usage.c
 *
 * An execution goes through
 *
 *        +-> LOOKING: does it exist, is it ours? ------+
 *        |                                             v
 *   NEW -+-> CREATING --> STARTING --> (RESOLVING) --> RUNNING --> ENDING --> ENDED --> REMOVING
 *        |    |    ^         |                                       |        ^             |
 *        v    v    |         v                                       v        |             v
 *       PULLING ---+    DISCARDING <-- it could not run --------- DIAGNOSING -+           GONE
 *                            |
 *                            v
 *                      FAILED or GONE
 *
 * It has at most one request under way. What is asked of it (start, stop, remove) is kept as a
 * wish, and execution_drive() does the next step towards it. When the engine goes down the whole
 * table is forgotten: the list after it came back is the truth. */
#ifndef ARGOSY_WORKER_RUNTIME_DOCKER_RUNTIME_H
#define ARGOSY_WORKER_RUNTIME_DOCKER_RUNTIME_H

#include "platform/base/buf.h"
#include "worker/runtime/docker.h"
#include "worker/runtime/docker_client.h"
#include "worker/runtime/docker_reply.h"
#include "worker/runtime/limits.h"

#include <uthash.h>

enum execution_phase {
    EXECUTION_NEW, /* nothing was asked of the engine yet */
    EXECUTION_LOOKING,
    EXECUTION_CREATING,
    EXECUTION_PULLING,
    EXECUTION_STARTING,
    EXECUTION_RESOLVING, /* runs; which ports did the engine choose? */
    EXECUTION_DISCARDING,
    EXECUTION_RUNNING,
    EXECUTION_ENDING, /* ended; how? */
    EXECUTION_DIAGNOSING,
    EXECUTION_ENDED,
    EXECUTION_REMOVING,
};

struct execution {
    UT_hash_handle hh;             /* by name */
    struct execution *prev, *next; /* waits for its turn to start */
    struct docker *docker;
    char *name;
    char *task_id;
    int64_t run;
    enum execution_phase phase;
    struct engine_request *request;
    bool is_waiting;    /* in docker->waiting */
    bool holds_slot;    /* one of STARTS_AT_A_TIME */
    bool touched;       /* to be driven at the next kick */
    bool listed;        /* seen by the list under way */
    bool listed_before; /* it was there when the list began */

    bool wants_start, wants_stop, wants_remove;
    bool stop_sent;
    int stop_signal;
    int64_t stop_timeout_ms;

    /* a start */
    char *body;
    struct buf payload; /* what is put into the container before it starts, as an archive */
    char *image;
    int pull; /* enum pull_policy */
    bool pulled;
    bool needs_ports;
    int creates;        /* how often it was tried */
    struct buf line;    /* of the pull's progress */
    int percent;        /* last told */
    bool died;          /* before the start was answered */
    enum reason reason; /* of the failure that is being cleaned up after, or of the end */
    char message[LIMIT_MESSAGE_LENGTH + 1];

    /* what is known of the container */
    char id[CONTAINER_ID_LENGTH + 1];
    char cluster[CLUSTER_ID_LENGTH + 1];
    char address[CONTAINER_ADDRESS_LENGTH + 1];
    struct runtime_port_binding *ports;
    size_t port_count;
    int64_t exit_code; /* -1: unknown */
    bool oom_killed;
    int64_t started_ms, finished_ms;
};

enum link_state { LINK_DOWN, LINK_ASKING, LINK_OPENING, LINK_UP };

struct docker_link {
    enum link_state state;
    struct engine_request *ping;
    struct engine_request *events;
    struct loop_timer *retry;
    struct buf line;
    int64_t since_ns; /* time of the last event */
    int64_t delay_ms; /* before the next try */
    bool told;        /* DOWN was reported */
};

struct docker_list;
struct docker_usage;
struct docker_probe;
struct docker_logs;

struct docker {
    struct runtime runtime; /* first */
    struct runtime_handler handler;
    struct loop *loop;
    struct prng *prng;
    char *node;
    char *cluster; /* NULL: not known */
    char *bind_address;
    struct port_pool ports;
    struct engine_client *client;
    struct docker_link link;
    struct loop_timer *kick;
    struct execution *executions;
    struct execution *waiting;
    int starts_under_way;
    bool list_wanted;
    struct docker_list *list;    /* under way, or NULL */
    struct docker_usage *usages; /* under way */
    struct docker_probe *probes;
    struct docker_logs *logs;
};

static inline struct docker *docker_of(struct runtime *runtime)
{
    return (struct docker *)(void *)runtime;
}

/* docker.c */
void docker_event(struct docker *docker, enum runtime_event_kind kind);
void docker_execution_event(struct execution *execution, enum runtime_event_kind kind);
struct execution *docker_execution_find(struct docker *docker, const char *task_id, int64_t run);
struct execution *docker_execution_obtain(struct docker *docker, const char *task_id, int64_t run);
void docker_execution_free(struct execution *execution);
/* Looks at it at the next turn of the loop: nothing is reported from within a call of the port. */
void docker_execution_touch(struct execution *execution);
/* Why it failed; a long message is cut. */
void docker_execution_explain(struct execution *execution, enum reason reason, const char *message);
/* One call about this container: "/containers/<name><rest>". */
void docker_execution_call(struct execution *execution, enum execution_phase phase,
                           const char *method, const char *rest, int64_t timeout_ms,
                           void (*on_done)(void *context, const struct engine_reply *reply));
/* The same, of which no more than `limit_bytes` are wanted: -ERR_TOO_LARGE. */
void docker_execution_call_bounded(struct execution *execution, enum execution_phase phase,
                                   const char *method, const char *rest, int64_t timeout_ms,
                                   size_t limit_bytes,
                                   void (*on_done)(void *context,
                                                   const struct engine_reply *reply));
/* A call to the engine is over: forgets the request. False when no reply came; then the engine was
 * declared down and the execution is gone. */
bool docker_execution_answered(struct execution *execution, const struct engine_reply *reply);
void docker_execution_learn(struct execution *execution, const struct container *container);
/* Whether a container is exactly the one that we mean. */
bool docker_execution_is(const struct execution *execution, const struct container *container);
/* Forgets all executions: the next list is the truth. */
void docker_forget(struct docker *docker);

/* docker_link.c */
void docker_link_init(struct docker *docker);
void docker_link_release(struct docker *docker);
/* No reply came to a call: DOWN, and tries again. */
void docker_link_failed(struct docker *docker, const struct err *err);

/* docker_start.c */
void docker_start_drive(struct execution *execution);
/* Gives back its turn; others may start. */
void docker_start_release(struct execution *execution);
void docker_start_next(struct docker *docker);
/* Removes the container of a start that failed or is not wanted any more, then tells. */
void docker_start_discard(struct execution *execution, enum reason reason, const char *message);

/* docker_end.c */
void docker_end_drive(struct execution *execution);
void docker_end_look(struct execution *execution); /* it died: how? */
void docker_end_started(
    struct execution *execution); /* it runs now: tells, and does what was asked meanwhile */
void docker_end_on_event(struct docker *docker, const struct engine_event *event);
/* Runs or has ended as the engine says: reports it. */
void docker_end_observe(struct execution *execution, const struct container *container);

/* docker_list.c */
void docker_list_begin(struct docker *docker);
void docker_list_cancel(struct docker *docker);

/* docker_usage.c, docker_probe.c, docker_logs.c */
void docker_usage_begin(struct docker *docker, const char *task_id, int64_t run,
                        runtime_usage_fn *report, void *context);
void docker_usage_cancel(struct docker *docker);
void docker_probe_begin(struct docker *docker, const char *task_id, int64_t run,
                        const struct task_spec *task, int health_index);
void docker_probe_cancel(struct docker *docker);
void docker_logs_begin(struct docker *docker, uint64_t id, const char *task_id, int64_t run,
                       int64_t tail_lines, size_t limit_bytes, bool follow);
void docker_logs_cancel(struct docker *docker, uint64_t id);
void docker_logs_cancel_all(struct docker *docker);

#endif
