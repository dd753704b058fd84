/* What runs (I2, I4, I5). */
#include "platform/base/mem.h"
#include "schema/topics.h"
#include "tests/simulation/crowd.h"
#include "tests/simulation/oracle_crowd.h"
#include "worker/runtime/simulated.h"

#include <stdlib.h>
#include <string.h>

enum {
    DELETION_MS = 30000, /* time for a command to be carried out */
    SILENCE_MS = 50000,  /* less than lost_after of every job, and in hasty clusters */
    HASTY_SILENCE_MS = 5000,
    SETTLED_MS = 120000, /* after a command an update may be under way */
};

const struct wish *oracle_wish_of(const struct oracle *oracle, const char *task_id)
{
    const struct wish *wishes = user_wishes(oracle->world->user);
    size_t length = strcspn(task_id, "_-"); /* a child is its parent's */
    for (int job = 0; job < oracle->world->options.jobs; job++)
        if (strlen(wishes[job].name) == length && !strncmp(wishes[job].name, task_id, length))
            return &wishes[job];
    return NULL;
}

/* ---- what runs ---- */

struct look {
    struct oracle *oracle;
    int site;
    struct running before[RUNNING_MAX];
    int before_count;
    int64_t cpu_millis;
};

static struct done *done_find(const struct oracle *oracle, const char *instance)
{
    struct done *done;
    HASH_FIND_STR(oracle->done, instance, done);
    return done;
}

/* Of a job that is everywhere each node has its own end, whatever the number of the slot. */
static void name_done(const struct wish *wish, int site, const char *instance,
                      char ret_name[TASK_ID_MAX])
{
    if (wish && wish->kind->everywhere)
        snprintf(ret_name, TASK_ID_MAX, "%s on n%d", wish->name, site + 1);
    else
        snprintf(ret_name, TASK_ID_MAX, "%s", instance);
}

static void note_done(struct oracle *oracle, int site, const char *instance)
{
    struct done *done = done_find(oracle, instance);
    if (done)
        return;
    done = mem_alloc(sizeof(*done));
    snprintf(done->instance, sizeof(done->instance), "%s", instance);
    done->at_ms = oracle->world->now_ms;
    done->site = site;
    HASH_ADD_STR(oracle->done, instance, done);
}

static void forget_done(struct oracle *oracle, struct done *done)
{
    HASH_DEL(oracle->done, done);
    free(done);
}

static bool was_deleted_since(const struct oracle *oracle, int site, int64_t since_ms)
{
    int64_t deleted_ms = oracle->sites[site].deleted_ms;
    return deleted_ms && deleted_ms >= since_ms;
}

static int64_t silence_ms(const struct oracle *oracle)
{
    return oracle->world->options.hasty ? HASTY_SILENCE_MS : SILENCE_MS;
}

static bool was_silent_since(const struct oracle *oracle, int site, int64_t since_ms)
{
    const struct site *seen = &oracle->sites[site];
    return was_deleted_since(oracle, site, since_ms) || seen->silent_ms >= since_ms ||
           oracle->world->now_ms - seen->heard_ms >= silence_ms(oracle);
}

static bool any_silent_since(const struct oracle *oracle, int64_t since_ms)
{
    for (int site = 0; site < oracle->world->options.nodes; site++)
        if (was_silent_since(oracle, site, since_ms))
            return true;
    return false;
}

/* Its node was deleted after it was placed there, or was away since: it is given up, and runs until
 * its node hears. */
static bool is_given_up(const struct oracle *oracle, int site, const struct running *running,
                        int64_t from_ms)
{
    struct started *started;
    HASH_FIND_STR(oracle->started, running->task_id, started);
    return (started && was_deleted_since(oracle, site, started->first_ms - SETTLED_MS)) ||
           (oracle->sites[site].deleted_ms && was_silent_since(oracle, site, from_ms));
}

bool oracle_was_deleted(const struct oracle *oracle, const char *topic, int64_t since_ms)
{
    int number;
    return sscanf(topic, "nodes/n%d/", &number) == 1 &&
           was_deleted_since(oracle, number - 1, since_ms);
}

/* I5: what has ended well is not run again, unless somebody asked or its node was silent. */
static void check_not_done(struct oracle *oracle, int site, const struct running *running)
{
    const struct wish *wish = oracle_wish_of(oracle, running->task_id);
    char name[TASK_ID_MAX];
    name_done(wish, site, running->instance, name);
    struct done *done = done_find(oracle, name);
    if (!done)
        return;
    bool asked = !wish || wish->waiting || wish->changed_ms + SETTLED_MS > done->at_ms ||
                 was_silent_since(oracle, done->site, wish->changed_ms); /* it had not heard */
    bool excused = wish && wish->replace && !wish->kind->everywhere &&
                   any_silent_since(oracle, done->at_ms - SETTLED_MS);
    if (!asked && !excused)
        world_fail(oracle->world, "I5: %s had ended well, and %s runs it again on n%d",
                   running->instance, running->task_id, site + 1);
    forget_done(oracle, done);
}

