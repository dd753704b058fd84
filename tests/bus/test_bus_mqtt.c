/* What the bus does while nothing goes wrong. */
#include "schema/limits.h"
#include "tests/bus/bus_fixture.h"
#include "tests/bus/tests.h"

#include <unistd.h>

void a_message_makes_the_round_trip(void **state)
{
    struct one *one = one_begin(state);
    struct client *client = &one->client;
    client_open(client, &one->config, "echo/+");
    assert_false(client->bus->ops->connected(client->bus));
    UNTIL(client, client->subscribed);
    assert_int_equal(client_publish(client, "echo/1", "hello", 1, false), 0);
    UNTIL(client, client->heard_count && !client->bus->ops->pending(client->bus));
    assert_string_equal(client->heard[0].topic, "echo/1");
    assert_string_equal(client->heard[0].payload, "hello");
    assert_false(client->heard[0].retained);
    assert_true(client->batches > 0);
    assert_int_equal(mqtt_bus_version(client->bus), *(int *)*state == MQTT_PROTOCOL_5 ? 5 : 3);
    one_end(one);
}

void a_retained_document_is_heard_by_whoever_comes_late(void **state)
{
    struct one *one = one_begin(state);
    struct mqtt_bus_config config = fixture_config(&one->fixture, "writer", &one->address);
    struct client writer = {0};
    client_open(&writer, &config, NULL);
    client_publish(&writer, "docs/a", "1", 1, true);
    client_publish(&writer, "docs/a", "2", 1, true);
    client_publish(&writer, "docs/b", "gone", 1, true);
    client_publish(&writer, "docs/b", "", 1, true);
    UNTIL(&writer, writer.connects && !writer.bus->ops->pending(writer.bus));
    client_open(&one->client, &one->config, "docs/+");
    UNTIL(&one->client, one->client.subscribed);
    client_publish(&one->client, "docs/end", "", 1, false);
    UNTIL(&one->client, client_last(&one->client, "docs/end"));
    assert_int_equal(client_count(&one->client, "docs/a"), 1);
    assert_string_equal(client_last(&one->client, "docs/a")->payload, "2");
    assert_true(client_last(&one->client, "docs/a")->retained);
    assert_int_equal(client_count(&one->client, "docs/b"), 0);
    client_close(&writer);
    one_end(one);
}

void payloads_up_to_the_limit_pass_and_larger_ones_are_refused(void **state)
{
    struct one *one = one_begin(state);
    struct client *client = &one->client;
    client_open(client, &one->config, "large");
    UNTIL(client, client->subscribed);
    _cleanup_free_ char *payload = mem_alloc(LIMIT_PAYLOAD_BYTES + 2);
    memset(payload, 'x', LIMIT_PAYLOAD_BYTES + 1);
    assert_int_equal(client_publish(client, "large", payload, 1, false), -ERR_TOO_LARGE);
    assert_int_equal(client_publish(client, "wild/+", "", 1, false), -ERR_INVALID);
    payload[LIMIT_PAYLOAD_BYTES] = '\0';
    assert_int_equal(client_publish(client, "large", payload, 1, false), 0);
    UNTIL(client, client->heard_count);
    one_end(one);
}

static void publish_by_hand(const struct one *one, const char *arguments)
{
    char command[512];
    snprintf(command, sizeof command, "mosquitto_pub -p %d -q 1 %s", one->fixture.broker.port,
             arguments);
    assert_int_equal(system(command), 0);
}

void messages_outside_the_root_are_not_heard(void **state)
{
    struct one *one = one_begin(state);
    one->config.root = "test/v1";
    client_open(&one->client, &one->config, "+/x");
    UNTIL(&one->client, one->client.subscribed);
    publish_by_hand(one, "-t test/v2/a/x -m other");
    publish_by_hand(one, "-t test/v1/a/x -m ours");
    UNTIL(&one->client, one->client.heard_count);
    assert_string_equal(one->client.heard[0].payload, "ours");
    one_end(one);
}

void closing_waits_until_all_is_delivered(void **state)
{
    struct one *one = one_begin(state);
    struct mqtt_bus_config config = fixture_config(&one->fixture, "writer", &one->address);
    struct client writer = {0};
    client_open(&one->client, &one->config, "n");
    client_open(&writer, &config, NULL);
    UNTIL(&one->client, one->client.subscribed && writer.connects);
    for (int i = 0; i < 500; i++)
        client_publish(&writer, "n", "x", 1, false);
    client_close(&writer);
    UNTIL(&one->client, one->client.heard_count == 500);
    one_end(one);
}

void an_address_may_be_an_ipv6_one(void **state)
{
    struct one *one = one_begin_with(state, "::1", "");
    char address[64];
    snprintf(address, sizeof address, "[::1]:%d", one->fixture.broker.port);
    one->address = address;
    client_open(&one->client, &one->config, NULL);
    UNTIL(&one->client, one->client.connects);
    one_end(one);
}

