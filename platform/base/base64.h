/* Base64 with padding (RFC 4648, section 4), strict: no line breaks, no other alphabet. */
#ifndef ARGOSY_BASE_BASE64_H
#define ARGOSY_BASE_BASE64_H

#include <stddef.h>
#include <stdint.h>

/* With the closing NUL. */
#define BASE64_SIZE(length) (((length) + 2) / 3 * 4 + 1)

/* `ret_text` holds BASE64_SIZE(length). */
void base64_encode(const void *bytes, size_t length, char *ret_text);
/* The number of bytes; -ERR_INVALID when the text is not Base64. `ret_bytes`: at least three for
 * each four characters, or NULL to only check. */
int64_t base64_decode(const char *text, void *ret_bytes);

#endif
