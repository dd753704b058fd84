/* The verbs of fleet_raw; `words` are those after the verb. What each does is in raw_main.c. */
#ifndef ARGOSY_TESTS_BENCH_RAW_VERBS_H
#define ARGOSY_TESTS_BENCH_RAW_VERBS_H

#include "tests/bench/raw.h"

int verb_submit(char **words);
int verb_null_manager(char **words);
int verb_null_workers(char **words);
int verb_drain(char **words);
int verb_gather(char **words);
int verb_refill(char **words);

#endif
