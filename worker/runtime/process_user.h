/* Whose rights a process gets. */
#ifndef ARGOSY_WORKER_RUNTIME_PROCESS_USER_H
#define ARGOSY_WORKER_RUNTIME_PROCESS_USER_H

#include "platform/base/err.h"

#include <stdbool.h>
#include <sys/types.h>

struct process_user {
    bool is_other; /* than the worker's own */
    uid_t uid;
    gid_t gid;
};

/* "name", "name:group", numbers for either; NULL: the worker's own. -ERR_INVALID when it does not
 * exist, -ERR_REFUSED when the worker may not become it. */
int process_user_find(const char *text, struct process_user *ret_user, struct err *err);

#endif
