/* The client on libmosquitto inside: what mqtt_client_mosquitto.c (the connection) and
 * mqtt_mosquitto_messages.c (what goes over it) share. */
#ifndef ARGOSY_ADAPTERS_MQTT_MOSQUITTO_H
#define ARGOSY_ADAPTERS_MQTT_MOSQUITTO_H

#include "platform/adapters/mqtt_client.h"
#include "platform/adapters/mqtt_mosquitto_dial.h"
#include "platform/adapters/mqtt_mosquitto_socket.h"

enum { PARTS_MAX = 32 };

enum phase { IDLE, DIALLING, CONNECTING, CONNECTED, DISCONNECTING };

/* Of a subscription: the library takes one QoS and one set of options a request. */
struct part {
    int id;         /* the library's; 0: free */
    uint64_t token; /* of the whole */
    bool refused;   /* another part was */
};

struct mqtt_client {
    const struct mqtt_bus_config *config;
    struct mqtt_listener listener;
    enum phase phase;
    int version;
    bool tls;
    struct mosquitto *handle; /* of this connection; a dial has it while DIALLING */
    struct mqtt_socket socket, *held_within;
    struct mqtt_dial *dial;
    struct loop_poll *poll;
    struct loop_timer *timer;
    int64_t look_ms; /* how often keepalive is looked at */
    size_t receive_maximum;
    struct part parts[PARTS_MAX];
    uint64_t last_token;
    /* noted by callbacks */
    bool made, ended, handshake;
    bool leaving; /* goodbye is said */
    int code;
    char why[MQTT_DIAL_WHY_BYTES];
    char library_said[MQTT_DIAL_WHY_BYTES]; /* its last error */
};

/* The broker has accepted: told before anything else of the connection, once. */
void mqtt_mosquitto_tell_made(struct mqtt_client *client);
void mqtt_mosquitto_tell(struct mqtt_client *client, const struct mqtt_event *event);
/* Watches the socket for what the library wants of it now. */
void mqtt_mosquitto_rearm(struct mqtt_client *client);

/* ---- mqtt_mosquitto_messages.c ---- */

/* Sets the callbacks for messages and acknowledgements. */
void mqtt_mosquitto_set_message_callbacks(struct mosquitto *handle);

#endif
