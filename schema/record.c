#include "schema/record.h"

#include "platform/base/err.h"

#include <string.h>

/* Size of a scalar's member; 0 for everything that points somewhere. */
static size_t scalar_size(enum field_kind kind)
{
    switch (kind) {
    case FIELD_INT:
    case FIELD_TRISTATE:
    case FIELD_SIZE:
    case FIELD_DURATION:
    case FIELD_CPU:
    case FIELD_TIME:
    case FIELD_PORT:
        return sizeof(int64_t);
    case FIELD_BOOL:
        return sizeof(bool);
    case FIELD_NUMBER:
        return sizeof(double);
    case FIELD_ENUM:
        return sizeof(int);
    case FIELD_STRING:
    case FIELD_NAME:
    case FIELD_NODE_ID:
    case FIELD_TASK_ID:
    case FIELD_TOKEN:
    case FIELD_STRINGS:
    case FIELD_MAP:
    case FIELD_INT_MAP:
    case FIELD_NUMBER_MAP:
    case FIELD_RECORD:
    case FIELD_RECORDS:
    case FIELD_OBJECT_OPTIONAL:
        break;
    }
    return 0;
}

/* ---- copy ---- */

static bool string_copy(const char *source, struct arena *arena, const char **ret_copy)
{
    *ret_copy = source ? arena_strdup(arena, source) : NULL;
    return !source || *ret_copy;
}

/* All lists and maps are {items, count}; `shell` copies the items' bytes, the caller what they
 * point to. */
static bool items_copy(const void *items, size_t count, size_t size, struct arena *arena,
                       void **ret_items)
{
    *ret_items = NULL;
    if (!count)
        return true;
    *ret_items = arena_array(arena, count, size);
    if (*ret_items)
        memcpy(*ret_items, items, count * size);
    return *ret_items;
}

static bool strings_copy(const struct string_list *source, struct arena *arena,
                         struct string_list *copy)
{
    void *items;
    bool ok = items_copy(source->items, source->count, sizeof(char *), arena, &items);
    *copy = (struct string_list){items, ok ? source->count : 0};
    for (size_t i = 0; ok && i < copy->count; i++)
        ok = string_copy(source->items[i], arena, &copy->items[i]);
    return ok;
}

static bool map_copy(const struct string_map *source, struct arena *arena, struct string_map *copy)
{
    void *items;
    bool ok = items_copy(source->items, source->count, sizeof(struct string_pair), arena, &items);
    *copy = (struct string_map){items, ok ? source->count : 0};
    for (size_t i = 0; ok && i < copy->count; i++)
        ok = string_copy(source->items[i].key, arena, &copy->items[i].key) &&
             string_copy(source->items[i].value, arena, &copy->items[i].value);
    return ok;
}

static bool int_map_copy(const struct int_map *source, struct arena *arena, struct int_map *copy)
{
    void *items;
    bool ok = items_copy(source->items, source->count, sizeof(struct int_pair), arena, &items);
    *copy = (struct int_map){items, ok ? source->count : 0};
    for (size_t i = 0; ok && i < copy->count; i++)
        ok = string_copy(source->items[i].key, arena, &copy->items[i].key);
    return ok;
}

static bool number_map_copy(const struct number_map *source, struct arena *arena,
                            struct number_map *copy)
{
    void *items;
    bool ok = items_copy(source->items, source->count, sizeof(struct number_pair), arena, &items);
    *copy = (struct number_map){items, ok ? source->count : 0};
    for (size_t i = 0; ok && i < copy->count; i++)
        ok = string_copy(source->items[i].key, arena, &copy->items[i].key);
    return ok;
}

static bool records_copy(const struct record *record, const struct record_list *source,
                         struct arena *arena, struct record_list *copy)
{
    *copy = (struct record_list){NULL, 0};
    if (!source->count)
        return true;
    char *items = arena_array(arena, source->count, record->size);
    if (!items)
        return false;
    *copy = (struct record_list){items, source->count};
    for (size_t i = 0; i < source->count; i++)
        if (record_copy(record, (const char *)source->items + i * record->size, arena,
                        items + i * record->size))
            return false;
    return true;
}

static bool optional_copy(const struct record *record, const void *source, struct arena *arena,
                          void **ret_copy)
{
    *ret_copy = source ? arena_alloc(arena, record->size) : NULL;
    return !source || (*ret_copy && record_copy(record, source, arena, *ret_copy) == 0);
}

