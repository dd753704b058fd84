/* What argosy-worker can be told, and what follows from it and from the machine. */
#ifndef ARGOSY_WORKER_SETTINGS_H
#define ARGOSY_WORKER_SETTINGS_H

#include "platform/adapters/program.h"
#include "platform/adapters/system_info.h"
#include "worker/runtime/ports.h"
#include "worker/shell/shell.h"

struct settings {
    /* as given */
    struct program_settings program;
    const char *node_id, *datacenter, *address, *bind;
    struct string_map labels;
    int64_t capacity_cpu, capacity_memory, capacity_disk;
    int64_t reserve_cpu, reserve_memory, reserve_disk;
    const char *ports_text;
    int64_t interval_ms;
    const char *engine;
    struct string_list runtime_names;
    const char *shim;

    /* what follows */
    struct system_info system;
    const char *tasks_dir;
    const char *engine_socket;
    const char *client_id;
    struct capacity capacity;
    struct string_map attributes;
    struct port_range ports;
    bool runtimes[RUNTIME_KIND_COUNT];
};

extern const struct options worker_options;

/* Fills the second half from the first; adds to `problems`. `settings` is a struct settings. */
void settings_derive(void *settings, struct arena *arena, struct problems *problems);
/* What the machine has; the data directory must exist, since its file system is measured. */
void settings_measure(struct settings *settings, struct arena *arena);

#endif
