/* Timers of pure code: a binary heap ordered by (due, order of setting). Nothing fires by itself:
 * the step fires what is due at its `now`. */
#include "manager/core/internal.h"

#include <stdlib.h>

void timer_init(struct timer *timer, void (*fire)(struct manager *, void *), void *owner)
{
    *timer = (struct timer){.fire = fire, .owner = owner};
}

static bool is_before(const struct timer *a, const struct timer *b)
{
    return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->number < b->number;
}

static void put(struct timers *timers, struct timer *timer, size_t place)
{
    timers->heap[place] = timer;
    timer->place = place;
}

static void sift_up(struct timers *timers, struct timer *timer, size_t place)
{
    for (; place > 1 && is_before(timer, timers->heap[place / 2]); place /= 2)
        put(timers, timers->heap[place / 2], place);
    put(timers, timer, place);
}

static void sift_down(struct timers *timers, struct timer *timer, size_t place)
{
    for (;;) {
        size_t child = place * 2;
        if (child > timers->count)
            break;
        if (child < timers->count && is_before(timers->heap[child + 1], timers->heap[child]))
            child++;
        if (!is_before(timers->heap[child], timer))
            break;
        put(timers, timers->heap[child], place);
        place = child;
    }
    put(timers, timer, place);
}

void timer_unset(struct timers *timers, struct timer *timer)
{
    size_t place = timer->place;
    if (!place)
        return;
    timer->place = 0;
    struct timer *last = timers->heap[timers->count--];
    if (last == timer)
        return;
    if (place > 1 && is_before(last, timers->heap[place / 2]))
        sift_up(timers, last, place);
    else
        sift_down(timers, last, place);
}

void timer_set(struct timers *timers, struct timer *timer, int64_t due_ms)
{
    if (timer->place && timer->due_ms == due_ms)
        return;
    timer_unset(timers, timer);
    timer->due_ms = due_ms;
    timer->number = ++timers->number;
    if (timers->count + 1 >= timers->capacity) {
        timers->capacity = timers->capacity ? timers->capacity * 2 : 64;
        timers->heap = mem_resize(timers->heap, timers->capacity, sizeof(*timers->heap));
    }
    sift_up(timers, timer, ++timers->count);
}

struct timer *timers_first(const struct timers *timers)
{
    return timers->count ? timers->heap[1] : NULL;
}

void timers_release(struct timers *timers)
{
    free(timers->heap);
    *timers = (struct timers){0};
}
