/* What may happen. Losses of one truth (a store, the broker's retained messages) are kept apart
 * until the other two have rebuilt it: more is not promised (CONTRACT, Principles, 4). */
#include "tests/simulation/faults.h"

#include "platform/base/mem.h"
#include "tests/simulation/oracle.h"
#include "tests/simulation/store.h"
#include "tests/simulation/user.h"
#include "worker/runtime/simulated.h"

#include <stdlib.h>
#include <string.h>

int64_t fault_up_to(struct world *world, int64_t limit)
{
    return (int64_t)prng_below(&world->fault, (uint64_t)limit) + 1;
}

struct node *fault_some_node(struct world *world)
{
    return &world->nodes[prng_below(&world->fault, (uint64_t)world->options.nodes)];
}

struct process *fault_some_process(struct world *world)
{
    bool manager = prng_below(&world->fault, 3) == 0;
    return manager ? &world->manager->process : &fault_some_node(world)->process;
}

const char *fault_some_connection(struct world *world)
{
    const struct process *process = fault_some_process(world);
    bool second = process->commands_id[0] && fault_up_to(world, 2) == 2;
    return second ? process->commands_id : process->client_id;
}

static const char *some_client(struct world *world)
{
    return prng_below(&world->fault, 6) == 0 ? "user" : fault_some_connection(world);
}

void fault_later(struct world *world, int64_t delay_ms,
                 void (*run)(void *context, uint64_t id, void *load), void *context)
{
    heap_push(&world->heap,
              (struct event){.at_ms = world->now_ms + delay_ms, .run = run, .context = context});
}

/* ---- losses ---- */

static bool is_whole(const struct process *process)
{
    return process->up && !process->fuse.blown && !sim_store_is_full(process->store) &&
           process->bus->ops->connected(process->bus) && !process->bus->ops->pending(process->bus);
}

bool fault_may_lose(struct world *world)
{
    const struct wish *wishes = user_wishes(world->user);
    bool fair = world->now_ms - world->lost_ms > LOSSES_APART_MS &&
                world->now_ms - world->old_words_ms > LOSSES_APART_MS &&
                oracle_deletions_are_over(world->oracle) && is_whole(&world->manager->process);
    for (int i = 0; i < world->options.nodes; i++)
        fair = fair && is_whole(&world->nodes[i].process);
    for (int i = 0; i < world->options.jobs; i++)
        fair = fair && !wishes[i].waiting && world->now_ms - wishes[i].changed_ms > 5000;
    if (fair)
        world->lost_ms = world->now_ms;
    return fair;
}

static void lose_store(struct world *world, struct process *process)
{
    if (!fault_may_lose(world))
        return;
    world_note(world, "fault: the store of %s is lost", process->name);
    process_kill(world, process, fault_up_to(world, 20000));
    sim_store_clear(process->store);
}

static void manager_store_lost(struct world *world)
{
    lose_store(world, &world->manager->process);
}

static void worker_store_lost(struct world *world)
{
    lose_store(world, &fault_some_node(world)->process);
}

/* ---- the broker ---- */

static void broker_comes_back(void *context, uint64_t id, void *load)
{
    (void)id;
    (void)load;
    broker_start(context);
}

static void crash(struct world *world, enum broker_loss loss, const char *how)
{
    int64_t down_ms = fault_up_to(world, 40000);
    if (!broker_is_up(world->broker) || (loss != BROKER_KEEPS_ALL && !fault_may_lose(world)))
        return;
    world_note(world, "fault: the broker crashes, %s, back in %lld ms", how, (long long)down_ms);
    broker_crash(world->broker, loss);
    fault_later(world, down_ms, broker_comes_back, world->broker);
}

static void broker_crash_keeping(struct world *world)
{
    crash(world, BROKER_KEEPS_ALL, "keeps all");
}

static void broker_rollback(struct world *world)
{
    crash(world, BROKER_ROLLS_BACK, "rolls back");
}

static void broker_empty(struct world *world)
{
    crash(world, BROKER_LOSES_ALL, "loses all");
}

static void session_lost(struct world *world)
{
    const char *client = some_client(world);
    world_note(world, "fault: the session of %s is lost", client);
    broker_lose_session(world->broker, client);
}

static void duplicates(struct world *world)
{
    broker_vices(world->broker)->repeat_per_mille = (unsigned)fault_up_to(world, 300);
}

static void delays(struct world *world)
{
    broker_vices(world->broker)->delay_max_ms = fault_up_to(world, 2000);
    world_note(world, "fault: packets take up to %lld ms",
               (long long)broker_vices(world->broker)->delay_max_ms);
}

/* Somebody has raised the limit, and started it again: everybody hears everything anew. */
static void queues_unlimited(void *context, uint64_t id, void *load)
{
    struct world *world = context;
    (void)id;
    (void)load;
    broker_vices(world->broker)->queue_limit = 0;
    if (!broker_is_up(world->broker))
        return;
    broker_crash(world->broker, BROKER_KEEPS_ALL);
    fault_later(world, 1000, broker_comes_back, world->broker);
}

