/* One thread, one write at a time:
 *
 *   idle -write()-> writing -the thread-> written -loop or settle()-> idle, and `written` is called
 *
 * The phase is the only thing that both threads look at, under the mutex; all else belongs to the
 * thread while it is writing, and to the owner otherwise. */
#include "platform/adapters/store_background.h"

#include "platform/adapters/loop.h"
#include "platform/base/mem.h"

#include <stdlib.h>
#include <uv.h>

enum phase { PHASE_IDLE, PHASE_WRITING, PHASE_WRITTEN, PHASE_CLOSING };

struct background_store {
    struct store store;
    struct store *inner;
    struct loop_async *wake;
    uv_thread_t thread;
    uv_mutex_t mutex;
    uv_cond_t changed;
    enum phase phase;
    const struct store_write *writes;
    size_t count;
    store_written_fn *written;
    void *context;
    int result;
    struct err err;
};

static struct background_store *background_store(struct store *store)
{
    return (struct background_store *)store;
}

static void set_phase(struct background_store *background, enum phase phase)
{
    background->phase = phase;
    uv_cond_broadcast(&background->changed);
}

/* ---- the thread ---- */

static void note_result(void *context, int result, const struct err *err)
{
    struct background_store *background = context;
    background->result = result;
    background->err = *err;
}

static void write_forever(void *context)
{
    struct background_store *background = context;
    struct store *inner = background->inner;
    uv_mutex_lock(&background->mutex);
    while (background->phase != PHASE_CLOSING) {
        if (background->phase != PHASE_WRITING) {
            uv_cond_wait(&background->changed, &background->mutex);
            continue;
        }
        uv_mutex_unlock(&background->mutex);
        inner->ops->write(inner, background->writes, background->count, note_result, background);
        uv_mutex_lock(&background->mutex);
        set_phase(background, PHASE_WRITTEN);
        loop_async_wake(background->wake);
    }
    uv_mutex_unlock(&background->mutex);
}

/* ---- the owner ---- */

static void background_write(struct store *store, const struct store_write *writes, size_t count,
                             store_written_fn *written, void *context)
{
    struct background_store *background = background_store(store);
    uv_mutex_lock(&background->mutex);
    ASSERT(background->phase == PHASE_IDLE);
    background->writes = writes;
    background->count = count;
    background->written = written;
    background->context = context;
    set_phase(background, PHASE_WRITING);
    uv_mutex_unlock(&background->mutex);
}

/* Until the thread has nothing to do. */
static void await(struct background_store *background)
{
    uv_mutex_lock(&background->mutex);
    while (background->phase == PHASE_WRITING)
        uv_cond_wait(&background->changed, &background->mutex);
    uv_mutex_unlock(&background->mutex);
}

/* A wake-up may come after settle() has told already. */
static void tell(void *context)
{
    struct background_store *background = context;
    uv_mutex_lock(&background->mutex);
    bool is_over = background->phase == PHASE_WRITTEN;
    if (is_over)
        background->phase = PHASE_IDLE;
    uv_mutex_unlock(&background->mutex);
    if (is_over)
        background->written(background->context, background->result, &background->err);
}

static void background_settle(struct store *store)
{
    await(background_store(store));
    tell(background_store(store));
}

static int background_scan(struct store *store, enum store_table table, store_visit_fn *visit,
                           void *context, struct err *err)
{
    struct background_store *background = background_store(store);
    await(background);
    return background->inner->ops->scan(background->inner, table, visit, context, err);
}

static void background_close(struct store *store)
{
    struct background_store *background = background_store(store);
    await(background);
    uv_mutex_lock(&background->mutex);
    set_phase(background, PHASE_CLOSING);
    uv_mutex_unlock(&background->mutex);
    uv_thread_join(&background->thread);
    uv_cond_destroy(&background->changed);
    uv_mutex_destroy(&background->mutex);
    loop_async_free(background->wake);
    background->inner->ops->close(background->inner);
    free(background);
}

static const struct store_ops background_store_ops = {.name = "background",
                                                      .write = background_write,
                                                      .settle = background_settle,
                                                      .scan = background_scan,
                                                      .close = background_close};

struct store *background_store_new(struct store *inner, struct loop *loop)
{
    struct background_store *background = mem_alloc(sizeof *background);
    background->store.ops = &background_store_ops;
    background->inner = inner;
    background->wake = loop_async_new(loop, tell, background);
    int failed = uv_mutex_init(&background->mutex) || uv_cond_init(&background->changed) ||
                 uv_thread_create(&background->thread, write_forever, background);
    ASSERT(!failed);
    return &background->store;
}
