/* Parsing goes from left to right: target, operator, value; each failure names the place where a
 * person would have to change something. */
#include "schema/expression.h"

#include "platform/base/err.h"
#include "platform/base/mem.h"
#include "platform/base/text.h"
#include "schema/expression_text.h"
#include "schema/problems.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- the operators ---- */

enum value_kind { VALUE_TEXT, VALUE_NONE, VALUE_LIST, VALUE_VERSIONS, VALUE_REGEXP };

/* A longer sign before its own beginning. */
static const struct operator_row {
    const char *word;
    enum expression_operator operation;
    enum value_kind value;
} operators[] = {
    {"==", EXPRESSION_EQUAL, VALUE_TEXT},
    {"!=", EXPRESSION_NOT_EQUAL, VALUE_TEXT},
    {"<=", EXPRESSION_AT_MOST, VALUE_TEXT},
    {">=", EXPRESSION_AT_LEAST, VALUE_TEXT},
    {"<", EXPRESSION_LESS, VALUE_TEXT},
    {">", EXPRESSION_GREATER, VALUE_TEXT},
    {"is_set", EXPRESSION_IS_SET, VALUE_NONE},
    {"is_not_set", EXPRESSION_IS_NOT_SET, VALUE_NONE},
    {"version", EXPRESSION_VERSION, VALUE_VERSIONS},
    {"semver", EXPRESSION_SEMVER, VALUE_VERSIONS},
    {"regexp", EXPRESSION_REGEXP, VALUE_REGEXP},
    {"set_contains", EXPRESSION_SET_CONTAINS, VALUE_LIST},
    {"set_contains_any", EXPRESSION_SET_CONTAINS_ANY, VALUE_LIST},
    {"in", EXPRESSION_SET_CONTAINS_ANY, VALUE_LIST},
};

#define OPERATORS_HINT                                                                       \
    "operators are == != < <= > >= in is_set is_not_set version semver regexp set_contains " \
    "set_contains_any"
#define TARGETS_HINT \
    "targets are datacenter, node.id, arch, os, kernel.version, cpu.cores, label.X and attr.X"

struct reader {
    const char *text, *at;
    struct arena *arena;
    struct expression *expression;
    struct expression_problem *problem;
};

static int problem_at(struct reader *reader, const char *place, const char *hint,
                      const char *format, ...) __attribute__((format(printf, 4, 5)));
static int problem_at(struct reader *reader, const char *place, const char *hint,
                      const char *format, ...)
{
    va_list args;
    reader->problem->offset = (size_t)(place - reader->text);
    text_copy(reader->problem->hint, sizeof(reader->problem->hint), hint);
    va_start(args, format);
    vsnprintf(reader->problem->message, sizeof(reader->problem->message), format, args);
    va_end(args);
    return -ERR_INVALID;
}

static bool is_space(char character)
{
    return character == ' ' || character == '\t';
}

static void skip_spaces(struct reader *reader)
{
    while (is_space(*reader->at))
        reader->at++;
}

/* ---- targets ---- */

static const char *const plain_targets[] = {"datacenter", "node.id",        "arch",
                                            "os",         "kernel.version", "cpu.cores"};

static bool key_is_valid(const char *key)
{
    for (const char *at = key; *at; at++)
        if (!is_key_character(*at))
            return false;
    return *key && !strchr("._-/", *key);
}

static bool target_is_known(const char *target)
{
    for (size_t i = 0; i < ARRAY_LENGTH(plain_targets); i++)
        if (strcmp(target, plain_targets[i]) == 0)
            return true;
    if (strncmp(target, "label.", 6) == 0)
        return key_is_valid(target + 6);
    return strncmp(target, "attr.", 5) == 0 && key_is_valid(target + 5);
}

/* What was probably meant; a constant's or `ret_text`'s. */
static const char *target_hint(const char *target, char ret_text[EXPRESSION_MESSAGE_LENGTH])
{
    static const char *const prefixes[] = {"label", "attr"};
    const char *nearest = problems_nearest(target, plain_targets, ARRAY_LENGTH(plain_targets));
    const char *dot = strchr(target, '.');
    char first[16] = "";
    if (!nearest && dot && (size_t)(dot - target) < sizeof(first) && key_is_valid(dot + 1)) {
        memcpy(first, target, (size_t)(dot - target));
        nearest = problems_nearest(first, prefixes, ARRAY_LENGTH(prefixes));
    }
    if (!nearest)
        return TARGETS_HINT;
    snprintf(ret_text, EXPRESSION_MESSAGE_LENGTH, "did you mean \"%s%.100s\"?", nearest,
             first[0] ? dot : "");
    return ret_text;
}

