/* What run, stop, delete, scale and restart have in common: hear the job, send a verb, judge the
 * answer, watch what comes of it, say what was seen. */
#ifndef ARGOSY_CLI_JOB_COMMAND_H
#define ARGOSY_CLI_JOB_COMMAND_H

#include "cli/client.h"
#include "cli/watch.h"

struct job_command {
    const char *job;
    const char *verb;       /* "set" */
    const char *body;       /* JSON object */
    int64_t expect_version; /* UNSET: none */
    enum watch_goal goal;
    const char *reached; /* what is said, and is the JSON `outcome`, when the goal is seen; NULL: by
                            the status */
    /* Optional: looks at a rejection before it is printed in the common way; true: it has printed
     * it. */
    bool (*on_rejected)(void *context, const struct reply *reply);
    void *context;
};

enum { WATCH_TIMEOUT_MS = 5 * 60 * 1000 };

/* Opens a session that has heard `job` (and everything on the nodes that is of it) and knows that
 * a manager is there. For verbs that name a job. Checks the name. */
int job_session_open(struct cli *cli, const char *job, struct client **ret_client);
/* Sends and watches; returns the exit code. */
int job_command_run(struct cli *cli, struct client *client, const struct job_command *command);
/* The filters of one job. */
int job_session_hear(struct client *client, const char *job);

/* Sends; prints a rejection (CLI_REJECTED). */
int job_command_send(struct cli *cli, struct client *client, const struct job_command *command,
                     const struct reply **ret_reply);
/* One line for people or one JSON object: outcome of a job. `reply` may be NULL. */
void job_outcome_print(const struct cli *cli, struct client *client, const char *job,
                       const char *outcome, const struct reply *reply);

#endif
