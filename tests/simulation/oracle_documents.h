/* The oracle's view of what is published: order (I3), final states (I5), commits (I6), terms (I7).
 */
#ifndef ARGOSY_SIMULATION_ORACLE_DOCUMENTS_H
#define ARGOSY_SIMULATION_ORACLE_DOCUMENTS_H

#include "tests/simulation/world.h"

struct documents;

struct documents *documents_new(struct world *world);
void documents_free(struct documents *documents);
/* Of the attempts of a node nothing was said yet. */
void documents_forget(struct documents *documents, const char *node);
void documents_check(struct documents *documents, const char *client,
                     const struct bus_publication *what);

#endif