static void queue_limit(struct world *world)
{
    broker_vices(world->broker)->queue_limit = (size_t)fault_up_to(world, 20) + 3;
    world_note(world, "fault: queues hold %zu messages", broker_vices(world->broker)->queue_limit);
    fault_later(world, fault_up_to(world, 20000), queues_unlimited, world);
}

/* ---- links ---- */

static void cut(struct world *world)
{
    const char *client = some_client(world);
    world_note(world, "fault: the connection of %s is cut", client);
    broker_cut(world->broker, client);
}

static void half_open(struct world *world)
{
    const char *client = some_client(world);
    int64_t client_ms = fault_up_to(world, 25000), broker_ms = fault_up_to(world, 20000);
    world_note(world, "fault: the link of %s is half open", client);
    broker_break(world->broker, client, client_ms, broker_ms);
}

static void partition_ends(void *context, uint64_t id, void *load)
{
    struct process *process = context;
    (void)id;
    (void)load;
    process->fuse.apart = false;
}

static void partition(struct world *world)
{
    struct process *process = fault_some_process(world);
    int64_t for_ms = fault_up_to(world, 180000);
    world_note(world, "fault: %s is partitioned for %lld ms", process->name, (long long)for_ms);
    process->fuse.apart = true;
    broker_break_all(world->broker, &process->fuse, fault_up_to(world, 25000),
                     fault_up_to(world, 20000));
    fault_later(world, for_ms, partition_ends, process);
}

/* ---- processes ---- */

static void kill_process(struct world *world, struct process *process, int64_t longest_ms)
{
    int64_t back_ms = fault_up_to(world, longest_ms);
    if (!process->up)
        return;
    world_note(world, "fault: %s is killed", process->name);
    process_kill(world, process, back_ms);
}

static void manager_kill(struct world *world)
{
    kill_process(world, &world->manager->process, 60000);
}

static void worker_kill(struct world *world)
{
    kill_process(world, &fault_some_node(world)->process, 120000);
}

/* Dies between two of its next operations: before or after a commit, between two publications. */
static void light(struct world *world, struct process *process)
{
    process->fuse.left = fault_up_to(world, 30);
    world_note(world, "fault: %s dies at its operation %lld from now", process->name,
               (long long)process->fuse.left);
}

static void manager_fuse(struct world *world)
{
    light(world, &world->manager->process);
}

static void worker_fuse(struct world *world)
{
    light(world, &fault_some_node(world)->process);
}

static void reboot(struct world *world)
{
    struct node *node = fault_some_node(world);
    struct machine *machine = &node->process.machine;
    int64_t back_ms = fault_up_to(world, 90000);
    world_note(world, "fault: %s is rebooted", node->process.name);
    process_kill(world, &node->process, back_ms);
    simulated_engine_reboot(node->engine);
    machine->boot_ms = world->now_ms;
    machine->boots++;
}

static void clock_jump(struct world *world)
{
    struct process *process = fault_some_process(world);
    process->machine.skew_ms = fault_up_to(world, 600000) - 300000;
    world_note(world, "fault: the clock of %s is off by %lld ms", process->name,
               (long long)process->machine.skew_ms);
}

static void store_has_space(void *context, uint64_t id, void *load)
{
    struct process *process = context;
    (void)id;
    (void)load;
    if (process->store) /* a manager may be gone for good meanwhile */
        sim_store_set_full(process->store, false);
}

static void store_full(struct world *world)
{
    struct process *process = fault_some_process(world);
    world_note(world, "fault: the disk of %s is full", process->name);
    sim_store_set_full(process->store, true);
    fault_later(world, fault_up_to(world, 40000), store_has_space, process);
}

/* ---- engines ---- */

static void slow_pulls(struct world *world)
{
    struct node *node = fault_some_node(world);
    int64_t start_ms = fault_up_to(world, 20000);
    simulated_engine_set_delays(node->engine, start_ms, fault_up_to(world, 2500));
    world_note(world, "fault: starts on %s take %lld ms", node->process.name, (long long)start_ms);
}

static void fail_starts(struct world *world)
{
    struct node *node = fault_some_node(world);
    world_note(world, "fault: starts on %s fail", node->process.name);
    simulated_engine_fail_starts(node->engine, (int)fault_up_to(world, 3));
}

static void engine_answers(void *context, uint64_t id, void *load)
{
    (void)id;
    (void)load;
    simulated_engine_set_up(((struct node *)context)->engine, true);
}

static void engine_down(struct world *world)
{
    struct node *node = fault_some_node(world);
    world_note(world, "fault: the engine of %s does not answer", node->process.name);
    simulated_engine_set_up(node->engine, false);
    fault_later(world, fault_up_to(world, 40000), engine_answers, node);
}

