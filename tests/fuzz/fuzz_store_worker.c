#include "tests/fuzz/fuzz_store_worker.h"

#include "platform/base/mem.h"
#include "worker/runtime/simulated.h"
#include "worker/shell/shell.h"

static void rearm(void *context, int64_t mono_ms)
{
    (void)context;
    (void)mono_ms;
}

static void sample(void *context, metric_add_fn *add, void *to)
{
    (void)context;
    add(to, "load1", 1.0);
}

static void run(struct worker_shell *shell, struct simulated_engine *engine,
                struct memory_broker *broker)
{
    enum { TURNS = 5 };
    struct runtime_handler handler = worker_shell_runtime_handler(shell, RUNTIME_SIMULATED);
    struct runtime *runtime =
        simulated_runtime_new(engine, "n1", worker_shell_cluster(shell), &handler);
    struct memory_bus_config config = {.broker = broker,
                                       .root = "t",
                                       .client_id = "n1",
                                       .handler = worker_shell_bus_handler(shell)};
    struct bus *bus = memory_bus_new(&config);
    worker_shell_attach_runtime(shell, RUNTIME_SIMULATED, runtime);
    worker_shell_start(shell, bus);
    for (int i = 0; i < TURNS; i++) {
        memory_broker_settle(broker);
        simulated_engine_step(engine);
        worker_shell_on_timer(shell);
    }
    runtime->ops->close(runtime);
    memory_bus_kill(bus);
}

void fuzz_worker_run(struct store *store, struct memory_broker *broker, struct clock *clock)
{
    struct err err = {0};
    struct worker_shell *shell = NULL;
    struct simulated_engine *engine =
        simulated_engine_new(&(struct simulated_engine_config){.clock = clock});
    struct worker_shell_config config = {.root = "t",
                                         .node = "n1",
                                         .datacenter = "dc1",
                                         .capacity = {4000, 1LL << 30, 1LL << 30},
                                         .boot_id = "boot",
                                         .interval_ms = 10000,
                                         .seed = 1,
                                         .runtimes = {[RUNTIME_SIMULATED] = true},
                                         .store = store,
                                         .clock = clock,
                                         .rearm = rearm,
                                         .sample = sample};
    if (worker_shell_new(&config, &shell, &err))
        ASSERT(err.text[0]);
    else
        run(shell, engine, broker);
    worker_shell_free(shell);
    simulated_engine_free(engine);
}
