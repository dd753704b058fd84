/* A fuzz target is one function; libFuzzer calls it, or replay.c with the seeds. A broken promise
 * aborts. */
#ifndef ARGOSY_TESTS_FUZZ_H
#define ARGOSY_TESTS_FUZZ_H

#include "platform/base/mem.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input as a terminated text: the caller's, to be freed. */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    ASSERT(text);
    if (size)
        memcpy(text, data, size);
    text[size] = '\0';
    return text;
}

/* Ends the text at its first line; what follows, "" when there is nothing. */
static inline const char *fuzz_rest(char *text)
{
    char *line = strchr(text, '\n');
    if (!line)
        return "";
    *line = '\0';
    return line + 1;
}

#endif
