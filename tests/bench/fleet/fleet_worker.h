/* One simulated worker: the shipped core, shell, codec and bus with a connection and a will of its
 * own; its store is in memory, and its tasks only pretend. */
#ifndef ARGOSY_TESTS_BENCH_FLEET_WORKER_H
#define ARGOSY_TESTS_BENCH_FLEET_WORKER_H

#include "platform/adapters/bus_mqtt.h"
#include "worker/shell/shell.h"

#include <stdio.h>

struct fleet_worker;

struct fleet_worker_config {
    const struct worker_shell_config *shell; /* node; but for store, context and rearm */
    const struct mqtt_bus_config *bus;       /* but for the handler and the client id */
};

struct fleet_tally {
    size_t running;
    int64_t runs; /* their numbers, together: grows with every start */
};

/* Copies what it keeps. -ERR_INVALID: the broker's address. */
int fleet_worker_new(const struct fleet_worker_config *config, struct fleet_worker **ret_worker,
                     struct err *err);
/* Connects. */
void fleet_worker_start(struct fleet_worker *worker);
/* Loses its connection and connects again. */
void fleet_worker_reconnect(struct fleet_worker *worker);
bool fleet_worker_connected(const struct fleet_worker *worker);
/* See worker_shell_has_settled. */
bool fleet_worker_settled(const struct fleet_worker *worker);
/* A line "node task run" to `out` for each execution that runs, as its engine knows it; how many.
 */
size_t fleet_worker_report(const struct fleet_worker *worker, FILE *out);
/* `wanted` of its running executions end with code 1, in turns; how many will. What runs still is
 * added to `tally`. */
size_t fleet_worker_end(struct fleet_worker *worker, size_t wanted, struct fleet_tally *tally);
/* As when its machine goes: nothing is said. Accepts NULL. */
void fleet_worker_free(struct fleet_worker *worker);

#endif
