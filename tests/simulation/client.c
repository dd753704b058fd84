/* A client's bus: the port, its outbox and its subscriptions. */
#include "platform/adapters/mqtt_outbox.h"
#include "platform/base/mem.h"
#include "schema/limits.h"
#include "tests/simulation/broker_state.h"

#include <stdlib.h>
#include <string.h>

/* ---- subscriptions ---- */

static struct packet packet_subscribe(int stage, const struct bus_filter *filters, size_t count)
{
    struct packet packet = {.kind = PACKET_SUBSCRIBE, .stage = stage, .filter_count = count};
    packet.filters = mem_alloc(count * sizeof(*filters));
    for (size_t i = 0; i < count; i++) {
        packet.filters[i] = filters[i];
        packet.filters[i].filter = mem_strdup(filters[i].filter);
    }
    return packet;
}

static void asked_release(struct packet *asked)
{
    for (size_t i = 0; i < asked->filter_count; i++)
        free((void *)(uintptr_t)asked->filters[i].filter);
    free(asked->filters);
}

static void ask_again(void *context, uint64_t id, void *load)
{
    struct connection *connection = connection_find(context, id);
    struct sim_bus *bus = connection ? connection->bus : NULL;
    int stage = (int)(intptr_t)load;
    if (!bus || bus_sleeps_through(bus, ask_again, id, load, NULL))
        return;
    const struct packet *asked = &bus->asked[stage];
    connection_send_up(context, connection,
                       packet_subscribe(stage, asked->filters, asked->filter_count));
}

void bus_ask_later(struct sim_bus *bus, int stage)
{
    struct broker *broker = bus->config.broker;
    int64_t delay_ms = 1000 + (int64_t)prng_below(&broker->prng, 4000);
    heap_push(broker->config.heap, (struct event){.at_ms = broker_now(broker) + delay_ms,
                                                  .run = ask_again,
                                                  .context = broker,
                                                  .id = bus->connection->id,
                                                  .load = (void *)(intptr_t)stage});
}

/* ---- the port ---- */

static struct sim_bus *sim(struct bus *bus)
{
    return (struct sim_bus *)bus;
}

static void sim_start(struct bus *base)
{
    struct sim_bus *bus = sim(base);
    if (fuse_burn(bus->config.fuse))
        return;
    bus->started = true;
    bus_connect_soon(bus);
}

static void sim_set_will(struct bus *base, const struct bus_will *will)
{
    struct sim_bus *bus = sim(base);
    free(bus->will_topic);
    free(bus->will_payload);
    bus->will_topic = text_copy(will->topic);
    bus->will_payload = text_copy(will->payload);
}

static void sim_subscribe(struct bus *base, int stage, const struct bus_filter *filters,
                          size_t count)
{
    struct sim_bus *bus = sim(base);
    if (filters->sent == BUS_OTHERS && !bus->config.broker->config.mqtt5)
        return; /* all of them are */
    if (fuse_burn(bus->config.fuse) || !bus->connection)
        return;
    ASSERT(stage < SUBSCRIPTIONS_MAX);
    asked_release(&bus->asked[stage]);
    bus->asked[stage] = packet_subscribe(stage, filters, count);
    connection_send_up(bus->config.broker, bus->connection,
                       packet_subscribe(stage, filters, count));
}

static int sim_publish(struct bus *base, const struct bus_publication *what)
{
    struct sim_bus *bus = sim(base);
    struct broker *broker = bus->config.broker;
    struct bus_publication below = *what;
    if (fuse_burn(bus->config.fuse))
        return 0;
    if (what->absolute)
        below.topic += strlen(broker->config.root) + 1;
    broker->config.watch.on_publish(broker->config.watch.context, bus->client_id, &below);
    if (!bus->connection && !what->qos)
        return 0;
    int result = outbox_add(bus->outbox, &below, below.topic, LIMIT_OUTBOX_MESSAGES);
    if (++bus->config.fuse->published == bus->config.fuse->cut_at)
        broker_break(broker, bus->client_id, 1, 1); /* it is lost, with all that follows */
    bus_pump(bus);
    return result;
}

static bool sim_connected(const struct bus *base)
{
    return ((const struct sim_bus *)base)->connection != NULL;
}

static size_t sim_pending(const struct bus *base)
{
    return outbox_count(((const struct sim_bus *)base)->outbox);
}

static void sim_reconnect(struct bus *base, const char *why)
{
    struct sim_bus *bus = sim(base);
    struct broker *broker = bus->config.broker;
    (void)why;
    if (fuse_burn(bus->config.fuse) || !bus->connection)
        return;
    connection_send_up(broker, bus->connection, (struct packet){.kind = PACKET_CLOSE});
    bus_let_go(bus);
    bus_tell_lost_soon(bus);
}

static void bus_free(struct sim_bus *bus)
{
    HASH_DEL(bus->config.broker->buses, bus);
    outbox_free(bus->outbox);
    for (int stage = 0; stage < SUBSCRIPTIONS_MAX; stage++)
        asked_release(&bus->asked[stage]);
    free(bus->client_id);
    free(bus->will_topic);
    free(bus->will_payload);
    free(bus);
}

void sim_bus_kill(struct bus *base)
{
    struct sim_bus *bus = sim(base);
    if (bus->connection)
        connection_send_up(bus->config.broker, bus->connection,
                           (struct packet){.kind = PACKET_CLOSE, .with_will = true});
    bus_let_go(bus);
    bus_free(bus);
}

bool sim_bus_exists(const struct broker *broker, const struct fuse *fuse, const char *client_id)
{
    for (const struct sim_bus *bus = broker->buses; bus; bus = bus->hh.next)
        if (bus->config.fuse == fuse && !strcmp(bus->client_id, client_id))
            return true;
    return false;
}

static void sim_close(struct bus *base, int64_t timeout_ms)
{
    (void)timeout_ms;
    sim_bus_kill(base);
}

static const struct bus_ops sim_bus_ops = {.name = "simulated",
                                           .start = sim_start,
                                           .set_will = sim_set_will,
                                           .subscribe = sim_subscribe,
                                           .publish = sim_publish,
                                           .connected = sim_connected,
                                           .pending = sim_pending,
                                           .reconnect = sim_reconnect,
                                           .close = sim_close};

struct bus *sim_bus_new(const struct sim_bus_config *config)
{
    struct sim_bus *bus = mem_alloc(sizeof(*bus));
    bus->bus.ops = &sim_bus_ops;
    bus->config = *config;
    bus->id = ++config->broker->ids;
    bus->client_id = mem_strdup(config->client_id);
    bus->outbox = outbox_new();
    HASH_ADD(hh, config->broker->buses, id, sizeof(bus->id), bus);
    return &bus->bus;
}
