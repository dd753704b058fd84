/* max_run: a run that takes longer is told to end and has failed. The worker counts by itself,
 * without the broker too: from the start that the runtime tells, so that a restart of the worker
 * gives no fresh time. That a run is over its time is in the state document before it is told to
 * end: what it then says with its exit code counts no more. */
#include "worker/core/worker_state.h"

/* Of two clocks the wall's may have been set since the start; nothing runs for longer than the
 * machine. */
void attempt_note_began(struct step *step, struct attempt *attempt)
{
    int64_t age_ms = attempt->started_ms ? step->now.wall_ms - attempt->started_ms : 0;
    int64_t longest_ms = step->now.mono_ms - 1; /* 0 is: not running */
    age_ms = age_ms > longest_ms ? longest_ms : age_ms;
    attempt->running_mono_ms = step->now.mono_ms - (age_ms > 0 ? age_ms : 0);
}

int64_t attempt_max_run_deadline_ms(const struct attempt *attempt)
{
    bool counts = attempt->state == ATTEMPT_RUNNING && attempt->running_mono_ms &&
                  attempt->ending == ENDING_NONE && attempt->task &&
                  attempt->task->max_run_ms != UNSET;
    return counts ? attempt->running_mono_ms + attempt->task->max_run_ms : INT64_MAX;
}

void attempt_max_run_timer(struct step *step, struct attempt *attempt)
{
    if (attempt_max_run_deadline_ms(attempt) > step->now.mono_ms) {
        return;
    }
    attempt->ending = ENDING_MAX_RUN;
    attempt->reason = REASON_MAX_RUN;
    attempt_message(attempt, reason_text(REASON_MAX_RUN));
    attempt_touch(step, attempt);
    effects_event(step->effects, "task_overran", REASON_MAX_RUN, attempt->job->name, attempt->id,
                  "%s", attempt->message);
    if (step->worker->runtimes[attempt->runtime].up) { /* else when its engine is back */
        attempt_send_stop(step, attempt);
    }
}
