/* Events: what happened, as CloudEvents 1.0 in structured JSON, and in the log; the limit on how
 * many of a kind are told (D38), and the memory that keeps each from being told twice. */
#ifndef ARGOSY_PLATFORM_EVENTS_H
#define ARGOSY_PLATFORM_EVENTS_H

#include "platform/base/buf.h"
#include "schema/reasons.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event {
    const char *kind; /* last level of its topic */
    enum reason reason;
    const char *message;
    const char *topic, *job, *node, *task; /* NULL where it does not apply */
    int64_t suppressed; /* of its kind, since the last that was told: event_limits_take() */
};

/* Who tells it, and when. */
struct event_origin {
    const char *source;   /* "/argosy/<cluster>/nodes/<node>" */
    const char *instance; /* of the process */
    int64_t number;       /* of the event in the process */
    int64_t wall_ms;
};

void event_encode(const struct event *event, const struct event_origin *origin, struct buf *out);
void event_log(const struct event *event);

/* A token bucket for each kind: a burst of EVENTS_PER_MINUTE, and as many in every minute, evenly.
 * All zero is a process that has told nothing. */
enum { EVENT_KINDS_MAX = 32 };
struct event_limit {
    const char *kind; /* a constant */
    int64_t full_ms;  /* mono: when its bucket is full again */
    int64_t suppressed;
};
struct event_limits {
    struct event_limit items[EVENT_KINDS_MAX];
    size_t count;
    int64_t suppressed_total;
};
/* True: it may be told, and says how many of its kind were not. False: it is counted. */
bool event_limits_take(struct event_limits *limits, struct event *event, int64_t mono_ms);

/* XXH3 with 64 bits (Collet, xxHash) over a topic, which may be "", and bytes. For memories of this
 * process: it is stored nowhere. */
uint64_t message_hash(const char *topic, const void *bytes, size_t length);
uint64_t event_hash(const struct event *event);
/* The same of a text alone, everywhere and for ever: XXH3 does not change. */
uint64_t text_hash(const char *text);

/* Hashes of what was published or reported, each in the one place that it maps to: a cheap memory
 * that forgets. */
struct hash_memory {
    uint64_t *items;
    size_t count;
};
void hash_memory_init(struct hash_memory *memory, size_t count);
void hash_memory_release(struct hash_memory *memory);
void hash_memory_clear(struct hash_memory *memory);
bool hash_memory_has(const struct hash_memory *memory, uint64_t hash);
/* True when it was there; it no longer is. */
bool hash_memory_take(struct hash_memory *memory, uint64_t hash);
/* True when it was there already. */
bool hash_memory_add(struct hash_memory *memory, uint64_t hash);

#endif
