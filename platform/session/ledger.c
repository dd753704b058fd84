/* Notes are kept in one hash in order of noting: key = table digit + key or topic. A commit walks
 * them twice: once to store, once to publish.
 *
 * Failure modes: the transaction fails -> it is aborted and every note stays, unpublished. The bus
 * is full -> what it refused stays, no longer to be stored. */
#include "platform/session/ledger.h"

#include "platform/base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

struct note {
    char *name; /* table digit + key */
    char *bytes;
    size_t length;
    bool store;   /* still to be stored or removed */
    bool remove;  /* from the store */
    bool publish; /* still to be published, retained; empty when `remove` */
    bool clear;   /* and after that the empty message */
    UT_hash_handle hh;
};

struct message {
    struct bus_publication publication; /* pointers into this block of memory */
    struct message *next;
};

struct ledger {
    struct store *store;
    struct bus *bus;
    struct note *notes;
    struct message *messages; /* oldest first */
    struct message **messages_end;
};

struct ledger *ledger_new(struct store *store, struct bus *bus)
{
    struct ledger *ledger = mem_alloc(sizeof *ledger);
    ledger->store = store;
    ledger->bus = bus;
    ledger->messages_end = &ledger->messages;
    return ledger;
}

static void note_free(struct ledger *ledger, struct note *note)
{
    HASH_DEL(ledger->notes, note);
    free(note->name);
    free(note->bytes);
    free(note);
}

static void message_pop(struct ledger *ledger)
{
    struct message *message = ledger->messages;
    ledger->messages = message->next;
    if (!ledger->messages)
        ledger->messages_end = &ledger->messages;
    free(message);
}

void ledger_free(struct ledger *ledger)
{
    if (!ledger)
        return;
    struct note *note, *next;
    HASH_ITER(hh, ledger->notes, note, next)
    note_free(ledger, note);
    while (ledger->messages)
        message_pop(ledger);
    free(ledger);
}

static enum store_table note_table(const struct note *note)
{
    return (enum store_table)(note->name[0] - '0');
}

static const char *note_key(const struct note *note)
{
    return note->name + 1;
}

static struct note *note_find(const struct ledger *ledger, enum store_table table, const char *key)
{
    char name[STORE_KEY_MAX + 2] = {(char)('0' + (int)table)};
    struct note *note;
    strncpy(name + 1, key, STORE_KEY_MAX);
    HASH_FIND_STR(ledger->notes, name, note);
    return note;
}

/* The last note of a key wins, and takes the last place in the order. */
static struct note *ledger_note(struct ledger *ledger, enum store_table table, const char *key,
                                const void *bytes, size_t length)
{
    struct note *note = note_find(ledger, table, key);
    if (note)
        note_free(ledger, note);
    note = mem_alloc(sizeof *note);
    note->name = mem_printf("%c%s", (char)('0' + (int)table), key);
    note->bytes = mem_alloc(length);
    note->length = length;
    if (length)
        memcpy(note->bytes, bytes, length);
    HASH_ADD_KEYPTR(hh, ledger->notes, note->name, strlen(note->name), note);
    return note;
}

void ledger_document(struct ledger *ledger, const char *topic, const void *bytes, size_t length)
{
    struct note *note = ledger_note(ledger, STORE_DOCUMENTS, topic, bytes, length);
    note->store = note->publish = true;
}

void ledger_derived(struct ledger *ledger, const char *topic, const void *bytes, size_t length)
{
    ledger_note(ledger, STORE_DOCUMENTS, topic, bytes, length)->publish = true;
}

void ledger_clear(struct ledger *ledger, const char *topic)
{
    struct note *note = note_find(ledger, STORE_DOCUMENTS, topic);
    if (note && note->store)
        note->clear = true;
    else
        ledger_derived(ledger, topic, "", 0);
}

void ledger_store(struct ledger *ledger, enum store_table table, const char *key, const void *bytes,
                  size_t length)
{
    ledger_note(ledger, table, key, bytes, length)->store = true;
}

void ledger_remove(struct ledger *ledger, enum store_table table, const char *key, bool clear)
{
    struct note *note = ledger_note(ledger, table, key, NULL, 0);
    note->store = note->remove = true;
    note->publish = clear;
}

