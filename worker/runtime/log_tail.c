#include "worker/runtime/log_tail.h"

#include "platform/base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

enum { PIECE_BYTES = 16 * 1024 }; /* small writes to one stream share a piece */

struct log_piece {
    struct log_piece *prev, *next;
    int stream;
    size_t begin, end; /* what of `bytes` is still wanted */
    char bytes[PIECE_BYTES];
};

static void drop_front(struct log_tail *tail)
{
    while (tail->used_bytes > tail->limit_bytes) {
        struct log_piece *oldest = tail->pieces;
        size_t excess = tail->used_bytes - tail->limit_bytes;
        size_t length = oldest->end - oldest->begin;
        if (length > excess) {
            oldest->begin += excess;
            tail->used_bytes -= excess;
        } else {
            tail->used_bytes -= length;
            DL_DELETE(tail->pieces, oldest);
            free(oldest);
        }
    }
}

/* The piece to write to: the last one while it is of the same stream and has room. */
static struct log_piece *piece_for(struct log_tail *tail, int stream)
{
    struct log_piece *last = tail->pieces ? tail->pieces->prev : NULL;
    if (last && last->stream == stream && last->end < PIECE_BYTES)
        return last;
    struct log_piece *piece = mem_alloc(sizeof(*piece));
    piece->stream = stream;
    DL_APPEND(tail->pieces, piece);
    return piece;
}

void log_tail_add(struct log_tail *tail, int stream, const char *bytes, size_t length)
{
    while (length > 0) {
        struct log_piece *piece = piece_for(tail, stream);
        size_t room = PIECE_BYTES - piece->end;
        size_t taken = length < room ? length : room;
        memcpy(piece->bytes + piece->end, bytes, taken);
        piece->end += taken;
        tail->used_bytes += taken;
        bytes += taken;
        length -= taken;
        drop_front(tail);
    }
}

void log_tail_each(const struct log_tail *tail,
                   void (*write)(void *context, int stream, const char *bytes, size_t length),
                   void *context)
{
    for (struct log_piece *piece = tail->pieces; piece; piece = piece->next)
        write(context, piece->stream, piece->bytes + piece->begin, piece->end - piece->begin);
}

void log_tail_release(struct log_tail *tail)
{
    struct log_piece *piece, *next;
    DL_FOREACH_SAFE(tail->pieces, piece, next)
    {
        free(piece);
    }
    tail->pieces = NULL;
    tail->used_bytes = 0;
}
