/* An execution ended, or could not be started: what its attempt becomes. */
#include "worker/core/worker_state.h"

#include "platform/base/text.h"

#include <inttypes.h>
#include <stdio.h>

/* "exited with code 3" and what follows: people read this in status and logs. */
static void ending_describe(const struct ending *ending, char *ret_text, size_t size)
{
    if (ending->message && ending->message[0]) {
        text_copy(ret_text, size, ending->message);
    } else if (ending->exit_code != UNSET && ending->reason == REASON_EXITED) {
        snprintf(ret_text, size, "exited with code %lld", (long long)ending->exit_code);
    } else if (ending->exit_code != UNSET) {
        snprintf(ret_text, size, "%s (exit code %lld)", reason_text((int)ending->reason),
                 (long long)ending->exit_code);
    } else {
        text_copy(ret_text, size, reason_text((int)ending->reason));
    }
}

static void end_for_good(struct step *step, struct attempt *attempt, enum attempt_state state,
                         enum reason reason, const char *text)
{
    attempt_set_state(step, attempt, state, attempt->run, reason, text);
    if (state == ATTEMPT_FAILED) {
        effects_event(step->effects, "task_failed", reason, attempt->job->name, attempt->id, "%s",
                      text);
    }
}

/* The next run; in its wait the state is starting, reason backoff. */
static void end_and_restart(struct step *step, struct attempt *attempt,
                            const struct restart_decision *decision, const char *text)
{
    char message[LIMIT_MESSAGE_LENGTH + 1];
    int64_t run = attempt->run + 1;
    run = attempt->run_wanted > run ? attempt->run_wanted : run;
    bool counted = decision->verdict == RESTART_AFTER;
    if (attempt->execution[0]) {
        attempt->kept_run = attempt->run;
    }
    if (counted) {
        attempt->restarts++;
        int64_t tenths = (decision->delay_ms + 50) / 100;
        snprintf(message, sizeof(message), "%.150s; starts again in %" PRId64 ".%" PRId64 " s",
                 text, tenths / 10, tenths % 10);
    } else {
        snprintf(message, sizeof(message), "a restart was asked for");
    }
    attempt->retry_ms = counted ? step->now.wall_ms + decision->delay_ms : 0;
    attempt->retry_mono_ms = counted ? step->now.mono_ms + decision->delay_ms : 0;
    attempt_set_state(step, attempt, ATTEMPT_STARTING, run, counted ? REASON_BACKOFF : REASON_NONE,
                      message);
    effects_event(step->effects, "task_restarted", attempt->reason, attempt->job->name, attempt->id,
                  "%s", message);
}

static void end_decide(struct step *step, struct attempt *attempt, const struct ending *ending,
                       const char *text)
{
    struct restart_ending question = {
        .stopped = attempt->state == ATTEMPT_STOPPING,
        .asked = attempt->ending == ENDING_ASKED,
        .max_run = attempt->ending == ENDING_MAX_RUN,
        .permanent = ending->start_error && restart_is_hopeless(ending->reason),
        .success = ending->exit_code == 0 && attempt->ending != ENDING_UNHEALTHY,
        .ran_ms = ending->ran_ms,
    };
    struct restart_decision decision =
        restart_decide(&attempt->task->restart, &attempt->restart, &question, step->now.wall_ms,
                       &step->worker->prng);
    enum reason reason = decision.reason ? decision.reason : ending->reason;
    switch (decision.verdict) {
    case RESTART_STOPPED:
        end_for_good(step, attempt, ATTEMPT_STOPPED, attempt->stop_reason, text);
        break;
    case RESTART_COMPLETED:
        end_for_good(step, attempt, ATTEMPT_COMPLETED, REASON_NONE, text);
        break;
    case RESTART_FAILED:
        /* A start error keeps its own reason: "no such image" says more than "too often". */
        reason = ending->start_error ? ending->reason : reason;
        end_for_good(step, attempt, ATTEMPT_FAILED, reason, text);
        break;
    case RESTART_AT_ONCE:
    case RESTART_AFTER:
        end_and_restart(step, attempt, &decision, text);
        break;
    }
}

void attempt_end(struct step *step, struct attempt *attempt, const struct ending *ending)
{
    char text[LIMIT_MESSAGE_LENGTH + 1];
    ending_describe(ending, text, sizeof(text));
    attempt->in_flight = false;
    attempt->port_count = 0; /* it answers nowhere any more */
    attempt->address[0] = '\0';
    attempt->exit_code = ending->exit_code;
    attempt->finished_ms = ending->finished_ms ? ending->finished_ms : step->now.wall_ms;
    if (attempt->task) {
        end_decide(step, attempt, ending, text);
    } else if (attempt->state == ATTEMPT_STOPPING) {
        end_for_good(step, attempt, ATTEMPT_STOPPED, attempt->stop_reason, text);
    }
    /* else its policy is not known (yet): it stays as it is until its assignment is heard, or
     * nobody wants it. */
}
