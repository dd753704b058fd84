/* What a step wants done: marks (once each a batch), events, questions, clears. */
#include "manager/core/internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* Room for one more item of a growing array. */
#define GROW(array, count, capacity)                                     \
    do {                                                                 \
        if ((count) == (capacity)) {                                     \
            (capacity) = (capacity) ? (capacity)*2 : 16;                 \
            (array) = mem_resize((array), (capacity), sizeof(*(array))); \
        }                                                                \
    } while (0)

static void add_mark(struct manager *manager, enum topic_kind kind, struct job *job,
                     struct node *node)
{
    struct effects *effects = manager->effects;
    GROW(effects->marks, effects->mark_count, effects->mark_capacity);
    effects->marks[effects->mark_count++] = (struct document_mark){kind, job, node};
}

static void mark(struct manager *manager, enum topic_kind kind, struct job *job, struct node *node,
                 unsigned *marks, enum mark_bit bit)
{
    if (*marks & bit)
        return;
    *marks |= bit;
    add_mark(manager, kind, job, node);
}

void mark_binding(struct manager *manager, struct binding *binding)
{
    if (binding->marked)
        return;
    binding->marked = true;
    add_mark(manager, TOPIC_NODE_ASSIGN, binding->job, binding->node);
}

void mark_job(struct manager *manager, struct job *job, enum mark_bit bit)
{
    enum topic_kind kind = bit == MARK_SPEC      ? TOPIC_JOB_SPEC
                           : bit == MARK_HISTORY ? TOPIC_JOB_HISTORY
                                                 : TOPIC_JOB_STATUS;
    if (!job_present(job) && (bit == MARK_STATUS || !job->tombstone))
        return; /* only its name was heard, or nothing is left to tell */
    mark(manager, kind, job, NULL, &job->marks, bit);
}

void mark_job_withdraw_status(struct manager *manager, struct job *job)
{
    struct effects *effects = manager->effects;
    size_t kept = 0;
    for (size_t i = 0; i < effects->mark_count; i++)
        if (effects->marks[i].kind != TOPIC_JOB_STATUS || effects->marks[i].job != job)
            effects->marks[kept++] = effects->marks[i];
    effects->mark_count = kept;
    job->marks &= ~(unsigned)MARK_STATUS;
}

void mark_desired(struct manager *manager, struct node *node)
{
    /* Its index would say that jobs are gone of which we have only not heard yet. */
    node->owed = !node->settled;
    if (node->settled)
        mark(manager, TOPIC_NODE_DESIRED, NULL, node, &node->marks, MARK_DESIRED);
}

void mark_assignment(struct manager *manager, struct binding *binding)
{
    if (!binding->marked)
        binding->revision++;
    mark_binding(manager, binding);
    mark_desired(manager, binding->node);
}

void mark_manager_status(struct manager *manager)
{
    mark(manager, TOPIC_MANAGER_STATUS, NULL, NULL, &manager->marks, MARK_STATUS);
}

void mark_everything(struct manager *manager)
{
    for (struct job *job = manager->jobs; job; job = job->hh.next) {
        mark_job(manager, job, MARK_SPEC);
        if (job_has_history(job))
            mark_job(manager, job, MARK_HISTORY);
        mark_job(manager, job, MARK_STATUS);
    }
    for (struct node *node = manager->nodes; node; node = node->hh.next)
        if (node->has_document || node->has_info)
            mark_desired(manager, node);
    renew_begin(manager);
    mark_manager_status(manager);
}

static const char *keep(struct manager *manager, const char *text)
{
    return text ? arena_strdup(&manager->effects->arena, text) : NULL;
}

void emit_event(struct manager *manager, const char *kind, enum reason reason, const char *job,
                const char *node, const char *task, const char *format, ...)
{
    struct effects *effects = manager->effects;
    char message[LIMIT_MESSAGE_LENGTH];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    GROW(effects->events, effects->event_count, effects->event_capacity);
    effects->events[effects->event_count++] = (struct event_effect){
        .kind = kind,
        .reason = reason,
        .message = keep(manager, message),
        .job = keep(manager, job),
        .node = keep(manager, node),
        .task = keep(manager, task),
    };
}

void emit_clear(struct manager *manager, enum clear_kind kind, const char *topic)
{
    struct effects *effects = manager->effects;
    GROW(effects->clears, effects->clear_count, effects->clear_capacity);
    effects->clears[effects->clear_count++] = (struct clear_effect){kind, keep(manager, topic)};
}

void emit_ask(struct manager *manager, struct node *node)
{
    struct effects *effects = manager->effects;
    GROW(effects->asks, effects->ask_count, effects->ask_capacity);
    effects->asks[effects->ask_count++] =
        (struct ask_effect){keep(manager, node->id), keep(manager, node->ask_token)};
}

void effects_clear(struct effects *effects)
{
    arena_release(&effects->arena);
    problems_release(&effects->verdict.problems);
    free(effects->marks);
    free(effects->asks);
    free(effects->events);
    free(effects->clears);
    *effects = (struct effects){0};
}
