/* How field tables are written: FIELD(struct, KIND, "key", member, "doc", .extra = …). The member's
 * C type is checked against its kind when the table is compiled. Private to the files that define
 * records. */
#ifndef ARGOSY_SCHEMA_FIELD_ROWS_H
#define ARGOSY_SCHEMA_FIELD_ROWS_H

#include "platform/base/mem.h"
#include "schema/field.h"

#define FIELD_TYPE_STRING     const char *
#define FIELD_TYPE_NAME       const char *
#define FIELD_TYPE_NODE_ID    const char *
#define FIELD_TYPE_TASK_ID    const char *
#define FIELD_TYPE_TOKEN      const char *
#define FIELD_TYPE_INT        int64_t
#define FIELD_TYPE_BOOL       bool
#define FIELD_TYPE_TRISTATE   int64_t
#define FIELD_TYPE_NUMBER     double
#define FIELD_TYPE_SIZE       int64_t
#define FIELD_TYPE_DURATION   int64_t
#define FIELD_TYPE_CPU        int64_t
#define FIELD_TYPE_TIME       int64_t
#define FIELD_TYPE_PORT       int64_t
#define FIELD_TYPE_ENUM       int
#define FIELD_TYPE_STRINGS    struct string_list
#define FIELD_TYPE_MAP        struct string_map
#define FIELD_TYPE_INT_MAP    struct int_map
#define FIELD_TYPE_NUMBER_MAP struct number_map
#define FIELD_TYPE_RECORDS    struct record_list

/* 0, or no program: the member is not of the kind's type. */
#define FIELD_CHECKED(type, kind, member) \
    (0 * sizeof(_Generic(((type *)0)->member, FIELD_TYPE_##kind : 0)))

#define FIELD(type, kind_, key_, member, doc_, ...)                                         \
    {                                                                                       \
        .key = key_, .kind = FIELD_##kind_,                                                 \
        .offset = offsetof(type, member) + FIELD_CHECKED(type, kind_, member), .doc = doc_, \
        __VA_ARGS__                                                                         \
    }

/* RECORD: the struct inside; OBJECT_OPTIONAL: a pointer to it. */
#define FIELD_INSIDE(type, kind_, key_, member, record_, doc_, ...)                              \
    {                                                                                            \
        .key = key_, .kind = FIELD_##kind_, .offset = offsetof(type, member), .record = record_, \
        .doc = doc_, __VA_ARGS__                                                                 \
    }

#define RECORD(name_, type, fields_, doc_)                                   \
    {                                                                        \
        .name = name_, .doc = doc_, .size = sizeof(type), .fields = fields_, \
        .field_count = ARRAY_LENGTH(fields_)                                 \
    }

#define WORDS(items_)                                  \
    {                                                  \
        .items = items_, .count = ARRAY_LENGTH(items_) \
    }

/* Largest whole number that survives every JSON reader. */
#define SAFE_INTEGER_MAX (((int64_t)1 << 53) - 1)

#define SECOND_MS ((int64_t)1000)
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS   (60 * MINUTE_MS)
#define DAY_MS    (24 * HOUR_MS)
#define YEAR_MS   (365 * DAY_MS)

#endif
