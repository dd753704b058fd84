/* Child processes of `argosy dev`: started with a log file, stopped by pid, gone when we are. */
#ifndef ARGOSY_CLI_CHILD_H
#define ARGOSY_CLI_CHILD_H

#include "platform/base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct child {
    const char *name; /* kept by pointer */
    char log[512];
    pid_t pid; /* 0: not running */
};

/* Looks for `program` beside our own binary, in PATH, then in /usr/sbin and /usr/local/sbin.
 * Allocated; NULL when it is nowhere. */
char *child_find_program(const char *program);
/* Starts argv[0] in a process group of its own (Ctrl-C is for us alone), both outputs appended to
 * `log`; it gets SIGTERM when we die. */
int child_start(struct child *child, char *const *argv, struct err *err);
/* True when it has ended by itself; reaps it. */
bool child_has_ended(struct child *child);
/* SIGTERM, then after `timeout_ms` SIGKILL; waits until it is gone. Nothing when it does not run.
 */
void child_stop(struct child *child, int64_t timeout_ms);

#endif
