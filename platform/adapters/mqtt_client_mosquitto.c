/* The client on libmosquitto, wholly on the owner's loop.
 *
 *   IDLE --connect--> DIALLING (names only) --> CONNECTING --made--> CONNECTED --disconnect-->
 *   DISCONNECTING --> IDLE; whatever fails leads to IDLE, too.
 *
 * One `struct mosquitto` a connection, so that the library never sends anything again by itself.
 * Its callbacks run inside mosquitto_loop_read(): they hand messages and acknowledgements on as
 * they come, and only note what concerns the connection; that is told by client_settle(), when no
 * callback is under way, and so the handle is never destroyed inside one. A batch is what one
 * system call reads (mqtt_mosquitto_socket.h), with TLS at most SLICE_PACKETS, so that a flood
 * leaves the timers their turn; TCP keeps the rest.
 *
 * What libmosquitto 2.0.11 does otherwise than one would think is in docs/decisions.md (D21). */
#include "platform/adapters/mqtt_mosquitto.h"
#include "platform/adapters/mqtt_mosquitto_handle.h"
#include "platform/base/mem.h"
#include "platform/base/text.h"
#include "schema/limits.h"

#include <errno.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    CONNECT_TIMEOUT_MS = 6000,
    DISCONNECT_WAIT_MS = 1000,
    KEEPALIVE_MIN_S = 5, /* the library's */
    KEEPALIVE_LOOKS = 4, /* in each keepalive, whether one is due */
    SLICE_PACKETS = 256,
};

static int64_t now_ms(const struct mqtt_client *client)
{
    return client->config->clock->now(client->config->clock).mono_ms;
}

void mqtt_mosquitto_tell(struct mqtt_client *client, const struct mqtt_event *event)
{
    client->listener.on_event(client->listener.context, event);
}

static void client_end(struct mqtt_client *client, int code, const char *why)
{
    if (client->ended)
        return;
    client->ended = true;
    client->code = code;
    text_copy(client->why, sizeof client->why, why);
}

/* ---- callbacks ---- */

void mqtt_mosquitto_tell_made(struct mqtt_client *client)
{
    if (!client->made)
        return;
    client->made = false;
    client->phase = CONNECTED;
    /* As long as somebody listens the library prints a line of each packet, to any level. */
    mosquitto_log_callback_set(client->handle, NULL);
    loop_timer_set(client->timer, now_ms(client) + client->look_ms);
    mqtt_mosquitto_tell(client, &(struct mqtt_event){.kind = MQTT_CONNECTED,
                                                     .receive_maximum = client->receive_maximum});
}

static void client_note_refusal(struct mqtt_client *client, int code)
{
    char why[MQTT_DIAL_WHY_BYTES];
    const char *reason =
        code >= MQTT_REASON_REFUSED ? mosquitto_reason_string(code) : mqtt_refusal_text(code);
    if (reason)
        snprintf(why, sizeof why, "the broker refuses the connection: %s", reason);
    else
        snprintf(why, sizeof why, "the broker refuses the connection (code %d)", code);
    client->handshake = true;
    client_end(client, code, why);
}

static void on_connect(struct mosquitto *handle, void *context, int code, int flags,
                       const mosquitto_property *properties)
{
    (void)handle;
    (void)flags;
    struct mqtt_client *client = context;
    uint16_t keepalive_s, receive_maximum = UINT16_MAX; /* the latter when nothing is said */
    if (code) {
        client_note_refusal(client, code);
        return;
    }
    client->made = true;
    mosquitto_property_read_int16(properties, MQTT_PROP_RECEIVE_MAXIMUM, &receive_maximum, false);
    client->receive_maximum = receive_maximum;
    if (mosquitto_property_read_int16(properties, MQTT_PROP_SERVER_KEEP_ALIVE, &keepalive_s, false))
        client->look_ms = keepalive_s * INT64_C(1000) / KEEPALIVE_LOOKS;
}

