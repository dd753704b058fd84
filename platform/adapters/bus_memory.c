/* A client's side: connection, outbox, handing over. See bus_memory.h for what a step does. */
#include "platform/adapters/bus_memory.h"

#include "platform/adapters/memory_broker.h"
#include "platform/adapters/mqtt_outbox.h"
#include "platform/base/mem.h"
#include "schema/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

enum { STAGES_MAX = 8, REASON_NO_SUBSCRIBERS = 0x10, SETTLE_STEPS_MAX = 100000 };

struct subscription {
    struct memory_filter *filters;
    size_t count;
    bool again; /* was refused */
};

struct memory_bus {
    struct bus bus;
    struct memory_bus_config config;
    char *root, *client_id;
    struct memory_session *session; /* connected, or NULL */
    struct outbox *outbox;
    uint64_t sent, acknowledged; /* ids of sendings */
    struct subscription stages[STAGES_MAX];
    char *will_topic, *will_payload; /* of the next connection */
    char *lost;                      /* why, until the handler has heard */
    bool started;
    struct memory_bus *prev, *next;
};

static struct memory_bus *memory_bus(struct bus *bus)
{
    return (struct memory_bus *)bus;
}

static char *whole_topic(const struct memory_bus *bus, const char *topic)
{
    return mem_printf("%s/%s", bus->root, topic);
}

static const char *below_root(const struct memory_bus *bus, const char *topic)
{
    size_t length = strlen(bus->root);
    return !strncmp(topic, bus->root, length) && topic[length] == '/' ? topic + length + 1 : NULL;
}

/* ---- connection ---- */

static void subscription_release(struct subscription *subscription)
{
    for (size_t i = 0; i < subscription->count; i++)
        free(subscription->filters[i].filter);
    free(subscription->filters);
    *subscription = (struct subscription){0};
}

void memory_bus_lost(struct memory_bus *bus, const char *why)
{
    bus->session = NULL;
    bus->lost = mem_strdup(why);
    outbox_reset(bus->outbox);
    for (int i = 0; i < STAGES_MAX; i++)
        subscription_release(&bus->stages[i]);
}

static void bus_disconnect(struct memory_bus *bus, const char *why, bool send_will)
{
    struct memory_session *session = bus->session;
    if (!session)
        return;
    memory_bus_lost(bus, why);
    memory_session_close(bus->config.broker, session, send_will);
}

static void bus_connect(struct memory_bus *bus)
{
    struct memory_session *session =
        memory_session_open(bus->config.broker, bus, bus->client_id, bus->config.persistent);
    free(session->will_topic);
    free(session->will_payload);
    session->will_topic = bus->will_topic ? mem_strdup(bus->will_topic) : NULL;
    session->will_payload = bus->will_topic ? mem_strdup(bus->will_payload) : NULL;
    bus->session = session;
}

/* True when the handler was told of a change. */
static bool bus_step_connection(struct memory_bus *bus)
{
    const struct bus_handler *handler = &bus->config.handler;
    if (bus->lost) {
        _cleanup_free_ char *why = mem_steal(bus->lost);
        handler->on_disconnected(handler->context, why);
        return true;
    }
    if (!bus->started || bus->session || bus->config.broker->down)
        return false;
    bus_connect(bus);
    handler->on_connected(handler->context);
    return true;
}

/* ---- receiving ---- */

static void bus_handle(struct memory_bus *bus, const struct memory_item *item)
{
    const struct bus_handler *handler = &bus->config.handler;
    struct bus_message message = item->message;
    message.topic = message.topic ? below_root(bus, message.topic) : NULL;
    switch (item->kind) {
    case MEMORY_MESSAGE:
        if (message.topic)
            handler->on_message(handler->context, &message);
        return;
    case MEMORY_SUBSCRIBED:
        bus->stages[item->stage].again = !item->granted;
        handler->on_subscribed(handler->context, item->stage, item->granted);
        return;
    case MEMORY_REFUSED:
        if (handler->on_refused)
            handler->on_refused(handler->context,
                                message.topic ? message.topic : item->message.topic,
                                REASON_NO_SUBSCRIBERS, "nobody is subscribed to it");
        return;
    }
}

static bool bus_step_receive(struct memory_bus *bus)
{
    size_t count = bus->session ? bus->session->queued : 0;
    for (size_t i = 0; i < count && bus->session; i++) {
        struct memory_item *item = memory_session_pop(bus->session);
        bus_handle(bus, item);
        memory_item_free(item);
    }
    return count > 0;
}

/* ---- sending ---- */

static size_t bus_route(struct memory_bus *bus, const struct bus_publication *publication,
                        const char *topic)
{
    struct bus_message message = {.topic = topic,
                                  .payload = publication->payload,
                                  .length = publication->length,
                                  .qos = publication->qos,
                                  .retained = publication->retain,
                                  .correlation = publication->correlation,
                                  .correlation_length = publication->correlation_length};
    return memory_broker_route(bus->config.broker, bus->session, &message);
}

static void bus_acknowledge(struct memory_bus *bus)
{
    while (bus->acknowledged < bus->sent) {
        struct outbox_entry *entry = outbox_find(bus->outbox, ++bus->acknowledged);
        if (entry)
            outbox_acknowledged(bus->outbox, entry);
    }
}

static bool bus_step_send(struct memory_bus *bus)
{
    bool any = false;
    struct outbox_entry *entry;
    while (bus->session && (entry = outbox_next(bus->outbox))) {
        const struct bus_publication *publication = &entry->publication;
        struct memory_item refused = {.kind = MEMORY_REFUSED, .message.topic = publication->topic};
        if (!bus_route(bus, publication, publication->topic))
            memory_session_push(bus->session, &refused);
        outbox_sent(bus->outbox, entry, ++bus->sent);
        any = true;
    }
    return any;
}

