/* Field tables: one row a key. The same table drives decoding, encoding, validation, the JSON
 * Schemas and the documentation. A record is a C struct plus its rows.
 *
 * C types by kind (offset is that of the member):
 *   STRING NAME NODE_ID TASK_ID TOKEN   const char *        NULL: absent
 *   INT SIZE DURATION CPU TIME PORT      int64_t             UNSET: absent
 *   BOOL                                bool                (absent: the fallback)
 *   TRISTATE                            int64_t             0, 1, UNSET
 *   NUMBER                              double              NAN: absent
 *   ENUM                                int                 0: absent
 *   STRINGS                             struct string_list
 *   MAP                                 struct string_map   sorted by key
 *   INT_MAP                             struct int_map      sorted by key
 *   NUMBER_MAP                          struct number_map   sorted by key
 *   RECORD                              the struct itself; absent: every field of it is absent
 *   RECORDS                             struct record_list  items are `record->size` bytes apart
 *   OBJECT_OPTIONAL                     pointer to the struct, NULL: absent
 */
#ifndef ARGOSY_SCHEMA_FIELD_H
#define ARGOSY_SCHEMA_FIELD_H

#include "schema/quantity.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UNSET INT64_MIN

struct string_list {
    const char **items;
    size_t count;
};

struct string_pair {
    const char *key;
    const char *value;
};
struct string_map {
    struct string_pair *items;
    size_t count;
};

struct int_pair {
    const char *key;
    int64_t value;
};
struct int_map {
    struct int_pair *items;
    size_t count;
};

struct number_pair {
    const char *key;
    double value;
};
struct number_map {
    struct number_pair *items;
    size_t count;
};

struct record_list {
    void *items;
    size_t count;
};
/* One typed element of a record_list. */
#define RECORD_AT(type, list, index) (&((type *)(list).items)[index])

enum field_kind {
    FIELD_STRING,
    FIELD_NAME,    /* [a-z0-9][a-z0-9-]{0,39} */
    FIELD_NODE_ID, /* [a-z0-9][a-z0-9-]{0,62} */
    FIELD_TASK_ID, /* job_task_index_suffix */
    FIELD_TOKEN,   /* [A-Za-z0-9_-]{1,128}: fits into a topic level */
    FIELD_INT,
    FIELD_BOOL,
    FIELD_TRISTATE,
    FIELD_NUMBER,
    FIELD_SIZE,     /* bytes, or a number with KiB MiB GiB TiB Ki Mi Gi Ti kB MB GB TB */
    FIELD_DURATION, /* ms; "500ms" "10s" "1m30s" "2h" "1d" in text */
    FIELD_CPU,      /* thousandths of a core; 0.25 or "250m" in text */
    FIELD_TIME,     /* ms since 1970 */
    FIELD_PORT,     /* 1..65535 */
    FIELD_ENUM,
    FIELD_STRINGS,
    FIELD_MAP,
    FIELD_INT_MAP,
    FIELD_NUMBER_MAP,
    FIELD_RECORD,
    FIELD_RECORDS,
    FIELD_OBJECT_OPTIONAL,
};

enum field_flags {
    FIELD_REQUIRED = 1,
    FIELD_OMIT_DEFAULT = 2, /* not encoded when equal to the fallback (0, false, empty) */
    FIELD_ONE_OR_MANY = 4,  /* STRINGS: a plain string is a list of one */
    FIELD_COMMAND_LINE = 8, /* STRINGS: a plain string is refused with a hint to write a list */
    FIELD_SCALARS = 16,     /* MAP, STRINGS: numbers and booleans are taken as their text */
    FIELD_NULLABLE = 32,    /* null is the same as absent */
    FIELD_KEYED = 64,       /* RECORD: absent when its first field is (encoding) */
    FIELD_OPEN = 128,       /* ENUM: a word that we do not know is absent in lenient decoding */
};

struct word {
    int value; /* never 0 */
    const char *text;
};
struct words {
    const struct word *items;
    size_t count;
};

struct record;

struct field {
    const char *key;
    enum field_kind kind;
    unsigned flags;
    size_t offset;
    int64_t min; /* numbers: bounds; strings (characters), lists and maps: counts; both 0: none */
    int64_t max;
    int64_t fallback; /* value when absent: numbers, booleans, enums; UNSET where there is none */
    const struct words *words;
    const struct record *record;
    const char *pattern; /* STRING, items of STRINGS, keys of a MAP: for the JSON Schema */
    /* Checks the text that `pattern` describes, by hand-written code, so that the core needs no
     * regex. */
    bool (*accepts)(const char *text);
    const char *pattern_hint; /* "such as 8080:80 or 9000/udp" */
    const char *doc;          /* one sentence: goes to the JSON Schema and the docs */
};

struct record {
    const char *name; /* "job_spec": names the JSON Schema */
    const char *doc;
    size_t size;
    const struct field *fields;
    size_t field_count;
};

/* NULL when unknown. */
const char *words_to_string(const struct words *words, int value);
/* 0 when unknown. */
int words_from_string(const struct words *words, const char *text);
const struct field *record_field(const struct record *record, const char *key);
/* A number of a field as people write it: "10s", "64 MiB", "0.25", "3". */
void field_number_format(enum field_kind kind, int64_t value, char ret_text[QUANTITY_TEXT_LENGTH]);
/* Sets every field to what it is when its key is absent (fallback, UNSET, NULL, NAN, empty). */
void record_init(const struct record *record, void *ret_value);

#endif
