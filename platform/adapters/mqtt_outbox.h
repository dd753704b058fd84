/* The outbox of a bus: what was given to publish and is not acknowledged yet, in order.
 *
 *   waiting -> in flight -> acknowledged (forgotten)
 *      ^----------/  outbox_reset(): the connection was lost, all are sent again, oldest first
 *
 * A retained publication has one slot a topic: a later one takes the place of an earlier one that
 * is still waiting; one that is in flight is finished first, and not sent again after a reset.
 * Pure, one thread. */
#ifndef ARGOSY_ADAPTERS_MQTT_OUTBOX_H
#define ARGOSY_ADAPTERS_MQTT_OUTBOX_H

#include "platform/ports/bus.h"

struct outbox;

struct outbox_entry {
    struct bus_publication publication; /* whole topic; all memory belongs to the entry */
    uint64_t id;                        /* of the present sending; never 0 while in flight */
};

struct outbox *outbox_new(void);
void outbox_free(struct outbox *outbox);
/* Copies. 0, or -ERR_BUSY when `limit` messages that are not retained are held. `topic` is the
 * whole one. */
int outbox_add(struct outbox *outbox, const struct bus_publication *publication, const char *topic,
               size_t limit);
/* The oldest that waits, or NULL. It stays waiting until outbox_sent(). */
struct outbox_entry *outbox_next(struct outbox *outbox);
/* Moves it into flight under the id that its acknowledgement will carry. */
void outbox_sent(struct outbox *outbox, struct outbox_entry *entry, uint64_t id);
/* It could not be sent after all: waits again, at its old place. */
void outbox_unsent(struct outbox *outbox, struct outbox_entry *entry);
/* The entry in flight under `id`, or NULL (an answer to an earlier sending). */
struct outbox_entry *outbox_find(struct outbox *outbox, uint64_t id);
void outbox_acknowledged(struct outbox *outbox, struct outbox_entry *entry);
/* The connection was lost: what was in flight waits again, in front and in order. */
void outbox_reset(struct outbox *outbox);
size_t outbox_in_flight(const struct outbox *outbox);
/* Waiting and in flight. */
size_t outbox_count(const struct outbox *outbox);

#endif
