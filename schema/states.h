/* States of an attempt: one table, ordered, with gaps. A state is a clock: of two observations of
 * one run of one attempt the larger is right.
 *
 *   pending -> scheduled -> preparing -> starting -> running -> stopping -> one of the final states
 *                               ^            |          |
 *                               +------------+----------+   restart on the same node: the next run
 *
 * final: completed (ended by itself, successfully), failed, stopped (on purpose), rejected (the
 * worker cannot run it), lost (given up by the manager). */
#ifndef ARGOSY_SCHEMA_STATES_H
#define ARGOSY_SCHEMA_STATES_H

#include <stdbool.h>
#include <stdint.h>

#define ATTEMPT_STATE_TABLE(X)    \
    X(PENDING, "pending", 10)     \
    X(SCHEDULED, "scheduled", 20) \
    X(PREPARING, "preparing", 30) \
    X(STARTING, "starting", 40)   \
    X(RUNNING, "running", 50)     \
    X(STOPPING, "stopping", 60)   \
    X(COMPLETED, "completed", 70) \
    X(FAILED, "failed", 72)       \
    X(STOPPED, "stopped", 74)     \
    X(REJECTED, "rejected", 76)   \
    X(LOST, "lost", 78)

enum attempt_state {
    ATTEMPT_NONE = 0,
#define ATTEMPT_STATE_ENUM(name, wire, order) ATTEMPT_##name = order,
    ATTEMPT_STATE_TABLE(ATTEMPT_STATE_ENUM)
#undef ATTEMPT_STATE_ENUM
};

static inline bool attempt_state_is_final(enum attempt_state state)
{
    return state >= ATTEMPT_COMPLETED;
}

const char *attempt_state_to_string(enum attempt_state state);

/* Whether a manager or worker may go from one state to another within an attempt. `next_run`: with
 * this step the run number grows (a restart), which is the only way back. The reference state
 * machine (Pending, Scheduled, Running, Completed, Failed) is a subset; tests/unit checks every
 * pair of it. */
bool attempt_state_may_follow(enum attempt_state from, enum attempt_state to, bool next_run);

/* One observation of an attempt, and its order: (run, state, seq), larger is newer. */
struct attempt_order {
    int64_t run;
    enum attempt_state state;
    int64_t seq;
};
/* <0, 0, >0 as a is older than, equal to, newer than b. A final state is above every state that is
 * not final, whatever the run (I5). */
int attempt_order_compare(const struct attempt_order *a, const struct attempt_order *b);

#endif
