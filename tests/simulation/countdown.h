/* The countdown: the main job is run once to count what each process does, then again for every n
 * with a fault at the n-th. */
#ifndef ARGOSY_SIMULATION_COUNTDOWN_H
#define ARGOSY_SIMULATION_COUNTDOWN_H

#include "tests/simulation/world.h"

/* "death:0:17": kind, process, n; "death": n 0; "all": neither. False when it is none. */
bool countdown_from_string(const char *text, struct countdown *ret_countdown);
/* Prints it so. */
void countdown_print(const struct countdown *countdown, FILE *to);
/* Lays the fault of world->options; before anything starts. */
void countdown_arm(struct world *world);
/* How many operations of a kind there were so far. */
int64_t countdown_count(struct world *world, enum countdown_kind kind, int process);

#endif
