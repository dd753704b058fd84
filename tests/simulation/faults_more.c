/* What may happen too. These came later and have a seed of their own: where they are switched off,
 * seeds are what they were. */
#include "manager/core/manager.h"
#include "manager/shell/shell.h"
#include "platform/base/mem.h"
#include "tests/simulation/faults.h"
#include "tests/simulation/oracle.h"
#include "tests/simulation/store.h"
#include "tests/simulation/user.h"

#include <stdlib.h>
#include <string.h>

/* ---- standing still ---- */

/* The broker notices who says nothing; who wakes up finds its connection gone. */
static void sleep_for(struct world *world, struct process *process, int64_t for_ms)
{
    int64_t patience_ms = KEEPALIVE_MS * 3 / 2;
    process_sleep(world, process, for_ms);
    if (for_ms > patience_ms)
        broker_break_all(world->broker, &process->fuse, for_ms,
                         patience_ms + fault_up_to(world, 5000));
}

/* A machine: its clocks count the time in which it slept. */
static void suspend(struct world *world)
{
    struct node *node = fault_some_node(world);
    int64_t for_ms = fault_up_to(world, fault_up_to(world, 2) == 1 ? 10000 : 150000);
    if (!node->process.up)
        return;
    world_note(world, "fault: %s is suspended for %lld ms", node->process.name, (long long)for_ms);
    sleep_for(world, &node->process, for_ms);
}

static void manager_stop(struct world *world)
{
    struct process *process = &world->manager->process;
    int64_t for_ms = fault_up_to(world, 60000);
    if (!process->up)
        return;
    world_note(world, "fault: the manager is stopped for %lld ms", (long long)for_ms);
    sleep_for(world, process, for_ms);
}

static void store_is_fast(void *context, uint64_t id, void *load)
{
    struct process *process = context;
    (void)id;
    (void)load;
    if (process->store)
        sim_store_set_slow(process->store, 0);
}

static void store_slow(struct world *world)
{
    struct process *process = fault_some_process(world);
    int64_t commit_ms = fault_up_to(world, 4000);
    world_note(world, "fault: a commit of %s takes %lld ms", process->name, (long long)commit_ms);
    sim_store_set_slow(process->store, commit_ms);
    fault_later(world, fault_up_to(world, 30000), store_is_fast, process);
}

/* ---- the broker ---- */

static void subscriptions_granted(void *context, uint64_t id, void *load)
{
    struct world *world = context;
    (void)id;
    (void)load;
    broker_vices(world->broker)->refuses = false;
}

/* As a clustered one in an election. Who is connected has its subscriptions, so somebody connects
 * anew. */
static void refusals(struct world *world)
{
    const char *client = fault_some_connection(world);
    world_note(world, "fault: subscriptions are refused, and %s has to subscribe", client);
    broker_vices(world->broker)->refuses = true;
    broker_cut(world->broker, client);
    fault_later(world, fault_up_to(world, 20000), subscriptions_granted, world);
}

static void ignore(void *context)
{
    (void)context;
}

static void ignore_words(void *context, const char *why)
{
    (void)context;
    (void)why;
}

static void ignore_message(void *context, const struct bus_message *message)
{
    (void)context;
    (void)message;
}

static void intruder_leaves(void *context, uint64_t id, void *load)
{
    struct world *world = context;
    (void)id;
    (void)load;
    sim_bus_kill(world->intruder);
    world->intruder = NULL;
}

/* Somebody connects with another's client id, again and again: each throws the other out. */
static void takeover(struct world *world)
{
    static struct fuse fuse;
    struct sim_bus_config config = {.broker = world->broker,
                                    .client_id = fault_some_connection(world),
                                    .fuse = &fuse,
                                    .handler = {.on_connected = ignore,
                                                .on_disconnected = ignore_words,
                                                .on_message = ignore_message,
                                                .on_batch_end = ignore}};
    if (world->intruder)
        return;
    world_note(world, "fault: somebody takes over the session of %s", config.client_id);
    fuse = (struct fuse){0};
    world->intruder = sim_bus_new(&config);
    world->intruder->ops->start(world->intruder);
    fault_later(world, fault_up_to(world, 30000), intruder_leaves, world);
}

/* ---- two managers ---- */

static bool rival_leads(const struct world *world)
{
    size_t length;
    const char *id = strrchr(world->rival->process.client_id, '-');
    const char *said = broker_retained(world->broker, "manager/status", &length);
    return id && said && strstr(said, id + 1) && strstr(said, "\"leading\"");
}

/* As a person would see in its log. */
static bool is_superseded(const struct manager_process *manager)
{
    return manager->process.up &&
           manager_phase(manager_shell_core(manager->shell)) == PHASE_SUPERSEDED;
}

/* NULL: each may think still that it leads. The older one wins where it was started again late
 * enough to hear the second one. */
static struct manager_process *who_no_longer_leads(const struct world *world)
{
    if (is_superseded(world->rival))
        return world->rival;
    return rival_leads(world) ? world->manager : NULL;
}

/* The other one may have led again just before it went: who has heard that decides nothing more
 * until it is started again. */
static void look_after_survivor(void *context, uint64_t id, void *load)
{
    struct world *world = context;
    (void)id;
    (void)load;
    if (is_superseded(world->manager))
        process_kill(world, &world->manager->process, 1000);
}

enum { LOOK_AGAIN_MS = 10000, AWAKE_MS = 1000 };

/* Both have the client id of the commands: who no longer leads lets go of it by itself. */
static bool holds_commands(const struct world *world, const struct manager_process *manager)
{
    const struct process *process = &manager->process;
    return is_superseded(manager) && process->fuse.asleep_until_ms + AWAKE_MS < world->now_ms &&
           sim_bus_exists(world->broker, &process->fuse, process->commands_id);
}

