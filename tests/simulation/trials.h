/* Trials: a cluster in which all is as it should be, and then one story, told to the end. */
#ifndef ARGOSY_SIMULATION_TRIALS_H
#define ARGOSY_SIMULATION_TRIALS_H

#include "tests/simulation/world.h"

int trial_count(void);
/* From 1 on. */
const char *trial_name(int number);
/* -1: there is none of that name. */
int trial_from_string(const char *name);

/* Tells world->options.trial; all is settled. */
void trial_begin(struct world *world);
/* What it was about has happened: when all is settled again, it was passed. */
bool trial_is_over(const struct world *world);

#endif
