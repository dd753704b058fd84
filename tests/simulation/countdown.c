#include "tests/simulation/countdown.h"

#include "platform/base/mem.h"
#include "tests/simulation/allocations.h"
#include "tests/simulation/store.h"

#include <inttypes.h>
#include <string.h>

static const char *const kind_names[] = {"none", "death", "store", "publish", "allocation"};

bool countdown_from_string(const char *text, struct countdown *ret_countdown)
{
    char kind[16];
    struct countdown countdown;
    int fields = sscanf(text, "%15[a-z]:%d:%" SCNd64, kind, &countdown.process, &countdown.n);
    if (fields == 1 && !strcmp(kind, "all")) {
        *ret_countdown = (struct countdown){0};
        return true;
    }
    for (int i = COUNTDOWN_DEATH; i <= COUNTDOWN_ALLOCATION; i++) {
        if (fields < 1 || strcmp(kind, kind_names[i]) != 0)
            continue;
        countdown.kind = (enum countdown_kind)i;
        *ret_countdown = fields == 3 ? countdown : (struct countdown){.kind = countdown.kind};
        return fields == 1 || (fields == 3 && countdown.process >= 0 && countdown.n > 0);
    }
    return false;
}

void countdown_print(const struct countdown *countdown, FILE *to)
{
    fprintf(to, "%s:%d:%" PRId64, kind_names[countdown->kind], countdown->process, countdown->n);
}

static struct process *process_of(struct world *world, int number)
{
    return number ? &world->nodes[number - 1].process : &world->manager->process;
}

void countdown_arm(struct world *world)
{
    const struct countdown *countdown = &world->options.countdown;
    struct process *process = process_of(world, countdown->process);
    allocations_begin(countdown->kind == COUNTDOWN_ALLOCATION ? countdown->n : 0);
    if (countdown->kind == COUNTDOWN_DEATH)
        process->fuse.left = countdown->n;
    if (countdown->kind == COUNTDOWN_STORE)
        sim_store_fail(process->store, countdown->n);
    if (countdown->kind == COUNTDOWN_PUBLISH)
        process->fuse.cut_at = countdown->n;
}

int64_t countdown_count(struct world *world, enum countdown_kind kind, int number)
{
    const struct process *process = process_of(world, number);
    switch (kind) {
    case COUNTDOWN_NONE:
        break;
    case COUNTDOWN_DEATH:
        return process->fuse.burned;
    case COUNTDOWN_STORE:
        return sim_store_operations(process->store);
    case COUNTDOWN_PUBLISH:
        return process->fuse.published;
    case COUNTDOWN_ALLOCATION:
        return number ? 0 : allocations_count();
    }
    return 0;
}
