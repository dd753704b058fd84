#include "cli/yaml_scalar.h"

#include "platform/base/mem.h"
#include "schema/codec/codec.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static bool is_one_of(const char *text, size_t length, const char *const *words)
{
    for (; *words; words++)
        if (strlen(*words) == length && memcmp(*words, text, length) == 0)
            return true;
    return false;
}

static size_t digits(const char *text, const char *alphabet)
{
    return strspn(text, alphabet);
}

/* 0x1F, 0o17, 12, -3: whole numbers that fit. */
static bool integer_parse(const char *text, int64_t *ret_value)
{
    static const char decimal[] = "0123456789";
    const char *start = text;
    int base = 10;
    if (strncmp(text, "0x", 2) == 0 || strncmp(text, "0o", 2) == 0) {
        base = text[1] == 'x' ? 16 : 8;
        start = text + 2;
    } else if (*text == '-' || *text == '+') {
        start = text + 1;
    }
    const char *alphabet = base == 16 ? "0123456789abcdefABCDEF" : base == 8 ? "01234567" : decimal;
    size_t count = digits(start, alphabet);
    if (!count || start[count])
        return false;
    errno = 0;
    *ret_value = strtoll(base == 10 ? text : start, NULL, base);
    return errno == 0;
}

/* [-+]? ( \. digits | digits ( \. digits? )? ) ( [eE] [-+]? digits )?, written as JSON wants it. */
static bool decimal_add_json(const char *text, struct buf *out)
{
    static const char decimal[] = "0123456789";
    const char *at = text + (*text == '-' || *text == '+');
    const char *whole = at, *fraction = NULL, *exponent = NULL;
    size_t whole_length = digits(at, decimal), fraction_length = 0;
    at += whole_length;
    if (*at == '.') {
        fraction = ++at;
        fraction_length = digits(at, decimal);
        at += fraction_length;
    }
    if (!whole_length && !fraction_length)
        return false;
    if (*at == 'e' || *at == 'E') {
        exponent = at++;
        at += *at == '-' || *at == '+';
        size_t count = digits(at, decimal);
        at += count;
        if (!count)
            return false;
    }
    if (*at)
        return false;
    for (; whole_length > 1 && *whole == '0'; whole_length--)
        whole++;
    buf_add_text(out, *text == '-' ? "-" : "");
    buf_add(out, whole_length ? whole : "0", whole_length ? whole_length : 1);
    if (fraction && fraction_length) {
        buf_add_char(out, '.');
        buf_add(out, fraction, fraction_length);
    }
    if (exponent)
        buf_add_text(out, exponent);
    return true;
}

void yaml_scalar_add_json(const char *text, size_t length, bool text_wanted, struct buf *out)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const truths[] = {"true", "True", "TRUE", NULL};
    static const char *const lies[] = {"false", "False", "FALSE", NULL};
    char number[64] = "";
    int64_t value;
    if (length < sizeof number)
        memcpy(number, text, length);
    if (is_one_of(text, length, nulls))
        buf_add_text(out, "null");
    else if (text_wanted)
        json_add_string(out, text, length);
    else if (is_one_of(text, length, truths))
        buf_add_text(out, "true");
    else if (is_one_of(text, length, lies))
        buf_add_text(out, "false");
    else if (integer_parse(number, &value))
        buf_printf(out, "%" PRId64, value);
    else if (!decimal_add_json(number, out))
        json_add_string(out, text, length);
}
