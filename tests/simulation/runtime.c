/* Each operation goes through unless the process is dead. */
#include "tests/simulation/runtime.h"

#include "platform/base/mem.h"

#include <stdlib.h>

struct sim_runtime {
    struct runtime runtime;
    struct runtime *inner;
    struct fuse *fuse;
};

/* NULL when the process is dead. */
static struct runtime *living(struct runtime *runtime)
{
    struct sim_runtime *self = (struct sim_runtime *)runtime;
    return fuse_burn(self->fuse) ? NULL : self->inner;
}

static void sim_set_cluster(struct runtime *runtime, const char *cluster)
{
    struct runtime *inner = living(runtime);
    if (inner)
        inner->ops->set_cluster(inner, cluster);
}

static void sim_start(struct runtime *runtime, const struct runtime_start *start)
{
    struct runtime *inner = living(runtime);
    if (inner)
        inner->ops->start(inner, start);
}

static void sim_stop(struct runtime *runtime, const char *task_id, int64_t run, int signal,
                     int64_t timeout_ms)
{
    struct runtime *inner = living(runtime);
    if (inner)
        inner->ops->stop(inner, task_id, run, signal, timeout_ms);
}

static void sim_remove(struct runtime *runtime, const char *task_id, int64_t run)
{
    struct runtime *inner = living(runtime);
    if (inner)
        inner->ops->remove(inner, task_id, run);
}

static void sim_list(struct runtime *runtime)
{
    struct runtime *inner = living(runtime);
    if (inner)
        inner->ops->list(inner);
}

static void sim_probe(struct runtime *runtime, const char *task_id, int64_t run,
                      const struct task_spec *task, int health_index)
{
    struct runtime *inner = living(runtime);
    if (inner)
        inner->ops->probe(inner, task_id, run, task, health_index);
}

static void sim_logs(struct runtime *runtime, uint64_t request, const char *task_id, int64_t run,
                     int64_t tail_lines, size_t limit_bytes, bool follow)
{
    struct runtime *inner = living(runtime);
    if (inner)
        inner->ops->logs(inner, request, task_id, run, tail_lines, limit_bytes, follow);
}

static void sim_logs_cancel(struct runtime *runtime, uint64_t request)
{
    struct runtime *inner = living(runtime);
    if (inner)
        inner->ops->logs_cancel(inner, request);
}

static void sim_usage(struct runtime *runtime, const char *task_id, int64_t run,
                      runtime_usage_fn *report, void *context)
{
    struct runtime *inner = living(runtime);
    if (inner)
        inner->ops->usage(inner, task_id, run, report, context);
}

static void sim_close(struct runtime *runtime)
{
    struct sim_runtime *self = (struct sim_runtime *)runtime;
    self->inner->ops->close(self->inner);
    free(self);
}

static const struct runtime_ops sim_runtime_ops = {.name = "simulated",
                                                   .set_cluster = sim_set_cluster,
                                                   .start = sim_start,
                                                   .stop = sim_stop,
                                                   .remove = sim_remove,
                                                   .list = sim_list,
                                                   .probe = sim_probe,
                                                   .logs = sim_logs,
                                                   .logs_cancel = sim_logs_cancel,
                                                   .usage = sim_usage,
                                                   .close = sim_close};

struct runtime *sim_runtime_new(struct runtime *inner, struct fuse *fuse)
{
    struct sim_runtime *self = mem_alloc(sizeof(*self));
    self->runtime.ops = &sim_runtime_ops;
    self->inner = inner;
    self->fuse = fuse;
    return &self->runtime;
}
