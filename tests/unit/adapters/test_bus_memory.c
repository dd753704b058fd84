#include "platform/adapters/bus_memory.h"

#include "platform/base/mem.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A client that hears "+/+" and writes down what it is told: "topic=payload," with * when retained.
 */
struct client {
    struct bus *bus;
    const char *filter;
    int connects, disconnects, subscribed, refused, batches;
    char heard[512];
};

struct fixture {
    struct memory_broker *broker;
    struct client a, b;
};

static void on_connected(void *context)
{
    struct client *client = context;
    client->connects++;
    struct bus_filter filter = {client->filter, 1, BUS_ALL};
    client->bus->ops->subscribe(client->bus, 1, &filter, 1);
}

static void on_disconnected(void *context, const char *why)
{
    assert_non_null(why);
    ((struct client *)context)->disconnects++;
}

static void on_subscribed(void *context, int stage, bool granted)
{
    assert_int_equal(stage, 1);
    ((struct client *)context)->subscribed += granted;
}

static void on_message(void *context, const struct bus_message *message)
{
    struct client *client = context;
    size_t used = strlen(client->heard);
    snprintf(client->heard + used, sizeof client->heard - used, "%s=%.*s%s,", message->topic,
             (int)message->length, (const char *)message->payload, message->retained ? "*" : "");
}

static void on_batch_end(void *context)
{
    ((struct client *)context)->batches++;
}

static void on_refused(void *context, const char *topic, int reason, const char *text)
{
    (void)topic, (void)reason, (void)text;
    ((struct client *)context)->refused++;
}

static void client_open(struct client *client, struct memory_broker *broker, const char *id,
                        const char *filter, bool persistent)
{
    struct memory_bus_config config = {.broker = broker,
                                       .root = "r/v1",
                                       .client_id = id,
                                       .persistent = persistent,
                                       .handler = {.context = client,
                                                   .on_connected = on_connected,
                                                   .on_disconnected = on_disconnected,
                                                   .on_subscribed = on_subscribed,
                                                   .on_message = on_message,
                                                   .on_batch_end = on_batch_end,
                                                   .on_refused = on_refused}};
    client->filter = filter;
    client->bus = memory_bus_new(&config);
    client->bus->ops->start(client->bus);
}

static int setup(void **state)
{
    struct fixture *fixture = mem_alloc(sizeof *fixture);
    fixture->broker = memory_broker_new();
    client_open(&fixture->a, fixture->broker, "a", "x/+", false);
    client_open(&fixture->b, fixture->broker, "b", "x/+", false);
    memory_broker_settle(fixture->broker);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    fixture->a.bus->ops->close(fixture->a.bus, 0);
    fixture->b.bus->ops->close(fixture->b.bus, 0);
    memory_broker_free(fixture->broker);
    free(fixture);
    return 0;
}

static int publish(struct client *client, const char *topic, const char *payload, int qos,
                   bool retain)
{
    struct bus_publication publication = {.topic = topic,
                                          .payload = payload,
                                          .length = strlen(payload),
                                          .qos = qos,
                                          .retain = retain};
    return client->bus->ops->publish(client->bus, &publication);
}

static void everybody_hears_in_the_same_order(void **state)
{
    struct fixture *fixture = *state;
    publish(&fixture->a, "x/1", "a", 1, false);
    publish(&fixture->a, "x/2", "b", 1, false);
    publish(&fixture->b, "x/3", "c", 1, false);
    publish(&fixture->b, "y/3", "not subscribed", 1, false);
    memory_broker_settle(fixture->broker);
    assert_string_equal(fixture->a.heard, "x/1=a,x/2=b,x/3=c,");
    assert_string_equal(fixture->b.heard, fixture->a.heard);
    assert_int_equal(fixture->a.bus->ops->pending(fixture->a.bus), 0);
    assert_int_equal(fixture->b.refused, 1);
}

static void a_batch_ends_once_for_all_that_has_arrived(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < 10; i++)
        publish(&fixture->a, "x/1", "a", 1, false);
    memory_broker_step(fixture->broker);
    int batches = fixture->b.batches;
    memory_broker_step(fixture->broker);
    assert_true(fixture->b.batches - batches <= 1);
    assert_int_equal(strlen(fixture->b.heard), 10 * strlen("x/1=a,"));
}

static void a_retained_document_waits_for_those_who_subscribe_later(void **state)
{
    struct fixture *fixture = *state;
    publish(&fixture->a, "y/doc", "1", 1, true);
    publish(&fixture->a, "y/doc", "2", 1, true);
    publish(&fixture->a, "y/gone", "3", 1, true);
    publish(&fixture->a, "y/gone", "", 1, true);
    memory_broker_settle(fixture->broker);
    struct bus_filter filter = {"y/+", 1, false};
    fixture->b.bus->ops->subscribe(fixture->b.bus, 1, &filter, 1);
    memory_broker_settle(fixture->broker);
    assert_string_equal(fixture->b.heard, "y/doc=2*,");
    size_t length;
    assert_string_equal(memory_broker_retained(fixture->broker, "r/v1/y/doc", &length), "2");
    assert_null(memory_broker_retained(fixture->broker, "r/v1/y/gone", &length));
}

