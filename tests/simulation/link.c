/* The wire, and what it does to a client: connecting, sending what its outbox holds, taking what
 * has arrived. */
#include "platform/adapters/mqtt_outbox.h"
#include "platform/base/mem.h"
#include "schema/limits.h"
#include "tests/simulation/broker_state.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

void *bytes_copy(const void *bytes, size_t length)
{
    char *copy = mem_alloc(length + 1);
    if (length)
        memcpy(copy, bytes, length);
    return copy;
}

void packet_free(void *load)
{
    struct packet *packet = load;
    for (size_t i = 0; i < packet->filter_count; i++)
        free((void *)(uintptr_t)packet->filters[i].filter);
    free(packet->filters);
    free(packet->topic);
    free(packet->payload);
    free(packet);
}

int64_t link_delay_ms(struct broker *broker)
{
    return (int64_t)prng_below(&broker->prng, (uint64_t)broker->vices.delay_max_ms + 1);
}

static void post(struct broker *broker, int64_t at_ms,
                 void (*run)(void *context, uint64_t id, void *load), uint64_t id)
{
    heap_push(broker->config.heap,
              (struct event){.at_ms = at_ms, .run = run, .context = broker, .id = id});
}

/* ---- connections ---- */

struct connection *connection_find(struct broker *broker, uint64_t id)
{
    struct connection *connection;
    HASH_FIND(hh, broker->connections, &id, sizeof(id), connection);
    return connection;
}

void connection_settle(struct broker *broker, struct connection *connection)
{
    if (connection->bus || connection->session)
        return;
    HASH_DEL(broker->connections, connection);
    free(connection->will_topic);
    free(connection->will_payload);
    free(connection);
}

static struct sim_bus *bus_find(struct broker *broker, uint64_t id)
{
    struct sim_bus *bus;
    HASH_FIND(hh, broker->buses, &id, sizeof(id), bus);
    return bus;
}

static bool carries(const struct connection *connection)
{
    return !connection->broken && !connection->fuse->apart;
}

/* ---- from the client to the broker ---- */

static void arrive_up(void *context, uint64_t id, void *load)
{
    struct broker *broker = context;
    struct packet *packet = load;
    struct connection *connection = connection_find(broker, id);
    if (connection && connection->session && carries(connection))
        broker_take(broker, connection, packet);
    packet_free(packet);
}

void connection_send_up(struct broker *broker, struct connection *connection, struct packet value)
{
    struct packet *packet = mem_alloc(sizeof(*packet));
    int64_t at_ms = broker_now(broker) + link_delay_ms(broker);
    *packet = value;
    connection->up_ms = at_ms > connection->up_ms ? at_ms : connection->up_ms;
    heap_push(broker->config.heap, (struct event){.at_ms = connection->up_ms,
                                                  .run = arrive_up,
                                                  .release = packet_free,
                                                  .context = broker,
                                                  .id = connection->id,
                                                  .load = packet});
}

bool bus_sleeps_through(const struct sim_bus *bus,
                        void (*run)(void *context, uint64_t id, void *load), uint64_t id,
                        void *load, void (*release)(void *load))
{
    if (!bus || bus->config.fuse->asleep_until_ms <= broker_now(bus->config.broker))
        return false;
    heap_push(bus->config.broker->config.heap,
              (struct event){.at_ms = bus->config.fuse->asleep_until_ms,
                             .run = run,
                             .release = release,
                             .context = bus->config.broker,
                             .id = id,
                             .load = load});
    return true;
}

static void pump_later(void *context, uint64_t id, void *load)
{
    struct sim_bus *bus = bus_find(context, id);
    (void)load;
    if (bus)
        bus_pump(bus);
}

