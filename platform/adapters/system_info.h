/* What the machine is and how it is doing, from /proc, /sys, statvfs and uname. What cannot be read
 * is left out, never guessed: a container may hide half of /proc. */
#ifndef ARGOSY_ADAPTERS_SYSTEM_INFO_H
#define ARGOSY_ADAPTERS_SYSTEM_INFO_H

#include "platform/base/arena.h"

#include <stdint.h>

struct system_info {
    int64_t cpu_millis;   /* cores that this process may use (affinity, cgroup), in thousandths */
    int64_t memory_bytes; /* of the machine, or of our cgroup when that is less */
    int64_t disk_bytes;   /* size of the file system of the data directory */
    const char *arch;     /* amd64, arm64, arm, 386, riscv64, or as uname has it */
    const char *os;       /* linux */
    const char *kernel;   /* 6.1.0-18-amd64 */
    const char *hostname; /* as the machine has it */
    const char *node_id;  /* the same in the alphabet of node ids */
    const char *boot_id;  /* changes with every boot; "" when the machine has none */
};

/* `proc` is "/proc" but in tests; sys is taken to be beside it. `directory` names the file system
 * that is measured. The texts are the arena's. */
void system_info_read(const char *proc, const char *directory, struct arena *arena,
                      struct system_info *ret_info);

/* A host name as a node id: lower case, a dash for what is no letter or digit, none at the ends,
 * cut at 63; "node" when nothing is left. */
const char *system_node_id(const char *hostname, struct arena *arena);

/* A sampler remembers the last reading for what is a rate. Zero it and set the two paths. */
struct system_sampler {
    const char *proc; /* as above */
    const char *directory;
    double busy_seconds, idle_seconds; /* of the last sample */
};

typedef void system_add_fn(void *to, const char *name, double value);

/* Adds each number that can be read (schema: node_metric_rows), without a time stamp. The names are
 * literals. */
void system_sample(struct system_sampler *sampler, system_add_fn *add, void *to);

#endif
