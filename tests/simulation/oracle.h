/* The oracle: what must be true, told from what was heard and seen (answers, publications, running
 * executions), never from the cores' own structures. Invariants I1 to I9 of ARCHITECTURE; I10 is
 * the hash of the world. */
#ifndef ARGOSY_SIMULATION_ORACLE_H
#define ARGOSY_SIMULATION_ORACLE_H

#include "tests/simulation/world.h"

struct oracle;

struct oracle *oracle_new(struct world *world);
void oracle_free(struct oracle *oracle);

/* I3, I5, I6: at the moment a process lets something out. */
void oracle_on_publish(struct oracle *oracle, const char *client,
                       const struct bus_publication *what);
/* Who was heard when: excuses a second attempt of an instance whose node was silent. */
void oracle_on_route(struct oracle *oracle, const char *client);
void oracle_on_answer(struct world *world, int job, bool accepted);
/* A node may be deleted now: what runs there is given up. */
void oracle_on_node_deleted(struct oracle *oracle, int node);
/* No node was deleted lately, and what was deleted and came back has been asked what it has: until
 * then only the manager's store knows that it was deleted. */
bool oracle_deletions_are_over(const struct oracle *oracle);
/* The topic is one of a node that was deleted since. */
bool oracle_was_deleted(const struct oracle *oracle, const char *topic, int64_t since_ms);
/* An engine has lost an execution by a fault: it may be run again. */
void oracle_on_forgotten(struct oracle *oracle, const char *task_id);
/* I11: from now on nothing is started, and nothing that runs is ended. */
void oracle_expect_calm(struct oracle *oracle);
/* Only the workers' stores are left: nobody knows a job of which nothing is placed. */
void oracle_unplaced_may_be_lost(struct oracle *oracle);
/* A worker and the broker have lost all that it said: its next words are its first. */
void oracle_on_unsaid(struct oracle *oracle, const char *node);
/* I12: of what may be replaced, all runs now. */
void oracle_check_moved(const struct oracle *oracle);
/* I2, I4, I5: what runs, after each event that touched an engine. */
void oracle_check(struct oracle *oracle);
/* I1, I8, I9: all is as the user was told. False with `ret_why`. */
bool oracle_is_settled(struct oracle *oracle, char *ret_why, size_t size);

#endif
