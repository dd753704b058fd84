/* Kinds of jobs: what the user asks for, and what becomes of it in the end. */
#ifndef ARGOSY_SIMULATION_KINDS_H
#define ARGOSY_SIMULATION_KINDS_H

#include <stdbool.h>

struct kind {
    const char *type;
    bool ends;         /* its instances do, by themselves */
    bool everywhere;   /* one on each node instead of a count */
    const char *state; /* in its status, in the end */
    const char *only;  /* its command whatever the dice say, NULL: as they fall */
    const char *more;  /* keys of its specification */
    bool parent;       /* run by the children that its dispatches make */
    int waits_for;     /* the job so many numbers before, 0: none */
};

/* Services and batches only, or (`all`) every type there is, by the job's number. */
const struct kind *kind_of_job(int job, bool all);

#endif
