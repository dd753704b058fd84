#include "platform/adapters/mqtt_paho_inbox.h"

#include "platform/base/mem.h"

#include <pthread.h>
#include <stdlib.h>

struct inbox {
    pthread_mutex_t lock;
    struct inbox_item *first;
    struct inbox_item **last;
    size_t count, bytes;
    size_t limit_items, limit_bytes;
    bool overflow;
    void (*wake)(void *context);
    void *context;
};

struct inbox *inbox_new(void (*wake)(void *context), void *context, size_t limit_items,
                        size_t limit_bytes)
{
    struct inbox *inbox = mem_alloc(sizeof *inbox);
    pthread_mutex_init(&inbox->lock, NULL);
    inbox->last = &inbox->first;
    inbox->limit_items = limit_items;
    inbox->limit_bytes = limit_bytes;
    inbox->wake = wake;
    inbox->context = context;
    return inbox;
}

struct inbox_item *inbox_item_new(enum mqtt_event_kind kind, uint64_t token)
{
    struct inbox_item *item = mem_alloc(sizeof *item);
    item->event = (struct mqtt_event){.kind = kind, .token = token};
    if (kind == MQTT_MESSAGE)
        item->event.message = &item->message;
    return item;
}

void inbox_item_free(struct inbox_item *item)
{
    if (!item)
        return;
    free(item->text);
    free((char *)(uintptr_t)item->message.topic);
    free((char *)(uintptr_t)item->message.payload);
    free((char *)(uintptr_t)item->message.response_topic);
    free((char *)(uintptr_t)item->message.correlation);
    free(item);
}

void inbox_items_free(struct inbox_item *first)
{
    for (struct inbox_item *next; first; first = next) {
        next = first->next;
        inbox_item_free(first);
    }
}

void inbox_free(struct inbox *inbox)
{
    if (!inbox)
        return;
    inbox_items_free(inbox->first);
    pthread_mutex_destroy(&inbox->lock);
    free(inbox);
}

/* Only messages are refused: what tells the state of the connection always gets through. */
static bool inbox_has_room(struct inbox *inbox, const struct inbox_item *item)
{
    if (item->event.kind != MQTT_MESSAGE)
        return true;
    if (inbox->count >= inbox->limit_items ||
        item->message.length > inbox->limit_bytes - inbox->bytes)
        inbox->overflow = true;
    return !inbox->overflow;
}

void inbox_push(struct inbox *inbox, struct inbox_item *item)
{
    pthread_mutex_lock(&inbox->lock);
    bool wake = !inbox->first;
    if (inbox_has_room(inbox, item)) {
        inbox->count++;
        inbox->bytes += item->message.length;
        *inbox->last = item;
        inbox->last = &item->next;
        item = NULL;
    }
    pthread_mutex_unlock(&inbox->lock);
    inbox_item_free(item);
    if (wake)
        inbox->wake(inbox->context);
}

struct inbox_item *inbox_take(struct inbox *inbox, bool *ret_overflow)
{
    pthread_mutex_lock(&inbox->lock);
    struct inbox_item *items = inbox->first;
    *ret_overflow = inbox->overflow;
    inbox->first = NULL;
    inbox->last = &inbox->first;
    inbox->count = inbox->bytes = 0;
    inbox->overflow = false;
    pthread_mutex_unlock(&inbox->lock);
    return items;
}
