/* Making and keeping the connection.
 *
 *   IDLE --begin--> CONNECTING --made--> CONNECTED --lost--> WAITING --timer--> CONNECTING
 *                        \--failed--> WAITING     \--renew--> DISCONNECTING --lost--> WAITING
 *
 * Full jitter between attempts, the next address each time. */
#include "platform/adapters/mqtt_bus.h"
#include "platform/base/log.h"
#include "schema/limits.h"

enum {
    CLIENT_STUCK_MS = 60 * 1000, /* the client gives up long before */
    SETTLED_MS = 10 * 1000, /* a connection that lasted this long starts a new series of delays */
    DOUBLINGS_MAX = 5,
    DOUBLINGS_MAX_CONNECTED = 3, /* while connections can be made, but do not last */
    FAILURES_LOGGED = 5,
    MQTT_BAD_PROTOCOL_V3 = 1,
    MQTT_BAD_PROTOCOL_V5 = 0x84,
};

static void connection_wait(struct mqtt_bus *bus)
{
    int doublings = bus->failures < DOUBLINGS_MAX ? bus->failures : DOUBLINGS_MAX;
    int64_t cap_ms = earlier_ms((int64_t)RECONNECT_MIN_MS << doublings, RECONNECT_MAX_MS);
    bus->connection = WAITING;
    bus->uri = (bus->uri + 1) % bus->config.broker_count;
    bus->connect_ms = bus_now_ms(bus) + (int64_t)prng_below(bus->config.prng, (uint64_t)cap_ms + 1);
}

static void connection_failed(struct mqtt_bus *bus, const char *why)
{
    if (bus->failures < FAILURES_LOGGED)
        log_warning("broker %s: %s%s", bus_uri(bus), why,
                    bus->failures + 1 == FAILURES_LOGGED ? "; trying on, quietly" : "");
    bus->failures++;
    connection_wait(bus);
}

static void connection_tell_failed(struct mqtt_bus *bus, const char *why)
{
    if (bus->config.handler.on_connect_failed)
        bus->config.handler.on_connect_failed(bus->config.handler.context, why);
}

void mqtt_connection_begin(struct mqtt_bus *bus)
{
    struct err err = {0};
    int result = mqtt_client_connect(bus->client, bus->version, bus_uri(bus), bus->will_topic,
                                     bus->will_payload, &err);
    if (result) {
        connection_failed(bus, err.text);
        connection_tell_failed(bus, err.text);
    } else {
        bus->connection = CONNECTING;
        bus->progress_ms = bus_now_ms(bus);
    }
}

/* A broker that does not speak our version says so, or closes: then the other one is tried, at once
 * when it said so. A broker that is not there tells nothing about versions, nor does one that
 * refuses us with a reason that only version 5 has. */
void mqtt_connection_on_failed(struct mqtt_bus *bus, const struct mqtt_event *event)
{
    if (bus->connection != CONNECTING)
        return;
    bool refused_version =
        event->code == MQTT_BAD_PROTOCOL_V3 || event->code == MQTT_BAD_PROTOCOL_V5;
    bool speaks_it = bus->version == 5 && event->code >= MQTT_REASON_REFUSED;
    bool has_other = false;
    if (bus->config.protocol == MQTT_PROTOCOL_AUTO &&
        (refused_version || (event->handshake && !speaks_it))) {
        bus->version = bus->version == 5 ? 3 : 5;
        has_other = bus->version == 3;
        if (refused_version && has_other) {
            mqtt_connection_begin(bus);
            return;
        }
    }
    connection_failed(bus, event->text);
    if (!has_other)
        connection_tell_failed(bus, event->text);
}

void mqtt_connection_on_made(struct mqtt_bus *bus)
{
    if (bus->connection != CONNECTING)
        return;
    bus->connection = CONNECTED;
    if (bus->failures)
        log_info("connected to broker %s", bus_uri(bus));
    bus->connected_ms = bus->progress_ms = bus_now_ms(bus);
    bus->config.handler.on_connected(bus->config.handler.context);
}

/* Connections that do not last are made again ever more slowly, as failed ones are. */
static void connection_count_loss(struct mqtt_bus *bus)
{
    bool settled = bus_now_ms(bus) - bus->connected_ms >= SETTLED_MS;
    bus->failures = settled ? 0 : (int)earlier_ms(bus->failures + 1, DOUBLINGS_MAX_CONNECTED);
}

void mqtt_connection_on_lost(struct mqtt_bus *bus, const char *why)
{
    if (bus->connection != CONNECTED && bus->connection != DISCONNECTING)
        return;
    log_warning("broker %s: %s", bus_uri(bus), why ? why : "the connection was lost");
    outbox_reset(bus->outbox);
    for (int i = 0; i < MQTT_STAGES_MAX; i++)
        mqtt_subscription_release(&bus->stages[i]);
    connection_count_loss(bus);
    connection_wait(bus);
    bus->config.handler.on_disconnected(bus->config.handler.context, why);
}

/* The client has not told what became of a connect or disconnect. */
static void connection_on_stuck(struct mqtt_bus *bus)
{
    static const char why[] = "the MQTT library does not answer";
    mqtt_client_drop(bus->client);
    if (bus->connection == DISCONNECTING) {
        mqtt_connection_on_lost(bus, why);
        return;
    }
    connection_failed(bus, why);
    connection_tell_failed(bus, why);
}

int64_t mqtt_connection_deadline_ms(const struct mqtt_bus *bus)
{
    switch (bus->connection) {
    case WAITING:
        return bus->connect_ms;
    case CONNECTING:
    case DISCONNECTING:
        return bus->progress_ms + CLIENT_STUCK_MS;
    case CONNECTION_IDLE:
    case CONNECTED:
        break;
    }
    return INT64_MAX;
}

void mqtt_connection_on_timer(struct mqtt_bus *bus)
{
    if (bus_now_ms(bus) < mqtt_connection_deadline_ms(bus))
        return;
    if (bus->connection == WAITING)
        mqtt_connection_begin(bus);
    else
        connection_on_stuck(bus);
}

void mqtt_connection_renew(struct mqtt_bus *bus, const char *why)
{
    if (bus->connection != CONNECTED)
        return;
    log_warning("broker %s: connecting again: %s", bus_uri(bus), why);
    bus->connection = DISCONNECTING;
    bus->progress_ms = bus_now_ms(bus);
    mqtt_client_disconnect(bus->client);
}