static bool field_copy(const struct field *field, const char *source, struct arena *arena,
                       char *copy)
{
    switch (field->kind) {
    case FIELD_STRING:
    case FIELD_NAME:
    case FIELD_NODE_ID:
    case FIELD_TASK_ID:
    case FIELD_TOKEN:
        return string_copy(*(const char *const *)source, arena, (const char **)copy);
    case FIELD_STRINGS:
        return strings_copy((const struct string_list *)source, arena, (struct string_list *)copy);
    case FIELD_MAP:
        return map_copy((const struct string_map *)source, arena, (struct string_map *)copy);
    case FIELD_INT_MAP:
        return int_map_copy((const struct int_map *)source, arena, (struct int_map *)copy);
    case FIELD_NUMBER_MAP:
        return number_map_copy((const struct number_map *)source, arena, (struct number_map *)copy);
    case FIELD_RECORD:
        return record_copy(field->record, source, arena, copy) == 0;
    case FIELD_RECORDS:
        return records_copy(field->record, (const struct record_list *)source, arena,
                            (struct record_list *)copy);
    case FIELD_OBJECT_OPTIONAL:
        return optional_copy(field->record, *(const void *const *)source, arena, (void **)copy);
    case FIELD_INT:
    case FIELD_BOOL:
    case FIELD_TRISTATE:
    case FIELD_NUMBER:
    case FIELD_SIZE:
    case FIELD_DURATION:
    case FIELD_CPU:
    case FIELD_TIME:
    case FIELD_PORT:
    case FIELD_ENUM:
        break; /* copied with the struct */
    }
    return true;
}

int record_copy(const struct record *record, const void *source, struct arena *arena,
                void *ret_copy)
{
    memcpy(ret_copy, source, record->size);
    for (size_t i = 0; i < record->field_count; i++) {
        const struct field *field = &record->fields[i];
        if (!field_copy(field, (const char *)source + field->offset, arena,
                        (char *)ret_copy + field->offset))
            return -ERR_NO_MEMORY;
    }
    return 0;
}

/* ---- comparison ---- */

static bool string_equal(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool strings_equal(const struct string_list *a, const struct string_list *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++)
        same = string_equal(a->items[i], b->items[i]);
    return same;
}

static bool map_equal(const struct string_map *a, const struct string_map *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++)
        same = string_equal(a->items[i].key, b->items[i].key) &&
               string_equal(a->items[i].value, b->items[i].value);
    return same;
}

static bool int_map_equal(const struct int_map *a, const struct int_map *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++)
        same = string_equal(a->items[i].key, b->items[i].key) &&
               a->items[i].value == b->items[i].value;
    return same;
}

static bool number_map_equal(const struct number_map *a, const struct number_map *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++)
        same = string_equal(a->items[i].key, b->items[i].key) &&
               memcmp(&a->items[i].value, &b->items[i].value, sizeof(double)) == 0;
    return same;
}

static bool records_equal(const struct record *record, const struct record_list *a,
                          const struct record_list *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++)
        same = record_equal(record, (const char *)a->items + i * record->size,
                            (const char *)b->items + i * record->size);
    return same;
}

static bool optional_equal(const struct record *record, const void *a, const void *b)
{
    return a == b || (a && b && record_equal(record, a, b));
}

static bool field_equal(const struct field *field, const void *a, const void *b)
{
    switch (field->kind) {
    case FIELD_STRING:
    case FIELD_NAME:
    case FIELD_NODE_ID:
    case FIELD_TASK_ID:
    case FIELD_TOKEN:
        return string_equal(*(const char *const *)a, *(const char *const *)b);
    case FIELD_STRINGS:
        return strings_equal(a, b);
    case FIELD_MAP:
        return map_equal(a, b);
    case FIELD_INT_MAP:
        return int_map_equal(a, b);
    case FIELD_NUMBER_MAP:
        return number_map_equal(a, b);
    case FIELD_RECORD:
        return record_equal(field->record, a, b);
    case FIELD_RECORDS:
        return records_equal(field->record, a, b);
    case FIELD_OBJECT_OPTIONAL:
        return optional_equal(field->record, *(const void *const *)a, *(const void *const *)b);
    case FIELD_INT:
    case FIELD_BOOL:
    case FIELD_TRISTATE:
    case FIELD_NUMBER:
    case FIELD_SIZE:
    case FIELD_DURATION:
    case FIELD_CPU:
    case FIELD_TIME:
    case FIELD_PORT:
    case FIELD_ENUM:
        break;
    }
    return memcmp(a, b, scalar_size(field->kind)) == 0;
}

bool record_equal(const struct record *record, const void *a, const void *b)
{
    for (size_t i = 0; i < record->field_count; i++) {
        size_t offset = record->fields[i].offset;
        if (!field_equal(&record->fields[i], (const char *)a + offset, (const char *)b + offset))
            return false;
    }
    return true;
}
