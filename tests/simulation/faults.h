/* The faults, each a row with a name by which it is switched. */
#ifndef ARGOSY_SIMULATION_FAULTS_H
#define ARGOSY_SIMULATION_FAULTS_H

#include "tests/simulation/world.h"

/* Injects one of all, picked by the seed; nothing when that one is switched off (so that the others
 * happen as before) or not fair now. */
void fault_inject(struct world *world);
int fault_count(void);
const char *fault_name(int number);
/* "all", "none", "a,b,c" or "all,-a". False when a word is unknown. */
bool faults_from_string(const char *text, uint64_t *ret_faults);

#endif
