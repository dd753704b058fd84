#include "platform/adapters/mqtt_mosquitto_dial.h"

#include "platform/adapters/mqtt_mosquitto_handle.h"
#include "platform/base/mem.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct mqtt_dial {
    struct mosquitto *handle;
    char *host;
    int port, keepalive_s;
    bool keeps_session;
    struct mqtt_dial_result result;
    struct loop_async *wake; /* the owner's */
    void (*on_done)(void *context, const struct mqtt_dial_result *result);
    void *context;
    pthread_mutex_t lock; /* of what follows */
    bool abandoned, done;
};

static void dial_free(struct mqtt_dial *dial)
{
    pthread_mutex_destroy(&dial->lock);
    free(dial->host);
    free(dial);
}

static void dial_destroy(struct mqtt_dial *dial)
{
    mosquitto_destroy(dial->handle);
    dial_free(dial);
}

/* ---- the thread ---- */

static bool name_is_known(struct mqtt_dial *dial)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *addresses = NULL;
    int failed = getaddrinfo(dial->host, NULL, &hints, &addresses);
    if (failed) {
        dial->result.code = MOSQ_ERR_EAI;
        snprintf(dial->result.why, sizeof dial->result.why, "%s: %s", dial->host,
                 gai_strerror(failed));
    } else {
        freeaddrinfo(addresses);
    }
    return !failed;
}

static bool is_abandoned(struct mqtt_dial *dial)
{
    pthread_mutex_lock(&dial->lock);
    bool abandoned = dial->abandoned;
    pthread_mutex_unlock(&dial->lock);
    return abandoned;
}

/* A dial that was given up during a long lookup goes no further: the process may be ending, and
 * OpenSSL must not be set up then. */
static void *dial_run(void *context)
{
    struct mqtt_dial *dial = context;
    if (name_is_known(dial) && !is_abandoned(dial)) {
        /* Waiting here it tries one address after the other; otherwise it would only try the first
         * that is not refused at once: ::1 for localhost, where the broker may not listen. */
        dial->result.code = mqtt_mosquitto_handle_connect(dial->handle, dial->host, dial->port,
                                                          dial->keepalive_s, dial->keeps_session);
        dial->result.system = errno;
    }
    pthread_mutex_lock(&dial->lock);
    bool abandoned = dial->abandoned;
    dial->done = true;
    if (!abandoned)
        loop_async_wake(dial->wake);
    pthread_mutex_unlock(&dial->lock);
    if (abandoned)
        dial_destroy(dial);
    return NULL;
}

/* ---- the owner ---- */

static void dial_on_wake(void *context)
{
    struct mqtt_dial *dial = context;
    pthread_mutex_lock(&dial->lock); /* the thread has left it */
    ASSERT(dial->done);
    pthread_mutex_unlock(&dial->lock);
    loop_async_free(dial->wake);
    struct mqtt_dial_result result = dial->result;
    void (*on_done)(void *context, const struct mqtt_dial_result *result) = dial->on_done;
    context = dial->context;
    dial_free(dial);
    on_done(context, &result);
}

static int thread_start(struct mqtt_dial *dial)
{
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    int failed = pthread_create(&thread, &attributes, dial_run, dial);
    pthread_attr_destroy(&attributes);
    return failed;
}

int mqtt_dial_start(struct loop *loop, struct mosquitto *handle, const char *host, int port,
                    int keepalive_s, bool keeps_session,
                    void (*on_done)(void *context, const struct mqtt_dial_result *result),
                    void *context, struct mqtt_dial **ret_dial, struct err *err)
{
    struct mqtt_dial *dial = mem_alloc(sizeof *dial);
    *dial = (struct mqtt_dial){.handle = handle,
                               .host = mem_strdup(host),
                               .port = port,
                               .keepalive_s = keepalive_s,
                               .keeps_session = keeps_session,
                               .on_done = on_done,
                               .context = context};
    pthread_mutex_init(&dial->lock, NULL);
    dial->wake = loop_async_new(loop, dial_on_wake, dial);
    int failed = thread_start(dial);
    if (failed) {
        loop_async_free(dial->wake);
        dial_free(dial);
        return err_set_errno(err, ERR_IO, failed, "no thread to look up %s", host);
    }
    *ret_dial = dial;
    return 0;
}

void mqtt_dial_abandon(struct mqtt_dial *dial)
{
    pthread_mutex_lock(&dial->lock);
    dial->abandoned = true;
    bool done = dial->done;
    loop_async_free(dial->wake); /* woken or not, it will not be called */
    pthread_mutex_unlock(&dial->lock);
    if (done)
        dial_destroy(dial);
}