static bool bus_step_subscribe_again(struct memory_bus *bus)
{
    bool any = false;
    for (int stage = 0; bus->session && stage < STAGES_MAX; stage++) {
        struct subscription *subscription = &bus->stages[stage];
        if (!subscription->again)
            continue;
        subscription->again = false;
        memory_session_subscribe(bus->config.broker, bus->session, stage, subscription->filters,
                                 subscription->count);
        any = true;
    }
    return any;
}

bool memory_bus_step(struct bus *base)
{
    struct memory_bus *bus = memory_bus(base);
    const struct bus_handler *handler = &bus->config.handler;
    bool acknowledged = bus->session && bus->acknowledged < bus->sent;
    if (acknowledged)
        bus_acknowledge(bus);
    bool again = bus_step_subscribe_again(bus);
    bool handled = bus_step_connection(bus);
    handled = bus_step_receive(bus) || handled || acknowledged;
    if (handled)
        handler->on_batch_end(handler->context);
    bool sent = bus_step_send(bus);
    return again || handled || sent || bus->lost;
}

bool memory_broker_step(struct memory_broker *broker)
{
    bool any = false;
    struct memory_bus *bus, *next;
    DL_FOREACH_SAFE(broker->buses, bus, next)
    any = memory_bus_step(&bus->bus) || any;
    return any;
}

void memory_broker_settle(struct memory_broker *broker)
{
    int steps = 0;
    while (memory_broker_step(broker))
        ASSERT(++steps < SETTLE_STEPS_MAX); /* they come to rest */
}

/* ---- the port ---- */

static void memory_start(struct bus *base)
{
    memory_bus(base)->started = true;
}

static void memory_set_will(struct bus *base, const struct bus_will *will)
{
    struct memory_bus *bus = memory_bus(base);
    free(bus->will_topic);
    free(bus->will_payload);
    bus->will_topic = whole_topic(bus, will->topic);
    bus->will_payload = mem_strdup(will->payload);
}

static void memory_subscribe(struct bus *base, int stage, const struct bus_filter *filters,
                             size_t count)
{
    struct memory_bus *bus = memory_bus(base);
    ASSERT(stage >= 0 && stage < STAGES_MAX && count);
    if (!bus->session)
        return;
    struct subscription *subscription = &bus->stages[stage];
    subscription_release(subscription);
    subscription->filters = mem_alloc(count * sizeof *subscription->filters);
    subscription->count = count;
    for (size_t i = 0; i < count; i++)
        subscription->filters[i] = (struct memory_filter){whole_topic(bus, filters[i].filter),
                                                          filters[i].qos, filters[i].sent};
    memory_session_subscribe(bus->config.broker, bus->session, stage, subscription->filters, count);
}

static int memory_publish(struct bus *base, const struct bus_publication *publication)
{
    struct memory_bus *bus = memory_bus(base);
    if (publication->length > LIMIT_PAYLOAD_BYTES)
        return -ERR_TOO_LARGE;
    if (!*publication->topic || strpbrk(publication->topic, "+#"))
        return -ERR_INVALID;
    _cleanup_free_ char *topic = publication->absolute ? mem_strdup(publication->topic)
                                                       : whole_topic(bus, publication->topic);
    if (publication->qos)
        return outbox_add(bus->outbox, publication, topic, LIMIT_OUTBOX_MESSAGES);
    if (bus->session)
        bus_route(bus, publication, topic);
    return 0;
}

static bool memory_connected(const struct bus *base)
{
    return ((const struct memory_bus *)base)->session != NULL;
}

static size_t memory_pending(const struct bus *base)
{
    return outbox_count(((const struct memory_bus *)base)->outbox);
}

static void memory_reconnect(struct bus *base, const char *why)
{
    bus_disconnect(memory_bus(base), why, false);
}

void memory_bus_cut(struct bus *base)
{
    bus_disconnect(memory_bus(base), "the connection was cut", true);
}

static void bus_free(struct memory_bus *bus, bool send_will)
{
    bus_disconnect(bus, "closed", send_will);
    DL_DELETE(bus->config.broker->buses, bus);
    for (int i = 0; i < STAGES_MAX; i++)
        subscription_release(&bus->stages[i]);
    outbox_free(bus->outbox);
    char *const owned[] = {bus->root, bus->client_id, bus->will_topic, bus->will_payload,
                           bus->lost};
    for (size_t i = 0; i < ARRAY_LENGTH(owned); i++)
        free(owned[i]);
    free(bus);
}

static void memory_close(struct bus *base, int64_t timeout_ms)
{
    struct memory_bus *bus = memory_bus(base);
    if (timeout_ms > 0)
        bus_step_send(bus);
    bus_free(bus, false);
}

void memory_bus_kill(struct bus *base)
{
    bus_free(memory_bus(base), true);
}

static const struct bus_ops memory_bus_ops = {.name = "memory",
                                              .start = memory_start,
                                              .set_will = memory_set_will,
                                              .subscribe = memory_subscribe,
                                              .publish = memory_publish,
                                              .connected = memory_connected,
                                              .pending = memory_pending,
                                              .reconnect = memory_reconnect,
                                              .close = memory_close};

struct bus *memory_bus_new(const struct memory_bus_config *config)
{
    struct memory_bus *bus = mem_alloc(sizeof *bus);
    bus->bus.ops = &memory_bus_ops;
    bus->config = *config;
    bus->root = mem_strdup(config->root);
    bus->client_id = mem_strdup(config->client_id);
    bus->outbox = outbox_new();
    DL_APPEND(config->broker->buses, bus);
    return &bus->bus;
}
