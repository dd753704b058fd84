/* Decoding, shared by decode.c (objects), decode_value.c (values) and set.c. Private to the codec.
 */
#ifndef ARGOSY_SCHEMA_CODEC_DECODE_H
#define ARGOSY_SCHEMA_CODEC_DECODE_H

#include "schema/codec/codec.h"
#include "schema/codec/gate.h"

#include <cjson/cJSON.h>

/* One step of a JSON pointer; the steps up to the root lie on the stack. */
struct place {
    const struct place *up; /* NULL: the root */
    const char *key;        /* NULL: an index */
    size_t index;
};

struct decoder {
    enum codec_mode mode;
    struct arena *arena;
    struct problems *problems;
    bool no_memory;
};

/* The text through the gate into a tree. Problems as codec_decode. */
int tree_parse(const char *text, size_t length, struct problems *problems, struct tree *ret_tree);

/* Initialises `ret_value` and takes every key of the record that the object has. Keys of other
 * records are passed over: see decode_unknown_keys. */
void decode_object(struct decoder *decoder, const struct place *place, const struct record *record,
                   const cJSON *object, void *ret_value);

/* The same for a value that is initialised. */
void decode_members(struct decoder *decoder, const struct place *place, const struct record *record,
                    const cJSON *object, void *ret_value);

/* In strict mode: a problem for every key that none of the records has. */
void decode_unknown_keys(struct decoder *decoder, const struct place *place, const cJSON *object,
                         const struct record *const *records, size_t count);

/* The value of one key. */
void decode_field(struct decoder *decoder, const struct place *place, const struct field *field,
                  const cJSON *value, void *ret_member);

/* Memory of the message; NULL is noted in the decoder. */
void *decode_alloc(struct decoder *decoder, size_t count, size_t size);

/* Adds a problem at a place. `hint` may be NULL. */
void decode_problem(struct decoder *decoder, const struct place *place, const char *hint,
                    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* 0, or what the decoder has come to; out of memory is added as a problem. */
int decode_result(struct decoder *decoder);

#endif
