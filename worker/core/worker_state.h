/* Inside of the core: its state, and the functions that its files share. */
#ifndef ARGOSY_WORKER_STATE_H
#define ARGOSY_WORKER_STATE_H

#include "platform/base/prng.h"
#include "schema/topics.h"
#include "worker/core/health.h"
#include "worker/core/restart.h"
#include "worker/core/worker.h"

#include <uthash.h>

enum {
    EXECUTION_ID_LENGTH = 12, /* a container's id is unique enough with these */
    ADDRESS_LENGTH = 45,
    PORTS_MAX = 32, /* bindings told per attempt */
    PROGRESS_INTERVAL_MS = 1000,
};

/* Why a running execution was told to end, when it is not the manager's stop. */
enum ending_cause { ENDING_NONE, ENDING_ASKED, ENDING_UNHEALTHY, ENDING_MAX_RUN };

/* One placement of an instance on this node. */
struct attempt {
    char id[LIMIT_TASK_ID_LENGTH + 1];
    struct job *job;
    struct attempt *prev, *next; /* in its job */
    UT_hash_handle hh;           /* in worker.attempts */

    /* what is wanted: from the assignment */
    bool assigned; /* the assignment names it */
    int64_t version;
    enum desired_state desired;
    int64_t run_wanted;
    enum reason stop_reason;
    const struct job_spec *spec;  /* in job.held, of its version; NULL: unknown */
    const struct task_spec *task; /* in spec; NULL: unknown */
    enum runtime_kind runtime;

    /* what is observed: the published record */
    enum attempt_state state; /* assigned by attempt_set_state() alone */
    int64_t run, restarts, seq;
    int64_t exit_code;
    enum reason reason;
    char *message; /* NULL: none */
    struct health health;
    struct bound_port *ports;
    size_t port_count;
    char execution[EXECUTION_ID_LENGTH + 1];
    char address[ADDRESS_LENGTH + 1];
    int64_t changed_ms, started_ms, finished_ms;
    struct restart_memory restart;
    int64_t retry_ms; /* wall */

    /* how it is being done: nothing of this outlives the process */
    bool observed;    /* by us: heard in a state document of our own, or seen since */
    bool awaits_list; /* its runtime must be listed once before anything is started */
    bool in_flight;   /* START was given; RUNNING, EXITED or FAILED will follow */
    bool stop_sent;
    enum ending_cause ending;
    int64_t kept_run;  /* an older, ended execution that still exists; 0 none */
    int64_t list_seen; /* the list that last reported the present run */
    int64_t retry_mono_ms;
    int64_t running_mono_ms;  /* since when it has been running, as far as we know */
    int64_t progress_mono_ms; /* when progress was last told */
};

struct job {
    char name[LIMIT_NAME_LENGTH + 1];
    UT_hash_handle hh;
    struct held_assignment *held; /* NULL: none heard */
    struct attempt *attempts;
    int64_t state_seq;      /* of the last state document written or heard */
    int64_t forget_mono_ms; /* tombstone told; forgotten then. 0: not */
};

/* A runtime as the core sees it. */
struct runtime_view {
    bool present;
    bool up;      /* it has answered, and has not said DOWN since */
    bool listed;  /* one complete list since the start */
    bool down;    /* it said so */
    bool listing; /* a list is under way */
    int64_t list_number;
    int64_t list_due_ms; /* mono */
};

struct worker {
    char node[LIMIT_NODE_ID_LENGTH + 1];
    char cluster[LIMIT_TOKEN_LENGTH + 1];
    int64_t term;
    char manager[LIMIT_TOKEN_LENGTH + 1]; /* that leads in `term`, "" unknown */
    int64_t seq;
    char refused_manager[LIMIT_TOKEN_LENGTH + 1];
    int64_t refused_term;
    bool leading; /* the manager says that it leads in our term */
    bool started;
    bool holding;  /* an emptied worker before its first whole picture */
    bool rebooted; /* until the first list of each runtime */
    bool link;
    bool whole;
    int64_t stored_offline_ms; /* wall, from an earlier process; 0: none */
    int64_t offline_since_ms;  /* mono */
    int64_t driven_ms;         /* mono: all attempts were last driven */
    int64_t deadline_ms;       /* as last looked for */
    bool stepped;              /* since then */
    int64_t own_interval_ms;   /* heartbeat, when the manager does not say */
    int64_t interval_ms;       /* in use */
    struct held_desired *desired;
    struct runtime_view runtimes[RUNTIME_KIND_COUNT];
    struct job *jobs;
    struct attempt *attempts;
    struct prng prng;
};

