#include "manager/scheduler/ranking.h"

#include "platform/base/mem.h"

enum { WIDTH = 16 };

void ranking_init(struct ranking *ranking, size_t count, struct arena *arena)
{
    size_t entries = count;
    *ranking = (struct ranking){.count = count};
    for (;;) {
        size_t blocks = (entries + WIDTH - 1) / WIDTH;
        size_t size = blocks > 1 ? blocks * WIDTH : entries;
        int64_t *level = arena_array(arena, size, sizeof(*level));
        ASSERT(level && ranking->depth < RANKING_LEVELS_MAX);
        for (size_t i = 0; i < size; i++)
            level[i] = RANKING_NONE;
        ranking->levels[ranking->depth++] = level;
        ranking->top_count = entries;
        if (blocks <= 1)
            return;
        entries = blocks;
    }
}

/* Of a whole block: everything but the last level has no others. */
static int64_t block_largest(const int64_t *block)
{
    int64_t largest = block[0];
    for (size_t i = 1; i < WIDTH; i++)
        largest = block[i] > largest ? block[i] : largest;
    return largest;
}

void ranking_set(struct ranking *ranking, size_t leaf, int64_t value)
{
    int64_t before = ranking->levels[0][leaf];
    ranking->levels[0][leaf] = value;
    for (size_t level = 1; level < ranking->depth && value != before; level++) {
        int64_t *above = &ranking->levels[level][leaf / WIDTH];
        int64_t largest = *above;
        if (value > largest)
            largest = value;
        else if (before == largest) /* it was the one, or one of them */
            largest = block_largest(&ranking->levels[level - 1][leaf / WIDTH * WIDTH]);
        before = *above;
        *above = value = largest;
        leaf /= WIDTH;
    }
}

void ranking_build(struct ranking *ranking)
{
    size_t blocks = ranking->count;
    for (size_t level = 1; level < ranking->depth; level++) {
        blocks = (blocks + WIDTH - 1) / WIDTH;
        for (size_t i = 0; i < blocks; i++)
            ranking->levels[level][i] = block_largest(&ranking->levels[level - 1][i * WIDTH]);
    }
}

int64_t ranking_top(const struct ranking *ranking, size_t *ret_leaf)
{
    size_t at = 0;
    int64_t largest = RANKING_NONE;
    for (size_t i = 0; i < ranking->top_count; i++)
        if (ranking->levels[ranking->depth - 1][i] > largest)
            largest = ranking->levels[ranking->depth - 1][i];
    *ret_leaf = 0;
    if (largest == RANKING_NONE)
        return largest;
    for (size_t level = ranking->depth; level-- > 0;) {
        const int64_t *block = &ranking->levels[level][at * WIDTH];
        size_t child = 0;
        while (block[child] != largest)
            child++;
        at = at * WIDTH + child;
    }
    *ret_leaf = at;
    return largest;
}
