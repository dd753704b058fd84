/* What goes over a connection of libmosquitto: subscriptions, publications, and what comes. */
#include "platform/adapters/mqtt_mosquitto.h"

#include "platform/base/mem.h"

#include <errno.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <stdlib.h>

enum { NO_SUBSCRIBERS = 0x10 };

/* ---- what comes ---- */

static void on_message(struct mosquitto *handle, void *context,
                       const struct mosquitto_message *arrived,
                       const mosquitto_property *properties)
{
    (void)handle;
    struct mqtt_client *client = context;
    _cleanup_free_ char *response_topic = NULL;
    _cleanup_free_ void *correlation = NULL;
    uint16_t correlation_length = 0;
    mosquitto_property_read_string(properties, MQTT_PROP_RESPONSE_TOPIC, &response_topic, false);
    mosquitto_property_read_binary(properties, MQTT_PROP_CORRELATION_DATA, &correlation,
                                   &correlation_length, false);
    const struct bus_message message = {
        .topic = arrived->topic,
        .payload = arrived->payload ? arrived->payload : "",
        .length = (size_t)arrived->payloadlen,
        .qos = arrived->qos,
        .retained = arrived->retain,
        .response_topic = response_topic,
        .correlation = correlation,
        .correlation_length = correlation_length,
    };
    mqtt_mosquitto_tell_made(client);
    mqtt_mosquitto_tell(client, &(struct mqtt_event){.kind = MQTT_MESSAGE, .message = &message});
    errno = 0; /* the library takes EAGAIN, left by whomever, for a socket that is read empty */
}

static void on_publish(struct mosquitto *handle, void *context, int id, int reason,
                       const mosquitto_property *properties)
{
    (void)handle;
    (void)properties;
    const char *text = reason == NO_SUBSCRIBERS ? "nobody is subscribed to it"
                       : reason                 ? mosquitto_reason_string(reason)
                                                : NULL;
    mqtt_mosquitto_tell(
        context, &(struct mqtt_event){
                     .kind = MQTT_DELIVERED, .token = (uint64_t)id, .code = reason, .text = text});
    errno = 0;
}

static struct part *part_find(struct mqtt_client *client, int id)
{
    for (size_t i = 0; i < PARTS_MAX; i++)
        if (client->parts[i].id == id)
            return &client->parts[i];
    return NULL;
}

/* The last part tells of the whole. */
static void part_answered(struct mqtt_client *client, struct part *part, bool refused)
{
    bool last = true;
    struct mqtt_event event = {
        .kind = MQTT_SUBSCRIBED, .token = part->token, .granted = !refused && !part->refused};
    *part = (struct part){0};
    for (size_t i = 0; i < PARTS_MAX; i++) {
        if (!client->parts[i].id || client->parts[i].token != event.token)
            continue;
        last = false;
        client->parts[i].refused = !event.granted;
    }
    if (last)
        mqtt_mosquitto_tell(client, &event);
}

static void on_subscribe(struct mosquitto *handle, void *context, int id, int count,
                         const int *granted, const mosquitto_property *properties)
{
    (void)handle;
    (void)properties;
    struct part *part = part_find(context, id);
    bool refused = false;
    for (int i = 0; i < count; i++)
        refused = refused || granted[i] >= MQTT_REASON_REFUSED;
    if (part)
        part_answered(context, part, refused);
    errno = 0;
}

void mqtt_mosquitto_set_message_callbacks(struct mosquitto *handle)
{
    mosquitto_message_v5_callback_set(handle, on_message);
    mosquitto_publish_v5_callback_set(handle, on_publish);
    mosquitto_subscribe_v5_callback_set(handle, on_subscribe);
}

/* ---- subscribing and publishing ---- */

static const int subscribe_options[] = {
    [BUS_SAID] = MQTT_SUB_OPT_SEND_RETAIN_NEVER,
    [BUS_OTHERS] = MQTT_SUB_OPT_NO_LOCAL | MQTT_SUB_OPT_SEND_RETAIN_NEVER,
    [BUS_RETAINED] = 0,
    [BUS_FLAGGED] = MQTT_SUB_OPT_RETAIN_AS_PUBLISHED,
};

