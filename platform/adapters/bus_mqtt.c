/* The MQTT bus over whichever client is linked: outbox, subscriptions, what arrives. The connection
 * itself is in mqtt_connection.c.
 *
 * Happy path: publish() puts into the outbox and pumps; pump sends the oldest while the window is
 * open; a DELIVERED event takes it out. What the client tells is handled in order and ends in one
 * on_batch_end.
 *
 * Failure modes. No acknowledgement for ANSWER_TIMEOUT_MS although something is in flight, and
 * nothing else heard either, or ANSWERS_MISSED times that long whatever is heard: connect again.
 * OVERFLOW: messages were dropped, so connect again and hear what is retained anew. A filter
 * refused: asked again after a pause. */
#include "platform/adapters/bus_mqtt.h"

#include "platform/adapters/mqtt_bus.h"
#include "platform/adapters/mqtt_config.h"
#include "platform/base/log.h"
#include "platform/base/mem.h"
#include "schema/limits.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    /* So wide that what a manager says in a row shares a sync of its store. Wider costs more than
     * it brings: libmosquitto looks through all that is in flight at each message. */
    WINDOW = 256,
    WINDOW_UNTOLD = 16, /* of a broker of MQTT 5 that may allow as few as 20 */
    SUBSCRIBE_AGAIN_MS = 2000,
    ANSWERS_MISSED = 3,
    PACKET_TOO_LARGE = 0x95, /* a reason of MQTT 5 */
    FLOOD = 1000,            /* publications that waited at once */
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
    if (bus->version != 5)
        return WINDOW;
    size_t allowed = bus->receive_maximum ? bus->receive_maximum : WINDOW_UNTOLD;
    return allowed < WINDOW ? allowed : WINDOW;
}

static const char *below_root(const struct mqtt_bus *bus, const char *topic)
{
    size_t length = strlen(bus->root_slash);
    return strncmp(topic, bus->root_slash, length) ? NULL : topic + length;
}

/* The end of a publication, which the broker has taken (0) or refused. */
static void bus_tell_refused(struct mqtt_bus *bus, const char *topic, int code, const char *text)
{
    const struct bus_handler *handler = &bus->config.handler;
    const char *below = below_root(bus, topic);
    if (code && handler->on_refused && !bus->closing)
        handler->on_refused(handler->context, below ? below : topic, code, text ? text : "refused");
}

/* The end of a flood is when least is held of what it took: in the store, in the ledger, and here.
 * malloc would keep it, between what stays. */
static void bus_give_back(struct mqtt_bus *bus)
{
    size_t count = outbox_count(bus->outbox);
    if (bus->flooded && !count)
        malloc_trim(0);
    bus->flooded = count >= FLOOD || (bus->flooded && count);
}

static void bus_note_progress(struct mqtt_bus *bus)
{
    bus->progress_ms = bus_now_ms(bus);
    bus->heard = false;
    bus->missed = 0;
}

static void bus_on_delivered(struct mqtt_bus *bus, const struct mqtt_event *event)
{
    struct outbox_entry *entry = outbox_find(bus->outbox, event->token);
    if (!entry)
        return;
    bus_note_progress(bus);
    bus_tell_refused(bus, entry->publication.topic, event->code, event->text);
    outbox_acknowledged(bus->outbox, entry);
    bus_give_back(bus);
}

static void bus_pump(struct mqtt_bus *bus)
{
    struct outbox_entry *entry;
    while (bus->connection == CONNECTED && outbox_in_flight(bus->outbox) < bus_window(bus) &&
           (entry = outbox_next(bus->outbox))) {
        uint64_t token;
        int result =
            mqtt_client_send(bus->client, &entry->publication, entry->publication.topic, &token);
        if (result && result != -ERR_TOO_LARGE)
            break; /* full: the next acknowledgement pumps again; lost: so does the next connect */
        if (!outbox_in_flight(bus->outbox))
            bus_note_progress(bus);
        outbox_sent(bus->outbox, entry, token);
        if (result)
            bus_on_delivered(bus, &(struct mqtt_event){.token = token,
                                                       .code = PACKET_TOO_LARGE,
                                                       .text = "too large for the broker"});
    }
}

/* ---- subscriptions ---- */

void mqtt_subscription_release(struct subscription *subscription)
{
    for (size_t i = 0; i < subscription->count; i++)
        free(subscription->topics[i]);
    free(subscription->topics);
    free(subscription->filters);
    *subscription = (struct subscription){.retry_ms = INT64_MAX};
}

static void subscription_send(struct mqtt_bus *bus, struct subscription *subscription)
{
    bool sent = bus->connection == CONNECTED &&
                !mqtt_client_subscribe(bus->client, subscription->topics, subscription->filters,
                                       subscription->count, &subscription->token);
    subscription->retry_ms = sent ? INT64_MAX : bus_now_ms(bus) + SUBSCRIBE_AGAIN_MS;
}

