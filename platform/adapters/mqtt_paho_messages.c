/* What goes over a connection of Paho: subscriptions, publications, and what comes. */
#include "platform/adapters/mqtt_paho.h"

#include "platform/base/mem.h"

#include <stdlib.h>
#include <string.h>

enum { NO_SUBSCRIBERS = 0x10, RETAIN_NEVER = 2 };

void mqtt_paho_tell(struct mqtt_client *client, enum mqtt_event_kind kind, uint64_t token, int code,
                    const char *text)
{
    struct inbox_item *item = inbox_item_new(kind, token);
    item->event.code = code;
    item->event.text = item->text = text ? mem_strdup(text) : NULL;
    inbox_push(client->inbox, item);
}

/* ---- what comes ---- */

static char *copy_bytes(const void *bytes, size_t length)
{
    char *copy = mem_alloc(length + 1);
    if (length)
        memcpy(copy, bytes, length);
    return copy;
}

static void message_take_properties(struct bus_message *message, MQTTProperties *properties)
{
    MQTTProperty *topic = MQTTProperties_getProperty(properties, MQTTPROPERTY_CODE_RESPONSE_TOPIC);
    if (topic)
        message->response_topic = copy_bytes(topic->value.data.data, (size_t)topic->value.data.len);
    MQTTProperty *correlation =
        MQTTProperties_getProperty(properties, MQTTPROPERTY_CODE_CORRELATION_DATA);
    if (!correlation)
        return;
    message->correlation_length = (size_t)correlation->value.data.len;
    message->correlation = copy_bytes(correlation->value.data.data, message->correlation_length);
}

/* Returning 0 would give no back-pressure (Paho reads and acknowledges on): always taken. */
int mqtt_paho_on_arrived(void *context, char *topic, int topic_length, MQTTAsync_message *message)
{
    (void)topic_length; /* only set for topics with a NUL inside, which no filter of ours matches */
    struct mqtt_client *client = context;
    struct inbox_item *item = inbox_item_new(MQTT_MESSAGE, 0);
    item->message = (struct bus_message){
        .topic = mem_strdup(topic),
        .payload = copy_bytes(message->payload, (size_t)message->payloadlen),
        .length = (size_t)message->payloadlen,
        .qos = message->qos,
        .retained = message->retained,
    };
    if (client->version == 5)
        message_take_properties(&item->message, &message->properties);
    inbox_push(client->inbox, item);
    MQTTAsync_freeMessage(&message);
    MQTTAsync_free(topic);
    return 1;
}

/* ---- publishing and subscribing ---- */

static void on_delivered(void *context, MQTTAsync_successData *data)
{
    mqtt_paho_tell(context, MQTT_DELIVERED, (uint64_t)data->token, 0, NULL);
}

static void on_delivered5(void *context, MQTTAsync_successData5 *data)
{
    int reason = (int)data->reasonCode;
    mqtt_paho_tell(context, MQTT_DELIVERED, (uint64_t)data->token, reason,
                   reason == NO_SUBSCRIBERS ? "nobody is subscribed to it" : NULL);
}

static void on_undelivered(void *context, MQTTAsync_failureData *data)
{
    mqtt_paho_tell(context, MQTT_UNDELIVERED, (uint64_t)data->token, 0, data->message);
}

/* A reason of the broker ends the publication (it was refused); anything else is the connection's.
 */
static void on_undelivered5(void *context, MQTTAsync_failureData5 *data)
{
    int reason = (int)data->reasonCode;
    bool refused = reason >= MQTT_REASON_REFUSED;
    mqtt_paho_tell(context, refused ? MQTT_DELIVERED : MQTT_UNDELIVERED, (uint64_t)data->token,
                   reason, refused ? MQTTReasonCode_toString(data->reasonCode) : data->message);
}

static void tell_subscribed(const struct paho_subscription *subscription, MQTTAsync_token token,
                            bool granted)
{
    struct inbox_item *item = inbox_item_new(MQTT_SUBSCRIBED, (uint64_t)token);
    item->event.granted = granted;
    inbox_push(subscription->client->inbox, item);
}

static void on_subscribed(void *context, MQTTAsync_successData *data)
{
    const struct paho_subscription *subscription = context;
    bool granted = subscription->count > 1 || data->alt.qos < MQTT_REASON_REFUSED;
    for (int i = 0; subscription->count > 1 && i < subscription->count; i++)
        granted = granted && data->alt.qosList[i] < MQTT_REASON_REFUSED;
    tell_subscribed(subscription, data->token, granted);
}

