/* Broker addresses, and the one socket option that Paho does not set. */
#ifndef ARGOSY_ADAPTERS_MQTT_ADDRESS_H
#define ARGOSY_ADAPTERS_MQTT_ADDRESS_H

#include "platform/base/err.h"

/* "tcp://host:port" from what a person wrote; default ports 1883 and 8883. -ERR_INVALID. The caller
 * frees. */
int mqtt_address_parse(const char *text, char **ret_uri, struct err *err);

/* Sets TCP_NODELAY on every connection of this process to the uri's port: Paho 1.3.12 never does
 * and hides its socket, and Nagle's algorithm would add 40 ms to every answer. */
void mqtt_set_nodelay(const char *uri);

#endif
