/* The client on Paho inside: what mqtt_client_paho.c (the connection) and mqtt_paho_messages.c
 * (what goes over it) share. */
#ifndef ARGOSY_ADAPTERS_MQTT_PAHO_H
#define ARGOSY_ADAPTERS_MQTT_PAHO_H

#include "platform/adapters/mqtt_client.h"
#include "platform/adapters/mqtt_paho_inbox.h"

#include <MQTTAsync.h>
#include <stdatomic.h>

/* The context of a subscription: tells its callback how many answers there are. */
struct paho_subscription {
    struct mqtt_client *client;
    int count;
};

struct mqtt_client {
    const struct mqtt_bus_config *config;
    struct mqtt_listener listener;
    MQTTAsync handle; /* made when first needed, anew for another version */
    int version;      /* of the handle */
    struct inbox *inbox;
    struct loop_async *wake;
    char *uri;
    struct paho_subscription contexts[MQTT_FILTERS_MAX + 1];
    atomic_bool disconnecting;
};

/* Puts an event into the inbox; copies `text`, which may be NULL. Any thread. */
void mqtt_paho_tell(struct mqtt_client *client, enum mqtt_event_kind kind, uint64_t token, int code,
                    const char *text);
/* Paho's callback for messages. */
int mqtt_paho_on_arrived(void *context, char *topic, int topic_length, MQTTAsync_message *message);

#endif
