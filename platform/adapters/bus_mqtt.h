/* The bus on an MQTT broker, through the client library that is linked (mqtt_client.h). */
#ifndef ARGOSY_ADAPTERS_BUS_MQTT_H
#define ARGOSY_ADAPTERS_BUS_MQTT_H

#include "platform/adapters/loop.h"
#include "platform/base/prng.h"
#include "platform/ports/bus.h"
#include "platform/ports/clock.h"

enum mqtt_protocol {
    MQTT_PROTOCOL_AUTO, /* 5 where the broker has it, else 3.1.1; decided at each connect */
    MQTT_PROTOCOL_5,
    MQTT_PROTOCOL_3,
};

struct mqtt_bus_config {
    struct loop *loop;
    struct clock *clock;
    struct prng *prng; /* jitter */
    const char *root;
    const char *client_id;
    /* A persistent session: the broker keeps QoS 1 messages for us while we are away, for seven
     * days. */
    bool persistent;
    /* "host", "host:port", "[::1]:1883", "tcp://…", "ssl://host:8883"; tried in turn. */
    const char *const *brokers;
    size_t broker_count;
    int keepalive_s;
    enum mqtt_protocol protocol;
    const char *username, *password; /* NULL: none */
    const char *password_file;       /* its first line is the password, unless one is given */
    const char *ca_file;             /* with ssl://; NULL: the system's */
    const char *certificate_file, *key_file;
    int window; /* unacknowledged publications; 0: 100, or with MQTT 5 as many as the broker allows,
                   if that is less, or 16 when the library does not tell */
    struct bus_handler handler;
};

/* All strings are copied. -ERR_INVALID for a broker address that is none, -ERR_IO for a
 * password file that cannot be read, else the client
 * library's refusal. Nothing happens before bus->ops->start(). */
int mqtt_bus_new(const struct mqtt_bus_config *config, struct bus **ret_bus, struct err *err);

/* 3 or 5 while connected, 0 otherwise. */
int mqtt_bus_version(const struct bus *bus);

#endif
