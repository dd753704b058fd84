#include "worker/shim/shim_log.h"

#include "worker/runtime/shim_format.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { HEADER_LENGTH = 8 };

void shim_log_open(struct shim_log *log)
{
    struct stat stat;
    log->fd = open(SHIM_FILE_LOG, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    log->size = log->fd >= 0 && fstat(log->fd, &stat) == 0 ? (size_t)stat.st_size : 0;
}

static void rotate(struct shim_log *log)
{
    if (log->fd >= 0)
        close(log->fd);
    rename(SHIM_FILE_LOG, SHIM_FILE_OLD);
    shim_log_open(log);
}

void shim_log_write(struct shim_log *log, int stream, const char *bytes, size_t length)
{
    unsigned char header[HEADER_LENGTH] = {(unsigned char)stream,
                                           0,
                                           0,
                                           0,
                                           (unsigned char)(length >> 24),
                                           (unsigned char)(length >> 16),
                                           (unsigned char)(length >> 8),
                                           (unsigned char)length};
    struct iovec frame[] = {{header, sizeof(header)}, {(void *)(size_t)bytes, length}};
    if (log->fd < 0 || log->size + HEADER_LENGTH + length > SHIM_LOG_BYTES)
        rotate(log);
    ssize_t written = log->fd < 0 ? -1 : writev(log->fd, frame, 2);
    if (written == (ssize_t)(HEADER_LENGTH + length)) {
        log->size += (size_t)written;
    } else if (written > 0 && ftruncate(log->fd, (off_t)log->size) < 0) {
        close(log->fd); /* half a frame would spoil what follows: begun anew at the next */
        log->fd = -1;
    }
}
