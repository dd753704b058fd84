#include "tests/bus/bus_fixture.h"

#include <unistd.h>

static void copy_text(char *ret_text, size_t size, const void *bytes, size_t length)
{
    snprintf(ret_text, size, "%.*s", (int)length, (const char *)bytes);
}

static void on_connected(void *context)
{
    struct client *client = context;
    client->connects++;
    struct bus_filter filter = {client->filter, 1, false};
    if (client->filter)
        client->bus->ops->subscribe(client->bus, 1, &filter, 1);
}

static void on_disconnected(void *context, const char *why)
{
    (void)why;
    ((struct client *)context)->disconnects++;
}

static void on_connect_failed(void *context, const char *why)
{
    assert_non_null(why);
    ((struct client *)context)->connect_failures++;
}

static void on_subscribed(void *context, int stage, bool granted)
{
    struct client *client = context;
    assert_int_equal(stage, 1);
    if (granted)
        client->subscribed++;
}

static void on_message(void *context, const struct bus_message *message)
{
    struct client *client = context;
    assert_true(client->heard_count < HEARD_MAX);
    struct heard *heard = &client->heard[client->heard_count++];
    copy_text(heard->topic, sizeof heard->topic, message->topic, strlen(message->topic));
    copy_text(heard->payload, sizeof heard->payload, message->payload, message->length);
    heard->retained = message->retained;
    if (message->response_topic)
        copy_text(client->response_topic, sizeof client->response_topic, message->response_topic,
                  strlen(message->response_topic));
    if (message->correlation)
        copy_text(client->correlation, sizeof client->correlation, message->correlation,
                  message->correlation_length);
}

static void on_batch_end(void *context)
{
    ((struct client *)context)->batches++;
}

static void on_refused(void *context, const char *topic, int reason, const char *text)
{
    struct client *client = context;
    (void)topic;
    assert_non_null(text);
    client->refused++;
    client->refused_reason = reason;
}

void fixture_begin(struct fixture *fixture, enum mqtt_protocol protocol, const char *host,
                   const char *options)
{
    memset(fixture, 0, sizeof *fixture);
    fixture->protocol = protocol;
    fixture->loop = loop_new();
    prng_init(&fixture->prng, 1);
    broker_start(&fixture->broker, host, options);
    snprintf(fixture->address, sizeof fixture->address, "127.0.0.1:%d", fixture->broker.port);
}

void fixture_end(struct fixture *fixture)
{
    broker_stop(&fixture->broker);
    loop_free(fixture->loop);
}

struct mqtt_bus_config fixture_config(struct fixture *fixture, const char *client_id,
                                      const char *const *address)
{
    return (struct mqtt_bus_config){.loop = fixture->loop,
                                    .clock = &clock_system,
                                    .prng = &fixture->prng,
                                    .root = "test/v1",
                                    .client_id = client_id,
                                    .brokers = address,
                                    .broker_count = 1,
                                    .keepalive_s = 30,
                                    .protocol = fixture->protocol};
}

void client_open(struct client *client, struct mqtt_bus_config *config, const char *filter)
{
    client->filter = filter;
    client->loop = config->loop;
    client->heard = mem_alloc(HEARD_MAX * sizeof *client->heard);
    config->handler = (struct bus_handler){.context = client,
                                           .on_connected = on_connected,
                                           .on_disconnected = on_disconnected,
                                           .on_connect_failed = on_connect_failed,
                                           .on_subscribed = on_subscribed,
                                           .on_message = on_message,
                                           .on_batch_end = on_batch_end,
                                           .on_refused = on_refused};
    struct err err = {0};
    assert_int_equal(mqtt_bus_new(config, &client->bus, &err), 0);
    client->bus->ops->start(client->bus);
}

void client_close(struct client *client)
{
    client->bus->ops->close(client->bus, 1000);
    free(client->heard);
}

int client_publish(struct client *client, const char *topic, const char *payload, int qos,
                   bool retain)
{
    struct bus_publication publication = {.topic = topic,
                                          .payload = payload,
                                          .length = strlen(payload),
                                          .qos = qos,
                                          .retain = retain};
    return client->bus->ops->publish(client->bus, &publication);
}

const struct heard *client_last(const struct client *client, const char *topic)
{
    for (size_t i = client->heard_count; i; i--)
        if (!strcmp(client->heard[i - 1].topic, topic))
            return &client->heard[i - 1];
    return NULL;
}

size_t client_count(const struct client *client, const char *topic)
{
    size_t count = 0;
    for (size_t i = 0; i < client->heard_count; i++)
        count += !strcmp(client->heard[i].topic, topic);
    return count;
}

struct one *one_begin_with(void **state, const char *host, const char *options)
{
    struct one *one = mem_alloc(sizeof *one);
    fixture_begin(&one->fixture, *(enum mqtt_protocol *)*state, host, options);
    one->address = one->fixture.address;
    one->config = fixture_config(&one->fixture, "client", &one->address);
    return one;
}

struct one *one_begin(void **state)
{
    return one_begin_with(state, "127.0.0.1", "");
}

void one_end(struct one *one)
{
    client_close(&one->client);
    fixture_end(&one->fixture);
    free(one);
}
