/* The owner's side of the MQTT bus: connection, outbox, subscriptions.
 *
 *   IDLE --start--> CONNECTING --CONNECTED--> CONNECTED --LOST--> WAITING --timer--> CONNECTING
 *                        \--CONNECT_FAILED--> WAITING      \--reconnect()--> DISCONNECTING
 * --LOST--> WAITING
 *
 * Happy path: publish() puts into the outbox and pumps; pump sends the oldest while the window is
 * open; a DELIVERED item takes it out. Received items come from Paho's threads through the inbox,
 * are handled in order, and end in one on_batch_end.
 *
 * Failure modes. No acknowledgement for ANSWER_TIMEOUT_MS although something is in flight: connect
 * again. Inbox full: messages were dropped, so connect again and hear what is retained anew. A
 * filter refused: asked again after a pause. Broker away: full jitter between attempts, the next
 * address each time, quiet in the log after a few. */
#include "platform/adapters/bus_mqtt.h"

#include "platform/adapters/mqtt_address.h"
#include "platform/adapters/mqtt_outbox.h"
#include "platform/adapters/mqtt_paho.h"
#include "platform/base/log.h"
#include "platform/base/mem.h"
#include "schema/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    STAGES_MAX = 8,
    WINDOW_V5 = 16,
    WINDOW_V3 = 100,
    SUBSCRIBE_AGAIN_MS = 2000,
    FAILURES_LOGGED = 5,
    MQTT_BAD_PROTOCOL_V3 = 1,
    MQTT_BAD_PROTOCOL_V5 = 0x84,
};

enum connection { CONNECTION_IDLE, CONNECTING, CONNECTED, DISCONNECTING, WAITING };

struct subscription {
    char *topics[PAHO_FILTERS_MAX];
    struct bus_filter filters[PAHO_FILTERS_MAX];
    size_t count;
    uint64_t token;   /* of the request under way, 0: none */
    int64_t retry_ms; /* INT64_MAX: none */
};

struct mqtt_bus {
    struct bus bus;
    struct mqtt_bus_config config;
    char *root_slash; /* "argosy/v1/" */
    char **uris;
    size_t uri;
    struct paho *paho; /* made when first needed, anew for another version */
    int version;       /* in use or to be tried next */
    struct inbox *inbox;
    struct outbox *outbox;
    struct loop_async *wake;
    struct loop_timer *timer;
    enum connection connection;
    char *will_topic, *will_payload;
    struct subscription stages[STAGES_MAX];
    int failures; /* in a row */
    int64_t connect_ms, progress_ms;
    bool closing;
};

static struct mqtt_bus *mqtt_bus(struct bus *bus)
{
    return (struct mqtt_bus *)bus;
}

static int64_t bus_now_ms(const struct mqtt_bus *bus)
{
    return bus->config.clock->now(bus->config.clock).mono_ms;
}

/* ---- timers ---- */

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void bus_arm(struct mqtt_bus *bus)
{
    int64_t due_ms = INT64_MAX;
    if (bus->connection == WAITING)
        due_ms = bus->connect_ms;
    if (bus->connection == CONNECTED) {
        if (outbox_in_flight(bus->outbox))
            due_ms = bus->progress_ms + ANSWER_TIMEOUT_MS;
        for (int i = 0; i < STAGES_MAX; i++)
            due_ms = earlier(due_ms, bus->stages[i].retry_ms);
    }
    loop_timer_set(bus->timer, due_ms);
}

/* ---- connecting ---- */

static void subscription_release(struct subscription *subscription)
{
    for (size_t i = 0; i < subscription->count; i++)
        free(subscription->topics[i]);
    *subscription = (struct subscription){.retry_ms = INT64_MAX};
}

static void bus_wait(struct mqtt_bus *bus)
{
    int doublings = bus->failures < 5 ? bus->failures : 5;
    int64_t cap_ms = earlier((int64_t)RECONNECT_MIN_MS << doublings, RECONNECT_MAX_MS);
    bus->connection = WAITING;
    bus->connect_ms = bus_now_ms(bus) + (int64_t)prng_below(bus->config.prng, (uint64_t)cap_ms + 1);
}