static void on_disconnect(struct mosquitto *handle, void *context, int code,
                          const mosquitto_property *properties)
{
    (void)handle;
    (void)properties;
    const char *why = code >= MQTT_REASON_REFUSED       ? mosquitto_reason_string(code)
                      : code == MOSQ_ERR_ERRNO && errno ? strerror(errno)
                      : code == MOSQ_ERR_KEEPALIVE      ? "it does not answer"
                      : code                            ? "the connection was lost"
                                                        : "disconnected";
    client_end(context, code >= MQTT_REASON_REFUSED ? code : 0, why);
}

/* OpenSSL's errors begin with numbers: "…error:0A000086:SSL routines::certificate verify failed" */
static void on_log(struct mosquitto *handle, void *context, int level, const char *text)
{
    (void)handle;
    struct mqtt_client *client = context;
    if (level != MOSQ_LOG_ERR)
        return;
    const char *reason = strstr(text, "::");
    text_copy(client->library_said, sizeof client->library_said, reason ? reason + 2 : text);
}

/* ---- the connection's end, and what else is told between callbacks ---- */

static void client_release(struct mqtt_client *client)
{
    loop_poll_free(client->poll);
    client->poll = NULL;
    mqtt_socket_reset(&client->socket);
    if (client->dial)
        mqtt_dial_abandon(client->dial);
    else
        mosquitto_destroy(client->handle);
    client->dial = NULL;
    client->handle = NULL;
    client->phase = IDLE;
    client->made = client->ended = false;
    memset(client->parts, 0, sizeof client->parts);
    loop_timer_set(client->timer, INT64_MAX);
}

static bool wants_to_write(const struct mqtt_client *client)
{
    return client->socket.left_length || mosquitto_want_write(client->handle);
}

void mqtt_mosquitto_rearm(struct mqtt_client *client)
{
    if (!client->poll || client->ended)
        return;
    /* While it shakes hands for TLS the library always wants to write; reading drives it. */
    bool writing = wants_to_write(client) && !(client->tls && client->phase == CONNECTING);
    loop_poll_set(client->poll, LOOP_READABLE | (writing ? LOOP_WRITABLE : 0));
}

/* After anything that ran callbacks, outside of them. */
static void client_settle(struct mqtt_client *client)
{
    mqtt_mosquitto_tell_made(client);
    if (client->ended) {
        char why[sizeof client->why];
        struct mqtt_event event = {
            .kind = client->phase == CONNECTING ? MQTT_CONNECT_FAILED : MQTT_LOST,
            .code = client->code,
            .handshake = client->handshake,
            .text = strcpy(why, client->why),
        };
        client_release(client);
        mqtt_mosquitto_tell(client, &event);
    }
    client->listener.on_batch_end(client->listener.context);
    mqtt_mosquitto_rearm(client);
}

/* A call of the library that returns a failure has not always told so. */
static void client_check(struct mqtt_client *client, int result)
{
    if (result > 0 && client->library_said[0])
        client_end(client, 0, client->library_said);
    else if (result > 0)
        client_end(client, 0, mosquitto_strerror(result));
    else if (mosquitto_socket(client->handle) < 0)
        client_end(client, 0, "the connection was lost");
}

static void client_read(struct mqtt_client *client)
{
    for (int i = 0; (i < SLICE_PACKETS || !client->tls) && !client->ended; i++) {
        errno = 0;
        int result = mosquitto_loop_read(client->handle, 1);
        bool is_empty = errno == EAGAIN;
        client_check(client, result);
        if (is_empty)
            return;
    }
}

