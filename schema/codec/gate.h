/* The gate: what every text must pass before a tree is made of it. */
#ifndef ARGOSY_SCHEMA_CODEC_GATE_H
#define ARGOSY_SCHEMA_CODEC_GATE_H

#include "schema/problems.h"

#include <stddef.h>

/* One pass over the text: size, grammar (RFC 8259), UTF-8, no NUL, depth, no key twice in an
 * object, numbers below 2^53, an object at the top and nothing behind it. One problem, with its
 * place, or none. Returns 0, -ERR_INVALID, -ERR_TOO_LARGE, -ERR_NO_MEMORY. `arena` holds keys while
 * it runs. */
int gate_check(const char *text, size_t length, struct problems *problems);
/* The same for a file of a person's own, which may be larger than a message. */
int gate_check_file(const char *text, size_t length, struct problems *problems);

#endif
