/* Containers through the Docker Engine API (1.41; Podman's compatible API too) over its unix
 * socket.
 *
 * An execution is the container `argosy-<node>-<task id>-<run>` with the labels of labels.h. The
 * engine never restarts one by itself. Only containers of this node (and, once it is known, of this
 * cluster) are seen. */
#ifndef ARGOSY_WORKER_RUNTIME_DOCKER_H
#define ARGOSY_WORKER_RUNTIME_DOCKER_H

#include "platform/base/prng.h"
#include "platform/ports/runtime.h"
#include "worker/runtime/ports.h"

struct loop;

struct docker_runtime_config {
    const char *socket_path;  /* "/var/run/docker.sock" */
    const char *node;         /* id of this node */
    const char *cluster;      /* NULL: not known yet, see runtime_ops.set_cluster */
    const char *bind_address; /* published ports listen there; NULL: on all addresses */
    struct port_range ports;  /* for ports without a number; {0, 0}: the engine chooses */
    struct prng *prng;        /* jitter of reconnects; outlives the runtime */
};

/* Starts connecting at once: UP or DOWN follows, and again with every change. Everything in
 * `config` is copied but `prng`. Aborts without memory. */
struct runtime *docker_runtime_new(const struct docker_runtime_config *config,
                                   const struct runtime_handler *handler, struct loop *loop);

#endif