/* The library goes on shaking hands over a socket that has failed. */
static bool socket_has_failed(struct mqtt_client *client)
{
    char byte;
    ssize_t got = recv(mosquitto_socket(client->handle), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (got > 0 || (got < 0 && errno == EAGAIN))
        return false;
    client_end(client, 0, got < 0 ? strerror(errno) : "it closed the connection");
    return true;
}

static void client_write(struct mqtt_client *client)
{
    if (!client->ended && (client->phase == CONNECTING || wants_to_write(client)))
        client_check(client, mosquitto_loop_write(client->handle, 1));
}

/* Ends what mqtt_socket_enter() began; what is said meanwhile goes in one system call. */
static void client_leave_socket(struct mqtt_client *client, struct mqtt_socket *outer)
{
    int failed = mqtt_socket_leave(&client->socket, outer);
    if (failed && client->poll) {
        client_end(client, 0, strerror(failed));
        client_settle(client);
    } else if (!outer) {
        mqtt_mosquitto_rearm(client);
    }
}

static void client_on_ready(void *context, int events)
{
    struct mqtt_client *client = context;
    struct mqtt_socket *outer = mqtt_socket_enter(&client->socket);
    (void)events;
    if (client->phase != CONNECTING || !socket_has_failed(client))
        client_read(client);
    client_write(client);
    client_settle(client);
    client_leave_socket(client, outer);
}

/* Says goodbye; the library closes the socket as soon as that is written. */
static void client_leave(struct mqtt_client *client)
{
    client->leaving = client->socket.direct = true;
    loop_timer_set(client->timer, now_ms(client) + DISCONNECT_WAIT_MS);
    client_check(client, mosquitto_disconnect(client->handle));
}

static void client_act(struct mqtt_client *client)
{
    switch (client->phase) {
    case IDLE:
        return;
    case DIALLING:
    case CONNECTING:
        client->phase = CONNECTING;
        client_end(client, 0, "no answer");
        break;
    case CONNECTED:
        loop_timer_set(client->timer, now_ms(client) + client->look_ms);
        client_check(client, mosquitto_loop_misc(client->handle));
        break;
    case DISCONNECTING:
        if (client->leaving)
            client_end(client, 0, "disconnected");
        else
            client_leave(client);
        break;
    }
    client_settle(client);
}

static void client_on_timer(void *context)
{
    struct mqtt_client *client = context;
    struct mqtt_socket *outer = mqtt_socket_enter(&client->socket);
    client_act(client);
    client_leave_socket(client, outer);
}

/* ---- connecting ---- */

static void client_set_callbacks(struct mosquitto *handle)
{
    mosquitto_connect_v5_callback_set(handle, on_connect);
    mosquitto_disconnect_v5_callback_set(handle, on_disconnect);
    mosquitto_log_callback_set(handle, on_log);
    mqtt_mosquitto_set_message_callbacks(handle);
}

static bool host_is_numeric(const char *host)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
    struct addrinfo *addresses = NULL;
    bool is_numeric = !getaddrinfo(host, NULL, &hints, &addresses);
    if (is_numeric)
        freeaddrinfo(addresses);
    return is_numeric;
}

/* The socket is there, and connecting. */
static void client_watch(struct mqtt_client *client)
{
    client->phase = CONNECTING;
    if (!client->tls)
        client->socket.fd = mosquitto_socket(client->handle);
    client->poll = loop_poll_new(client->config->loop, mosquitto_socket(client->handle),
                                 client_on_ready, client);
    loop_poll_set(client->poll, LOOP_READABLE | LOOP_WRITABLE);
}

static const char *dial_failure(const struct mqtt_client *client,
                                const struct mqtt_dial_result *result)
{
    if (result->why[0])
        return result->why;
    if (result->code == MOSQ_ERR_ERRNO)
        return strerror(result->system);
    return client->library_said[0] ? client->library_said : mosquitto_strerror(result->code);
}

static void client_on_dialled(void *context, const struct mqtt_dial_result *result)
{
    struct mqtt_client *client = context;
    client->dial = NULL;
    client->phase = CONNECTING;
    if (result->code > 0)
        client_end(client, 0, dial_failure(client, result));
    else
        client_watch(client);
    client_settle(client);
}

