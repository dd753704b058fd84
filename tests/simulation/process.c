/* The processes: made from the shipped shells as the binaries' mains make them, killed without a
 * word, started again on what their stores and engines still hold. */
#include "manager/shell/shell.h"
#include "tests/simulation/allocations.h"
#include "tests/simulation/countdown.h"
#include "tests/simulation/crowd.h"
#include "tests/simulation/runtime.h"
#include "tests/simulation/store.h"
#include "tests/simulation/world.h"
#include "worker/runtime/simulated.h"
#include "worker/shell/shell.h"

#include <string.h>

enum { CLUSTER_WALL_MS = 1700000000, BACK_SOON_MS = 1000 };

/* ---- clocks ---- */

static struct now machine_now(struct clock *clock)
{
    const struct machine *machine = (const struct machine *)clock;
    int64_t world_ms = machine->world->now_ms;
    return (struct now){.wall_ms = CLUSTER_WALL_MS * 1000LL + world_ms + machine->skew_ms,
                        .mono_ms = world_ms - machine->boot_ms};
}

void machine_init(struct machine *machine, struct world *world)
{
    machine->clock.now = machine_now;
    machine->world = world;
    machine->boot_ms = -10000;
}

/* ---- timers ---- */

static bool is_manager(const struct process *process)
{
    const struct world *world = process->machine.world;
    return process == &world->managers[0].process || process == &world->managers[1].process;
}

static void rearm(void *context, int64_t mono_ms);

static void timer_fired(void *context, uint64_t id, void *load)
{
    struct process *process = context;
    struct world *world = process->machine.world;
    (void)load;
    if (!process->up || process->life != id || process->timer_ms != world->now_ms)
        return;
    process->timer_ms = 0;
    if (process->fuse.asleep_until_ms > world->now_ms)
        rearm(process, process->fuse.asleep_until_ms - process->machine.boot_ms);
    else if (is_manager(process))
        manager_shell_on_timer(((struct manager_process *)process)->shell);
    else
        worker_shell_on_timer(((struct node *)process)->shell);
}

/* A deadline that has passed is met in a millisecond: time goes on while a process works. */
static void rearm(void *context, int64_t mono_ms)
{
    struct process *process = context;
    struct world *world = process->machine.world;
    if (mono_ms == INT64_MAX) {
        process->timer_ms = 0;
        return;
    }
    int64_t at_ms = mono_ms + process->machine.boot_ms;
    at_ms = at_ms > world->now_ms ? at_ms : world->now_ms + 1;
    if (at_ms == process->timer_ms)
        return;
    process->timer_ms = at_ms;
    heap_push(&world->heap,
              (struct event){
                  .at_ms = at_ms, .run = timer_fired, .context = process, .id = process->life});
}

/* ---- a store that is written in the background ---- */

static void store_written(void *context, uint64_t id, void *load)
{
    struct process *process = context;
    struct world *world = process->machine.world;
    (void)load;
    if (!process->up || process->life != id)
        return;
    if (process->fuse.asleep_until_ms <= world->now_ms)
        process->store->ops->settle(process->store);
    else
        heap_push(&world->heap, (struct event){.at_ms = process->fuse.asleep_until_ms,
                                               .run = store_written,
                                               .context = process,
                                               .id = id});
}

static void store_delayed(void *context, int64_t slow_ms)
{
    enum { SYNC_MS = 30 };
    struct process *process = context;
    struct world *world = process->machine.world;
    int64_t takes_ms = slow_ms + (int64_t)prng_below(&world->life, SYNC_MS);
    heap_push(&world->heap, (struct event){.at_ms = world->now_ms + takes_ms,
                                           .run = store_written,
                                           .context = process,
                                           .id = process->life});
}

/* ---- the engine ---- */

static void engine_step(void *context, uint64_t id, void *load)
{
    struct node *node = context;
    (void)load;
    if (node->engine_event != id)
        return;
    int64_t until_ms = node->process.fuse.asleep_until_ms;
    if (until_ms > node->engine_machine.world->now_ms) {
        engine_deadline(node, until_ms - node->engine_machine.boot_ms);
        return;
    }
    node->engine_changed = true;
    simulated_engine_step(node->engine);
}

void engine_deadline(void *context, int64_t mono_ms)
{
    struct node *node = context;
    struct world *world = node->process.machine.world;
    node->engine_changed = true;
    node->engine_event++;
    if (mono_ms == INT64_MAX)
        return;
    int64_t at_ms = mono_ms + node->engine_machine.boot_ms;
    heap_push(&world->heap, (struct event){.at_ms = at_ms > world->now_ms ? at_ms : world->now_ms,
                                           .run = engine_step,
                                           .context = node,
                                           .id = node->engine_event});
}

