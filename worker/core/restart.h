/* The restart policy: what follows when a run of a task has ended. Decided on the node alone, so it
 * works offline; its memory is in the state document, so a reboot loop gets no fresh attempts. */
#ifndef ARGOSY_WORKER_RESTART_H
#define ARGOSY_WORKER_RESTART_H

#include "platform/base/prng.h"
#include "schema/job_spec.h"
#include "schema/reasons.h"

#include <stdbool.h>
#include <stdint.h>

struct restart_memory {
    int64_t window_ms;       /* wall: start of the tumbling window, 0: none yet */
    int64_t window_restarts; /* endings counted in it */
    int64_t backoff_step;    /* doublings so far */
};

struct restart_ending {
    bool stopped;   /* on purpose */
    bool asked;     /* a person asked for a restart */
    bool max_run;   /* it ran for longer than it may */
    bool permanent; /* a start error that cannot get better */
    bool success;   /* exit code 0, and not because of failed checks */
    int64_t ran_ms;
};

enum restart_verdict {
    RESTART_STOPPED,
    RESTART_COMPLETED,
    RESTART_FAILED,  /* `reason` NONE: the start error's own reason says it all */
    RESTART_AT_ONCE, /* not counted */
    RESTART_AFTER,   /* `delay_ms` */
};

struct restart_decision {
    enum restart_verdict verdict;
    enum reason reason;
    int64_t delay_ms;
};

/* Updates `memory`. `wall_ms` is now. */
struct restart_decision restart_decide(const struct restart_policy *policy,
                                       struct restart_memory *memory,
                                       const struct restart_ending *ending, int64_t wall_ms,
                                       struct prng *prng);

/* Whether a failed start can never succeed on this node with this specification. */
bool restart_is_hopeless(enum reason reason);

/* Longest delay that restart_decide can give: a waiting task read back after the clock jumped waits
 * no longer. */
int64_t restart_delay_max_ms(const struct restart_policy *policy);

#endif
