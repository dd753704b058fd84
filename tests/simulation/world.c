/* The loop: an event, then everything is looked after and checked. */
#include "tests/simulation/world.h"

#include "platform/base/mem.h"
#include "tests/simulation/allocations.h"
#include "tests/simulation/faults.h"
#include "tests/simulation/main_job.h"
#include "tests/simulation/oracle.h"
#include "tests/simulation/trials.h"
#include "tests/simulation/user.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum {
    STEP_MAX_MS = 6000,       /* between two deeds of user and fate */
    SAVE_MS = 10000,          /* the broker writes its database */
    LOOK_MS = 2000,           /* is everything settled? */
    STEADY_LOOKS = 10,        /* and stays so, where jobs could take each other's room in turns */
    EVENTS_A_MS_MAX = 100000, /* more is a loop without progress */
};

/* ---- what happened ---- */

void world_hash(struct world *world, const void *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) /* FNV-1a */
        world->hash = (world->hash ^ ((const unsigned char *)bytes)[i]) * 0x100000001b3ULL;
}

static __attribute__((format(printf, 2, 0))) void note_line(struct world *world, const char *format,
                                                            va_list args)
{
    char **line = &world->history[world->history_count++ % HISTORY_LINES];
    char text[300];
    int used = snprintf(text, sizeof(text), "%10.3f  ", (double)world->now_ms / 1000);
    vsnprintf(text + used, sizeof(text) - (size_t)used, format, args);
    free(*line);
    *line = mem_strdup(text);
    if (world->options.trace)
        fprintf(stderr, "%s\n", text);
}

void world_note(struct world *world, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    note_line(world, format, args);
    va_end(args);
}

void world_fail(struct world *world, const char *format, ...)
{
    va_list args;
    if (world->failure[0])
        return;
    va_start(args, format);
    vsnprintf(world->failure, sizeof(world->failure), format, args);
    va_end(args);
    world_note(world, "FAILED %s", world->failure);
}

void world_print_history(const struct world *world, FILE *to)
{
    uint64_t first =
        world->history_count > HISTORY_LINES ? world->history_count - HISTORY_LINES : 0;
    for (uint64_t i = first; i < world->history_count; i++)
        fprintf(to, "%s\n", world->history[i % HISTORY_LINES]);
}

/* ---- who watches the broker ---- */

static void on_publish(void *context, const char *client, const struct bus_publication *what)
{
    struct world *world = context;
    allocations_pause();
    oracle_on_publish(world->oracle, client, what);
    allocations_resume();
}

/* A will is the broker's word, and no sign of life. */
static bool says_offline(const struct bus_message *message)
{
    static const char offline[] = "\"state\":\"offline\"";
    return memmem(message->payload, message->length, offline, sizeof(offline) - 1);
}

static void on_route(void *context, const char *client, const struct bus_message *message)
{
    struct world *world = context;
    world_hash(world, message->topic, strlen(message->topic));
    world_hash(world, message->payload, message->length);
    if (!says_offline(message))
        oracle_on_route(world->oracle, client);
    if (world->options.trace)
        fprintf(stderr, "%10.3f    %s%s %.*s\n", (double)world->now_ms / 1000, message->topic,
                message->retained ? " (retained)" : "", (int)message->length,
                (const char *)message->payload);
}

static void on_will(void *context, const char *client)
{
    world_note(context, "the broker sends the will of %s", client);
}

/* ---- deeds ---- */

static void broker_saves(void *context, uint64_t id, void *load)
{
    struct world *world = context;
    (void)id;
    (void)load;
    if (broker_is_up(world->broker))
        broker_save(world->broker);
    heap_push(
        &world->heap,
        (struct event){.at_ms = world->now_ms + SAVE_MS, .run = broker_saves, .context = world});
}

static void post_step(struct world *world, uint64_t left);

static void become_quiet(struct world *world)
{
    world->quiet = true;
    *broker_vices(world->broker) = (struct broker_vices){.delay_max_ms = 20};
    broker_start(world->broker);
    processes_heal(world);
    world_note(world, "no more faults");
}

static void step(void *context, uint64_t left, void *load)
{
    struct world *world = context;
    (void)load;
    if (!left) {
        become_quiet(world);
        return;
    }
    if (prng_below(&world->plan, 2))
        user_act(world->user);
    else
        fault_inject(world);
    fault_inject_more(world);
    post_step(world, left - 1);
}