static int client_dial(struct mqtt_client *client, const char *host, int port, struct err *err)
{
    int keepalive_s = client->config->keepalive_s < KEEPALIVE_MIN_S ? KEEPALIVE_MIN_S
                                                                    : client->config->keepalive_s;
    client->look_ms = keepalive_s * INT64_C(1000) / KEEPALIVE_LOOKS;
    client->phase = DIALLING;
    loop_timer_set(client->timer, now_ms(client) + CONNECT_TIMEOUT_MS);
    if (!host_is_numeric(host))
        return mqtt_dial_start(client->config->loop, client->handle, host, port, keepalive_s,
                               client->version == 5 && client->config->persistent,
                               client_on_dialled, client, &client->dial, err);
    struct mqtt_dial_result result = {
        .code = mosquitto_connect_async(client->handle, host, port, keepalive_s)};
    result.system = errno;
    if (result.code > 0)
        return err_set(err, ERR_UNREACHABLE, "%s", dial_failure(client, &result));
    client_watch(client);
    return 0;
}

int mqtt_client_connect(struct mqtt_client *client, int version, const char *uri,
                        const char *will_topic, const char *will_payload, struct err *err)
{
    const char *host = strstr(uri, "://") + 3, *colon = strrchr(uri, ':');
    int bracket = *host == '[';
    _cleanup_free_ char *name =
        mem_printf("%.*s", (int)(colon - host) - 2 * bracket, host + bracket);
    client_release(client);
    client->handshake = client->leaving = false;
    client->library_said[0] = '\0';
    client->version = version;
    client->tls = !strncmp(uri, "ssl://", 6);
    int code = mqtt_mosquitto_handle_new(client->config, version, client->tls, will_topic,
                                         will_payload, client, &client->handle);
    if (client->handle)
        client_set_callbacks(client->handle);
    int result = code ? err_set(err, ERR_IO, "the MQTT client cannot be set up: %s",
                                mosquitto_strerror(code))
                      : client_dial(client, name, atoi(colon + 1), err);
    if (result)
        client_release(client);
    return result;
}

void mqtt_client_disconnect(struct mqtt_client *client)
{
    client->phase = DISCONNECTING;
    loop_timer_set(client->timer, 0); /* not here: perhaps a callback is under way */
}

void mqtt_client_drop(struct mqtt_client *client)
{
    client_release(client);
}

/* ---- making one ---- */

int mqtt_client_new(const struct mqtt_bus_config *config, const struct mqtt_listener *listener,
                    struct mqtt_client **ret_client, struct err *err)
{
    (void)err;            /* what may fail is set up by the connect */
    mosquitto_lib_init(); /* never undone: that would unload OpenSSL's modules under libcurl */
    struct mqtt_client *client = mem_alloc(sizeof *client);
    client->config = config;
    client->listener = *listener;
    client->socket.fd = MQTT_SOCKET_NONE;
    client->timer = loop_timer_new(config->loop, client_on_timer, client);
    *ret_client = client;
    return 0;
}

/* Waits until the socket has something for us, or takes something of ours. */
static bool socket_wait(const struct mqtt_client *client, int timeout_ms)
{
    struct pollfd socket = {.fd = mosquitto_socket(client->handle), .events = POLLIN};
    if (wants_to_write(client))
        socket.events |= POLLOUT;
    return poll(&socket, 1, timeout_ms) > 0;
}

void mqtt_client_turn(struct mqtt_client *client, int timeout_ms)
{
    if (client->poll && socket_wait(client, timeout_ms))
        client_on_ready(client, 0);
}

void mqtt_client_free(struct mqtt_client *client)
{
    if (!client)
        return;
    struct mqtt_socket *outer = mqtt_socket_enter(&client->socket);
    if (client->phase == DISCONNECTING && !client->leaving)
        client_leave(client);
    for (int64_t until_ms = now_ms(client) + DISCONNECT_WAIT_MS, left_ms;
         client->phase == DISCONNECTING && !client->ended &&
         (left_ms = until_ms - now_ms(client)) > 0;)
        if (socket_wait(client, (int)left_ms))
            client_check(client, mosquitto_loop_write(client->handle, 1));
    mqtt_socket_leave(&client->socket, outer);
    client_release(client);
    loop_timer_free(client->timer);
    free(client);
}
