/* The way from Paho's threads to the owner: a bounded queue behind a lock. Foreign threads only
 * copy and wake; the owner takes everything at once. */
#ifndef ARGOSY_ADAPTERS_MQTT_PAHO_INBOX_H
#define ARGOSY_ADAPTERS_MQTT_PAHO_INBOX_H

#include "platform/adapters/mqtt_client.h"

struct inbox_item {
    struct inbox_item *next;
    struct mqtt_event event;    /* its pointers are to what follows */
    struct bus_message message; /* of a MESSAGE; all memory is the item's */
    char *text;
};

struct inbox;

struct inbox *inbox_new(void (*wake)(void *context), void *context, size_t limit_items,
                        size_t limit_bytes);
void inbox_free(struct inbox *inbox);
/* Takes the item (from inbox_item_new). A message past the limits is dropped and remembered. Any
 * thread. */
void inbox_push(struct inbox *inbox, struct inbox_item *item);
/* All items, oldest first; the caller frees each. `ret_overflow`: messages were dropped since the
 * last call. */
struct inbox_item *inbox_take(struct inbox *inbox, bool *ret_overflow);
struct inbox_item *inbox_item_new(enum mqtt_event_kind kind, uint64_t token);
void inbox_item_free(struct inbox_item *item);
/* All of a list. */
void inbox_items_free(struct inbox_item *first);

#endif