/* ---- starting ---- */

static struct bus *make_bus(struct process *process, const char *client_id,
                            struct bus_handler handler, bool persistent)
{
    struct sim_bus_config config = {.broker = process->machine.world->broker,
                                    .client_id = client_id,
                                    .persistent = persistent,
                                    .fuse = &process->fuse,
                                    .handler = handler};
    return sim_bus_new(&config);
}

static bool manager_start(struct world *world, struct manager_process *manager, struct err *err)
{
    struct process *process = &manager->process;
    struct manager_shell_config config = {.root = "argosy/v1",
                                          .store = process->store,
                                          .clock = &process->machine.clock,
                                          .seed = prng_next(&world->life),
                                          .grace_ms = GRACE_MS,
                                          .keepalive_ms = KEEPALIVE_MS,
                                          .backlog = BACKLOG,
                                          .read_at_once = READ_AT_ONCE,
                                          .preemption = crowd_preemption(world),
                                          .context = process,
                                          .rearm = rearm};
    if (manager_shell_new(&config, &manager->shell, err))
        return false;
    snprintf(process->client_id, sizeof(process->client_id), "argosy-manager-%s",
             manager_shell_id(manager->shell));
    snprintf(process->commands_id, sizeof(process->commands_id), "%s",
             manager_shell_commands_id(manager->shell));
    process->bus =
        make_bus(process, process->client_id, manager_shell_bus_handler(manager->shell), false);
    sim_store_delay(process->store, store_delayed, process);
    manager_shell_start(manager->shell, process->bus,
                        make_bus(process, process->commands_id,
                                 manager_shell_commands_handler(manager->shell), true));
    return true;
}

static void sample(void *context, metric_add_fn *add, void *to)
{
    (void)context;
    add(to, "load1", 1.0);
}

static bool node_start(struct world *world, struct node *node, struct err *err)
{
    struct process *process = &node->process;
    char boot_id[32], zone[16];
    struct string_pair label = {"zone", zone};
    snprintf(zone, sizeof(zone), "z%d", crowd_zone((int)(node - world->nodes)));
    snprintf(boot_id, sizeof(boot_id), "boot-%d", process->machine.boots);
    struct worker_shell_config config = {
        .root = "argosy/v1",
        .node = process->name,
        .datacenter = "dc1",
        .labels = {&label, 1},
        .capacity = {crowd_node_cpu_millis(world), 16LL << 30, 100LL << 30},
        .boot_id = boot_id,
        .interval_ms = HEARTBEAT_MS,
        .seed = prng_next(&world->life),
        .runtimes = {[RUNTIME_SIMULATED] = true},
        .store = process->store,
        .clock = &process->machine.clock,
        .context = process,
        .rearm = rearm,
        .sample = sample};
    if (worker_shell_new(&config, &node->shell, err))
        return false;
    struct runtime_handler handler = worker_shell_runtime_handler(node->shell, RUNTIME_SIMULATED);
    node->runtime =
        sim_runtime_new(simulated_runtime_new(node->engine, process->name,
                                              worker_shell_cluster(node->shell), &handler),
                        &process->fuse);
    worker_shell_attach_runtime(node->shell, RUNTIME_SIMULATED, node->runtime);
    process->bus =
        make_bus(process, process->client_id, worker_shell_bus_handler(node->shell), false);
    worker_shell_start(node->shell, process->bus);
    return true;
}

static void process_start(struct world *world, struct process *process)
{
    struct err err = {0};
    int64_t failed = allocations_failed();
    process->up = true;
    process->life++;
    process->start_ms = process->timer_ms = 0;
    process->fuse.blown = false;
    world_note(world, "%s starts", process->name);
    if (is_manager(process) ? manager_start(world, (struct manager_process *)process, &err)
                            : node_start(world, (struct node *)process, &err))
        return;
    process->up = false;
    process->start_ms = world->now_ms + BACK_SOON_MS;
    if (allocations_failed() == failed)
        world_fail(world, "%s does not start: %s", process->name, err.text);
}

/* ---- ending ---- */

void process_kill(struct world *world, struct process *process, int64_t back_in_ms)
{
    process->start_ms = world->now_ms + back_in_ms;
    if (!process->up)
        return;
    process->up = false;
    process->fuse.left = 0;
    process->fuse.blown = true;
    process->fuse.asleep_until_ms = 0;
    if (is_manager(process)) {
        manager_shell_free(((struct manager_process *)process)->shell);
    } else {
        struct node *node = (struct node *)process;
        node->runtime->ops->close(node->runtime);
        worker_shell_free(node->shell);
    }
    sim_bus_kill(process->bus);
    world_note(world, "%s is dead, back in %lld ms", process->name, (long long)back_in_ms);
}

