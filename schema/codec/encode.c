/* A printer from the field table, without a tree. An absent value leaves no trace; the order of
 * keys is the table's, maps are sorted: the same value gives the same bytes. */
#include "schema/codec/encode.h"

#include "platform/base/mem.h"
#include "schema/codec/characters.h"
#include "schema/codec/codec.h"
#include "schema/codec/number.h"
#include "schema/quantity.h"

#include <math.h>
#include <string.h>

/* ---- strings ---- */

/* Length of the UTF-8 sequence at `at`, 0 when it is none (overlong and surrogates included). */
static size_t sequence_length(const unsigned char *at, size_t room)
{
    size_t length = at[0] < 0x80                     ? 1
                    : at[0] >= 0xc2 && at[0] <= 0xdf ? 2
                    : (at[0] & 0xf0) == 0xe0         ? 3
                    : at[0] >= 0xf0 && at[0] <= 0xf4 ? 4
                                                     : 0;
    if (!length || length > room)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    bool wrong = (at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f) ||
                 (at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] > 0x8f);
    return wrong ? 0 : length;
}

/* How many bytes from `at` on stand for themselves. */
static size_t plain_length(const unsigned char *at, const unsigned char *end)
{
    const unsigned char *from = at;
    while (at < end && json_is_plain[*at])
        at++;
    return (size_t)(at - from);
}

static void escape_add(struct buf *out, unsigned char byte)
{
    static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
    const char *letter = byte ? strchr(from, byte) : NULL;
    if (letter)
        buf_printf(out, "\\%c", to[letter - from]);
    else if (byte) /* other control characters */
        buf_printf(out, "\\u%04x", byte);
    else /* the gate refuses NUL: a message of ours must not hold one */
        buf_add_text(out, "\xef\xbf\xbd");
}

static void escaped_add(struct buf *out, const unsigned char *at, const unsigned char *end)
{
    buf_add_char(out, '"');
    while (at < end) {
        size_t plain = plain_length(at, end);
        buf_add(out, at, plain);
        at += plain;
        if (at == end)
            break;
        size_t sequence = sequence_length(at, (size_t)(end - at));
        if (sequence > 1)
            buf_add(out, at, sequence);
        else if (sequence)
            escape_add(out, *at);
        else
            buf_add_text(out, "\xef\xbf\xbd"); /* U+FFFD */
        at += sequence ? sequence : 1;
    }
    buf_add_char(out, '"');
}

/* Nearly always there is nothing to be escaped. */
void json_add_string(struct buf *out, const char *text, size_t length)
{
    const unsigned char *at = (const unsigned char *)text, *end = at + length;
    if (plain_length(at, end) < length) {
        escaped_add(out, at, end);
        return;
    }
    char *quoted = buf_extend(out, length + 2);
    if (!quoted)
        return;
    quoted[0] = '"';
    if (length)
        memcpy(quoted + 1, text, length);
    quoted[length + 1] = '"';
}

void encode_text(const char *text, struct buf *out)
{
    json_add_string(out, text, strlen(text));
}

static void key_add(const char *key, bool *first, struct buf *out)
{
    if (!*first)
        buf_add_char(out, ',');
    *first = false;
    encode_text(key, out);
    buf_add_char(out, ':');
}

/* A table's key, which has nothing to be escaped, behind `before`. */
static void field_key_add(const struct field *field, char before, struct buf *out)
{
    size_t length = strlen(field->key);
    char *at = buf_extend(out, length + 4);
    if (!at)
        return;
    *at++ = before;
    *at++ = '"';
    memcpy(at, field->key, length);
    memcpy(at + length, "\":", 2);
}

/* ---- presence ---- */

static bool record_is_empty(const struct record *record, const void *value);

/* RECORD: with FIELD_KEYED as its first field says, else when nothing in it is present. */
static bool inside_is_present(const struct field *field, const void *member);

static bool number_is_present(const struct field *field, int64_t value)
{
    int64_t quiet = field->fallback == UNSET ? 0 : field->fallback;
    return value != UNSET && !(field->flags & FIELD_OMIT_DEFAULT && value == quiet);
}