static void own_messages_do_not_come_back_when_they_are_not_wanted(void **state)
{
    struct fixture *fixture = *state;
    struct bus_filter filter = {"x/+", 1, BUS_OTHERS};
    fixture->a.bus->ops->subscribe(fixture->a.bus, 1, &filter, 1);
    publish(&fixture->a, "x/1", "own", 1, false);
    publish(&fixture->b, "x/2", "other", 1, false);
    memory_broker_settle(fixture->broker);
    assert_string_equal(fixture->a.heard, "x/2=other,");
}

static void what_is_retained_and_what_is_said_can_be_had_apart(void **state)
{
    struct fixture *fixture = *state;
    struct bus_filter said = {"y/+", 1, BUS_SAID}, retained = {"y/doc", 1, BUS_RETAINED};
    publish(&fixture->b, "y/doc", "old", 1, true);
    memory_broker_settle(fixture->broker);
    fixture->a.bus->ops->subscribe(fixture->a.bus, 1, &said, 1);
    memory_broker_settle(fixture->broker);
    assert_string_equal(fixture->a.heard, "");
    fixture->a.bus->ops->subscribe(fixture->a.bus, 1, &retained, 1);
    memory_broker_settle(fixture->broker);
    publish(&fixture->b, "y/doc", "new", 1, true);
    memory_broker_settle(fixture->broker);
    assert_string_equal(fixture->a.heard, "y/doc=old*,y/doc=new,");
}

static void what_is_said_may_tell_that_it_is_to_be_retained(void **state)
{
    struct fixture *fixture = *state;
    struct bus_filter flagged = {"y/+", 1, BUS_FLAGGED};
    fixture->a.bus->ops->subscribe(fixture->a.bus, 1, &flagged, 1);
    publish(&fixture->b, "y/doc", "stored", 1, true);
    publish(&fixture->b, "y/doc", "said", 1, false);
    memory_broker_settle(fixture->broker);
    assert_string_equal(fixture->a.heard, "y/doc=stored*,y/doc=said,");
}

static void what_is_published_while_away_is_sent_later_without_qos_0(void **state)
{
    struct fixture *fixture = *state;
    memory_broker_crash(fixture->broker, false);
    memory_broker_settle(fixture->broker);
    assert_false(fixture->a.bus->ops->connected(fixture->a.bus));
    publish(&fixture->a, "x/0", "lost", 0, false);
    publish(&fixture->a, "x/1", "old", 1, true);
    publish(&fixture->a, "x/2", "message", 1, false);
    publish(&fixture->a, "x/1", "new", 1, true);
    memory_broker_restart(fixture->broker);
    memory_broker_settle(fixture->broker);
    assert_string_equal(fixture->a.heard, "x/2=message,x/1=new,");
    assert_int_equal(fixture->a.connects, 2);
    assert_int_equal(fixture->a.disconnects, 1);
}

static void what_was_not_acknowledged_before_a_cut_is_sent_again(void **state)
{
    struct fixture *fixture = *state;
    publish(&fixture->a, "x/1", "twice", 1, false);
    memory_bus_step(fixture->a.bus); /* sent, not yet acknowledged */
    memory_bus_cut(fixture->a.bus);
    memory_broker_settle(fixture->broker);
    assert_string_equal(fixture->b.heard, "x/1=twice,x/1=twice,");
}

static void the_will_is_sent_when_a_connection_is_cut_or_its_process_killed(void **state)
{
    struct fixture *fixture = *state;
    struct client mortal = {0};
    client_open(&mortal, fixture->broker, "mortal", "z/+", false);
    mortal.bus->ops->set_will(mortal.bus, &(struct bus_will){"x/status", "offline 1"});
    memory_broker_settle(fixture->broker);
    mortal.bus->ops->set_will(mortal.bus, &(struct bus_will){"x/status", "offline 2"});
    memory_bus_cut(mortal.bus);
    memory_broker_settle(fixture->broker);
    assert_string_equal(fixture->b.heard, "x/status=offline 1,");
    memory_bus_kill(mortal.bus);
    memory_broker_settle(fixture->broker);
    assert_string_equal(fixture->b.heard, "x/status=offline 1,x/status=offline 2,");
}

static void no_will_is_sent_after_a_clean_close_or_by_a_broker_that_crashes(void **state)
{
    struct fixture *fixture = *state;
    struct client mortal = {0};
    client_open(&mortal, fixture->broker, "mortal", "z/+", false);
    mortal.bus->ops->set_will(mortal.bus, &(struct bus_will){"x/status", "offline"});
    memory_broker_settle(fixture->broker);
    memory_broker_crash(fixture->broker, true);
    memory_broker_restart(fixture->broker);
    memory_broker_settle(fixture->broker);
    mortal.bus->ops->close(mortal.bus, 1000);
    memory_broker_settle(fixture->broker);
    assert_string_equal(fixture->b.heard, "");
}

