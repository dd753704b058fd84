/* Reading JSON that others wrote (the container engine's replies): a tree behind a few typed
 * getters.
 *
 * All getters accept NULL and give "absent", so that a path into a reply needs no checks in
 * between: json_text(json_get(json_get(reply, "State"), "Error")). Keys are case sensitive; of
 * duplicate keys the first counts. */
#ifndef ARGOSY_SCHEMA_JSON_READER_H
#define ARGOSY_SCHEMA_JSON_READER_H

#include "platform/base/err.h"
#include "platform/base/mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json;

enum { JSON_READER_DEPTH = 32 };

/* Refuses, with -ERR_INVALID, text that is no UTF-8, holds a NUL (raw or escaped), is nested deeper
 * than JSON_READER_DEPTH, or has anything behind the value. The tree belongs to the caller. */
int json_parse(const char *text, size_t length, struct json **ret_tree, struct err *err);
void json_free(struct json *tree);
void json_cleanup(struct json **tree);
#define _cleanup_json_ _cleanup_(json_cleanup)

/* A member of an object. */
const struct json *json_get(const struct json *object, const char *key);
/* First and next element of an array, or member of an object; NULL at the end. */
const struct json *json_first(const struct json *parent);
const struct json *json_next(const struct json *node);
/* The name of a member of an object, NULL for elements. */
const char *json_key(const struct json *node);

/* NULL when it is not a string. */
const char *json_text(const struct json *node);
/* `fallback` when it is not an integral number between -2^53 and 2^53. */
int64_t json_int(const struct json *node, int64_t fallback);
/* `fallback` when it is not a number. */
double json_number(const struct json *node, double fallback);
bool json_is_true(const struct json *node);

#endif
