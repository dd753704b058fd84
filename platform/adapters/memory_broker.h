/* The broker's side of bus_memory.h: sessions, retained messages, routing. Topics are whole here.
 */
#ifndef ARGOSY_ADAPTERS_MEMORY_BROKER_H
#define ARGOSY_ADAPTERS_MEMORY_BROKER_H

#include "platform/adapters/bus_memory.h"

#include <uthash.h>

enum memory_item_kind { MEMORY_MESSAGE, MEMORY_SUBSCRIBED, MEMORY_REFUSED };

/* Something on its way from the broker to a client. Strings belong to it; topics are whole. */
struct memory_item {
    enum memory_item_kind kind;
    struct bus_message message; /* REFUSED: its topic */
    int stage;                  /* SUBSCRIBED */
    bool granted;
    struct memory_item *prev, *next;
};

struct memory_filter {
    char *filter;
    int qos;
    enum bus_sent sent;
};

struct memory_bus;

struct memory_session {
    char *client_id;
    bool persistent;
    struct memory_bus *bus; /* connected, or NULL */
    char *will_topic;       /* of this connection, or NULL */
    char *will_payload;
    struct memory_filter *filters;
    size_t filter_count;
    struct memory_item *queue; /* oldest first */
    size_t queued;
    UT_hash_handle hh;
};

struct memory_retained {
    char *topic;
    char *payload;
    size_t length;
    int qos;
    UT_hash_handle hh;
};

struct memory_broker {
    bool down;
    struct memory_session *sessions;
    struct memory_retained *retained;
    struct memory_bus *buses; /* in order of their making */
    size_t drop, repeat, refuse;
    size_t queue_limit;
};

/* A session for a client that has connected; an older connection of the same id is told that it is
 * lost. */
struct memory_session *memory_session_open(struct memory_broker *broker, struct memory_bus *bus,
                                           const char *client_id, bool persistent);
/* The connection has ended. Frees the session unless it is persistent. */
void memory_session_close(struct memory_broker *broker, struct memory_session *session,
                          bool send_will);
void memory_session_subscribe(struct memory_broker *broker, struct memory_session *session,
                              int stage, const struct memory_filter *filters, size_t count);
/* Adds to what the client will take, without a fault. */
void memory_session_push(struct memory_session *session, const struct memory_item *item);
/* The oldest item, out of the queue; NULL: none. */
struct memory_item *memory_session_pop(struct memory_session *session);
void memory_item_free(struct memory_item *item);

/* Routes a message; `from` may be NULL. Returns the number of sessions that it went to. */
size_t memory_broker_route(struct memory_broker *broker, const struct memory_session *from,
                           const struct bus_message *message);

/* The connection is gone; the owner hears of it in its next step. */
void memory_bus_lost(struct memory_bus *bus, const char *why);

#endif
