/* Whether in the end all is as promised (I1, I8, I9). */
#include "tests/simulation/oracle_crowd.h"
#include "tests/simulation/oracle_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    INDEXES_MAX = 64,        /* of a task, kept ones too */
    ACKNOWLEDGED_MS = 10000, /* at the latest; a heartbeat may always be under way */
};

/* Of all its tasks and instances. */
static int running_of(const struct oracle *oracle, const struct wish *wish)
{
    int count = 0;
    for (int site = 0; site < oracle->world->options.nodes; site++)
        count += oracle_running_on(oracle, wish, site);
    return count;
}

static int running_instances(const struct oracle *oracle, const struct wish *wish, const char *task,
                             int64_t index)
{
    int count = 0;
    char instance[TASK_ID_MAX];
    snprintf(instance, sizeof(instance), "%s_%s_%lld", wish->name, task, (long long)index);
    for (int i = 0; i < oracle->world->options.nodes; i++)
        for (int j = 0; j < oracle->sites[i].count; j++)
            count += !strcmp(oracle->sites[i].running[j].instance, instance);
    return count;
}

static bool retained_has(const struct oracle *oracle, const struct wish *wish, const char *document,
                         const char *text)
{
    char topic[64];
    size_t length;
    snprintf(topic, sizeof(topic), "jobs/%s/%s", wish->name, document);
    const char *payload = broker_retained(oracle->world->broker, topic, &length);
    return payload && strstr(payload, text);
}

static bool is_gone(const struct oracle *oracle, const struct wish *wish)
{
    return !retained_has(oracle, wish, "spec", "{") ||
           retained_has(oracle, wish, "spec", "\"tombstone\":true");
}

static bool is_crowded(const struct oracle *oracle)
{
    return oracle->world->options.kinds == KINDS_CROWDED;
}

/* How many instances of it there have to be. */
static int64_t wanted_of(const struct wish *wish)
{
    return wish->count + wish->kind->two_tasks;
}

/* Each instance runs once; in a crowded cluster it may wait where there is no room for it. */
static bool runs_as_wanted(const struct oracle *oracle, const struct wish *wish, const char *task,
                           int64_t count)
{
    bool may_lack = is_crowded(oracle) && !crowd_has_room_anywhere(oracle, wish);
    int64_t instances = 0;
    for (int64_t index = 0; index < INDEXES_MAX; index++) {
        int running = running_instances(oracle, wish, task, index);
        if (running > 1)
            return false;
        instances += running;
    }
    return instances == count || (instances < count && may_lack);
}

/* NULL, or what is not (yet) as it should be. */
static const char *service_lacks(const struct oracle *oracle, const struct wish *wish)
{
    int running = running_of(oracle, wish);
    bool two = wish->kind->two_tasks;
    if (running > wanted_of(wish) || (running < wanted_of(wish) && !is_crowded(oracle)))
        return "I9: other than the wanted number of instances runs";
    if (!runs_as_wanted(oracle, wish, two ? "a" : wish->name, wish->count) ||
        (two && !runs_as_wanted(oracle, wish, "b", 1)))
        return "I9: not each instance runs once";
    return NULL;
}

int oracle_running_on(const struct oracle *oracle, const struct wish *wish, int site)
{
    int count = 0;
    for (int i = 0; i < oracle->sites[site].count; i++)
        count += oracle_wish_of(oracle, oracle->sites[site].running[i].task_id) == wish;
    return count;
}

/* Everything runs again in the end, so every node matches. */
static const char *system_lacks(const struct oracle *oracle, const struct wish *wish)
{
    for (int site = 0; site < oracle->world->options.nodes; site++) {
        int running = oracle_running_on(oracle, wish, site);
        bool may_lack = is_crowded(oracle) && !crowd_has_room(oracle, wish, site);
        if (running != 1 && !(running == 0 && may_lack))
            return "I9: not each node runs one";
    }
    return NULL;
}

static bool status_says(const struct oracle *oracle, const struct wish *wish)
{
    char state[40], wanted[40];
    snprintf(state, sizeof(state), "\"state\":\"%s\"", wish->kind->state);
    snprintf(wanted, sizeof(wanted), "\"wanted\":%d,", oracle->world->options.nodes);
    return retained_has(oracle, wish, "status", state) &&
           (!wish->kind->everywhere || retained_has(oracle, wish, "status", wanted));
}

/* There is none, and its status tells. */
static bool waits_for_room(const struct oracle *oracle, const struct wish *wish)
{
    if (!is_crowded(oracle) || !retained_has(oracle, wish, "status", "\"pending\":[{"))
        return false;
    return wish->kind->everywhere || !crowd_has_room_anywhere(oracle, wish);
}

static const char *what_ends_lacks(const struct oracle *oracle, const struct wish *wish)
{
    if (running_of(oracle, wish))
        return "I9: a job that ends still runs";
    if (types_children(oracle->types, wish) < wish->dispatched)
        return "I9: a dispatch that was accepted has no child that ran";
    if (wish->kind->period_s && !types_was_launched(oracle->types, wish))
        return "I9: a job with a schedule is not launched any more";
    return NULL;
}

/* What it depends on is not there: it runs only if that was once otherwise. */
static bool may_wait(const struct oracle *oracle, const struct wish *wish)
{
    const struct wish *wishes = user_wishes(oracle->world->user);
    const struct wish *other = wish->waits_for < 0 ? NULL : &wishes[wish->waits_for];
    return other && (!other->exists || other->stopped) && !running_of(oracle, wish);
}