static void bus_connect_failed(struct mqtt_bus *bus, const char *why)
{
    if (bus->failures < FAILURES_LOGGED)
        log_warning("broker %s: %s%s", bus->uris[bus->uri], why,
                    bus->failures + 1 == FAILURES_LOGGED ? "; trying on, quietly" : "");
    bus->failures++;
    bus->uri = (bus->uri + 1) % bus->config.broker_count;
    bus_wait(bus);
}

static void bus_tell_failed(struct mqtt_bus *bus, const char *why)
{
    if (bus->config.handler.on_connect_failed)
        bus->config.handler.on_connect_failed(bus->config.handler.context, why);
}

static void bus_connect(struct mqtt_bus *bus)
{
    struct err err = {0};
    int result = 0;
    if (!bus->paho)
        result = paho_new(bus->version, bus->config.client_id, bus->inbox, &bus->paho, &err);
    if (!result)
        result = paho_connect(bus->paho, &bus->config, bus->uris[bus->uri], bus->will_topic,
                              bus->will_payload, &err);
    if (result) {
        bus_connect_failed(bus, err.text);
        bus_tell_failed(bus, err.text);
    } else {
        bus->connection = CONNECTING;
    }
}

/* The next connect makes a new one. One client at a time: Paho finds a client by its socket's
 * number, which two would share. And one a connection where the session is persistent: Paho would
 * send again what it had in flight, by itself, from memory that it has freed (1.3.12). */
static void bus_forget_client(struct mqtt_bus *bus)
{
    paho_free(bus->paho);
    bus->paho = NULL;
}

static void bus_set_version(struct mqtt_bus *bus, int version)
{
    bus_forget_client(bus);
    bus->version = version;
}

/* A broker that does not speak our version says so, or closes. Then the other one is tried, at once
 * when it said so. A broker that is not there tells nothing about versions. */
static void bus_on_connect_failed(struct mqtt_bus *bus, const struct inbox_item *item)
{
    bool refused_version = item->code == MQTT_BAD_PROTOCOL_V3 || item->code == MQTT_BAD_PROTOCOL_V5;
    bool has_other = false;
    if (bus->config.protocol == MQTT_PROTOCOL_AUTO && (refused_version || item->handshake)) {
        bus_set_version(bus, bus->version == 5 ? 3 : 5);
        has_other = bus->version == 3;
        if (refused_version && has_other) {
            bus_connect(bus);
            return;
        }
    }
    bus_connect_failed(bus, item->text);
    if (!has_other)
        bus_tell_failed(bus, item->text);
}

/* ---- sending ---- */

static size_t bus_window(const struct mqtt_bus *bus)
{
    if (bus->config.window)
        return (size_t)bus->config.window;
    return bus->version == 5 ? WINDOW_V5 : WINDOW_V3;
}

static void bus_pump(struct mqtt_bus *bus)
{
    struct outbox_entry *entry;
    while (bus->connection == CONNECTED && outbox_in_flight(bus->outbox) < bus_window(bus) &&
           (entry = outbox_next(bus->outbox))) {
        uint64_t token;
        if (paho_send(bus->paho, &entry->publication, entry->publication.topic, &token))
            break; /* full: the next acknowledgement pumps again; lost: so does the next connect */
        if (!outbox_in_flight(bus->outbox))
            bus->progress_ms = bus_now_ms(bus);
        outbox_sent(bus->outbox, entry, token);
    }
}

static const char *below_root(const struct mqtt_bus *bus, const char *topic)
{
    size_t length = strlen(bus->root_slash);
    return strncmp(topic, bus->root_slash, length) ? NULL : topic + length;
}

static void bus_on_delivered(struct mqtt_bus *bus, const struct inbox_item *item)
{
    struct outbox_entry *entry = outbox_find(bus->outbox, item->id);
    if (!entry)
        return;
    bus->progress_ms = bus_now_ms(bus);
    const struct bus_handler *handler = &bus->config.handler;
    const char *topic = entry->publication.topic;
    const char *below = below_root(bus, topic);
    if (item->code && handler->on_refused && !bus->closing)
        handler->on_refused(handler->context, below ? below : topic, item->code,
                            item->text ? item->text : "refused");
    outbox_acknowledged(bus->outbox, entry);
}

