/* JSON Schema, draft-07, from the field tables. Records inside a record become definitions, each
 * once. What a field cannot say in this language (a text's value, two fields together) is left to
 * our own checks. */
#include "schema/codec/codec.h"

#include "platform/base/mem.h"
#include "schema/codec/encode.h"
#include "schema/quantity.h"

#include <string.h>

#define DRAFT "http://json-schema.org/draft-07/schema#"

#define SIZE_PATTERN     "^[0-9]+(\\.[0-9]{1,9})?( ?(B|[KMGT]iB?|[kMGT]B))?$"
#define DURATION_PATTERN "^(?=.)([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$"
#define CPU_PATTERN      "^([0-9]+m|[0-9]+(\\.[0-9]{1,3})?)$"
#define NAME_PATTERN     "^[a-z0-9][a-z0-9-]{0,39}$"
#define NODE_ID_PATTERN  "^[a-z0-9][a-z0-9-]{0,62}$"
#define TOKEN_PATTERN    "^[A-Za-z0-9_-]{1,128}$"
#define TASK_ID_PATTERN \
    "^[a-z0-9][a-z0-9-]{0,39}_[a-z0-9][a-z0-9-]{0,39}_(0|[1-9][0-9]{0,4})_[a-z2-7]{8}$"

/* ---- writing ---- */

/* A comma, unless something has just been opened. */
static void separate(struct buf *out)
{
    char last = out->length ? out->data[out->length - 1] : '{';
    if (!strchr("{[:", last))
        buf_add_char(out, ',');
}

static void add_key(struct buf *out, const char *key)
{
    separate(out);
    encode_text(key, out);
    buf_add_char(out, ':');
}

static void add_text(struct buf *out, const char *key, const char *text)
{
    add_key(out, key);
    encode_text(text, out);
}

static void add_int(struct buf *out, const char *key, int64_t value)
{
    add_key(out, key);
    buf_printf(out, "%lld", (long long)value);
}

static void open_object(struct buf *out, const char *key)
{
    add_key(out, key);
    buf_add_char(out, '{');
}

static void close_object(struct buf *out)
{
    buf_add_char(out, '}');
}

static void add_reference(struct buf *out, const struct record *record)
{
    add_key(out, "$ref");
    buf_printf(out, "\"#/definitions/%s\"", record->name);
}

/* ---- fields ---- */

/* "string", or ["string","null"] when null is allowed too. */
static void add_type(struct buf *out, const struct field *field, const char *types)
{
    add_key(out, "type");
    if (field->flags & FIELD_NULLABLE)
        buf_printf(out, "[%s,\"null\"]", types);
    else if (strchr(types, ','))
        buf_printf(out, "[%s]", types);
    else
        buf_add_text(out, types);
}

static void add_bounds(struct buf *out, const struct field *field, const char *lowest,
                       const char *highest)
{
    if (!field->min && !field->max)
        return;
    add_int(out, lowest, field->min);
    add_int(out, highest, field->max);
}

static void add_pattern(struct buf *out, const struct field *field)
{
    if (field->pattern)
        add_text(out, "pattern", field->pattern);
}

static const char *scalar_types(const struct field *field)
{
    return field->flags & FIELD_SCALARS ? "\"string\",\"number\",\"boolean\"" : "\"string\"";
}

static void describe_text(const struct field *field, struct buf *out)
{
    add_type(out, field, "\"string\"");
    add_bounds(out, field, "minLength", "maxLength");
    add_pattern(out, field);
}

static void describe_pattern(const struct field *field, struct buf *out)
{
    static const char *const patterns[] = {
        [FIELD_NAME] = NAME_PATTERN,         [FIELD_NODE_ID] = NODE_ID_PATTERN,
        [FIELD_TASK_ID] = TASK_ID_PATTERN,   [FIELD_TOKEN] = TOKEN_PATTERN,
        [FIELD_DURATION] = DURATION_PATTERN,
    };
    add_type(out, field, "\"string\"");
    add_text(out, "pattern", patterns[field->kind]);
}

static void describe_int(const struct field *field, struct buf *out)
{
    add_type(out, field, "\"integer\"");
    add_bounds(out, field, "minimum", "maximum");
}

static void describe_bool(const struct field *field, struct buf *out)
{
    add_type(out, field, "\"boolean\"");
}

static void describe_number(const struct field *field, struct buf *out)
{
    add_type(out, field, "\"number\"");
}

static void describe_size(const struct field *field, struct buf *out)
{
    add_type(out, field, "\"integer\",\"string\"");
    add_bounds(out, field, "minimum", "maximum");
    add_text(out, "pattern", SIZE_PATTERN);
}