void process_sleep(struct world *world, struct process *process, int64_t for_ms)
{
    process->fuse.asleep_until_ms = world->now_ms + for_ms;
}

static void look_after(struct world *world, struct process *process)
{
    if (process->up && process->fuse.blown)
        process_kill(world, process, (int64_t)prng_below(&world->life, 8000));
    if (!process->up && world->now_ms >= process->start_ms && !world->failure[0])
        process_start(world, process);
}

void processes_look_after(struct world *world)
{
    look_after(world, &world->manager->process);
    if (world->rival)
        look_after(world, &world->rival->process);
    for (int i = 0; i < world->options.nodes; i++)
        look_after(world, &world->nodes[i].process);
}

static void heal(struct world *world, struct process *process)
{
    process->fuse.left = 0;
    sim_store_set_full(process->store, false);
    sim_store_set_slow(process->store, 0);
    process->fuse.apart = false;
    if (!process->up && process->start_ms > world->now_ms + BACK_SOON_MS)
        process->start_ms = world->now_ms + BACK_SOON_MS;
}

void processes_heal(struct world *world)
{
    heal(world, &world->manager->process);
    if (world->rival)
        heal(world, &world->rival->process);
    for (int i = 0; i < world->options.nodes; i++) {
        struct node *node = &world->nodes[i];
        heal(world, &node->process);
        simulated_engine_set_up(node->engine, true);
        simulated_engine_fail_starts(node->engine, 0);
        simulated_engine_set_delays(node->engine, 100, 300);
    }
}

/* ---- all of them ---- */

static void process_init(struct world *world, struct process *process, const char *name)
{
    machine_init(&process->machine, world);
    process->store = sim_store_new(&process->fuse, &world->now_ms);
    snprintf(process->name, sizeof(process->name), "%s", name);
    snprintf(process->client_id, sizeof(process->client_id), "%s", name);
}

static void node_init(struct world *world, struct node *node, int number)
{
    char name[16];
    snprintf(name, sizeof(name), "n%d", number);
    process_init(world, &node->process, name);
    machine_init(&node->engine_machine, world);
    struct simulated_engine_config config = {.clock = &node->engine_machine.clock,
                                             .start_ms = 100,
                                             .stop_ms = 300,
                                             .on_deadline = engine_deadline,
                                             .context = node};
    node->engine = simulated_engine_new(&config);
}

void processes_init(struct world *world)
{
    world->manager = &world->managers[0];
    process_init(world, &world->manager->process, "manager");
    for (int i = 0; i < world->options.nodes; i++)
        node_init(world, &world->nodes[i], i + 1);
    countdown_arm(world);
    processes_look_after(world);
}

static void process_release(struct world *world, struct process *process)
{
    process_kill(world, process, 0);
    process->store->ops->close(process->store);
    process->store = NULL;
}

void processes_release(struct world *world)
{
    process_release(world, &world->manager->process);
    if (world->rival)
        process_release(world, &world->rival->process);
    for (int i = 0; i < world->options.nodes; i++) {
        process_release(world, &world->nodes[i].process);
        simulated_engine_free(world->nodes[i].engine);
    }
}

/* ---- two managers ---- */

void manager_add_rival(struct world *world)
{
    struct manager_process *rival =
        world->manager == &world->managers[0] ? &world->managers[1] : &world->managers[0];
    uint64_t life = rival->process.life; /* what is under way is of earlier ones */
    memset(rival, 0, sizeof(*rival));
    rival->process.life = life;
    process_init(world, &rival->process, rival == &world->managers[0] ? "manager" : "manager2");
    world->rival = rival;
}

void manager_retire(struct world *world, struct manager_process *gone)
{
    if (gone == world->manager)
        world->manager = world->rival;
    world->rival = NULL;
    process_release(world, &gone->process);
}

struct process *world_process(struct world *world, const char *client_id)
{
    struct node *node = world_node(world, client_id);
    if (node)
        return &node->process;
    if (!strcmp(client_id, world->manager->process.client_id))
        return &world->manager->process;
    bool of_rival = world->rival && !strcmp(client_id, world->rival->process.client_id);
    return of_rival ? &world->rival->process : NULL;
}

struct node *world_node(struct world *world, const char *client_id)
{
    for (int i = 0; i < world->options.nodes; i++)
        if (!strcmp(world->nodes[i].process.client_id, client_id))
            return &world->nodes[i];
    return NULL;
}
