#include "cli/watch.h"

#include "schema/reasons.h"

#include <stddef.h>

/* Pending for a reason that passes by itself. */
static bool passes(const struct pending_group *group)
{
    enum reason reason = reason_from_string(group->reason ? group->reason : "");
    return reason == REASON_WAITING_TO_RESCHEDULE || reason == REASON_WAITING_FOR_UPDATE ||
           reason == REASON_RECOVERING;
}

static bool is_stuck(const struct job_status *status)
{
    const struct state_counts *counts = &status->counts;
    if (counts->scheduled || counts->preparing || counts->starting || counts->stopping)
        return false;
    for (size_t i = 0; i < status->pending.count; i++)
        if (!passes(RECORD_AT(struct pending_group, status->pending, i)))
            return true;
    return false;
}

static enum watch_verdict judge_running(int64_t version, const struct job_document *document,
                                        const struct job_status *status)
{
    if (document && (document->version > version || document->stopped || document->deleting ||
                     document->head.tombstone))
        return WATCH_SUPERSEDED;
    if (!status || status->version < version)
        return WATCH_GOES_ON;
    if (status->state == JOB_FAILED)
        return WATCH_FAILED;
    if (status->state == JOB_COMPLETED || status->state == JOB_PARENT)
        return WATCH_REACHED;
    /* exactly: what is scaled down or replaced still counts until it has ended */
    bool settled = status->state == JOB_RUNNING && status->counts.running == status->wanted &&
                   !status->outdated && !status->pending.count && !status->counts.stopping &&
                   !status->counts.unknown;
    if (settled && !job_type_ends(status->type))
        return WATCH_REACHED;
    return is_stuck(status) ? WATCH_STUCK : WATCH_GOES_ON;
}

static enum watch_verdict judge_stopped(const struct job_document *document,
                                        const struct job_status *status)
{
    if (!document || document->head.tombstone)
        return WATCH_REACHED; /* deleted meanwhile: nothing of it runs */
    if (!document->stopped && !document->deleting)
        return WATCH_SUPERSEDED;
    return status && status->state == JOB_STOPPED ? WATCH_REACHED : WATCH_GOES_ON;
}

enum watch_verdict watch_judge(enum watch_goal goal, int64_t version,
                               const struct job_document *document, const struct job_status *status)
{
    switch (goal) {
    case WATCH_UNTIL_RUNNING:
        return judge_running(version, document, status);
    case WATCH_UNTIL_STOPPED:
        return judge_stopped(document, status);
    case WATCH_UNTIL_DELETED:
        if (!document || document->head.tombstone)
            return WATCH_REACHED;
        return document->deleting ? WATCH_GOES_ON : WATCH_SUPERSEDED;
    }
    return WATCH_GOES_ON;
}
