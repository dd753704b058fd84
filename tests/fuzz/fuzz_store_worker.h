/* The worker's half of fuzz_store: the cores of both programs cannot be seen in one file. */
#ifndef ARGOSY_TESTS_FUZZ_STORE_WORKER_H
#define ARGOSY_TESTS_FUZZ_STORE_WORKER_H

#include "platform/adapters/bus_memory.h"
#include "platform/ports/clock.h"
#include "platform/ports/store.h"

/* Starts node n1 on the store, lets it run for some turns, and ends it. */
void fuzz_worker_run(struct store *store, struct memory_broker *broker, struct clock *clock);

#endif
