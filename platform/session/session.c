/* The states of a connection are its stages; a stage is: SUBSCRIBING (the broker has not answered),
 * BARRIER (our own message has not come back), and then complete. See session.h for the path and
 * its failures. */
#include "platform/session/session.h"

#include "platform/base/mem.h"
#include "schema/codec/codec.h"
#include "schema/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INSTANCE_LENGTH = 10, NONCE_LENGTH = 12, DUPLICATE_QUIET_MS = 60 * 1000 };

enum stage_phase { PHASE_IDLE, PHASE_SUBSCRIBING, PHASE_BARRIER };

struct session {
    struct session_config config;
    int64_t number;
    int64_t said; /* of the last connection whose first stage was completed, 0: none yet */
    char instance[INSTANCE_LENGTH + 1];
    char nonce[NONCE_LENGTH + 1]; /* of the barrier */
    char later[NONCE_LENGTH + 1]; /* of the newest sent after it, "": none */
    enum stage_phase phase;
    int stage; /* completed */
    bool quiet;
    bool heard; /* anything, since the deadline was set */
    int64_t deadline_ms;
    int64_t duplicate_quiet_until_ms;
};

static void presence_encode(const struct session *session, enum presence state, int64_t since_ms,
                            struct buf *out)
{
    struct presence_document document = {.state = (int)state,
                                         .session = session->number,
                                         .instance = session->instance,
                                         .since_ms = since_ms};
    codec_encode(&presence_record, &document, out);
}

static void session_publish(struct session *session, const char *topic, const struct buf *payload,
                            bool retain)
{
    struct bus *bus = session->config.bus;
    struct bus_publication publication = {.topic = topic,
                                          .payload = buf_text(payload),
                                          .length = payload->length,
                                          .qos = 1,
                                          .retain = retain};
    bus->ops->publish(bus, &publication);
}

static void session_set_will(struct session *session, struct now now)
{
    _cleanup_buf_ struct buf payload = BUF_EMPTY;
    presence_encode(session, PRESENCE_OFFLINE, now.wall_ms, &payload);
    struct bus_will will = {session->config.presence_topic, buf_text(&payload)};
    session->config.bus->ops->set_will(session->config.bus, &will);
}

static void session_say(struct session *session, enum presence state, struct now now)
{
    _cleanup_buf_ struct buf payload = BUF_EMPTY;
    presence_encode(session, state, now.wall_ms, &payload);
    session_publish(session, session->config.presence_topic, &payload, true);
}

/* A lost store starts above whatever it used before: session numbers are at least the clock. */
static void session_raise(struct session *session, int64_t above, struct now now)
{
    session->number = above + 1;
    if (session->number < now.wall_ms)
        session->number = now.wall_ms;
    session_set_will(session, now);
    const struct session_handler *handler = &session->config.handler;
    handler->on_session(handler->context, session->number);
}

struct session *session_new(const struct session_config *config, struct now now)
{
    struct session *session = mem_alloc(sizeof *session);
    session->config = *config;
    session->deadline_ms = INT64_MAX;
    session->number = config->session + 1;
    if (session->number < now.wall_ms)
        session->number = now.wall_ms;
    prng_base32(config->prng, session->instance, INSTANCE_LENGTH);
    return session;
}

void session_free(struct session *session)
{
    free(session);
}

void session_start(struct session *session, struct now now)
{
    session_raise(session, session->number - 1, now);
    session->config.bus->ops->start(session->config.bus);
}

static void session_expect(struct session *session, struct now now)
{
    session->heard = false;
    session->deadline_ms = now.mono_ms + ANSWER_TIMEOUT_MS;
}

static void stage_subscribe(struct session *session, int stage, const struct bus_filter *filters,
                            size_t count, struct now now)
{
    session->phase = PHASE_SUBSCRIBING;
    session_expect(session, now);
    session->config.bus->ops->subscribe(session->config.bus, stage, filters, count);
}

