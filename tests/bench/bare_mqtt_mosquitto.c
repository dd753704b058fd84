#include "tests/bench/bare_mqtt.h"

#include <mosquitto.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum { KEEPALIVE_S = 60 };

static struct mosquitto *client;
static uv_poll_t poll_handle;
static uv_timer_t timer;
static void (*tell_ready)(void);

static void on_connect(struct mosquitto *handle, void *context, int code)
{
    (void)handle;
    (void)context;
    if (code)
        exit(1);
    tell_ready();
}

static void on_ready(uv_poll_t *handle, int status, int events)
{
    (void)handle;
    (void)events;
    if (status || mosquitto_loop_read(client, 1))
        exit(1);
}

static void on_timer(uv_timer_t *handle)
{
    (void)handle;
    if (mosquitto_loop_misc(client))
        exit(1);
}

int bare_mqtt_connect(const char *uri, void (*ready)(void))
{
    char host[256];
    const char *start = strstr(uri, "://") + 3, *colon = strrchr(uri, ':');
    size_t length = (size_t)(colon - start);
    if (length >= sizeof host)
        return MOSQ_ERR_INVAL;
    memcpy(host, start, length);
    host[length] = '\0';
    tell_ready = ready;
    mosquitto_lib_init();
    client = mosquitto_new("bare", true, NULL);
    mosquitto_connect_callback_set(client, on_connect);
    int result = mosquitto_connect(client, host, atoi(colon + 1), KEEPALIVE_S);
    if (result)
        return result;
    uv_poll_init(uv_default_loop(), &poll_handle, mosquitto_socket(client));
    uv_poll_start(&poll_handle, UV_READABLE, on_ready);
    uv_timer_init(uv_default_loop(), &timer);
    return uv_timer_start(&timer, on_timer, KEEPALIVE_S * 250, KEEPALIVE_S * 250);
}
