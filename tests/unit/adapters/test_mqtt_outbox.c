#include "platform/adapters/mqtt_outbox.h"

#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

enum { LIMIT = 3 };

static int setup(void **state)
{
    *state = outbox_new();
    return 0;
}

static int teardown(void **state)
{
    outbox_free(*state);
    return 0;
}

static int add(struct outbox *outbox, const char *topic, const char *payload, bool retain)
{
    struct bus_publication publication = {
        .payload = payload, .length = strlen(payload), .qos = 1, .retain = retain};
    return outbox_add(outbox, &publication, topic, LIMIT);
}

/* Sends the oldest under `id`; its payload. */
static const char *send_next(struct outbox *outbox, uint64_t id)
{
    struct outbox_entry *entry = outbox_next(outbox);
    if (!entry)
        return NULL;
    outbox_sent(outbox, entry, id);
    return entry->publication.payload;
}

static void messages_leave_in_order_until_acknowledged(void **state)
{
    struct outbox *outbox = *state;
    add(outbox, "n", "1", false);
    add(outbox, "n", "2", false);
    assert_string_equal(send_next(outbox, 10), "1");
    assert_string_equal(send_next(outbox, 11), "2");
    assert_null(outbox_next(outbox));
    assert_int_equal(outbox_in_flight(outbox), 2);
    outbox_acknowledged(outbox, outbox_find(outbox, 11));
    outbox_acknowledged(outbox, outbox_find(outbox, 10));
    assert_int_equal(outbox_count(outbox), 0);
    assert_null(outbox_find(outbox, 10));
}

static void a_retained_topic_has_one_slot_and_the_latest_wins(void **state)
{
    struct outbox *outbox = *state;
    add(outbox, "doc", "old", true);
    add(outbox, "other", "x", true);
    add(outbox, "doc", "new", true);
    assert_int_equal(outbox_count(outbox), 2);
    assert_string_equal(send_next(outbox, 1), "x");
    assert_string_equal(send_next(outbox, 2), "new");
    assert_null(outbox_next(outbox));
}

static void what_is_in_flight_is_finished_before_the_newer_one_of_its_slot(void **state)
{
    struct outbox *outbox = *state;
    add(outbox, "doc", "old", true);
    send_next(outbox, 1);
    add(outbox, "doc", "newer", true);
    add(outbox, "doc", "newest", true);
    assert_int_equal(outbox_count(outbox), 2);
    assert_string_equal(send_next(outbox, 2), "newest");
    outbox_acknowledged(outbox, outbox_find(outbox, 1));
    outbox_acknowledged(outbox, outbox_find(outbox, 2));
    assert_int_equal(outbox_count(outbox), 0);
}

static void after_a_loss_all_is_sent_again_in_the_same_order(void **state)
{
    struct outbox *outbox = *state;
    add(outbox, "n", "1", false);
    add(outbox, "n", "2", false);
    add(outbox, "n", "3", false);
    send_next(outbox, 1);
    send_next(outbox, 2);
    outbox_reset(outbox);
    assert_int_equal(outbox_in_flight(outbox), 0);
    assert_null(outbox_find(outbox, 1));
    assert_string_equal(send_next(outbox, 1), "1");
    assert_string_equal(send_next(outbox, 2), "2");
    assert_string_equal(send_next(outbox, 3), "3");
}

static void after_a_loss_the_older_one_of_a_slot_is_not_sent_again(void **state)
{
    struct outbox *outbox = *state;
    add(outbox, "doc", "old", true);
    send_next(outbox, 1);
    add(outbox, "doc", "new", true);
    outbox_reset(outbox);
    assert_int_equal(outbox_count(outbox), 1);
    assert_string_equal(send_next(outbox, 2), "new");
    add(outbox, "doc", "newest", true);
    outbox_reset(outbox);
    assert_string_equal(send_next(outbox, 3), "newest");
    assert_null(outbox_next(outbox));
}

static void messages_are_limited_and_retained_documents_are_not(void **state)
{
    struct outbox *outbox = *state;
    for (int i = 0; i < LIMIT; i++)
        assert_int_equal(add(outbox, "n", "x", false), 0);
    assert_int_equal(add(outbox, "n", "x", false), -ERR_BUSY);
    for (int i = 0; i < 10 * LIMIT; i++) {
        char topic[16];
        snprintf(topic, sizeof topic, "doc%d", i);
        assert_int_equal(add(outbox, topic, "x", true), 0);
    }
    send_next(outbox, 1);
    assert_int_equal(add(outbox, "n", "x", false), -ERR_BUSY); /* not before it is acknowledged */
    outbox_acknowledged(outbox, outbox_find(outbox, 1));
    assert_int_equal(add(outbox, "n", "x", false), 0);
}

static void an_id_that_is_given_again_puts_its_former_holder_back(void **state)
{
    struct outbox *outbox = *state;
    add(outbox, "n", "1", false);
    add(outbox, "n", "2", false);
    send_next(outbox, 7);
    assert_string_equal(send_next(outbox, 7), "2");
    assert_int_equal(outbox_in_flight(outbox), 1);
    assert_string_equal(send_next(outbox, 8), "1");
}

static void everything_of_a_publication_is_copied(void **state)
{
    struct outbox *outbox = *state;
    char topic[] = "reply", payload[] = "body", correlation[] = {1, 0, 2};
    struct bus_publication publication = {.payload = payload,
                                          .length = 4,
                                          .qos = 1,
                                          .correlation = correlation,
                                          .correlation_length = 3};
    outbox_add(outbox, &publication, topic, LIMIT);
    memset(topic, 'x', 5);
    memset(payload, 'x', 4);
    memset(correlation, 'x', 3);
    const struct bus_publication *copy = &outbox_next(outbox)->publication;
    assert_string_equal(copy->topic, "reply");
    assert_memory_equal(copy->payload, "body", 4);
    assert_memory_equal(copy->correlation, ((char[]){1, 0, 2}), 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(messages_leave_in_order_until_acknowledged),
        TEST(a_retained_topic_has_one_slot_and_the_latest_wins),
        TEST(what_is_in_flight_is_finished_before_the_newer_one_of_its_slot),
        TEST(after_a_loss_all_is_sent_again_in_the_same_order),
        TEST(after_a_loss_the_older_one_of_a_slot_is_not_sent_again),
        TEST(messages_are_limited_and_retained_documents_are_not),
        TEST(an_id_that_is_given_again_puts_its_former_holder_back),
        TEST(everything_of_a_publication_is_copied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