/* ---- subscriptions ---- */

static void subscription_send(struct mqtt_bus *bus, struct subscription *subscription)
{
    bool sent = bus->connection == CONNECTED &&
                !paho_subscribe(bus->paho, subscription->topics, subscription->filters,
                                subscription->count, &subscription->token);
    subscription->retry_ms = sent ? INT64_MAX : bus_now_ms(bus) + SUBSCRIBE_AGAIN_MS;
}

static void bus_on_subscribed(struct mqtt_bus *bus, const struct inbox_item *item)
{
    const struct bus_handler *handler = &bus->config.handler;
    for (int stage = 0; stage < STAGES_MAX; stage++) {
        struct subscription *subscription = &bus->stages[stage];
        if (!subscription->count || subscription->token != item->id)
            continue;
        subscription->token = 0;
        if (!item->granted)
            subscription->retry_ms = bus_now_ms(bus) + SUBSCRIBE_AGAIN_MS;
        handler->on_subscribed(handler->context, stage, item->granted);
        return;
    }
}

/* ---- receiving ---- */

static void bus_on_connected(struct mqtt_bus *bus)
{
    if (bus->connection != CONNECTING)
        return;
    bus->connection = CONNECTED;
    if (bus->failures)
        log_info("connected to broker %s", bus->uris[bus->uri]);
    bus->failures = 0;
    bus->progress_ms = bus_now_ms(bus);
    mqtt_set_nodelay(bus->uris[bus->uri]);
    bus->config.handler.on_connected(bus->config.handler.context);
}

static void bus_on_lost(struct mqtt_bus *bus, const char *why)
{
    if (bus->connection != CONNECTED && bus->connection != DISCONNECTING)
        return;
    log_warning("broker %s: %s", bus->uris[bus->uri], why ? why : "the connection was lost");
    outbox_reset(bus->outbox);
    for (int i = 0; i < STAGES_MAX; i++)
        subscription_release(&bus->stages[i]);
    if (bus->config.persistent)
        bus_forget_client(bus);
    bus_wait(bus);
    bus->config.handler.on_disconnected(bus->config.handler.context, why);
}

static void bus_on_arrived(struct mqtt_bus *bus, const struct inbox_item *item)
{
    const char *topic = below_root(bus, item->text);
    if (!topic)
        return;
    struct bus_message message = {.topic = topic,
                                  .payload = item->payload,
                                  .length = item->length,
                                  .qos = item->qos,
                                  .retained = item->retained,
                                  .response_topic = item->response_topic,
                                  .correlation = item->correlation,
                                  .correlation_length = item->correlation_length};
    bus->config.handler.on_message(bus->config.handler.context, &message);
}

static void mqtt_reconnect(struct bus *base, const char *why)
{
    struct mqtt_bus *bus = mqtt_bus(base);
    if (bus->connection != CONNECTED)
        return;
    log_warning("broker %s: connecting again: %s", bus->uris[bus->uri], why);
    bus->connection = DISCONNECTING;
    paho_disconnect(bus->paho);
}

static void bus_handle(struct mqtt_bus *bus, const struct inbox_item *item)
{
    switch (item->kind) {
    case INBOX_MESSAGE:
        bus_on_arrived(bus, item);
        return;
    case INBOX_CONNECTED:
        bus_on_connected(bus);
        return;
    case INBOX_CONNECT_FAILED:
        if (bus->connection == CONNECTING)
            bus_on_connect_failed(bus, item);
        return;
    case INBOX_LOST:
        bus_on_lost(bus, item->text);
        return;
    case INBOX_SUBSCRIBED:
        bus_on_subscribed(bus, item);
        return;
    case INBOX_DELIVERED:
        bus_on_delivered(bus, item);
        return;
    case INBOX_UNDELIVERED:
        /* Paho gives up what was in flight, just before it tells of the loss. It stays in flight
         * here until the loss puts all of it back in order. */
        mqtt_reconnect(&bus->bus, "a publication could not be sent");
        return;
    }
}

