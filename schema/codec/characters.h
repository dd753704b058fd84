/* What stands for itself in a JSON string. Private to the codec. */
#ifndef ARGOSY_SCHEMA_CODEC_CHARACTERS_H
#define ARGOSY_SCHEMA_CODEC_CHARACTERS_H

#include <stdbool.h>

/* ASCII without control characters, quotes and backslashes; the index is an unsigned char. */
static const bool json_is_plain[256] = {
    [' ' ... '"' - 1] = true, ['"' + 1 ... '\\' - 1] = true, ['\\' + 1 ... 0x7f] = true};

#endif
