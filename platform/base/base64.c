#include "platform/base/base64.h"

#include "platform/base/err.h"

#include <stdbool.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(const void *bytes, size_t length, char *ret_text)
{
    const unsigned char *in = bytes;
    for (size_t i = 0; i < length; i += 3) {
        size_t rest = length - i;
        uint32_t three = (uint32_t)in[i] << 16 | (uint32_t)(rest > 1 ? in[i + 1] : 0) << 8 |
                         (rest > 2 ? in[i + 2] : 0);
        *ret_text++ = alphabet[three >> 18];
        *ret_text++ = alphabet[three >> 12 & 63];
        *ret_text++ = rest > 1 ? alphabet[three >> 6 & 63] : '=';
        *ret_text++ = rest > 2 ? alphabet[three & 63] : '=';
    }
    *ret_text = '\0';
}

static int digit(char character)
{
    const char *at = character ? strchr(alphabet, character) : NULL;
    return at ? (int)(at - alphabet) : -1;
}

int64_t base64_decode(const char *text, void *ret_bytes)
{
    size_t length = strlen(text);
    unsigned char *out = ret_bytes;
    int64_t count = 0;
    if (length % 4)
        return -ERR_INVALID;
    for (size_t i = 0; i < length; i += 4) {
        bool last = i + 4 == length;
        int padding = last ? (text[i + 3] == '=') + (text[i + 3] == '=' && text[i + 2] == '=') : 0;
        uint32_t three = 0;
        for (int j = 0; j < 4; j++) {
            int value = j < 4 - padding ? digit(text[i + (size_t)j]) : 0;
            if (value < 0)
                return -ERR_INVALID;
            three = three << 6 | (uint32_t)value;
        }
        for (int j = 0; j < 3 - padding; j++, count++)
            if (out)
                out[count] = (unsigned char)(three >> (16 - 8 * j));
    }
    return count;
}
