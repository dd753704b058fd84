/* Reports that wait: what is just being started most often says more within milliseconds.
 *
 *   a job's state -stored, something of it just begins to start-> held
 *   held -a newer state of which nothing just begins, or the time is up-> published
 *
 * Held is only the publication. What is stored and was held when the process ended is published
 * with the next connection, as everything is. */
#include "worker/shell/shell_state.h"

static bool just_begins(const struct observed_attempt *attempt, int64_t wall_ms)
{
    int64_t age_ms = wall_ms - attempt->changed_ms;
    return attempt->state < ATTEMPT_RUNNING && age_ms >= 0 && age_ms < REPORT_HELD_MS;
}

bool shell_hold_report(struct worker_shell *shell, const char *job, const struct node_state *state)
{
    struct now now = shell_now(shell);
    bool begins = false;
    for (size_t i = 0; i < state->attempts.count && !begins; i++) {
        begins = just_begins(RECORD_AT(struct observed_attempt, state->attempts, i), now.wall_ms);
    }
    if (!effects_any_mark(&shell->held)) {
        shell->held_until_ms = now.mono_ms + REPORT_HELD_MS;
    }
    if (!begins || now.mono_ms >= shell->held_until_ms) {
        effects_unmark(&shell->held, job);
        return false;
    }
    effects_mark(&shell->held, job, MARK_STATE);
    return true;
}

/* As it was stored: whatever changed it since has marked it, and was written. */
static void publish_held(void *context, const char *job, unsigned marks)
{
    struct worker_shell *shell = context;
    _cleanup_arena_ struct arena arena = ARENA_EMPTY;
    struct node_state state;
    (void)marks;
    if (worker_state_read(shell->worker, job, &arena, &state)) {
        shell_note_state(shell, job, &state, NOTE_PUBLISHED);
    }
}

int64_t shell_held_deadline_ms(const struct worker_shell *shell)
{
    return effects_any_mark(&shell->held) ? shell->held_until_ms : INT64_MAX;
}

void shell_publish_held(struct worker_shell *shell)
{
    effects_each_mark(&shell->held, publish_held, shell);
    effects_clear_marks(&shell->held);
}
