#include "worker/runtime/log_tail.h"

#include "platform/base/mem.h"

#include <stdbool.h>
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

static void drop_front(struct log_tail *tail, size_t limit_bytes)
{
    while (tail->used_bytes > limit_bytes) {
        struct log_piece *oldest = tail->pieces;
        size_t excess = tail->used_bytes - limit_bytes;
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
        drop_front(tail, tail->limit_bytes);
    }
}

/* How many bytes at the end hold that many lines; an end without a newline is a line. */
static size_t bytes_of_lines(const struct log_tail *tail, size_t lines)
{
    const struct log_piece *piece = tail->pieces ? tail->pieces->prev : NULL;
    size_t bytes = 0, ends = 0;
    while (piece) {
        for (size_t at = piece->end; at > piece->begin; at--, bytes++) {
            bool is_end = piece->bytes[at - 1] == '\n';
            if (is_end && bytes > 0 && ++ends == lines)
                return bytes;
        }
        piece = piece == tail->pieces ? NULL : piece->prev;
    }
    return bytes;
}

void log_tail_keep_lines(struct log_tail *tail, size_t lines)
{
    drop_front(tail, lines ? bytes_of_lines(tail, lines) : 0);
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
