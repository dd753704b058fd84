/* The way from Paho's threads to the owner: a bounded queue behind a lock. Foreign threads only
 * copy and wake; the owner takes everything at once. */
#ifndef ARGOSY_ADAPTERS_MQTT_INBOX_H
#define ARGOSY_ADAPTERS_MQTT_INBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum inbox_kind {
    INBOX_MESSAGE,
    INBOX_CONNECTED,
    INBOX_CONNECT_FAILED,
    INBOX_LOST, /* also: the disconnect that was asked for is done */
    INBOX_SUBSCRIBED,
    INBOX_DELIVERED,
    INBOX_UNDELIVERED,
};

struct inbox_item {
    struct inbox_item *next;
    enum inbox_kind kind;
    uint64_t id; /* connection, stage or sending */
    int code;    /* return or reason code */
    bool granted;
    bool handshake; /* CONNECT_FAILED: the transport was there, the broker said no */
    char *text;     /* why; or a message's topic */
    /* of a message */
    char *payload;
    size_t length;
    int qos;
    bool retained;
    char *response_topic;
    char *correlation;
    size_t correlation_length;
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
struct inbox_item *inbox_item_new(enum inbox_kind kind, uint64_t id);
void inbox_item_free(struct inbox_item *item);

#endif
