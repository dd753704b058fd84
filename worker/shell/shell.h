/* The worker's shell: messages and runtime events to the core's events, the core's effects to one
 * commit, then to the bus and the runtimes. Without a loop of its own: its owner calls
 * worker_shell_on_timer() when the deadline that `rearm` named has come, so that a simulation can
 * drive it.
 *
 *   bus, runtimes, timer -> worker_step -> marks, effects
 *   end of batch: marked documents encoded -> ledger: one transaction -> published -> effects
 * carried out
 *
 * When the commit fails nothing is published and nothing is carried out; it is tried again each
 * second. */
#ifndef ARGOSY_WORKER_SHELL_H
#define ARGOSY_WORKER_SHELL_H

#include "platform/ports/bus.h"
#include "platform/ports/clock.h"
#include "platform/ports/runtime.h"
#include "platform/ports/store.h"
#include "schema/documents.h"
#include "worker/core/worker.h"

#include <stdbool.h>
#include <stdint.h>

/* Adds one number of a sample; unknown ones are left out. */
typedef void metric_add_fn(void *to, const char *name, double value);

struct worker_shell_config {
    const char *root; /* of the topics; only for reply topics and logs */
    const char *node;
    const char *datacenter;
    const char *address; /* or NULL */
    struct string_map labels;
    struct string_map attributes; /* arch, os, kernel.version, … */
    struct capacity capacity;     /* offered, after what is reserved */
    const char *boot_id;
    int64_t interval_ms; /* heartbeat; UNSET: the default */
    uint64_t seed;
    bool runtimes[RUNTIME_KIND_COUNT]; /* which will be attached */
    struct store *store;               /* open; stays the caller's */
    struct clock *clock;
    void *context;                                 /* of both functions */
    void (*rearm)(void *context, int64_t mono_ms); /* call worker_shell_on_timer() then */
    void (*sample)(void *context, metric_add_fn *add, void *to); /* the machine's metrics */
};

struct worker_shell;

/* Everything in `config` is copied but store, clock and context. Reads the store:
 * -ERR_SCHEMA_NEWER, -ERR_FOREIGN (another node's or a manager's), -ERR_IO, each with the remedy.
 */
int worker_shell_new(const struct worker_shell_config *config, struct worker_shell **ret_shell,
                     struct err *err);
void worker_shell_free(struct worker_shell *shell);

/* Handlers for the adapters, made before they are attached. */
struct bus_handler worker_shell_bus_handler(struct worker_shell *shell);
struct runtime_handler worker_shell_runtime_handler(struct worker_shell *shell, int kind);
void worker_shell_attach_runtime(struct worker_shell *shell, int kind, struct runtime *runtime);
/* It has heard all that is retained for it, and the broker has all that it said of itself then. */
bool worker_shell_has_settled(const struct worker_shell *shell);
const char *worker_shell_cluster(const struct worker_shell *shell); /* NULL: none known yet */

/* Goes: lists runtimes, connects. */
void worker_shell_start(struct worker_shell *shell, struct bus *bus);
void worker_shell_on_timer(struct worker_shell *shell);
/* Says offline; tasks run on. The caller closes bus and runtimes after it. */
void worker_shell_stop(struct worker_shell *shell);

#endif
