/* The bus's own copy of its configuration. */
#ifndef ARGOSY_ADAPTERS_MQTT_CONFIG_H
#define ARGOSY_ADAPTERS_MQTT_CONFIG_H

#include "platform/adapters/bus_mqtt.h"

/* Copies all strings but the root, which becomes NULL; the brokers become uris
 * (mqtt_address_parse). -ERR_INVALID for an address that is none; nothing is held then. */
int mqtt_config_copy(const struct mqtt_bus_config *config, struct mqtt_bus_config *ret_copy,
                     struct err *err);
void mqtt_config_release(struct mqtt_bus_config *copy);

#endif
