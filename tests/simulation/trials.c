/* What the dice of faults seldom or never make: they lose one truth at a time, and everybody is
 * back in the end. Each row begins when all is settled and no command is under way, so it is known
 * exactly what must not happen: what runs is left alone (I11), what a dead node ran is placed
 * elsewhere (I12). */
#include "tests/simulation/trials.h"

#include "platform/base/mem.h"
#include "tests/simulation/crowd.h"
#include "tests/simulation/faults.h"
#include "tests/simulation/oracle.h"
#include "tests/simulation/store.h"
#include "tests/simulation/user.h"
#include "worker/runtime/simulated.h"

#include <stdlib.h>
#include <string.h>

enum {
    TRIAL_MS = 240 * 1000, /* more than lost_after and a manager's absence */
    MOVED_MS = 200 * 1000, /* by then a dead node's work runs elsewhere */
    AWAY_MS = 20 * 1000,   /* of a process, at most */
    SLOW_LINK_MS = 1000,
};

static struct node *subject(struct world *world)
{
    return &world->nodes[world->options.seed % (uint64_t)world->options.nodes];
}

static void lose_store(struct world *world, struct process *process)
{
    process_kill(world, process, fault_up_to(world, AWAY_MS));
    sim_store_clear(process->store);
}

static void broker_back(void *context, uint64_t id, void *load)
{
    (void)id;
    (void)load;
    broker_start(context);
}

static void lose_broker(struct world *world)
{
    broker_crash(world->broker, BROKER_LOSES_ALL);
    fault_later(world, fault_up_to(world, AWAY_MS), broker_back, world->broker);
}

/* ---- losses, one and two at once ---- */

static void worker_store(struct world *world)
{
    lose_store(world, &subject(world)->process);
}

static void manager_store(struct world *world)
{
    lose_store(world, &world->manager->process);
}

static void broker(struct world *world)
{
    lose_broker(world);
}

static void broker_and_manager_store(struct world *world)
{
    lose_broker(world);
    manager_store(world);
    oracle_unplaced_may_be_lost(world->oracle);
}

struct ended {
    char task_id[64];
    int64_t run;
};

static void find_ended(void *context, const struct simulated_execution *execution)
{
    struct ended *ended = context;
    if (!execution->ended)
        return;
    snprintf(ended->task_id, sizeof(ended->task_id), "%s", execution->task_id);
    ended->run = execution->run;
}

/* As an engine that is told to clean up: only documents know of what has ended. */
static void forget_what_ended(struct node *node)
{
    struct ended ended;
    do {
        ended = (struct ended){0};
        simulated_engine_visit(node->engine, find_ended, &ended);
    } while (ended.task_id[0] && simulated_engine_forget(node->engine, ended.task_id, ended.run));
}

static void broker_and_worker_store(struct world *world)
{
    lose_broker(world);
    forget_what_ended(subject(world));
    worker_store(world);
    oracle_on_unsaid(world->oracle, subject(world)->process.name);
}

static void everybody_restarts(struct world *world)
{
    process_kill(world, &world->manager->process, fault_up_to(world, AWAY_MS));
    for (int i = 0; i < world->options.nodes; i++)
        process_kill(world, &world->nodes[i].process, fault_up_to(world, AWAY_MS));
}

static void delete_all(void *context, uint64_t id, void *load)
{
    struct world *world = context;
    (void)id;
    (void)load;
    for (int job = 0; job < world->options.jobs; job++)
        user_do(world->user, job, "delete");
}

/* Only the execution itself tells that something of the deleted job is there. */
static void deleted_while_its_node_forgets(struct world *world)
{
    lose_broker(world);
    worker_store(world);
    oracle_on_unsaid(world->oracle, subject(world)->process.name);
    subject(world)->process.start_ms = world->now_ms + 3LL * AWAY_MS;
    delete_all(world, 0, NULL);
}

/* Nobody but the engine knows any more what it runs. */
static void node_is_deleted_while_it_forgets(struct world *world)
{
    worker_store(world);
    oracle_on_unsaid(world->oracle, subject(world)->process.name);
    subject(world)->process.start_ms = world->now_ms + 3LL * AWAY_MS;
    user_delete_node(world->user, (int)(subject(world) - world->nodes));
}

/* ---- somebody else writes ---- */

struct forgery {
    char prefix[80];
    char topic[80];
    char payload[4000];
};

static void forge(void *context, const char *topic, const void *payload, size_t length)
{
    enum { AHEAD = 100 * 1000 };
    struct forgery *forgery = context;
    const char *seq = memmem(payload, length, "\"seq\":", 6);
    if (forgery->topic[0] || strncmp(topic, forgery->prefix, strlen(forgery->prefix)) != 0 || !seq)
        return;
    char *rest;
    long long ahead = strtoll(seq + 6, &rest, 10) + AHEAD;
    snprintf(forgery->topic, sizeof(forgery->topic), "%s", topic);
    snprintf(forgery->payload, sizeof(forgery->payload), "%.*s\"seq\":%lld%.*s",
             (int)(seq - (const char *)payload), (const char *)payload, ahead,
             (int)(length - (size_t)(rest - (const char *)payload)), rest);
}