static void bus_on_wake(void *context)
{
    struct mqtt_bus *bus = context;
    bool overflow;
    for (struct inbox_item *item = inbox_take(bus->inbox, &overflow), *next; item; item = next) {
        next = item->next;
        if (!bus->closing || item->kind == INBOX_DELIVERED)
            bus_handle(bus, item);
        inbox_item_free(item);
    }
    if (bus->closing)
        return;
    bus->config.handler.on_batch_end(bus->config.handler.context);
    if (overflow)
        mqtt_reconnect(&bus->bus, "more messages than can be held; hearing all again");
    bus_pump(bus);
    bus_arm(bus);
}

static void bus_on_timer(void *context)
{
    struct mqtt_bus *bus = context;
    int64_t now_ms = bus_now_ms(bus);
    if (bus->connection == WAITING && now_ms >= bus->connect_ms)
        bus_connect(bus);
    for (int i = 0; bus->connection == CONNECTED && i < STAGES_MAX; i++)
        if (now_ms >= bus->stages[i].retry_ms)
            subscription_send(bus, &bus->stages[i]);
    if (bus->connection == CONNECTED && outbox_in_flight(bus->outbox) &&
        now_ms >= bus->progress_ms + ANSWER_TIMEOUT_MS)
        mqtt_reconnect(&bus->bus, "publications are not acknowledged");
    bus_arm(bus);
}

/* ---- the port ---- */

static void mqtt_start(struct bus *base)
{
    struct mqtt_bus *bus = mqtt_bus(base);
    ASSERT(bus->connection == CONNECTION_IDLE);
    bus_connect(bus);
    bus_arm(bus);
}

static void mqtt_set_will(struct bus *base, const struct bus_will *will)
{
    struct mqtt_bus *bus = mqtt_bus(base);
    free(bus->will_topic);
    free(bus->will_payload);
    bus->will_topic = mem_printf("%s%s", bus->root_slash, will->topic);
    bus->will_payload = mem_strdup(will->payload);
}

static void mqtt_subscribe(struct bus *base, int stage, const struct bus_filter *filters,
                           size_t count)
{
    struct mqtt_bus *bus = mqtt_bus(base);
    ASSERT(stage >= 0 && stage < STAGES_MAX && count && count <= PAHO_FILTERS_MAX);
    struct subscription *subscription = &bus->stages[stage];
    subscription_release(subscription);
    subscription->count = count;
    for (size_t i = 0; i < count; i++) {
        subscription->topics[i] = mem_printf("%s%s", bus->root_slash, filters[i].filter);
        subscription->filters[i] = filters[i];
    }
    subscription_send(bus, subscription);
    bus_arm(bus);
}

static int mqtt_publish(struct bus *base, const struct bus_publication *publication)
{
    struct mqtt_bus *bus = mqtt_bus(base);
    char topic[LIMIT_ROOT_LENGTH + LIMIT_TOPIC_LENGTH + 2];
    if (publication->length > LIMIT_PAYLOAD_BYTES)
        return -ERR_TOO_LARGE;
    int length = snprintf(topic, sizeof topic, "%s%s", publication->absolute ? "" : bus->root_slash,
                          publication->topic);
    if (length < 1 || (size_t)length >= sizeof topic || strpbrk(topic, "+#"))
        return -ERR_INVALID;
    if (!publication->qos) {
        uint64_t token;
        if (bus->connection == CONNECTED)
            paho_send(bus->paho, publication, topic, &token);
        return 0;
    }
    int result = outbox_add(bus->outbox, publication, topic, LIMIT_OUTBOX_MESSAGES);
    bool was_idle = !outbox_in_flight(bus->outbox);
    bus_pump(bus);
    if (was_idle)
        bus_arm(bus);
    return result;
}

static bool mqtt_connected(const struct bus *base)
{
    return ((const struct mqtt_bus *)base)->connection == CONNECTED;
}

static size_t mqtt_pending(const struct bus *base)
{
    return outbox_count(((const struct mqtt_bus *)base)->outbox);
}

