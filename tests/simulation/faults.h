/* The faults, each a row with a name by which it is switched. */
#ifndef ARGOSY_SIMULATION_FAULTS_H
#define ARGOSY_SIMULATION_FAULTS_H

#include "tests/simulation/world.h"

/* Injects one of all, picked by the seed; nothing when that one is switched off (so that the others
 * happen as before) or not fair now. */
void fault_inject(struct world *world);
/* The same with those that came later, from time to time, beside what happens else. */
void fault_inject_more(struct world *world);
int fault_count(void);
const char *fault_name(int number);
/* "all", "none", "a,b,c" or "all,-a". False when a word is unknown. */
bool faults_from_string(const char *text, uint64_t *ret_faults);

/* ---- between the files of faults ---- */

struct fault_row {
    const char *name;
    void (*inject)(struct world *world);
};
extern const struct fault_row more_faults[];
extern const size_t more_fault_count;

void fault_stale_words(struct world *world);             /* a row of the first table */
int64_t fault_up_to(struct world *world, int64_t limit); /* 1 to limit, from the fault's own seed */
struct node *fault_some_node(struct world *world);
struct process *fault_some_process(struct world *world);
const char *fault_some_connection(struct world *world); /* of a process: its client id */
void fault_later(struct world *world, int64_t delay_ms,
                 void (*run)(void *context, uint64_t id, void *load), void *context);
/* Everybody has said everything again since the last loss and the last old words, and no command is
 * under way: its repetition after the loss of the tokens would be a new command. */
bool fault_may_lose(struct world *world);

#endif
