/* Texts in arrays of a fixed size. */
#ifndef ARGOSY_BASE_TEXT_H
#define ARGOSY_BASE_TEXT_H

#include <stddef.h>
#include <string.h>

/* Cut where it does not fit, and always ended; NULL is "". `size` is at least 1. */
static inline void text_copy(char *to, size_t size, const char *from)
{
    size_t length = from ? strnlen(from, size - 1) : 0;
    if (length)
        memmove(to, from, length);
    to[length] = '\0';
}

#endif
