/* What the bus on libmosquitto does that the one on Paho does otherwise, or not at all. */
#include "tests/bus/bus_fixture.h"
#include "tests/bus/tests.h"

#include <dirent.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

struct ticker {
    struct loop_timer *timer;
    struct client *client;
    size_t ticks;
    size_t heard_at_first; /* messages, when it fired first */
};

static void on_tick(void *context)
{
    struct ticker *ticker = context;
    if (!ticker->ticks++)
        ticker->heard_at_first = ticker->client->heard_count;
}

void a_flood_comes_in_batches_that_leave_the_timers_their_turn(void **state)
{
    enum { MESSAGES = 20000 };
    struct one *one = one_begin(state);
    struct client *client = &one->client, writer = {0};
    struct mqtt_bus_config config = fixture_config(&one->fixture, "writer", &one->address);
    config.loop = loop_new();
    client_open(client, &one->config, "+");
    UNTIL(client, client->subscribed);
    client_open(&writer, &config, NULL);
    UNTIL(&writer, writer.connects);
    /* the slow client's loop stands still while the writer floods it */
    for (int i = 0; i < MESSAGES; i++)
        client_publish(&writer, "q", "x", 1, false);
    UNTIL(&writer, !writer.bus->ops->pending(writer.bus));
    struct ticker ticker = {.client = client};
    ticker.timer = loop_timer_new(client->loop, on_tick, &ticker);
    loop_timer_set(ticker.timer, 0);
    int batches = client->batches;
    UNTIL(client, client->heard_count == MESSAGES);
    assert_int_equal(client->disconnects, 0);
    assert_int_equal(ticker.ticks, 1);
    assert_true(ticker.heard_at_first < MESSAGES);
    assert_true(client->batches - batches > 1);
    loop_timer_free(ticker.timer);
    client_close(&writer);
    one_end(one);
    loop_free(config.loop);
}

void a_publication_that_nobody_listens_to_is_told_by_its_protocol(void **state)
{
    enum { NO_MATCHING_SUBSCRIBERS = 0x10 };
    struct one *one = one_begin(state);
    struct client *client = &one->client;
    client_open(client, &one->config, "heard");
    UNTIL(client, client->subscribed);
    client_publish(client, "unheard", "x", 1, false);
    client_publish(client, "heard", "x", 1, false);
    UNTIL(client, client->heard_count && !client->bus->ops->pending(client->bus));
    bool tells = *(enum mqtt_protocol *)*state == MQTT_PROTOCOL_5;
    assert_int_equal(client->refused, tells);
    assert_int_equal(client->refused_reason, tells ? NO_MATCHING_SUBSCRIBERS : 0);
    one_end(one);
}

void a_broker_may_be_named_and_its_name_may_be_unknown(void **state)
{
    struct one *one = one_begin(state);
    struct client *client = &one->client;
    char named[64];
    snprintf(named, sizeof named, "localhost:%d", one->fixture.broker.port);
    const char *addresses[] = {"no-such-host.invalid:1883", named};
    one->config.brokers = addresses;
    one->config.broker_count = 2;
    client_open(client, &one->config, "x");
    UNTIL(client, client->subscribed);
    one_end(one);
}

void a_bus_may_be_closed_while_its_name_is_looked_up(void **state)
{
    struct one *one = one_begin(state);
    one->address = "no-such-host.invalid:1883";
    client_open(&one->client, &one->config, "x");
    one_end(one);
}

/* Of all connections of this process to the port. */
static unsigned segments_sent(int port)
{
    unsigned count = 0;
    DIR *directory = opendir("/proc/self/fd");
    for (struct dirent *entry; (entry = readdir(directory));) {
        struct sockaddr_in peer;
        struct tcp_info info = {0};
        socklen_t length = sizeof peer, info_length = sizeof info;
        int fd = atoi(entry->d_name);
        if (getpeername(fd, (struct sockaddr *)&peer, &length) ||
            peer.sin_port != htons((uint16_t)port))
            continue;
        getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &info_length);
        count += info.tcpi_data_segs_out;
    }
    closedir(directory);
    return count;
}

void what_is_published_while_it_is_held_goes_out_in_one_packet(void **state)
{
    enum { MESSAGES = 20 };
    struct one *one = one_begin(state);
    struct client *client = &one->client;
    client_open(client, &one->config, NULL);
    UNTIL(client, client->connects);
    unsigned before = segments_sent(one->fixture.broker.port);
    assert_int_not_equal(before, 0);
    bus_hold(client->bus, true);
    for (int i = 0; i < MESSAGES; i++)
        client_publish(client, "q", "x", i % 2, false);
    assert_int_equal(segments_sent(one->fixture.broker.port), before);
    bus_hold(client->bus, false);
    assert_int_equal(segments_sent(one->fixture.broker.port), before + 1);
    UNTIL(client, !client->bus->ops->pending(client->bus));
    for (int i = 0; i < MESSAGES; i++)
        client_publish(client, "q", "x", 0, false);
    assert_true(segments_sent(one->fixture.broker.port) > before + 1 + MESSAGES / 2);
    one_end(one);
}
