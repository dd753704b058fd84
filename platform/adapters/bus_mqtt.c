/* The owner's side of the MQTT bus: outbox, subscriptions, what arrives. The connection itself is
 * in mqtt_connection.c.
 *
 * Happy path: publish() puts into the outbox and pumps; pump sends the oldest while the window is
 * open; a DELIVERED item takes it out. Received items come from Paho's threads through the inbox,
 * are handled in order, and end in one on_batch_end.
 *
 * Failure modes. No acknowledgement for ANSWER_TIMEOUT_MS although something is in flight: connect
 * again. Inbox full: messages were dropped, so connect again and hear what is retained anew. A
 * filter refused: asked again after a pause. */
#include "platform/adapters/bus_mqtt.h"

#include "platform/adapters/mqtt_bus.h"
#include "platform/adapters/mqtt_config.h"
#include "platform/base/log.h"
#include "platform/base/mem.h"
#include "schema/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    WINDOW_V5 = 16,
    WINDOW_V3 = 100,
    SUBSCRIBE_AGAIN_MS = 2000,
};

static struct mqtt_bus *mqtt_bus(struct bus *bus)
{
    return (struct mqtt_bus *)bus;
}

/* ---- timers ---- */

static void bus_arm(struct mqtt_bus *bus)
{
    int64_t due_ms = mqtt_connection_deadline_ms(bus);
    if (bus->connection == CONNECTED) {
        if (outbox_in_flight(bus->outbox))
            due_ms = bus->progress_ms + ANSWER_TIMEOUT_MS;
        for (int i = 0; i < MQTT_STAGES_MAX; i++)
            due_ms = earlier_ms(due_ms, bus->stages[i].retry_ms);
    }
    loop_timer_set(bus->timer, due_ms);
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

void mqtt_subscription_release(struct subscription *subscription)
{
    for (size_t i = 0; i < subscription->count; i++)
        free(subscription->topics[i]);
    *subscription = (struct subscription){.retry_ms = INT64_MAX};
}

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
    for (int stage = 0; stage < MQTT_STAGES_MAX; stage++) {
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

static void bus_handle(struct mqtt_bus *bus, const struct inbox_item *item)
{
    switch (item->kind) {
    case INBOX_MESSAGE:
        bus_on_arrived(bus, item);
        return;
    case INBOX_CONNECTED:
        mqtt_connection_on_made(bus);
        return;
    case INBOX_CONNECT_FAILED:
        mqtt_connection_on_failed(bus, item);
        return;
    case INBOX_LOST:
        mqtt_connection_on_lost(bus, item->text);
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
        mqtt_connection_renew(bus, "a publication could not be sent");
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
        else if (item->kind == INBOX_LOST)
            bus->connection = CONNECTION_IDLE;
        inbox_item_free(item);
    }
    if (bus->closing)
        return;
    bus->config.handler.on_batch_end(bus->config.handler.context);
    if (overflow)
        mqtt_connection_renew(bus, "more messages than can be held; hearing all again");
    bus_pump(bus);
    bus_arm(bus);
}

static void bus_on_timer(void *context)
{
    struct mqtt_bus *bus = context;
    int64_t now_ms = bus_now_ms(bus);
    mqtt_connection_on_timer(bus);
    for (int i = 0; bus->connection == CONNECTED && i < MQTT_STAGES_MAX; i++)
        if (now_ms >= bus->stages[i].retry_ms)
            subscription_send(bus, &bus->stages[i]);
    if (bus->connection == CONNECTED && outbox_in_flight(bus->outbox) &&
        now_ms >= bus->progress_ms + ANSWER_TIMEOUT_MS)
        mqtt_connection_renew(bus, "publications are not acknowledged");
    bus_arm(bus);
}

/* ---- the port ---- */

static void mqtt_start(struct bus *base)
{
    struct mqtt_bus *bus = mqtt_bus(base);
    ASSERT(bus->connection == CONNECTION_IDLE);
    mqtt_connection_begin(bus);
    bus_arm(bus);
}

static void mqtt_reconnect(struct bus *base, const char *why)
{
    struct mqtt_bus *bus = mqtt_bus(base);
    mqtt_connection_renew(bus, why);
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
    ASSERT(stage >= 0 && stage < MQTT_STAGES_MAX && count && count <= PAHO_FILTERS_MAX);
    struct subscription *subscription = &bus->stages[stage];
    mqtt_subscription_release(subscription);
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
    mqtt_connection_forget(bus);
    loop_async_free(bus->wake); /* after the threads that wake it */
    inbox_free(bus->inbox);
    outbox_free(bus->outbox);
    for (int i = 0; i < MQTT_STAGES_MAX; i++)
        mqtt_subscription_release(&bus->stages[i]);
    mqtt_config_release(&bus->config);
    free(bus->root_slash);
    free(bus->will_topic);
    free(bus->will_payload);
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
    if (bus->connection == CONNECTED || bus->connection == DISCONNECTING)
        paho_wait_disconnected(bus->paho);
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

static void wake_owner(void *context)
{
    struct mqtt_bus *bus = context;
    loop_async_wake(bus->wake);
}

int mqtt_bus_new(const struct mqtt_bus_config *config, struct bus **ret_bus, struct err *err)
{
    struct mqtt_bus *bus = mem_alloc(sizeof *bus);
    int result = mqtt_config_copy(config, &bus->config, err);
    if (result) {
        free(bus);
        return result;
    }
    bus->bus.ops = &mqtt_bus_ops;
    bus->root_slash = mem_printf("%s/", config->root);
    bus->version = config->protocol == MQTT_PROTOCOL_3 ? 3 : 5;
    for (int i = 0; i < MQTT_STAGES_MAX; i++)
        bus->stages[i].retry_ms = INT64_MAX;
    bus->inbox = inbox_new(wake_owner, bus, LIMIT_INBOX_MESSAGES, LIMIT_INBOX_BYTES);
    bus->outbox = outbox_new();
    bus->wake = loop_async_new(config->loop, bus_on_wake, bus);
    bus->timer = loop_timer_new(config->loop, bus_on_timer, bus);
    *ret_bus = &bus->bus;
    return 0;
}