/* I3, I5: no run of an attempt is run twice, and no earlier one again. */
static void check_new_run(struct oracle *oracle, int site, const struct running *running)
{
    struct started *started;
    HASH_FIND_STR(oracle->started, running->task_id, started);
    if (!started) {
        started = mem_alloc(sizeof(*started));
        snprintf(started->task_id, sizeof(started->task_id), "%s", running->task_id);
        started->first_ms = oracle->world->now_ms;
        HASH_ADD_STR(oracle->started, task_id, started);
    }
    if (running->run <= started->run)
        world_fail(oracle->world, "I3: n%d starts run %lld of %s after run %lld", site + 1,
                   (long long)running->run, running->task_id, (long long)started->run);
    started->run = running->run;
}

static int64_t since(const struct look *look, const struct running *running)
{
    for (int i = 0; i < look->before_count; i++)
        if (look->before[i].run == running->run &&
            !strcmp(look->before[i].task_id, running->task_id))
            return look->before[i].since_ms;
    world_note(look->oracle->world, "n%d runs %s run %lld", look->site + 1, running->task_id,
               (long long)running->run);
    if (look->oracle->calm)
        world_fail(look->oracle->world, "I11: n%d starts %s run %lld, and nothing was wrong",
                   look->site + 1, running->task_id, (long long)running->run);
    check_not_done(look->oracle, look->site, running);
    check_new_run(look->oracle, look->site, running);
    const struct wish *wish = oracle_wish_of(look->oracle, running->task_id);
    if (wish)
        types_on_run(look->oracle->types, wish, running->task_id);
    return look->oracle->world->now_ms;
}

static void see(void *context, const struct simulated_execution *execution)
{
    struct look *look = context;
    struct site *site = &look->oracle->sites[look->site];
    struct running running = {.run = execution->run};
    const char *suffix = strrchr(execution->task_id, '_');
    snprintf(running.task_id, sizeof(running.task_id), "%s", execution->task_id);
    snprintf(running.instance, sizeof(running.instance), "%.*s",
             suffix ? (int)(suffix - execution->task_id) : 0, execution->task_id);
    const struct wish *wish = oracle_wish_of(look->oracle, running.task_id);
    if (!execution->running) {
        char name[TASK_ID_MAX];
        name_done(wish, look->site, running.instance, name);
        if (execution->ended && execution->exit_code == 0 && wish &&
            (wish->kind->parent || !strcmp(wish->kind->state, "completed")))
            note_done(look->oracle, look->site, name);
        return;
    }
    ASSERT(site->count < RUNNING_MAX);
    running.since_ms = since(look, &running);
    site->running[site->count++] = running;
    look->cpu_millis += execution->cpu_millis;
}

static void look_at(struct oracle *oracle, int number)
{
    static struct look look; /* large; one world at a time */
    struct world *world = oracle->world;
    struct site *site = &oracle->sites[number];
    look.oracle = oracle;
    look.site = number;
    look.cpu_millis = 0;
    look.before_count = site->count;
    memcpy(look.before, site->running, sizeof(look.before[0]) * (size_t)site->count);
    site->count = 0;
    simulated_engine_visit(world->nodes[number].engine, see, &look);
    if (oracle->calm && site->count < look.before_count)
        world_fail(world, "I11: of %d on n%d only %d are left, and nothing was wrong",
                   look.before_count, number + 1, site->count);
    if (look.cpu_millis > crowd_node_cpu_millis(world))
        world_fail(world, "I4: n%d runs %lld m of cpu and has %lld m", number + 1,
                   (long long)look.cpu_millis, (long long)crowd_node_cpu_millis(world));
}

/* I2: what is everywhere is nowhere twice. */
static bool are_one_too_many(const struct oracle *oracle, int a_site, const struct running *a,
                             int b_site, const struct running *b)
{
    const struct wish *wish = oracle_wish_of(oracle, a->task_id);
    if (!strcmp(a->instance, b->instance))
        return true;
    return a_site == b_site && wish && wish->kind->everywhere &&
           wish == oracle_wish_of(oracle, b->task_id);
}

/* I2: of two executions of an instance one may only be there because the other's node was silent.
 */
static void check_pair(struct oracle *oracle, int a_site, const struct running *a, int b_site,
                       const struct running *b)
{
    const struct wish *wish = oracle_wish_of(oracle, a->task_id);
    int64_t from_ms = (a->since_ms < b->since_ms ? a->since_ms : b->since_ms) - SETTLED_MS;
    bool leaves = wish && (wish->replace || wish->kind->everywhere);
    bool silent = leaves && (was_silent_since(oracle, a_site, from_ms) ||
                             was_silent_since(oracle, b_site, from_ms));
    bool excused =
        strcmp(a->task_id, b->task_id) != 0 && (silent || is_given_up(oracle, a_site, a, from_ms) ||
                                                is_given_up(oracle, b_site, b, from_ms));
    if (!excused)
        world_fail(oracle->world, "I2: %s run %lld on n%d and %s run %lld on n%d at once",
                   a->task_id, (long long)a->run, a_site + 1, b->task_id, (long long)b->run,
                   b_site + 1);
}

