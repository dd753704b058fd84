/* The two halves of the simulated broker to each other: broker.c routes, link.c is the wire and the
 * clients' side. Topics are below the root everywhere in here. */
#ifndef ARGOSY_SIMULATION_BROKER_STATE_H
#define ARGOSY_SIMULATION_BROKER_STATE_H

#include "tests/simulation/broker.h"

#include <uthash.h>

enum { SUBSCRIPTIONS_MAX = 8 };

enum packet_kind { PACKET_PUBLISH, PACKET_SUBSCRIBE, PACKET_CLOSE };

/* From a client to the broker. All memory is its own. */
struct packet {
    enum packet_kind kind;
    uint64_t id; /* PUBLISH: to acknowledge */
    char *topic;
    void *payload;
    size_t length;
    int qos;
    bool retain;
    int stage; /* SUBSCRIBE */
    struct bus_filter *filters;
    size_t filter_count;
    bool with_will; /* CLOSE */
};
void packet_free(void *packet);

/* From the broker to a client: a message, or the answer to a subscription (topic NULL). */
struct item {
    struct item *prev, *next;
    struct bus_message message;
    int stage;
    bool refused; /* the subscription */
    int64_t arrival_ms;
};

struct connection {
    uint64_t id;
    const struct fuse *fuse; /* of the client's process */
    struct sim_bus *bus;     /* NULL: the client's side has ended */
    struct session *session; /* NULL: the broker's side has ended */
    int64_t up_ms, down_ms;  /* last arrival in each direction */
    bool broken;
    char *will_topic, *will_payload;
    UT_hash_handle hh;
};

struct session {
    char *client_id;
    bool persistent;
    struct connection *connection; /* or NULL */
    struct bus_filter *filters;
    size_t filter_count;
    struct item *queue;
    size_t queued;
    UT_hash_handle hh;
};

struct retained {
    char *topic;
    void *payload;
    size_t length;
    int qos;
    UT_hash_handle hh; /* in order of the topics' age */
};

struct sim_bus {
    struct bus bus;
    struct sim_bus_config config;
    uint64_t id;
    char *client_id;
    struct connection *connection;
    struct outbox *outbox;
    uint64_t sent;
    char *will_topic, *will_payload;
    struct packet asked[SUBSCRIPTIONS_MAX]; /* by stage, to be asked again when it was refused */
    bool started;
    UT_hash_handle hh;
};

struct broker {
    struct broker_config config;
    struct broker_vices vices;
    struct prng prng;
    bool down;
    uint64_t ids;
    struct session *sessions;
    struct connection *connections;
    struct sim_bus *buses;
    struct retained *retained, *saved;
};

/* broker.c */
int64_t broker_now(const struct broker *broker);
struct session *session_open(struct broker *broker, struct connection *connection,
                             const char *client_id, bool persistent);
/* The broker's side of its connection ends; a session that is not persistent goes with it. */
void session_leave(struct broker *broker, struct session *session, bool send_will);
void broker_take(struct broker *broker, struct connection *connection, struct packet *packet);
void item_free(struct item *item);

/* client.c */
/* Its subscription was refused: it asks again after a while. */
void bus_ask_later(struct sim_bus *bus, int stage);

/* link.c */
char *text_copy(const char *text); /* NULL of NULL */
/* What happens to who sleeps happens when it wakes up. True when it does sleep. */
bool bus_sleeps_through(const struct sim_bus *bus,
                        void (*run)(void *context, uint64_t id, void *load), uint64_t id,
                        void *load, void (*release)(void *load));
void connection_send_up(struct broker *broker, struct connection *connection, struct packet value);
void bus_pump(struct sim_bus *bus);
void bus_connect_soon(struct sim_bus *bus);
/* The client's side ends. */
void bus_let_go(struct sim_bus *bus);
void bus_tell_lost_soon(struct sim_bus *bus);
void *bytes_copy(const void *bytes, size_t length);
int64_t link_delay_ms(struct broker *broker);
struct connection *connection_find(struct broker *broker, uint64_t id);
/* Frees it when both sides have ended. */
void connection_settle(struct broker *broker, struct connection *connection);
void connection_wake(struct broker *broker, struct connection *connection, struct item *item);
void connection_acknowledge(struct broker *broker, struct connection *connection, uint64_t id);
/* The client hears in a while that its connection has ended. */
void connection_tell_lost(struct broker *broker, struct connection *connection, int64_t delay_ms);

#endif
