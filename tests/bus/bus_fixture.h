/* A loop with a broker, and buses that remember what they heard. */
#ifndef ARGOSY_TESTS_BUS_FIXTURE_H
#define ARGOSY_TESTS_BUS_FIXTURE_H

#include "platform/adapters/bus_mqtt.h"
#include "platform/adapters/clock_system.h"
#include "platform/adapters/loop.h"
#include "platform/base/mem.h"
#include "tests/bus/broker_process.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEARD_MAX = 70000 };

struct heard {
    char topic[64];
    char payload[64];
    bool retained;
};

/* A client: subscribes to `filter` on each connect. */
struct client {
    struct bus *bus;
    struct loop *loop;
    const char *filter; /* NULL: none */
    int connects, connect_failures, disconnects, subscribed, batches, refused, refused_reason;
    struct heard *heard;
    size_t heard_count;
    char response_topic[64], correlation[64];
};

struct fixture {
    enum mqtt_protocol protocol;
    struct loop *loop;
    struct prng prng;
    struct broker_process broker;
    char address[64];
};

/* `host`: what the broker listens on; `options`: more lines of its configuration. */
void fixture_begin(struct fixture *fixture, enum mqtt_protocol protocol, const char *host,
                   const char *options);
void fixture_end(struct fixture *fixture);

/* A configuration for one client of the fixture's broker, to be changed before client_open. */
struct mqtt_bus_config fixture_config(struct fixture *fixture, const char *client_id,
                                      const char *const *address);
void client_open(struct client *client, struct mqtt_bus_config *config, const char *filter);
void client_close(struct client *client);
int client_publish(struct client *client, const char *topic, const char *payload, int qos,
                   bool retain);
/* The last message heard on a topic, or NULL. */
const struct heard *client_last(const struct client *client, const char *topic);
size_t client_count(const struct client *client, const char *topic);

/* A fixture with one client, still to be opened; *state is the protocol. */
struct one {
    struct fixture fixture;
    const char *address;
    struct mqtt_bus_config config;
    struct client client;
};

struct one *one_begin(void **state);
struct one *one_begin_with(void **state, const char *host, const char *options);
void one_end(struct one *one);

/* Runs the loop of `client` until the condition holds. The suite's time-out is the only limit. */
#define UNTIL(client, condition)           \
    do                                     \
        while (!(condition))               \
            loop_run_once((client)->loop); \
    while (0)

#endif
