#include "cli/job_file.h"

#include "cli/utf8.h"
#include "cli/yaml_scalar.h"
#include "platform/base/buf.h"
#include "platform/base/mem.h"
#include "schema/codec/codec.h"
#include "schema/documents.h"
#include "schema/job_spec.h"
#include "schema/limits.h"

#include <errno.h>
#include <libfyaml.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct source_error {
    struct place place;
    char *message;
};

struct source_document {
    struct fy_document *tree;
    struct buf json;
};

struct job_file {
    char *name;
    char *text;
    size_t length;
    bool is_json;
    struct fy_parser *parser;
    struct fy_diag *diag;
    struct source_document *documents;
    size_t document_count;
    struct source_error *errors;
    size_t error_count;
};

/* ---- places ---------------------------------------------------------------------------------- */

/* The first token that can be pointed at in a node: collections start where their first item does.
 */
static struct fy_token *node_token(struct fy_node *node)
{
    void *iterator = NULL;
    switch (fy_node_get_type(node)) {
    case FYNT_SCALAR:
        return fy_node_get_scalar_token(node);
    case FYNT_SEQUENCE: {
        struct fy_node *item = fy_node_sequence_iterate(node, &iterator);
        return item ? node_token(item) : NULL;
    }
    case FYNT_MAPPING: {
        struct fy_node_pair *pair = fy_node_mapping_iterate(node, &iterator);
        return pair ? node_token(fy_node_pair_key(pair)) : NULL;
    }
    }
    return NULL;
}

static int characters(const char *text, size_t length)
{
    int count = 0;
    for (size_t i = 0; i < length; i++)
        count += ((unsigned char)text[i] & 0xc0) != 0x80;
    return count;
}

static struct place place_of_bytes(const struct job_file *file, size_t start, size_t end)
{
    struct place place = {.line = 1};
    size_t line_start = 0;
    start = start > file->length ? file->length : start;
    for (size_t i = 0; i < start; i++)
        if (file->text[i] == '\n') {
            place.line++;
            line_start = i + 1;
        }
    const char *newline = memchr(file->text + start, '\n', file->length - start);
    size_t line_end = newline ? (size_t)(newline - file->text) : file->length;
    end = end > line_end ? line_end : end;
    place.column = characters(file->text + line_start, start - line_start) + 1;
    place.width = end > start ? characters(file->text + start, end - start) : 1;
    return place;
}

static struct place place_of_node(const struct job_file *file, struct fy_node *node)
{
    struct fy_token *token = node_token(node);
    const struct fy_mark *start = token ? fy_token_start_mark(token) : NULL;
    const struct fy_mark *end = token ? fy_token_end_mark(token) : NULL;
    if (!start || !end)
        return (struct place){0};
    return place_of_bytes(file, start->input_pos, end->input_pos);
}

/* Takes one level off a JSON pointer, unescaped. False at its end. */
static bool pointer_next(const char **pointer, char *ret_level, size_t size)
{
    const char *at = *pointer;
    size_t length = 0;
    if (*at != '/')
        return false;
    for (at++; *at && *at != '/'; at++) {
        char character = *at;
        if (at[0] == '~' && (at[1] == '0' || at[1] == '1'))
            character = *++at == '0' ? '~' : '/';
        if (length + 1 < size)
            ret_level[length++] = character;
    }
    ret_level[length] = '\0';
    *pointer = at;
    return true;
}

/* The key and value that `level` names in `node`; both NULL when there is none. */
static void node_child(struct fy_node *node, const char *level, struct fy_node **ret_key,
                       struct fy_node **ret_value)
{
    *ret_key = *ret_value = NULL;
    if (fy_node_is_sequence(node)) {
        *ret_value = fy_node_sequence_get_by_index(node, (int)strtol(level, NULL, 10));
    } else if (fy_node_is_mapping(node)) {
        struct fy_node_pair *pair =
            fy_node_mapping_lookup_pair_by_simple_key(node, level, strlen(level));
        if (!pair)
            return;
        *ret_key = fy_node_pair_key(pair);
        *ret_value = fy_node_pair_value(pair);
    }
}