bool expression_target_check(const char *target, struct expression_problem *ret_problem)
{
    char hint[EXPRESSION_MESSAGE_LENGTH];
    struct reader reader = {.text = target, .problem = ret_problem};
    if (target_is_known(target))
        return true;
    problem_at(&reader, target, target_hint(target, hint), "\"%.80s\" is no target", target);
    return false;
}

static int read_target(struct reader *reader)
{
    char hint[EXPRESSION_MESSAGE_LENGTH];
    const char *start = reader->at;
    while (*reader->at && !is_space(*reader->at) && !strchr("=!<>~", *reader->at))
        reader->at++;
    if (reader->at == start)
        return problem_at(reader, start, "such as arch == arm64",
                          *start ? "the target is missing" : "the expression is empty");
    const char *target = arena_strndup(reader->arena, start, (size_t)(reader->at - start));
    if (!target)
        return -ERR_NO_MEMORY;
    reader->expression->target = target;
    if (target_is_known(target))
        return 0;
    return problem_at(reader, start, target_hint(target, hint), "\"%.80s\" is no target", target);
}

/* ---- operators ---- */

static int unknown_operator(struct reader *reader, const char *word, size_t length)
{
    const char *words[ARRAY_LENGTH(operators)];
    char hint[EXPRESSION_MESSAGE_LENGTH], copy[EXPRESSION_MESSAGE_LENGTH];
    for (size_t i = 0; i < ARRAY_LENGTH(operators); i++)
        words[i] = operators[i].word;
    if (!length)
        return problem_at(reader, word, OPERATORS_HINT, "the operator is missing");
    snprintf(copy, sizeof(copy), "%.*s", (int)(length > 80 ? 80 : length), word);
    const char *nearest = strcmp(copy, "=") == 0 || strcmp(copy, "===") == 0
                              ? "=="
                              : problems_nearest(copy, words, ARRAY_LENGTH(words));
    if (strcmp(copy, "~>") == 0)
        nearest = "version ~>";
    snprintf(hint, sizeof(hint), "did you mean \"%s\"?", nearest ? nearest : "");
    return problem_at(reader, word, nearest ? hint : OPERATORS_HINT, "\"%s\" is no operator", copy);
}

static int read_operator(struct reader *reader, enum value_kind *ret_value)
{
    skip_spaces(reader);
    const char *word = reader->at;
    size_t length = strspn(word, "=!<>~");
    if (!length)
        while (word[length] && !is_space(word[length]) && word[length] != '[' &&
               word[length] != '"')
            length++;
    for (size_t i = 0; i < ARRAY_LENGTH(operators); i++) {
        if (strlen(operators[i].word) != length || strncmp(operators[i].word, word, length) != 0)
            continue;
        reader->expression->operation = operators[i].operation;
        *ret_value = operators[i].value;
        reader->at += length;
        return 0;
    }
    return unknown_operator(reader, word, length);
}

/* ---- values ---- */

static int read_list(struct reader *reader, const char *start)
{
    struct string_list *items = &reader->expression->items;
    size_t length = strlen(reader->expression->value), most = 1;
    const char *at = start, *end = start + length;
    if (*at == '[' && end[-1] != ']')
        return problem_at(reader, end, "close it with ]", "the list is not closed");
    if (*at == '[') {
        at++;
        end--;
    }
    for (const char *comma = at; comma < end; comma++)
        most += *comma == ',';
    items->items = arena_array(reader->arena, most, sizeof(*items->items));
    if (!items->items)
        return -ERR_NO_MEMORY;
    while (items->count < most) {
        size_t item = list_item(&at, end);
        if (!item)
            return problem_at(reader, at, "such as [graz, berlin]", "an item is empty");
        if (!(items->items[items->count++] = arena_strndup(reader->arena, at, item)))
            return -ERR_NO_MEMORY;
        at += item;
        while (at < end && *at != ',')
            at++;
        at++;
    }
    return 0;
}

static int read_parts(struct reader *reader, const char *start, enum value_kind kind)
{
    struct expression *expression = reader->expression;
    const char *message = "", *hint = "the syntax is that of extended regular expressions";
    size_t offset = 0;
    int error = 0;
    if (kind == VALUE_LIST)
        return read_list(reader, start);
    if (kind == VALUE_REGEXP)
        error =
            regexp_parse(expression->value, reader->arena, &expression->regexp, &offset, &message);
    if (kind == VALUE_VERSIONS)
        error = version_rules_parse(expression->value, expression->operation == EXPRESSION_SEMVER,
                                    reader->arena, &expression->versions, &offset, &message, &hint);
    return error == -ERR_INVALID ? problem_at(reader, start + offset, hint, "%s", message) : error;
}

