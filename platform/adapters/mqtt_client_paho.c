/* The client on Paho's MQTTAsync, kept as a second implementation of the seam.
 *
 * Its callbacks run on Paho's threads; they copy into the inbox and return, nothing else. The owner
 * takes everything from there when it is woken. What Paho 1.3.12 does otherwise than one would
 * think, and what is done about it, is in docs/decisions.md (D17). */
#include "platform/adapters/mqtt_paho.h"
#include "platform/adapters/mqtt_paho_socket.h"

#include "platform/base/mem.h"
#include "schema/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    CONNECT_TIMEOUT_S = 6,
    SESSION_EXPIRY_S = 7 * 24 * 3600,
    DISCONNECT_WAIT_MS = 1000,
};

/* ---- loss ---- */

static void on_lost(void *context, char *cause)
{
    mqtt_paho_tell(context, MQTT_LOST, 0, 0, cause ? cause : "the connection was lost");
}

static void on_server_disconnect(void *context, MQTTProperties *properties,
                                 enum MQTTReasonCodes reason)
{
    (void)properties;
    mqtt_paho_tell(context, MQTT_LOST, 0, (int)reason, MQTTReasonCode_toString(reason));
}

/* ---- connecting ---- */

static void on_connected(void *context, MQTTAsync_successData *data)
{
    (void)data;
    mqtt_paho_tell(context, MQTT_CONNECTED, 0, 0, NULL);
}

static void on_connected5(void *context, MQTTAsync_successData5 *data)
{
    (void)data;
    mqtt_paho_tell(context, MQTT_CONNECTED, 0, 0, NULL);
}

/* Whether the broker said no, as opposed to not being there: then another protocol version may do.
 */
static bool is_handshake_failure(const char *text)
{
    return !text || !(strstr(text, "TCP") || strstr(text, "TLS"));
}

/* `reason`: in words, or NULL. */
static void tell_connect_failed(struct mqtt_client *client, int code, const char *reason,
                                const char *text)
{
    struct inbox_item *item = inbox_item_new(MQTT_CONNECT_FAILED, 0);
    item->event.code = code;
    item->event.handshake = is_handshake_failure(text);
    if (item->event.handshake && reason)
        item->text = mem_printf("the broker refuses the connection: %s", reason);
    else if (text)
        item->text = mem_strdup(text);
    else
        item->text = mem_printf("the broker refuses the connection (code %d)", code);
    item->event.text = item->text;
    inbox_push(client->inbox, item);
}

static void on_connect_failed(void *context, MQTTAsync_failureData *data)
{
    int code = data ? data->code : 0;
    tell_connect_failed(context, code, mqtt_refusal_text(code), data ? data->message : NULL);
}

/* Paho puts the broker's reason into either of two places; one of 3.1.1 answers in its own numbers.
 */
static void on_connect_failed5(void *context, MQTTAsync_failureData5 *data)
{
    int code = !data ? 0 : data->reasonCode ? (int)data->reasonCode : data->code;
    const char *reason = code >= MQTT_REASON_REFUSED
                             ? MQTTReasonCode_toString((enum MQTTReasonCodes)code)
                             : mqtt_refusal_text(code);
    tell_connect_failed(context, code, reason, data ? data->message : NULL);
}

/* ---- disconnecting ---- */

