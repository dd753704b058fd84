/* Notes are kept in one hash in order of noting: key = table digit + key or topic. There are two
 * batches: what is gathered, and what is under way:
 *
 *   gathered -commit-> under way -stored-> published, forgotten
 *      ^-------------------/  the store failed, or the bus has no room: back, in front of what came
 *                             meanwhile, of which a newer note of the same key wins
 *
 * Failure modes: the transaction fails -> every note stays, unpublished. The bus is full -> what it
 * refused stays, no longer to be stored. */
#include "platform/session/ledger.h"

#include "platform/base/mem.h"
#include "platform/session/events.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

struct note {
    char *bytes; /* behind the name */
    size_t length;
    bool store;   /* still to be stored or removed */
    bool remove;  /* from the store */
    bool publish; /* still to be published, retained; empty when `remove` */
    bool clear;   /* and after that the empty message */
    UT_hash_handle hh;
    char name[]; /* table digit + key */
};

struct message {
    struct bus_publication publication; /* pointers into this block of memory */
    struct message *next;
};

struct batch {
    struct note *notes;
    struct message *messages; /* oldest first */
    struct message **messages_end;
};

struct ledger {
    struct store *store;
    struct bus *bus;
    struct batch gathered, under_way;
    bool committing, refused;
    struct store_write *writes; /* of what is under way */
    ledger_committed_fn *committed;
    void *context;
    uint64_t *heard; /* hashes of what the broker holds */
    size_t heard_count, heard_room;
};

static void batch_init(struct batch *batch)
{
    *batch = (struct batch){.messages_end = &batch->messages};
}

static void batch_move(struct batch *from, struct batch *to)
{
    *to = *from;
    if (!to->messages)
        to->messages_end = &to->messages;
    batch_init(from);
}

struct ledger *ledger_new(struct store *store, struct bus *bus)
{
    struct ledger *ledger = mem_alloc(sizeof *ledger);
    ledger->store = store;
    ledger->bus = bus;
    batch_init(&ledger->gathered);
    batch_init(&ledger->under_way);
    return ledger;
}

static void note_free(struct batch *batch, struct note *note)
{
    HASH_DEL(batch->notes, note);
    free(note);
}

static void message_pop(struct batch *batch)
{
    struct message *message = batch->messages;
    batch->messages = message->next;
    if (!batch->messages)
        batch->messages_end = &batch->messages;
    free(message);
}

static void batch_release(struct batch *batch)
{
    struct note *note, *next;
    HASH_ITER(hh, batch->notes, note, next)
    note_free(batch, note);
    while (batch->messages)
        message_pop(batch);
}

