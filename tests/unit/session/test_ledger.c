#include "platform/session/ledger.h"

#include "platform/adapters/bus_memory.h"
#include "platform/adapters/store_memory.h"
#include "platform/base/mem.h"
#include "schema/limits.h"
#include "tests/held_store.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A ledger on a memory store and a connected memory bus that hears its own messages on "out/+". */
struct fixture {
    struct memory_broker *broker;
    struct store *store;
    struct bus *bus;
    struct ledger *ledger;
    char heard[256]; /* "topic=payload;" of each */
};

static void on_connected(void *context)
{
    struct fixture *fixture = context;
    struct bus_filter filter = {"out/+", 1, false};
    fixture->bus->ops->subscribe(fixture->bus, 1, &filter, 1);
}

static void on_disconnected(void *context, const char *why)
{
    (void)context, (void)why;
}

static void on_subscribed(void *context, int stage, bool granted)
{
    (void)context, (void)stage, (void)granted;
}

static void on_message(void *context, const struct bus_message *message)
{
    struct fixture *fixture = context;
    size_t used = strlen(fixture->heard);
    snprintf(fixture->heard + used, sizeof fixture->heard - used, "%s=%.*s;", message->topic,
             (int)message->length, (const char *)message->payload);
}

static void on_batch_end(void *context)
{
    (void)context;
}

static int setup(void **state)
{
    struct fixture *fixture = mem_alloc(sizeof *fixture);
    fixture->broker = memory_broker_new();
    fixture->store = memory_store_new();
    struct memory_bus_config config = {.broker = fixture->broker,
                                       .root = "r",
                                       .client_id = "a",
                                       .handler = {.context = fixture,
                                                   .on_connected = on_connected,
                                                   .on_disconnected = on_disconnected,
                                                   .on_subscribed = on_subscribed,
                                                   .on_message = on_message,
                                                   .on_batch_end = on_batch_end}};
    fixture->bus = memory_bus_new(&config);
    fixture->bus->ops->start(fixture->bus);
    memory_broker_settle(fixture->broker);
    fixture->ledger = ledger_new(fixture->store, fixture->bus);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    ledger_free(fixture->ledger);
    fixture->bus->ops->close(fixture->bus, 0);
    fixture->store->ops->close(fixture->store);
    memory_broker_free(fixture->broker);
    free(fixture);
    return 0;
}

static const char *retained(const struct fixture *fixture, const char *topic)
{
    size_t length;
    return memory_broker_retained(fixture->broker, topic, &length);
}

/* "key=value;" of each record. */
static int append_record(void *context, const char *key, const void *value, size_t length)
{
    char *text = context;
    sprintf(text + strlen(text), "%s=%.*s;", key, (int)length, (const char *)value);
    return 0;
}

static void assert_stored(const struct fixture *fixture, enum store_table table, const char *wanted)
{
    char text[256] = "";
    fixture->store->ops->scan(fixture->store, table, append_record, text, NULL);
    assert_string_equal(text, wanted);
}

static void document(struct fixture *fixture, const char *topic, const char *text)
{
    ledger_document(fixture->ledger, topic, text, strlen(text));
}

static void message(struct fixture *fixture, const char *topic, const char *text)
{
    struct bus_publication publication = {
        .topic = topic, .payload = text, .length = strlen(text), .qos = 1};
    ledger_message(fixture->ledger, &publication);
}

static void commit(struct fixture *fixture)
{
    struct err err = {0};
    assert_int_equal(ledger_commit_now(fixture->ledger, &err), 0);
    memory_broker_settle(fixture->broker);
}

static void a_document_is_stored_and_published_with_the_same_bytes(void **state)
{
    struct fixture *fixture = *state;
    document(fixture, "doc", "1");
    assert_true(ledger_is_dirty(fixture->ledger));
    assert_null(retained(fixture, "r/doc"));
    commit(fixture);
    assert_false(ledger_is_dirty(fixture->ledger));
    assert_string_equal(retained(fixture, "r/doc"), "1");
    assert_stored(fixture, STORE_DOCUMENTS, "doc=1;");
}

static void the_last_note_of_a_topic_wins_and_a_batch_is_one_commit(void **state)
{
    struct fixture *fixture = *state;
    document(fixture, "doc", "1");
    document(fixture, "other", "2");
    document(fixture, "doc", "3");
    ledger_store(fixture->ledger, STORE_TOKENS, "token", "answer", 6);
    commit(fixture);
    assert_int_equal(memory_store_commits(fixture->store), 1);
    assert_string_equal(retained(fixture, "r/doc"), "3");
    assert_stored(fixture, STORE_DOCUMENTS, "doc=3;other=2;");
    assert_stored(fixture, STORE_TOKENS, "token=answer;");
    assert_null(retained(fixture, "r/token"));
}