static char *copy_into(char **cursor, const void *bytes, size_t length)
{
    char *copy = *cursor;
    memcpy(copy, bytes, length);
    *cursor += length + 1;
    return copy;
}

void ledger_message(struct ledger *ledger, const struct bus_publication *publication)
{
    size_t topic_length = strlen(publication->topic);
    size_t size = topic_length + publication->length + publication->correlation_length + 3;
    struct message *message = mem_alloc(sizeof *message + size);
    char *cursor = (char *)(message + 1);
    message->publication = *publication;
    message->publication.topic = copy_into(&cursor, publication->topic, topic_length);
    if (publication->length)
        message->publication.payload =
            copy_into(&cursor, publication->payload, publication->length);
    if (publication->correlation_length)
        message->publication.correlation =
            copy_into(&cursor, publication->correlation, publication->correlation_length);
    *ledger->messages_end = message;
    ledger->messages_end = &message->next;
}

bool ledger_is_dirty(const struct ledger *ledger)
{
    return ledger->notes || ledger->messages;
}

static int note_write(struct ledger *ledger, const struct note *note, struct err *err)
{
    const struct store_ops *ops = ledger->store->ops;
    if (note->remove)
        return ops->remove(ledger->store, note_table(note), note_key(note), err);
    return ops->put(ledger->store, note_table(note), note_key(note), note->bytes, note->length,
                    err);
}

static int ledger_write(struct ledger *ledger, struct err *err)
{
    const struct store_ops *ops = ledger->store->ops;
    int result = 0;
    bool open = false;
    for (struct note *note = ledger->notes; note && !result; note = note->hh.next) {
        if (!note->store)
            continue;
        if (!open) {
            result = ops->begin(ledger->store, err);
            open = true;
        }
        if (!result)
            result = note_write(ledger, note, err);
    }
    if (open && !result)
        result = ops->commit(ledger->store, err);
    if (result)
        ops->abort(ledger->store);
    return result;
}

static int publish_retained(struct bus *bus, const char *topic, const void *bytes, size_t length)
{
    struct bus_publication publication = {
        .topic = topic, .payload = bytes, .length = length, .qos = 1, .retain = true};
    return bus->ops->publish(bus, &publication);
}

static void ledger_publish_notes(struct ledger *ledger)
{
    struct note *note, *next;
    HASH_ITER(hh, ledger->notes, note, next)
    {
        note->store = false;
        if (note->publish && publish_retained(ledger->bus, note_key(note), note->bytes,
                                              note->remove ? 0 : note->length) == -ERR_BUSY)
            continue;
        if (note->clear)
            publish_retained(ledger->bus, note_key(note), "", 0);
        note_free(ledger, note);
    }
}

static void ledger_publish_messages(struct ledger *ledger)
{
    while (ledger->messages) {
        if (ledger->bus->ops->publish(ledger->bus, &ledger->messages->publication) == -ERR_BUSY)
            return;
        message_pop(ledger);
    }
}

int ledger_commit(struct ledger *ledger, struct err *err)
{
    int result = ledger_write(ledger, err);
    if (result)
        return result;
    ledger_publish_notes(ledger);
    ledger_publish_messages(ledger);
    return 0;
}

struct republish {
    struct ledger *ledger;
    bool (*is_own)(void *context, const char *topic);
    void *context;
};

static int republish_one(void *context, const char *key, const void *value, size_t length)
{
    const struct republish *republish = context;
    if (note_find(republish->ledger, STORE_DOCUMENTS, key) ||
        !republish->is_own(republish->context, key))
        return 0; /* a pending note is newer than what is stored, and not committed yet */
    publish_retained(republish->ledger->bus, key, value, length);
    return 0;
}

int ledger_republish(struct ledger *ledger, bool (*is_own)(void *context, const char *topic),
                     void *context, struct err *err)
{
    struct republish republish = {ledger, is_own, context};
    return ledger->store->ops->scan(ledger->store, STORE_DOCUMENTS, republish_one, &republish, err);
}
