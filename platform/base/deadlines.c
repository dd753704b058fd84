#include "platform/base/deadlines.h"

#include "platform/base/mem.h"

#include <stdbool.h>
#include <stdlib.h>

static bool is_before(const struct deadline *a, const struct deadline *b)
{
    return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->number < b->number;
}

static void put(struct deadlines *deadlines, struct deadline *deadline, size_t place)
{
    deadlines->heap[place] = deadline;
    deadline->place = place;
}

static void sift_up(struct deadlines *deadlines, struct deadline *deadline, size_t place)
{
    for (; place > 1 && is_before(deadline, deadlines->heap[place / 2]); place /= 2)
        put(deadlines, deadlines->heap[place / 2], place);
    put(deadlines, deadline, place);
}

static void sift_down(struct deadlines *deadlines, struct deadline *deadline, size_t place)
{
    for (;;) {
        size_t child = place * 2;
        if (child > deadlines->count)
            break;
        if (child < deadlines->count &&
            is_before(deadlines->heap[child + 1], deadlines->heap[child]))
            child++;
        if (!is_before(deadlines->heap[child], deadline))
            break;
        put(deadlines, deadlines->heap[child], place);
        place = child;
    }
    put(deadlines, deadline, place);
}

void deadline_unset(struct deadlines *deadlines, struct deadline *deadline)
{
    size_t place = deadline->place;
    if (!place)
        return;
    deadline->place = 0;
    struct deadline *last = deadlines->heap[deadlines->count--];
    if (last == deadline)
        return;
    if (place > 1 && is_before(last, deadlines->heap[place / 2]))
        sift_up(deadlines, last, place);
    else
        sift_down(deadlines, last, place);
}

void deadline_set(struct deadlines *deadlines, struct deadline *deadline, int64_t due_ms)
{
    if (deadline->place && deadline->due_ms == due_ms)
        return;
    deadline_unset(deadlines, deadline);
    deadline->due_ms = due_ms;
    deadline->number = ++deadlines->number;
    if (deadlines->count + 1 >= deadlines->capacity) {
        deadlines->capacity = deadlines->capacity ? deadlines->capacity * 2 : 64;
        deadlines->heap =
            mem_resize(deadlines->heap, deadlines->capacity, sizeof(*deadlines->heap));
    }
    sift_up(deadlines, deadline, ++deadlines->count);
}

struct deadline *deadlines_first(const struct deadlines *deadlines)
{
    return deadlines->count ? deadlines->heap[1] : NULL;
}

void deadlines_release(struct deadlines *deadlines)
{
    free(deadlines->heap);
    *deadlines = (struct deadlines){0};
}