void bus_pump(struct sim_bus *bus)
{
    struct outbox_entry *entry;
    if (bus_sleeps_through(bus, pump_later, bus->id, NULL, NULL))
        return;
    while (bus->connection && (entry = outbox_next(bus->outbox))) {
        const struct bus_publication *what = &entry->publication;
        outbox_sent(bus->outbox, entry, ++bus->sent);
        connection_send_up(bus->config.broker, bus->connection,
                           (struct packet){.kind = PACKET_PUBLISH,
                                           .id = bus->sent,
                                           .topic = mem_strdup(what->topic),
                                           .payload = bytes_copy(what->payload, what->length),
                                           .length = what->length,
                                           .qos = what->qos,
                                           .retain = what->retain});
    }
}

/* ---- from the broker to the client ---- */

static void handle(struct sim_bus *bus, struct item *item)
{
    const struct bus_handler *handler = &bus->config.handler;
    if (item->refused)
        bus_ask_later(bus, item->stage);
    if (item->message.topic)
        handler->on_message(handler->context, &item->message);
    else
        handler->on_subscribed(handler->context, item->stage, !item->refused);
    item_free(item);
}

static void arrive_down(void *context, uint64_t id, void *load)
{
    struct broker *broker = context;
    struct connection *connection = connection_find(broker, id);
    bool any = false;
    struct sim_bus *bus = connection ? connection->bus : NULL;
    if (bus_sleeps_through(bus, arrive_down, id, load, NULL))
        return;
    while ((connection = connection_find(broker, id)) && connection->session && connection->bus &&
           carries(connection) && !connection->bus->config.fuse->blown) {
        struct session *session = connection->session;
        struct item *item = session->queue;
        if (!item || item->arrival_ms > broker_now(broker))
            break;
        DL_DELETE(session->queue, item);
        session->queued--;
        handle(bus, item);
        any = true;
    }
    if (any)
        bus->config.handler.on_batch_end(bus->config.handler.context);
}

void connection_wake(struct broker *broker, struct connection *connection, struct item *item)
{
    int64_t at_ms = broker_now(broker) + link_delay_ms(broker);

    connection->down_ms = at_ms > connection->down_ms ? at_ms : connection->down_ms;
    item->arrival_ms = connection->down_ms;

    post(broker, item->arrival_ms, arrive_down, connection->id);
}

struct acknowledgement {
    struct broker *broker;
    uint64_t connection;
};

static void arrive_acknowledgement(void *context, uint64_t id, void *load)
{
    const struct acknowledgement *of = load;
    struct connection *connection = connection_find(context, of->connection);
    struct sim_bus *bus = connection ? connection->bus : NULL;
    if (bus_sleeps_through(bus, arrive_acknowledgement, id, load, free))
        return;
    if (bus && carries(connection)) {
        struct outbox_entry *entry = outbox_find(bus->outbox, id);
        if (entry)
            outbox_acknowledged(bus->outbox, entry);
        bus_pump(bus);
    }
    free(load);
}

void connection_acknowledge(struct broker *broker, struct connection *connection, uint64_t id)
{
    struct acknowledgement *load = mem_alloc(sizeof(*load));
    *load = (struct acknowledgement){broker, connection->id};
    heap_push(broker->config.heap,
              (struct event){.at_ms = broker_now(broker) + link_delay_ms(broker),
                             .run = arrive_acknowledgement,
                             .release = free,
                             .context = broker,
                             .id = id,
                             .load = load});
}

/* ---- losing and making the connection ---- */

static void try_connect(void *context, uint64_t id, void *load);

static void connect_later(struct sim_bus *bus)
{
    struct broker *broker = bus->config.broker;
    int64_t delay_ms = (int64_t)prng_below(&broker->prng, 4000) + 1;
    post(broker, broker_now(broker) + delay_ms, try_connect, bus->id);
}

/* The client's side ends. */
void bus_let_go(struct sim_bus *bus)
{
    struct connection *connection = bus->connection;
    bus->connection = NULL;
    if (!connection)
        return;
    connection->bus = NULL;
    outbox_reset(bus->outbox);
    connection_settle(bus->config.broker, connection);
}