static void on_disconnected(void *context, MQTTAsync_successData *data)
{
    (void)data;
    struct mqtt_client *client = context;
    atomic_store(&client->disconnecting, false);
    mqtt_paho_tell(client, MQTT_LOST, 0, 0, "disconnected");
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

/* ---- the client ---- */

static void client_forget(struct mqtt_client *client)
{
    bool overflow;
    mqtt_paho_socket_forget();
    if (client->handle)
        MQTTAsync_destroy(&client->handle);
    client->handle = NULL;
    inbox_items_free(inbox_take(client->inbox, &overflow));
}

/* Keeps the handle where it can. One at a time: Paho finds a client by its socket's number, which
 * two would share. And one a connection where the session is persistent: Paho would send again what
 * it had in flight, by itself, from memory that it has freed. */
static int client_renew(struct mqtt_client *client, int version, const char *uri, struct err *err)
{
    if (client->handle && client->version == version && !client->config->persistent)
        return 0;
    client_forget(client);
    client->version = version;
    MQTTAsync_createOptions options = MQTTAsync_createOptions_initializer;
    options.MQTTVersion = version == 5 ? MQTTVERSION_5 : MQTTVERSION_3_1_1;
    options.sendWhileDisconnected = 0;
    options.allowDisconnectedSendAtAnyTime = 0;
    options.maxBufferedMessages = LIMIT_OUTBOX_MESSAGES;
    int result = MQTTAsync_createWithOptions(&client->handle, uri, client->config->client_id,
                                             MQTTCLIENT_PERSISTENCE_NONE, NULL, &options);
    if (result == MQTTASYNC_SUCCESS)
        result =
            MQTTAsync_setCallbacks(client->handle, client, on_lost, mqtt_paho_on_arrived, NULL);
    if (result == MQTTASYNC_SUCCESS && version == 5)
        result = MQTTAsync_setDisconnected(client->handle, client, on_server_disconnect);
    if (result == MQTTASYNC_SUCCESS)
        return 0;
    client_forget(client);
    return err_set(err, ERR_IO, "the MQTT client cannot be created (Paho code %d)", result);
}

/* The owner's side. */
static void client_on_wake(void *context)
{
    struct mqtt_client *client = context;
    const struct mqtt_listener *listener = &client->listener;
    bool overflow;
    for (struct inbox_item *item = inbox_take(client->inbox, &overflow), *next; item; item = next) {
        next = item->next;
        if (item->event.kind == MQTT_CONNECTED)
            mqtt_paho_socket_adopt(client->uri);
        else if (item->event.kind == MQTT_LOST)
            mqtt_paho_socket_forget();
        listener->on_event(listener->context, &item->event);
        inbox_item_free(item);
    }
    if (overflow)
        listener->on_event(listener->context, &(struct mqtt_event){.kind = MQTT_OVERFLOW});
    listener->on_batch_end(listener->context);
}

static void wake_owner(void *context)
{
    struct mqtt_client *client = context;
    loop_async_wake(client->wake);
}

int mqtt_client_new(const struct mqtt_bus_config *config, const struct mqtt_listener *listener,
                    struct mqtt_client **ret_client, struct err *err)
{
    (void)err; /* the handle is made by the first connect */
    struct mqtt_client *client = mem_alloc(sizeof *client);
    client->config = config;
    client->listener = *listener;
    client->inbox = inbox_new(wake_owner, client, LIMIT_INBOX_MESSAGES, LIMIT_INBOX_BYTES);
    client->wake = loop_async_new(config->loop, client_on_wake, client);
    for (int i = 0; i <= MQTT_FILTERS_MAX; i++)
        client->contexts[i] = (struct paho_subscription){client, i};
    *ret_client = client;
    return 0;
}

static void client_wait_disconnected(const struct mqtt_client *client)
{
    for (int i = 0; i < DISCONNECT_WAIT_MS && atomic_load(&client->disconnecting); i++)
        nanosleep(&(struct timespec){0, 1000000}, NULL);
}

void mqtt_client_free(struct mqtt_client *client)
{
    if (!client)
        return;
    client_wait_disconnected(client);
    client_forget(client);
    loop_async_free(client->wake); /* after the threads that wake it */
    inbox_free(client->inbox);
    free(client->uri);
    free(client);
}

void mqtt_client_drop(struct mqtt_client *client)
{
    client_forget(client);
}

void mqtt_client_turn(struct mqtt_client *client, int timeout_ms)
{
    (void)timeout_ms; /* the inbox cannot be waited for: a millisecond, then a look */
    nanosleep(&(struct timespec){0, 1000000}, NULL);
    client_on_wake(client);
}

/* ---- connecting and disconnecting ---- */

static void connect_set_version(const struct mqtt_client *client,
                                const struct mqtt_bus_config *config,
                                MQTTAsync_connectOptions *options, MQTTProperties *properties)
{
    if (client->version != 5) {
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
                           .value.integer4 = SESSION_EXPIRY_S};
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

static int client_connect(struct mqtt_client *client, MQTTAsync_willOptions *will)
{
    const struct mqtt_bus_config *config = client->config;
    MQTTAsync_connectOptions initial5 = MQTTAsync_connectOptions_initializer5;
    MQTTAsync_connectOptions initial3 = MQTTAsync_connectOptions_initializer;
    MQTTAsync_connectOptions options = client->version == 5 ? initial5 : initial3;
    MQTTProperties properties = MQTTProperties_initializer;
    connect_set_version(client, config, &options, &properties);
    MQTTAsync_SSLOptions tls = MQTTAsync_SSLOptions_initializer;
    connect_set_tls(config, &tls);
    options.serverURIs = &client->uri;
    options.serverURIcount = 1;
    options.will = will;
    options.ssl = strncmp(client->uri, "ssl://", 6) ? NULL : &tls;
    options.keepAliveInterval = config->keepalive_s;
    options.connectTimeout = CONNECT_TIMEOUT_S;
    options.automaticReconnect = 0;
    options.username = config->username;
    options.password = config->password;
    options.context = client;
    int result = MQTTAsync_connect(client->handle, &options);
    MQTTProperties_free(&properties);
    return result;
}

int mqtt_client_connect(struct mqtt_client *client, int version, const char *uri,
                        const char *will_topic, const char *will_payload, struct err *err)
{
    int result = client_renew(client, version, uri, err);
    if (result)
        return result;
    free(client->uri);
    client->uri = mem_strdup(uri);
    MQTTAsync_willOptions will = MQTTAsync_willOptions_initializer;
    will.topicName = will_topic;
    will.message = will_payload;
    will.retained = 1;
    will.qos = 1;
    result = client_connect(client, will_topic ? &will : NULL);
    return result == MQTTASYNC_SUCCESS
               ? 0
               : err_set(err, ERR_UNREACHABLE, "cannot connect (Paho code %d)", result);
}

void mqtt_client_disconnect(struct mqtt_client *client)
{
    MQTTAsync_disconnectOptions options = MQTTAsync_disconnectOptions_initializer;
    options.timeout = 0;
    options.context = client;
    options.onSuccess = on_disconnected;
    options.onFailure = on_disconnect_failed;
    if (client->version == 5) {
        MQTTAsync_disconnectOptions options5 = MQTTAsync_disconnectOptions_initializer5;
        options = options5;
        options.context = client;
        options.onSuccess5 = on_disconnected5;
        options.onFailure5 = on_disconnect_failed5;
    }
    atomic_store(&client->disconnecting, true);
    if (MQTTAsync_disconnect(client->handle, &options) != MQTTASYNC_SUCCESS)
        on_disconnected(client, NULL);
}