static void describe_cpu(const struct field *field, struct buf *out)
{
    char text[QUANTITY_TEXT_LENGTH];
    add_type(out, field, "\"number\",\"string\"");
    add_key(out, "minimum");
    cpu_format(field->min, text);
    buf_add_text(out, text);
    add_key(out, "maximum");
    cpu_format(field->max, text);
    buf_add_text(out, text);
    add_text(out, "pattern", CPU_PATTERN);
}

static void describe_enum(const struct field *field, struct buf *out)
{
    add_key(out, "enum");
    buf_add_char(out, '[');
    for (size_t i = 0; i < field->words->count; i++) {
        separate(out);
        encode_text(field->words->items[i].text, out);
    }
    buf_add_char(out, ']');
}

static void describe_list(const struct field *field, struct buf *out)
{
    add_text(out, "type", "array");
    add_bounds(out, field, "minItems", "maxItems");
    open_object(out, "items");
    add_type(out, field, scalar_types(field));
    add_pattern(out, field);
    close_object(out);
}

static void describe_strings(const struct field *field, struct buf *out)
{
    if (!(field->flags & FIELD_ONE_OR_MANY)) {
        describe_list(field, out);
        return;
    }
    add_key(out, "anyOf");
    buf_add_text(out, "[{");
    describe_list(field, out);
    buf_add_text(out, "},{");
    add_text(out, "type", "string");
    add_pattern(out, field);
    buf_add_text(out, "}]");
}

/* Keys and values of a map; `bounds` are those of its size. */
static void describe_pairs(const struct field *field, const char *types, bool bounds,
                           struct buf *out)
{
    add_text(out, "type", "object");
    if (bounds)
        add_bounds(out, field, "minProperties", "maxProperties");
    if (field->pattern) {
        open_object(out, "propertyNames");
        add_pattern(out, field);
        close_object(out);
    }
    open_object(out, "additionalProperties");
    add_type(out, field, types);
    if (!bounds)
        add_bounds(out, field, "minimum", "maximum");
    close_object(out);
}

static void describe_map(const struct field *field, struct buf *out)
{
    describe_pairs(field, scalar_types(field), true, out);
}

static void describe_int_map(const struct field *field, struct buf *out)
{
    describe_pairs(field, "\"integer\"", false, out);
}

static void describe_number_map(const struct field *field, struct buf *out)
{
    describe_pairs(field, "\"number\"", true, out);
}

/* draft-07 ignores what stands beside $ref, hence allOf. */
static void describe_record(const struct field *field, struct buf *out)
{
    add_key(out, "allOf");
    buf_add_text(out, "[{");
    add_reference(out, field->record);
    buf_add_text(out, "}]");
}

static void describe_records(const struct field *field, struct buf *out)
{
    add_text(out, "type", "array");
    add_bounds(out, field, "minItems", "maxItems");
    open_object(out, "items");
    add_reference(out, field->record);
    close_object(out);
}

/* Constant defaults that are worth telling. */
static void add_default(const struct field *field, struct buf *out)
{
    char text[QUANTITY_TEXT_LENGTH];
    if (!field->fallback || field->fallback == UNSET)
        return;
    add_key(out, "default");
    if (field->kind == FIELD_ENUM) {
        encode_text(words_to_string(field->words, (int)field->fallback), out);
    } else if (field->kind == FIELD_DURATION) {
        duration_format(field->fallback, text);
        encode_text(text, out);
    } else if (field->kind == FIELD_CPU) {
        cpu_format(field->fallback, text);
        buf_add_text(out, text);
    } else if (field->kind == FIELD_BOOL || field->kind == FIELD_TRISTATE) {
        buf_add_text(out, "true");
    } else {
        buf_printf(out, "%lld", (long long)field->fallback);
    }
}

static void add_field(const struct field *field, struct buf *out)
{
    static void (*const describe[])(const struct field *field, struct buf *out) = {
        [FIELD_STRING] = describe_text,
        [FIELD_NAME] = describe_pattern,
        [FIELD_NODE_ID] = describe_pattern,
        [FIELD_TASK_ID] = describe_pattern,
        [FIELD_TOKEN] = describe_pattern,
        [FIELD_INT] = describe_int,
        [FIELD_BOOL] = describe_bool,
        [FIELD_TRISTATE] = describe_bool,
        [FIELD_NUMBER] = describe_number,
        [FIELD_SIZE] = describe_size,
        [FIELD_DURATION] = describe_pattern,
        [FIELD_CPU] = describe_cpu,
        [FIELD_TIME] = describe_int,
        [FIELD_PORT] = describe_int,
        [FIELD_ENUM] = describe_enum,
        [FIELD_STRINGS] = describe_strings,
        [FIELD_MAP] = describe_map,
        [FIELD_INT_MAP] = describe_int_map,
        [FIELD_NUMBER_MAP] = describe_number_map,
        [FIELD_RECORD] = describe_record,
        [FIELD_RECORDS] = describe_records,
        [FIELD_OBJECT_OPTIONAL] = describe_record,
    };
    open_object(out, field->key);
    add_text(out, "description", field->doc);
    describe[field->kind](field, out);
    add_default(field, out);
    close_object(out);
}