struct pick {
    uint64_t left;
    char task_id[100];
    int64_t run;
};

static void pick_one(void *context, const struct simulated_execution *execution)
{
    struct pick *pick = context;
    if (!execution->running || pick->left-- != 0)
        return;
    snprintf(pick->task_id, sizeof(pick->task_id), "%s", execution->task_id);
    pick->run = execution->run;
}

static bool pick_execution(struct world *world, struct node *node, struct pick *pick)
{
    *pick = (struct pick){.left = prng_below(&world->fault, 6)};
    simulated_engine_visit(node->engine, pick_one, pick);
    return pick->task_id[0];
}

static void exits(struct world *world)
{
    struct node *node = fault_some_node(world);
    struct pick pick;
    if (!pick_execution(world, node, &pick))
        return;
    world_note(world, "fault: %s dies on %s", pick.task_id, node->process.name);
    simulated_engine_kill(node->engine, pick.task_id, pick.run, 1);
}

static void forget(struct world *world)
{
    struct node *node = fault_some_node(world);
    struct pick pick;
    if (!pick_execution(world, node, &pick))
        return;
    world_note(world, "fault: the engine of %s forgets %s", node->process.name, pick.task_id);
    simulated_engine_forget(node->engine, pick.task_id, pick.run);
    oracle_on_forgotten(world->oracle, pick.task_id);
}

/* ---- the table ---- */

/* Not part of "all": a broker that drops silently is not one that we promise to survive
 * (broker-config sets the limit out of reach). */
enum { QUEUE_LIMIT = 6 };

/* More than there are: most steps have none, and a new one changes nothing for the others. */
enum { MORE_NUMBERS = 24 };

static const struct fault_row faults[] = {
    {"broker_crash", broker_crash_keeping},
    {"broker_rollback", broker_rollback},
    {"broker_empty", broker_empty},
    {"session_lost", session_lost},
    {"duplicates", duplicates},
    {"delays", delays},
    {"queue_limit", queue_limit},
    {"cut", cut},
    {"half_open", half_open},
    {"partition", partition},
    {"manager_kill", manager_kill},
    {"manager_fuse", manager_fuse},
    {"manager_store_lost", manager_store_lost},
    {"worker_kill", worker_kill},
    {"worker_fuse", worker_fuse},
    {"worker_store_lost", worker_store_lost},
    {"reboot", reboot},
    {"clock_jump", clock_jump},
    {"store_full", store_full},
    {"slow_pulls", slow_pulls},
    {"fail_starts", fail_starts},
    {"engine_down", engine_down},
    {"exits", exits},
    {"forget", forget},
    {"stale_words", fault_stale_words},
};

/* The rows of the one table, then those of the other. */
static const struct fault_row *row_of(size_t number)
{
    return number < ARRAY_LENGTH(faults) ? &faults[number]
                                         : &more_faults[number - ARRAY_LENGTH(faults)];
}

int fault_count(void)
{
    return (int)(ARRAY_LENGTH(faults) + more_fault_count);
}

const char *fault_name(int number)
{
    return row_of((size_t)number)->name;
}

/* Each fault has its own randomness: leaving one out does not change the others. */
static void inject(struct world *world, uint64_t number, uint64_t seed)
{
    prng_init(&world->fault, world->options.seed * 1000003 + seed);
    if (world->options.faults >> number & 1)
        row_of(number)->inject(world);
}

void fault_inject(struct world *world)
{
    uint64_t number = prng_below(&world->plan, ARRAY_LENGTH(faults));
    inject(world, number, prng_next(&world->plan));
}

void fault_inject_more(struct world *world)
{
    uint64_t number = prng_below(&world->more, MORE_NUMBERS);
    uint64_t seed = prng_next(&world->more);
    if (number < more_fault_count)
        inject(world, ARRAY_LENGTH(faults) + number, seed);
}

static bool word_to_faults(const char *word, size_t length, uint64_t *ret_faults)
{
    if (length == 3 && !strncmp(word, "all", length)) {
        *ret_faults = ((1ULL << fault_count()) - 1) & ~(1ULL << QUEUE_LIMIT);
        return true;
    }
    if (length == 4 && !strncmp(word, "none", length)) {
        *ret_faults = 0;
        return true;
    }
    for (int i = 0; i < fault_count(); i++)
        if (strlen(fault_name(i)) == length && !strncmp(word, fault_name(i), length)) {
            *ret_faults = 1ULL << i;
            return true;
        }
    return false;
}

bool faults_from_string(const char *text, uint64_t *ret_faults)
{
    uint64_t all = 0, some;
    for (const char *word = text; *word; word += *word == ',') {
        bool without = *word == '-';
        word += without;
        size_t length = strcspn(word, ",");
        if (!word_to_faults(word, length, &some))
            return false;
        all = without ? all & ~some : all | some;
        word += length;
    }
    *ret_faults = all;
    return true;
}
