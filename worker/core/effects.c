/* Effects: an array of calls and a map of marked documents. */
#include "worker/core/effects.h"

#include "platform/base/mem.h"
#include "platform/base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

struct mark {
    char job[LIMIT_NAME_LENGTH + 1];
    unsigned bits;
    UT_hash_handle hh;
};

struct effect *effects_add(struct effects *effects, enum effect_kind kind)
{
    if (effects->count == effects->capacity) {
        effects->capacity = effects->capacity ? effects->capacity * 2 : 16;
        effects->items = mem_resize(effects->items, effects->capacity, sizeof(*effects->items));
    }
    struct effect *effect = &effects->items[effects->count++];
    memset(effect, 0, sizeof(*effect));
    effect->kind = kind;
    return effect;
}

void effects_event(struct effects *effects, const char *word, enum reason reason, const char *job,
                   const char *task_id, const char *format, ...)
{
    struct effect *effect = effects_add(effects, EFFECT_EVENT);
    effect->word = word;
    effect->reason = reason;
    text_copy(effect->job, sizeof(effect->job), job);
    text_copy(effect->task_id, sizeof(effect->task_id), task_id);
    va_list args;
    va_start(args, format);
    effect->message = mem_alloc(LIMIT_MESSAGE_LENGTH + 1);
    vsnprintf(effect->message, LIMIT_MESSAGE_LENGTH + 1, format, args);
    va_end(args);
}

void effects_mark(struct effects *effects, const char *job, unsigned marks)
{
    struct mark *mark = effects->marked;
    if (!mark || strcmp(mark->job, job) != 0) {
        HASH_FIND_STR(effects->marks, job, mark);
    }
    if (!mark) {
        mark = mem_alloc(sizeof(*mark));
        text_copy(mark->job, sizeof(mark->job), job);
        HASH_ADD_STR(effects->marks, job, mark);
    }
    mark->bits |= marks;
    effects->marked = mark;
}

void effects_each_mark(const struct effects *effects,
                       void (*visit)(void *context, const char *job, unsigned marks), void *context)
{
    for (const struct mark *mark = effects->marks; mark; mark = mark->hh.next) {
        visit(context, mark->job, mark->bits);
    }
}

bool effects_any_mark(const struct effects *effects)
{
    return effects->marks || effects->info || effects->desired || effects->meta;
}

void effects_clear_marks(struct effects *effects)
{
    struct mark *mark, *next;
    HASH_ITER(hh, effects->marks, mark, next)
    {
        HASH_DEL(effects->marks, mark);
        free(mark);
    }
    effects->marked = NULL;
    effects->info = effects->desired = effects->meta = false;
}

void effects_clear_items(struct effects *effects)
{
    for (size_t i = 0; i < effects->count; i++) {
        free(effects->items[i].message);
    }
    effects->count = 0;
}

void worker_effects_release(struct effects *effects)
{
    effects_clear_marks(effects);
    effects_clear_items(effects);
    free(effects->items);
    *effects = (struct effects){0};
}
