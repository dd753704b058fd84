#include "tests/bench/bare_mqtt.h"

#include <MQTTAsync.h>
#include <stdlib.h>

static void (*tell_ready)(void);

static void connected(void *context, MQTTAsync_successData *data)
{
    (void)context;
    (void)data;
    tell_ready();
}

static void failed(void *context, MQTTAsync_failureData *data)
{
    (void)context;
    (void)data;
    exit(1);
}

static int arrived(void *context, char *topic, int length, MQTTAsync_message *message)
{
    (void)context;
    (void)length;
    MQTTAsync_freeMessage(&message);
    MQTTAsync_free(topic);
    return 1;
}

int bare_mqtt_connect(const char *uri, void (*ready)(void))
{
    MQTTAsync client;
    MQTTAsync_connectOptions options = MQTTAsync_connectOptions_initializer;
    options.onSuccess = connected;
    options.onFailure = failed;
    tell_ready = ready;
    int result = MQTTAsync_create(&client, uri, "bare", MQTTCLIENT_PERSISTENCE_NONE, NULL);
    if (!result)
        result = MQTTAsync_setCallbacks(client, NULL, NULL, arrived, NULL);
    return result ? result : MQTTAsync_connect(client, &options);
}
