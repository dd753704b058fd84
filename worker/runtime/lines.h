/* A stream of lines that arrives in arbitrary pieces. */
#ifndef ARGOSY_WORKER_RUNTIME_LINES_H
#define ARGOSY_WORKER_RUNTIME_LINES_H

#include "platform/base/buf.h"

/* Calls `on_line` for each complete line, without its end. `rest` holds the beginning of the next;
 * a line longer than rest->limit is left out. on_line must not touch `rest`. */
void lines_feed(struct buf *rest, const char *bytes, size_t length,
                void (*on_line)(void *context, const char *line, size_t length), void *context);

#endif