static void what_is_derived_is_published_without_a_transaction(void **state)
{
    struct fixture *fixture = *state;
    ledger_derived(fixture->ledger, "status", "ok", 2);
    commit(fixture);
    assert_int_equal(memory_store_commits(fixture->store), 0);
    assert_string_equal(retained(fixture, "r/status"), "ok");
    assert_stored(fixture, STORE_DOCUMENTS, "");
}

static void removing_clears_the_topic_only_when_asked_to(void **state)
{
    struct fixture *fixture = *state;
    document(fixture, "kept", "1");
    document(fixture, "cleared", "2");
    commit(fixture);
    ledger_remove(fixture->ledger, STORE_DOCUMENTS, "kept", false);
    ledger_remove(fixture->ledger, STORE_DOCUMENTS, "cleared", true);
    commit(fixture);
    assert_stored(fixture, STORE_DOCUMENTS, "");
    assert_string_equal(retained(fixture, "r/kept"), "1");
    assert_null(retained(fixture, "r/cleared"));
}

static void messages_follow_the_documents_in_their_order(void **state)
{
    struct fixture *fixture = *state;
    message(fixture, "out/answer", "1");
    message(fixture, "out/answer", "2");
    document(fixture, "out/doc", "d");
    commit(fixture);
    assert_string_equal(fixture->heard, "out/doc=d;out/answer=1;out/answer=2;");
}

static void a_failed_commit_publishes_nothing_and_the_next_one_everything(void **state)
{
    struct fixture *fixture = *state;
    for (int64_t round = 1; round <= 2; round++) {
        struct err err = {0};
        document(fixture, "out/a", "a");
        document(fixture, "out/b", "b");
        message(fixture, "out/answer", "1");
        memory_store_fail(fixture->store, 1, ERR_FULL);
        assert_int_equal(ledger_commit_now(fixture->ledger, &err), -ERR_FULL);
        memory_broker_settle(fixture->broker);
        assert_string_equal(fixture->heard, "");
        assert_int_equal(memory_store_commits(fixture->store), round - 1);
        assert_true(ledger_is_dirty(fixture->ledger));
        commit(fixture);
        assert_string_equal(fixture->heard, "out/a=a;out/b=b;out/answer=1;");
        *fixture->heard = '\0';
    }
}

/* Found by the simulation, seed 8889: the deleted job came back from the store. */
static void what_is_cleared_before_it_could_be_stored_is_stored_all_the_same(void **state)
{
    struct fixture *fixture = *state;
    struct err err = {0};
    memory_store_fail_always(fixture->store, ERR_FULL);
    document(fixture, "out/a", "tombstone");
    assert_int_equal(ledger_commit_now(fixture->ledger, &err), -ERR_FULL);
    ledger_clear(fixture->ledger, "out/a");
    assert_int_equal(ledger_commit_now(fixture->ledger, &err), -ERR_FULL);
    memory_store_fail_always(fixture->store, ERR_NONE);
    commit(fixture);
    assert_stored(fixture, STORE_DOCUMENTS, "out/a=tombstone;");
    assert_null(retained(fixture, "r/out/a"));
}

static void what_the_bus_has_no_room_for_stays_noted(void **state)
{
    struct fixture *fixture = *state;
    memory_broker_crash(fixture->broker, true);
    memory_broker_settle(fixture->broker);
    for (int i = 0; i < LIMIT_OUTBOX_MESSAGES + 1; i++)
        message(fixture, "n", "x");
    commit(fixture);
    assert_true(ledger_is_dirty(fixture->ledger));
    assert_int_equal(fixture->bus->ops->pending(fixture->bus), LIMIT_OUTBOX_MESSAGES);
    memory_broker_restart(fixture->broker);
    memory_broker_settle(fixture->broker);
    commit(fixture);
    assert_false(ledger_is_dirty(fixture->ledger));
}

static bool is_own(void *context, const char *topic)
{
    (void)context;
    return strcmp(topic, "foreign") != 0;
}

static void after_a_connect_every_own_document_is_published_again(void **state)
{
    struct fixture *fixture = *state;
    struct err err = {0};
    document(fixture, "a", "1");
    document(fixture, "foreign", "2");
    commit(fixture);
    memory_broker_crash(fixture->broker, false);
    memory_broker_restart(fixture->broker);
    memory_broker_settle(fixture->broker);
    assert_null(retained(fixture, "r/a"));
    assert_int_equal(ledger_republish(fixture->ledger, is_own, NULL, &err), 0);
    memory_broker_settle(fixture->broker);
    assert_string_equal(retained(fixture, "r/a"), "1");
    assert_null(retained(fixture, "r/foreign"));
}

