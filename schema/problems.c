#include "schema/problems.h"

#include "platform/base/mem.h"
#include "schema/limits.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { MESSAGE_BYTES = 512, WORD_BYTES = 48 };

static struct problem *problems_next(struct problems *problems)
{
    if (!problems->items)
        problems->items = arena_array(&problems->arena, LIMIT_PROBLEMS, sizeof *problems->items);
    if (!problems->items || problems->count == LIMIT_PROBLEMS)
        return NULL;
    return &problems->items[problems->count];
}

void problems_add(struct problems *problems, const char *path, const char *hint, const char *format,
                  ...)
{
    char message[MESSAGE_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    struct problem *problem = problems_next(problems);
    if (problem) {
        problem->path = arena_strdup(&problems->arena, path);
        problem->message = arena_strdup(&problems->arena, message);
        problem->hint = hint ? arena_strdup(&problems->arena, hint) : NULL;
    }
    if (problem && problem->path && problem->message)
        problems->count++;
    else
        problems->dropped++;
}

void problems_release(struct problems *problems)
{
    if (!problems)
        return;
    arena_release(&problems->arena);
    *problems = (struct problems){0};
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Damerau-Levenshtein distance, optimal string alignment (Boytsov, "Indexing methods for
 * approximate dictionary searching", 2011): three rows suffice. */
static size_t edit_distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t rows[3][WORD_BYTES + 1];
    for (size_t j = 0; j <= b_length; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *second = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            row[j] = smaller(above[j], row[j - 1]) + 1;
            row[j] = smaller(row[j], above[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = smaller(row[j], second[j - 2] + 1);
        }
    }
    return rows[a_length % 3][b_length];
}

const char *problems_nearest(const char *word, const char *const *candidates, size_t count)
{
    size_t length = strlen(word), best = 3;
    const char *nearest = NULL;
    if (length > WORD_BYTES)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        size_t candidate_length = strlen(candidates[i]);
        if (candidate_length > WORD_BYTES)
            continue;
        size_t distance = edit_distance(word, length, candidates[i], candidate_length);
        if (distance < best && distance * 2 < length) {
            best = distance;
            nearest = candidates[i];
        }
    }
    return nearest;
}
