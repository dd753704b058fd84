/* Memory for messages (arenas with a limit), counted, and failing where it is told to.
 * The linker leads every call of arena_… through here (--wrap). What aborts when there is none
 * (mem_…, arenas without a limit) needs no place of its own: it is a death between two operations.
 */
#ifndef ARGOSY_SIMULATION_ALLOCATIONS_H
#define ARGOSY_SIMULATION_ALLOCATIONS_H

#include <stdint.h>

/* Counts anew; the n-th from now on fails, 0: none. */
void allocations_begin(int64_t fail_at);
int64_t allocations_count(void);
int64_t allocations_failed(void); /* how many have failed */
/* What oracle and user allocate neither counts nor fails. */
void allocations_pause(void);
void allocations_resume(void);

#endif
