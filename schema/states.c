/* The transition table of attempts. A row says where a state may go within its run, and where it
 * may be seen next when the run has grown (reports are coalesced, so a whole run may pass unseen).
 */
#include "schema/states.h"

#include "platform/base/mem.h"

#include <stddef.h>

/* States are numbered in twos at the closest. */
#define SHIFT(state) (((state)-ATTEMPT_PENDING) / 2)
#define BIT(name)    ((uint64_t)1 << SHIFT(ATTEMPT_##name))

/* What can follow once a worker has the attempt. */
#define ENDED     (BIT(COMPLETED) | BIT(FAILED) | BIT(STOPPED) | BIT(LOST))
#define AGAIN     (BIT(PREPARING) | BIT(STARTING) | BIT(RUNNING) | BIT(STOPPING) | ENDED)
#define STOPPABLE (BIT(STOPPING) | ENDED)
#define RESTARTED (AGAIN | BIT(SCHEDULED) | BIT(REJECTED))

struct transition {
    enum attempt_state from;
    uint64_t same_run;
    uint64_t next_run;
};

static const struct transition transitions[] = {
    {ATTEMPT_PENDING, BIT(PENDING) | BIT(SCHEDULED) | BIT(STOPPED) | BIT(LOST), 0},
    {ATTEMPT_SCHEDULED, BIT(SCHEDULED) | AGAIN | BIT(REJECTED), RESTARTED},
    {ATTEMPT_PREPARING, AGAIN | BIT(REJECTED), RESTARTED},
    {ATTEMPT_STARTING, BIT(STARTING) | BIT(RUNNING) | STOPPABLE | BIT(REJECTED), RESTARTED},
    {ATTEMPT_RUNNING, BIT(RUNNING) | STOPPABLE, RESTARTED},
    {ATTEMPT_STOPPING, STOPPABLE, RESTARTED},
    {ATTEMPT_COMPLETED, BIT(COMPLETED), 0},
    {ATTEMPT_FAILED, BIT(FAILED), 0},
    {ATTEMPT_STOPPED, BIT(STOPPED), 0},
    {ATTEMPT_REJECTED, BIT(REJECTED), 0},
    {ATTEMPT_LOST, BIT(LOST), 0},
};

bool attempt_state_may_follow(enum attempt_state from, enum attempt_state to, bool next_run)
{
    if (!attempt_state_to_string(to)[0])
        return false;
    uint64_t bit = (uint64_t)1 << SHIFT(to);
    for (size_t i = 0; i < ARRAY_LENGTH(transitions); i++)
        if (transitions[i].from == from)
            return (next_run ? transitions[i].next_run : transitions[i].same_run) & bit;
    return false;
}

const char *attempt_state_to_string(enum attempt_state state)
{
    switch (state) {
    case ATTEMPT_NONE:
        return "";
#define ATTEMPT_STATE_TEXT(name, wire, order) \
    case ATTEMPT_##name:                      \
        return wire;
        ATTEMPT_STATE_TABLE(ATTEMPT_STATE_TEXT)
#undef ATTEMPT_STATE_TEXT
    }
    return "";
}

static int order_of(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

int attempt_order_compare(const struct attempt_order *a, const struct attempt_order *b)
{
    int order = order_of(attempt_state_is_final(a->state), attempt_state_is_final(b->state));
    if (!order)
        order = order_of(a->run, b->run);
    if (!order)
        order = order_of(a->state, b->state);
    return order ? order : order_of(a->seq, b->seq);
}
