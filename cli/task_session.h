/* A question to the worker that has a task: for logs and inspect. */
#ifndef ARGOSY_CLI_TASK_SESSION_H
#define ARGOSY_CLI_TASK_SESSION_H

#include "cli/client.h"

struct task_session {
    struct client *client;
    char id[LIMIT_TASK_ID_LENGTH + 1]; /* the attempt */
    char node[LIMIT_NODE_ID_LENGTH + 1];
    bool ended;     /* a final state was reported */
    char token[64]; /* of the newest question: names the answer topic */
    bool answered;
    struct answer answer; /* in `arena` */
    struct arena arena;
    struct client_handler handler;
    /* Everything that is not the answer; optional. */
    void (*on_message)(void *context, const struct topic *topic, const struct bus_message *message);
    void *context;
};

/* Finds the attempt: by its id, or the newest of an instance; connects, and hears the worker's
 * answers to the session's token. Refuses when the node is offline. The session must not move
 * afterwards. */
int task_session_open(struct cli *cli, const char *name, struct task_session *session);
/* Publishes ask/<node>/<verb>; `ask` without token and task, which are put in. */
int task_session_ask(struct task_session *session, const char *verb, struct ask *ask);
/* Waits for the answer. CLI_OK also for a rejection, see session->answer. */
int task_session_wait(struct task_session *session);
void task_session_close(struct task_session *session);
#define _cleanup_task_session_ __attribute__((cleanup(task_session_close)))

#endif
