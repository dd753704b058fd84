#include "platform/adapters/mqtt_paho_inbox.h"

#include "platform/base/mem.h"
#include "tests/unit/unit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { LIMIT_ITEMS = 3, LIMIT_BYTES = 100 };

struct fixture {
    struct inbox *inbox;
    atomic_int wakes;
};

static void wake(void *context)
{
    ((struct fixture *)context)->wakes++;
}

static int setup(void **state)
{
    struct fixture *fixture = mem_alloc(sizeof *fixture);
    fixture->inbox = inbox_new(wake, fixture, LIMIT_ITEMS, LIMIT_BYTES);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    inbox_free(fixture->inbox);
    free(fixture);
    return 0;
}

static void push(struct inbox *inbox, enum mqtt_event_kind kind, uint64_t token, size_t length)
{
    struct inbox_item *item = inbox_item_new(kind, token);
    item->message.payload = mem_alloc(length + 1);
    item->message.length = length;
    inbox_push(inbox, item);
}

/* Ids of all that is in it, as digits; frees the items. */
static void take(struct inbox *inbox, char *ret_ids, bool *ret_overflow)
{
    for (struct inbox_item *item = inbox_take(inbox, ret_overflow), *next; item; item = next) {
        next = item->next;
        *ret_ids++ = (char)('0' + item->event.token);
        inbox_item_free(item);
    }
    *ret_ids = '\0';
}

static void items_are_taken_together_in_order_after_one_wake(void **state)
{
    struct fixture *fixture = *state;
    char ids[16];
    bool overflow;
    push(fixture->inbox, MQTT_MESSAGE, 1, 1);
    push(fixture->inbox, MQTT_DELIVERED, 2, 0);
    push(fixture->inbox, MQTT_MESSAGE, 3, 1);
    assert_int_equal(fixture->wakes, 1);
    take(fixture->inbox, ids, &overflow);
    assert_string_equal(ids, "123");
    assert_false(overflow);
    push(fixture->inbox, MQTT_MESSAGE, 4, 1);
    assert_int_equal(fixture->wakes, 2);
}

static void messages_past_the_limit_are_dropped_and_remembered(void **state)
{
    struct fixture *fixture = *state;
    char ids[16];
    bool overflow;
    for (uint64_t id = 1; id <= LIMIT_ITEMS + 2; id++)
        push(fixture->inbox, MQTT_MESSAGE, id, 1);
    take(fixture->inbox, ids, &overflow);
    assert_string_equal(ids, "123");
    assert_true(overflow);
    take(fixture->inbox, ids, &overflow);
    assert_string_equal(ids, "");
    assert_false(overflow);
}

static void bytes_are_limited_too(void **state)
{
    struct fixture *fixture = *state;
    char ids[16];
    bool overflow;
    push(fixture->inbox, MQTT_MESSAGE, 1, LIMIT_BYTES - 1);
    push(fixture->inbox, MQTT_MESSAGE, 2, 2);
    push(fixture->inbox, MQTT_MESSAGE, 3, 1); /* after a gap nothing more is taken */
    take(fixture->inbox, ids, &overflow);
    assert_string_equal(ids, "1");
    assert_true(overflow);
}

static void what_tells_of_the_connection_always_gets_through(void **state)
{
    struct fixture *fixture = *state;
    char ids[16];
    bool overflow;
    for (uint64_t id = 1; id <= LIMIT_ITEMS + 1; id++)
        push(fixture->inbox, MQTT_MESSAGE, id, 1);
    push(fixture->inbox, MQTT_LOST, 9, 0);
    take(fixture->inbox, ids, &overflow);
    assert_string_equal(ids, "1239");
}

enum { THREAD_ITEMS = 10000 };

static void *push_many(void *inbox)
{
    for (int i = 0; i < THREAD_ITEMS; i++)
        inbox_push(inbox, inbox_item_new(MQTT_DELIVERED, 0));
    return NULL;
}

static void threads_may_push_while_the_owner_takes(void **state)
{
    struct fixture *fixture = *state;
    pthread_t threads[2];
    for (size_t i = 0; i < ARRAY_LENGTH(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, push_many, fixture->inbox), 0);
    for (int taken = 0; taken < 2 * THREAD_ITEMS;) {
        bool overflow;
        for (struct inbox_item *item = inbox_take(fixture->inbox, &overflow), *next; item;
             item = next, taken++) {
            next = item->next;
            inbox_item_free(item);
        }
    }
    for (size_t i = 0; i < ARRAY_LENGTH(threads); i++)
        pthread_join(threads[i], NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(items_are_taken_together_in_order_after_one_wake),
        TEST(messages_past_the_limit_are_dropped_and_remembered),
        TEST(bytes_are_limited_too),
        TEST(what_tells_of_the_connection_always_gets_through),
        TEST(threads_may_push_while_the_owner_takes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
