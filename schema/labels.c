#include "schema/labels.h"

#include "platform/base/err.h"

#include <string.h>

int labels_merge(const struct string_map *own, const struct string_map *people, struct arena *arena,
                 struct string_map *ret_labels)
{
    struct string_map merged = {
        arena_array(arena, own->count + people->count + 1, sizeof(struct string_pair)), 0};
    if (!merged.items)
        return -ERR_NO_MEMORY;
    for (size_t i = 0, j = 0; i < own->count || j < people->count;) {
        int order = i == own->count      ? 1
                    : j == people->count ? -1
                                         : strcmp(own->items[i].key, people->items[j].key);
        merged.items[merged.count++] = order < 0 ? own->items[i] : people->items[j];
        i += order <= 0;
        j += order >= 0;
    }
    *ret_labels = merged;
    return 0;
}
