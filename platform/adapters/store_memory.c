/* Records in one sorted array. A write is over when it returns. */
#include "platform/adapters/store_memory.h"

#include "platform/base/mem.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct record {
    enum store_table table;
    char *key;
    char *value;
    size_t length;
};

struct records {
    struct record *items;
    size_t count, capacity;
};

struct memory_store {
    struct store store;
    struct records committed; /* sorted by table, key */
    int64_t commits;
    int64_t fail_in;
    enum err_code fail_code, fail_always;
};

static struct memory_store *memory_store(struct store *store)
{
    return (struct memory_store *)store;
}

static void record_release(struct record *record)
{
    free(record->key);
    free(record->value);
}

static void records_insert(struct records *records, size_t at, struct record record)
{
    if (records->count == records->capacity) {
        records->capacity = records->capacity ? records->capacity * 2 : 16;
        records->items = mem_resize(records->items, records->capacity, sizeof *records->items);
    }
    memmove(&records->items[at + 1], &records->items[at],
            (records->count - at) * sizeof *records->items);
    records->items[at] = record;
    records->count++;
}

static void records_remove(struct records *records, size_t at)
{
    record_release(&records->items[at]);
    records->count--;
    memmove(&records->items[at], &records->items[at + 1],
            (records->count - at) * sizeof *records->items);
}

static void records_clear(struct records *records)
{
    while (records->count)
        records_remove(records, records->count - 1);
}

static int record_compare(const struct record *record, enum store_table table, const char *key)
{
    return record->table == table ? strcmp(record->key, key)
                                  : (record->table > table) - (record->table < table);
}

/* Where the key is, or belongs. */
static size_t records_find(const struct records *records, enum store_table table, const char *key,
                           bool *ret_found)
{
    size_t low = 0, high = records->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (record_compare(&records->items[middle], table, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_found = low < records->count && !record_compare(&records->items[low], table, key);
    return low;
}

static int memory_fault(struct memory_store *memory, struct err *err)
{
    enum err_code code = memory->fail_always;
    if (memory->fail_in > 0 && --memory->fail_in == 0)
        code = memory->fail_code;
    return code ? err_set(err, code, "store in memory: %s", err_text((int)code)) : 0;
}

static void value_set(struct record *record, const struct store_write *write)
{
    record->value = mem_resize(record->value, write->length + 1, 1);
    record->length = write->length;
    if (write->length)
        memcpy(record->value, write->value, write->length);
}

static struct record record_of(const struct store_write *write)
{
    struct record record = {.table = write->table, .key = mem_strdup(write->key)};
    value_set(&record, write);
    return record;
}

static void records_apply(struct records *records, const struct store_write *write)
{
    bool found;
    size_t at = records_find(records, write->table, write->key, &found);
    if (found && !write->remove) {
        value_set(&records->items[at], write);
    } else if (found) {
        records_remove(records, at);
    } else if (!write->remove) {
        records_insert(records, at, record_of(write));
    }
}

static int check_keys(const struct store_write *writes, size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(writes[i].key) > STORE_KEY_MAX)
            return err_set(err, ERR_TOO_LARGE, "store in memory: the key is too long");
    return 0;
}

static void memory_write(struct store *store, const struct store_write *writes, size_t count,
                         store_written_fn *written, void *context)
{
    struct memory_store *memory = memory_store(store);
    struct err err = {0};
    int result = memory_fault(memory, &err);
    if (!result)
        result = check_keys(writes, count, &err);
    for (size_t i = 0; i < count && !result; i++)
        records_apply(&memory->committed, &writes[i]);
    memory->commits += !result;
    written(context, result, &err);
}

static void memory_settle(struct store *store)
{
    (void)store;
}

static int memory_scan(struct store *store, enum store_table table, store_visit_fn *visit,
                       void *context, struct err *err)
{
    (void)err;
    const struct records *records = &memory_store(store)->committed;
    int result = 0;
    for (size_t i = 0; i < records->count && !result; i++) {
        const struct record *record = &records->items[i];
        if (record->table == table)
            result = visit(context, record->key, record->value, record->length);
    }
    return result;
}

static void memory_close(struct store *store)
{
    struct memory_store *memory = memory_store(store);
    if (!memory)
        return;
    records_clear(&memory->committed);
    free(memory->committed.items);
    free(memory);
}

static const struct store_ops memory_store_ops = {.name = "memory",
                                                  .write = memory_write,
                                                  .settle = memory_settle,
                                                  .scan = memory_scan,
                                                  .close = memory_close};

struct store *memory_store_new(void)
{
    struct memory_store *memory = mem_alloc(sizeof *memory);
    memory->store.ops = &memory_store_ops;
    return &memory->store;
}

void memory_store_fail(struct store *store, int64_t operation, enum err_code code)
{
    memory_store(store)->fail_in = operation;
    memory_store(store)->fail_code = code;
}

void memory_store_fail_always(struct store *store, enum err_code code)
{
    memory_store(store)->fail_always = code;
}

void memory_store_clear(struct store *store)
{
    records_clear(&memory_store(store)->committed);
}

int64_t memory_store_commits(const struct store *store)
{
    return ((const struct memory_store *)store)->commits;
}
