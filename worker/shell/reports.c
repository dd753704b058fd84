/* Reports that wait: what is just being started most often says more within milliseconds.
 *
 *   a job's state -stored, something of it just begins to start-> held
 *   held -a newer state of which nothing just begins, or the time is up-> published
 *
 * Held is only the publication. What is stored and was held when the process ended is published
 * with the next connection, as everything is. */
#include "worker/shell/shell_state.h"

#include "platform/base/mem.h"
#include "platform/base/text.h"

#include <stdlib.h>
#include <uthash.h>

struct held_report {
    char job[LIMIT_NAME_LENGTH + 1];
    struct buf payload; /* as it was stored: what the core holds may have moved on */
    UT_hash_handle hh;
};

/* Also when it began a while ago and a loop that is late writes it only now. */
static bool just_begins(const struct worker_shell *shell, const struct observed_attempt *attempt,
                        int64_t wall_ms)
{
    int64_t age_ms = wall_ms - attempt->changed_ms;
    bool is_new = attempt->changed_ms >= shell->written_ms || age_ms < REPORT_HELD_MS;
    return attempt->state < ATTEMPT_RUNNING && age_ms >= 0 && is_new;
}

bool shell_may_hold(struct worker_shell *shell, const struct node_state *state)
{
    struct now now = shell_now(shell);
    bool begins = false;
    for (size_t i = 0; i < state->attempts.count && !begins; i++) {
        begins =
            just_begins(shell, RECORD_AT(struct observed_attempt, state->attempts, i), now.wall_ms);
    }
    if (!shell->held) {
        shell->held_until_ms = now.mono_ms + REPORT_HELD_MS;
    }
    return begins && now.mono_ms < shell->held_until_ms;
}

static struct held_report *held_find(const struct worker_shell *shell, const char *job)
{
    struct held_report *report;
    HASH_FIND_STR(shell->held, job, report);
    return report;
}

static void held_free(struct worker_shell *shell, struct held_report *report)
{
    HASH_DEL(shell->held, report);
    buf_release(&report->payload);
    free(report);
}

void shell_drop_report(struct worker_shell *shell, const char *job)
{
    struct held_report *report = held_find(shell, job);
    if (report) {
        held_free(shell, report);
    }
}

void shell_hold_report(struct worker_shell *shell, const char *job, struct buf *payload)
{
    struct held_report *report = held_find(shell, job);
    if (!report) {
        report = mem_alloc(sizeof(*report));
        text_copy(report->job, sizeof(report->job), job);
        HASH_ADD_STR(shell->held, job, report);
    }
    buf_release(&report->payload);
    report->payload = *payload;
    *payload = BUF_EMPTY;
}

int64_t shell_held_deadline_ms(const struct worker_shell *shell)
{
    return shell->held ? shell->held_until_ms : INT64_MAX;
}

void shell_publish_held(struct worker_shell *shell)
{
    while (shell->held) {
        struct held_report *report = shell->held;
        const struct buf *payload = &report->payload;
        char topic[LIMIT_TOPIC_LENGTH + 1];
        shell_topic(shell, topic, TOPIC_NODE_STATE, report->job);
        hash_memory_add(&shell->echoes, message_hash("", payload->data, payload->length));
        ledger_derived(shell->ledger, topic, payload->data, payload->length);
        held_free(shell, report);
    }
}

void shell_release_held(struct worker_shell *shell)
{
    while (shell->held) {
        held_free(shell, shell->held);
    }
}
