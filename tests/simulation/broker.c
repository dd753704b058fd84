/* Sessions, retained messages, routing, and how a broker dies. */
#include "tests/simulation/broker.h"

#include "platform/base/mem.h"
#include "tests/simulation/broker_state.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

int64_t broker_now(const struct broker *broker)
{
    return *broker->config.now_ms;
}

/* ---- retained ---- */

static void retained_drop(struct retained **table, struct retained *retained)
{
    HASH_DEL(*table, retained);
    free(retained->topic);
    free(retained->payload);
    free(retained);
}

static void retained_clear(struct retained **table)
{
    while (*table)
        retained_drop(table, *table);
}

static void retained_set(struct retained **table, const struct bus_message *message)
{
    struct retained *retained;
    HASH_FIND_STR(*table, message->topic, retained);
    if (!message->length) {
        if (retained)
            retained_drop(table, retained);
        return;
    }
    if (!retained) {
        retained = mem_alloc(sizeof(*retained));
        retained->topic = mem_strdup(message->topic);
        HASH_ADD_KEYPTR(hh, *table, retained->topic, strlen(retained->topic), retained);
    }
    free(retained->payload);
    retained->payload = bytes_copy(message->payload, message->length);
    retained->length = message->length;
    retained->qos = message->qos;
}

static struct bus_message retained_message(const struct retained *retained)
{
    return (struct bus_message){.topic = retained->topic,
                                .payload = retained->payload,
                                .length = retained->length,
                                .qos = retained->qos,
                                .retained = true};
}

static void retained_copy(struct retained **to, const struct retained *from)
{
    retained_clear(to);
    for (; from; from = from->hh.next) {
        struct bus_message message = retained_message(from);
        retained_set(to, &message);
    }
}

/* ---- queues ---- */

void item_free(struct item *item)
{
    free((void *)(uintptr_t)item->message.topic);
    free((void *)(uintptr_t)item->message.payload);
    free(item);
}

static void session_push(struct broker *broker, struct session *session, struct item value)
{
    struct item *item = mem_alloc(sizeof(*item));
    *item = value;
    if (value.message.topic) {
        item->message.topic = mem_strdup(value.message.topic);
        item->message.payload = bytes_copy(value.message.payload, value.message.length);
    }
    DL_APPEND(session->queue, item);
    session->queued++;
    if (session->connection)
        connection_wake(broker, session->connection, item);
}

static void session_deliver(struct broker *broker, struct session *session,
                            const struct bus_message *message, int qos)
{
    struct item item = {.message = *message};
    item.message.qos = message->qos < qos ? message->qos : qos;
    if (!session->connection && !item.message.qos)
        return;
    if (broker->vices.queue_limit && session->queued >= broker->vices.queue_limit)
        return;
    session_push(broker, session, item);
    if (item.message.qos && prng_below(&broker->prng, 1000) < broker->vices.repeat_per_mille)
        session_push(broker, session, item);
}

/* ---- routing ---- */

static bool filter_matches(const char *filter, const char *topic)
{
    for (; *filter; filter++) {
        if (*filter == '#')
            return true;
        if (*filter == '+')
            topic += strcspn(topic, "/");
        else if (*filter != *topic++)
            return false;
    }
    return !*topic;
}

static const struct bus_filter *session_filter(const struct session *session, const char *client,
                                               const char *topic)
{
    bool is_own = !strcmp(session->client_id, client);
    for (size_t i = 0; i < session->filter_count; i++)
        if (filter_matches(session->filters[i].filter, topic) &&
            !(is_own && session->filters[i].sent == BUS_OTHERS))
            return &session->filters[i];
    return NULL;
}

static void route(struct broker *broker, const char *client, const struct bus_message *message)
{
    struct bus_message live = *message;
    broker->config.watch.on_route(broker->config.watch.context, client, message);
    if (message->retained)
        retained_set(&broker->retained, message);
    live.retained = false;
    for (struct session *session = broker->sessions; session; session = session->hh.next) {
        const struct bus_filter *filter = session_filter(session, client, message->topic);
        if (filter)
            session_deliver(broker, session, &live, filter->qos);
    }
}

