/* The bus port: retained documents and messages over a broker that may forget, repeat and reorder.
 *
 * A bus owns its connection (reconnects for ever with jitter), its outbox and its subscriptions.
 * All functions are called, and all handlers run, on the one owner thread.
 *
 * Topics passed to and from it are relative to the cluster's root ("nodes/n1/status"), except a
 * reply topic, which the caller gave us whole and whose permission the shell has checked.
 *
 * Outbox. A retained publication has one slot a topic: a later one replaces an earlier one that was
 * not yet sent. A QoS 1 message that is not retained waits in order until acknowledged; past
 * `LIMIT_OUTBOX_MESSAGES` publish returns -ERR_BUSY. QoS 0 is dropped (0 is returned) while not
 * connected. What was not acknowledged before a disconnect is sent again after the next connect,
 * oldest first. */
#ifndef ARGOSY_PORTS_BUS_H
#define ARGOSY_PORTS_BUS_H

#include "platform/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bus;

struct bus_message {
    const char *topic; /* below the root, terminated */
    const void *payload;
    size_t length;
    int qos;
    bool retained; /* a stored copy, not a live publication; for BUS_FLAGGED a publication that is
                      to be stored, too */
    const char *response_topic; /* MQTT 5, whole topic, or NULL */
    const void *correlation;    /* MQTT 5, or NULL */
    size_t correlation_length;
};

struct bus_publication {
    const char *topic; /* below the root; whole when `absolute` */
    const void *payload;
    size_t length; /* 0 with retain: clears the topic */
    int qos;       /* 0 or 1 */
    bool retain;
    bool absolute;           /* a reply topic */
    int64_t expiry_s;        /* MQTT 5 message expiry, 0: none */
    const void *correlation; /* copied */
    size_t correlation_length;
};

enum bus_sent {
    BUS_ALL,      /* what is retained, and what is said from now on */
    BUS_SAID,     /* what is said from now on; with 3.1.1 as BUS_ALL */
    BUS_OTHERS,   /* the same, but for own publications, of a filter that is subscribed to already.
                     All  filters of a request, or none; with 3.1.1 nothing changes */
    BUS_RETAINED, /* what is retained, once: the subscription ends with its grant. All or none */
    BUS_FLAGGED /* as BUS_ALL; what is said tells whether it was to be retained. With 3.1.1 it does
                   not */
};

enum { BUS_FILTERS_MAX = 512 }; /* of one request */

struct bus_filter {
    const char *filter; /* below the root, may hold + */
    int qos;
    enum bus_sent sent;
};

/* Messages arrive in batches: any number of on_message, then one on_batch_end; one, too, when the
 * broker has acknowledged publications. */
struct bus_handler {
    void *context;
    /* Connected (again). All subscriptions are gone from the adapter's point of view: subscribe
     * anew, in stages, each followed by a barrier (CONTRACT: nobody decides on half a picture).
     * Everything that was in the outbox will be sent again by the bus itself. */
    void (*on_connected)(void *context);
    void (*on_disconnected)(void *context, const char *why);
    /* An attempt to connect has failed, in every version that may be spoken; the bus goes on
     * trying. Optional, may be NULL. */
    void (*on_connect_failed)(void *context, const char *why);
    /* The broker answered subscribe() number `stage`. `granted` false: some filter was refused; the
     * bus asks again by itself after a pause, and calls again then. */
    void (*on_subscribed)(void *context, int stage, bool granted);
    void (*on_message)(void *context, const struct bus_message *message);
    void (*on_batch_end)(void *context);
    /* A QoS 1 publication on `topic` that the broker refused, or that nobody listens to (reason
     * 0x10). Only with MQTT 5; nobody listening not with the Paho client. Optional, may be NULL. */
    void (*on_refused)(void *context, const char *topic, int reason, const char *text);
};

struct bus_will {
    const char *topic; /* below the root; retained, QoS 1 */
    const char *payload;
};

struct bus_ops {
    const char *name;
    /* Starts connecting. Returns at once; the result is on_connected. */
    void (*start)(struct bus *bus);
    /* Replaces the will for the next connect (a new session number). Copied. */
    void (*set_will)(struct bus *bus, const struct bus_will *will);
    /* Subscribes to all filters as one request; copied. */
    void (*subscribe)(struct bus *bus, int stage, const struct bus_filter *filters, size_t count);
    /* Copied. 0, -ERR_BUSY (outbox full), -ERR_TOO_LARGE, -ERR_INVALID (topic). */
    int (*publish)(struct bus *bus, const struct bus_publication *publication);
    /* What is published while it is held goes out together. Not nested. NULL where nothing is
     * gathered. */
    void (*hold)(struct bus *bus, bool held);
    bool (*connected)(const struct bus *bus);
    /* Number of publications that are not yet acknowledged. */
    size_t (*pending)(const struct bus *bus);
    /* Disconnects and connects again at once (own will seen, all to be heard again).
     * on_disconnected is called before the new connection is tried, at once or later, as after any
     * other loss. */
    void (*reconnect)(struct bus *bus, const char *why);
    /* Cleanly closes: waits at most `timeout_ms` for the outbox to empty, then disconnects. The
     * will is not sent, so publish "offline" before. Frees the bus. Never from a handler. */
    void (*close)(struct bus *bus, int64_t timeout_ms);
};

struct bus {
    const struct bus_ops *ops;
};

static inline void bus_hold(struct bus *bus, bool held)
{
    if (bus->ops->hold)
        bus->ops->hold(bus, held);
}

#endif
