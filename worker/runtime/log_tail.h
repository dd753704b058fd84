/* The last bytes of a log with their streams, in order: the oldest are dropped past a limit. */
#ifndef ARGOSY_WORKER_RUNTIME_LOG_TAIL_H
#define ARGOSY_WORKER_RUNTIME_LOG_TAIL_H

#include <stddef.h>

struct log_piece;

struct log_tail {
    struct log_piece *pieces;
    size_t limit_bytes; /* of text; set by the owner */
    size_t used_bytes;
};

/* Nothing of a log that has no room is kept but its end. Aborts without memory. */
void log_tail_add(struct log_tail *tail, int stream, const char *bytes, size_t length);
/* Drops all but the last `lines` lines, counted over both streams. */
void log_tail_keep_lines(struct log_tail *tail, size_t lines);
void log_tail_each(const struct log_tail *tail,
                   void (*write)(void *context, int stream, const char *bytes, size_t length),
                   void *context);
void log_tail_release(struct log_tail *tail);

#endif