/* ---- sessions ---- */

static void filters_free(struct session *session)
{
    for (size_t i = 0; i < session->filter_count; i++)
        free((void *)(uintptr_t)session->filters[i].filter);
    free(session->filters);
}

static void session_free(struct broker *broker, struct session *session)
{
    struct item *item, *next;
    DL_FOREACH_SAFE(session->queue, item, next)
    item_free(item);
    filters_free(session);
    HASH_DEL(broker->sessions, session);
    free(session->client_id);
    free(session);
}

static void send_will_of(struct broker *broker, const char *client_id,
                         const struct connection *connection)
{
    if (!connection->will_topic)
        return;
    struct bus_message will = {.topic = connection->will_topic,
                               .payload = connection->will_payload,
                               .length = strlen(connection->will_payload),
                               .qos = 1,
                               .retained = true};
    broker->config.watch.on_will(broker->config.watch.context, client_id);
    route(broker, client_id, &will);
}

/* Only QoS 1 messages wait for the next connection. */
static void session_drop_unkept(struct session *session)
{
    struct item *item, *next;
    DL_FOREACH_SAFE(session->queue, item, next)
    {
        if (item->message.topic && item->message.qos)
            continue;
        DL_DELETE(session->queue, item);
        session->queued--;
        item_free(item);
    }
}

void session_leave(struct broker *broker, struct session *session, bool send_will)
{
    struct connection *connection = session->connection;
    if (connection) {
        session->connection = NULL;
        connection->session = NULL;
        if (send_will)
            send_will_of(broker, session->client_id, connection);
        connection_settle(broker, connection);
    }
    if (session->persistent)
        session_drop_unkept(session);
    else
        session_free(broker, session);
}

static void session_end(struct broker *broker, struct session *session, bool send_will)
{
    if (session->connection && !session->connection->broken)
        connection_tell_lost(broker, session->connection, link_delay_ms(broker));
    session_leave(broker, session, send_will);
}

static struct session *session_find(struct broker *broker, const char *client_id)
{
    struct session *session;
    HASH_FIND_STR(broker->sessions, client_id, session);
    return session;
}

struct session *session_open(struct broker *broker, struct connection *connection,
                             const char *client_id, bool persistent)
{
    struct session *session = session_find(broker, client_id);
    if (session && session->connection) { /* taken over */
        session_end(broker, session, !persistent);
        session = session_find(broker, client_id);
    }
    if (!session) {
        session = mem_alloc(sizeof(*session));
        session->client_id = mem_strdup(client_id);
        HASH_ADD_KEYPTR(hh, broker->sessions, session->client_id, strlen(client_id), session);
    }
    session->persistent = persistent;
    session->connection = connection;
    for (struct item *item = session->queue; item; item = item->next)
        connection_wake(broker, connection, item);
    return session;
}

static void session_add_filter(struct session *session, const struct bus_filter *added)
{
    for (size_t i = 0; i < session->filter_count; i++)
        if (!strcmp(session->filters[i].filter, added->filter)) {
            session->filters[i].sent = added->sent;
            return;
        }
    session->filters =
        mem_resize(session->filters, session->filter_count + 1, sizeof(*session->filters));
    session->filters[session->filter_count] = *added;
    session->filters[session->filter_count++].filter = mem_strdup(added->filter);
}

static void subscribe(struct broker *broker, struct session *session, const struct packet *packet)
{
    bool refused = broker->vices.refuses;
    session_push(broker, session, (struct item){.stage = packet->stage, .refused = refused});
    if (refused)
        return;
    for (size_t i = 0; i < packet->filter_count; i++) {
        const struct bus_filter *filter = &packet->filters[i];
        bool said = filter->sent == BUS_SAID || filter->sent == BUS_OTHERS;
        if (filter->sent != BUS_RETAINED)
            session_add_filter(session, filter);
        for (struct retained *kept = broker->retained; kept; kept = kept->hh.next) {
            struct bus_message message = retained_message(kept);
            if ((!said || !broker->config.mqtt5) && filter_matches(filter->filter, kept->topic))
                session_deliver(broker, session, &message, filter->qos);
        }
    }
}

