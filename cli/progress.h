/* One line on the standard error that tells how far it is; nothing when that is no terminal. */
#ifndef ARGOSY_CLI_PROGRESS_H
#define ARGOSY_CLI_PROGRESS_H

#include "cli/command.h"
#include "schema/documents.h"

struct progress {
    bool enabled;
    bool shown;
    unsigned frame;
    int64_t started_ms;
};

struct progress progress_begin(const struct cli *cli);
/* "⠋ web: 2 of 3 running (1 preparing)  12s"; `status` NULL: waiting. */
void progress_show_job(struct progress *progress, const char *job, const struct job_status *status);
void progress_show(struct progress *progress, const char *text);
/* Wipes the line. */
void progress_end(struct progress *progress);

#endif
