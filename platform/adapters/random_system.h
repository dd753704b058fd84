/* The one source of real randomness: a seed for each process's generator. */
#ifndef ARGOSY_ADAPTERS_RANDOM_SYSTEM_H
#define ARGOSY_ADAPTERS_RANDOM_SYSTEM_H

#include <stdint.h>

/* From the kernel (getrandom). Aborts when it has none, which it always has after boot. */
uint64_t random_system_seed(void);

#endif
