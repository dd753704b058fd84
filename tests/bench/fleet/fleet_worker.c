#include "tests/bench/fleet/fleet_worker.h"

#include "platform/adapters/clock_system.h"
#include "platform/adapters/store_memory.h"
#include "platform/base/mem.h"
#include "worker/runtime/simulated.h"

#include <stdlib.h>

struct fleet_worker {
    char *node;
    struct store *store;
    struct loop_timer *shell_timer, *engine_timer;
    struct worker_shell *shell;
    struct simulated_engine *engine;
    struct runtime *runtime;
    struct bus *bus;
    size_t next_end; /* place of the execution whose turn it is to end */
};

/* ---- time ---- */

static void shell_rearm(void *context, int64_t mono_ms)
{
    struct fleet_worker *worker = context;
    loop_timer_set(worker->shell_timer, mono_ms);
}

static void shell_due(void *context)
{
    struct fleet_worker *worker = context;
    worker_shell_on_timer(worker->shell);
}

static void engine_rearm(void *context, int64_t mono_ms)
{
    struct fleet_worker *worker = context;
    loop_timer_set(worker->engine_timer, mono_ms);
}

static void engine_due(void *context)
{
    struct fleet_worker *worker = context;
    simulated_engine_step(worker->engine);
}

/* ---- life ---- */

static int make_shell(struct fleet_worker *worker, const struct worker_shell_config *given,
                      struct err *err)
{
    struct worker_shell_config config = *given;
    config.store = worker->store;
    config.clock = &clock_system;
    config.context = worker;
    config.rearm = shell_rearm;
    return worker_shell_new(&config, &worker->shell, err);
}

static void make_runtime(struct fleet_worker *worker)
{
    struct runtime_handler handler = worker_shell_runtime_handler(worker->shell, RUNTIME_SIMULATED);
    worker->engine = simulated_engine_new(&(struct simulated_engine_config){
        .clock = &clock_system, .on_deadline = engine_rearm, .context = worker});
    worker->runtime = simulated_runtime_new(worker->engine, worker->node,
                                            worker_shell_cluster(worker->shell), &handler);
    worker_shell_attach_runtime(worker->shell, RUNTIME_SIMULATED, worker->runtime);
}

static int make_bus(struct fleet_worker *worker, const struct mqtt_bus_config *given,
                    struct err *err)
{
    _cleanup_free_ char *client_id = mem_printf("fleet-%s", worker->node);
    struct mqtt_bus_config config = *given;
    config.client_id = client_id;
    config.handler = worker_shell_bus_handler(worker->shell);
    return mqtt_bus_new(&config, &worker->bus, err);
}

int fleet_worker_new(const struct fleet_worker_config *config, struct fleet_worker **ret_worker,
                     struct err *err)
{
    struct fleet_worker *worker = mem_alloc(sizeof *worker);
    worker->node = mem_strdup(config->shell->node);
    worker->store = memory_store_new();
    worker->shell_timer = loop_timer_new(config->bus->loop, shell_due, worker);
    worker->engine_timer = loop_timer_new(config->bus->loop, engine_due, worker);
    int result = make_shell(worker, config->shell, err);
    if (!result) {
        make_runtime(worker);
        result = make_bus(worker, config->bus, err);
    }
    if (result) {
        fleet_worker_free(worker);
        return result;
    }
    *ret_worker = worker;
    return 0;
}

void fleet_worker_free(struct fleet_worker *worker)
{
    if (!worker)
        return;
    if (worker->bus)
        worker->bus->ops->close(worker->bus, 0);
    if (worker->runtime)
        worker->runtime->ops->close(worker->runtime);
    simulated_engine_free(worker->engine);
    worker_shell_free(worker->shell);
    loop_timer_free(worker->shell_timer);
    loop_timer_free(worker->engine_timer);
    worker->store->ops->close(worker->store);
    free(worker->node);
    free(worker);
}

void fleet_worker_start(struct fleet_worker *worker)
{
    worker_shell_start(worker->shell, worker->bus);
}

void fleet_worker_reconnect(struct fleet_worker *worker)
{
    worker->bus->ops->reconnect(worker->bus, "asked to");
}

bool fleet_worker_connected(const struct fleet_worker *worker)
{
    return worker->bus->ops->connected(worker->bus);
}

bool fleet_worker_settled(const struct fleet_worker *worker)
{
    return worker_shell_has_settled(worker->shell);
}

/* ---- its tasks ---- */

struct report {
    const char *node;
    FILE *out;
    size_t running;
};

static void report_one(void *context, const struct simulated_execution *execution)
{
    struct report *report = context;
    if (!execution->running)
        return;
    report->running++;
    fprintf(report->out, "%s %s %lld\n", report->node, execution->task_id,
            (long long)execution->run);
}

size_t fleet_worker_report(const struct fleet_worker *worker, FILE *out)
{
    struct report report = {worker->node, out, 0};
    simulated_engine_visit(worker->engine, report_one, &report);
    return report.running;
}

struct ending {
    struct simulated_engine *engine;
    size_t running;
    size_t from, count; /* places of those that end, around the end of the list */
    size_t at, ended;
};

static void end_one(void *context, const struct simulated_execution *execution)
{
    struct ending *ending = context;
    if (!execution->running)
        return;
    if ((ending->at++ + ending->running - ending->from) % ending->running < ending->count)
        ending->ended +=
            simulated_engine_kill(ending->engine, execution->task_id, execution->run, 1);
}

size_t fleet_worker_end(struct fleet_worker *worker, size_t wanted, struct fleet_tally *tally)
{
    int64_t runs;
    size_t running = (size_t)simulated_engine_running(worker->engine, &runs);
    tally->running += running;
    tally->runs += runs;
    if (!wanted || !running)
        return 0;
    struct ending ending = {.engine = worker->engine,
                            .running = running,
                            .from = worker->next_end % running,
                            .count = wanted};
    worker->next_end = (ending.from + wanted) % running;
    simulated_engine_visit(worker->engine, end_one, &ending);
    return ending.ended;
}