/* A job with its one task's keys on top has no "tasks": /tasks/0/image is /image there. */
static const char *pointer_in_source(struct fy_node *root, const char *pointer)
{
    static const char unfolded[] = "/tasks/0";
    size_t length = sizeof unfolded - 1;
    bool inside = strncmp(pointer, unfolded, length) == 0 &&
                  (pointer[length] == '/' || pointer[length] == '\0');
    if (inside && !fy_node_mapping_lookup_by_string(root, "tasks", (size_t)-1))
        return pointer + length;
    return pointer;
}

struct place job_file_place(const struct job_file *file, size_t index, const char *pointer,
                            bool key)
{
    struct fy_node *node = fy_document_root(file->documents[index].tree);
    struct place best = place_of_node(file, node);
    char level[256];
    pointer = pointer_in_source(node, pointer);
    while (pointer_next(&pointer, level, sizeof level)) {
        struct fy_node *name, *value;
        node_child(node, level, &name, &value);
        if (!name && !value)
            break;
        bool last = *pointer == '\0';
        struct place place = value ? place_of_node(file, value) : (struct place){0};
        if (name && ((last && key) || !place.line || !fy_node_is_scalar(value)))
            place = place_of_node(file, name);
        best = place.line ? place : best;
        if (!value)
            break;
        node = value;
    }
    return best;
}

const char *job_file_line(const struct job_file *file, int line, size_t *ret_length)
{
    const char *at = file->text, *end = file->text + file->length;
    for (; line > 1; line--) {
        at = memchr(at, '\n', (size_t)(end - at));
        if (!at++)
            return NULL;
    }
    if (line < 1 || at >= end)
        return NULL;
    const char *newline = memchr(at, '\n', (size_t)(end - at));
    size_t length = (size_t)((newline ? newline : end) - at);
    if (length && at[length - 1] == '\r')
        length--;
    *ret_length = length;
    return at;
}

/* ---- YAML tree to JSON ----------------------------------------------------------------------- */

static void add_error(struct job_file *file, struct place place, const char *message)
{
    file->errors = mem_resize(file->errors, file->error_count + 1, sizeof *file->errors);
    file->errors[file->error_count++] =
        (struct source_error){.place = place, .message = mem_strdup(message)};
}

/* What the schema says about a node: the record a mapping is of, the field a value is of. */
struct expectation {
    const struct record *record;   /* NULL: unknown */
    const struct record *fallback; /* the keys of the one task, in a folded job */
    bool text;                     /* scalars are text */
    int depth;
};

static bool field_is_text(const struct field *field)
{
    switch (field->kind) {
    case FIELD_STRING:
    case FIELD_NAME:
    case FIELD_NODE_ID:
    case FIELD_TASK_ID:
    case FIELD_TOKEN:
    case FIELD_STRINGS:
    case FIELD_MAP:
    case FIELD_ENUM:
        return true;
    case FIELD_INT:
    case FIELD_BOOL:
    case FIELD_TRISTATE:
    case FIELD_NUMBER:
    case FIELD_SIZE:
    case FIELD_DURATION:
    case FIELD_CPU:
    case FIELD_TIME:
    case FIELD_PORT:
    case FIELD_INT_MAP:
    case FIELD_NUMBER_MAP:
    case FIELD_RECORD:
    case FIELD_RECORDS:
    case FIELD_OBJECT_OPTIONAL:
        return false;
    }
    return false;
}

static struct expectation expectation_of_key(const struct expectation *parent, const char *key)
{
    const struct field *field = parent->record ? record_field(parent->record, key) : NULL;
    if (!field && parent->fallback)
        field = record_field(parent->fallback, key);
    if (!field)
        return (struct expectation){.text = parent->text, .depth = parent->depth};
    return (struct expectation){
        .record = field->record, .text = field_is_text(field), .depth = parent->depth};
}

static void add_node(struct job_file *file, struct fy_node *node, struct expectation expectation,
                     struct buf *out);

static void add_scalar(struct fy_node *node, bool text_wanted, struct buf *out)
{
    size_t length = 0, tag_length = 0;
    const char *text = fy_node_get_scalar(node, &length);
    const char *tag = fy_node_get_tag(node, &tag_length);
    bool is_text = (tag && tag_length >= 4 && memcmp(tag + tag_length - 4, ":str", 4) == 0) ||
                   fy_token_scalar_style(fy_node_get_scalar_token(node)) != FYSS_PLAIN;
    if (is_text)
        json_add_string(out, text, length);
    else
        yaml_scalar_add_json(text, length, text_wanted, out);
}