/* What one step works with. */
struct step {
    struct worker *worker;
    struct now now;
    struct effects *effects;
};

/* ---- attempt.c ---- */

struct job *worker_job_find(const struct worker *worker, const char *name);
struct job *worker_job_obtain(struct worker *worker, const char *name);
void worker_job_free(struct worker *worker, struct job *job);
struct attempt *worker_attempt_find(const struct worker *worker, const char *id);
/* NULL when the id is none of `job`, or the node holds as many as it may. */
struct attempt *worker_attempt_new(struct worker *worker, struct job *job, const char *id);
void worker_attempt_free(struct worker *worker, struct attempt *attempt);
/* The one place where a state changes. `run` grows with a restart. ASSERTs the table in
 * schema/states.h. */
void attempt_set_state(struct step *step, struct attempt *attempt, enum attempt_state state,
                       int64_t run, enum reason reason, const char *message);
/* A change besides the state: next seq, marked to be published. */
void attempt_touch(struct step *step, struct attempt *attempt);
void attempt_message(struct attempt *attempt, const char *message);
/* Takes a copy of `ports`. */
void attempt_set_ports(struct attempt *attempt, const struct bound_port *ports, size_t count);
/* A wait that was read back is measured by a wall clock that may have been set since. */
void attempt_limit_wait(struct step *step, struct attempt *attempt);
/* Takes over what was observed earlier (own document read back, or `known`) when it is newer. */
void attempt_recall(struct step *step, struct attempt *attempt,
                    const struct observed_attempt *observed);

/* ---- drive.c: what follows from what is wanted and what is observed ---- */

/* Level-triggered: brings one attempt a step nearer to what is wanted. May free it. */
void attempt_drive(struct step *step, struct attempt *attempt);
/* After something of this one attempt alone has changed. May free it. */
void attempt_drive_alone(struct step *step, struct attempt *attempt);
void job_drive(struct step *step, struct job *job);
void worker_drive(struct step *step);
/* Sends STOP for its present run (again). */
void attempt_send_stop(struct step *step, struct attempt *attempt);
void attempt_stop_run(struct step *step, const struct attempt *attempt, int64_t run);
void attempt_remove_run(struct step *step, const struct attempt *attempt, int64_t run);
/* Whether the leader's index says that nothing beyond our assignments is wanted of this job. */
bool job_is_settled(const struct worker *worker, const char *name);
/* Whether an assignment is older than an index of the same manager that does not name its job, or
 * another revision: an old copy. It starts nothing. */
bool index_is_beyond(const struct node_desired *desired, const char *job,
                     const struct assignment *assignment);

/* ---- ending.c: an execution ended or could not start ---- */

struct ending {
    int64_t exit_code; /* UNSET: unknown */
    enum reason reason;
    bool start_error;
    int64_t ran_ms;
    int64_t finished_ms;
    const char *message;
};
void attempt_end(struct step *step, struct attempt *attempt, const struct ending *ending);

/* ---- max_run.c ---- */

/* It runs: since when, on this process's clock. */
void attempt_note_began(struct step *step, struct attempt *attempt);
/* Monotonic time at which it has run for max_run; INT64_MAX: never, or it was told to end already.
 */
int64_t attempt_max_run_deadline_ms(const struct attempt *attempt);
void attempt_max_run_timer(struct step *step, struct attempt *attempt);

/* ---- timers.c ---- */

/* A full list as soon as none is under way. */
void runtime_request_list(struct step *step, enum runtime_kind kind);
/* What is due at step->now. */
void worker_timers(struct step *step);
/* LIST effects for the runtimes whose list is due; at the end of each step. */
void lists_issue(struct step *step);

/* ---- hear.c, execution.c, checks.c: events ---- */

void hear_assignment(struct step *step, struct worker_event *event);
void hear_desired(struct step *step, struct worker_event *event);
void hear_own_state(struct step *step, struct worker_event *event);
void hear_manager(struct step *step, struct worker_event *event);
void hear_execution(struct step *step, struct worker_event *event);
void attempt_checks_start(struct step *step, struct attempt *attempt, enum health_state before);
void attempt_checks_timer(struct step *step, struct attempt *attempt);
void attempt_on_health(struct step *step, struct attempt *attempt,
                       const struct runtime_event *event);

#endif