static bool is_present(const struct field *field, const void *member)
{
    switch (field->kind) {
    case FIELD_STRING:
    case FIELD_NAME:
    case FIELD_NODE_ID:
    case FIELD_TASK_ID:
    case FIELD_TOKEN:
    case FIELD_OBJECT_OPTIONAL:
        return *(void *const *)member;
    case FIELD_INT:
    case FIELD_TRISTATE:
    case FIELD_SIZE:
    case FIELD_DURATION:
    case FIELD_CPU:
    case FIELD_TIME:
    case FIELD_PORT:
        return number_is_present(field, *(const int64_t *)member);
    case FIELD_BOOL:
        return number_is_present(field, *(const bool *)member);
    case FIELD_NUMBER:
        return isfinite(*(const double *)member);
    case FIELD_ENUM:
        return words_to_string(field->words, *(const int *)member);
    case FIELD_STRINGS:
        return ((const struct string_list *)member)->count;
    case FIELD_MAP:
        return ((const struct string_map *)member)->count;
    case FIELD_INT_MAP:
        return ((const struct int_map *)member)->count;
    case FIELD_NUMBER_MAP:
        return ((const struct number_map *)member)->count;
    case FIELD_RECORDS:
        return ((const struct record_list *)member)->count;
    case FIELD_RECORD:
        return inside_is_present(field, member);
    }
    return false;
}

static const void *member_of(const struct field *field, const void *value)
{
    return (const char *)value + field->offset;
}

static bool record_is_empty(const struct record *record, const void *value)
{
    for (size_t i = 0; i < record->field_count; i++)
        if (is_present(&record->fields[i], member_of(&record->fields[i], value)))
            return false;
    return true;
}

static bool inside_is_present(const struct field *field, const void *member)
{
    const struct field *first = &field->record->fields[0];
    return field->flags & FIELD_KEYED ? is_present(first, member_of(first, member))
                                      : !record_is_empty(field->record, member);
}

/* ---- values ---- */

typedef void encode_fn(const struct field *field, const void *member, struct buf *out);

static void encode_string(const struct field *field, const void *member, struct buf *out)
{
    (void)field;
    encode_text(*(const char *const *)member, out);
}

static void int_add(int64_t value, struct buf *out)
{
    char digits[24];
    char *at = digits + sizeof digits;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do
        *--at = (char)('0' + rest % 10);
    while (rest /= 10);
    if (value < 0)
        *--at = '-';
    buf_add(out, at, (size_t)(digits + sizeof digits - at));
}

static void encode_int(const struct field *field, const void *member, struct buf *out)
{
    (void)field;
    int_add(*(const int64_t *)member, out);
}

static void encode_duration(const struct field *field, const void *member, struct buf *out)
{
    char text[QUANTITY_TEXT_LENGTH];
    (void)field;
    duration_format(*(const int64_t *)member, text);
    encode_text(text, out);
}

static void encode_cpu(const struct field *field, const void *member, struct buf *out)
{
    char text[QUANTITY_TEXT_LENGTH];
    (void)field;
    cpu_format(*(const int64_t *)member, text);
    buf_add_text(out, text);
}

static void truth_add(bool value, struct buf *out)
{
    buf_add_text(out, value ? "true" : "false");
}

static void encode_bool(const struct field *field, const void *member, struct buf *out)
{
    (void)field;
    truth_add(*(const bool *)member, out);
}

static void encode_tristate(const struct field *field, const void *member, struct buf *out)
{
    (void)field;
    truth_add(*(const int64_t *)member, out);
}

static void number_add(double value, struct buf *out)
{
    char text[NUMBER_TEXT_LENGTH];
    number_format(value, text);
    buf_add_text(out, text);
}

static void encode_number(const struct field *field, const void *member, struct buf *out)
{
    (void)field;
    number_add(*(const double *)member, out);
}

static void encode_enum(const struct field *field, const void *member, struct buf *out)
{
    encode_text(words_to_string(field->words, *(const int *)member), out);
}