/* ---- records ---- */

/* All fields but those that `others` (may be NULL) has too. */
static void add_fields(const struct record *record, const struct record *others, struct buf *out)
{
    for (size_t i = 0; i < record->field_count; i++)
        if (!others || !record_field(others, record->fields[i].key))
            add_field(&record->fields[i], out);
}

static void add_required(const struct record *record, struct buf *out)
{
    bool any = false;
    for (size_t i = 0; i < record->field_count; i++) {
        if (!(record->fields[i].flags & FIELD_REQUIRED))
            continue;
        if (!any)
            add_key(out, "required");
        buf_add_char(out, any ? ',' : '[');
        encode_text(record->fields[i].key, out);
        any = true;
    }
    if (any)
        buf_add_char(out, ']');
}

static void close_closed(struct buf *out)
{
    add_key(out, "additionalProperties");
    buf_add_text(out, "false");
}

static void describe_members(const struct record *record, struct buf *out)
{
    add_text(out, "description", record->doc);
    add_text(out, "type", "object");
    open_object(out, "properties");
    add_fields(record, NULL, out);
    close_object(out);
    add_required(record, out);
    close_closed(out);
}

/* Records already written as definitions of one schema. */
struct written {
    const struct record *records[32];
    size_t count;
};

static bool is_written(const struct written *written, const struct record *record)
{
    for (size_t i = 0; i < written->count; i++)
        if (written->records[i] == record)
            return true;
    return false;
}

static void add_definitions(const struct record *record, struct written *written, struct buf *out)
{
    for (size_t i = 0; i < record->field_count; i++) {
        const struct record *inside = record->fields[i].record;
        if (!inside || is_written(written, inside))
            continue;
        ASSERT(written->count < ARRAY_LENGTH(written->records));
        written->records[written->count++] = inside;
        open_object(out, inside->name);
        describe_members(inside, out);
        close_object(out);
        add_definitions(inside, written, out);
    }
}

static void add_head(const char *name, struct buf *out)
{
    add_text(out, "$schema", DRAFT);
    add_key(out, "$id");
    buf_printf(out, "\"%s.schema.json\"", name);
    add_text(out, "title", name);
}

void codec_json_schema(const struct record *record, struct buf *out)
{
    struct written written = {0};
    buf_add_char(out, '{');
    add_head(record->name, out);
    describe_members(record, out);
    open_object(out, "definitions");
    add_definitions(record, &written, out);
    close_object(out);
    close_object(out);
}

static void add_spelling(const char *name, const char *doc, bool is_short, struct buf *out)
{
    open_object(out, name);
    add_text(out, "description", doc);
    add_text(out, "type", "object");
    open_object(out, "properties");
    for (size_t i = 0; i < job_spec_record.field_count; i++)
        if (!is_short || strcmp(job_spec_record.fields[i].key, "tasks"))
            add_field(&job_spec_record.fields[i], out);
    if (is_short)
        add_fields(&task_spec_record, &job_spec_record, out);
    add_fields(&command_envelope_record, NULL, out);
    close_object(out);
    if (!is_short) {
        add_key(out, "required");
        buf_add_text(out, "[\"tasks\"]");
    }
    close_closed(out);
    close_object(out);
}

void codec_job_json_schema(struct buf *out)
{
    struct written written = {0};
    buf_add_char(out, '{');
    add_head("job", out);
    add_text(out, "description", "A job as users write it, in either of its spellings.");
    add_key(out, "oneOf");
    buf_add_text(out, "[{\"$ref\":\"#/definitions/job_with_tasks\"},"
                      "{\"$ref\":\"#/definitions/job_with_one_task\"}]");
    open_object(out, "definitions");
    add_spelling("job_with_tasks", "A job with a list of tasks.", false, out);
    add_spelling("job_with_one_task", "A job with one task, whose keys stand beside the job's.",
                 true, out);
    add_definitions(&job_spec_record, &written, out);
    close_object(out);
    close_object(out);
}

void codec_metrics_json_schema(const char *name, const char *doc, const struct metric_row *rows,
                               size_t count, struct buf *out)
{
    buf_add_char(out, '{');
    add_head(name, out);
    add_text(out, "description", doc);
    add_text(out, "type", "object");
    open_object(out, "properties");
    for (size_t i = 0; i < count; i++) {
        open_object(out, rows[i].name);
        add_text(out, "description", rows[i].doc);
        add_text(out, "type", "number");
        close_object(out);
    }
    close_object(out);
    close_closed(out);
    close_object(out);
}
