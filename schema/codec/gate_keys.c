/* Keys of open objects lie on one stack; at an object's end its own are compared and popped. */
#include "schema/codec/scanner.h"

#include <stdlib.h>
#include <string.h>

/* So many are compared each with each, which is quicker than to sort them. */
enum { KEYS_FEW = 16 };

bool keys_push(struct scanner *scanner, struct key key)
{
    if (scanner->key_count == scanner->key_capacity) {
        size_t capacity = scanner->key_capacity * 2;
        struct key *keys = arena_array(scanner->arena, capacity, sizeof *keys);
        if (!keys)
            return scanner_no_memory(scanner);
        memcpy(keys, scanner->keys, scanner->key_count * sizeof *keys);
        scanner->keys = keys;
        scanner->key_capacity = capacity;
    }
    scanner->keys[scanner->key_count++] = key;
    return true;
}

static int key_compare(const void *a_item, const void *b_item)
{
    const struct key *a = a_item, *b = b_item;
    if (a->length != b->length)
        return a->length < b->length ? -1 : 1;
    return memcmp(a->text, b->text, a->length);
}

static bool few_are_unique(const struct key *keys, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        const struct key *key = &keys[i];
        for (size_t j = 0; j < i; j++)
            if (keys[j].length == key->length && !memcmp(keys[j].text, key->text, key->length))
                return false;
    }
    return true;
}

/* As the maps that we write are. */
static bool are_ascending(const struct key *keys, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (strcmp(keys[i - 1].text, keys[i].text) >= 0)
            return false;
    return true;
}

static bool sorted_are_unique(struct scanner *scanner, struct key *keys, size_t count)
{
    qsort(keys, count, sizeof *keys, key_compare);
    for (size_t i = 1; i < count; i++)
        if (!key_compare(&keys[i - 1], &keys[i])) {
            char *fault =
                arena_printf(scanner->arena, "the key \"%.*s\" is there twice",
                             keys[i].length < 64 ? (int)keys[i].length : 64, keys[i].text);
            return scanner_invalid(scanner, fault ? fault : "a key is there twice");
        }
    return true;
}

bool keys_are_unique(struct scanner *scanner, size_t first)
{
    size_t count = scanner->key_count - first;
    struct key *keys = scanner->keys + first;
    scanner->key_count = first;
    bool unique = count <= KEYS_FEW ? few_are_unique(keys, count) : are_ascending(keys, count);
    return unique || sorted_are_unique(scanner, keys, count);
}