static void closing_sends_what_waits(void **state)
{
    struct fixture *fixture = *state;
    struct client writer = {0};
    client_open(&writer, fixture->broker, "writer", "z/+", false);
    memory_broker_settle(fixture->broker);
    publish(&writer, "x/1", "last words", 1, false);
    writer.bus->ops->close(writer.bus, 1000);
    memory_broker_settle(fixture->broker);
    assert_string_equal(fixture->b.heard, "x/1=last words,");
}

static void a_persistent_session_keeps_messages_until_its_client_is_back(void **state)
{
    struct fixture *fixture = *state;
    struct client keeper = {0};
    client_open(&keeper, fixture->broker, "keeper", "x/+", true);
    memory_broker_settle(fixture->broker);
    memory_bus_kill(keeper.bus);
    publish(&fixture->a, "x/1", "kept", 1, false);
    publish(&fixture->a, "x/2", "not kept", 0, false);
    memory_broker_settle(fixture->broker);
    client_open(&keeper, fixture->broker, "keeper", "x/+", true);
    memory_broker_settle(fixture->broker);
    assert_string_equal(keeper.heard, "x/1=kept,");
    keeper.bus->ops->close(keeper.bus, 0);
}

static void the_same_id_takes_the_connection_over(void **state)
{
    struct fixture *fixture = *state;
    struct client other = {0};
    client_open(&other, fixture->broker, "a", "x/+", false);
    memory_bus_step(other.bus);
    assert_true(other.bus->ops->connected(other.bus));
    assert_false(fixture->a.bus->ops->connected(fixture->a.bus));
    memory_bus_step(fixture->a.bus);
    assert_int_equal(fixture->a.disconnects, 1);
    other.bus->ops->close(other.bus, 0);
}

static void faults_count_down(void **state)
{
    struct fixture *fixture = *state;
    fixture->a.bus->ops->close(fixture->a.bus, 0);
    memory_broker_drop_next(fixture->broker, 1);
    publish(&fixture->b, "x/1", "dropped", 1, false);
    publish(&fixture->b, "x/2", "heard", 1, false);
    memory_broker_settle(fixture->broker);
    memory_broker_repeat_next(fixture->broker, 1);
    publish(&fixture->b, "x/3", "twice", 1, false);
    memory_broker_settle(fixture->broker);
    assert_string_equal(fixture->b.heard, "x/2=heard,x/3=twice,x/3=twice,");
    client_open(&fixture->a, fixture->broker, "a", "x/+", false);
}

static void a_full_queue_loses_what_comes_later(void **state)
{
    struct fixture *fixture = *state;
    memory_broker_limit_queues(fixture->broker, 2);
    for (const char *number = "1234"; *number; number++) {
        char payload[] = {*number, '\0'};
        publish(&fixture->a, "x/n", payload, 1, false);
    }
    memory_broker_settle(fixture->broker);
    assert_string_equal(fixture->b.heard, "x/n=1,x/n=2,");
}

static void foreign_messages_carry_their_response_topic(void **state)
{
    struct fixture *fixture = *state;
    struct bus_message message = {
        .topic = "r/v1/x/1", .payload = "p", .length = 1, .qos = 1, .response_topic = "r/v1/reply"};
    memory_broker_inject(fixture->broker, &message);
    message.topic = "elsewhere/x/1";
    memory_broker_inject(fixture->broker, &message);
    memory_broker_settle(fixture->broker);
    assert_string_equal(fixture->b.heard, "x/1=p,");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(everybody_hears_in_the_same_order),
        TEST(a_batch_ends_once_for_all_that_has_arrived),
        TEST(a_retained_document_waits_for_those_who_subscribe_later),
        TEST(own_messages_do_not_come_back_when_they_are_not_wanted),
        TEST(what_is_retained_and_what_is_said_can_be_had_apart),
        TEST(what_is_said_may_tell_that_it_is_to_be_retained),
        TEST(what_is_published_while_away_is_sent_later_without_qos_0),
        TEST(what_was_not_acknowledged_before_a_cut_is_sent_again),
        TEST(the_will_is_sent_when_a_connection_is_cut_or_its_process_killed),
        TEST(no_will_is_sent_after_a_clean_close_or_by_a_broker_that_crashes),
        TEST(closing_sends_what_waits),
        TEST(a_persistent_session_keeps_messages_until_its_client_is_back),
        TEST(the_same_id_takes_the_connection_over),
        TEST(faults_count_down),
        TEST(a_full_queue_loses_what_comes_later),
        TEST(foreign_messages_carry_their_response_topic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
