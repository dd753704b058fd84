/* What is true of a cluster that has not room for all (I4, I9): who runs fits, and who does not run
 * could only run in the place of somebody whose priority is not lower. */
#ifndef ARGOSY_SIMULATION_ORACLE_CROWD_H
#define ARGOSY_SIMULATION_ORACLE_CROWD_H

#include "tests/simulation/oracle_state.h"

/* I4: zones and ports of what runs on a node. */
void crowd_check(const struct oracle *oracle, int site);
/* Whether one more instance of it would fit there, once all left whose room it may take. */
bool crowd_has_room(const struct oracle *oracle, const struct wish *wish, int site);
bool crowd_has_room_anywhere(const struct oracle *oracle, const struct wish *wish);

#endif
