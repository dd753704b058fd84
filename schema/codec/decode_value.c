/* Values: one function a kind. Each leaves the member as it is (absent) when it adds a problem. */
#include "schema/codec/decode.h"

#include "platform/base/mem.h"
#include "schema/codec/number.h"
#include "schema/quantity.h"
#include "schema/topics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HINT_BYTES = 200 };

typedef void decode_fn(struct decoder *decoder, const struct place *place,
                       const struct field *field, const cJSON *value, void *ret_member);

static char *text_copy(struct decoder *decoder, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = decode_alloc(decoder, 1, size);
    return copy ? memcpy(copy, text, size) : NULL;
}

static void expected(struct decoder *decoder, const struct place *place, const char *what)
{
    decode_problem(decoder, place, NULL, "expected %s", what);
}

static bool has_bounds(const struct field *field)
{
    return field->min || field->max;
}

/* ---- whole numbers and quantities ---- */

static void store_bounded(struct decoder *decoder, const struct place *place,
                          const struct field *field, int64_t number, int64_t *ret_member)
{
    char bound[QUANTITY_TEXT_LENGTH];
    bool is_low = has_bounds(field) && number < field->min;
    if (!is_low && !(has_bounds(field) && number > field->max)) {
        *ret_member = number;
        return;
    }
    field_number_format(field->kind, is_low ? field->min : field->max, bound);
    decode_problem(decoder, place, NULL, "must be at %s %s", is_low ? "least" : "most", bound);
}

/* The gate has refused everything from 2^53 on. */
static bool whole_number(const cJSON *value, int64_t *ret_number)
{
    if (!cJSON_IsNumber(value) || value->valuedouble != (double)(int64_t)value->valuedouble)
        return false;
    *ret_number = (int64_t)value->valuedouble;
    return true;
}

static void decode_int(struct decoder *decoder, const struct place *place,
                       const struct field *field, const cJSON *value, void *ret_member)
{
    int64_t number;
    if (whole_number(value, &number))
        store_bounded(decoder, place, field, number, ret_member);
    else
        expected(decoder, place, "a whole number");
}

static void decode_quantity(struct decoder *decoder, const struct place *place,
                            const struct field *field, const cJSON *value, void *ret_member,
                            bool (*parse)(const char *text, int64_t *ret, const char **ret_hint))
{
    int64_t number;
    const char *hint;
    if (parse(value->valuestring, &number, &hint))
        store_bounded(decoder, place, field, number, ret_member);
    else
        decode_problem(decoder, place, hint, "\"%.100s\" is not a valid %s", value->valuestring,
                       field->kind == FIELD_SIZE       ? "size"
                       : field->kind == FIELD_DURATION ? "duration"
                                                       : "number of cores");
}

static void decode_size(struct decoder *decoder, const struct place *place,
                        const struct field *field, const cJSON *value, void *ret_member)
{
    if (cJSON_IsString(value))
        decode_quantity(decoder, place, field, value, ret_member, size_parse);
    else if (cJSON_IsNumber(value))
        decode_int(decoder, place, field, value, ret_member);
    else
        expected(decoder, place, "a size, such as 64MiB");
}

static void decode_duration(struct decoder *decoder, const struct place *place,
                            const struct field *field, const cJSON *value, void *ret_member)
{
    if (cJSON_IsString(value))
        decode_quantity(decoder, place, field, value, ret_member, duration_parse);
    else
        decode_problem(decoder, place, "a duration needs a unit, such as 10s (ms, s, m, h, d)",
                       "expected a duration");
}

static void decode_cpu(struct decoder *decoder, const struct place *place,
                       const struct field *field, const cJSON *value, void *ret_member)
{
    int64_t millis;
    if (cJSON_IsString(value))
        decode_quantity(decoder, place, field, value, ret_member, cpu_parse);
    else if (cJSON_IsNumber(value) && cpu_from_number(value->valuedouble, &millis))
        store_bounded(decoder, place, field, millis, ret_member);
    else
        decode_problem(decoder, place, "cores, such as 0.25 or \"250m\", to a thousandth",
                       "expected a number of cores");
}

static void decode_number(struct decoder *decoder, const struct place *place,
                          const struct field *field, const cJSON *value, void *ret_member)
{
    (void)field;
    if (cJSON_IsNumber(value))
        *(double *)ret_member = value->valuedouble;
    else
        expected(decoder, place, "a number");
}

static bool decode_truth(struct decoder *decoder, const struct place *place, const cJSON *value)
{
    if (cJSON_IsBool(value))
        return true;
    decode_problem(decoder, place, "without quotes", "expected true or false");
    return false;
}

