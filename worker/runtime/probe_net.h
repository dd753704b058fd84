/* One health probe over TCP, with or without an HTTP request. Healthy: it connects, and an HTTP
 * answer has a status from 200 to 399. */
#ifndef ARGOSY_WORKER_RUNTIME_PROBE_NET_H
#define ARGOSY_WORKER_RUNTIME_PROBE_NET_H

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct probe_net;

struct probe_net_config {
    const char *address; /* IPv4 or IPv6, as text */
    int64_t port;
    const char *http_path; /* NULL: connecting is enough */
    int64_t timeout_ms;
    /* Called once, from the loop; the probe is freed after it. `message` says why when it is not
     * healthy. */
    void (*on_done)(void *context, bool healthy, const char *message);
    void *context;
};

struct probe_net *probe_net_new(const struct probe_net_config *config, struct loop *loop);
/* Accepts NULL. Not from on_done. */
void probe_net_cancel(struct probe_net *probe);

#endif
