/* What the bus does when brokers and connections die, and how fast it is when they do not. */
#include "schema/limits.h"
#include "tests/bus/bus_fixture.h"
#include "tests/bus/slow_broker.h"
#include "tests/bus/tests.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <limits.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

static void publish_number(struct client *client, const char *topic, int number, bool retain)
{
    char text[16];
    snprintf(text, sizeof text, "%d", number);
    assert_int_equal(client_publish(client, topic, text, 1, retain), 0);
}

/* Cuts every connection of this process to the port, as a network does. */
static void cut_connections(int port)
{
    DIR *directory = opendir("/proc/self/fd");
    for (struct dirent *entry; (entry = readdir(directory));) {
        struct sockaddr_storage peer;
        socklen_t length = sizeof peer;
        int fd = atoi(entry->d_name);
        if (fd < 3 || getpeername(fd, (struct sockaddr *)&peer, &length))
            continue;
        /* the port is at the same place for both families */
        if (((struct sockaddr_in *)&peer)->sin_port == htons((uint16_t)port))
            shutdown(fd, SHUT_RDWR);
    }
    closedir(directory);
}

/* Numbers on "n" from `first`: none is left out, and each is heard first after the one before. */
static void assert_no_gap(const struct client *client, int first, int last)
{
    int next = first;
    for (size_t i = 0; i < client->heard_count; i++)
        if (!strcmp(client->heard[i].topic, "n") && atoi(client->heard[i].payload) == next)
            next++;
    assert_int_equal(next, last + 1);
}

void what_is_published_without_a_broker_arrives_in_order_when_it_is_back(void **state)
{
    struct one *one = one_begin(state);
    struct client *client = &one->client;
    broker_kill(&one->fixture.broker);
    client_open(client, &one->config, "+");
    for (int i = 0; i < 300; i++) {
        publish_number(client, "n", i, false);
        publish_number(client, "doc", i, true);
    }
    assert_int_equal(client->bus->ops->pending(client->bus), 301);
    assert_int_equal(client_publish(client, "q", "qos 0 is not kept", 0, false), 0);
    broker_restart(&one->fixture.broker);
    UNTIL(client, !client->bus->ops->pending(client->bus) && client->heard_count >= 301);
    assert_int_equal(client_count(client, "n"), 300);
    assert_no_gap(client, 0, 299);
    assert_int_equal(client_count(client, "doc"), 1);
    assert_string_equal(client_last(client, "doc")->payload, "299");
    assert_int_equal(client_count(client, "q"), 0);
    one_end(one);
}

void after_a_kill_of_the_broker_what_is_pending_is_delivered_and_filters_are_back(void **state)
{
    struct one *one = one_begin(state);
    struct client *client = &one->client;
    client_open(client, &one->config, "+");
    UNTIL(client, client->subscribed);
    kill(one->fixture.broker.pid, SIGSTOP); /* so that nothing is acknowledged */
    for (int i = 0; i < 300; i++)
        publish_number(client, "n", i, false);
    broker_kill(&one->fixture.broker);
    UNTIL(client, client->disconnects);
    publish_number(client, "n", 300, false);
    broker_restart(&one->fixture.broker);
    UNTIL(client, !client->bus->ops->pending(client->bus) && client->heard_count >= 301);
    assert_int_equal(client->subscribed, 2);
    assert_no_gap(client, 0, 300);
    one_end(one);
}

void a_cut_connection_sends_the_will_and_is_made_again(void **state)
{
    struct one *one = one_begin(state);
    struct client *client = &one->client;
    struct client watcher = {0};
    struct mqtt_bus_config config = fixture_config(&one->fixture, "watcher", &one->address);
    client_open(&watcher, &config, "+");
    client->loop = config.loop;
    client_open(client, &one->config, NULL);
    client->bus->ops->set_will(client->bus, &(struct bus_will){"status", "offline 1"});
    UNTIL(client, client->connects && watcher.subscribed);
    client->bus->ops->reconnect(client->bus, "for the will to be given");
    UNTIL(client, client->connects == 2);
    client->bus->ops->set_will(client->bus, &(struct bus_will){"status", "offline 2"});
    cut_connections(one->fixture.broker.port);
    UNTIL(client, client->connects == 3 && client_last(&watcher, "status"));
    assert_string_equal(client_last(&watcher, "status")->payload, "offline 1");
    size_t heard = watcher.heard_count;
    cut_connections(one->fixture.broker.port);
    UNTIL(client, client->connects == 4 && watcher.heard_count > heard &&
                      !strcmp(client_last(&watcher, "status")->payload, "offline 2"));
    client_close(&watcher);
    one_end(one);
}

void a_persistent_session_keeps_messages_while_its_client_is_away(void **state)
{
    struct one *one = one_begin(state);
    struct client *client = &one->client;
    one->config.persistent = true;
    client_open(client, &one->config, "n");
    UNTIL(client, client->subscribed);
    client_close(client);
    *client = (struct client){0};
    struct client writer = {0};
    struct mqtt_bus_config config = fixture_config(&one->fixture, "writer", &one->address);
    client_open(&writer, &config, NULL);
    for (int i = 0; i < 50; i++)
        publish_number(&writer, "n", i, false);
    UNTIL(&writer, !writer.bus->ops->pending(writer.bus));
    client_open(client, &one->config, "n");
    UNTIL(client, client->heard_count >= 50);
    assert_no_gap(client, 0, 49);
    client_close(&writer);
    one_end(one);
}

