/* The main job: what a cluster is for, once, each step when the one before has settled. */
#ifndef ARGOSY_SIMULATION_MAIN_JOB_H
#define ARGOSY_SIMULATION_MAIN_JOB_H

#include "tests/simulation/world.h"

enum { MAIN_JOB_NODES = 2, MAIN_JOB_JOBS = 3 };

/* Posts its first step; world->quiet after its last. */
void main_job_start(struct world *world);

#endif