static void stage_begin(struct session *session, int stage, struct now now)
{
    const struct session_stage *filters = &session->config.stages[stage - 1];
    stage_subscribe(session, stage, filters->filters, filters->count, now);
}

static bool stage_goes_on(struct session *session, struct now now)
{
    struct bus_filter filters[BUS_FILTERS_MAX];
    const struct session_handler *handler = &session->config.handler;
    int stage = session->stage + 1;
    size_t count = handler->more ? handler->more(handler->context, stage, filters) : 0;
    if (count)
        stage_subscribe(session, stage, filters, count, now);
    return count != 0;
}

static void session_send_barrier(struct session *session, char ret_nonce[NONCE_LENGTH + 1],
                                 struct now now)
{
    session_expect(session, now);
    prng_base32(session->config.prng, ret_nonce, NONCE_LENGTH);
    _cleanup_buf_ struct buf payload = BUF_EMPTY;
    struct barrier_document barrier = {ret_nonce};
    codec_encode(&barrier_record, &barrier, &payload);
    session_publish(session, session->config.barrier_topic, &payload, false);
}

static void stage_send_barrier(struct session *session, struct now now)
{
    session->phase = PHASE_BARRIER;
    session->later[0] = '\0';
    session_send_barrier(session, session->nonce, now);
}

/* With the number that no stage has; nobody waits for the answer. */
static void session_quieten(struct session *session)
{
    const struct session_stage *own = &session->config.own;
    struct bus_filter filters[SESSION_OWN_MAX];
    ASSERT(own->count <= SESSION_OWN_MAX);
    for (size_t i = 0; i < own->count; i++) {
        filters[i] = own->filters[i];
        filters[i].sent = BUS_OTHERS;
    }
    if (own->count)
        session->config.bus->ops->subscribe(session->config.bus, 0, filters, own->count);
}

static void stage_complete(struct session *session, struct now now)
{
    session->stage++;
    session->phase = PHASE_IDLE;
    session->deadline_ms = INT64_MAX;
    session->said = session->number;
    int stage = session->stage;
    if (stage == session->config.own_stage)
        session_quieten(session);
    const struct session_handler *handler = &session->config.handler;
    handler->on_stage(handler->context, stage);
    if (session->phase != PHASE_IDLE || session->stage != stage)
        return;
    if (stage < session->config.stage_count)
        stage_begin(session, stage + 1, now);
}

void session_on_connected(struct session *session, struct now now)
{
    session->stage = 0;
    session->quiet = false;
    stage_begin(session, 1, now);
}

/* The will of the connection that ended carries its number, and offline is above online: the next
 * connection needs the next number. */
void session_on_disconnected(struct session *session, struct now now)
{
    session->stage = 0;
    session->quiet = false;
    session->phase = PHASE_IDLE;
    session->deadline_ms = INT64_MAX;
    session_raise(session, session->number, now);
}

void session_on_subscribed(struct session *session, int stage, bool granted, struct now now)
{
    if (!stage)
        session->quiet = granted && session->stage >= session->config.own_stage;
    if (session->phase != PHASE_SUBSCRIBING || stage != session->stage + 1)
        return;
    if (!granted) {
        session->deadline_ms = INT64_MAX; /* the bus asks again and calls again */
        return;
    }
    if (stage == 1) /* not earlier: what is retained on our presence topic comes first */
        session_say(session, PRESENCE_ONLINE, now);
    stage_send_barrier(session, now);
}

static void session_reconnect(struct session *session, const char *why)
{
    session->phase = PHASE_IDLE;
    session->deadline_ms = INT64_MAX;
    session->config.bus->ops->reconnect(session->config.bus, why); /* on_disconnected follows */
}