static void check_site_pairs(struct oracle *oracle, int number)
{
    const struct site *site = &oracle->sites[number];
    for (int i = 0; i < site->count; i++)
        for (int other = 0; other < oracle->world->options.nodes; other++)
            for (int j = other == number ? i + 1 : 0; j < oracle->sites[other].count; j++)
                if (are_one_too_many(oracle, number, &site->running[i], other,
                                     &oracle->sites[other].running[j]))
                    check_pair(oracle, number, &site->running[i], other,
                               &oracle->sites[other].running[j]);
}

void oracle_check(struct oracle *oracle)
{
    oracle_note_unsaid(oracle);
    for (int i = 0; i < oracle->world->options.nodes; i++) {
        struct node *node = &oracle->world->nodes[i];
        if (!node->engine_changed)
            continue;
        node->engine_changed = false;
        look_at(oracle, i);
        check_site_pairs(oracle, i);
        crowd_check(oracle, i);
    }
}

/* ---- what was heard ---- */

void oracle_on_route(struct oracle *oracle, const char *client)
{
    const struct node *node = world_node(oracle->world, client);
    if (!node)
        return;
    struct site *site = &oracle->sites[node - oracle->world->nodes];
    if (oracle->world->now_ms - site->heard_ms >= silence_ms(oracle))
        site->silent_ms = oracle->world->now_ms;
    site->heard_ms = oracle->world->now_ms;
}

void oracle_on_node_deleted(struct oracle *oracle, int node)
{
    oracle->sites[node].deleted_ms = oracle->world->now_ms;
}

bool oracle_deletions_are_over(const struct oracle *oracle)
{
    for (int i = 0; i < oracle->world->options.nodes; i++) {
        const struct site *site = &oracle->sites[i];
        bool lately = site->deleted_ms && oracle->world->now_ms - site->deleted_ms < DELETION_MS;
        if (lately || site->is_buried)
            return false;
    }
    return true;
}

/* A node's index is a tombstone from its deletion until it is back and has said what it had. */
static void note_burial(struct oracle *oracle, const struct bus_publication *what)
{
    static const char tombstone[] = "\"tombstone\":true";
    struct topic topic;
    if (!what->length || !topic_parse(what->topic, &topic) || topic.kind != TOPIC_NODE_DESIRED)
        return;
    const struct node *node = world_node(oracle->world, topic.level[0]);
    if (node)
        oracle->sites[node - oracle->world->nodes].is_buried =
            memmem(what->payload, what->length, tombstone, sizeof(tombstone) - 1);
}

/* I11: nor is it said that something starts or ends; what does so is known to the manager only from
 * half a picture, or from a word that is older than another one. */
static void check_calm_status(struct oracle *oracle, const struct bus_publication *what)
{
    static const char *const moves[] = {
        "\"scheduled\":", "\"preparing\":", "\"starting\":", "\"stopping\":"};
    struct topic topic;
    bool whole = oracle->calm && !oracle->unplaced_may_be_lost; /* there it has to ask first */
    if (!whole || !topic_parse(what->topic, &topic) || topic.kind != TOPIC_JOB_STATUS)
        return;
    for (size_t i = 0; i < ARRAY_LENGTH(moves); i++)
        if (memmem(what->payload, what->length, moves[i], strlen(moves[i])))
            world_fail(oracle->world, "I11: %s says %s and nothing moves", what->topic, moves[i]);
}

void oracle_on_publish(struct oracle *oracle, const char *client,
                       const struct bus_publication *what)
{
    note_burial(oracle, what);
    check_calm_status(oracle, what);
    documents_check(oracle->documents, client, what);
}

void oracle_on_answer(struct world *world, int job, bool accepted)
{
    (void)world;
    (void)job;
    (void)accepted;
}

void oracle_expect_calm(struct oracle *oracle)
{
    oracle->calm = true;
}

void oracle_unplaced_may_be_lost(struct oracle *oracle)
{
    oracle->unplaced_may_be_lost = true;
}

void oracle_on_unsaid(struct oracle *oracle, const char *node)
{
    documents_forget(oracle->documents, node);
}

void oracle_on_forgotten(struct oracle *oracle, const char *task_id)
{
    char instance[TASK_ID_MAX];
    const char *suffix = strrchr(task_id, '_');
    snprintf(instance, sizeof(instance), "%.*s", suffix ? (int)(suffix - task_id) : 0, task_id);
    struct done *done = done_find(oracle, instance);
    if (done)
        forget_done(oracle, done);
    struct started *started;
    HASH_FIND_STR(oracle->started, task_id, started);
    if (started)
        started->run = 0;
}

struct oracle *oracle_new(struct world *world)
{
    struct oracle *oracle = mem_alloc(sizeof(*oracle));
    oracle->world = world;
    oracle->documents = documents_new(world);
    oracle->types = types_new(world);
    return oracle;
}

void oracle_free(struct oracle *oracle)
{
    if (!oracle)
        return;
    while (oracle->done)
        forget_done(oracle, oracle->done);
    while (oracle->started) {
        struct started *started = oracle->started;
        HASH_DEL(oracle->started, started);
        free(started);
    }
    types_free(oracle->types);
    documents_free(oracle->documents);
    free(oracle);
}
