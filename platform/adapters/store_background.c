/* One thread, one write at a time:
 *
 *   idle -write()-> writing -the thread-> written -loop or settle()-> idle, and `written` is called
 *
 * The phase is the only thing that both threads look at, under the mutex; all else belongs to the
 * thread while it is writing, and to the owner otherwise. */
#include "platform/adapters/store_background.h"

#include "platform/adapters/loop.h"
#include "platform/base/mem.h"

#include <pthread.h>
#include <stdlib.h>

enum phase { PHASE_IDLE, PHASE_WRITING, PHASE_WRITTEN, PHASE_CLOSING };

struct background_store {
    struct store store;
    struct store *inner;
    struct loop_async *wake;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
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
    pthread_cond_broadcast(&background->changed);
}

/* ---- the thread ---- */

static void note_result(void *context, int result, const struct err *err)
{
    struct background_store *background = context;
    background->result = result;
    background->err = *err;
}

static void *write_forever(void *context)
{
    struct background_store *background = context;
    struct store *inner = background->inner;
    pthread_mutex_lock(&background->mutex);
    while (background->phase != PHASE_CLOSING) {
        if (background->phase != PHASE_WRITING) {
            pthread_cond_wait(&background->changed, &background->mutex);
            continue;
        }
        pthread_mutex_unlock(&background->mutex);
        inner->ops->write(inner, background->writes, background->count, note_result, background);
        pthread_mutex_lock(&background->mutex);
        set_phase(background, PHASE_WRITTEN);
        loop_async_wake(background->wake);
    }
    pthread_mutex_unlock(&background->mutex);
    return NULL;
}

/* ---- the owner ---- */

static void background_write(struct store *store, const struct store_write *writes, size_t count,
                             store_written_fn *written, void *context)
{
    struct background_store *background = background_store(store);
    pthread_mutex_lock(&background->mutex);
    ASSERT(background->phase == PHASE_IDLE);
    background->writes = writes;
    background->count = count;
    background->written = written;
    background->context = context;
    set_phase(background, PHASE_WRITING);
    pthread_mutex_unlock(&background->mutex);
}

/* Until the thread has nothing to do. */
static void await(struct background_store *background)
{
    pthread_mutex_lock(&background->mutex);
    while (background->phase == PHASE_WRITING)
        pthread_cond_wait(&background->changed, &background->mutex);
    pthread_mutex_unlock(&background->mutex);
}

/* A wake-up may come after settle() has told already. */
static void tell(void *context)
{
    struct background_store *background = context;
    pthread_mutex_lock(&background->mutex);
    bool is_over = background->phase == PHASE_WRITTEN;
    if (is_over)
        background->phase = PHASE_IDLE;
    pthread_mutex_unlock(&background->mutex);
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
    pthread_mutex_lock(&background->mutex);
    set_phase(background, PHASE_CLOSING);
    pthread_mutex_unlock(&background->mutex);
    pthread_join(background->thread, NULL);
    pthread_cond_destroy(&background->changed);
    pthread_mutex_destroy(&background->mutex);
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
    pthread_mutex_init(&background->mutex, NULL);
    pthread_cond_init(&background->changed, NULL);
    int failed = pthread_create(&background->thread, NULL, write_forever, background);
    ASSERT(!failed);
    return &background->store;
}
