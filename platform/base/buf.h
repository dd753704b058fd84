/* A growable byte buffer. A failed growth is remembered in `failed` and all later additions are
 * ignored, so that a writer checks once, at the end. The bytes are always followed by a NUL that is
 * not counted. */
#ifndef ARGOSY_BASE_BUF_H
#define ARGOSY_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct buf {
    char *data; /* "" when nothing was ever added: use buf_text() */
    size_t length;
    size_t capacity;
    size_t limit; /* growth past it fails; 0: no limit */
    bool failed;
};

#define BUF_EMPTY ((struct buf){0})

/* Makes room for `extra` more bytes and a NUL; false, and failed, when there is none. */
bool buf_grow(struct buf *buf, size_t extra);
static inline bool buf_reserve(struct buf *buf, size_t extra)
{
    bool has_room = !buf->failed && buf->length + extra < buf->capacity &&
                    (!buf->limit || buf->length + extra <= buf->limit);
    return has_room || buf_grow(buf, extra);
}

/* Adds `length` bytes, which the caller writes; NULL when the buffer has failed. */
static inline char *buf_extend(struct buf *buf, size_t length)
{
    if (!buf_reserve(buf, length))
        return NULL;
    char *added = buf->data + buf->length;
    buf->length += length;
    buf->data[buf->length] = '\0';
    return added;
}

void buf_add(struct buf *buf, const void *bytes, size_t length);

static inline void buf_add_text(struct buf *buf, const char *text)
{
    buf_add(buf, text, strlen(text));
}

static inline void buf_add_char(struct buf *buf, char character)
{
    char *added = buf_extend(buf, 1);
    if (added)
        *added = character;
}

void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *buf, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));
/* Removes the first `length` bytes (all when there are fewer). */
void buf_drop_front(struct buf *buf, size_t length);
/* Forgets the contents and the failure, keeps the memory. */
void buf_clear(struct buf *buf);
/* The contents as a C string, never NULL. */
const char *buf_text(const struct buf *buf);
void buf_release(struct buf *buf);
#define _cleanup_buf_ __attribute__((cleanup(buf_release)))

#endif