/* An authority, a broker's and a client's certificate of it. */
static const char make_certificates[] =
    "cd %1$s && {"
    " openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=ca"
    "  -keyout ca.key -out ca.crt &&"
    " for name in localhost client; do"
    "  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=$name"
    "   -addext subjectAltName=DNS:$name -keyout $name.key -out $name.csr &&"
    "  openssl x509 -req -in $name.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2"
    "   -copy_extensions copy -out $name.crt || exit 1;"
    " done; chmod 644 *.key; chmod 755 .; } 2>/dev/null >&2";

struct tls {
    struct one *one;
    char directory[32], address[64], ca[64], certificate[64], key[64];
};

/* A broker with a certificate for "localhost", which wants one of its clients; `host` is how the
 * client calls it. */
static void tls_begin(struct tls *tls, void **state, const char *host)
{
    char command[2048], options[512];
    strcpy(tls->directory, "/tmp/argosy-bus-tls-XXXXXX");
    assert_non_null(mkdtemp(tls->directory));
    snprintf(command, sizeof command, make_certificates, tls->directory);
    assert_int_equal(system(command), 0);
    snprintf(options, sizeof options,
             "cafile %1$s/ca.crt\ncertfile %1$s/localhost.crt\nkeyfile %1$s/localhost.key\n"
             "require_certificate true\n",
             tls->directory);
    tls->one = one_begin_with(state, "127.0.0.1", options);
    snprintf(tls->address, sizeof tls->address, "ssl://%s:%d", host, tls->one->fixture.broker.port);
    snprintf(tls->ca, sizeof tls->ca, "%s/ca.crt", tls->directory);
    snprintf(tls->certificate, sizeof tls->certificate, "%s/client.crt", tls->directory);
    snprintf(tls->key, sizeof tls->key, "%s/client.key", tls->directory);
    tls->one->address = tls->address;
    tls->one->config.ca_file = tls->ca;
    tls->one->config.certificate_file = tls->certificate;
    tls->one->config.key_file = tls->key;
}

static void tls_end(const struct tls *tls)
{
    char command[64];
    one_end(tls->one);
    snprintf(command, sizeof command, "rm -r %s", tls->directory);
    assert_int_equal(system(command), 0);
}

void tls_with_a_client_certificate_connects(void **state)
{
    struct tls tls;
    tls_begin(&tls, state, "localhost");
    struct client *client = &tls.one->client;
    client_open(client, &tls.one->config, "x");
    UNTIL(client, client->subscribed);
    client_publish(client, "x", "secret", 1, false);
    UNTIL(client, client->heard_count);
    tls_end(&tls);
}

void tls_to_a_broker_whose_certificate_has_another_name_fails(void **state)
{
    struct tls tls;
    tls_begin(&tls, state, "127.0.0.1");
    struct client *client = &tls.one->client;
    client_open(client, &tls.one->config, "x");
    UNTIL(client, client->connect_failures == 2);
    assert_int_equal(client->connects, 0);
    tls_end(&tls);
}

void tls_without_the_authority_of_the_broker_fails(void **state)
{
    struct tls tls;
    tls_begin(&tls, state, "localhost");
    struct client *client = &tls.one->client;
    tls.one->config.ca_file = NULL; /* the system's, which do not know it */
    client_open(client, &tls.one->config, "x");
    UNTIL(client, client->connect_failures == 2);
    assert_int_equal(client->connects, 0);
    tls_end(&tls);
}

void own_messages_do_not_come_back_when_they_are_not_wanted(void **state)
{
    struct one *one = one_begin(state);
    struct client *client = &one->client;
    struct bus_filter without = {"x", 1, .sent = BUS_OTHERS};
    publish_by_hand(one, "-r -t test/v1/x -m stored");
    client_open(client, &one->config, "x");
    UNTIL(client, client->heard_count == 1);
    client->bus->ops->subscribe(client->bus, 1, &without, 1);
    UNTIL(client, client->subscribed == 2);
    client_publish(client, "x", "own", 1, false);
    UNTIL(client, !client->bus->ops->pending(client->bus));
    publish_by_hand(one, "-t test/v1/x -m other");
    UNTIL(client, client->heard_count == 2);
    assert_string_equal(client->heard[1].payload, "other");
    one_end(one);
}

