/* The parts of the simulated runtime, to each other: simulated.c is the machine,
 * simulated_runtime.c a worker's connection to it. */
#ifndef ARGOSY_WORKER_RUNTIME_SIMULATED_ENGINE_H
#define ARGOSY_WORKER_RUNTIME_SIMULATED_ENGINE_H

#include "platform/base/deadlines.h"
#include "platform/ports/runtime.h"
#include "schema/job_spec.h"
#include "worker/runtime/limits.h"
#include "worker/runtime/simulated.h"
#include "worker/runtime/simulated_script.h"

#include <uthash.h>

enum simulated_phase { PHASE_PREPARING, PHASE_STARTING, PHASE_RUNNING, PHASE_ENDED };

struct simulated_task {
    struct deadline deadline; /* first; of the next phase, not set: by itself never */
    struct simulated_task *prev, *next;
    UT_hash_handle hh;                       /* in engine.by_id, the oldest of its id */
    struct simulated_task *same_id;          /* the next one of its id: another run, or node */
    const char *node, *cluster, *task_id;    /* behind it, in its own memory */
    const struct simulated_runtime *starter; /* that waits for it to run; NULL: it has gone */
    int64_t run;
    char execution[32]; /* its name in the engine */
    enum simulated_phase phase;
    struct script script;
    int64_t due_exit_code;
    int64_t exit_code;
    int64_t started_mono_ms, started_ms, finished_ms;
    bool stopping;
    bool doomed; /* gone, freed when the step is over */
    bool oom_killed;
    struct runtime_port_binding *ports;
    size_t port_count;
    struct resources resources;
};

/* Something to tell one runtime. */
struct simulated_answer {
    struct simulated_answer *prev, *next;
    struct simulated_runtime *runtime;
    enum runtime_event_kind kind; /* LISTED: lists all then */
    char *task_id;
    int64_t run;
    int reason;
    int health_index;
    bool healthy;
    uint64_t log; /* request, with is_log */
    bool is_log;
    runtime_usage_fn *usage;
    void *usage_context;
};

struct simulated_runtime {
    struct runtime runtime; /* first */
    struct simulated_runtime *prev, *next;
    struct simulated_engine *engine;
    struct runtime_handler handler;
    char *node, *cluster;
};

struct simulated_engine {
    struct simulated_engine_config config;
    struct simulated_task *tasks; /* oldest first */
    struct simulated_task *by_id; /* those that are not doomed */
    struct deadlines deadlines;
    struct simulated_answer *answers;
    struct simulated_runtime *runtimes;
    int64_t running, runs; /* how many run, and the sum of the numbers of their runs */
    int64_t next_port;
    int starts_to_fail;
    bool down;
    bool stepping;
    struct now step_now; /* while it steps */
    bool any_doomed;
};

/* simulated.c */
/* Who asked for these starts (NULL: anybody) hears no more of them: pulls end, what is created may
 * yet come to run. */
void simulated_starts_orphan(struct simulated_engine *engine,
                             const struct simulated_runtime *starter);
struct now simulated_now(const struct simulated_engine *engine);
/* The deadline may have changed: tells who drives the engine. */
void simulated_changed(const struct simulated_engine *engine);
void simulated_task_set_due(struct simulated_engine *engine, struct simulated_task *task,
                            int64_t delay_ms);
/* Behind all that are due at the same time. */
void simulated_task_requeue(struct simulated_engine *engine, struct simulated_task *task);
/* Makes it known to the engine. */
void simulated_task_add(struct simulated_engine *engine, struct simulated_task *task);
/* `node` NULL: any. */
struct simulated_task *simulated_task_find(const struct simulated_engine *engine, const char *node,
                                           const char *task_id, int64_t run);
void simulated_task_drop(struct simulated_engine *engine, struct simulated_task *task);
enum reason simulated_task_end_reason(const struct simulated_task *task);

/* simulated_runtime.c */
bool simulated_runtime_sees(const struct simulated_runtime *runtime,
                            const struct simulated_task *task);
void simulated_runtime_report(struct simulated_runtime *runtime, const struct simulated_task *task,
                              enum runtime_event_kind kind, enum reason reason);
struct simulated_answer *simulated_answer_add(struct simulated_runtime *runtime,
                                              enum runtime_event_kind kind, const char *task_id,
                                              int64_t run);
/* Takes it off the queue and tells. */
void simulated_answer_deliver(struct simulated_engine *engine, struct simulated_answer *answer);

#endif
