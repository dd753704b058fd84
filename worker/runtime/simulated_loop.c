/* A simulated engine that lives with one runtime and is stepped by a timer. */
#include "platform/adapters/clock_system.h"
#include "platform/adapters/loop.h"
#include "platform/base/mem.h"
#include "worker/runtime/simulated.h"

#include <stddef.h>
#include <stdlib.h>

struct owner {
    struct runtime_ops
        ops; /* the runtime's own, but for close: what leads from a runtime to here */
    void (*close)(struct runtime *runtime);
    struct simulated_engine *engine;
    struct loop_timer *timer;
};

static void on_deadline(void *context, int64_t mono_ms)
{
    struct owner *owner = context;
    loop_timer_set(owner->timer, mono_ms);
}

static void on_timer(void *context)
{
    struct owner *owner = context;
    simulated_engine_step(owner->engine);
}

static void close_all(struct runtime *runtime)
{
    struct owner *owner = (struct owner *)((uintptr_t)runtime->ops - offsetof(struct owner, ops));
    owner->close(runtime);
    simulated_engine_free(owner->engine);
    loop_timer_free(owner->timer);
    free(owner);
}

struct runtime *simulated_runtime_new_on_loop(const char *node, const char *cluster,
                                              const struct runtime_handler *handler,
                                              struct loop *loop)
{
    struct owner *owner = mem_alloc(sizeof(*owner));
    owner->timer = loop_timer_new(loop, on_timer, owner);
    owner->engine = simulated_engine_new(&(struct simulated_engine_config){
        .clock = &clock_system, .on_deadline = on_deadline, .context = owner});
    struct runtime *runtime = simulated_runtime_new(owner->engine, node, cluster, handler);
    owner->ops = *runtime->ops;
    owner->close = owner->ops.close;
    owner->ops.close = close_all;
    runtime->ops = &owner->ops;
    return runtime;
}