void what_is_retained_and_what_is_said_can_be_had_apart(void **state)
{
    struct one *one = one_begin(state);
    struct client *client = &one->client;
    struct bus_filter said = {"x/+", 1, BUS_SAID};
    struct bus_filter retained = {"x/1", 1, BUS_RETAINED};
    publish_by_hand(one, "-r -t test/v1/x/1 -m stored");
    client_open(client, &one->config, "y");
    UNTIL(client, client->subscribed == 1);
    client->bus->ops->subscribe(client->bus, 1, &said, 1);
    UNTIL(client, client->subscribed == 2);
    publish_by_hand(one, "-t test/v1/x/1 -m said");
    UNTIL(client, client->heard_count == 1);
    assert_string_equal(client->heard[0].payload, "said");
    client->bus->ops->subscribe(client->bus, 1, &retained, 1);
    UNTIL(client, client->heard_count == 2);
    assert_string_equal(client->heard[1].payload, "stored");
    publish_by_hand(one, "-t test/v1/x/1 -m once");
    publish_by_hand(one, "-t test/v1/y -m end");
    UNTIL(client, client->heard_count == 4);
    assert_string_equal(client->heard[2].payload, "once");
    assert_string_equal(client->heard[3].payload, "end");
    one_end(one);
}

void what_is_said_may_tell_that_it_is_to_be_retained(void **state)
{
    struct one *one = one_begin(state);
    struct client *client = &one->client;
    struct bus_filter flagged = {"x/+", 1, BUS_FLAGGED};
    client_open(client, &one->config, "y");
    UNTIL(client, client->subscribed == 1);
    client->bus->ops->subscribe(client->bus, 1, &flagged, 1);
    UNTIL(client, client->subscribed == 2);
    publish_by_hand(one, "-t test/v1/x/1 -m said");
    publish_by_hand(one, "-r -t test/v1/x/1 -m stored");
    UNTIL(client, client->heard_count == 2);
    assert_false(client->heard[0].retained);
    assert_true(client->heard[1].retained);
    one_end(one);
}

void response_topic_and_correlation_are_handed_over(void **state)
{
    struct one *one = one_begin(state);
    struct client *client = &one->client;
    client_open(client, &one->config, "+");
    UNTIL(client, client->subscribed);
    publish_by_hand(one, "-V 5 -t test/v1/x -m question -D publish response-topic test/v1/reply"
                         " -D publish correlation-data c7");
    UNTIL(client, client->heard_count);
    assert_string_equal(client->response_topic, "test/v1/reply");
    assert_string_equal(client->correlation, "c7");
    *client->correlation = '\0';
    struct bus_publication answer = {.topic = client->response_topic,
                                     .payload = "answer",
                                     .length = 6,
                                     .qos = 1,
                                     .absolute = true,
                                     .correlation = "c7",
                                     .correlation_length = 2};
    assert_int_equal(client->bus->ops->publish(client->bus, &answer), 0);
    UNTIL(client, client_last(client, "reply"));
    assert_string_equal(client->correlation, "c7");
    one_end(one);
}

void a_publication_that_is_not_permitted_is_told(void **state)
{
    enum { NOT_AUTHORIZED = 0x87 };
    char acl[] = "/tmp/argosy-bus-acl-XXXXXX", options[64];
    int fd = mkstemp(acl);
    assert_int_equal(dprintf(fd, "topic readwrite test/v1/ours\n") > 0, 1);
    close(fd);
    snprintf(options, sizeof options, "acl_file %s", acl);
    struct one *one = one_begin_with(state, "127.0.0.1", options);
    struct client *client = &one->client;
    client_open(client, &one->config, "ours");
    client_publish(client, "theirs", "{}", 1, false);
    client_publish(client, "ours", "{}", 1, false);
    UNTIL(client, client->refused && client->heard_count);
    assert_int_equal(client->refused_reason, NOT_AUTHORIZED);
    UNTIL(client, !client->bus->ops->pending(client->bus));
    one_end(one);
    unlink(acl);
}

void version_5_is_used_where_the_broker_has_it(void **state)
{
    struct one *one = one_begin(state);
    client_open(&one->client, &one->config, NULL);
    UNTIL(&one->client, one->client.connects);
    assert_int_equal(mqtt_bus_version(one->client.bus), 5);
    one_end(one);
}

void a_refused_version_falls_back_to_3_1_1_at_once(void **state)
{
    struct one *one = one_begin(state);
    struct client *client = &one->client;
    pid_t relay;
    char address[64];
    int port = relay_start(one->fixture.broker.port, &relay);
    snprintf(address, sizeof address, "127.0.0.1:%d", port);
    one->address = address;
    client_open(client, &one->config, "x");
    UNTIL(client, client->subscribed);
    assert_int_equal(mqtt_bus_version(client->bus), 3);
    client_publish(client, "x", "over 3.1.1", 1, false);
    UNTIL(client, client->heard_count);
    client->bus->ops->reconnect(client->bus, "a test");
    UNTIL(client, client->subscribed == 2);
    assert_int_equal(mqtt_bus_version(client->bus), 3);
    one_end(one);
    child_kill(relay);
}
