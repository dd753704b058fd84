/* A broker driven by the heap of events, with the vices of a real one.
 *
 *   publish -> outbox -> link up (delay) -> broker: retain, route -> session's queue
 *           <- acknowledged <-----------/          \-> link down (delay) -> one batch of the client
 *
 * Each direction of a connection keeps its order. A connection ends from either side; what was on
 * the wire is lost, what was not acknowledged is sent again, what a persistent session has not
 * taken stays in its queue. A broken (half-open) link carries nothing and is noticed late. */
#ifndef ARGOSY_SIMULATION_BROKER_H
#define ARGOSY_SIMULATION_BROKER_H

#include "platform/base/prng.h"
#include "platform/ports/bus.h"
#include "tests/simulation/fuse.h"
#include "tests/simulation/heap.h"

struct broker;

/* What somebody who watches the broker sees. `client` NULL: a will's sender is gone. */
struct broker_watch {
    void *context;
    /* The moment a client gives a publication to its bus, before anything can happen to it. */
    void (*on_publish)(void *context, const char *client, const struct bus_publication *what);
    /* The broker has taken a message of `client` (also its will). */
    void (*on_route)(void *context, const char *client, const struct bus_message *message);
    void (*on_will)(void *context, const char *client);
};

struct broker_config {
    struct heap *heap;
    const int64_t *now_ms;
    const char *root;
    uint64_t seed;
    bool mqtt5; /* spoken by it */
    struct broker_watch watch;
};

struct broker_vices {
    int64_t delay_max_ms; /* each packet takes 0 to that */
    unsigned repeat_per_mille;
    bool refuses;       /* subscriptions */
    size_t queue_limit; /* of a session; what exceeds it is dropped silently. 0: none */
};

struct broker *broker_new(const struct broker_config *config);
void broker_free(struct broker *broker); /* after all of its buses */
struct broker_vices *broker_vices(struct broker *broker);

struct sim_bus_config {
    struct broker *broker;
    const char *client_id;
    bool persistent;
    struct fuse *fuse; /* of the process */
    struct bus_handler handler;
};
struct bus *sim_bus_new(const struct sim_bus_config *config);
/* A process has a bus of that client id. */
bool sim_bus_exists(const struct broker *broker, const struct fuse *fuse, const char *client_id);
/* The process is gone; the broker notices after the link's delay and sends the will. Frees the bus.
 */
void sim_bus_kill(struct bus *bus);

/* ---- faults ---- */

enum broker_loss { BROKER_KEEPS_ALL, BROKER_ROLLS_BACK, BROKER_LOSES_ALL };
/* Down without wills. Connections end. ROLLS_BACK: retained as at the last broker_save, sessions
 * lost; LOSES_ALL: nothing is left. */
void broker_crash(struct broker *broker, enum broker_loss loss);
void broker_start(struct broker *broker);
bool broker_is_up(const struct broker *broker);
void broker_save(struct broker *broker);
/* A client's session (queue, subscriptions) vanishes; its connection ends. */
void broker_lose_session(struct broker *broker, const char *client_id);
/* The client's connection ends; the will is sent. */
void broker_cut(struct broker *broker, const char *client_id);
/* Its connection becomes half-open: the client notices after `client_ms`, the broker after
 * `broker_ms`. */
void broker_break(struct broker *broker, const char *client_id, int64_t client_ms,
                  int64_t broker_ms);
/* All connections of a process do. */
void broker_break_all(struct broker *broker, const struct fuse *fuse, int64_t client_ms,
                      int64_t broker_ms);
/* Somebody publishes: whole path below the root. */
void broker_inject(struct broker *broker, const char *topic, const char *payload, size_t length,
                   bool retain);

const char *broker_retained(const struct broker *broker, const char *topic, size_t *ret_length);
void broker_visit_retained(const struct broker *broker,
                           void (*visit)(void *context, const char *topic, const void *payload,
                                         size_t length),
                           void *context);

#endif
