/* The MQTT bus inside: what bus_mqtt.c (messages, the port) and mqtt_connection.c share. */
#ifndef ARGOSY_ADAPTERS_MQTT_BUS_H
#define ARGOSY_ADAPTERS_MQTT_BUS_H

#include "platform/adapters/mqtt_client.h"
#include "platform/adapters/mqtt_outbox.h"

enum { MQTT_STAGES_MAX = 8 };

enum connection { CONNECTION_IDLE, CONNECTING, CONNECTED, DISCONNECTING, WAITING };

struct subscription {
    char **topics;
    struct bus_filter *filters;
    size_t count;
    uint64_t token;   /* of the request under way, 0: none */
    int64_t retry_ms; /* INT64_MAX: none */
};

struct mqtt_bus {
    struct bus bus;
    struct mqtt_bus_config config;
    char *root_slash;       /* "argosy/v1/" */
    size_t uri;             /* of config.brokers */
    int version;            /* in use or to be tried next */
    size_t receive_maximum; /* of the broker; 0: not told */
    bool flooded; /* FLOOD publications waited, and the last of them is not acknowledged yet */
    struct mqtt_client *client;
    struct outbox *outbox;
    struct loop_timer *timer;
    enum connection connection;
    char *will_topic, *will_payload;
    struct subscription stages[MQTT_STAGES_MAX];
    int failures;       /* in a row */
    int64_t connect_ms; /* when to connect, while WAITING */
    int64_t connected_ms;
    int64_t progress_ms; /* of the present state, or the last acknowledgement */
    bool heard;          /* something, since then */
    int missed;          /* times that only something else was heard */
    bool closing;
};

static inline const char *bus_uri(const struct mqtt_bus *bus)
{
    return bus->config.brokers[bus->uri];
}

static inline int64_t bus_now_ms(const struct mqtt_bus *bus)
{
    return bus->config.clock->now(bus->config.clock).mono_ms;
}

static inline int64_t earlier_ms(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

void mqtt_subscription_release(struct subscription *subscription);

/* ---- mqtt_connection.c ---- */

void mqtt_connection_begin(struct mqtt_bus *bus);
/* Asks for an end, which is told as MQTT_LOST, and so leads to the next connection. */
void mqtt_connection_renew(struct mqtt_bus *bus, const char *why);
/* What the client has told. */
void mqtt_connection_on_made(struct mqtt_bus *bus);
void mqtt_connection_on_failed(struct mqtt_bus *bus, const struct mqtt_event *event);
void mqtt_connection_on_lost(struct mqtt_bus *bus, const char *why);
/* INT64_MAX: none. */
int64_t mqtt_connection_deadline_ms(const struct mqtt_bus *bus);
void mqtt_connection_on_timer(struct mqtt_bus *bus);

#endif
