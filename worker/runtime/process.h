/* Plain processes, for nodes without a container engine.
 *
 * Each execution has a directory <data_dir>/<task id>/<run> and a small supervisor (argosy-shim)
 * that outlives the worker: it owns the task's process group, keeps its logs bounded and writes its
 * exit code to a file, so that a worker that was restarted still learns how a task ended. */
#ifndef ARGOSY_WORKER_RUNTIME_PROCESS_H
#define ARGOSY_WORKER_RUNTIME_PROCESS_H

#include "platform/ports/runtime.h"
#include "worker/runtime/ports.h"

struct loop;

struct process_runtime_config {
    const char *data_dir;    /* made when it is not there; its parent must exist */
    const char *shim_path;   /* the argosy-shim program */
    const char *node;        /* id of this node */
    const char *cluster;     /* NULL: not known yet, see runtime_ops.set_cluster */
    struct port_range ports; /* for ports without a number; {0, 0}: any free one */
};

/* Everything in `config` is copied. Returns NULL and says why when data_dir or the shim cannot be
 * used. UP follows at once. */
struct runtime *process_runtime_new(const struct process_runtime_config *config,
                                    const struct runtime_handler *handler, struct loop *loop,
                                    struct err *err);

#endif
