/* A message is stored when it is retained, then copied to the queue of every session with a filter
 * that matches; a subscription gets the stored ones, in order of the topics' age. Sizes of tests:
 * everything is found by walking. */
#include "platform/adapters/memory_broker.h"

#include "platform/base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

static char *copy_bytes(const void *bytes, size_t length)
{
    char *copy = mem_alloc(length + 1);
    if (length)
        memcpy(copy, bytes, length);
    return copy;
}

static char *copy_text(const char *text)
{
    return text ? mem_strdup(text) : NULL;
}

/* ---- queues ---- */

void memory_item_free(struct memory_item *item)
{
    free((char *)(uintptr_t)item->message.topic);
    free((void *)(uintptr_t)item->message.payload);
    free((char *)(uintptr_t)item->message.response_topic);
    free((void *)(uintptr_t)item->message.correlation);
    free(item);
}

void memory_session_push(struct memory_session *session, const struct memory_item *item)
{
    struct memory_item *copy = mem_alloc(sizeof *copy);
    *copy = *item;
    copy->message.topic = copy_text(item->message.topic);
    copy->message.payload = copy_bytes(item->message.payload, item->message.length);
    copy->message.response_topic = copy_text(item->message.response_topic);
    copy->message.correlation =
        copy_bytes(item->message.correlation, item->message.correlation_length);
    DL_APPEND(session->queue, copy);
    session->queued++;
}

struct memory_item *memory_session_pop(struct memory_session *session)
{
    struct memory_item *item = session->queue;
    if (!item)
        return NULL;
    DL_DELETE(session->queue, item);
    session->queued--;
    return item;
}

static bool countdown(size_t *count)
{
    if (!*count)
        return false;
    --*count;
    return true;
}

static void session_deliver(struct memory_broker *broker, struct memory_session *session,
                            const struct bus_message *message, int qos)
{
    struct memory_item item = {.kind = MEMORY_MESSAGE, .message = *message};
    item.message.qos = message->qos < qos ? message->qos : qos;
    if (!session->bus && !item.message.qos)
        return;
    if (session->queued >= broker->queue_limit || countdown(&broker->drop))
        return;
    memory_session_push(session, &item);
    if (countdown(&broker->repeat))
        memory_session_push(session, &item);
}

/* ---- routing ---- */

static bool filter_matches(const char *filter, const char *topic)
{
    while (*filter) {
        if (*filter == '#')
            return true;
        if (*filter == '+') {
            topic += strcspn(topic, "/");
            filter++;
        } else if (*filter != *topic) {
            return !*topic && !strcmp(filter, "/#"); /* "a/#" matches "a" */
        } else {
            filter++, topic++;
        }
    }
    return !*topic;
}

static const struct memory_filter *session_filter(const struct memory_session *session,
                                                  const struct memory_session *from,
                                                  const char *topic)
{
    for (size_t i = 0; i < session->filter_count; i++) {
        const struct memory_filter *filter = &session->filters[i];
        if (filter_matches(filter->filter, topic) &&
            !(filter->sent == BUS_OTHERS && session == from))
            return filter;
    }
    return NULL;
}

static void retained_free(struct memory_broker *broker, struct memory_retained *retained)
{
    HASH_DEL(broker->retained, retained);
    free(retained->topic);
    free(retained->payload);
    free(retained);
}

static void broker_retain(struct memory_broker *broker, const struct bus_message *message)
{
    struct memory_retained *retained;
    HASH_FIND_STR(broker->retained, message->topic, retained);
    if (!message->length) {
        if (retained)
            retained_free(broker, retained);
        return;
    }
    if (!retained) {
        retained = mem_alloc(sizeof *retained);
        retained->topic = mem_strdup(message->topic);
        HASH_ADD_KEYPTR(hh, broker->retained, retained->topic, strlen(retained->topic), retained);
    }
    free(retained->payload);
    retained->payload = copy_bytes(message->payload, message->length);
    retained->length = message->length;
    retained->qos = message->qos;
}

size_t memory_broker_route(struct memory_broker *broker, const struct memory_session *from,
                           const struct bus_message *message)
{
    if (message->retained)
        broker_retain(broker, message);
    struct bus_message live = *message;
    size_t receivers = 0;
    for (struct memory_session *session = broker->sessions; session; session = session->hh.next) {
        const struct memory_filter *filter = session_filter(session, from, message->topic);
        if (!filter)
            continue;
        receivers++;
        live.retained = message->retained && filter->sent == BUS_FLAGGED;
        session_deliver(broker, session, &live, filter->qos);
    }
    return receivers;
}

/* ---- sessions ---- */

static void session_forget_filters(struct memory_session *session)
{
    for (size_t i = 0; i < session->filter_count; i++)
        free(session->filters[i].filter);
    free(session->filters);
    session->filters = NULL;
    session->filter_count = 0;
}

static void session_free(struct memory_broker *broker, struct memory_session *session)
{
    HASH_DEL(broker->sessions, session);
    for (struct memory_item *item; (item = memory_session_pop(session));)
        memory_item_free(item);
    session_forget_filters(session);
    free(session->will_topic);
    free(session->will_payload);
    free(session->client_id);
    free(session);
}