static void a_document_that_waits_for_its_commit_is_not_published_again_before(void **state)
{
    struct fixture *fixture = *state;
    struct err err = {0};
    document(fixture, "out/a", "1");
    commit(fixture);
    document(fixture, "out/a", "2");
    assert_int_equal(ledger_republish(fixture->ledger, is_own, NULL, &err), 0);
    memory_broker_settle(fixture->broker);
    assert_string_equal(fixture->heard, "out/a=1;");
    commit(fixture);
    assert_string_equal(fixture->heard, "out/a=1;out/a=2;");
}

/* ---- while a commit is under way ---- */

static void note_result(void *context, int result, const struct err *err)
{
    (void)err;
    *(int *)context = result;
}

/* The fixture's store, but held. */
static struct held_store *hold(struct fixture *fixture)
{
    struct held_store *held = held_store_new(fixture->store);
    fixture->store = &held->store;
    ledger_free(fixture->ledger);
    fixture->ledger = ledger_new(fixture->store, fixture->bus);
    return held;
}

static void settle(struct fixture *fixture)
{
    ledger_settle(fixture->ledger);
    memory_broker_settle(fixture->broker);
}

static void what_is_noted_while_a_commit_is_under_way_belongs_to_the_next(void **state)
{
    struct fixture *fixture = *state;
    int result = 1;
    hold(fixture);
    document(fixture, "out/a", "1");
    message(fixture, "out/answer", "1");
    ledger_commit(fixture->ledger, note_result, &result);
    assert_false(ledger_is_dirty(fixture->ledger));
    document(fixture, "out/a", "2");
    document(fixture, "out/b", "2");
    message(fixture, "out/answer", "2");
    memory_broker_settle(fixture->broker);
    assert_string_equal(fixture->heard, "");
    settle(fixture);
    assert_int_equal(result, 0);
    assert_string_equal(fixture->heard, "out/a=1;out/answer=1;");
    assert_true(ledger_is_dirty(fixture->ledger));
    assert_false(ledger_was_refused(fixture->ledger));
    ledger_commit(fixture->ledger, note_result, &result);
    settle(fixture);
    assert_string_equal(fixture->heard, "out/a=1;out/answer=1;out/a=2;out/b=2;out/answer=2;");
    assert_stored(fixture, STORE_DOCUMENTS, "out/a=2;out/b=2;");
}

static void what_was_under_way_and_failed_goes_in_front_and_a_newer_note_wins(void **state)
{
    struct fixture *fixture = *state;
    int result = 1;
    struct held_store *held = hold(fixture);
    memory_store_fail(held->inner, 1, ERR_FULL);
    document(fixture, "out/a", "1");
    document(fixture, "out/b", "1");
    document(fixture, "out/c", "tombstone");
    message(fixture, "out/answer", "1");
    ledger_commit(fixture->ledger, note_result, &result);
    document(fixture, "out/a", "2");
    ledger_clear(fixture->ledger, "out/c");
    message(fixture, "out/answer", "2");
    settle(fixture);
    assert_int_equal(result, -ERR_FULL);
    assert_string_equal(fixture->heard, "");
    ledger_commit(fixture->ledger, note_result, &result);
    settle(fixture);
    assert_string_equal(fixture->heard, "out/b=1;out/c=;out/a=2;out/answer=1;out/answer=2;");
    assert_stored(fixture, STORE_DOCUMENTS, "out/a=2;out/b=1;out/c=tombstone;");
}

static void a_ledger_that_goes_waits_for_what_is_under_way(void **state)
{
    struct fixture *fixture = *state;
    int result = 1;
    hold(fixture);
    document(fixture, "out/a", "1");
    ledger_commit(fixture->ledger, note_result, &result);
    ledger_free(fixture->ledger);
    fixture->ledger = NULL;
    assert_int_equal(result, 1);
    assert_stored(fixture, STORE_DOCUMENTS, "out/a=1;");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_document_is_stored_and_published_with_the_same_bytes),
        TEST(the_last_note_of_a_topic_wins_and_a_batch_is_one_commit),
        TEST(what_is_derived_is_published_without_a_transaction),
        TEST(removing_clears_the_topic_only_when_asked_to),
        TEST(messages_follow_the_documents_in_their_order),
        TEST(a_failed_commit_publishes_nothing_and_the_next_one_everything),
        TEST(what_is_cleared_before_it_could_be_stored_is_stored_all_the_same),
        TEST(what_the_bus_has_no_room_for_stays_noted),
        TEST(after_a_connect_every_own_document_is_published_again),
        TEST(a_document_that_waits_for_its_commit_is_not_published_again_before),
        TEST(what_is_noted_while_a_commit_is_under_way_belongs_to_the_next),
        TEST(what_was_under_way_and_failed_goes_in_front_and_a_newer_note_wins),
        TEST(a_ledger_that_goes_waits_for_what_is_under_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
