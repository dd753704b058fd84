/* A binary heap in an array. */
#include "tests/simulation/heap.h"

#include "platform/base/mem.h"

#include <stdlib.h>

static bool earlier(const struct event *a, const struct event *b)
{
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->sequence < b->sequence;
}

static void swap(struct event *a, struct event *b)
{
    struct event kept = *a;
    *a = *b;
    *b = kept;
}

void heap_push(struct heap *heap, struct event event)
{
    if (heap->count == heap->capacity) {
        heap->capacity = heap->capacity ? heap->capacity * 2 : 64;
        heap->items = mem_resize(heap->items, heap->capacity, sizeof(*heap->items));
    }
    size_t at = heap->count++;
    event.sequence = ++heap->sequence;
    heap->items[at] = event;
    for (; at && earlier(&heap->items[at], &heap->items[(at - 1) / 2]); at = (at - 1) / 2)
        swap(&heap->items[at], &heap->items[(at - 1) / 2]);
}

static void sink(struct heap *heap)
{
    for (size_t at = 0;;) {
        size_t first = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2; child++)
            if (child < heap->count && earlier(&heap->items[child], &heap->items[first]))
                first = child;
        if (first == at)
            return;
        swap(&heap->items[at], &heap->items[first]);
        at = first;
    }
}

bool heap_pop(struct heap *heap, struct event *ret_event)
{
    if (!heap->count)
        return false;
    *ret_event = heap->items[0];
    heap->items[0] = heap->items[--heap->count];
    sink(heap);
    return true;
}

void heap_release(struct heap *heap)
{
    for (size_t i = 0; i < heap->count; i++)
        if (heap->items[i].release)
            heap->items[i].release(heap->items[i].load);
    free(heap->items);
}
