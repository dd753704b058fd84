/* Kinds of jobs: what the user asks for, and what becomes of it in the end. */
#ifndef ARGOSY_SIMULATION_KINDS_H
#define ARGOSY_SIMULATION_KINDS_H

#include <stdbool.h>
#include <stdint.h>

enum { TASK_CPU_MILLIS = 500 }; /* unless its kind says otherwise */

struct kind {
    const char *type;
    bool ends;         /* its instances do, by themselves */
    bool everywhere;   /* one on each node instead of a count */
    const char *state; /* in its status, in the end */
    const char *only;  /* its command whatever the dice say, NULL: as they fall */
    const char *more;  /* keys of its specification */
    const char *tasks; /* keys of its tasks */
    bool parent;       /* run by the children that its dispatches make */
    int64_t period_s;  /* a parent whose children are launched by the clock; 0: by dispatches */
    int waits_for;     /* the job so many numbers before, 0: none */
    /* Of crowded clusters, 0: as by default, or none. */
    int64_t priority;
    int64_t cpu_millis; /* of each of its tasks */
    int64_t port;       /* on the node, of each of its instances */
    int zone;           /* where alone it may run */
    bool two_tasks;     /* `a` has the count that the user wants, `b` is one beside it */
};

enum kind_set {
    KINDS_FEW,     /* services and batches */
    KINDS_EVERY,   /* every type there is */
    KINDS_CROWDED, /* more than there is room for: crowd.c */
};

static inline int64_t kind_cpu_millis(const struct kind *kind)
{
    return kind->cpu_millis ? kind->cpu_millis : TASK_CPU_MILLIS;
}

/* By the job's number. */
const struct kind *kind_of_job(int job, enum kind_set set);
const struct kind *crowd_kind(int job); /* crowd.c */

/* Keys of restart and reschedule of what is to run in the end, whatever happens to it. */
#define KIND_PLACED_AGAIN \
    "\"reschedule\":{\"unlimited\":true,\"delay\":\"5s\",\"max_delay\":\"20s\"},"
#define KIND_RUN_AGAIN "\"restart\":{\"delay\":\"1s\"},"
/* Starts that fail must not fail it for good: it is placed nowhere else. */
#define KIND_STARTED_AGAIN "\"restart\":{\"delay\":\"1s\",\"mode\":\"delay\",\"interval\":\"20s\"},"

#endif
