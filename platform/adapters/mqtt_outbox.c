#include "platform/adapters/mqtt_outbox.h"

#include "platform/base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include <utlist.h>

struct item {
    struct outbox_entry entry; /* first: an entry is its item */
    bool superseded;           /* in flight, and a newer one of its slot waits */
    struct item *prev, *next;  /* in `waiting` or `flying` */
    UT_hash_handle by_topic;   /* retained and not superseded */
    UT_hash_handle by_id;      /* in flight */
};

struct outbox {
    struct item *waiting; /* oldest first */
    struct item *flying;  /* oldest first */
    struct item *slots;
    struct item *ids;
    size_t in_flight;
    size_t count;
    size_t message_count; /* not retained */
};

struct outbox *outbox_new(void)
{
    return mem_alloc(sizeof(struct outbox));
}

static char *item_copy(char **cursor, const void *bytes, size_t length)
{
    char *copy = *cursor;
    if (length)
        memcpy(copy, bytes, length);
    *cursor += length + 1;
    return copy;
}

static struct item *item_new(const struct bus_publication *publication, const char *topic)
{
    size_t topic_length = strlen(topic);
    size_t size = topic_length + publication->length + publication->correlation_length + 3;
    struct item *item = mem_alloc(sizeof *item + size);
    char *cursor = (char *)(item + 1);
    struct bus_publication *copy = &item->entry.publication;
    *copy = *publication;
    copy->topic = item_copy(&cursor, topic, topic_length);
    copy->payload = item_copy(&cursor, publication->payload, publication->length);
    copy->correlation =
        item_copy(&cursor, publication->correlation, publication->correlation_length);
    return item;
}

static void slot_leave(struct outbox *outbox, struct item *item)
{
    if (item->entry.publication.retain && !item->superseded)
        HASH_DELETE(by_topic, outbox->slots, item);
}

/* Out of the slots and the counts; it must be out of its list already. */
static void item_free(struct outbox *outbox, struct item *item)
{
    slot_leave(outbox, item);
    outbox->count--;
    if (!item->entry.publication.retain)
        outbox->message_count--;
    free(item);
}

static void flying_remove(struct outbox *outbox, struct item *item)
{
    HASH_DELETE(by_id, outbox->ids, item);
    DL_DELETE(outbox->flying, item);
    outbox->in_flight--;
}

void outbox_free(struct outbox *outbox)
{
    if (!outbox)
        return;
    outbox_reset(outbox);
    while (outbox->waiting) {
        struct item *item = outbox->waiting;
        DL_DELETE(outbox->waiting, item);
        item_free(outbox, item);
    }
    free(outbox);
}

/* Makes room in the slot of a retained topic for a newer publication. */
static void slot_vacate(struct outbox *outbox, const char *topic)
{
    struct item *old;
    HASH_FIND(by_topic, outbox->slots, topic, strlen(topic), old);
    if (!old)
        return;
    if (old->entry.id) {
        HASH_DELETE(by_topic, outbox->slots, old);
        old->superseded = true;
        return;
    }
    DL_DELETE(outbox->waiting, old);
    item_free(outbox, old);
}

int outbox_add(struct outbox *outbox, const struct bus_publication *publication, const char *topic,
               size_t limit)
{
    if (!publication->retain && outbox->message_count >= limit)
        return -ERR_BUSY;
    struct item *item = item_new(publication, topic);
    if (publication->retain) {
        slot_vacate(outbox, topic);
        HASH_ADD_KEYPTR(by_topic, outbox->slots, item->entry.publication.topic, strlen(topic),
                        item);
    } else {
        outbox->message_count++;
    }
    DL_APPEND(outbox->waiting, item);
    outbox->count++;
    return 0;
}

struct outbox_entry *outbox_next(struct outbox *outbox)
{
    return outbox->waiting ? &outbox->waiting->entry : NULL;
}

void outbox_sent(struct outbox *outbox, struct outbox_entry *entry, uint64_t id)
{
    struct item *item = (struct item *)entry;
    struct outbox_entry *holder = outbox_find(outbox, id);
    if (holder) /* the library gave an id again whose end it never told */
        outbox_unsent(outbox, holder);
    DL_DELETE(outbox->waiting, item);
    DL_APPEND(outbox->flying, item);
    entry->id = id;
    HASH_ADD(by_id, outbox->ids, entry.id, sizeof entry->id, item);
    outbox->in_flight++;
}

void outbox_unsent(struct outbox *outbox, struct outbox_entry *entry)
{
    struct item *item = (struct item *)entry;
    flying_remove(outbox, item);
    entry->id = 0;
    if (item->superseded)
        item_free(outbox, item);
    else
        DL_PREPEND(outbox->waiting, item);
}

struct outbox_entry *outbox_find(struct outbox *outbox, uint64_t id)
{
    struct item *item;
    HASH_FIND(by_id, outbox->ids, &id, sizeof id, item);
    return item ? &item->entry : NULL;
}

void outbox_acknowledged(struct outbox *outbox, struct outbox_entry *entry)
{
    struct item *item = (struct item *)entry;
    flying_remove(outbox, item);
    item_free(outbox, item);
}

void outbox_reset(struct outbox *outbox)
{
    while (outbox->flying) /* newest first, each in front: the order stays */
        outbox_unsent(outbox, &outbox->flying->prev->entry);
}

size_t outbox_in_flight(const struct outbox *outbox)
{
    return outbox->in_flight;
}

size_t outbox_count(const struct outbox *outbox)
{
    return outbox->count;
}
