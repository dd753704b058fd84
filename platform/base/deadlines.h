/* What is due when: a binary heap ordered by (due, order of setting). It has no clock; entries are
 * members of what is to be done, and are not copied. */
#ifndef ARGOSY_BASE_DEADLINES_H
#define ARGOSY_BASE_DEADLINES_H

#include <stddef.h>
#include <stdint.h>

struct deadline {
    int64_t due_ms; /* monotonic */
    uint64_t number;
    size_t place; /* in the heap, from 1; 0: not set */
};

struct deadlines {
    struct deadline **heap; /* heap[0] is not used */
    size_t count, capacity;
    uint64_t number; /* of the last one that was set */
};

/* Setting it to what it is already keeps its place in the order. */
void deadline_set(struct deadlines *deadlines, struct deadline *deadline, int64_t due_ms);
/* Does nothing when it is not set. */
void deadline_unset(struct deadlines *deadlines, struct deadline *deadline);
/* NULL: nothing is ever due. */
struct deadline *deadlines_first(const struct deadlines *deadlines);
void deadlines_release(struct deadlines *deadlines);

#endif
