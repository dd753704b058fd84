/* Objects. Happy path: codec_decode -> tree_parse (the gate) -> decode_object -> decode_field for
 * each key. Nothing stops at a problem: each is added with its JSON pointer, and
 * the value stays as if absent. */
#include "schema/codec/decode.h"

#include "platform/base/mem.h"
#include "schema/limits.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { POINTER_BYTES = 512, HINT_BYTES = 160, KEYS_MAX = 80 };

/* ---- places ---- */

/* One reference token of RFC 6901. */
static void pointer_add(struct buf *out, const struct place *place)
{
    buf_add_char(out, '/');
    if (!place->key) {
        buf_printf(out, "%zu", place->index);
        return;
    }
    for (const char *at = place->key; *at; at++) {
        if (*at == '~')
            buf_add_text(out, "~0");
        else if (*at == '/')
            buf_add_text(out, "~1");
        else
            buf_add_char(out, *at);
    }
}

/* A document that passed the gate is at most LIMIT_JSON_DEPTH deep, and so is this. */
static void pointer_write(struct buf *out, const struct place *place)
{
    if (!place)
        return;
    pointer_write(out, place->up);
    pointer_add(out, place);
}

void decode_problem(struct decoder *decoder, const struct place *place, const char *hint,
                    const char *format, ...)
{
    _cleanup_buf_ struct buf pointer = {.limit = LIMIT_PAYLOAD_BYTES};
    _cleanup_buf_ struct buf message = {.limit = POINTER_BYTES};
    pointer_write(&pointer, place);
    va_list args;
    va_start(args, format);
    buf_vprintf(&message, format, args);
    va_end(args);
    problems_add(decoder->problems, buf_text(&pointer), hint, "%s",
                 message.failed ? "not valid" : buf_text(&message));
}

void *decode_alloc(struct decoder *decoder, size_t count, size_t size)
{
    void *memory = arena_array(decoder->arena, count, size);
    if (!memory)
        decoder->no_memory = true;
    return memory;
}

static int no_memory(struct problems *problems)
{
    problems_add(problems, "", NULL, "%s", err_text(ERR_NO_MEMORY));
    return -ERR_NO_MEMORY;
}

int decode_result(struct decoder *decoder)
{
    if (decoder->no_memory && decoder->arena->exhausted) {
        problems_add(decoder->problems, "", NULL, "needs more memory than a message may take");
        return -ERR_TOO_LARGE;
    }
    if (decoder->no_memory)
        return no_memory(decoder->problems);
    return problems_any(decoder->problems) ? -ERR_INVALID : 0;
}

/* ---- trees ---- */

int tree_parse(const char *text, size_t length, struct problems *problems, struct tree *ret_tree)
{
    return length ? gate_read(text, length, problems, ret_tree)
                  : gate_read("{}", 2, problems, ret_tree);
}

/* ---- objects ---- */

static bool is_known(const struct record *const *records, size_t count, const char *key)
{
    for (size_t i = 0; i < count; i++)
        if (record_field(records[i], key))
            return true;
    return false;
}

/* "did you mean …?", or NULL. */
static const char *key_hint(const char *key, const struct record *const *records, size_t count,
                            char ret_hint[HINT_BYTES])
{
    const char *keys[KEYS_MAX];
    size_t used = 0;
    if (job_spec_word_is_planned(key))
        return "this version does not support it";
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < records[i]->field_count && used < KEYS_MAX; j++)
            keys[used++] = records[i]->fields[j].key;
    const char *nearest = problems_nearest(key, keys, used);
    if (!nearest)
        return NULL;
    snprintf(ret_hint, HINT_BYTES, "did you mean %s?", nearest);
    return ret_hint;
}

void decode_unknown_keys(struct decoder *decoder, const struct place *place, const cJSON *object,
                         const struct record *const *records, size_t count)
{
    char hint[HINT_BYTES];
    if (decoder->mode == CODEC_LENIENT)
        return;
    for (const cJSON *child = object->child; child; child = child->next) {
        if (is_known(records, count, child->string))
            continue;
        struct place here = {.up = place, .key = child->string};
        decode_problem(decoder, &here, key_hint(child->string, records, count, hint),
                       "%.100s is not known here", child->string);
    }
}

static bool is_key(const struct field *field, const char *key)
{
    return field->key[0] == key[0] && !strcmp(field->key, key);
}

/* Which field of the record has the key; looked for from `first` on, since documents that a record
 * wrote are in its order. field_count: none. */
static size_t field_at(const struct record *record, const char *key, size_t first)
{
    for (size_t i = first; i < record->field_count; i++)
        if (is_key(&record->fields[i], key))
            return i;
    for (size_t i = 0; i < first; i++)
        if (is_key(&record->fields[i], key))
            return i;
    return record->field_count;
}

/* The member of each field, NULL where there is none. */
static void sort_members(const struct record *record, const cJSON *object,
                         const cJSON *ret_values[KEYS_MAX])
{
    size_t next = 0;
    ASSERT(record->field_count <= KEYS_MAX);
    memset(ret_values, 0, record->field_count * sizeof *ret_values);
    for (const cJSON *member = object->child; member; member = member->next) {
        size_t at = field_at(record, member->string, next);
        if (at == record->field_count)
            continue;
        ret_values[at] = member;
        next = at + 1;
    }
}

void decode_object(struct decoder *decoder, const struct place *place, const struct record *record,
                   const cJSON *object, void *ret_value)
{
    record_init(record, ret_value);
    decode_members(decoder, place, record, object, ret_value);
}

void decode_members(struct decoder *decoder, const struct place *place, const struct record *record,
                    const cJSON *object, void *ret_value)
{
    const cJSON *values[KEYS_MAX];
    sort_members(record, object, values);
    for (size_t i = 0; i < record->field_count; i++) {
        const struct field *field = &record->fields[i];
        struct place here = {.up = place, .key = field->key};
        if (values[i])
            decode_field(decoder, &here, field, values[i], (char *)ret_value + field->offset);
        else if (field->flags & FIELD_REQUIRED)
            decode_problem(decoder, &here, NULL, "%s is missing", field->key);
    }
}

static int decode_tree(const struct record *record, const cJSON *tree, enum codec_mode mode,
                       struct arena *arena, void *ret_value, struct problems *problems)
{
    struct decoder decoder = {.mode = mode, .arena = arena, .problems = problems};
    decode_unknown_keys(&decoder, NULL, tree, &record, 1);
    decode_object(&decoder, NULL, record, tree, ret_value);
    return decode_result(&decoder);
}

int codec_decode(const struct record *record, const char *text, size_t length, enum codec_mode mode,
                 struct arena *arena, void *ret_value, struct problems *problems)
{
    _cleanup_tree_ struct tree tree;
    int result = tree_parse(text, length, problems, &tree);
    if (!result)
        return decode_tree(record, tree.root, mode, arena, ret_value, problems);
    record_init(record, ret_value);
    return result;
}

int codec_decode_file(const struct record *record, const char *text, size_t length,
                      struct arena *arena, void *ret_value, struct problems *problems)
{
    _cleanup_tree_ struct tree tree;
    int result = gate_read_file(text, length, problems, &tree);
    if (!result)
        return decode_tree(record, tree.root, CODEC_LENIENT, arena, ret_value, problems);
    record_init(record, ret_value);
    return result;
}