void broker_take(struct broker *broker, struct connection *connection, struct packet *packet)
{
    struct session *session = connection->session;
    struct bus_message message = {.topic = packet->topic,
                                  .payload = packet->payload,
                                  .length = packet->length,
                                  .qos = packet->qos,
                                  .retained = packet->retain};
    switch (packet->kind) {
    case PACKET_PUBLISH:
        connection_acknowledge(broker, connection, packet->id);
        route(broker, session->client_id, &message);
        return;
    case PACKET_SUBSCRIBE:
        subscribe(broker, session, packet);
        return;
    case PACKET_CLOSE:
        session_leave(broker, session, packet->with_will);
        return;
    }
}

/* ---- life and death ---- */

struct broker *broker_new(const struct broker_config *config)
{
    struct broker *broker = mem_alloc(sizeof(*broker));
    broker->config = *config;
    prng_init(&broker->prng, config->seed);
    return broker;
}

struct broker_vices *broker_vices(struct broker *broker)
{
    return &broker->vices;
}

static void broker_lose_sessions(struct broker *broker, bool keep_persistent)
{
    struct session *session, *next;
    HASH_ITER(hh, broker->sessions, session, next)
    {
        session->persistent = session->persistent && keep_persistent;
        session_end(broker, session, false);
    }
}

void broker_free(struct broker *broker)
{
    if (!broker)
        return;
    broker_lose_sessions(broker, false);
    while (broker->connections) {
        broker->connections->bus = NULL;
        connection_settle(broker, broker->connections);
    }
    retained_clear(&broker->retained);
    retained_clear(&broker->saved);
    free(broker);
}

void broker_crash(struct broker *broker, enum broker_loss loss)
{
    broker->down = true;
    broker_lose_sessions(broker, loss == BROKER_KEEPS_ALL);
    if (loss == BROKER_ROLLS_BACK)
        retained_copy(&broker->retained, broker->saved);
    if (loss == BROKER_LOSES_ALL)
        retained_clear(&broker->retained);
}

void broker_start(struct broker *broker)
{
    broker->down = false;
}

bool broker_is_up(const struct broker *broker)
{
    return !broker->down;
}

void broker_save(struct broker *broker)
{
    retained_copy(&broker->saved, broker->retained);
}

void broker_lose_session(struct broker *broker, const char *client_id)
{
    struct session *session = session_find(broker, client_id);
    if (!session)
        return;
    session->persistent = false;
    session_end(broker, session, true);
}

void broker_cut(struct broker *broker, const char *client_id)
{
    struct session *session = session_find(broker, client_id);
    if (session && session->connection)
        session_end(broker, session, true);
}

void broker_inject(struct broker *broker, const char *topic, const char *payload, size_t length,
                   bool retain)
{
    struct bus_message message = {
        .topic = topic, .payload = payload, .length = length, .qos = 1, .retained = retain};
    if (!broker->down)
        route(broker, "somebody", &message);
}

const char *broker_retained(const struct broker *broker, const char *topic, size_t *ret_length)
{
    struct retained *retained;
    HASH_FIND_STR(broker->retained, topic, retained);
    if (!retained)
        return NULL;
    *ret_length = retained->length;
    return retained->payload;
}

void broker_visit_retained(const struct broker *broker,
                           void (*visit)(void *context, const char *topic, const void *payload,
                                         size_t length),
                           void *context)
{
    for (struct retained *kept = broker->retained; kept; kept = kept->hh.next)
        visit(context, kept->topic, kept->payload, kept->length);
}
