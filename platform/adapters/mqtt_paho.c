#include "platform/adapters/mqtt_paho.h"

#include "platform/base/mem.h"
#include "schema/limits.h"

#include <MQTTAsync.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    PAHO_CONNECT_TIMEOUT_S = 6,
    PAHO_SESSION_EXPIRY_S = 7 * 24 * 3600,
    PAHO_NO_SUBSCRIBERS = 0x10,
    PAHO_REFUSED = 0x80,
};

/* The context of a subscription: tells its callback how many answers there are. */
struct subscription_context {
    struct paho *paho;
    int count;
};

struct paho {
    MQTTAsync handle;
    int version;
    struct inbox *inbox;
    struct subscription_context contexts[PAHO_FILTERS_MAX + 1];
    atomic_bool disconnecting;
};

static void paho_tell(struct paho *paho, enum inbox_kind kind, uint64_t id, int code,
                      const char *text)
{
    struct inbox_item *item = inbox_item_new(kind, id);
    item->code = code;
    item->granted = true;
    item->text = text ? mem_strdup(text) : NULL;
    inbox_push(paho->inbox, item);
}

/* ---- messages and loss ---- */

static char *copy_bytes(const void *bytes, size_t length)
{
    char *copy = mem_alloc(length + 1);
    if (length)
        memcpy(copy, bytes, length);
    return copy;
}

static void item_take_properties(struct inbox_item *item, MQTTProperties *properties)
{
    MQTTProperty *topic = MQTTProperties_getProperty(properties, MQTTPROPERTY_CODE_RESPONSE_TOPIC);
    if (topic)
        item->response_topic = copy_bytes(topic->value.data.data, (size_t)topic->value.data.len);
    MQTTProperty *correlation =
        MQTTProperties_getProperty(properties, MQTTPROPERTY_CODE_CORRELATION_DATA);
    if (!correlation)
        return;
    item->correlation_length = (size_t)correlation->value.data.len;
    item->correlation = copy_bytes(correlation->value.data.data, item->correlation_length);
}

/* Returning 0 would give no back-pressure (Paho reads and acknowledges on): always taken. */
static int on_arrived(void *context, char *topic, int topic_length, MQTTAsync_message *message)
{
    (void)topic_length; /* only set for topics with a NUL inside, which no filter of ours matches */
    struct paho *paho = context;
    struct inbox_item *item = inbox_item_new(INBOX_MESSAGE, 0);
    item->text = mem_strdup(topic);
    item->length = (size_t)message->payloadlen;
    item->payload = copy_bytes(message->payload, item->length);
    item->qos = message->qos;
    item->retained = message->retained;
    if (paho->version == 5)
        item_take_properties(item, &message->properties);
    inbox_push(paho->inbox, item);
    MQTTAsync_freeMessage(&message);
    MQTTAsync_free(topic);
    return 1;
}

static void on_lost(void *context, char *cause)
{
    paho_tell(context, INBOX_LOST, 0, 0, cause ? cause : "the connection was lost");
}

static void on_server_disconnect(void *context, MQTTProperties *properties,
                                 enum MQTTReasonCodes reason)
{
    (void)properties;
    paho_tell(context, INBOX_LOST, 0, (int)reason, MQTTReasonCode_toString(reason));
}

/* ---- connecting ---- */

static void on_connected(void *context, MQTTAsync_successData *data)
{
    (void)data;
    paho_tell(context, INBOX_CONNECTED, 0, 0, NULL);
}

static void on_connected5(void *context, MQTTAsync_successData5 *data)
{
    (void)data;
    paho_tell(context, INBOX_CONNECTED, 0, 0, NULL);
}

/* Whether the broker said no, as opposed to not being there: then another protocol version may do.
 */
static bool is_handshake_failure(const char *text)
{
    return !text || !(strstr(text, "TCP") || strstr(text, "TLS"));
}

/* What a broker answers to a CONNECT of MQTT 3.1.1. */
static const char *refusal_text(int code)
{
    static const char *const texts[] = {
        [1] = "it does not speak this version of MQTT",
        [2] = "it refuses the client id",
        [3] = "it is not available",
        [4] = "bad user name or password",
        [5] = "not authorised",
    };
    return code >= 1 && code < (int)ARRAY_LENGTH(texts) ? texts[code] : NULL;
}