static const char *job_lacks(const struct oracle *oracle, const struct wish *wish)
{
    char mark[40];
    if (wish->waiting)
        return "I9: a command was not answered";
    if (oracle->unplaced_may_be_lost && !running_of(oracle, wish))
        return NULL;
    if (!wish->exists)
        return !is_gone(oracle, wish)     ? "I9: a deleted job is still there"
               : running_of(oracle, wish) ? "I8: something of a deleted job runs"
                                          : NULL;
    snprintf(mark, sizeof(mark), "\"MARK\":\"%lld\"", (long long)wish->mark);
    if (!retained_has(oracle, wish, "spec", mark))
        return "I1: an accepted job is not there, or another version";
    if (wish->stopped)
        return running_of(oracle, wish) ? "I9: something of a stopped job runs" : NULL;
    if (may_wait(oracle, wish))
        return NULL;
    const char *lacks = wish->kind->ends         ? what_ends_lacks(oracle, wish)
                        : wish->kind->everywhere ? system_lacks(oracle, wish)
                                                 : service_lacks(oracle, wish);
    bool nothing = !wish->kind->ends && !wish->kind->everywhere && !wanted_of(wish);
    if (!lacks && !nothing && !status_says(oracle, wish) && !waits_for_room(oracle, wish))
        lacks = "I9: its status says otherwise";
    if (!lacks && retained_has(oracle, wish, "status", "\"outdated\":") &&
        !waits_for_room(oracle, wish))
        lacks = "I1: something of an older version runs";
    return lacks;
}

/* The manager first, then the nodes. */
static const struct process *process_of(const struct world *world, int number)
{
    return number ? &world->nodes[number - 1].process : &world->manager->process;
}

void oracle_note_unsaid(struct oracle *oracle)
{
    for (int i = 0; i <= oracle->world->options.nodes; i++) {
        const struct process *process = process_of(oracle->world, i);
        if (process->up && !process->bus->ops->pending(process->bus))
            oracle->all_said_ms[i] = oracle->world->now_ms;
    }
}

/* I9: the broker has all that was said, but for what was said just now. NULL: everybody's. */
static const char *who_is_unheard(const struct oracle *oracle)
{
    const struct world *world = oracle->world;
    for (int i = 0; i <= world->options.nodes; i++)
        if (world->now_ms - oracle->all_said_ms[i] > ACKNOWLEDGED_MS)
            return process_of(world, i)->name;
    return NULL;
}

struct terms {
    long long of_leader;
    char other[64]; /* a topic with an assignment of another term */
};

static long long term_of(const char *payload)
{
    static const char key[] = "\"term\":";
    const char *at = payload ? strstr(payload, key) : NULL;
    return at ? strtoll(at + strlen(key), NULL, 10) : 0;
}

static void compare_term(void *context, const char *topic, const void *payload, size_t length)
{
    struct terms *terms = context;
    if (length && strstr(topic, "/assign/") && !strstr(payload, "\"tombstone\":true") &&
        term_of(payload) != terms->of_leader)
        snprintf(terms->other, sizeof(terms->other), "%s", topic);
}

/* I9: whoever comes next finds every assignment under the term that counts. */
static bool terms_are_one(const struct oracle *oracle, char *ret_why, size_t size)
{
    size_t length;
    struct broker *broker = oracle->world->broker;
    struct terms terms = {term_of(broker_retained(broker, "manager/status", &length)), ""};
    broker_visit_retained(broker, compare_term, &terms);
    if (terms.other[0])
        snprintf(ret_why, size, "I9: %s is not of the leader's term %lld", terms.other,
                 terms.of_leader);
    return !terms.other[0];
}

void oracle_check_moved(const struct oracle *oracle)
{
    const struct wish *wishes = user_wishes(oracle->world->user);
    for (int job = 0; job < oracle->world->options.jobs; job++) {
        bool moves = wishes[job].replace && !wishes[job].kind->everywhere;
        const char *lacks = moves ? job_lacks(oracle, &wishes[job]) : NULL;
        if (lacks)
            world_fail(oracle->world, "I12: without a node that is dead %s is not placed anew: %s",
                       wishes[job].name, lacks);
    }
}

bool oracle_is_settled(struct oracle *oracle, char *ret_why, size_t size)
{
    const struct wish *wishes = user_wishes(oracle->world->user);
    if (!user_nodes_are_free(oracle->world->user)) {
        snprintf(ret_why, size, "I9: a command about a node was not answered");
        return false;
    }
    for (int job = 0; job < oracle->world->options.jobs; job++) {
        const char *lacks = job_lacks(oracle, &wishes[job]);
        if (!lacks)
            continue;
        snprintf(ret_why, size, "%s: %s (wanted %lld, running %d, mark %lld)", wishes[job].name,
                 lacks, (long long)wishes[job].count, running_of(oracle, &wishes[job]),
                 (long long)wishes[job].mark);
        return false;
    }
    if (!terms_are_one(oracle, ret_why, size))
        return false;
    const char *unheard = who_is_unheard(oracle);
    if (unheard) {
        snprintf(ret_why, size, "I9: what %s says was not acknowledged", unheard);
        return false;
    }
    for (int i = 0; i < oracle->world->options.nodes; i++)
        for (int j = 0; j < oracle->sites[i].count; j++)
            if (!oracle_wish_of(oracle, oracle->sites[i].running[j].task_id)) {
                snprintf(ret_why, size, "I8: nobody knows %s", oracle->sites[i].running[j].task_id);
                return false;
            }
    return true;
}
