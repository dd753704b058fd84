/* The references of the fleet's benches, and who submits to it. Usage: see `verbs`. */
#include "tests/bench/fleet/raw_verbs.h"

#include <stdio.h>
#include <string.h>

struct verb {
    const char *name;
    int words;
    int (*run)(char **words);
    const char *usage;
};

static const struct verb verbs[] = {
    {"submit", 7, verb_submit, "HOST PORT ROOT PREFIX JOBS INSTANCES MORE-OF-THE-SPEC"},
    {"null-manager", 7, verb_null_manager, "HOST PORT ROOT PREFIX JOBS NODES TASKS-A-MESSAGE"},
    {"null-workers", 6, verb_null_workers, "HOST PORT ROOT FIRST COUNT TASKS-A-MESSAGE"},
    {"drain", 4, verb_drain, "HOST PORT FILE|- FILTER,FILTER…"},
    {"parse", 3, verb_parse, "HOST PORT FILTER,FILTER…"},
    {"refill", 3, verb_refill, "HOST PORT FILE"},
    {"refill-heard", 4, verb_refill_heard, "HOST PORT FILE FILTER"},
    {"say", 3, verb_say, "HOST PORT FILE"},
    {"record", 4, verb_record, "HOST PORT FILE FILTER,FILTER…"},
    {"beat", 6, verb_beat, "HOST PORT FILE CONNECTIONS A-SECOND SECONDS"},
};
enum { VERB_COUNT = sizeof verbs / sizeof verbs[0] };

int main(int count, char **words)
{
    for (size_t i = 0; i < VERB_COUNT; i++)
        if (count == verbs[i].words + 2 && !strcmp(words[1], verbs[i].name))
            return verbs[i].run(words + 2);
    for (size_t i = 0; i < VERB_COUNT; i++)
        fprintf(stderr, "fleet_raw %s %s\n", verbs[i].name, verbs[i].usage);
    return 2;
}
