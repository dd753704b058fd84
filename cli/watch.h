/* Watching a job: pure judgement of what its status says, against what a command wants to see. */
#ifndef ARGOSY_CLI_WATCH_H
#define ARGOSY_CLI_WATCH_H

#include "schema/documents.h"

enum watch_goal {
    WATCH_UNTIL_RUNNING, /* service: all run; batch: all completed */
    WATCH_UNTIL_STOPPED,
    WATCH_UNTIL_DELETED,
};

enum watch_verdict {
    WATCH_GOES_ON,
    WATCH_REACHED,
    WATCH_FAILED, /* ended, and not well */
    WATCH_STUCK,  /* something is pending that no node can take, and nothing else is on its way */
    WATCH_SUPERSEDED, /* somebody else submitted a newer version, stopped or deleted it */
};

/* `document` and `status` are what is retained of the job, NULL when nothing is; `version` is what
 * the manager has accepted. */
enum watch_verdict watch_judge(enum watch_goal goal, int64_t version,
                               const struct job_document *document,
                               const struct job_status *status);

/* How long a job has to be stuck, and a service to run, before that is the result. */
enum { WATCH_STUCK_MS = 3000, WATCH_RUNNING_MS = 1000 };

#endif
