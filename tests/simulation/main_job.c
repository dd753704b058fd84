#include "tests/simulation/main_job.h"

#include "platform/base/mem.h"
#include "tests/simulation/oracle.h"
#include "tests/simulation/user.h"

enum { LOOK_AGAIN_MS = 1000, SERVICE = 0, BATCH = 2, AWAY_MS = 3000 };

static const struct step {
    const char *verb; /* NULL: somebody is killed */
    int subject;      /* a job; who is killed: 0 the manager, else a node */
} steps[] = {
    {"set", SERVICE},    {"set", BATCH},    {"scale", SERVICE},   {"set", SERVICE},
    {NULL, 0},           {NULL, 1},         {"restart", SERVICE}, {"stop", SERVICE},
    {"delete", SERVICE}, {"delete", BATCH},
};

static void take(struct world *world, const struct step *step)
{
    world->step_ms = world->now_ms;
    if (step->verb)
        user_do(world->user, step->subject, step->verb);
    else
        process_kill(world,
                     step->subject ? &world->nodes[step->subject - 1].process
                                   : &world->manager->process,
                     AWAY_MS);
}

/* Settled, and everybody has been back for a while. */
static bool is_done(struct world *world, char *ret_why, size_t size)
{
    snprintf(ret_why, size, "the step has just begun");
    return world->now_ms - world->step_ms > 2LL * AWAY_MS &&
           oracle_is_settled(world->oracle, ret_why, size);
}

static void look(void *context, uint64_t number, void *load)
{
    struct world *world = context;
    char why[300];
    (void)load;
    if (!number || is_done(world, why, sizeof(why))) {
        if (number == ARRAY_LENGTH(steps)) {
            world->quiet = true;
            return;
        }
        take(world, &steps[number++]);
    } else if (world->now_ms - world->step_ms > SETTLE_MAX_MS) {
        world_fail(world, "step %d of the main job has not settled: %s", (int)number, why);
    }
    heap_push(&world->heap, (struct event){.at_ms = world->now_ms + LOOK_AGAIN_MS,
                                           .run = look,
                                           .context = world,
                                           .id = number});
}

void main_job_start(struct world *world)
{
    look(world, 0, NULL);
}
