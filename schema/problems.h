/* Problems: everything that is wrong with one input, each with its place, what is wrong, and the
 * remedy. */
#ifndef ARGOSY_SCHEMA_PROBLEMS_H
#define ARGOSY_SCHEMA_PROBLEMS_H

#include "platform/base/arena.h"

#include <stdbool.h>
#include <stddef.h>

struct problem {
    const char *path;    /* JSON pointer, "" is the whole document */
    const char *message; /* what is wrong, a sentence without a full stop */
    const char *hint;    /* the remedy, or NULL */
};

/* Zero-initialise. At most LIMIT_PROBLEMS are kept; `dropped` counts the rest. Texts live in the
 * arena. */
struct problems {
    struct arena arena;
    struct problem *items;
    size_t count;
    size_t dropped;
};

/* Copies its texts. When memory is exhausted the problem is counted in `dropped`. `hint` may be
 * NULL. */
void problems_add(struct problems *problems, const char *path, const char *hint, const char *format,
                  ...) __attribute__((format(printf, 4, 5)));
static inline bool problems_any(const struct problems *problems)
{
    return problems->count || problems->dropped;
}
void problems_release(struct problems *problems);
#define _cleanup_problems_ __attribute__((cleanup(problems_release)))

/* The candidate nearest to `word` by edit distance (Damerau-Levenshtein, at most 2 and less than
 * half of the word), or NULL. For "did you mean". */
const char *problems_nearest(const char *word, const char *const *candidates, size_t count);

#endif
