/* begin, put … go through to the store in memory; a list of the transaction's changes is applied to
 * the shadow when it commits. */
#include "tests/simulation/store.h"

#include "platform/adapters/store_memory.h"
#include "platform/base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

struct shadow {
    char *key; /* "table/key" */
    void *value;
    size_t length;
    UT_hash_handle hh;
};

struct sim_store {
    struct store store;
    struct store *inner;
    struct fuse *fuse;
    struct shadow *committed;
    struct shadow *changes; /* value NULL: removed */
    int64_t operations;
    const int64_t *now_ms;
    int64_t slow_ms;
    bool full;
};

static struct sim_store *sim(struct store *store)
{
    return (struct sim_store *)store;
}

static void shadow_drop(struct shadow **table, struct shadow *shadow)
{
    HASH_DEL(*table, shadow);
    free(shadow->key);
    free(shadow->value);
    free(shadow);
}

static void shadow_clear(struct shadow **table)
{
    while (*table)
        shadow_drop(table, *table);
}

/* Takes key and value over. */
static void shadow_set(struct shadow **table, char *key, void *value, size_t length)
{
    struct shadow *shadow;
    HASH_FIND_STR(*table, key, shadow);
    if (shadow)
        shadow_drop(table, shadow);
    shadow = mem_alloc(sizeof(*shadow));
    *shadow = (struct shadow){.key = key, .value = value, .length = length};
    HASH_ADD_KEYPTR(hh, *table, shadow->key, strlen(shadow->key), shadow);
}

static int sim_begin(struct store *store, struct err *err)
{
    sim(store)->operations++;
    return sim(store)->inner->ops->begin(sim(store)->inner, err);
}

static int sim_put(struct store *store, enum store_table table, const char *key, const void *value,
                   size_t length, struct err *err)
{
    void *copy = mem_alloc(length + 1);
    memcpy(copy, value, length);
    sim(store)->operations++;
    shadow_set(&sim(store)->changes, mem_printf("%d/%s", (int)table, key), copy, length);
    return sim(store)->inner->ops->put(sim(store)->inner, table, key, value, length, err);
}

static int sim_remove(struct store *store, enum store_table table, const char *key, struct err *err)
{
    sim(store)->operations++;
    shadow_set(&sim(store)->changes, mem_printf("%d/%s", (int)table, key), NULL, 0);
    return sim(store)->inner->ops->remove(sim(store)->inner, table, key, err);
}

static void sim_abort(struct store *store)
{
    shadow_clear(&sim(store)->changes);
    sim(store)->inner->ops->abort(sim(store)->inner);
}

static void shadow_commit(struct sim_store *store)
{
    struct shadow *change, *next, *old;
    HASH_ITER(hh, store->changes, change, next)
    {
        HASH_DEL(store->changes, change);
        HASH_FIND_STR(store->committed, change->key, old);
        if (old)
            shadow_drop(&store->committed, old);
        HASH_ADD_KEYPTR(hh, store->committed, change->key, strlen(change->key), change);
        if (!change->value)
            shadow_drop(&store->committed, change);
    }
}

static int sim_commit(struct store *store, struct err *err)
{
    struct sim_store *self = sim(store);
    self->operations++;
    if (fuse_burn(self->fuse)) {
        sim_abort(store);
        return err_set(err, ERR_IO, "the process died before the commit");
    }
    int result = self->inner->ops->commit(self->inner, err);
    if (result)
        shadow_clear(&self->changes);
    else
        shadow_commit(self);
    if (self->slow_ms) /* nothing leaves the process before the disk has answered */
        self->fuse->asleep_until_ms = *self->now_ms + self->slow_ms;
    fuse_burn(self->fuse);
    return result;
}

static int sim_scan(struct store *store, enum store_table table, store_visit_fn *visit,
                    void *context, struct err *err)
{
    return sim(store)->inner->ops->scan(sim(store)->inner, table, visit, context, err);
}

static void sim_close(struct store *store)
{
    sim(store)->inner->ops->close(sim(store)->inner);
    shadow_clear(&sim(store)->changes);
    shadow_clear(&sim(store)->committed);
    free(store);
}

static const struct store_ops sim_store_ops = {.name = "simulated",
                                               .begin = sim_begin,
                                               .put = sim_put,
                                               .remove = sim_remove,
                                               .commit = sim_commit,
                                               .abort = sim_abort,
                                               .scan = sim_scan,
                                               .close = sim_close};

struct store *sim_store_new(struct fuse *fuse, const int64_t *now_ms)
{
    struct sim_store *store = mem_alloc(sizeof(*store));
    store->store.ops = &sim_store_ops;
    store->inner = memory_store_new();
    store->fuse = fuse;
    store->now_ms = now_ms;
    return &store->store;
}

const void *sim_store_get(const struct store *store, enum store_table table, const char *key,
                          size_t *ret_length)
{
    _cleanup_free_ char *name = mem_printf("%d/%s", (int)table, key);
    struct shadow *shadow;
    HASH_FIND_STR(((const struct sim_store *)store)->committed, name, shadow);
    if (!shadow)
        return NULL;
    *ret_length = shadow->length;
    return shadow->value;
}

void sim_store_set_full(struct store *store, bool full)
{
    sim(store)->full = full;
    memory_store_fail_always(sim(store)->inner, full ? ERR_FULL : ERR_NONE);
}

void sim_store_set_slow(struct store *store, int64_t commit_ms)
{
    sim(store)->slow_ms = commit_ms;
}

bool sim_store_is_full(const struct store *store)
{
    return ((const struct sim_store *)store)->full;
}

void sim_store_fail(struct store *store, int64_t operation)
{
    memory_store_fail(sim(store)->inner, operation, ERR_IO);
}

int64_t sim_store_operations(const struct store *store)
{
    return ((const struct sim_store *)store)->operations;
}

void sim_store_clear(struct store *store)
{
    memory_store_clear(sim(store)->inner);
    shadow_clear(&sim(store)->committed);
}
