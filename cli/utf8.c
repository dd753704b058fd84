#include "cli/utf8.h"

#include <stdbool.h>

/* Bytes behind a lead byte, and the range of the first of them (RFC 3629, section 4). */
static const struct lead {
    unsigned char first, last;
    unsigned char count, low, high;
} leads[] = {
    {0x01, 0x7f, 0, 0, 0},       {0xc2, 0xdf, 1, 0x80, 0xbf}, {0xe0, 0xe0, 2, 0xa0, 0xbf},
    {0xe1, 0xec, 2, 0x80, 0xbf}, {0xed, 0xed, 2, 0x80, 0x9f}, {0xee, 0xef, 2, 0x80, 0xbf},
    {0xf0, 0xf0, 3, 0x90, 0xbf}, {0xf1, 0xf3, 3, 0x80, 0xbf}, {0xf4, 0xf4, 3, 0x80, 0x8f},
};

static const struct lead *lead_of(unsigned char byte)
{
    for (size_t i = 0; i < sizeof leads / sizeof *leads; i++)
        if (byte >= leads[i].first && byte <= leads[i].last)
            return &leads[i];
    return NULL;
}

static bool is_followed(const struct lead *lead, const unsigned char *at, size_t room)
{
    if (lead->count > room)
        return false;
    for (size_t i = 0; i < lead->count; i++)
        if (at[i] < (i ? 0x80 : lead->low) || at[i] > (i ? 0xbf : lead->high))
            return false;
    return true;
}

size_t utf8_text_length(const char *text, size_t length)
{
    const unsigned char *bytes = (const unsigned char *)text;
    size_t at = 0;
    while (at < length) {
        const struct lead *lead = lead_of(bytes[at]);
        if (!lead || !is_followed(lead, bytes + at + 1, length - at - 1))
            break;
        at += 1u + lead->count;
    }
    return at;
}
