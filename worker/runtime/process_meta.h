/* What is written beside an execution, so that the next worker knows it: the file `meta`, JSON. */
#ifndef ARGOSY_WORKER_RUNTIME_PROCESS_META_H
#define ARGOSY_WORKER_RUNTIME_PROCESS_META_H

#include "platform/base/buf.h"
#include "platform/ports/runtime.h"
#include "schema/limits.h"
#include "worker/runtime/limits.h"
#include "worker/runtime/process_cgroup.h"

struct process_meta {
    char node[LIMIT_NODE_ID_LENGTH + 1];
    char cluster[CLUSTER_ID_LENGTH + 1]; /* "": none */
    int64_t memory_limit_bytes;
    struct runtime_port_binding ports[TASK_PORTS_MAX];
    size_t port_count;
    struct cgroup_set cgroups;
};

void process_meta_write(const struct process_meta *meta, struct buf *out);
/* False when it is not one. */
bool process_meta_read(const char *text, size_t length, struct process_meta *ret_meta);

#endif
