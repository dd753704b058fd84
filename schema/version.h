/* Versions and what is asked of them, for the operators `version` and `semver`.
 *
 *   lenient  "1.2", "v1.2.3", "5.10.0-28-amd64": missing numbers are 0. What stands behind the
 *            numbers is a pre-release when it begins with a word for one (alpha, beta, rc, …), else
 *            it is the packager's and does not count: 5.10.0-28-amd64 is 5.10.0.
 *   strict   SemVer 2.0 (semver.org): three numbers, pre-releases in its order.
 */
#ifndef ARGOSY_SCHEMA_VERSION_H
#define ARGOSY_SCHEMA_VERSION_H

#include "platform/base/arena.h"

#include <stdbool.h>
#include <stddef.h>

enum { VERSION_NUMBERS_MAX = 8 };

struct version_part {
    const char *text; /* points into what was parsed */
    size_t length;
};

struct version {
    struct version_part numbers[VERSION_NUMBERS_MAX];
    size_t count;
    struct version_part pre; /* length 0: none */
    bool strict;
};

enum version_relation {
    VERSION_EQUAL,
    VERSION_NOT_EQUAL,
    VERSION_LESS,
    VERSION_AT_MOST,
    VERSION_GREATER,
    VERSION_AT_LEAST,
    VERSION_PESSIMISTIC, /* ~> 1.2: at least 1.2, and less than 2 */
};

struct version_rule {
    enum version_relation relation;
    struct version version;
};

struct version_rules {
    struct version_rule *items;
    size_t count;
};

bool version_parse(const char *text, size_t length, bool strict, struct version *ret_version);
/* <0, 0, >0; both parsed alike. */
int version_compare(const struct version *a, const struct version *b);

/* ">= 1.2, < 2". What is parsed points into `text`. -ERR_INVALID with the place and a constant
 * message and hint; -ERR_NO_MEMORY. */
int version_rules_parse(const char *text, bool strict, struct arena *arena,
                        struct version_rules *ret_rules, size_t *ret_offset,
                        const char **ret_message, const char **ret_hint);
/* False when `text` is no version. */
bool version_rules_hold(const struct version_rules *rules, bool strict, const char *text);

#endif
