#include "worker/runtime/lines.h"

#include <string.h>

static size_t without_return(const char *line, size_t length)
{
    return length > 0 && line[length - 1] == '\r' ? length - 1 : length;
}

void lines_feed(struct buf *rest, const char *bytes, size_t length,
                void (*on_line)(void *context, const char *line, size_t length), void *context)
{
    const char *end;
    while ((end = memchr(bytes, '\n', length))) {
        size_t piece = (size_t)(end - bytes);
        buf_add(rest, bytes, piece);
        if (!rest->failed && rest->length > 0)
            on_line(context, rest->data, without_return(rest->data, rest->length));
        buf_clear(rest);
        bytes = end + 1;
        length -= piece + 1;
    }
    buf_add(rest, bytes, length);
}