static void add_mapping(struct job_file *file, struct fy_node *node,
                        const struct expectation *expectation, struct buf *out)
{
    void *iterator = NULL;
    struct fy_node_pair *pair;
    const char *separator = "{";
    while ((pair = fy_node_mapping_iterate(node, &iterator))) {
        struct fy_node *key = fy_node_pair_key(pair);
        size_t length = 0;
        const char *text = key && fy_node_is_scalar(key) ? fy_node_get_scalar(key, &length) : NULL;
        if (!text) {
            add_error(file, place_of_node(file, node), "a key must be plain text");
            continue;
        }
        _cleanup_free_ char *name = strndup(text, length);
        buf_add_text(out, separator);
        separator = ",";
        json_add_string(out, text, length);
        buf_add_char(out, ':');
        add_node(file, fy_node_pair_value(pair), expectation_of_key(expectation, name ? name : ""),
                 out);
    }
    buf_add_text(out, *separator == '{' ? "{}" : "}");
}

static void add_sequence(struct job_file *file, struct fy_node *node,
                         const struct expectation *expectation, struct buf *out)
{
    void *iterator = NULL;
    struct fy_node *item;
    const char *separator = "[";
    while ((item = fy_node_sequence_iterate(node, &iterator))) {
        buf_add_text(out, separator);
        separator = ",";
        add_node(file, item, *expectation, out);
    }
    buf_add_text(out, *separator == '[' ? "[]" : "]");
}

static void add_node(struct job_file *file, struct fy_node *node, struct expectation expectation,
                     struct buf *out)
{
    expectation.depth++;
    if (!node || fy_node_is_null(node))
        buf_add_text(out, "null");
    else if (expectation.depth > LIMIT_JSON_DEPTH)
        add_error(file, place_of_node(file, node), "nested too deeply");
    else if (fy_node_is_mapping(node))
        add_mapping(file, node, &expectation, out);
    else if (fy_node_is_sequence(node))
        add_sequence(file, node, &expectation, out);
    else
        add_scalar(node, expectation.text, out);
}

static void add_document(struct job_file *file, struct fy_document *tree)
{
    struct fy_node *root = fy_document_root(tree);
    if (!root || fy_node_is_null(root)) {
        fy_parse_document_destroy(file->parser, tree);
        return;
    }
    if (!fy_node_is_mapping(root)) {
        add_error(file, place_of_node(file, root), "a job is a mapping of keys to values");
        fy_parse_document_destroy(file->parser, tree);
        return;
    }
    file->documents =
        mem_resize(file->documents, file->document_count + 1, sizeof *file->documents);
    struct source_document *document = &file->documents[file->document_count++];
    *document = (struct source_document){.tree = tree, .json = {.limit = LIMIT_JOB_FILE_BYTES}};
    if (file->is_json) {
        buf_add(&document->json, file->text, file->length);
        return;
    }
    size_t errors = file->error_count;
    bool folded = !fy_node_mapping_lookup_by_string(root, "tasks", (size_t)-1);
    struct expectation top = {.record = &job_spec_record,
                              .fallback = folded ? &task_spec_record : NULL};
    add_node(file, root, top, &document->json);
    if (document->json.failed)
        add_error(file, (struct place){.line = 1, .column = 1, .width = 1},
                  "the document is too large");
    if (file->error_count > errors) { /* its JSON has holes: not a job */
        fy_parse_document_destroy(file->parser, tree);
        buf_release(&document->json);
        file->document_count--;
    }
}

/* ---- parsing --------------------------------------------------------------------------------- */

/* JSON by its name, or by how it begins: YAML's flow mappings seldom quote their keys. */
static bool looks_like_json(const char *name, const char *text)
{
    size_t length = strlen(name);
    if (length > 5 && strcasecmp(name + length - 5, ".json") == 0)
        return true;
    text += strspn(text, " \t\r\n");
    if (*text != '{')
        return false;
    text++;
    text += strspn(text, " \t\r\n");
    return *text == '"' || *text == '}';
}

