/* HTTP to the container engine over its unix socket: libcurl's multi interface on the owner loop.
 * No threads, no signals; a time-out and a size limit on every call.
 *
 * libcurl sends a request again when a connection that it reuses turns out to be dead. So only GET
 * reuses connections: a POST or DELETE is sent at most once. */
#ifndef ARGOSY_WORKER_RUNTIME_DOCKER_CLIENT_H
#define ARGOSY_WORKER_RUNTIME_DOCKER_CLIENT_H

#include "platform/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;
struct engine_client;
struct engine_request;

struct engine_reply {
    long status;      /* of HTTP; 0: no complete reply came, then `err` says why */
    const char *body; /* terminated; of a streamed reply only an error's */
    size_t length;
    struct err err; /* -ERR_UNREACHABLE, -ERR_TIMED_OUT, -ERR_TOO_LARGE, -ERR_IO */
};

struct engine_call {
    const char *method; /* "GET", "POST", "PUT", "DELETE" */
    const char *path;   /* "/containers/json?all=1": the version goes in front */
    const char *body;   /* NULL: none; copied */
    size_t body_length; /* 0: it is terminated */
    int64_t timeout_ms; /* of the whole call, 0: none (a stream) */
    int64_t silence_ms; /* gives up when nothing comes for so long, 0: never */
    size_t limit_bytes; /* of a reply that is not streamed; 0: ENGINE_REPLY_BYTES */
    /* Optional: the headers of a 2xx reply came. */
    void (*on_open)(void *context);
    /* Optional: receives the body of a 2xx reply in pieces. */
    void (*on_data)(void *context, const char *bytes, size_t length);
    void (*on_done)(void *context, const struct engine_reply *reply);
    void *context;
};

struct engine_client *engine_client_new(const char *socket_path, struct loop *loop);
/* Cancels what is under way. Accepts NULL. Not from a callback of a call. */
void engine_client_free(struct engine_client *client);

/* "1.41"; copied. NULL, as at first: calls go without a version. */
void engine_client_set_version(struct engine_client *client, const char *version);

/* Starts a call; exactly one on_done follows, never from within this function, unless it is
 * cancelled. The request is valid until then. */
struct engine_request *engine_call(struct engine_client *client, const struct engine_call *call);
/* No callback follows. Also from any callback. Accepts NULL. */
void engine_cancel(struct engine_request *request);

static inline bool engine_reply_is_ok(const struct engine_reply *reply)
{
    return reply->status >= 200 && reply->status < 300;
}

#endif