static int part_send(struct mqtt_client *client, char **topics, int count, int qos,
                     enum bus_sent sent, uint64_t token)
{
    struct part *part = part_find(client, 0);
    if (!part)
        return -ERR_BUSY;
    int id;
    /* Mosquitto changes nothing but the QoS of a subscription that is there. */
    if (sent == BUS_OTHERS &&
        mosquitto_unsubscribe_multiple(client->handle, NULL, count, topics, NULL))
        return -ERR_UNREACHABLE;
    if (mosquitto_subscribe_multiple(client->handle, &id, count, topics, qos,
                                     subscribe_options[sent], NULL))
        return -ERR_UNREACHABLE;
    if (sent == BUS_RETAINED &&
        mosquitto_unsubscribe_multiple(client->handle, NULL, count, topics, NULL))
        return -ERR_UNREACHABLE;
    *part = (struct part){.id = id, .token = token};
    return 0;
}

int mqtt_client_subscribe(struct mqtt_client *client, char *const *topics,
                          const struct bus_filter *filters, size_t count, uint64_t *ret_token)
{
    ASSERT(count && count <= MQTT_FILTERS_MAX);
    if (client->phase != CONNECTED)
        return -ERR_UNREACHABLE;
    struct mqtt_socket *outer = mqtt_socket_enter(&client->socket);
    uint64_t token = ++client->last_token;
    int result = 0;
    for (size_t kind = 0; kind < 2 * ARRAY_LENGTH(subscribe_options) && !result; kind++) {
        char *chosen[MQTT_FILTERS_MAX];
        int chosen_count = 0, qos = (int)(kind & 1);
        enum bus_sent sent = (enum bus_sent)(kind >> 1);
        for (size_t i = 0; i < count; i++)
            if (filters[i].qos == qos && filters[i].sent == sent)
                chosen[chosen_count++] = topics[i];
        if (chosen_count)
            result = part_send(client, chosen, chosen_count, qos, sent, token);
    }
    mqtt_socket_leave(&client->socket, outer); /* one that has failed is told when it is read */
    mqtt_mosquitto_rearm(client);
    *ret_token = token;
    return result;
}

static mosquitto_property *message_properties(const struct bus_publication *publication)
{
    mosquitto_property *properties = NULL;
    if (publication->expiry_s)
        mosquitto_property_add_int32(&properties, MQTT_PROP_MESSAGE_EXPIRY_INTERVAL,
                                     (uint32_t)publication->expiry_s);
    if (publication->correlation_length)
        mosquitto_property_add_binary(&properties, MQTT_PROP_CORRELATION_DATA,
                                      publication->correlation,
                                      (uint16_t)publication->correlation_length);
    return properties;
}

void mqtt_client_hold(struct mqtt_client *client, bool held)
{
    if (held) {
        client->held_within = mqtt_socket_enter(&client->socket);
        return;
    }
    mqtt_socket_leave(&client->socket, client->held_within);
    if (client->phase == CONNECTED)
        mqtt_mosquitto_rearm(client);
}

int mqtt_client_send(struct mqtt_client *client, const struct bus_publication *publication,
                     const char *topic, uint64_t *ret_token)
{
    if (client->phase != CONNECTED)
        return -ERR_UNREACHABLE;
    mosquitto_property *properties = client->version == 5 ? message_properties(publication) : NULL;
    int id = 0;
    struct mqtt_socket *outer = mqtt_socket_enter(&client->socket);
    int result = mosquitto_publish_v5(client->handle, &id, topic, (int)publication->length,
                                      publication->payload, publication->qos, publication->retain,
                                      properties);
    mosquitto_property_free_all(&properties);
    mqtt_socket_leave(&client->socket, outer); /* one that has failed is told when it is read */
    mqtt_mosquitto_rearm(client);
    *ret_token = result == MOSQ_ERR_OVERSIZE_PACKET ? UINT64_MAX : (uint64_t)id;
    if (result == MOSQ_ERR_OVERSIZE_PACKET)
        return -ERR_TOO_LARGE;
    return result ? -ERR_UNREACHABLE : 0;
}
