#include "tests/simulation/oracle_types.h"

#include "platform/base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

enum { CHILD_NAME_MAX = 48 };

struct child { /* that was seen to run */
    char name[CHILD_NAME_MAX];
    UT_hash_handle hh;
};

struct types {
    struct world *world;
    struct child *children;
    int64_t child_count[JOBS_MAX];
    bool launched[JOBS_MAX]; /* since the last fault */
    bool has_run[JOBS_MAX];  /* something of the job was seen to run */
};

static int number_of(const struct types *types, const struct wish *wish)
{
    return (int)(wish - user_wishes(types->world->user));
}

/* A job that depends on another never starts before that one was there. */
static void check_waited(struct types *types, const struct wish *wish, const char *task_id)
{
    types->has_run[number_of(types, wish)] = true;
    if (wish->waits_for >= 0 && !types->has_run[wish->waits_for])
        world_fail(types->world, "%s runs before what it waits for", task_id);
}

/* At one of its times, which is in its name: so no time is launched twice. */
static void check_launch(struct types *types, const struct wish *wish, const char *name)
{
    long long at_s = 0;
    int end = 0;
    sscanf(name + strlen(wish->name), "-%10lld-0%n", &at_s, &end);
    if (!end || name[strlen(wish->name) + (size_t)end] || at_s % wish->kind->period_s)
        world_fail(types->world, "%s is launched at none of its times", name);
    types->launched[number_of(types, wish)] |= types->world->quiet;
}

/* One command is one child, however often it was sent. */
static void check_child(struct types *types, const struct wish *wish, const char *task_id)
{
    struct child *child;
    char name[CHILD_NAME_MAX];
    snprintf(name, sizeof(name), "%.*s", (int)strcspn(task_id, "_"), task_id);
    HASH_FIND_STR(types->children, name, child);
    if (child)
        return;
    child = mem_alloc(sizeof(*child));
    memcpy(child->name, name, sizeof(name));
    HASH_ADD_STR(types->children, name, child);
    if (!strcmp(name, wish->name))
        world_fail(types->world, "%s runs itself, and is a parent", name);
    ++types->child_count[number_of(types, wish)];
    if (wish->kind->period_s)
        check_launch(types, wish, name);
    else if (types->child_count[number_of(types, wish)] > wish->asked)
        world_fail(types->world, "%s has more children than were asked for", wish->name);
}

void types_on_run(struct types *types, const struct wish *wish, const char *task_id)
{
    check_waited(types, wish, task_id);
    if (wish->kind->parent)
        check_child(types, wish, task_id);
}

int64_t types_children(const struct types *types, const struct wish *wish)
{
    return types->child_count[number_of(types, wish)];
}

bool types_was_launched(const struct types *types, const struct wish *wish)
{
    return types->launched[number_of(types, wish)];
}

struct types *types_new(struct world *world)
{
    struct types *types = mem_alloc(sizeof(*types));
    types->world = world;
    return types;
}

void types_free(struct types *types)
{
    while (types->children) {
        struct child *child = types->children;
        HASH_DEL(types->children, child);
        free(child);
    }
    free(types);
}