static void session_note_duplicate(struct session *session, const struct presence_document *heard,
                                   struct now now)
{
    if (now.mono_ms < session->duplicate_quiet_until_ms)
        return;
    session->duplicate_quiet_until_ms = now.mono_ms + DUPLICATE_QUIET_MS;
    const struct session_handler *handler = &session->config.handler;
    handler->on_duplicate(handler->context, heard->instance);
}

void session_heed_floor(struct session *session, int64_t floor)
{
    if (floor <= session->number)
        return;
    session->number = floor; /* raised above it on disconnect */
    session_reconnect(session, "a newer session of ours is remembered");
}

/* What we hear about ourselves. A stale copy of an earlier session is overwritten by our birth,
 * which is on its way; only what is at least as new as our session needs an answer. */
static void session_on_presence(struct session *session, const struct bus_message *message,
                                struct now now)
{
    _cleanup_arena_ struct arena arena = ARENA_EMPTY;
    _cleanup_problems_ struct problems problems = {0};
    struct presence_document heard;
    if (codec_decode(&presence_record, message->payload, message->length, CODEC_LENIENT, &arena,
                     &heard, &problems) ||
        !message->length) {
        session_say(session, PRESENCE_ONLINE, now); /* cleared or overwritten by somebody */
        return;
    }
    bool ours = heard.instance && !strcmp(heard.instance, session->instance);
    bool live = !message->retained && heard.state == PRESENCE_ONLINE;
    if (!ours && (live || (session->said && heard.session > session->said)))
        session_note_duplicate(session, &heard, now);
    bool own_will = ours && heard.session == session->number && heard.state == PRESENCE_OFFLINE;
    bool overtaken = heard.session > session->number || (!ours && heard.session == session->number);
    if (!own_will && !overtaken)
        return;
    session->number = heard.session; /* at least our own; raised above it on disconnect */
    session_reconnect(session, own_will ? "own will was sent" : "a newer session was heard");
}

static bool session_on_barrier(struct session *session, const struct bus_message *message,
                               struct now now)
{
    _cleanup_arena_ struct arena arena = ARENA_EMPTY;
    _cleanup_problems_ struct problems problems = {0};
    struct barrier_document barrier;
    if (codec_decode(&barrier_record, message->payload, message->length, CODEC_LENIENT, &arena,
                     &barrier, &problems) ||
        session->phase != PHASE_BARRIER || !barrier.nonce)
        return true;
    if (!strcmp(barrier.nonce, session->nonce)) {
        if (!stage_goes_on(session, now))
            stage_complete(session, now);
    } else if (session->later[0] && !strcmp(barrier.nonce, session->later)) {
        session_reconnect(session, "the broker dropped messages");
    }
    return true;
}

bool session_on_message(struct session *session, const struct bus_message *message, struct now now)
{
    session->heard = true;
    if (!strcmp(message->topic, session->config.barrier_topic))
        return session_on_barrier(session, message, now);
    if (strcmp(message->topic, session->config.presence_topic) != 0)
        return false;
    session_on_presence(session, message, now);
    return true;
}

/* What comes on shows that the broker is only slow: connecting again would begin it all anew. */
void session_on_timer(struct session *session, struct now now)
{
    if (now.mono_ms < session->deadline_ms)
        return;
    if (!session->heard)
        session_reconnect(session, session->phase == PHASE_BARRIER
                                       ? "the barrier did not come back"
                                       : "a subscription was not answered");
    else if (session->phase == PHASE_BARRIER)
        session_send_barrier(session, session->later, now);
    else
        session_expect(session, now);
}

int64_t session_deadline_ms(const struct session *session)
{
    return session->deadline_ms;
}

bool session_is_quiet(const struct session *session)
{
    return session->quiet;
}

int session_stage(const struct session *session)
{
    return session->stage;
}

int64_t session_number(const struct session *session)
{
    return session->number;
}

const char *session_instance(const struct session *session)
{
    return session->instance;
}

void session_say_offline(struct session *session, struct now now)
{
    session_say(session, PRESENCE_OFFLINE, now);
}
