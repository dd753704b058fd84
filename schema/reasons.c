#include "schema/reasons.h"

#include <stddef.h>
#include <string.h>

static const struct reason_row {
    const char *wire, *text;
} rows[REASON_COUNT] = {
#define REASON_ROW(name, wire, text) [REASON_##name] = {wire, text},
    REASON_TABLE(REASON_ROW)
#undef REASON_ROW
};

static const struct reason_row *reason_row(int reason)
{
    return &rows[reason > REASON_NONE && reason < REASON_COUNT ? reason : REASON_NONE];
}

const char *reason_to_string(int reason)
{
    return reason_row(reason)->wire;
}

const char *reason_text(int reason)
{
    return reason_row(reason)->text;
}

enum reason reason_from_string(const char *text)
{
    for (int reason = REASON_NONE + 1; reason < REASON_COUNT; reason++)
        if (text && !strcmp(rows[reason].wire, text))
            return (enum reason)reason;
    return REASON_NONE;
}