/* `reason`: in words, or NULL. */
static void paho_tell_connect_failed(struct paho *paho, int code, const char *reason,
                                     const char *text)
{
    struct inbox_item *item = inbox_item_new(INBOX_CONNECT_FAILED, 0);
    item->code = code;
    item->handshake = is_handshake_failure(text);
    if (item->handshake && reason)
        item->text = mem_printf("the broker refuses the connection: %s", reason);
    else if (text)
        item->text = mem_strdup(text);
    else
        item->text = mem_printf("the broker refuses the connection (code %d)", code);
    inbox_push(paho->inbox, item);
}

static void on_connect_failed(void *context, MQTTAsync_failureData *data)
{
    int code = data ? data->code : 0;
    paho_tell_connect_failed(context, code, refusal_text(code), data ? data->message : NULL);
}

/* Paho puts the broker's reason into either of two places; one of 3.1.1 answers in its own numbers.
 */
static void on_connect_failed5(void *context, MQTTAsync_failureData5 *data)
{
    int code = !data ? 0 : data->reasonCode ? (int)data->reasonCode : data->code;
    const char *reason = code >= PAHO_REFUSED ? MQTTReasonCode_toString((enum MQTTReasonCodes)code)
                                              : refusal_text(code);
    paho_tell_connect_failed(context, code, reason, data ? data->message : NULL);
}

/* ---- disconnecting ---- */

static void on_disconnected(void *context, MQTTAsync_successData *data)
{
    (void)data;
    struct paho *paho = context;
    atomic_store(&paho->disconnecting, false);
    paho_tell(paho, INBOX_LOST, 0, 0, "disconnected");
}

static void on_disconnected5(void *context, MQTTAsync_successData5 *data)
{
    (void)data;
    on_disconnected(context, NULL);
}

static void on_disconnect_failed(void *context, MQTTAsync_failureData *data)
{
    (void)data;
    on_disconnected(context, NULL);
}

static void on_disconnect_failed5(void *context, MQTTAsync_failureData5 *data)
{
    (void)data;
    on_disconnected(context, NULL);
}

/* ---- publishing and subscribing ---- */

static void on_delivered(void *context, MQTTAsync_successData *data)
{
    paho_tell(context, INBOX_DELIVERED, (uint64_t)data->token, 0, NULL);
}

static void on_delivered5(void *context, MQTTAsync_successData5 *data)
{
    int reason = (int)data->reasonCode;
    paho_tell(context, INBOX_DELIVERED, (uint64_t)data->token, reason,
              reason == PAHO_NO_SUBSCRIBERS ? "nobody is subscribed to it" : NULL);
}

static void on_undelivered(void *context, MQTTAsync_failureData *data)
{
    paho_tell(context, INBOX_UNDELIVERED, (uint64_t)data->token, 0, data->message);
}

/* A reason of the broker ends the publication (it was refused); anything else is the connection's.
 */
static void on_undelivered5(void *context, MQTTAsync_failureData5 *data)
{
    int reason = (int)data->reasonCode;
    bool refused = reason >= PAHO_REFUSED;
    paho_tell(context, refused ? INBOX_DELIVERED : INBOX_UNDELIVERED, (uint64_t)data->token, reason,
              refused ? MQTTReasonCode_toString(data->reasonCode) : data->message);
}

static void paho_tell_subscribed(const struct subscription_context *subscription,
                                 MQTTAsync_token token, bool granted)
{
    struct inbox_item *item = inbox_item_new(INBOX_SUBSCRIBED, (uint64_t)token);
    item->granted = granted;
    inbox_push(subscription->paho->inbox, item);
}

static void on_subscribed(void *context, MQTTAsync_successData *data)
{
    const struct subscription_context *subscription = context;
    bool granted = subscription->count > 1 || data->alt.qos < PAHO_REFUSED;
    for (int i = 0; subscription->count > 1 && i < subscription->count; i++)
        granted = granted && data->alt.qosList[i] < PAHO_REFUSED;
    paho_tell_subscribed(subscription, data->token, granted);
}