static void post_step(struct world *world, uint64_t left)
{
    int64_t delay_ms = (int64_t)prng_below(&world->plan, STEP_MAX_MS) + 1;
    heap_push(&world->heap,
              (struct event){
                  .at_ms = world->now_ms + delay_ms, .run = step, .context = world, .id = left});
}

/* ---- the loop ---- */

static void run_event(struct world *world, uint64_t *events_now)
{
    struct event event;
    if (!heap_pop(&world->heap, &event)) {
        world_fail(world, "nothing will ever happen again");
        return;
    }
    *events_now = event.at_ms == world->now_ms ? *events_now + 1 : 0;
    if (*events_now > EVENTS_A_MS_MAX)
        world_fail(world, "time stands still: events without end");
    world->now_ms = event.at_ms;
    world->events++;
    world_hash(world, &event.at_ms, sizeof(event.at_ms));
    event.run(event.context, event.id, event.load);
    processes_look_after(world);
    oracle_check(world->oracle);
}

static bool is_awake(const struct world *world, const struct process *process)
{
    return process->up && process->fuse.asleep_until_ms <= world->now_ms;
}

static bool all_are_awake(const struct world *world)
{
    bool awake = is_awake(world, &world->manager->process);
    for (int i = 0; i < world->options.nodes; i++)
        awake = awake && is_awake(world, &world->nodes[i].process);
    return awake;
}

/* Then, when no restart can be under way any more, comes the trial, if there is one, and all must
 * settle again. */
static bool is_told(struct world *world)
{
    if (world->options.trial && !world->trial_ms && world->settled_looks >= STEADY_LOOKS &&
        all_are_awake(world))
        trial_begin(world);
    return !world->options.trial || trial_is_over(world);
}

static bool settles(struct world *world, int64_t since_ms, int64_t *look_ms)
{
    char why[300];
    if (world->now_ms < *look_ms)
        return false;
    *look_ms = world->now_ms + LOOK_MS;
    if (oracle_is_settled(world->oracle, why, sizeof(why)))
        return ++world->settled_looks >=
                   (world->options.kinds == KINDS_CROWDED ? STEADY_LOOKS : 1) &&
               is_told(world);
    world->settled_looks = 0;
    if (world->now_ms - (world->trial_ms ? world->trial_ms : since_ms) > SETTLE_MAX_MS)
        world_fail(world, "not settled long after the last fault: %s", why);
    return false;
}

bool world_run(struct world *world)
{
    uint64_t events_now = 0;
    int64_t quiet_ms = 0, look_ms = 0;
    bool settled = false;
    if (world->options.main_job)
        main_job_start(world);
    else
        post_step(world, (uint64_t)world->options.steps);
    while (!settled && !world->failure[0]) {
        run_event(world, &events_now);
        if (world->quiet && !quiet_ms)
            quiet_ms = world->now_ms;
        settled = quiet_ms && !world->failure[0] && settles(world, quiet_ms, &look_ms);
    }
    return !world->failure[0];
}

/* ---- life ---- */

static void make_broker(struct world *world)
{
    struct broker_config config = {
        .heap = &world->heap,
        .now_ms = &world->now_ms,
        .root = "argosy/v1",
        .seed = prng_next(&world->life),
        .mqtt5 = world->options.mqtt5,
        .watch = {
            .context = world, .on_publish = on_publish, .on_route = on_route, .on_will = on_will}};
    world->broker = broker_new(&config);
    broker_vices(world->broker)->delay_max_ms = 20;
    broker_saves(world, 0, NULL);
}

void world_init(struct world *world, const struct options *options)
{
    memset(world, 0, sizeof(*world));
    world->options = *options;
    world->hash = 0xcbf29ce484222325ULL;
    prng_init(&world->life, options->seed);
    prng_init(&world->work, prng_next(&world->life));
    prng_init(&world->plan, prng_next(&world->life));
    prng_init(&world->more, options->seed ^ 0x6d6f7265ULL);
    world->oracle = oracle_new(world);
    make_broker(world);
    processes_init(world);
    world->user = user_new(world);
}

void world_release(struct world *world)
{
    user_free(world->user);
    if (world->intruder)
        sim_bus_kill(world->intruder);
    processes_release(world);
    broker_free(world->broker);
    heap_release(&world->heap);
    oracle_free(world->oracle);
    for (int i = 0; i < HISTORY_LINES; i++)
        free(world->history[i]);
}