static void tell_lost(struct sim_bus *bus, const char *why)
{
    const struct bus_handler *handler = &bus->config.handler;
    handler->on_disconnected(handler->context, why);
    handler->on_batch_end(handler->context);
    connect_later(bus);
}

static void lose(void *context, uint64_t id, void *load)
{
    struct connection *connection = connection_find(context, id);
    struct sim_bus *bus = connection ? connection->bus : NULL;
    if (!bus || bus_sleeps_through(bus, lose, id, load, NULL))
        return;
    bus_let_go(bus);
    tell_lost(bus, "the connection was lost");
}

void connection_tell_lost(struct broker *broker, struct connection *connection, int64_t delay_ms)
{
    post(broker, broker_now(broker) + delay_ms, lose, connection->id);
}

char *text_copy(const char *text)
{
    return text ? mem_strdup(text) : NULL;
}

static void connect_now(struct sim_bus *bus)
{
    struct broker *broker = bus->config.broker;
    struct connection *connection = mem_alloc(sizeof(*connection));
    connection->id = ++broker->ids;
    connection->fuse = bus->config.fuse;
    connection->bus = bus;
    connection->will_topic = text_copy(bus->will_topic);
    connection->will_payload = text_copy(bus->will_payload);
    HASH_ADD(hh, broker->connections, id, sizeof(connection->id), connection);
    connection->session = session_open(broker, connection, bus->client_id, bus->config.persistent);
    bus->connection = connection;
}

static void try_connect(void *context, uint64_t id, void *load)
{
    struct broker *broker = context;
    struct sim_bus *bus = bus_find(broker, id);
    if (!bus || bus->connection || bus_sleeps_through(bus, try_connect, id, load, NULL))
        return;
    const struct bus_handler *handler = &bus->config.handler;
    if (broker->down || bus->config.fuse->apart) {
        if (handler->on_connect_failed)
            handler->on_connect_failed(handler->context, "nobody answers");
        connect_later(bus);
        return;
    }
    connect_now(bus);
    handler->on_connected(handler->context);
    handler->on_batch_end(handler->context);
    bus_pump(bus);
}

static void hear_of_reconnect(void *context, uint64_t id, void *load)
{
    struct sim_bus *bus = bus_find(context, id);
    if (bus && !bus->connection && !bus_sleeps_through(bus, hear_of_reconnect, id, load, NULL))
        tell_lost(bus, "connecting again");
}

void bus_connect_soon(struct sim_bus *bus)
{
    post(bus->config.broker, broker_now(bus->config.broker), try_connect, bus->id);
}

void bus_tell_lost_soon(struct sim_bus *bus)
{
    post(bus->config.broker, broker_now(bus->config.broker), hear_of_reconnect, bus->id);
}

/* ---- faults of the wire ---- */

static void notice_break(void *context, uint64_t id, void *load)
{
    struct broker *broker = context;
    struct connection *connection = connection_find(broker, id);
    (void)load;
    if (connection && connection->session)
        session_leave(broker, connection->session, true);
}

static void connection_break(struct broker *broker, struct connection *connection,
                             int64_t client_ms, int64_t broker_ms)
{
    connection->broken = true;
    connection_tell_lost(broker, connection, client_ms);
    post(broker, broker_now(broker) + broker_ms, notice_break, connection->id);
}

void broker_break(struct broker *broker, const char *client_id, int64_t client_ms,
                  int64_t broker_ms)
{
    struct session *session;
    HASH_FIND_STR(broker->sessions, client_id, session);
    if (session && session->connection)
        connection_break(broker, session->connection, client_ms, broker_ms);
}

void broker_break_all(struct broker *broker, const struct fuse *fuse, int64_t client_ms,
                      int64_t broker_ms)
{
    for (struct connection *connection = broker->connections; connection;
         connection = connection->hh.next)
        if (connection->fuse == fuse && connection->session)
            connection_break(broker, connection, client_ms, broker_ms);
}
