#ifndef ARGOSY_CLI_UTF8_H
#define ARGOSY_CLI_UTF8_H

#include <stddef.h>

/* How many bytes from the start are text: UTF-8 (RFC 3629: shortest forms, no surrogates) without
 * NUL. */
size_t utf8_text_length(const char *text, size_t length);

#endif