void ledger_free(struct ledger *ledger)
{
    if (!ledger)
        return;
    ledger->committed = NULL;
    ledger_settle(ledger);
    batch_release(&ledger->under_way);
    batch_release(&ledger->gathered);
    ledger_forget_heard(ledger);
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

static struct note *note_find(const struct batch *batch, enum store_table table, const char *key)
{
    char name[STORE_KEY_MAX + 1];
    size_t length = strlen(key);
    struct note *note;
    if (length > STORE_KEY_MAX)
        return NULL; /* the store will not take it */
    name[0] = (char)('0' + (int)table);
    memcpy(name + 1, key, length);
    HASH_FIND(hh, batch->notes, name, length + 1, note);
    return note;
}

/* The last note of a key wins, and takes the last place in the order. */
static struct note *ledger_note(struct ledger *ledger, enum store_table table, const char *key,
                                const void *bytes, size_t length)
{
    struct batch *batch = &ledger->gathered;
    struct note *note = note_find(batch, table, key);
    if (note)
        note_free(batch, note);
    size_t key_length = strlen(key);
    note = mem_alloc(sizeof *note + key_length + 2 + length);
    note->name[0] = (char)('0' + (int)table);
    memcpy(note->name + 1, key, key_length);
    note->bytes = note->name + key_length + 2;
    note->length = length;
    if (length)
        memcpy(note->bytes, bytes, length);
    HASH_ADD_KEYPTR(hh, batch->notes, note->name, key_length + 1, note);
    return note;
}

void ledger_document(struct ledger *ledger, const char *topic, const void *bytes, size_t length)
{
    struct note *note = ledger_note(ledger, STORE_DOCUMENTS, topic, bytes, length);
    note->store = note->publish = true;
}

void ledger_derived(struct ledger *ledger, const char *topic, const void *bytes, size_t length)
{
    const struct note *older = note_find(&ledger->gathered, STORE_DOCUMENTS, topic);
    bool store = older && older->store;
    struct note *note = ledger_note(ledger, STORE_DOCUMENTS, topic, bytes, length);
    note->publish = true;
    note->store = store;
}

void ledger_clear(struct ledger *ledger, const char *topic)
{
    struct note *note = note_find(&ledger->gathered, STORE_DOCUMENTS, topic);
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
    *ledger->gathered.messages_end = message;
    ledger->gathered.messages_end = &message->next;
}

bool ledger_is_dirty(const struct ledger *ledger)
{
    return ledger->gathered.notes || ledger->gathered.messages;
}

bool ledger_was_refused(const struct ledger *ledger)
{
    return ledger->refused;
}

bool ledger_is_committing(const struct ledger *ledger)
{
    return ledger->committing;
}

size_t ledger_count(const struct ledger *ledger)
{
    return HASH_COUNT(ledger->gathered.notes) + HASH_COUNT(ledger->under_way.notes);
}

/* ---- publishing ---- */

static int publish_retained(struct bus *bus, const char *topic, const void *bytes, size_t length)
{
    struct bus_publication publication = {
        .topic = topic, .payload = bytes, .length = length, .qos = 1, .retain = true};
    return bus->ops->publish(bus, &publication);
}

static void publish_notes(struct batch *batch, struct bus *bus)
{
    struct note *note, *next;
    HASH_ITER(hh, batch->notes, note, next)
    {
        note->store = false;
        if (note->publish && publish_retained(bus, note_key(note), note->bytes,
                                              note->remove ? 0 : note->length) == -ERR_BUSY)
            continue;
        if (note->clear)
            publish_retained(bus, note_key(note), "", 0);
        note_free(batch, note);
    }
}

static void publish_messages(struct batch *batch, struct bus *bus)
{
    while (batch->messages) {
        if (bus->ops->publish(bus, &batch->messages->publication) == -ERR_BUSY)
            return;
        message_pop(batch);
    }
}

/* ---- committing ---- */

/* Of a note and an older one of the same key that did not get there: false, the older one stays. */
static bool wins_over(const struct note *note, struct note *older)
{
    if (!older->store || note->store || note->length)
        return true;
    older->clear = true; /* what is cleared before it could be stored is stored all the same */
    return false;
}

/* Behind what did not get there. */
static void note_join(struct batch *batch, struct note *note)
{
    struct note *older;
    HASH_FIND(hh, batch->notes, note->name, note->hh.keylen, older);
    if (older && !wins_over(note, older)) {
        free(note);
        return;
    }
    if (older)
        note_free(batch, older);
    HASH_ADD_KEYPTR(hh, batch->notes, note->name, note->hh.keylen, note);
}

/* What is left of what was under way goes in front of what was gathered meanwhile. */
static void put_back(struct ledger *ledger)
{
    struct batch *batch = &ledger->under_way, *gathered = &ledger->gathered;
    struct note *note, *next;
    if (!batch->notes && !batch->messages)
        return;
    HASH_ITER(hh, gathered->notes, note, next)
    {
        HASH_DEL(gathered->notes, note);
        note_join(batch, note);
    }
    *batch->messages_end = gathered->messages;
    if (gathered->messages)
        batch->messages_end = gathered->messages_end;
    batch_move(batch, gathered);
}

static void on_written(void *context, int result, const struct err *err)
{
    struct ledger *ledger = context;
    struct batch *batch = &ledger->under_way;
    free(ledger->writes);
    ledger->writes = NULL;
    ledger->committing = false;
    if (!ledger->committed)
        return;
    if (!result) {
        bus_hold(ledger->bus, true);
        publish_notes(batch, ledger->bus);
        publish_messages(batch, ledger->bus);
        bus_hold(ledger->bus, false);
    }
    ledger->refused = !result && (batch->notes || batch->messages);
    put_back(ledger);
    ledger->committed(ledger->context, result, err);
}

static size_t collect_writes(struct ledger *ledger)
{
    const struct note *note = ledger->under_way.notes;
    size_t count = 0;
    ledger->writes = mem_resize(NULL, HASH_COUNT(note) + 1, sizeof *ledger->writes);
    for (; note; note = note->hh.next)
        if (note->store)
            ledger->writes[count++] = (struct store_write){
                note_table(note), note->remove, note_key(note), note->bytes, note->length};
    return count;
}

void ledger_commit(struct ledger *ledger, ledger_committed_fn *committed, void *context)
{
    ASSERT(!ledger->committing);
    ledger->committing = true;
    ledger->committed = committed;
    ledger->context = context;
    batch_move(&ledger->gathered, &ledger->under_way);
    size_t count = collect_writes(ledger);
    if (count)
        ledger->store->ops->write(ledger->store, ledger->writes, count, on_written, ledger);
    else
        on_written(ledger, 0, &(struct err){0});
}

void ledger_settle(struct ledger *ledger)
{
    if (ledger->committing)
        ledger->store->ops->settle(ledger->store);
}

struct outcome {
    int result;
    struct err *err;
};

static void note_outcome(void *context, int result, const struct err *err)
{
    struct outcome *outcome = context;
    outcome->result = result;
    *outcome->err = *err;
}

int ledger_commit_now(struct ledger *ledger, struct err *err)
{
    struct outcome outcome = {0, err};
    ledger_commit(ledger, note_outcome, &outcome);
    ledger_settle(ledger);
    return outcome.result;
}

/* ---- publishing again ---- */

void ledger_forget_heard(struct ledger *ledger)
{
    free(ledger->heard);
    ledger->heard = NULL;
    ledger->heard_count = ledger->heard_room = 0;
}

void ledger_heard(struct ledger *ledger, const char *topic, const void *bytes, size_t length)
{
    enum { FIRST_ROOM = 64 };
    if (ledger->heard_count == ledger->heard_room) {
        ledger->heard_room = ledger->heard_room ? 2 * ledger->heard_room : FIRST_ROOM;
        ledger->heard = mem_resize(ledger->heard, ledger->heard_room, sizeof *ledger->heard);
    }
    ledger->heard[ledger->heard_count++] = message_hash(topic, bytes, length);
}

static int hash_compare(const void *one, const void *other)
{
    uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;
    return (a > b) - (a < b);
}

static bool was_heard(const struct ledger *ledger, const char *topic, const void *bytes,
                      size_t length)
{
    uint64_t hash = message_hash(topic, bytes, length);
    return ledger->heard_count &&
           bsearch(&hash, ledger->heard, ledger->heard_count, sizeof hash, hash_compare);
}

struct republish {
    struct ledger *ledger;
    bool (*is_own)(void *context, const char *topic);
    void *context;
};

static int republish_one(void *context, const char *key, const void *value, size_t length)
{
    const struct republish *republish = context;
    const struct ledger *ledger = republish->ledger;
    if (note_find(&ledger->gathered, STORE_DOCUMENTS, key) ||
        note_find(&ledger->under_way, STORE_DOCUMENTS, key) ||
        !republish->is_own(republish->context, key) || was_heard(ledger, key, value, length))
        return 0; /* a pending note is newer than what is stored, and not committed yet */
    publish_retained(ledger->bus, key, value, length);
    return 0;
}

int ledger_republish(struct ledger *ledger, bool (*is_own)(void *context, const char *topic),
                     void *context, struct err *err)
{
    struct republish republish = {ledger, is_own, context};
    if (ledger->heard_count)
        qsort(ledger->heard, ledger->heard_count, sizeof *ledger->heard, hash_compare);
    int result =
        ledger->store->ops->scan(ledger->store, STORE_DOCUMENTS, republish_one, &republish, err);
    ledger_forget_heard(ledger);
    return result;
}