static void bus_on_subscribed(struct mqtt_bus *bus, const struct mqtt_event *event)
{
    const struct bus_handler *handler = &bus->config.handler;
    for (int stage = 0; stage < MQTT_STAGES_MAX; stage++) {
        struct subscription *subscription = &bus->stages[stage];
        if (!subscription->count || subscription->token != event->token)
            continue;
        subscription->token = 0;
        if (!event->granted)
            subscription->retry_ms = bus_now_ms(bus) + SUBSCRIBE_AGAIN_MS;
        handler->on_subscribed(handler->context, stage, event->granted);
        return;
    }
}

/* ---- receiving ---- */

static void bus_on_arrived(struct mqtt_bus *bus, const struct bus_message *arrived)
{
    struct bus_message message = *arrived;
    bus->heard = true;
    message.topic = below_root(bus, arrived->topic);
    if (message.topic)
        bus->config.handler.on_message(bus->config.handler.context, &message);
}

static void bus_handle(struct mqtt_bus *bus, const struct mqtt_event *event)
{
    switch (event->kind) {
    case MQTT_MESSAGE:
        bus_on_arrived(bus, event->message);
        return;
    case MQTT_CONNECTED:
        bus->receive_maximum = event->receive_maximum;
        mqtt_connection_on_made(bus);
        return;
    case MQTT_CONNECT_FAILED:
        mqtt_connection_on_failed(bus, event);
        return;
    case MQTT_LOST:
        mqtt_connection_on_lost(bus, event->text);
        return;
    case MQTT_SUBSCRIBED:
        bus_on_subscribed(bus, event);
        return;
    case MQTT_DELIVERED:
        bus_on_delivered(bus, event);
        return;
    case MQTT_UNDELIVERED:
        /* It stays in flight here until the loss puts all that was in flight back in order. */
        mqtt_connection_renew(bus, "a publication could not be sent");
        return;
    case MQTT_OVERFLOW:
        mqtt_connection_renew(bus, "more messages than can be held; hearing all again");
        return;
    }
}

static void bus_on_event(void *context, const struct mqtt_event *event)
{
    struct mqtt_bus *bus = context;
    if (!bus->closing || event->kind == MQTT_DELIVERED)
        bus_handle(bus, event);
    else if (event->kind == MQTT_LOST)
        bus->connection = CONNECTION_IDLE;
}

static void bus_on_batch_end(void *context)
{
    struct mqtt_bus *bus = context;
    if (bus->closing)
        return;
    bus->config.handler.on_batch_end(bus->config.handler.context);
    bus_pump(bus);
    bus_arm(bus);
}

/* While the broker speaks they may be behind what it says; or it dropped them with what exceeded
 * our queue, so not for ever. */
static void bus_miss_acknowledgements(struct mqtt_bus *bus, int64_t now_ms)
{
    if (!bus->heard || ++bus->missed == ANSWERS_MISSED)
        mqtt_connection_renew(bus, "publications are not acknowledged");
    bus->heard = false;
    bus->progress_ms = now_ms;
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
        bus_miss_acknowledgements(bus, now_ms);
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
    ASSERT(stage >= 0 && stage < MQTT_STAGES_MAX && count && count <= MQTT_FILTERS_MAX);
    struct subscription *subscription = &bus->stages[stage];
    mqtt_subscription_release(subscription);
    subscription->topics = mem_alloc(count * sizeof *subscription->topics);
    subscription->filters = mem_alloc(count * sizeof *subscription->filters);
    for (size_t i = 0; i < count; i++) {
        if (filters[i].sent == BUS_OTHERS && bus->version != 5)
            continue;
        subscription->topics[subscription->count] =
            mem_printf("%s%s", bus->root_slash, filters[i].filter);
        subscription->filters[subscription->count++] = filters[i];
    }
    if (subscription->count)
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
            mqtt_client_send(bus->client, publication, topic, &token);
        return 0;
    }
    int result = outbox_add(bus->outbox, publication, topic, LIMIT_OUTBOX_MESSAGES);
    bool was_idle = !outbox_in_flight(bus->outbox);
    bus_pump(bus);
    if (was_idle)
        bus_arm(bus);
    return result;
}

static void mqtt_hold(struct bus *base, bool held)
{
    mqtt_client_hold(mqtt_bus(base)->client, held);
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
    mqtt_client_free(bus->client);
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
        mqtt_client_turn(bus->client, (int)(until_ms - bus_now_ms(bus)));
    }
    if (bus->connection == CONNECTED)
        mqtt_client_disconnect(bus->client);
    bus_free(bus);
}

static const struct bus_ops mqtt_bus_ops = {.name = "mqtt",
                                            .start = mqtt_start,
                                            .set_will = mqtt_set_will,
                                            .subscribe = mqtt_subscribe,
                                            .publish = mqtt_publish,
                                            .hold = mqtt_hold,
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
    bus->outbox = outbox_new();
    bus->timer = loop_timer_new(config->loop, bus_on_timer, bus);
    const struct mqtt_listener listener = {bus, bus_on_event, bus_on_batch_end};
    result = mqtt_client_new(&bus->config, &listener, &bus->client, err);
    if (result) {
        bus_free(bus);
        return result;
    }
    *ret_bus = &bus->bus;
    return 0;
}
