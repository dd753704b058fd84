/* Connecting to a broker by its name, off the loop: looking a name up blocks, for many seconds when
 * the name server is gone.
 *
 * A thread of its own looks the name up, and then lets libmosquitto connect to one of its addresses
 * (which looks it up again: only so does it check the name in the broker's certificate). Until
 * on_done the handle belongs to the dial. */
#ifndef ARGOSY_ADAPTERS_MQTT_MOSQUITTO_DIAL_H
#define ARGOSY_ADAPTERS_MQTT_MOSQUITTO_DIAL_H

#include "platform/adapters/loop.h"

#include <mosquitto.h>

struct mqtt_dial;

enum { MQTT_DIAL_WHY_BYTES = 160 };

struct mqtt_dial_result {
    int code;                      /* of libmosquitto: positive is a failure */
    int system;                    /* errno, of MOSQ_ERR_ERRNO */
    char why[MQTT_DIAL_WHY_BYTES]; /* of a name that was not found, else empty */
};

/* Copies `host`. on_done on the owner's thread; the dial is gone then, the handle the caller's
 * again. -ERR_IO: there is no thread to be had; the handle stays the caller's. */
int mqtt_dial_start(struct loop *loop, struct mosquitto *handle, const char *host, int port,
                    int keepalive_s, bool keeps_session,
                    void (*on_done)(void *context, const struct mqtt_dial_result *result),
                    void *context, struct mqtt_dial **ret_dial, struct err *err);
/* Gives it up without waiting: on_done is not called, and the handle is destroyed, now or when the
 * lookup returns. */
void mqtt_dial_abandon(struct mqtt_dial *dial);

#endif
