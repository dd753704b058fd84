/* What a step of the worker's core asks for. Two kinds, in this order of execution:
 *
 *   marks   which documents changed. The shell encodes each marked one once, writes all in one
 *           transaction, then publishes.
 *   effects what is done after that commit (durable before acted on): runtime calls, events.
 *
 * When the commit fails the shell keeps both and tries again. All texts are copied: an effect
 * outlives the attempt that it names. */
#ifndef ARGOSY_WORKER_EFFECTS_H
#define ARGOSY_WORKER_EFFECTS_H

#include "schema/job_spec.h"
#include "schema/limits.h"
#include "schema/reasons.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum effect_kind {
    EFFECT_START,  /* execution (task_id, run) of `runtime` */
    EFFECT_STOP,   /* with `signal_number`, SIGKILL after `timeout_ms` */
    EFFECT_REMOVE, /* an ended execution */
    EFFECT_PROBE,  /* check `health_index` of the running execution */
    EFFECT_LIST,   /* everything that `runtime` has */
    EFFECT_EVENT,  /* say it on events/<word> */
};

struct effect {
    enum effect_kind kind;
    enum runtime_kind runtime;
    char task_id[LIMIT_TASK_ID_LENGTH + 1];
    char job[LIMIT_NAME_LENGTH + 1];
    int64_t run;
    int signal_number;
    int64_t timeout_ms;
    int health_index;
    enum reason reason;
    const char *word; /* a constant */
    char *message;    /* of an event */
};

enum job_marks {
    MARK_ASSIGNMENT = 1, /* store the assignment */
    MARK_STATE = 2,      /* store and publish what is observed */
    MARK_FORGET = 4,     /* remove both from the store, clear the state's topic */
};

struct mark; /* of one job */

struct effects {
    struct effect *items;
    size_t count, capacity;
    struct mark *marks;  /* a map by job */
    struct mark *marked; /* last: most often it is the next one, too */
    bool info;           /* the info document changed */
    bool desired;        /* store the desired document */
    bool meta;           /* cluster or term changed */
};

/* Adds a zeroed effect and returns it to be filled in; valid until the next addition. */
struct effect *effects_add(struct effects *effects, enum effect_kind kind);
void effects_event(struct effects *effects, const char *word, enum reason reason, const char *job,
                   const char *task_id, const char *format, ...)
    __attribute__((format(printf, 6, 7)));
void effects_mark(struct effects *effects, const char *job, unsigned marks);
/* Calls `visit` for each marked job, in the order in which they were first marked. */
void effects_each_mark(const struct effects *effects,
                       void (*visit)(void *context, const char *job, unsigned marks),
                       void *context);
/* True when something must be written. */
bool effects_any_mark(const struct effects *effects);
/* Forgets marks (after the commit), or effects (after they were carried out). Keeps memory. */
void effects_clear_marks(struct effects *effects);
void effects_clear_items(struct effects *effects);
void worker_effects_release(struct effects *effects);

#endif
