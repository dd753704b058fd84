/* A session: what every process does on the bus alike, manager or worker.
 *
 *   connected -> subscribe stage 1 -> granted -> barrier sent -> barrier heard -> on_stage(1)
 *                    ^--- more of it to be read, piece by piece ---'
 *             -> subscribe stage 2 -> … -> on_stage(n): the picture is whole
 *   disconnected at any point: on_disconnected, and from the start again at the next connect.
 *
 * Presence: each connection has a session number of its own; its will says offline with it, its
 * birth, once stage 1 is granted, online. A process that hears on its own presence topic (a) its
 * own will while it lives, (b) a larger session number than its own, takes the next number above it
 * and connects again. Two live processes with one id take the broker's session from each other;
 * each hears, when it connects again, that the other has spoken since: on_duplicate.
 *
 * Failure modes. Nothing at all within ANSWER_TIMEOUT_MS while a subscription or a barrier is
 * awaited: the bus connects again. Something, but not the barrier: a slow broker, or one that
 * dropped it (as it does with what exceeds its queue). Another barrier is sent after it; when that
 * comes back alone, the first was dropped, and what was retained may have been: the bus connects
 * again. The shell owns the bus handler and forwards to session_*. */
#ifndef ARGOSY_PLATFORM_SESSION_H
#define ARGOSY_PLATFORM_SESSION_H

#include "platform/base/prng.h"
#include "platform/ports/bus.h"
#include "platform/ports/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SESSION_OWN_MAX = 8 };

struct session_stage {
    const struct bus_filter
        *filters; /* kept by pointer: static tables or memory that outlives the session */
    size_t count;
};

struct session_handler {
    void *context;
    /* Stage `stage` (from 1) is complete: all that was retained below its filters has been
     * delivered. */
    void (*on_stage)(void *context, int stage);
    /* The session number was raised: make it durable before the next batch ends. */
    void (*on_session)(void *context, int64_t session);
    /* Another live process uses our id. Called at most once a minute. */
    void (*on_duplicate)(void *context, const char *instance);
    /* What else of the stage is to be read, once, before it is complete: at most BUS_FILTERS_MAX
     * filters of BUS_RETAINED, whose texts are copied at once. Asked again after each barrier until
     * it says 0. NULL: nothing. */
    size_t (*more)(void *context, int stage, struct bus_filter *ret_filters);
};

struct session_config {
    struct bus *bus;
    const char *presence_topic; /* below the root */
    const char *barrier_topic;
    const struct session_stage *stages;
    int stage_count;
    /* Of the filters up to stage `own_stage`, those below which mostly this process speaks: once it
     * is complete they are subscribed to anew, without what it says itself. At most
     * SESSION_OWN_MAX. */
    struct session_stage own;
    int own_stage;
    int64_t session; /* last one used, from the store; 0: none. The clock is a floor for it */
    struct session_handler handler;
    struct prng *prng;
};

struct session;

struct session *session_new(const struct session_config *config, struct now now);
void session_free(struct session *session);

/* Sets the will and starts the bus. */
void session_start(struct session *session, struct now now);
/* From the shell's bus handler. */
void session_on_connected(struct session *session, struct now now);
void session_on_disconnected(struct session *session, struct now now);
void session_on_subscribed(struct session *session, int stage, bool granted, struct now now);
/* Call with every message. True when it was the session's (presence or barrier topic) and is done
 * with. */
bool session_on_message(struct session *session, const struct bus_message *message, struct now now);
/* Time-outs. Call when session_deadline_ms() has come (monotonic, INT64_MAX: none). */
void session_on_timer(struct session *session, struct now now);
int64_t session_deadline_ms(const struct session *session);

/* Last completed stage of this connection: 0 … stage_count. */
int session_stage(const struct session *session);
/* Nothing that this process says below its `own` filters comes back any more: what comes is
 * somebody else's. */
bool session_is_quiet(const struct session *session);
int64_t session_number(const struct session *session);
const char *session_instance(const struct session *session);
/* Somebody remembers that session of ours: when it is larger than the present one, nobody hears us,
 * and we connect again above it. */
void session_heed_floor(struct session *session, int64_t floor);
/* Says "offline" with the present number (before a clean close). */
void session_say_offline(struct session *session, struct now now);

#endif
