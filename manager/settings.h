/* What argosy-manager can be told. */
#ifndef ARGOSY_MANAGER_SETTINGS_H
#define ARGOSY_MANAGER_SETTINGS_H

#include "platform/adapters/program.h"

struct settings {
    struct program_settings program;
    const char *id;
    int64_t grace_ms;
    int policy;     /* enum placement_policy */
    int preemption; /* enum preemption */
};

extern const struct options manager_program_options;

/* What follows from what was given, and the rules; adds to `problems`. `settings` is a struct
 * settings. */
void settings_derive(void *settings, struct arena *arena, struct problems *problems);

#endif
