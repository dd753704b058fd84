/* cJSON behind a gate: what cJSON would accept or overlook (bad UTF-8, "\u0000" that cuts a string,
 * a thousand levels, trailing bytes) is refused before the tree is read. */
#include "schema/codec/json_reader.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <string.h>

/* struct json is never defined: a pointer to it is a pointer to a cJSON node. */
static const cJSON *node_of(const struct json *json)
{
    return (const cJSON *)(const void *)json;
}

static const struct json *json_of(const cJSON *node)
{
    return (const struct json *)(const void *)node;
}

static bool is_continuation(unsigned char byte)
{
    return (byte & 0xC0) == 0x80;
}

/* Length of the UTF-8 sequence at `bytes`, 0 when there is none (RFC 3629: no overlong forms, no
 * surrogates, nothing above U+10FFFF). */
static size_t utf8_length(const unsigned char *bytes, size_t available)
{
    unsigned char lead = bytes[0];
    if (lead < 0x80)
        return 1;
    size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || available < length)
        return 0;
    for (size_t i = 1; i < length; i++) {
        if (!is_continuation(bytes[i]))
            return 0;
    }
    bool overlong = (lead == 0xE0 && bytes[1] < 0xA0) || (lead == 0xF0 && bytes[1] < 0x90);
    bool surrogate = lead == 0xED && bytes[1] > 0x9F;
    bool too_large = lead == 0xF4 && bytes[1] > 0x8F;
    return overlong || surrogate || too_large ? 0 : length;
}

struct scan {
    int depth;
    bool in_string;
};

/* Looks at one character; the length to step over, 0 when the text is refused. */
static size_t scan_step(struct scan *scan, const char *at, size_t available)
{
    if (*at == '\0')
        return 0;
    if (scan->in_string && *at == '\\') {
        bool nul = available >= 6 && strncmp(at, "\\u0000", 6) == 0;
        return nul || available < 2 ? 0 : 2;
    }
    if (*at == '"')
        scan->in_string = !scan->in_string;
    else if (!scan->in_string && (*at == '{' || *at == '['))
        scan->depth++;
    else if (!scan->in_string && (*at == '}' || *at == ']'))
        scan->depth--;
    if (scan->depth > JSON_READER_DEPTH)
        return 0;
    return utf8_length((const unsigned char *)at, available);
}

/* The place of the first byte that is refused, `length` when there is none. */
static size_t refused_at(const char *text, size_t length)
{
    struct scan scan = {0};
    size_t at = 0;
    while (at < length) {
        size_t step = scan_step(&scan, text + at, length - at);
        if (step == 0)
            break;
        at += step;
    }
    return at < length ? at : length;
}

int json_parse(const char *text, size_t length, struct json **ret_tree, struct err *err)
{
    size_t refused = refused_at(text, length);
    if (refused < length)
        return err_set(err, ERR_INVALID, "not acceptable JSON at byte %zu", refused);
    const char *end = text;
    cJSON *tree = cJSON_ParseWithLengthOpts(text, length, &end, false);
    if (!tree)
        return err_set(err, ERR_INVALID, "not JSON at byte %zu", (size_t)(end - text));
    while (end < text + length && strchr(" \t\r\n", *end))
        end++;
    if (end != text + length) {
        cJSON_Delete(tree);
        return err_set(err, ERR_INVALID, "more than one value at byte %zu", (size_t)(end - text));
    }
    *ret_tree = (struct json *)(void *)tree;
    return 0;
}

void json_free(struct json *tree)
{
    cJSON_Delete((cJSON *)(void *)tree);
}

void json_cleanup(struct json **tree)
{
    json_free(*tree);
}

const struct json *json_get(const struct json *object, const char *key)
{
    return json_of(cJSON_GetObjectItemCaseSensitive(node_of(object), key));
}

const struct json *json_first(const struct json *parent)
{
    return parent ? json_of(node_of(parent)->child) : NULL;
}

const struct json *json_next(const struct json *node)
{
    return node ? json_of(node_of(node)->next) : NULL;
}

const char *json_key(const struct json *node)
{
    return node ? node_of(node)->string : NULL;
}

const char *json_text(const struct json *node)
{
    return cJSON_GetStringValue(node_of(node));
}

double json_number(const struct json *node, double fallback)
{
    return cJSON_IsNumber(node_of(node)) ? node_of(node)->valuedouble : fallback;
}

int64_t json_int(const struct json *node, int64_t fallback)
{
    static const double bound = 9007199254740992.0; /* 2^53: every integer up to here is exact */
    double value = json_number(node, NAN);
    if (!(fabs(value) <= bound) || value != floor(value))
        return fallback;
    return (int64_t)value;
}

bool json_is_true(const struct json *node)
{
    return cJSON_IsTrue(node_of(node));
}
