/* The worker's core: what should run on this node, what does, and what follows from it. Pure:
 * events in, effects out; same events, same effects. Never I/O, a clock, logging.
 *
 *   assignment, desired, status (from the store or the bus: one path) ─┐
 *   runtime events ────────────────────────────────────────────────────┼─► worker_step ─► effects
 *   link, picture whole, timer ────────────────────────────────────────┘
 *
 * README.md has the data flow and the state machine. */
#ifndef ARGOSY_WORKER_WORKER_H
#define ARGOSY_WORKER_WORKER_H

#include "platform/base/arena.h"
#include "platform/ports/clock.h"
#include "platform/ports/runtime.h"
#include "schema/documents.h"
#include "worker/core/effects.h"

#include <stdbool.h>
#include <stdint.h>

enum { RUNTIME_KIND_COUNT = RUNTIME_SIMULATED + 1 };

struct worker_config {
    const char *node;
    uint64_t seed;
    bool runtimes[RUNTIME_KIND_COUNT]; /* which ones this worker has, by enum runtime_kind */
    int64_t interval_ms;               /* heartbeat, until the desired document names another */
    /* From the store's meta record. */
    const char *cluster; /* NULL: none heard yet */
    int64_t term;
    int64_t seq;
    int64_t offline_ms; /* wall: since when there has been no broker, 0: not known */
    bool empty_store;   /* nothing is known: hear the bus before anything is started (D6) */
    bool rebooted;      /* the machine was started since the store was last written */
};

/* A decoded document with the memory that it lives in. */
struct held_assignment {
    struct arena arena;
    struct assignment value;
    void *heard; /* its bytes, until they are stored */
    size_t heard_length;
};
struct held_desired {
    struct arena arena;
    struct node_desired value;
};
/* Both accept NULL. */
void held_assignment_free(struct held_assignment *held);
void held_desired_free(struct held_desired *held);

enum worker_event_kind {
    WORKER_START,          /* the store has been read: go */
    WORKER_ASSIGNMENT,     /* .assignment, .job, .from_store */
    WORKER_DESIRED,        /* .desired, .from_store */
    WORKER_OWN_STATE,      /* .state, .job, .from_store: own document, read back */
    WORKER_MANAGER_STATUS, /* .manager */
    WORKER_RUNTIME,        /* .runtime, .execution */
    WORKER_LINK_UP,        /* connected to the broker */
    WORKER_LINK_LOST,
    WORKER_PICTURE_WHOLE, /* all that was retained for us has been heard since LINK_UP */
    WORKER_TIMER,         /* worker_deadline_ms() has come */
    WORKER_EVENT_COUNT
};

struct worker_event {
    enum worker_event_kind kind;
    const char *job; /* from the topic */
    bool from_store;
    /* The core takes what it accepts and leaves NULL behind; what is left is the caller's. */
    struct held_assignment *assignment;
    struct held_desired *desired;
    const struct node_state *state;
    const struct manager_status *manager;
    enum runtime_kind runtime;
    const struct runtime_event *execution;
};

struct worker;

struct worker *worker_new(const struct worker_config *config);
void worker_free(struct worker *worker);
void worker_step(struct worker *worker, struct worker_event *event, struct now now,
                 struct effects *effects);
/* Monotonic time of the next WORKER_TIMER; INT64_MAX: none. */
int64_t worker_deadline_ms(struct worker *worker);

/* ---- what the shell writes, asked for after a step ---- */

/* The next sequence number; one counter over all documents of this node. */
int64_t worker_seq_next(struct worker *worker);
int64_t worker_seq(const struct worker *worker);
int64_t worker_term(const struct worker *worker);
const char *worker_cluster(const struct worker *worker); /* NULL: none yet */
int64_t worker_interval_ms(const struct worker *worker);
const struct node_desired *worker_desired(const struct worker *worker); /* NULL: none */
/* NULL when the job has none here. Valid until the next step. */
const struct assignment *worker_assignment(const struct worker *worker, const char *job);
/* The same as it was given; the shell may take its bytes away. */
struct held_assignment *worker_held(const struct worker *worker, const char *job);
/* The state document of a job under a new sequence number; false when the job is unknown. Its lists
 * live in `arena`, its texts in the worker until the next step. */
bool worker_state_write(struct worker *worker, const char *job, struct arena *arena,
                        struct node_state *ret_state);
/* The same as it was last written: for a look, no new number. */
bool worker_state_read(const struct worker *worker, const char *job, struct arena *arena,
                       struct node_state *ret_state);
/* An own document was read back with this number: the next one is larger. */
void worker_seq_raise(struct worker *worker, int64_t seq);
/* The last manager that was refused, NULL: none. */
const char *worker_refused(const struct worker *worker, int64_t *ret_term);

/* ---- what the shell needs to carry out effects and answer questions ---- */

struct attempt_view {
    const char *id;
    const char *job;
    enum runtime_kind runtime;
    enum attempt_state state;
    int64_t run, restarts;
    int64_t log_run; /* the run whose logs exist: the present one, or the last ended one */
    int64_t term;    /* of the assignment */
    const struct job_spec *spec;  /* of its version */
    const struct task_spec *task; /* both NULL when its assignment is not known */
};
/* By attempt id, or by instance name "job_task_index" (the newest attempt of it). */
bool worker_find(const struct worker *worker, const char *name, struct attempt_view *ret_view);
/* Whether the execution (id, run) is still to be started: an effect may be older than a change of
 * mind. The view, with a task, is set when it is. */
bool worker_wants(const struct worker *worker, const char *id, int64_t run,
                  struct attempt_view *ret_view);
/* Whether it was to be started, and is to be stopped since: the runtime will never tell of it. */
bool worker_has_dropped(const struct worker *worker, const char *id, int64_t run);
void worker_each_job(const struct worker *worker, void (*visit)(void *context, const char *job),
                     void *context);
/* Those that run, also while they are being stopped. Returns how many. */
int64_t worker_each_running(const struct worker *worker,
                            void (*visit)(void *context, const struct attempt_view *view),
                            void *context);

/* What the attempts that are not final take together. */
struct worker_load {
    int64_t attempts, running;
    int64_t cpu_millis, memory_bytes, disk_bytes;
};
void worker_load(const struct worker *worker, struct worker_load *ret_load);

#endif
