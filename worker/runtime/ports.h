/* Host ports for tasks that want any free one. */
#ifndef ARGOSY_WORKER_RUNTIME_PORTS_H
#define ARGOSY_WORKER_RUNTIME_PORTS_H

#include <stdbool.h>
#include <stdint.h>

struct port_range {
    int64_t first, last; /* both 0: none was configured */
};

struct port_pool {
    struct port_range range;
    int64_t next; /* where the search goes on, so that a port just freed rests for a while */
};

/* A port of the range that nobody on this machine listens on at present (found by binding it for a
 * moment), or any free one when there is no range. 0 when all are taken. `taken` may exclude ports
 * that were given out but are not in use yet. */
int64_t port_pool_take(struct port_pool *pool, bool udp, bool (*taken)(void *context, int64_t port),
                       void *context);

#endif