void a_stream_survives_cuts_without_a_gap(void **state)
{
    enum { MESSAGES = 3000, CUTS = 5 };
    struct one *one = one_begin(state);
    struct client *client = &one->client;
    one->config.persistent = true; /* so that the broker, too, has kept what was under way */
    client_open(client, &one->config, "n");
    UNTIL(client, client->subscribed);
    for (int i = 0; i < MESSAGES; i++)
        publish_number(client, "n", i, false);
    for (int cut = 1; cut <= CUTS; cut++) {
        size_t heard = client->heard_count;
        UNTIL(client, client->heard_count > heard + 50);
        cut_connections(one->fixture.broker.port);
        UNTIL(client, client->connects == cut + 1);
    }
    publish_number(client, "n", MESSAGES, false);
    UNTIL(client, !client->bus->ops->pending(client->bus) &&
                      atoi(client->heard[client->heard_count - 1].payload) == MESSAGES);
    assert_no_gap(client, 0, MESSAGES);
    one_end(one);
}

#ifdef TEST_CLIENT_paho
void an_inbox_that_overflows_connects_again_and_hears_what_is_retained(void **state)
{
    enum { PARTS = 2, PART = LIMIT_INBOX_MESSAGES * 3 / 4 };
    struct one *one = one_begin(state);
    struct client *client = &one->client, writer = {0};
    struct mqtt_bus_config config = fixture_config(&one->fixture, "writer", &one->address);
    config.loop = loop_new();
    client_open(client, &one->config, "+");
    UNTIL(client, client->subscribed);
    client_open(&writer, &config, NULL);
    client_publish(&writer, "doc", "kept", 1, true);
    /* the slow client's loop stands still while the writer floods it */
    while (client->bus->ops->connected(client->bus)) {
        for (int i = 0; i < PARTS * PART; i++) {
            client_publish(&writer, "q", "x", 0, false);
            if (i % PART)
                continue;
            client_publish(&writer, "end", "x", 1, false);
            UNTIL(&writer, !writer.bus->ops->pending(writer.bus));
        }
        client_publish(&writer, "end", "x", 1, false);
        UNTIL(&writer, !writer.bus->ops->pending(writer.bus));
        client->heard_count = 0;
        loop_run_once(client->loop);
    }
    UNTIL(client, client->disconnects);
    client->heard_count = 0;
    UNTIL(client, client->subscribed == 2 && client_last(client, "doc"));
    assert_string_equal(client_last(client, "doc")->payload, "kept");
    client_close(&writer);
    one_end(one);
    loop_free(config.loop);
}
#endif

void the_next_broker_is_tried_when_one_is_gone(void **state)
{
    struct one *one = one_begin(state);
    char nobody[64];
    snprintf(nobody, sizeof nobody, "localhost:%d", port_take());
    const char *addresses[] = {nobody, one->address};
    one->config.brokers = addresses;
    one->config.broker_count = 2;
    client_open(&one->client, &one->config, "n");
    UNTIL(&one->client, one->client.subscribed);
    one_end(one);
}

void a_frozen_broker_is_left_when_it_acknowledges_nothing(void **state)
{
    struct one *one = one_begin(state);
    struct client *client = &one->client;
    struct fixture other;
    fixture_begin(&other, one->fixture.protocol, "127.0.0.1", "");
    const char *addresses[] = {one->address, other.address};
    one->config.brokers = addresses;
    one->config.broker_count = 2;
    client_open(client, &one->config, "n");
    UNTIL(client, client->subscribed);
    kill(one->fixture.broker.pid, SIGSTOP);
    publish_number(client, "n", 1, false);
    UNTIL(client, client->subscribed == 2 && client->heard_count == 1);
    one_end(one);
    fixture_end(&other);
}

/* A client of a broker that acknowledges after `silent_ms`. */
static void slow_begin(struct one *one, struct slow_broker *broker, int silent_ms)
{
    static char address[64];
    broker->silent_ms = silent_ms;
    slow_broker_start(broker);
    snprintf(address, sizeof address, "127.0.0.1:%d", broker->port);
    one->address = address;
    client_open(&one->client, &one->config, "n");
    UNTIL(&one->client, one->client.subscribed);
    publish_number(&one->client, "n", 1, false);
}

void a_broker_that_speaks_is_waited_for_when_it_acknowledges_late(void **state)
{
    struct one *one = one_begin(state);
    struct client *client = &one->client;
    struct slow_broker broker;
    slow_begin(one, &broker, ANSWER_TIMEOUT_MS + 2000);
    UNTIL(client, !client->bus->ops->pending(client->bus) || client->disconnects);
    assert_int_equal(client->disconnects, 0);
    child_kill(broker.pid);
    one_end(one);
}

void a_broker_that_speaks_and_never_acknowledges_is_left(void **state)
{
    struct one *one = one_begin(state);
    struct client *client = &one->client;
    struct slow_broker broker;
    slow_begin(one, &broker, INT_MAX);
    UNTIL(client, client->disconnects);
    assert_int_equal(client->bus->ops->pending(client->bus), 1);
    child_kill(broker.pid);
    one_end(one);
}