static void on_subscribed5(void *context, MQTTAsync_successData5 *data)
{
    /* Paho fills in the list only for several filters; for one it is garbage. */
    const struct subscription_context *subscription = context;
    bool granted = (int)data->reasonCode < PAHO_REFUSED;
    for (int i = 0; subscription->count > 1 && i < data->alt.sub.reasonCodeCount; i++)
        granted = granted && (int)data->alt.sub.reasonCodes[i] < PAHO_REFUSED;
    paho_tell_subscribed(subscription, data->token, granted);
}

static void on_not_subscribed(void *context, MQTTAsync_failureData *data)
{
    paho_tell_subscribed(context, data->token, false);
}

static void on_not_subscribed5(void *context, MQTTAsync_failureData5 *data)
{
    paho_tell_subscribed(context, data->token, false);
}

/* ---- the client ---- */

int paho_new(int version, const char *client_id, struct inbox *inbox, struct paho **ret_paho,
             struct err *err)
{
    MQTTAsync_createOptions options = MQTTAsync_createOptions_initializer;
    options.MQTTVersion = version == 5 ? MQTTVERSION_5 : MQTTVERSION_3_1_1;
    options.sendWhileDisconnected = 0;
    options.allowDisconnectedSendAtAnyTime = 0;
    options.maxBufferedMessages = LIMIT_OUTBOX_MESSAGES;
    struct paho *paho = mem_alloc(sizeof *paho);
    paho->version = version;
    paho->inbox = inbox;
    for (int i = 0; i <= PAHO_FILTERS_MAX; i++)
        paho->contexts[i] = (struct subscription_context){paho, i};
    /* The address is given anew at each connect. */
    int result = MQTTAsync_createWithOptions(&paho->handle, "tcp://localhost:1883", client_id,
                                             MQTTCLIENT_PERSISTENCE_NONE, NULL, &options);
    if (result == MQTTASYNC_SUCCESS)
        result = MQTTAsync_setCallbacks(paho->handle, paho, on_lost, on_arrived, NULL);
    if (result == MQTTASYNC_SUCCESS && version == 5)
        result = MQTTAsync_setDisconnected(paho->handle, paho, on_server_disconnect);
    if (result != MQTTASYNC_SUCCESS) {
        paho_free(paho);
        return err_set(err, ERR_IO, "the MQTT client cannot be created (Paho code %d)", result);
    }
    *ret_paho = paho;
    return 0;
}

void paho_free(struct paho *paho)
{
    if (!paho)
        return;
    MQTTAsync_destroy(&paho->handle);
    free(paho);
}

static void connect_set_version(const struct paho *paho, const struct mqtt_bus_config *config,
                                MQTTAsync_connectOptions *options, MQTTProperties *properties)
{
    if (paho->version != 5) {
        options->MQTTVersion = MQTTVERSION_3_1_1;
        options->cleansession = !config->persistent;
        options->onSuccess = on_connected;
        options->onFailure = on_connect_failed;
        return;
    }
    options->cleanstart = !config->persistent;
    options->onSuccess5 = on_connected5;
    options->onFailure5 = on_connect_failed5;
    MQTTProperty expiry = {.identifier = MQTTPROPERTY_CODE_SESSION_EXPIRY_INTERVAL,
                           .value.integer4 = PAHO_SESSION_EXPIRY_S};
    if (config->persistent)
        MQTTProperties_add(properties, &expiry);
    options->connectProperties = properties;
}

static void connect_set_tls(const struct mqtt_bus_config *config, MQTTAsync_SSLOptions *tls)
{
    tls->trustStore = config->ca_file;
    tls->keyStore = config->certificate_file;
    tls->privateKey = config->key_file;
    tls->enableServerCertAuth = 1;
    tls->verify = 1; /* the host name too */
}

