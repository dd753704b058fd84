/* Broker addresses. */
#ifndef ARGOSY_ADAPTERS_MQTT_ADDRESS_H
#define ARGOSY_ADAPTERS_MQTT_ADDRESS_H

#include "platform/base/err.h"

/* "tcp://host:port" from what a person wrote; default ports 1883 and 8883. -ERR_INVALID. The caller
 * frees. */
int mqtt_address_parse(const char *text, char **ret_uri, struct err *err);

#endif
