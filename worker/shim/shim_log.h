/* The log of one task: frames in a file that is begun anew when it is full; the one before is kept.
 */
#ifndef ARGOSY_WORKER_SHIM_SHIM_LOG_H
#define ARGOSY_WORKER_SHIM_SHIM_LOG_H

#include <stddef.h>

struct shim_log {
    int fd; /* -1: cannot be written at present */
    size_t size;
};

/* In the working directory; goes on with what is there. */
void shim_log_open(struct shim_log *log);
/* What cannot be written is dropped: the task must not wait for a disk. */
void shim_log_write(struct shim_log *log, int stream, const char *bytes, size_t length);

#endif