static void decode_bool(struct decoder *decoder, const struct place *place,
                        const struct field *field, const cJSON *value, void *ret_member)
{
    (void)field;
    if (decode_truth(decoder, place, value))
        *(bool *)ret_member = cJSON_IsTrue(value);
}

static void decode_tristate(struct decoder *decoder, const struct place *place,
                            const struct field *field, const cJSON *value, void *ret_member)
{
    (void)field;
    if (decode_truth(decoder, place, value))
        *(int64_t *)ret_member = cJSON_IsTrue(value);
}

/* ---- words and texts ---- */

/* "did you mean …?" or "one of …". */
static void words_hint(const struct words *words, const char *text, char ret_hint[HINT_BYTES])
{
    const char *candidates[32];
    size_t count = 0, used = 0;
    for (size_t i = 0; i < words->count && count < ARRAY_LENGTH(candidates); i++)
        candidates[count++] = words->items[i].text;
    const char *nearest = problems_nearest(text, candidates, count);
    if (nearest) {
        snprintf(ret_hint, HINT_BYTES, "did you mean %s?", nearest);
        return;
    }
    for (size_t i = 0; i < count && used < HINT_BYTES; i++)
        used += (size_t)snprintf(ret_hint + used, HINT_BYTES - used, "%s%s", i ? ", " : "one of ",
                                 candidates[i]);
}

static void decode_enum(struct decoder *decoder, const struct place *place,
                        const struct field *field, const cJSON *value, void *ret_member)
{
    char hint[HINT_BYTES];
    const char *text = cJSON_IsString(value) ? value->valuestring : "";
    int word = words_from_string(field->words, text);
    if (word) {
        *(int *)ret_member = word;
        return;
    }
    if (decoder->mode == CODEC_LENIENT && field->flags & FIELD_OPEN && cJSON_IsString(value))
        return;
    words_hint(field->words, text, hint);
    if (!cJSON_IsString(value))
        decode_problem(decoder, place, hint, "expected a word");
    else if (job_spec_word_is_planned(text))
        decode_problem(decoder, place, "this version does not support it", "\"%s\" is not known",
                       text);
    else
        decode_problem(decoder, place, hint, "\"%.100s\" is not known", text);
}

/* Kinds of text with an alphabet of their own. */
static bool is_any_text(const char *text)
{
    (void)text;
    return true;
}

static bool task_id_is_valid(const char *text)
{
    struct attempt_name name;
    return attempt_name_parse(text, &name);
}

static const struct text_rule {
    bool (*accepts)(const char *text);
    const char *hint;
} text_rules[] = {
    [FIELD_STRING] = {is_any_text, NULL},
    [FIELD_NAME] = {name_is_valid,
                    "lower-case letters, digits and -, at most 40, not beginning with -"},
    [FIELD_NODE_ID] = {node_id_is_valid,
                       "lower-case letters, digits and -, at most 63, not beginning with -"},
    [FIELD_TASK_ID] = {task_id_is_valid, "such as web_web_0_7f3k2q2m"},
    [FIELD_TOKEN] = {token_is_valid, "letters, digits, - and _, at most 128"},
};

