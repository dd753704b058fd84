#include "platform/adapters/mqtt_mosquitto_handle.h"

#include <mqtt_protocol.h>
#include <string.h>

enum { SESSION_EXPIRY_S = 7 * 24 * 3600 };

static int handle_set_options(struct mosquitto *handle, int version)
{
    int protocol = version == 5 ? MQTT_PROTOCOL_V5 : MQTT_PROTOCOL_V311;
    int result = mosquitto_int_option(handle, MOSQ_OPT_PROTOCOL_VERSION, protocol);
    if (!result)
        result = mosquitto_int_option(handle, MOSQ_OPT_TCP_NODELAY, 1);
    if (!result) /* the window is the bus's; 0 is the largest */
        result = mosquitto_int_option(handle, MOSQ_OPT_SEND_MAXIMUM, 0);
    if (!result)
        result = mosquitto_int_option(handle, MOSQ_OPT_RECEIVE_MAXIMUM, 0);
    return result;
}

static int handle_set_tls(struct mosquitto *handle, const struct mqtt_bus_config *config)
{
    const char *key = config->key_file ? config->key_file : config->certificate_file;
    if (config->ca_file)
        return mosquitto_tls_set(handle, config->ca_file, NULL, config->certificate_file, key,
                                 NULL);
    int result = mosquitto_int_option(handle, MOSQ_OPT_TLS_USE_OS_CERTS, 1);
    if (result || !config->certificate_file)
        return result;
    /* A certificate is taken only together with authorities: name the system's once more. */
    return mosquitto_tls_set(handle, NULL, "/etc/ssl/certs", config->certificate_file, key, NULL);
}

int mqtt_mosquitto_handle_connect(struct mosquitto *handle, const char *host, int port,
                                  int keepalive_s, bool keeps_session)
{
    mosquitto_property *properties = NULL;
    int result = 0;
    if (keeps_session)
        result = mosquitto_property_add_int32(&properties, MQTT_PROP_SESSION_EXPIRY_INTERVAL,
                                              SESSION_EXPIRY_S);
    if (!result)
        result = mosquitto_connect_bind_v5(handle, host, port, keepalive_s, NULL, properties);
    mosquitto_property_free_all(&properties);
    return result;
}

/* Properties are taken only by the call that blocks: it keeps them for the other one too, and is
 * stopped at once by the port that is none. */
static int handle_set_session_expiry(struct mosquitto *handle)
{
    int result = mqtt_mosquitto_handle_connect(handle, "", -1, 0, true);
    return result == MOSQ_ERR_INVAL ? 0 : result;
}

int mqtt_mosquitto_handle_new(const struct mqtt_bus_config *config, int version, bool tls,
                              const char *will_topic, const char *will_payload, void *context,
                              struct mosquitto **ret_handle)
{
    struct mosquitto *handle = mosquitto_new(config->client_id, !config->persistent, context);
    *ret_handle = handle;
    int result = handle ? handle_set_options(handle, version) : MOSQ_ERR_INVAL;
    if (!result && (config->username || config->password))
        result = mosquitto_username_pw_set(handle, config->username, config->password);
    if (!result && will_topic)
        result = mosquitto_will_set(handle, will_topic, (int)strlen(will_payload), will_payload, 1,
                                    true);
    if (!result && tls)
        result = handle_set_tls(handle, config);
    if (!result && version == 5 && config->persistent)
        result = handle_set_session_expiry(handle);
    return result;
}
