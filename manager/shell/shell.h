/* The manager's shell: messages to the core's events, the core's marks to one commit, then to the
 * bus. No loop of its own: its owner calls manager_shell_on_timer() when the time that `rearm`
 * named has come, so that a simulation can drive it.
 *
 *   bus, timer -> manager_step -> marks, effects
 *   end of batch: marked documents encoded -> ledger: one transaction -> documents, answers, events
 * published
 *
 * Failure modes: the commit fails -> nothing is published, commands are refused (store_failed),
 * tried again each second. The link is lost -> deciding pauses, the stages run again at the next
 * connect. Another manager leads with a higher term -> this one says so and does nothing any more.
 *
 * It has two buses: one for documents, whose session ends with its connection, and one that only
 * brings commands, whose session the broker keeps while there is no manager.
 */
#ifndef ARGOSY_MANAGER_SHELL_H
#define ARGOSY_MANAGER_SHELL_H

#include "platform/ports/bus.h"
#include "platform/ports/clock.h"
#include "platform/ports/store.h"
#include "platform/ports/zones.h"

#include <stdint.h>

struct manager_shell;
struct manager;

struct manager_shell_config {
    const char *root;    /* of the topics: only for reply topics */
    const char *id;      /* NULL: the store's, or a new one */
    struct store *store; /* open; stays the caller's */
    struct clock *clock;
    struct zones *zones; /* NULL: there is only UTC */
    uint64_t seed;
    int64_t grace_ms;     /* 0: the default */
    int64_t keepalive_ms; /* the workers'; 0: the default */
    int policy;           /* enum placement_policy of jobs that say none; 0: the default */
    int preemption;       /* enum preemption; 0: the default */
    size_t backlog;       /* so much decided that the broker has not taken, or assigned that was not
                             reported on, makes commands wait; 0: the default */
    size_t read_at_once;  /* more assignments than that are read node by node; 0: the default */
    void *context;
    void (*rearm)(void *context, int64_t mono_ms); /* call manager_shell_on_timer() then */
};

/* Copies the strings. Reads the store: -ERR_SCHEMA_NEWER, -ERR_FOREIGN (another manager's, a
 * worker's), -ERR_CORRUPT, -ERR_IO, each with the remedy. */
int manager_shell_new(const struct manager_shell_config *config, struct manager_shell **ret_shell,
                      struct err *err);
void manager_shell_free(struct manager_shell *shell); /* accepts NULL */

/* The manager's id: part of the client id of the bus for documents. */
const char *manager_shell_id(const struct manager_shell *shell);
/* The client id of the bus for commands: of all managers of this root, one after the other. */
const char *manager_shell_commands_id(const struct manager_shell *shell);
/* For the bus adapters, which are made before manager_shell_start(). */
struct bus_handler manager_shell_bus_handler(struct manager_shell *shell);
struct bus_handler manager_shell_commands_handler(struct manager_shell *shell);
/* Connects. The bus for documents stays the caller's. The one for commands becomes the shell's: it
 * is started when the manager leads, and closed when another one does, or with the shell. */
void manager_shell_start(struct manager_shell *shell, struct bus *bus, struct bus *commands);
void manager_shell_on_timer(struct manager_shell *shell);
/* Monotonic time at which it wants manager_shell_on_timer(), INT64_MAX: never. */
int64_t manager_shell_deadline_ms(const struct manager_shell *shell);
/* Hears no more commands, and says offline. The caller closes the bus after it. */
void manager_shell_stop(struct manager_shell *shell);

/* The core, for invariants in simulations. */
const struct manager *manager_shell_core(const struct manager_shell *shell);

#endif
