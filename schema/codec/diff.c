/* Two values of a record, field by field. */
#include "platform/base/mem.h"
#include "schema/codec/codec.h"
#include "schema/codec/encode.h"
#include "schema/record.h"

#include <string.h>

struct diff {
    struct arena *arena;
    struct record_list *changes; /* struct plan_change */
    size_t capacity;
};

static void *taken(void *memory)
{
    ASSERT(memory);
    return memory;
}

static void add(struct diff *diff, const char *path, const char *from, const char *to)
{
    struct record_list *list = diff->changes;
    if (list->count == diff->capacity) {
        diff->capacity = diff->capacity ? diff->capacity * 2 : 16;
        struct plan_change *items = taken(arena_array(diff->arena, diff->capacity, sizeof(*items)));
        if (list->count)
            memcpy(items, list->items, list->count * sizeof(*items));
        list->items = items;
    }
    *RECORD_AT(struct plan_change, *list, list->count++) = (struct plan_change){path, from, to};
}

static const char *below(struct diff *diff, const char *path, const char *key)
{
    return taken(arena_printf(diff->arena, "%s/%s", path, key));
}

/* ---- values as text ---- */

static const void *member_of(const struct field *field, const void *value)
{
    return (const char *)value + field->offset;
}

/* NULL: it is absent. Strings without quotes, sizes with a unit, all else as JSON. */
static const char *text_of(struct diff *diff, const struct field *field, const void *value)
{
    char number[QUANTITY_TEXT_LENGTH];
    _cleanup_buf_ struct buf json = BUF_EMPTY;
    if (!value || !encode_field(field, value, &json))
        return NULL;
    const void *member = member_of(field, value);
    if (field->kind <= FIELD_TOKEN)
        return *(const char *const *)member;
    if (field->kind == FIELD_ENUM)
        return words_to_string(field->words, *(const int *)member);
    if (field->kind != FIELD_SIZE && field->kind != FIELD_DURATION)
        return taken(arena_strdup(diff->arena, buf_text(&json)));
    field_number_format(field->kind, *(const int64_t *)member, number);
    return taken(arena_strdup(diff->arena, number));
}

static const char *record_text(struct diff *diff, const struct record *record, const void *value)
{
    _cleanup_buf_ struct buf json = BUF_EMPTY;
    if (!value)
        return NULL;
    codec_encode(record, value, &json);
    return taken(arena_strdup(diff->arena, buf_text(&json)));
}

/* ---- what has parts ---- */

static void compare(struct diff *diff, const char *path, const struct record *record,
                    const void *from, const void *to);

static const char *value_at(const struct string_map *map, const char *key)
{
    for (size_t i = 0; i < map->count; i++)
        if (strcmp(map->items[i].key, key) == 0)
            return map->items[i].value;
    return NULL;
}

static void compare_maps(struct diff *diff, const char *path, const struct string_map *from,
                         const struct string_map *to)
{
    for (size_t i = 0; i < from->count; i++) {
        const char *now = value_at(to, from->items[i].key);
        if (!now || strcmp(now, from->items[i].value) != 0)
            add(diff, below(diff, path, from->items[i].key), from->items[i].value, now);
    }
    for (size_t i = 0; i < to->count; i++)
        if (!value_at(from, to->items[i].key))
            add(diff, below(diff, path, to->items[i].key), NULL, to->items[i].value);
}

static const void *item_at(const struct record *record, const struct record_list *list, size_t i)
{
    return i < list->count ? (const char *)list->items + i * record->size : NULL;
}

/* NULL: its items have none. */
static const char *name_of(const struct record *record, const void *item)
{
    const struct field *first = &record->fields[0];
    return first->kind == FIELD_NAME ? *(const char *const *)member_of(first, item) : NULL;
}

/* The item that has the name or, where there are no names, the index. */
static const void *item_like(const struct record *record, const struct record_list *list,
                             const char *name, size_t index)
{
    for (size_t i = 0; name && i < list->count; i++)
        if (strcmp(name_of(record, item_at(record, list, i)), name) == 0)
            return item_at(record, list, i);
    return name ? NULL : item_at(record, list, index);
}

static const char *item_path(struct diff *diff, const char *path, const char *name, size_t index)
{
    return name ? below(diff, path, name) : taken(arena_printf(diff->arena, "%s/%zu", path, index));
}

static void compare_lists(struct diff *diff, const char *path, const struct record *record,
                          const struct record_list *from, const struct record_list *to)
{
    for (size_t i = 0; i < from->count; i++) {
        const void *was = item_at(record, from, i);
        const char *name = name_of(record, was);
        const void *is = item_like(record, to, name, i);
        const char *at = item_path(diff, path, name, i);
        if (is)
            compare(diff, at, record, was, is);
        else
            add(diff, at, record_text(diff, record, was), NULL);
    }
    for (size_t i = 0; i < to->count; i++) {
        const void *is = item_at(record, to, i);
        const char *name = name_of(record, is);
        if (!item_like(record, from, name, i))
            add(diff, item_path(diff, path, name, i), NULL, record_text(diff, record, is));
    }
}

/* ---- a field ---- */

static void compare_field(struct diff *diff, const char *path, const struct field *field,
                          const void *from, const void *to)
{
    const void *was = member_of(field, from), *is = member_of(field, to);
    const void *const *old = was, *const *fresh = is; /* of an optional object */
    if (field->kind == FIELD_RECORD)
        return compare(diff, path, field->record, was, is);
    if (field->kind == FIELD_RECORDS)
        return compare_lists(diff, path, field->record, was, is);
    if (field->kind == FIELD_MAP)
        return compare_maps(diff, path, was, is);
    if (field->kind == FIELD_OBJECT_OPTIONAL && *old && *fresh)
        return compare(diff, path, field->record, *old, *fresh);
    const char *before = text_of(diff, field, from), *after = text_of(diff, field, to);
    if (before != after && (!before || !after || strcmp(before, after) != 0))
        add(diff, path, before, after);
}

static void compare(struct diff *diff, const char *path, const struct record *record,
                    const void *from, const void *to)
{
    for (size_t i = 0; i < record->field_count; i++)
        compare_field(diff, below(diff, path, record->fields[i].key), &record->fields[i], from, to);
}

void codec_diff(const struct record *record, const void *from, const void *to, struct arena *arena,
                struct record_list *ret_changes)
{
    struct diff diff = {.arena = arena, .changes = ret_changes};
    *ret_changes = (struct record_list){NULL, 0};
    compare(&diff, "", record, from, to);
}
