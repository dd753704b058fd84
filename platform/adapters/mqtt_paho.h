/* A thin cover over Paho's MQTTAsync: one client, one protocol version, every result an inbox item.
 *
 * Its callbacks run on Paho's threads; they copy into the inbox and return, nothing else. Tokens
 * (Paho's message ids) name subscriptions and publications in the results. */
#ifndef ARGOSY_ADAPTERS_MQTT_PAHO_H
#define ARGOSY_ADAPTERS_MQTT_PAHO_H

#include "platform/adapters/bus_mqtt.h"
#include "platform/adapters/mqtt_inbox.h"

struct paho;

enum { PAHO_FILTERS_MAX = 16 };

/* `version` 3 (3.1.1) or 5. -ERR_IO with Paho's words. */
int paho_new(int version, const char *client_id, struct inbox *inbox, struct paho **ret_paho,
             struct err *err);
/* Never from a callback. Accepts NULL. */
void paho_free(struct paho *paho);
/* CONNECTED or CONNECT_FAILED follows. `will_topic` is whole; NULL: no will. */
int paho_connect(struct paho *paho, const struct mqtt_bus_config *config, const char *uri,
                 const char *will_topic, const char *will_payload, struct err *err);
/* LOST follows, whatever comes of it. */
void paho_disconnect(struct paho *paho);
/* Until the disconnect under way is done, a second at most. */
void paho_wait_disconnected(const struct paho *paho);
/* SUBSCRIBED with the token follows, unless the connection is lost before. -ERR_UNREACHABLE. */
int paho_subscribe(struct paho *paho, char *const *topics, const struct bus_filter *filters,
                   size_t count, uint64_t *ret_token);
/* With QoS 1, DELIVERED or UNDELIVERED with the token follows, unless the connection is lost
 * before. -ERR_BUSY: Paho's buffer is full; -ERR_UNREACHABLE. */
int paho_send(struct paho *paho, const struct bus_publication *publication, const char *topic,
              uint64_t *ret_token);

#endif
