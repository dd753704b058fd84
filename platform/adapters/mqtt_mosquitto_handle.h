/* A libmosquitto handle with all the options of ours. */
#ifndef ARGOSY_ADAPTERS_MQTT_MOSQUITTO_HANDLE_H
#define ARGOSY_ADAPTERS_MQTT_MOSQUITTO_HANDLE_H

#include "platform/adapters/bus_mqtt.h"

#include <mosquitto.h>

/* `will_topic` NULL: no will. 0, or a MOSQ_ERR_ code; the handle (NULL when there was no memory) is
 * the caller's in any case. */
int mqtt_mosquitto_handle_new(const struct mqtt_bus_config *config, int version, bool tls,
                              const char *will_topic, const char *will_payload, void *context,
                              struct mosquitto **ret_handle);

/* Connects, and waits until some address of `host` answers or none does. `keeps_session`: MQTT 5,
 * the broker is to keep it for seven days. A MOSQ_ERR_ code; errno with MOSQ_ERR_ERRNO. */
int mqtt_mosquitto_handle_connect(struct mosquitto *handle, const char *host, int port,
                                  int keepalive_s, bool keeps_session);

#endif
