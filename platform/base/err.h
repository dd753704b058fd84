/* Errors: one table of codes with wire names, and a fixed buffer that gains context on the way up.
 *
 * Convention (CONTRIBUTING.md, "Errors"): an operation returns 0 or -ERR_X. It describes what went
 * wrong in `struct err`, the last parameter. Each caller may put its own words in front. Foreign
 * codes (errno, MDB_*, CURLE_*) are translated once, in the adapter. Bad user input is not an error
 * in this sense but a list of problems (schema/problems.h). */
#ifndef ARGOSY_BASE_ERR_H
#define ARGOSY_BASE_ERR_H

#include <stdarg.h>

/* name, wire name, text */
#define ERR_TABLE(X)                                              \
    X(NONE, "none", "no error")                                   \
    X(NO_MEMORY, "out_of_memory", "out of memory")                \
    X(INVALID, "invalid", "invalid input")                        \
    X(NOT_FOUND, "not_found", "not found")                        \
    X(EXISTS, "exists", "already exists")                         \
    X(CONFLICT, "conflict", "conflicts with the present version") \
    X(TOO_LARGE, "too_large", "larger than the limit")            \
    X(LIMIT, "limit", "a limit is reached")                       \
    X(BUSY, "busy", "busy, try again")                            \
    X(FULL, "full", "no space left")                              \
    X(IO, "io", "input or output failed")                         \
    X(CORRUPT, "corrupt", "stored data is damaged")               \
    X(SCHEMA_NEWER, "schema_newer", "written by a newer version") \
    X(FOREIGN, "foreign", "belongs to another cluster or node")   \
    X(UNREACHABLE, "unreachable", "cannot be reached")            \
    X(TIMED_OUT, "timed_out", "timed out")                        \
    X(REFUSED, "refused", "refused")                              \
    X(EXPIRED, "expired", "expired before it was handled")        \
    X(NOT_SUPPORTED, "not_supported", "not supported here")       \
    X(STALE, "stale", "older than what is known")                 \
    X(INTERNAL, "internal", "internal error")

enum err_code {
#define ERR_ENUM(name, wire, text) ERR_##name,
    ERR_TABLE(ERR_ENUM)
#undef ERR_ENUM
        ERR_COUNT
};

struct err {
    int code;       /* enum err_code, 0 when nothing went wrong */
    char text[512]; /* always terminated; cut at the end when it does not fit */
};

/* Wire name ("not_found") and text of a code; either sign is accepted, an unknown code is
 * "internal". */
const char *err_name(int code);
const char *err_text(int code);

/* Sets code and text and returns -code, so that `return err_set(err, ERR_IO, "…")` reads well.
 * `err` may be NULL. errno is preserved. */
int err_set(struct err *err, enum err_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same with ": " and strerror(errno_value) behind it. */
int err_set_errno(struct err *err, enum err_code code, int errno_value, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Puts "words: " in front of the text and returns -code unchanged. `err` may be NULL (returns
 * -ERR_INTERNAL then, so pass one where the code matters). */
int err_wrap(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