static void leave(void *context, uint64_t id, void *load)
{
    struct manager_process *gone = context;
    struct world *world = gone->process.machine.world;
    (void)id;
    (void)load;
    if (holds_commands(world, gone))
        world_fail(world, "%s no longer leads and hears commands still", gone->process.name);
    world_note(world, "%s is gone for good", gone->process.name);
    manager_retire(world, gone);
    fault_later(world, LOOK_AGAIN_MS, look_after_survivor, world);
}

static void retire(void *context, uint64_t id, void *load)
{
    struct world *world = context;
    struct manager_process *gone = who_no_longer_leads(world);
    (void)id;
    (void)load;
    world->user_rests_until_ms = world->now_ms + LOOK_AGAIN_MS;
    if (gone)
        fault_later(world, AWAKE_MS, leave, gone);
    else
        fault_later(world, LOOK_AGAIN_MS, retire, world);
}

/* One is stopped, and a second one set up in its place, on an empty store; then the first goes on,
 * with what it thinks that is true, until it hears that it no longer leads. Users wait meanwhile:
 * what only the first has heard, only the first can keep. */
static void two_managers(struct world *world)
{
    int64_t for_ms = 20000 + fault_up_to(world, 60000), both_ms = fault_up_to(world, 60000);
    if (world->rival || !fault_may_lose(world))
        return;
    world_note(world, "fault: the manager is stopped for %lld ms, and another one starts",
               (long long)for_ms);
    world->user_rests_until_ms = world->lost_ms = world->now_ms + for_ms + both_ms;
    sleep_for(world, &world->manager->process, for_ms);
    manager_add_rival(world);
    fault_later(world, for_ms + both_ms, retire, world);
}

/* ---- old words ---- */

struct parrot {
    uint64_t left;
    int64_t since_ms;
    char *topic, *payload;
    size_t length;
};

static void pick_document(void *context, const char *topic, const void *payload, size_t length)
{
    struct parrot *parrot = context;
    bool managers = strstr(topic, "/assign/") || strstr(topic, "/spec");
    if (!managers || parrot->topic || parrot->left--)
        return;
    parrot->topic = mem_strdup(topic);
    parrot->payload = mem_alloc(length + 1);
    memcpy(parrot->payload, payload, length);
    parrot->length = length;
}

static void parrot_free(void *load)
{
    struct parrot *parrot = load;
    free(parrot->topic);
    free(parrot->payload);
    free(parrot);
}

static void speak_again(void *context, uint64_t id, void *load)
{
    struct world *world = context;
    struct parrot *parrot = load;
    (void)id;
    /* Of a job that was deleted meanwhile only its tombstone knows. Where that was lost too, with a
     * store or by a manager that begins on an empty one, nobody can tell old words from the truth.
     * Nor can a node that was deleted, before its manager has asked it. */
    bool can_be_known = world->lost_ms < parrot->since_ms &&
                        !oracle_was_deleted(world->oracle, parrot->topic, parrot->since_ms);
    if (can_be_known && !world->quiet) {
        world_note(world, "fault: an old %s is said again", parrot->topic);
        world->old_words_ms = world->now_ms;
        broker_inject(world->broker, parrot->topic, parrot->payload, parrot->length, true);
    }
    parrot_free(parrot);
}

/* What a manager said a while ago is said again, retained: a delayed leader, a restored backup. */
void fault_stale_words(struct world *world)
{
    struct parrot *parrot = mem_alloc(sizeof(*parrot));
    parrot->left = prng_below(&world->fault, 6);
    parrot->since_ms = world->now_ms;
    broker_visit_retained(world->broker, pick_document, parrot);
    if (!parrot->topic) {
        parrot_free(parrot);
        return;
    }
    heap_push(&world->heap, (struct event){.at_ms = world->now_ms + fault_up_to(world, 60000),
                                           .run = speak_again,
                                           .release = parrot_free,
                                           .context = world,
                                           .load = parrot});
}

/* ---- people ---- */

static void node_commands(struct world *world)
{
    user_act_on_node(world->user, &world->fault);
}

/* Of a node that lives on, and of one that is away: its worker is dead, what it started runs. */
static void node_delete(struct world *world)
{
    struct node *node = fault_some_node(world);
    int64_t away_ms = fault_up_to(world, 2) == 1 ? fault_up_to(world, 180000) : 0;
    if (user_delete_node(world->user, (int)(node - world->nodes)) && away_ms && node->process.up)
        process_kill(world, &node->process, away_ms);
}

/* A worker that comes back without its store, and so late that its jobs were deleted, or placed
 * elsewhere, meanwhile: of what it started only the containers' labels tell. */
static void worker_emptied_away(struct world *world)
{
    struct process *process = &fault_some_node(world)->process;
    int64_t away_ms = fault_up_to(world, 240000);
    if (!fault_may_lose(world))
        return;
    world_note(world, "fault: %s comes back without its store", process->name);
    world->lost_ms += away_ms; /* only then it hears what the others know */
    process_kill(world, process, away_ms);
    sim_store_clear(process->store);
}

/* ---- the table ---- */

const struct fault_row more_faults[] = {
    {"suspend", suspend},
    {"manager_stop", manager_stop},
    {"store_slow", store_slow},
    {"refusals", refusals},
    {"takeover", takeover},
    {"two_managers", two_managers},
    {"node_commands", node_commands},
    {"node_delete", node_delete},
    {"worker_emptied_away", worker_emptied_away},
};
const size_t more_fault_count = ARRAY_LENGTH(more_faults);
