#include "platform/base/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    const char *text;
} errors[] = {
#define ERR_ROW(name, wire, text) [ERR_##name] = {wire, text},
    ERR_TABLE(ERR_ROW)
#undef ERR_ROW
};

static int err_index(int code)
{
    int positive = code < 0 ? -code : code;
    return positive < ERR_COUNT ? positive : ERR_INTERNAL;
}

const char *err_name(int code)
{
    return errors[err_index(code)].name;
}

const char *err_text(int code)
{
    return errors[err_index(code)].text;
}

int err_set(struct err *err, enum err_code code, const char *format, ...)
{
    int saved_errno = errno;
    if (err) {
        va_list args;
        va_start(args, format);
        vsnprintf(err->text, sizeof err->text, format, args);
        va_end(args);
        err->code = (int)code;
    }
    errno = saved_errno;
    return -(int)code;
}

int err_set_errno(struct err *err, enum err_code code, int errno_value, const char *format, ...)
{
    if (err) {
        va_list args;
        va_start(args, format);
        int used = vsnprintf(err->text, sizeof err->text, format, args);
        va_end(args);
        if (used >= 0 && (size_t)used < sizeof err->text)
            snprintf(err->text + used, sizeof err->text - (size_t)used, ": %s",
                     strerror(errno_value));
        err->code = (int)code;
    }
    return -(int)code;
}

int err_wrap(struct err *err, const char *format, ...)
{
    if (!err)
        return -ERR_INTERNAL;
    char old[sizeof err->text];
    memcpy(old, err->text, sizeof old);
    va_list args;
    va_start(args, format);
    int used = vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    size_t room =
        used >= 0 && (size_t)used < sizeof err->text ? sizeof err->text - (size_t)used : 0;
    if (room > 3)
        snprintf(err->text + used, room, ": %.*s", (int)(room - 3), old);
    return -err->code;
}
