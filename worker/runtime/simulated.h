/* Tasks that only pretend, for fleets in tests and benches: deterministic, no processes, no files,
 * no loop.
 *
 * An engine stands for one machine's container engine: it outlives workers, so a test can kill a
 * worker and let the next one adopt. Runtimes are connections to it. Nothing happens inside a call:
 * its owner calls simulated_engine_step() when simulated_engine_deadline_ms() has come, and events
 * are delivered from there.
 *
 * A task's command says what it does; without one, or with any other, it runs until it is stopped:
 *   ["run"]                               runs until it is stopped
 *   ["exit", "3"]                         exits with code 3 at once
 *   ["exit", "3", "after", "2s"]          … after two seconds
 *   ["oom", "after", "2s"]                is killed for its memory
 *   ["fail-start", "image_not_found"]     fails to start with that reason
 *   ["ignore-stop"]                       ends only when its stop has timed out
 *   ["unhealthy", "after", "2s"]          runs, but its checks fail
 *   ["pull", "5s", …]                     takes that long to prepare, then does what follows */
#ifndef ARGOSY_WORKER_RUNTIME_SIMULATED_H
#define ARGOSY_WORKER_RUNTIME_SIMULATED_H

#include "platform/ports/clock.h"
#include "platform/ports/runtime.h"

struct simulated_engine;
struct loop;

struct simulated_engine_config {
    struct clock *clock; /* outlives the engine */
    int64_t start_ms;    /* how long a start takes, 0: the next step */
    int64_t stop_ms;     /* how long a task takes to obey a stop */
    /* Optional: the deadline may have changed. */
    void (*on_deadline)(void *context, int64_t mono_ms);
    void *context;
};

struct simulated_engine *simulated_engine_new(const struct simulated_engine_config *config);
/* Its runtimes must be closed. Accepts NULL. */
void simulated_engine_free(struct simulated_engine *engine);

/* Monotonic time of the next thing to happen, INT64_MAX: none. */
int64_t simulated_engine_deadline_ms(const struct simulated_engine *engine);
/* Delivers everything that is due. */
void simulated_engine_step(struct simulated_engine *engine);

/* The engine stops or starts answering; its tasks run on. DOWN or UP follows. */
void simulated_engine_set_up(struct simulated_engine *engine, bool up);
/* A task ends from outside. False when it is not running. */
bool simulated_engine_kill(struct simulated_engine *engine, const char *task_id, int64_t run,
                           int64_t exit_code);
/* The engine loses an execution: no trace of it is left. False when it has none. */
bool simulated_engine_forget(struct simulated_engine *engine, const char *task_id, int64_t run);
/* The next `count` starts fail with start_failed. */
void simulated_engine_fail_starts(struct simulated_engine *engine, int count);
/* As in the config, from now on. */
void simulated_engine_set_delays(struct simulated_engine *engine, int64_t start_ms,
                                 int64_t stop_ms);
/* All tasks end with code 255, as after a restart of the machine. */
void simulated_engine_reboot(struct simulated_engine *engine);

struct simulated_execution {
    const char *task_id;
    int64_t run;
    const char *node;
    const char *cluster; /* NULL: none */
    bool running, ended; /* neither: being started */
    int64_t exit_code;
    int64_t cpu_millis, memory_bytes, disk_bytes;
};
/* How many run, and the sum of the numbers of their runs. */
int64_t simulated_engine_running(const struct simulated_engine *engine, int64_t *ret_runs);
/* In order of (task id, run). */
void simulated_engine_visit(const struct simulated_engine *engine,
                            void (*visit)(void *context,
                                          const struct simulated_execution *execution),
                            void *context);

/* A worker's connection; `node` and `cluster` (may be NULL) are copied. */
struct runtime *simulated_runtime_new(struct simulated_engine *engine, const char *node,
                                      const char *cluster, const struct runtime_handler *handler);

/* An engine of its own, stepped by a timer of `loop`: what argosy-worker uses. Target
 * argosy_runtime_simulated_loop. */
struct runtime *simulated_runtime_new_on_loop(const char *node, const char *cluster,
                                              const struct runtime_handler *handler,
                                              struct loop *loop);

#endif
