/* The largest of many values that change one at a time: a tree whose inner entries are the largest
 * of 16 below (two cache lines), so that 100,000 leaves are five levels. */
#ifndef ARGOSY_MANAGER_SCHEDULER_RANKING_H
#define ARGOSY_MANAGER_SCHEDULER_RANKING_H

#include "platform/base/arena.h"

#include <stddef.h>
#include <stdint.h>

#define RANKING_NONE INT64_MIN

enum { RANKING_LEVELS_MAX = 8 };

struct ranking {
    int64_t *levels[RANKING_LEVELS_MAX]; /* [0] the leaves; padded to 16 below the last one */
    size_t depth;
    size_t count;     /* leaves */
    size_t top_count; /* entries of the last level */
};

/* All leaves are RANKING_NONE. Memory from `arena`, which must not be exhausted. */
void ranking_init(struct ranking *ranking, size_t count, struct arena *arena);
void ranking_set(struct ranking *ranking, size_t leaf, int64_t value);
/* After leaves were written directly. */
void ranking_build(struct ranking *ranking);
/* The largest value, and its first leaf; RANKING_NONE when there is none. */
int64_t ranking_top(const struct ranking *ranking, size_t *ret_leaf);
static inline int64_t ranking_get(const struct ranking *ranking, size_t leaf)
{
    return ranking->levels[0][leaf];
}

#endif