static void encode_strings(const struct field *field, const void *member, struct buf *out)
{
    const struct string_list *list = member;
    (void)field;
    for (size_t i = 0; i < list->count; i++) {
        buf_add_char(out, i ? ',' : '[');
        encode_text(list->items[i], out);
    }
    buf_add_text(out, list->count ? "]" : "[]");
}

static void encode_map(const struct field *field, const void *member, struct buf *out)
{
    const struct string_map *map = member;
    bool first = true;
    (void)field;
    buf_add_char(out, '{');
    for (size_t i = 0; i < map->count; i++) {
        key_add(map->items[i].key, &first, out);
        encode_text(map->items[i].value, out);
    }
    buf_add_char(out, '}');
}

static void encode_int_map(const struct field *field, const void *member, struct buf *out)
{
    const struct int_map *map = member;
    bool first = true;
    (void)field;
    buf_add_char(out, '{');
    for (size_t i = 0; i < map->count; i++) {
        key_add(map->items[i].key, &first, out);
        int_add(map->items[i].value, out);
    }
    buf_add_char(out, '}');
}

void encode_number_map(const struct number_map *numbers, struct buf *out)
{
    bool first = true;
    buf_add_char(out, '{');
    for (size_t i = 0; i < numbers->count; i++) {
        if (!isfinite(numbers->items[i].value))
            continue;
        key_add(numbers->items[i].key, &first, out);
        number_add(numbers->items[i].value, out);
    }
    buf_add_char(out, '}');
}

static void encode_numbers(const struct field *field, const void *member, struct buf *out)
{
    (void)field;
    encode_number_map(member, out);
}

static void encode_record(const struct field *field, const void *member, struct buf *out)
{
    codec_encode(field->record, member, out);
}

static void encode_records(const struct field *field, const void *member, struct buf *out)
{
    const struct record_list *list = member;
    for (size_t i = 0; i < list->count; i++) {
        buf_add_char(out, i ? ',' : '[');
        codec_encode(field->record, (const char *)list->items + i * field->record->size, out);
    }
    buf_add_text(out, list->count ? "]" : "[]");
}

static void encode_object_optional(const struct field *field, const void *member, struct buf *out)
{
    codec_encode(field->record, *(void *const *)member, out);
}

static void value_add(const struct field *field, const void *member, struct buf *out)
{
    static encode_fn *const encoders[] = {
        [FIELD_STRING] = encode_string,
        [FIELD_NAME] = encode_string,
        [FIELD_NODE_ID] = encode_string,
        [FIELD_TASK_ID] = encode_string,
        [FIELD_TOKEN] = encode_string,
        [FIELD_INT] = encode_int,
        [FIELD_BOOL] = encode_bool,
        [FIELD_TRISTATE] = encode_tristate,
        [FIELD_NUMBER] = encode_number,
        [FIELD_SIZE] = encode_int,
        [FIELD_DURATION] = encode_duration,
        [FIELD_CPU] = encode_cpu,
        [FIELD_TIME] = encode_int,
        [FIELD_PORT] = encode_int,
        [FIELD_ENUM] = encode_enum,
        [FIELD_STRINGS] = encode_strings,
        [FIELD_MAP] = encode_map,
        [FIELD_INT_MAP] = encode_int_map,
        [FIELD_NUMBER_MAP] = encode_numbers,
        [FIELD_RECORD] = encode_record,
        [FIELD_RECORDS] = encode_records,
        [FIELD_OBJECT_OPTIONAL] = encode_object_optional,
    };
    encoders[field->kind](field, member, out);
}

bool encode_field(const struct field *field, const void *value, struct buf *out)
{
    const void *member = member_of(field, value);
    bool present = is_present(field, member);
    if (present)
        value_add(field, member, out);
    return present;
}

void codec_encode(const struct record *record, const void *value, struct buf *out)
{
    char before = '{';
    for (size_t i = 0; i < record->field_count; i++) {
        const struct field *field = &record->fields[i];
        const void *member = member_of(field, value);
        if (!is_present(field, member))
            continue;
        field_key_add(field, before, out);
        value_add(field, member, out);
        before = ',';
    }
    buf_add_text(out, before == ',' ? "}" : "{}");
}
