/* The parts of the process runtime, to each other.
 *
 *   process.c         the port: constructor, operations, the table, events
 *   process_start.c   directory, control groups, the supervisor
 *   process_end.c     stop, how it ended, remove, what an earlier worker left
 *   process_logs.c  process_probe.c  process_usage.c
 *
 *   NEW -> STARTING (the supervisor was spawned) -> RUNNING -> ENDED
 *
 * The directory <data_dir>/<task id>/<run> is the truth; the table only holds what is watched.
 * Operations act at once, what they report is told at the next turn of the loop. */
#ifndef ARGOSY_WORKER_RUNTIME_PROCESS_RUNTIME_H
#define ARGOSY_WORKER_RUNTIME_PROCESS_RUNTIME_H

#include "schema/reasons.h"
#include "worker/runtime/process.h"
#include "worker/runtime/process_files.h"
#include "worker/runtime/process_meta.h"

#include <uthash.h>

enum process_phase { PROCESS_NEW, PROCESS_STARTING, PROCESS_RUNNING, PROCESS_ENDED };

struct execution {
    UT_hash_handle hh; /* by directory */
    struct process *process;
    char *task_id;
    int64_t run;
    char *directory;
    enum process_phase phase;
    struct process_meta meta;
    bool touched;
    bool wants_repeat, wants_stop, wants_remove, wants_usage;
    int stop_signal;
    int64_t stop_timeout_ms;
    struct loop_timer *kill_timer; /* NULL: no stop under way */

    int status_fd; /* what the supervisor tells of the start; -1: told */
    struct loop_poll *status_poll;
    char status[64];
    size_t status_length;

    pid_t child; /* the supervisor, when it is ours to reap; 0: an earlier worker's */
    int pidfd;   /* of the supervisor; -1: not watched */
    struct loop_poll *end_poll;
    struct process_identity task;

    int64_t exit_code;
    bool oom_killed;
    enum reason reason;
    char message[LIMIT_MESSAGE_LENGTH + 1];
    int64_t started_ms, finished_ms;
};

struct process_probe;
struct process_logs;

struct process {
    struct runtime runtime; /* first */
    struct runtime_handler handler;
    struct loop *loop;
    struct loop_timer *kick;
    char *node;
    char *cluster; /* NULL: not known */
    char *data_dir;
    char *shim_path;
    struct port_pool ports;
    struct cgroup_root cgroups;
    struct execution *executions;
    bool told_up;
    bool list_wanted;
    runtime_usage_fn *report_usage; /* NULL: no usage is wanted */
    void *usage_context;
    struct process_probe *probes;
    struct process_logs *logs;
};

static inline struct process *process_of(struct runtime *runtime)
{
    return (struct process *)(void *)runtime;
}

/* process.c */
void process_execution_event(struct execution *execution, enum runtime_event_kind kind);
struct execution *process_execution_find(struct process *process, const char *task_id, int64_t run);
/* Finds or makes it; a new one is loaded from its directory when there is one. */
struct execution *process_execution_obtain(struct process *process, const char *task_id,
                                           int64_t run);
void process_execution_free(struct execution *execution);
void process_execution_touch(struct execution *execution);
/* "<directory>/<file>"; the caller's. */
char *process_execution_path(const struct execution *execution, const char *file);

/* process_start.c */
void process_start_begin(struct execution *execution, const struct runtime_start *start);
/* Reads what the supervisor told; also when it has ended already. */
void process_start_read_status(struct execution *execution);

/* process_end.c */
bool process_end_watch(struct execution *execution, pid_t supervisor);
void process_end_stop(struct execution *execution);
void process_end_remove(struct execution *execution);
/* Takes away what a start made. */
void process_end_clean(struct execution *execution);
/* What an earlier worker left in the directory; false when there is nothing to go on with. */
bool process_end_load(struct execution *execution);

/* process_spawn.c: both ends of a supervisor's life need it. */
struct spawn_request {
    const char *program;
    char *const *arguments;
    char *const *environment;
    int status_fd; /* becomes SHIM_STATUS_FD; -1: none */
};
/* In a session of its own, without terminal and descriptors of ours. 0 or errno. */
int process_spawn(const struct spawn_request *request, pid_t *ret_pid);

/* process_logs.c, process_probe.c, process_usage.c */
void process_logs_begin(struct process *process, uint64_t id, const char *task_id, int64_t run,
                        int64_t tail_lines, size_t limit_bytes, bool follow);
void process_logs_cancel(struct process *process, uint64_t id);
void process_logs_cancel_all(struct process *process);
void process_probe_begin(struct process *process, const char *task_id, int64_t run,
                         const struct task_spec *task, int health_index);
void process_probe_cancel(struct process *process);
/* Of those that are wanted. */
void process_usage_report(struct process *process);

#endif