static size_t character_count(const char *text)
{
    size_t count = 0;
    for (; *text; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

static bool length_is_valid(struct decoder *decoder, const struct place *place,
                            const struct field *field, const char *text)
{
    if (!has_bounds(field))
        return true;
    int64_t length = (int64_t)character_count(text);
    if (length >= field->min && length <= field->max)
        return true;
    if (length < field->min)
        decode_problem(decoder, place, field->pattern_hint, "must not be empty");
    else
        decode_problem(decoder, place, NULL, "longer than %lld characters", (long long)field->max);
    return false;
}

/* What the field's pattern says, of a text, an item or a key. */
static bool pattern_is_met(struct decoder *decoder, const struct place *place,
                           const struct field *field, const char *text)
{
    if (!field->accepts || field->accepts(text))
        return true;
    decode_problem(decoder, place, field->pattern_hint, "\"%.100s\" is not valid here", text);
    return false;
}

static void decode_text(struct decoder *decoder, const struct place *place,
                        const struct field *field, const cJSON *value, void *ret_member)
{
    const struct text_rule *rule = &text_rules[field->kind];
    if (!cJSON_IsString(value))
        expected(decoder, place, "a text");
    else if (!rule->accepts(value->valuestring))
        decode_problem(decoder, place, rule->hint, "\"%.130s\" is not valid here",
                       value->valuestring);
    else if (length_is_valid(decoder, place, field, value->valuestring) &&
             pattern_is_met(decoder, place, field, value->valuestring))
        *(const char **)ret_member = text_copy(decoder, value->valuestring);
}

/* A text; with FIELD_SCALARS also a number or a boolean, as its text. NULL after a problem. */
static const char *scalar_text(struct decoder *decoder, const struct place *place,
                               const struct field *field, const cJSON *value)
{
    char number[NUMBER_TEXT_LENGTH];
    if (cJSON_IsString(value))
        return text_copy(decoder, value->valuestring);
    if (field->flags & FIELD_SCALARS && cJSON_IsBool(value))
        return cJSON_IsTrue(value) ? "true" : "false";
    if (field->flags & FIELD_SCALARS && cJSON_IsNumber(value)) {
        number_format(value->valuedouble, number);
        return text_copy(decoder, number);
    }
    expected(decoder, place, "a text");
    return NULL;
}

/* ---- lists and maps ---- */

static bool count_is_valid(struct decoder *decoder, const struct place *place,
                           const struct field *field, const cJSON *value)
{
    int64_t count = cJSON_GetArraySize(value);
    if (!has_bounds(field) || (count >= field->min && count <= field->max))
        return true;
    if (count < field->min)
        decode_problem(decoder, place, NULL, "needs at least %lld", (long long)field->min);
    else
        decode_problem(decoder, place, NULL, "has more than %lld", (long long)field->max);
    return false;
}

static void decode_item(struct decoder *decoder, const struct place *place,
                        const struct field *field, const cJSON *value, struct string_list *list)
{
    const char *text = scalar_text(decoder, place, field, value);
    if (text && pattern_is_met(decoder, place, field, text))
        list->items[list->count++] = text;
}

static void decode_items(struct decoder *decoder, const struct place *place,
                         const struct field *field, const cJSON *value, struct string_list *list)
{
    size_t index = 0;
    if (!count_is_valid(decoder, place, field, value) || !value->child)
        return;
    list->items = decode_alloc(decoder, (size_t)cJSON_GetArraySize(value), sizeof *list->items);
    if (!list->items)
        return;
    for (const cJSON *item = value->child; item; item = item->next) {
        struct place here = {.up = place, .index = index++};
        decode_item(decoder, &here, field, item, list);
    }
}

static void decode_strings(struct decoder *decoder, const struct place *place,
                           const struct field *field, const cJSON *value, void *ret_member)
{
    struct string_list *list = ret_member;
    if (cJSON_IsArray(value)) {
        decode_items(decoder, place, field, value, list);
    } else if (field->flags & FIELD_ONE_OR_MANY && cJSON_IsString(value)) {
        list->items = decode_alloc(decoder, 1, sizeof *list->items);
        if (list->items)
            decode_item(decoder, place, field, value, list);
    } else if (field->flags & FIELD_COMMAND_LINE && cJSON_IsString(value)) {
        decode_problem(decoder, place,
                       "write [\"program\", \"argument\"]; for a shell [\"sh\", \"-c\", \"…\"]",
                       "expected a list: program and arguments, one item each");
    } else {
        expected(decoder, place, "a list");
    }
}

/* Items of all maps begin with their key. */
static int pair_compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Checks a map and makes room for its pairs; NULL when there is nothing to take. */
static void *map_begin(struct decoder *decoder, const struct place *place,
                       const struct field *field, const cJSON *value, size_t pair_size)
{
    if (!cJSON_IsObject(value)) {
        expected(decoder, place, "an object");
        return NULL;
    }
    if (!value->child || !count_is_valid(decoder, place, field, value))
        return NULL;
    return decode_alloc(decoder, (size_t)cJSON_GetArraySize(value), pair_size);
}

static void decode_map(struct decoder *decoder, const struct place *place,
                       const struct field *field, const cJSON *value, void *ret_member)
{
    struct string_map *map = ret_member;
    map->items = map_begin(decoder, place, field, value, sizeof *map->items);
    for (const cJSON *child = map->items ? value->child : NULL; child; child = child->next) {
        struct place here = {.up = place, .key = child->string};
        struct string_pair pair = {.key = text_copy(decoder, child->string)};
        pair.value = scalar_text(decoder, &here, field, child);
        if (pattern_is_met(decoder, &here, field, child->string) && pair.key && pair.value)
            map->items[map->count++] = pair;
    }
    if (map->count)
        qsort(map->items, map->count, sizeof *map->items, pair_compare);
}

static void decode_int_map(struct decoder *decoder, const struct place *place,
                           const struct field *field, const cJSON *value, void *ret_member)
{
    struct int_map *map = ret_member;
    /* min and max of the field are the numbers' */
    static const struct field no_bounds = {.kind = FIELD_INT_MAP};
    map->items = map_begin(decoder, place, &no_bounds, value, sizeof *map->items);
    for (const cJSON *child = map->items ? value->child : NULL; child; child = child->next) {
        struct place here = {.up = place, .key = child->string};
        struct int_pair pair = {.key = text_copy(decoder, child->string), .value = UNSET};
        decode_int(decoder, &here, field, child, &pair.value);
        if (pattern_is_met(decoder, &here, field, child->string) && pair.key && pair.value != UNSET)
            map->items[map->count++] = pair;
    }
    if (map->count)
        qsort(map->items, map->count, sizeof *map->items, pair_compare);
}

static void decode_number_map(struct decoder *decoder, const struct place *place,
                              const struct field *field, const cJSON *value, void *ret_member)
{
    struct number_map *map = ret_member;
    map->items = map_begin(decoder, place, field, value, sizeof *map->items);
    for (const cJSON *child = map->items ? value->child : NULL; child; child = child->next) {
        struct place here = {.up = place, .key = child->string};
        struct number_pair pair = {text_copy(decoder, child->string), child->valuedouble};
        if (!cJSON_IsNumber(child))
            expected(decoder, &here, "a number");
        else if (pair.key)
            map->items[map->count++] = pair;
    }
    if (map->count)
        qsort(map->items, map->count, sizeof *map->items, pair_compare);
}

/* ---- records ---- */

static bool decode_inside(struct decoder *decoder, const struct place *place,
                          const struct record *record, const cJSON *value, void *ret_value)
{
    if (!cJSON_IsObject(value)) {
        expected(decoder, place, "an object");
        return false;
    }
    decode_unknown_keys(decoder, place, value, &record, 1);
    decode_members(decoder, place, record, value, ret_value);
    return true;
}

static void decode_record(struct decoder *decoder, const struct place *place,
                          const struct field *field, const cJSON *value, void *ret_member)
{
    decode_inside(decoder, place, field->record, value, ret_member);
}

/* All of them: the first by the table, the others like it. */
static void *init_records(const struct record *record, void *items, size_t count)
{
    if (items)
        record_init(record, items);
    for (size_t i = 1; items && i < count; i++)
        memcpy((char *)items + i * record->size, items, record->size);
    return items;
}

static void decode_records(struct decoder *decoder, const struct place *place,
                           const struct field *field, const cJSON *value, void *ret_member)
{
    struct record_list *list = ret_member;
    size_t index = 0;
    if (!cJSON_IsArray(value)) {
        expected(decoder, place, "a list of objects");
        return;
    }
    if (!count_is_valid(decoder, place, field, value) || !value->child)
        return;
    size_t room = (size_t)cJSON_GetArraySize(value);
    list->items =
        init_records(field->record, decode_alloc(decoder, room, field->record->size), room);
    for (const cJSON *item = list->items ? value->child : NULL; item; item = item->next) {
        struct place here = {.up = place, .index = index++};
        char *slot = (char *)list->items + list->count * field->record->size;
        list->count += decode_inside(decoder, &here, field->record, item, slot);
    }
}

static void decode_object_optional(struct decoder *decoder, const struct place *place,
                                   const struct field *field, const cJSON *value, void *ret_member)
{
    void *inside = init_records(field->record, decode_alloc(decoder, 1, field->record->size), 1);
    if (inside && decode_inside(decoder, place, field->record, value, inside))
        *(void **)ret_member = inside;
}

void decode_field(struct decoder *decoder, const struct place *place, const struct field *field,
                  const cJSON *value, void *ret_member)
{
    static decode_fn *const decoders[] = {
        [FIELD_STRING] = decode_text,
        [FIELD_NAME] = decode_text,
        [FIELD_NODE_ID] = decode_text,
        [FIELD_TASK_ID] = decode_text,
        [FIELD_TOKEN] = decode_text,
        [FIELD_INT] = decode_int,
        [FIELD_BOOL] = decode_bool,
        [FIELD_TRISTATE] = decode_tristate,
        [FIELD_NUMBER] = decode_number,
        [FIELD_SIZE] = decode_size,
        [FIELD_DURATION] = decode_duration,
        [FIELD_CPU] = decode_cpu,
        [FIELD_TIME] = decode_int,
        [FIELD_PORT] = decode_int,
        [FIELD_ENUM] = decode_enum,
        [FIELD_STRINGS] = decode_strings,
        [FIELD_MAP] = decode_map,
        [FIELD_INT_MAP] = decode_int_map,
        [FIELD_NUMBER_MAP] = decode_number_map,
        [FIELD_RECORD] = decode_record,
        [FIELD_RECORDS] = decode_records,
        [FIELD_OBJECT_OPTIONAL] = decode_object_optional,
    };
    if (cJSON_IsNull(value) && field->flags & FIELD_NULLABLE)
        return;
    decoders[field->kind](decoder, place, field, value, ret_member);
}