int paho_connect(struct paho *paho, const struct mqtt_bus_config *config, const char *uri,
                 const char *will_topic, const char *will_payload, struct err *err)
{
    MQTTAsync_connectOptions initial5 = MQTTAsync_connectOptions_initializer5;
    MQTTAsync_connectOptions initial3 = MQTTAsync_connectOptions_initializer;
    MQTTAsync_connectOptions options = paho->version == 5 ? initial5 : initial3;
    MQTTProperties properties = MQTTProperties_initializer;
    connect_set_version(paho, config, &options, &properties);
    MQTTAsync_willOptions will = MQTTAsync_willOptions_initializer;
    will.topicName = will_topic;
    will.message = will_payload;
    will.retained = 1;
    will.qos = 1;
    MQTTAsync_SSLOptions tls = MQTTAsync_SSLOptions_initializer;
    connect_set_tls(config, &tls);
    char *const uris[] = {(char *)(uintptr_t)uri};
    options.serverURIs = uris;
    options.serverURIcount = 1;
    options.will = will_topic ? &will : NULL;
    options.ssl = strncmp(uri, "ssl://", 6) ? NULL : &tls;
    options.keepAliveInterval = config->keepalive_s;
    options.connectTimeout = PAHO_CONNECT_TIMEOUT_S;
    options.automaticReconnect = 0;
    options.username = config->username;
    options.password = config->password;
    options.context = paho;
    int result = MQTTAsync_connect(paho->handle, &options);
    MQTTProperties_free(&properties);
    return result == MQTTASYNC_SUCCESS
               ? 0
               : err_set(err, ERR_UNREACHABLE, "cannot connect (Paho code %d)", result);
}

void paho_disconnect(struct paho *paho)
{
    MQTTAsync_disconnectOptions options = MQTTAsync_disconnectOptions_initializer;
    options.timeout = 0;
    options.context = paho;
    options.onSuccess = on_disconnected;
    options.onFailure = on_disconnect_failed;
    if (paho->version == 5) {
        MQTTAsync_disconnectOptions options5 = MQTTAsync_disconnectOptions_initializer5;
        options = options5;
        options.context = paho;
        options.onSuccess5 = on_disconnected5;
        options.onFailure5 = on_disconnect_failed5;
    }
    atomic_store(&paho->disconnecting, true);
    if (MQTTAsync_disconnect(paho->handle, &options) != MQTTASYNC_SUCCESS)
        on_disconnected(paho, NULL);
}

void paho_wait_disconnected(const struct paho *paho)
{
    for (int i = 0; i < 1000 && atomic_load(&paho->disconnecting); i++)
        nanosleep(&(struct timespec){0, 1000000}, NULL);
}

int paho_subscribe(struct paho *paho, char *const *topics, const struct bus_filter *filters,
                   size_t count, uint64_t *ret_token)
{
    ASSERT(count && count <= PAHO_FILTERS_MAX);
    int qos[PAHO_FILTERS_MAX];
    MQTTSubscribe_options subscribe[PAHO_FILTERS_MAX];
    MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;
    options.context = &paho->contexts[count];
    for (size_t i = 0; i < count; i++) {
        MQTTSubscribe_options initial = MQTTSubscribe_options_initializer;
        subscribe[i] = initial;
        subscribe[i].noLocal = filters[i].no_local;
        qos[i] = filters[i].qos;
    }
    if (paho->version == 5) {
        options.subscribeOptions = subscribe[0];
        options.subscribeOptionsList = subscribe;
        options.subscribeOptionsCount = (int)count;
        options.onSuccess5 = on_subscribed5;
        options.onFailure5 = on_not_subscribed5;
    } else {
        options.onSuccess = on_subscribed;
        options.onFailure = on_not_subscribed;
    }
    int result = MQTTAsync_subscribeMany(paho->handle, (int)count, topics, qos, &options);
    *ret_token = (uint64_t)options.token;
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

int paho_send(struct paho *paho, const struct bus_publication *publication, const char *topic,
              uint64_t *ret_token)
{
    MQTTAsync_message message = MQTTAsync_message_initializer;
    message.payload = (void *)(uintptr_t)publication->payload;
    message.payloadlen = (int)publication->length;
    message.qos = publication->qos;
    message.retained = publication->retain;
    MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;
    options.context = paho;
    if (publication->qos && paho->version == 5) {
        options.onSuccess5 = on_delivered5;
        options.onFailure5 = on_undelivered5;
    } else if (publication->qos) {
        options.onSuccess = on_delivered;
        options.onFailure = on_undelivered;
    }
    if (paho->version == 5)
        message_set_properties(publication, &message.properties);
    int result = MQTTAsync_sendMessage(paho->handle, topic, &message, &options);
    MQTTProperties_free(&message.properties);
    *ret_token = (uint64_t)options.token;
    if (result == MQTTASYNC_MAX_BUFFERED_MESSAGES)
        return -ERR_BUSY;
    return result == MQTTASYNC_SUCCESS ? 0 : -ERR_UNREACHABLE;
}
