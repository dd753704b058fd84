/* Expressions over a node's properties: constraints and affinities.
 *
 *   TARGET OPERATOR [VALUE]      arch == arm64
 *                                label.site in [graz, berlin]
 *                                kernel.version version >= 5.10
 *                                label.gpu is_set
 *
 * Targets: datacenter, node.id, arch, os, kernel.version, cpu.cores, label.X, attr.X. A value may
 * stand in double quotes, which keep spaces at its ends; a list stands in brackets or is just items
 * with commas between. */
#ifndef ARGOSY_SCHEMA_EXPRESSION_H
#define ARGOSY_SCHEMA_EXPRESSION_H

#include "platform/base/arena.h"
#include "schema/field.h"
#include "schema/regexp.h"
#include "schema/version.h"

#include <stdbool.h>
#include <stddef.h>

enum expression_operator {
    EXPRESSION_EQUAL,
    EXPRESSION_NOT_EQUAL,
    EXPRESSION_LESS,
    EXPRESSION_AT_MOST,
    EXPRESSION_GREATER,
    EXPRESSION_AT_LEAST,
    EXPRESSION_IS_SET,
    EXPRESSION_IS_NOT_SET,
    EXPRESSION_VERSION,
    EXPRESSION_SEMVER,
    EXPRESSION_REGEXP,
    EXPRESSION_SET_CONTAINS,     /* every item is in the property's list */
    EXPRESSION_SET_CONTAINS_ANY, /* "in": one of them is */
};

/* Parsed once, at submission; never changed. Lives in the arena it was parsed into. */
struct expression {
    const char *text;   /* as written, without spaces at its ends */
    const char *target; /* "label.site" */
    enum expression_operator operation;
    const char *value;             /* "" when the operator takes none */
    struct string_list items;      /* SET_CONTAINS… */
    struct version_rules versions; /* VERSION, SEMVER */
    const struct regexp *regexp;   /* REGEXP */
};

enum { EXPRESSION_TEXT_MAX = 500, EXPRESSION_MESSAGE_LENGTH = 160 };

struct expression_problem {
    size_t offset; /* in bytes, of what is wrong */
    char message[EXPRESSION_MESSAGE_LENGTH];
    char hint[EXPRESSION_MESSAGE_LENGTH];
};

/* Copies `text`. -ERR_INVALID fills in `ret_problem`; -ERR_NO_MEMORY. */
int expression_parse(const char *text, struct arena *arena, struct expression *ret_expression,
                     struct expression_problem *ret_problem);
/* A target alone, as spread and distinct_property have it; false fills in `ret_problem`. */
bool expression_target_check(const char *target, struct expression_problem *ret_problem);

/* Whether it is true of a node whose target has this text, NULL: has none. */
bool expression_holds(const struct expression *expression, const char *text);

/* What expressions see of a node. Everything may be NULL or empty. */
struct node_properties {
    const char *id;
    const char *datacenter;
    struct string_map labels;        /* sorted by key, as every map is */
    struct string_map people_labels; /* set by people: before the node's own */
    struct string_map attributes;
};
/* NULL: the node has none. */
const char *node_property(const struct node_properties *properties, const char *target);

#endif