static void on_subscribed5(void *context, MQTTAsync_successData5 *data)
{
    /* Paho fills in the list only for several filters; for one it is garbage. */
    const struct paho_subscription *subscription = context;
    bool granted = (int)data->reasonCode < MQTT_REASON_REFUSED;
    for (int i = 0; subscription->count > 1 && i < data->alt.sub.reasonCodeCount; i++)
        granted = granted && (int)data->alt.sub.reasonCodes[i] < MQTT_REASON_REFUSED;
    tell_subscribed(subscription, data->token, granted);
}

static void on_not_subscribed(void *context, MQTTAsync_failureData *data)
{
    tell_subscribed(context, data->token, false);
}

static void on_not_subscribed5(void *context, MQTTAsync_failureData5 *data)
{
    tell_subscribed(context, data->token, false);
}

int mqtt_client_subscribe(struct mqtt_client *client, char *const *topics,
                          const struct bus_filter *filters, size_t count, uint64_t *ret_token)
{
    ASSERT(count && count <= MQTT_FILTERS_MAX);
    int qos[MQTT_FILTERS_MAX];
    MQTTSubscribe_options subscribe[MQTT_FILTERS_MAX];
    MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;
    options.context = &client->contexts[count];
    for (size_t i = 0; i < count; i++) {
        MQTTSubscribe_options initial = MQTTSubscribe_options_initializer;
        subscribe[i] = initial;
        bool said = filters[i].sent == BUS_SAID || filters[i].sent == BUS_OTHERS;
        subscribe[i].noLocal = filters[i].sent == BUS_OTHERS;
        subscribe[i].retainAsPublished = filters[i].sent == BUS_FLAGGED;
        subscribe[i].retainHandling = said ? RETAIN_NEVER : 0;
        qos[i] = filters[i].qos;
    }
    if (client->version == 5) {
        options.subscribeOptions = subscribe[0];
        options.subscribeOptionsList = subscribe;
        options.subscribeOptionsCount = (int)count;
        options.onSuccess5 = on_subscribed5;
        options.onFailure5 = on_not_subscribed5;
    } else {
        options.onSuccess = on_subscribed;
        options.onFailure = on_not_subscribed;
    }
    /* Mosquitto changes nothing but the QoS of a subscription that is there. */
    if (filters[0].sent == BUS_OTHERS)
        MQTTAsync_unsubscribeMany(client->handle, (int)count, topics, NULL);
    int result = MQTTAsync_subscribeMany(client->handle, (int)count, topics, qos, &options);
    *ret_token = (uint64_t)options.token;
    if (filters[0].sent == BUS_RETAINED)
        MQTTAsync_unsubscribeMany(client->handle, (int)count, topics, NULL);
    return result == MQTTASYNC_SUCCESS ? 0 : -ERR_UNREACHABLE;
}

static void message_set_properties(const struct bus_publication *publication,
                                   MQTTProperties *properties)
{
    MQTTProperty expiry = {.identifier = MQTTPROPERTY_CODE_MESSAGE_EXPIRY_INTERVAL,
                           .value.integer4 = (unsigned)publication->expiry_s};
    if (publication->expiry_s)
        MQTTProperties_add(properties, &expiry);
    MQTTProperty correlation = {.identifier = MQTTPROPERTY_CODE_CORRELATION_DATA,
                                .value.data = {(int)publication->correlation_length,
                                               (char *)(uintptr_t)publication->correlation}};
    if (publication->correlation_length)
        MQTTProperties_add(properties, &correlation);
}

/* It writes each packet by itself. */
void mqtt_client_hold(struct mqtt_client *client, bool held)
{
    (void)client;
    (void)held;
}

int mqtt_client_send(struct mqtt_client *client, const struct bus_publication *publication,
                     const char *topic, uint64_t *ret_token)
{
    MQTTAsync_message message = MQTTAsync_message_initializer;
    message.payload = (void *)(uintptr_t)publication->payload;
    message.payloadlen = (int)publication->length;
    message.qos = publication->qos;
    message.retained = publication->retain;
    MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;
    options.context = client;
    if (publication->qos && client->version == 5) {
        options.onSuccess5 = on_delivered5;
        options.onFailure5 = on_undelivered5;
    } else if (publication->qos) {
        options.onSuccess = on_delivered;
        options.onFailure = on_undelivered;
    }
    if (client->version == 5)
        message_set_properties(publication, &message.properties);
    int result = MQTTAsync_sendMessage(client->handle, topic, &message, &options);
    MQTTProperties_free(&message.properties);
    *ret_token = (uint64_t)options.token;
    if (result == MQTTASYNC_MAX_BUFFERED_MESSAGES)
        return -ERR_BUSY;
    return result == MQTTASYNC_SUCCESS ? 0 : -ERR_UNREACHABLE;
}
