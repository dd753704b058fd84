/* Control groups of plain processes: version 2, or the separate hierarchies of version 1. Where
 * they cannot be written there are none, and the caller falls back to resource limits. */
#ifndef ARGOSY_WORKER_RUNTIME_PROCESS_CGROUP_H
#define ARGOSY_WORKER_RUNTIME_PROCESS_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CGROUP_HIERARCHIES = 3, CGROUP_PATH_LENGTH = 512 };

/* Where tasks get their groups: "<our own group>/argosy-<node>". */
struct cgroup_root {
    char paths[CGROUP_HIERARCHIES][CGROUP_PATH_LENGTH];
    size_t count;
    bool has_memory; /* memory is limited by one of them */
};

/* The groups of one task. */
struct cgroup_set {
    char paths[CGROUP_HIERARCHIES][CGROUP_PATH_LENGTH];
    size_t count;
};

struct cgroup_limits {
    int64_t cpu_millis;
    int64_t memory_bytes;
    int64_t pids;
};

/* Finds and makes the parents; none when they cannot be written. */
void cgroup_root_find(const char *node, struct cgroup_root *ret_root);
/* Takes the parents away when no task is left in them. */
void cgroup_root_remove(const struct cgroup_root *root);
/* Makes the groups "<root>/<name>" with their limits. What cannot be made is left out. */
void cgroup_create(const struct cgroup_root *root, const char *name,
                   const struct cgroup_limits *limits, struct cgroup_set *ret_set);
/* Whether the kernel killed one of its processes for memory. */
bool cgroup_had_oom(const struct cgroup_set *set);
/* Kills what is in them. */
void cgroup_kill(const struct cgroup_set *set);
/* They must be empty; what is still busy stays. */
void cgroup_remove(const struct cgroup_set *set);

#endif
