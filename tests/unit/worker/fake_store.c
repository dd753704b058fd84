#include "tests/unit/worker/fake_store.h"

#include "platform/base/mem.h"

#include <stdlib.h>
#include <string.h>

static void records_release(struct fake_record *records)
{
    for (size_t i = 0; i < FAKE_RECORDS; i++) {
        free(records[i].key);
        free(records[i].value);
        records[i] = (struct fake_record){0};
    }
}

static void record_set(struct fake_record *record, enum store_table table, const char *key,
                       const void *value, size_t length)
{
    free(record->key);
    free(record->value);
    *record = (struct fake_record){table, mem_strdup(key), mem_alloc(length + 1), length};
    memcpy(record->value, value, length);
}

static struct fake_record *record_find(struct fake_record *records, enum store_table table,
                                       const char *key)
{
    for (size_t i = 0; i < FAKE_RECORDS; i++) {
        if (records[i].key && records[i].table == table && !strcmp(records[i].key, key)) {
            return &records[i];
        }
    }
    return NULL;
}

static struct fake_store *fake_of(struct store *store)
{
    return (struct fake_store *)store;
}

static int fake_begin(struct store *store, struct err *err)
{
    (void)err;
    struct fake_store *fake = fake_of(store);
    ASSERT(!fake->in_transaction);
    fake->in_transaction = true;
    for (size_t i = 0; i < FAKE_RECORDS; i++) {
        const struct fake_record *record = &fake->committed[i];
        if (record->key) {
            record_set(&fake->open[i], record->table, record->key, record->value, record->length);
        }
    }
    return 0;
}

static int fake_put(struct store *store, enum store_table table, const char *key, const void *value,
                    size_t length, struct err *err)
{
    (void)err;
    struct fake_store *fake = fake_of(store);
    struct fake_record *record = record_find(fake->open, table, key);
    for (size_t i = 0; !record; i++) {
        ASSERT(i < FAKE_RECORDS);
        record = fake->open[i].key ? NULL : &fake->open[i];
    }
    record_set(record, table, key, value, length);
    return 0;
}

static int fake_remove(struct store *store, enum store_table table, const char *key,
                       struct err *err)
{
    (void)err;
    struct fake_record *record = record_find(fake_of(store)->open, table, key);
    if (record) {
        free(record->key);
        free(record->value);
        *record = (struct fake_record){0};
    }
    return 0;
}

static void fake_abort(struct store *store)
{
    struct fake_store *fake = fake_of(store);
    records_release(fake->open);
    fake->in_transaction = false;
}

static int fake_commit(struct store *store, struct err *err)
{
    struct fake_store *fake = fake_of(store);
    if (fake->fails) {
        return err_set(err, ERR_FULL, "no space left");
    }
    records_release(fake->committed);
    memcpy(fake->committed, fake->open, sizeof(fake->open));
    memset(fake->open, 0, sizeof(fake->open));
    fake->in_transaction = false;
    fake->commits++;
    return 0;
}

static int fake_scan(struct store *store, enum store_table table, store_visit_fn *visit,
                     void *context, struct err *err)
{
    (void)err;
    struct fake_store *fake = fake_of(store);
    for (size_t i = 0; i < FAKE_RECORDS; i++) {
        const struct fake_record *record = &fake->committed[i];
        int result = record->key && record->table == table
                         ? visit(context, record->key, record->value, record->length)
                         : 0;
        if (result) {
            return result;
        }
    }
    return 0;
}

static const struct store_ops fake_ops = {
    .name = "fake",
    .begin = fake_begin,
    .put = fake_put,
    .remove = fake_remove,
    .commit = fake_commit,
    .abort = fake_abort,
    .scan = fake_scan,
};

void fake_store_init(struct fake_store *fake)
{
    *fake = (struct fake_store){.store = {&fake_ops}};
}

void fake_store_release(struct fake_store *fake)
{
    records_release(fake->committed);
    records_release(fake->open);
}

const char *fake_store_get(const struct fake_store *fake, enum store_table table, const char *key)
{
    struct fake_record *records = ((struct fake_store *)fake)->committed;
    const struct fake_record *record = record_find(records, table, key);
    return record ? record->value : NULL;
}

void fake_store_put(struct fake_store *fake, enum store_table table, const char *key,
                    const char *value)
{
    fake_begin(&fake->store, NULL);
    fake_put(&fake->store, table, key, value, strlen(value), NULL);
    fake_commit(&fake->store, NULL);
}