/* A document of its own with a number above all that it wrote: what it says next is heard. */
static void anothers_word_on_its_topic(struct world *world)
{
    enum { HEARD_MS = 10 * 1000 };
    struct forgery forgery = {0};
    snprintf(forgery.prefix, sizeof(forgery.prefix), "nodes/%s/state/",
             subject(world)->process.name);
    broker_visit_retained(world->broker, forge, &forgery);
    if (forgery.topic[0])
        broker_inject(world->broker, forgery.topic, forgery.payload, strlen(forgery.payload), true);
    fault_later(world, HEARD_MS, delete_all, world);
}

/* ---- who stands still, who is dead ---- */

/* When it goes on, its timers are late, and only after that it sees that its connection is gone. */
static void manager_stands_still(void *context, uint64_t id, void *load)
{
    enum { STILL_MS = 15500, SEEN_MS = STILL_MS + 500 };
    struct world *world = context;
    (void)id;
    (void)load;
    process_sleep(world, &world->manager->process, STILL_MS);
    broker_break_all(world->broker, &world->manager->process.fuse, SEEN_MS, SEEN_MS);
}

/* The worker is back before lost_after has passed, which passes before the manager can hear it. */
static void manager_stands_still_when_its_node_comes_back(struct world *world)
{
    enum { BACK_MS = 70500 }; /* given up between 75 s and 80 s, heard after 86 s */
    broker_vices(world->broker)->delay_max_ms = 20;
    process_kill(world, &subject(world)->process, BACK_MS);
    fault_later(world, BACK_MS, manager_stands_still, world);
}

static bool has_room_without(const struct world *world)
{
    const struct wish *wishes = user_wishes(world->user);
    int64_t room = crowd_node_cpu_millis(world) / TASK_CPU_MILLIS * (world->options.nodes - 1);
    for (int job = 0; job < world->options.jobs; job++)
        if (wishes[job].exists && !wishes[job].stopped && !wishes[job].kind->ends)
            room -= wishes[job].count;
    return room >= 0;
}

static void check_moved(void *context, uint64_t id, void *load)
{
    struct world *world = context;
    (void)id;
    (void)load;
    if (has_room_without(world))
        oracle_check_moved(world->oracle);
}

/* Its machine is off. The manager knows it only from its store and the broker. */
static void node_dies_while_the_manager_is_away(struct world *world)
{
    struct node *node = subject(world);
    process_kill(world, &world->manager->process, fault_up_to(world, AWAY_MS));
    process_kill(world, &node->process, TRIAL_MS);
    simulated_engine_reboot(node->engine);
    node->process.machine.boot_ms = world->now_ms;
    node->process.machine.boots++;
    fault_later(world, MOVED_MS, check_moved, world);
}

/* ---- the table ---- */

static const struct trial {
    const char *name;
    void (*begin)(struct world *world);
    bool disturbs; /* something is to start or to end */
} trials[] = {
    {"worker_store", worker_store, false},
    {"manager_store", manager_store, false},
    {"broker", broker, false},
    {"broker_and_manager_store", broker_and_manager_store, false},
    {"broker_and_worker_store", broker_and_worker_store, false},
    {"everybody_restarts", everybody_restarts, false},
    {"deleted_while_its_node_forgets", deleted_while_its_node_forgets, true},
    {"node_is_deleted_while_it_forgets", node_is_deleted_while_it_forgets, true},
    {"anothers_word_on_its_topic", anothers_word_on_its_topic, true},
    {"manager_stands_still_when_its_node_comes_back", manager_stands_still_when_its_node_comes_back,
     false},
    {"node_dies_while_the_manager_is_away", node_dies_while_the_manager_is_away, true},
};

int trial_count(void)
{
    return (int)ARRAY_LENGTH(trials);
}

const char *trial_name(int number)
{
    return trials[number - 1].name;
}

int trial_from_string(const char *name)
{
    for (int number = 1; number <= trial_count(); number++)
        if (!strcmp(trial_name(number), name))
            return number;
    return -1;
}

void trial_begin(struct world *world)
{
    const struct trial *trial = &trials[world->options.trial - 1];
    world_note(world, "trial: %s", trial->name);
    world->trial_ms = world->now_ms;
    prng_init(&world->fault, world->options.seed);
    broker_vices(world->broker)->delay_max_ms = fault_up_to(world, SLOW_LINK_MS);
    if (!trial->disturbs)
        oracle_expect_calm(world->oracle);
    trial->begin(world);
}

bool trial_is_over(const struct world *world)
{
    return world->trial_ms && world->now_ms - world->trial_ms >= TRIAL_MS;
}