struct memory_session *memory_session_open(struct memory_broker *broker, struct memory_bus *bus,
                                           const char *client_id, bool persistent)
{
    struct memory_session *session;
    HASH_FIND_STR(broker->sessions, client_id, session);
    if (session && session->bus) { /* taken over: the will is sent when the session ends with it */
        memory_bus_lost(session->bus, "another client has the same id");
        memory_session_close(broker, session, !persistent);
        HASH_FIND_STR(broker->sessions, client_id, session);
    }
    if (session && !persistent) {
        session_free(broker, session);
        session = NULL;
    }
    if (!session) {
        session = mem_alloc(sizeof *session);
        session->client_id = mem_strdup(client_id);
        HASH_ADD_KEYPTR(hh, broker->sessions, session->client_id, strlen(client_id), session);
    }
    session->persistent = persistent;
    session->bus = bus;
    return session;
}

/* What only a connection can take: everything but QoS 1 messages. */
static void session_drop_unkept(struct memory_session *session)
{
    struct memory_item *item, *next;
    DL_FOREACH_SAFE(session->queue, item, next)
    {
        if (item->kind == MEMORY_MESSAGE && item->message.qos)
            continue;
        DL_DELETE(session->queue, item);
        session->queued--;
        memory_item_free(item);
    }
}

void memory_session_close(struct memory_broker *broker, struct memory_session *session,
                          bool send_will)
{
    session->bus = NULL;
    struct bus_message will = {.topic = session->will_topic,
                               .payload = session->will_payload,
                               .length = session->will_payload ? strlen(session->will_payload) : 0,
                               .qos = 1,
                               .retained = true};
    if (send_will && session->will_topic)
        memory_broker_route(broker, session, &will);
    if (session->persistent)
        session_drop_unkept(session);
    else
        session_free(broker, session);
}

static void session_add_filter(struct memory_session *session, const struct memory_filter *added)
{
    for (size_t i = 0; i < session->filter_count; i++) {
        struct memory_filter *filter = &session->filters[i];
        if (strcmp(filter->filter, added->filter) != 0)
            continue;
        filter->qos = added->qos;
        filter->sent = added->sent;
        return;
    }
    session->filters =
        mem_resize(session->filters, session->filter_count + 1, sizeof *session->filters);
    session->filters[session->filter_count] = *added;
    session->filters[session->filter_count++].filter = mem_strdup(added->filter);
}

static void session_deliver_retained(struct memory_broker *broker, struct memory_session *session,
                                     const struct memory_filter *filter)
{
    for (struct memory_retained *kept = broker->retained; kept; kept = kept->hh.next) {
        struct bus_message message = {.topic = kept->topic,
                                      .payload = kept->payload,
                                      .length = kept->length,
                                      .qos = kept->qos,
                                      .retained = true};
        if (filter_matches(filter->filter, kept->topic))
            session_deliver(broker, session, &message, filter->qos);
    }
}

void memory_session_subscribe(struct memory_broker *broker, struct memory_session *session,
                              int stage, const struct memory_filter *filters, size_t count)
{
    struct memory_item answer = {.kind = MEMORY_SUBSCRIBED, .stage = stage, .granted = true};
    answer.granted = !countdown(&broker->refuse);
    memory_session_push(session, &answer);
    for (size_t i = 0; i < count && answer.granted; i++) {
        if (filters[i].sent != BUS_RETAINED)
            session_add_filter(session, &filters[i]);
        if (filters[i].sent != BUS_SAID && filters[i].sent != BUS_OTHERS)
            session_deliver_retained(broker, session, &filters[i]);
    }
}

/* ---- the broker ---- */

struct memory_broker *memory_broker_new(void)
{
    struct memory_broker *broker = mem_alloc(sizeof *broker);
    broker->queue_limit = SIZE_MAX;
    return broker;
}

static void broker_forget_retained(struct memory_broker *broker)
{
    struct memory_retained *retained, *next;
    HASH_ITER(hh, broker->retained, retained, next)
    retained_free(broker, retained);
}

static void broker_forget_sessions(struct memory_broker *broker)
{
    struct memory_session *session, *next;
    HASH_ITER(hh, broker->sessions, session, next)
    {
        if (session->bus)
            memory_bus_lost(session->bus, "the broker went away");
        session_free(broker, session);
    }
}

void memory_broker_free(struct memory_broker *broker)
{
    if (!broker)
        return;
    ASSERT(!broker->buses);
    broker_forget_sessions(broker);
    broker_forget_retained(broker);
    free(broker);
}

const char *memory_broker_retained(const struct memory_broker *broker, const char *topic,
                                   size_t *ret_length)
{
    const struct memory_retained *retained;
    HASH_FIND_STR(broker->retained, topic, retained);
    if (!retained)
        return NULL;
    *ret_length = retained->length;
    return retained->payload;
}

void memory_broker_inject(struct memory_broker *broker, const struct bus_message *message)
{
    if (!broker->down)
        memory_broker_route(broker, NULL, message);
}

void memory_broker_crash(struct memory_broker *broker, bool keep_retained)
{
    broker->down = true;
    broker_forget_sessions(broker);
    if (!keep_retained)
        broker_forget_retained(broker);
}

void memory_broker_restart(struct memory_broker *broker)
{
    broker->down = false;
}

void memory_broker_drop_next(struct memory_broker *broker, size_t count)
{
    broker->drop = count;
}

void memory_broker_repeat_next(struct memory_broker *broker, size_t count)
{
    broker->repeat = count;
}

void memory_broker_refuse_next(struct memory_broker *broker, size_t count)
{
    broker->refuse = count;
}

void memory_broker_limit_queues(struct memory_broker *broker, size_t count)
{
    broker->queue_limit = count;
}
