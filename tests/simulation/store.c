/* A write goes through to the store in memory and is applied to the shadow. With a delay it waits
 * for that until it is finished, or its process dies: then it was written, or it was not. */
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
    int64_t operations;
    const int64_t *now_ms;
    int64_t slow_ms;
    bool full;
    store_delay_fn *delay; /* NULL: written at once */
    void *delay_context;
    const struct store_write *writes; /* under way; NULL: none */
    size_t count;
    store_written_fn *written;
    void *context;
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

static void shadow_apply(struct shadow **table, const struct store_write *write)
{
    _cleanup_free_ char *key = mem_printf("%d/%s", (int)write->table, write->key);
    struct shadow *shadow;
    HASH_FIND_STR(*table, key, shadow);
    if (shadow)
        shadow_drop(table, shadow);
    if (write->remove)
        return;
    shadow = mem_alloc(sizeof(*shadow));
    shadow->key = mem_strdup(key);
    shadow->value = mem_alloc(write->length + 1);
    shadow->length = write->length;
    if (write->length)
        memcpy(shadow->value, write->value, write->length);
    HASH_ADD_KEYPTR(hh, *table, shadow->key, strlen(shadow->key), shadow);
}

static void note_result(void *context, int result, const struct err *err)
{
    (void)err;
    *(int *)context = result;
}

/* Whoever waits is told what the store in memory says, or that the process died before. */
static void carry_out(struct sim_store *self)
{
    const struct store_write *writes = self->writes;
    struct err err = {0};
    int result = -ERR_IO;
    /* who dies while it is on its way finds it on the disk, or does not */
    bool is_lost = self->fuse->blown ? self->operations % 2 : fuse_burn(self->fuse);
    self->writes = NULL;
    if (!is_lost) {
        self->inner->ops->write(self->inner, writes, self->count, note_result, &result);
        for (size_t i = 0; i < self->count && !result; i++)
            shadow_apply(&self->committed, &writes[i]);
    }
    if (self->slow_ms && !self->delay) /* nothing leaves the process before the disk has answered */
        self->fuse->asleep_until_ms = *self->now_ms + self->slow_ms;
    if (result)
        err_set(&err, (enum err_code) - result, "the simulated store: %s", err_text(-result));
    else
        fuse_burn(self->fuse);
    self->written(self->context, result, &err);
}

static void sim_write(struct store *store, const struct store_write *writes, size_t count,
                      store_written_fn *written, void *context)
{
    struct sim_store *self = sim(store);
    ASSERT(!self->writes);
    self->operations++;
    self->writes = writes;
    self->count = count;
    self->written = written;
    self->context = context;
    if (self->delay)
        self->delay(self->delay_context, self->slow_ms);
    else
        carry_out(self);
}

static void sim_settle(struct store *store)
{
    if (sim(store)->writes)
        carry_out(sim(store));
}

static int sim_scan(struct store *store, enum store_table table, store_visit_fn *visit,
                    void *context, struct err *err)
{
    return sim(store)->inner->ops->scan(sim(store)->inner, table, visit, context, err);
}

static void sim_close(struct store *store)
{
    sim(store)->inner->ops->close(sim(store)->inner);
    shadow_clear(&sim(store)->committed);
    free(store);
}

static const struct store_ops sim_store_ops = {.name = "simulated",
                                               .write = sim_write,
                                               .settle = sim_settle,
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

void sim_store_delay(struct store *store, store_delay_fn *delay, void *context)
{
    sim(store)->delay = delay;
    sim(store)->delay_context = context;
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
