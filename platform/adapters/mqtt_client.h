/* One connection to an MQTT broker at a time: the seam below the bus. Two libraries stand behind
 * it, of which a program links one (argosy_bus_mosquitto, argosy_bus_paho).
 *
 * It neither reconnects nor resends; that is the bus's. Everything is called, and every event told,
 * on the owner thread, and no event from within a call. Tokens name subscriptions and publications
 * in the events that tell what became of them. */
#ifndef ARGOSY_ADAPTERS_MQTT_CLIENT_H
#define ARGOSY_ADAPTERS_MQTT_CLIENT_H

#include "platform/adapters/bus_mqtt.h"

enum {
    MQTT_FILTERS_MAX = BUS_FILTERS_MAX,
    MQTT_REASON_REFUSED = 0x80 /* and above: reasons of MQTT 5 */
};

enum mqtt_event_kind {
    MQTT_MESSAGE,
    MQTT_CONNECTED,
    MQTT_CONNECT_FAILED,
    MQTT_LOST, /* also: the disconnect that was asked for is done */
    MQTT_SUBSCRIBED,
    MQTT_DELIVERED,   /* acknowledged, or refused with a code; the end of it */
    MQTT_UNDELIVERED, /* given up; LOST follows */
    MQTT_OVERFLOW,    /* messages had to be dropped */
};

struct mqtt_event {
    enum mqtt_event_kind kind;
    uint64_t token;         /* SUBSCRIBED, DELIVERED, UNDELIVERED */
    int code;               /* return or reason code, 0: none */
    bool granted;           /* SUBSCRIBED: all of them */
    size_t receive_maximum; /* CONNECTED: how many the broker takes unacknowledged, 0: not told */
    bool handshake;         /* CONNECT_FAILED: the broker was there and said no */
    const char *text;       /* why, or NULL */
    const struct bus_message *message; /* MESSAGE, with the whole topic */
};

/* Any number of events, then one end of the batch. In both, everything below may be called but
 * mqtt_client_turn() and mqtt_client_free(). */
struct mqtt_listener {
    void *context;
    void (*on_event)(void *context, const struct mqtt_event *event);
    void (*on_batch_end)(void *context);
};

struct mqtt_client;

/* Uses the loop and the clock of `config`, which is to live as long. -ERR_IO with the library's
 * words. */
int mqtt_client_new(const struct mqtt_bus_config *config, const struct mqtt_listener *listener,
                    struct mqtt_client **ret_client, struct err *err);
/* Whatever is under way ends; a disconnect gets a second at most. Accepts NULL. */
void mqtt_client_free(struct mqtt_client *client);
/* `version` 3 (3.1.1) or 5; `uri` from mqtt_address_parse. CONNECTED or CONNECT_FAILED follows,
 * unless -ERR_IO or -ERR_UNREACHABLE with words is returned. `will_topic` is whole; NULL: none. */
int mqtt_client_connect(struct mqtt_client *client, int version, const char *uri,
                        const char *will_topic, const char *will_payload, struct err *err);
/* LOST follows, whatever comes of it. */
void mqtt_client_disconnect(struct mqtt_client *client);
/* The connection or the attempt is dropped at once, and nothing of it is told any more. */
void mqtt_client_drop(struct mqtt_client *client);
/* SUBSCRIBED with the token follows, unless the connection is lost before. -ERR_UNREACHABLE, or
 * -ERR_BUSY: too many are under way. */
int mqtt_client_subscribe(struct mqtt_client *client, char *const *topics,
                          const struct bus_filter *filters, size_t count, uint64_t *ret_token);
/* With QoS 1, DELIVERED or UNDELIVERED with the token follows, unless the connection is lost
 * before. -ERR_BUSY: the library's buffer is full; -ERR_TOO_LARGE: the broker takes no such packet;
 * -ERR_UNREACHABLE. */
int mqtt_client_send(struct mqtt_client *client, const struct bus_publication *publication,
                     const char *topic, uint64_t *ret_token);
/* What is sent while it is held goes out with one call, where the client can: one packet for a slow
 * link. */
void mqtt_client_hold(struct mqtt_client *client, bool held);
/* Waits up to `timeout_ms` for something to come and handles it, without the loop. */
void mqtt_client_turn(struct mqtt_client *client, int timeout_ms);

/* What a broker means by the return code of a CONNECT of MQTT 3.1.1; NULL: nothing known. */
const char *mqtt_refusal_text(int code);

#endif