static void bus_free(struct mqtt_bus *bus)
{
    loop_timer_free(bus->timer);
    paho_free(bus->paho);
    loop_async_free(bus->wake); /* after the threads that wake it */
    inbox_free(bus->inbox);
    outbox_free(bus->outbox);
    for (int i = 0; i < STAGES_MAX; i++)
        subscription_release(&bus->stages[i]);
    for (size_t i = 0; i < bus->config.broker_count; i++)
        free(bus->uris[i]);
    free(bus->uris);
    char *const owned[] = {(char *)(uintptr_t)bus->config.client_id,
                           (char *)(uintptr_t)bus->config.username,
                           (char *)(uintptr_t)bus->config.password,
                           (char *)(uintptr_t)bus->config.ca_file,
                           (char *)(uintptr_t)bus->config.certificate_file,
                           (char *)(uintptr_t)bus->config.key_file,
                           bus->root_slash,
                           bus->will_topic,
                           bus->will_payload};
    for (size_t i = 0; i < ARRAY_LENGTH(owned); i++)
        free(owned[i]);
    free(bus);
}

/* Waits by itself, so that nothing else of the process runs while it ends. */
static void mqtt_close(struct bus *base, int64_t timeout_ms)
{
    struct mqtt_bus *bus = mqtt_bus(base);
    int64_t until_ms = bus_now_ms(bus) + timeout_ms;
    bus->closing = true;
    while (bus->connection == CONNECTED && outbox_count(bus->outbox) &&
           bus_now_ms(bus) < until_ms) {
        bus_pump(bus);
        nanosleep(&(struct timespec){0, 1000000}, NULL);
        bus_on_wake(bus);
    }
    if (bus->connection == CONNECTED)
        paho_disconnect(bus->paho);
    bus_free(bus);
}

static const struct bus_ops mqtt_bus_ops = {.name = "mqtt",
                                            .start = mqtt_start,
                                            .set_will = mqtt_set_will,
                                            .subscribe = mqtt_subscribe,
                                            .publish = mqtt_publish,
                                            .connected = mqtt_connected,
                                            .pending = mqtt_pending,
                                            .reconnect = mqtt_reconnect,
                                            .close = mqtt_close};

int mqtt_bus_version(const struct bus *base)
{
    const struct mqtt_bus *bus = (const struct mqtt_bus *)base;
    return bus->connection == CONNECTED ? bus->version : 0;
}

/* ---- making one ---- */

static const char *copy_or_null(const char *text)
{
    return text ? mem_strdup(text) : NULL;
}

static void wake_owner(void *context)
{
    struct mqtt_bus *bus = context;
    loop_async_wake(bus->wake);
}

static void bus_take_config(struct mqtt_bus *bus, const struct mqtt_bus_config *config)
{
    bus->config = *config;
    bus->config.broker_count = 0; /* as many as were parsed */
    bus->config.client_id = mem_strdup(config->client_id);
    bus->config.username = copy_or_null(config->username);
    bus->config.password = copy_or_null(config->password);
    bus->config.ca_file = copy_or_null(config->ca_file);
    bus->config.certificate_file = copy_or_null(config->certificate_file);
    bus->config.key_file = copy_or_null(config->key_file);
    bus->root_slash = mem_printf("%s/", config->root);
    bus->version = config->protocol == MQTT_PROTOCOL_3 ? 3 : 5;
    for (int i = 0; i < STAGES_MAX; i++)
        bus->stages[i].retry_ms = INT64_MAX;
}

int mqtt_bus_new(const struct mqtt_bus_config *config, struct bus **ret_bus, struct err *err)
{
    ASSERT(config->broker_count);
    struct mqtt_bus *bus = mem_alloc(sizeof *bus);
    bus->bus.ops = &mqtt_bus_ops;
    bus_take_config(bus, config);
    bus->inbox = inbox_new(wake_owner, bus, LIMIT_INBOX_MESSAGES, LIMIT_INBOX_BYTES);
    bus->outbox = outbox_new();
    bus->wake = loop_async_new(config->loop, bus_on_wake, bus);
    bus->timer = loop_timer_new(config->loop, bus_on_timer, bus);
    bus->uris = mem_alloc(config->broker_count * sizeof *bus->uris);
    int result = 0;
    for (size_t i = 0; i < config->broker_count && !result; i++) {
        result = mqtt_address_parse(config->brokers[i], &bus->uris[i], err);
        bus->config.broker_count += !result;
    }
    if (result) {
        bus_free(bus);
        return result;
    }
    *ret_bus = &bus->bus;
    return 0;
}