static int read_value(struct reader *reader, enum value_kind kind)
{
    skip_spaces(reader);
    const char *start = reader->at;
    size_t length = strlen(start);
    while (length && is_space(start[length - 1]))
        length--;
    if (kind == VALUE_NONE)
        return length ? problem_at(reader, start, "leave it out", "this operator takes no value")
                      : 0;
    if (!length)
        return problem_at(reader, start, "\"\" is the empty text", "the value is missing");
    if (*start == '"' && (length == 1 || start[length - 1] != '"'))
        return problem_at(reader, start, "end it with a quote", "the quotes are not closed");
    if (*start == '"') {
        start++;
        length -= 2;
    }
    reader->expression->value = arena_strndup(reader->arena, start, length);
    if (!reader->expression->value)
        return -ERR_NO_MEMORY;
    return read_parts(reader, start, kind);
}

int expression_parse(const char *text, struct arena *arena, struct expression *ret_expression,
                     struct expression_problem *ret_problem)
{
    struct expression expression = {.value = ""};
    struct reader reader = {text, text, arena, &expression, ret_problem};
    enum value_kind kind = VALUE_TEXT;
    skip_spaces(&reader);
    size_t length = strlen(reader.at);
    if (length > EXPRESSION_TEXT_MAX)
        return problem_at(&reader, reader.at, "split it into several",
                          "an expression has at most %d characters", EXPRESSION_TEXT_MAX);
    while (length && is_space(reader.at[length - 1]))
        length--;
    if (!(expression.text = arena_strndup(arena, reader.at, length)))
        return -ERR_NO_MEMORY;
    int error = read_target(&reader);
    if (!error)
        error = read_operator(&reader, &kind);
    if (!error)
        error = read_value(&reader, kind);
    if (!error)
        *ret_expression = expression;
    return error;
}

/* ---- truth ---- */

/* Every item of the expression, or any, is in the comma list. */
static bool set_holds(const struct expression *expression, const char *list)
{
    bool any = expression->operation == EXPRESSION_SET_CONTAINS_ANY;
    for (size_t i = 0; i < expression->items.count; i++)
        if (list_contains(list, expression->items.items[i]) == any)
            return any;
    return !any;
}

bool expression_holds(const struct expression *expression, const char *text)
{
    if (!text)
        return expression->operation == EXPRESSION_NOT_EQUAL ||
               expression->operation == EXPRESSION_IS_NOT_SET;
    switch (expression->operation) {
    case EXPRESSION_EQUAL:
        return strcmp(text, expression->value) == 0;
    case EXPRESSION_NOT_EQUAL:
        return strcmp(text, expression->value) != 0;
    case EXPRESSION_LESS:
        return values_compare(text, expression->value) < 0;
    case EXPRESSION_AT_MOST:
        return values_compare(text, expression->value) <= 0;
    case EXPRESSION_GREATER:
        return values_compare(text, expression->value) > 0;
    case EXPRESSION_AT_LEAST:
        return values_compare(text, expression->value) >= 0;
    case EXPRESSION_IS_SET:
        return true;
    case EXPRESSION_IS_NOT_SET:
        return false;
    case EXPRESSION_VERSION:
    case EXPRESSION_SEMVER:
        return version_rules_hold(&expression->versions, expression->operation == EXPRESSION_SEMVER,
                                  text);
    case EXPRESSION_REGEXP:
        return regexp_matches(expression->regexp, text);
    case EXPRESSION_SET_CONTAINS:
    case EXPRESSION_SET_CONTAINS_ANY:
        return set_holds(expression, text);
    }
    return false;
}

/* ---- nodes ---- */

static const char *map_get(const struct string_map *map, const char *key)
{
    size_t low = 0, high = map->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(map->items[middle].key, key);
        if (order == 0)
            return map->items[middle].value;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const char *node_property(const struct node_properties *properties, const char *target)
{
    if (strcmp(target, "datacenter") == 0)
        return properties->datacenter;
    if (strcmp(target, "node.id") == 0)
        return properties->id;
    if (strncmp(target, "label.", 6) == 0) {
        const char *value = map_get(&properties->people_labels, target + 6);
        return value ? value : map_get(&properties->labels, target + 6);
    }
    return map_get(&properties->attributes, strncmp(target, "attr.", 5) == 0 ? target + 5 : target);
}
