/* The order of the questions is that of Nomad's restart tracker
 * (client/allocrunner/taskrunner/restarts), first match wins; the delay with backoff is that of
 * Docker and Kubernetes, reset by a run of BACKOFF_RESET_MS. */
#include "worker/core/restart.h"

#include "schema/limits.h"

enum {
    BACKOFF_STEP_MAX = 20, /* 2^20 x any delay fits; beyond it max_delay has long been reached */
    JITTER_PERCENT = 25,
};

static int64_t min_ms(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* A tumbling window. When the clock was set back the count stays and the window starts anew. */
static void window_count(struct restart_memory *memory, int64_t interval_ms, int64_t wall_ms)
{
    if (!memory->window_ms || wall_ms > memory->window_ms + interval_ms) {
        memory->window_ms = wall_ms;
        memory->window_restarts = 0;
    } else if (wall_ms < memory->window_ms) {
        memory->window_ms = wall_ms;
    }
    memory->window_restarts++;
}

static int64_t delay_next_ms(const struct restart_policy *policy, struct restart_memory *memory,
                             int64_t ran_ms, struct prng *prng)
{
    if (ran_ms >= BACKOFF_RESET_MS) {
        memory->backoff_step = 0;
    }
    int64_t delay_ms = policy->delay_ms;
    if (policy->backoff == BACKOFF_EXPONENTIAL) {
        int64_t step = min_ms(memory->backoff_step, BACKOFF_STEP_MAX);
        delay_ms = min_ms(delay_ms * (INT64_C(1) << step), policy->max_delay_ms);
        memory->backoff_step = min_ms(step + 1, BACKOFF_STEP_MAX);
    }
    uint64_t jitter = (uint64_t)(delay_ms * JITTER_PERCENT / 100);
    return delay_ms + (int64_t)prng_below(prng, jitter + 1);
}

static struct restart_decision decided(enum restart_verdict verdict, enum reason reason)
{
    return (struct restart_decision){.verdict = verdict, .reason = reason};
}

static struct restart_decision window_exhausted(const struct restart_policy *policy,
                                                const struct restart_memory *memory,
                                                int64_t wall_ms)
{
    if (policy->mode != RESTART_MODE_DELAY) {
        return decided(RESTART_FAILED, REASON_ATTEMPTS_EXCEEDED);
    }
    struct restart_decision decision = decided(RESTART_AFTER, REASON_BACKOFF);
    decision.delay_ms = memory->window_ms + policy->interval_ms - wall_ms + 1;
    return decision;
}

struct restart_decision restart_decide(const struct restart_policy *policy,
                                       struct restart_memory *memory,
                                       const struct restart_ending *ending, int64_t wall_ms,
                                       struct prng *prng)
{
    bool done = ending->success && policy->policy != RESTART_ALWAYS;

    if (ending->stopped) {
        return decided(RESTART_STOPPED, REASON_NONE);
    }
    if (ending->asked) {
        return decided(RESTART_AT_ONCE, REASON_NONE);
    }
    if (ending->max_run) {
        return decided(RESTART_FAILED, REASON_MAX_RUN);
    }
    if (policy->attempts == 0 || policy->policy == RESTART_NEVER) {
        return done ? decided(RESTART_COMPLETED, REASON_NONE)
                    : decided(RESTART_FAILED, ending->permanent ? REASON_NONE : REASON_NO_RESTART);
    }
    window_count(memory, policy->interval_ms, wall_ms);
    if (ending->permanent) {
        return decided(RESTART_FAILED, REASON_NONE);
    }
    if (done) {
        return decided(RESTART_COMPLETED, REASON_NONE);
    }
    if (memory->window_restarts > policy->attempts) {
        return window_exhausted(policy, memory, wall_ms);
    }
    struct restart_decision decision = decided(RESTART_AFTER, REASON_BACKOFF);
    decision.delay_ms = delay_next_ms(policy, memory, ending->ran_ms, prng);
    return decision;
}

bool restart_is_hopeless(enum reason reason)
{
    return reason == REASON_IMAGE_NOT_FOUND || reason == REASON_COMMAND_NOT_FOUND ||
           reason == REASON_COMMAND_NOT_EXECUTABLE || reason == REASON_INVALID_SPEC ||
           reason == REASON_RUNTIME_DISABLED || reason == REASON_RUNTIME_MISSING;
}

int64_t restart_delay_max_ms(const struct restart_policy *policy)
{
    int64_t longest_ms =
        policy->backoff == BACKOFF_EXPONENTIAL ? policy->max_delay_ms : policy->delay_ms;
    longest_ms += longest_ms * JITTER_PERCENT / 100;
    bool waits_for_window = policy->mode == RESTART_MODE_DELAY && policy->interval_ms > longest_ms;
    return waits_for_window ? policy->interval_ms + 1 : longest_ms;
}
