/* The one heap of events, ordered by (time, sequence): what was posted first happens first. */
#ifndef ARGOSY_SIMULATION_HEAP_H
#define ARGOSY_SIMULATION_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event {
    int64_t at_ms; /* of the world */
    uint64_t sequence;
    void (*run)(void *context, uint64_t id, void *load);
    void (*release)(void *load); /* of a load that was not taken over; NULL: nothing to do */
    void *context;
    uint64_t id; /* names what the event is for; its receiver checks that it still is there */
    void *load;
};

struct heap {
    struct event *items;
    size_t count, capacity;
    uint64_t sequence;
};

/* Copies `event`; its sequence is given here. */
void heap_push(struct heap *heap, struct event event);
/* The first one; false when there is none. */
bool heap_pop(struct heap *heap, struct event *ret_event);
void heap_release(struct heap *heap);

#endif
