/* A worker's runtime: the simulated one behind the port, with a fuse before each operation. */
#ifndef ARGOSY_SIMULATION_RUNTIME_H
#define ARGOSY_SIMULATION_RUNTIME_H

#include "platform/ports/runtime.h"
#include "tests/simulation/fuse.h"

/* Takes `inner` over. */
struct runtime *sim_runtime_new(struct runtime *inner, struct fuse *fuse);

#endif