static void collect_errors(struct job_file *file)
{
    void *iterator = NULL;
    struct fy_diag_error *error;
    while ((error = fy_diag_errors_iterate(file->diag, &iterator))) {
        struct place place = {.line = error->line, .column = error->column, .width = 1};
        const struct fy_mark *start = error->fyt ? fy_token_start_mark(error->fyt) : NULL;
        const struct fy_mark *end = error->fyt ? fy_token_end_mark(error->fyt) : NULL;
        if (start && end)
            place = place_of_bytes(file, start->input_pos, end->input_pos);
        add_error(file, place, error->msg);
    }
}

static void parse_all(struct job_file *file)
{
    struct fy_diag_cfg diag_config;
    fy_diag_cfg_default(&diag_config);
    diag_config.fp = NULL;
    file->diag = fy_diag_create(&diag_config);
    ASSERT(file->diag);
    fy_diag_set_collect_errors(file->diag, true);
    struct fy_parse_cfg config = {
        .flags = FYPCF_COLLECT_DIAG | FYPCF_RESOLVE_DOCUMENT |
                 (file->is_json ? FYPCF_JSON_FORCE : FYPCF_JSON_NONE),
        .diag = file->diag,
    };
    file->parser = fy_parser_create(&config);
    ASSERT(file->parser);
    if (fy_parser_set_string(file->parser, file->text, file->length) == 0) {
        struct fy_document *tree;
        while ((tree = fy_parse_load_document(file->parser)))
            add_document(file, tree);
    }
    collect_errors(file);
}

struct job_file *job_file_parse(const char *name, const char *text, size_t length)
{
    struct job_file *file = mem_alloc(sizeof *file);
    file->name = mem_strdup(name);
    file->text = mem_alloc(length + 1);
    memcpy(file->text, text, length);
    file->length = length;
    file->is_json = looks_like_json(name, file->text);
    size_t good = utf8_text_length(file->text, length);
    if (good < length) /* libfyaml 0.7.12 never returns from some of these */
        add_error(file, place_of_bytes(file, good, 0),
                  file->text[good] ? "this is no UTF-8" : "a NUL byte is no text");
    else
        parse_all(file);
    return file;
}

int job_file_read(const char *path, struct job_file **ret_file, struct err *err)
{
    bool standard = strcmp(path, "-") == 0;
    _cleanup_buf_ struct buf text = BUF_EMPTY;
    char chunk[8192];
    size_t got;
    FILE *stream = standard ? stdin : fopen(path, "re");
    if (!stream)
        return err_set_errno(err, ERR_IO, errno, "%s cannot be read", path);
    while (text.length <= LIMIT_JOB_FILE_BYTES && (got = fread(chunk, 1, sizeof chunk, stream)))
        buf_add(&text, chunk, got);
    int saved = ferror(stream) ? (errno ? errno : EIO) : 0;
    if (!standard)
        fclose(stream);
    if (saved)
        return err_set_errno(err, ERR_IO, saved, "%s cannot be read", path);
    if (text.length > LIMIT_JOB_FILE_BYTES || text.failed)
        return err_set(err, ERR_TOO_LARGE, "%s is larger than %d bytes", path,
                       LIMIT_JOB_FILE_BYTES);
    *ret_file = job_file_parse(standard ? "stdin" : path, buf_text(&text), text.length);
    return 0;
}

void job_file_free(struct job_file *file)
{
    if (!file)
        return;
    for (size_t i = 0; i < file->document_count; i++) {
        fy_parse_document_destroy(file->parser, file->documents[i].tree);
        buf_release(&file->documents[i].json);
    }
    for (size_t i = 0; i < file->error_count; i++)
        free(file->errors[i].message);
    if (file->parser)
        fy_parser_destroy(file->parser);
    if (file->diag)
        fy_diag_destroy(file->diag);
    free(file->documents);
    free(file->errors);
    free(file->name);
    free(file->text);
    free(file);
}

const char *job_file_name(const struct job_file *file)
{
    return file->name;
}

size_t job_file_count(const struct job_file *file)
{
    return file->document_count;
}

const char *job_file_json(const struct job_file *file, size_t index, size_t *ret_length)
{
    *ret_length = file->documents[index].json.length;
    return buf_text(&file->documents[index].json);
}

size_t job_file_error_count(const struct job_file *file)
{
    return file->error_count;
}

const char *job_file_error(const struct job_file *file, size_t index, struct place *ret_place)
{
    *ret_place = file->errors[index].place;
    return file->errors[index].message;
}
