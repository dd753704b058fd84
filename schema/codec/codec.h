/* JSON text to structs and back, driven by the field tables. cJSON is seen only behind this header.
 */
#ifndef ARGOSY_SCHEMA_CODEC_H
#define ARGOSY_SCHEMA_CODEC_H

#include "platform/base/arena.h"
#include "platform/base/buf.h"
#include "platform/base/err.h"
#include "schema/documents.h"
#include "schema/field.h"
#include "schema/job_spec.h"
#include "schema/plan.h"
#include "schema/problems.h"

enum codec_mode {
    CODEC_STRICT,  /* users' input: unknown keys are problems, with the nearest key as a hint */
    CODEC_LENIENT, /* our own messages: unknown keys are ignored (another version wrote them) */
};

/* The gate, before anything reads a tree: size, UTF-8, no NUL (raw or \u0000), depth, no duplicate
 * keys, nothing behind the value, numbers in range; then the record's own rules. All problems at
 * once (a text that is no JSON has one). An empty text (length 0) is taken as {}. Strings live in
 * `arena`. Returns 0, -ERR_INVALID (see problems), -ERR_TOO_LARGE, -ERR_NO_MEMORY (each also a
 * problem). */
int codec_decode(const struct record *record, const char *text, size_t length, enum codec_mode mode,
                 struct arena *arena, void *ret_value, struct problems *problems);

/* The same for a file of a person's own: larger than a message may be, and unknown keys are ignored
 * (another version may have written it). */
int codec_decode_file(const struct record *record, const char *text, size_t length,
                      struct arena *arena, void *ret_value, struct problems *problems);

/* Compact JSON of a record; absent values are left out. Deterministic: same value, same bytes. Uses
 * no tree. Check out->failed once at the end. */
void codec_encode(const struct record *record, const void *value, struct buf *out);

/* What differs between two values of a record, for people: a struct plan_change for each field, in
 * the words of a specification. Fields are named by their path; an item of a list by its name, or,
 * when it has none, by its index. Memory from `arena`. */
void codec_diff(const struct record *record, const void *from, const void *to, struct arena *arena,
                struct record_list *ret_changes);

/* A user's `set` payload: reserved keys are split off, a job with its one task's keys on top is
 * unfolded, `name` must agree with the topic's (or be absent), defaults are filled in and
 * everything is checked. `ret_spec` is normalised when 0 is returned. With `name` NULL the spec
 * must have one. */
int codec_decode_set(const char *text, size_t length, const char *name, struct arena *arena,
                     struct command_envelope *ret_envelope, struct job_spec *ret_spec,
                     struct problems *problems);

/* One flat object of numbers. */
int codec_decode_metrics(const char *text, size_t length, struct arena *arena,
                         struct number_map *ret_numbers, struct problems *problems);
void codec_encode_metrics(const struct number_map *numbers, struct buf *out);

/* A JSON string literal, quoted and escaped; bytes that are no UTF-8 become U+FFFD. */
void json_add_string(struct buf *out, const char *text, size_t length);

/* The JSON Schema (draft-07) of a record, or of the user's job specification in both its spellings.
 */
void codec_json_schema(const struct record *record, struct buf *out);
void codec_job_json_schema(struct buf *out);
/* The same of a flat object of numbers. */
void codec_metrics_json_schema(const char *name, const char *doc, const struct metric_row *rows,
                               size_t count, struct buf *out);

#endif
