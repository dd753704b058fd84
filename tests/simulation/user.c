/* The user's memory is what the oracle holds against the cluster: it changes when an answer says
 * "accepted", and not before. */
#include "tests/simulation/user.h"

#include "platform/base/mem.h"
#include "schema/codec/codec.h"
#include "tests/simulation/allocations.h"
#include "tests/simulation/oracle.h"

#include <stdlib.h>
#include <string.h>

enum { RETRY_MS = 8000, TEXT_MAX = 1600, KEYS_MAX = 600 };

enum verb { VERB_SET, VERB_SCALE, VERB_STOP, VERB_DELETE, VERB_RESTART, VERB_DISPATCH, VERB_COUNT };
static const char *const verb_names[] = {"set", "scale", "stop", "delete", "restart", "dispatch"};

struct errand {
    enum verb verb;
    char token[40];
    char payload[TEXT_MAX];
    struct wish wish; /* true when it is accepted */
};

enum node_verb { NODE_ELIGIBILITY, NODE_LABELS, NODE_INTERVAL, NODE_DELETE };
static const char *const node_verb_names[] = {"eligibility", "labels", "interval", "delete"};

struct node_errand { /* the last of a node */
    enum node_verb verb;
    bool waiting;
    bool kept_out; /* not eligible, once it is accepted */
    char token[40];
    char payload[TEXT_MAX];
};

struct user {
    struct world *world;
    struct bus *bus;
    struct fuse fuse;
    struct wish wishes[JOBS_MAX];
    struct errand errands[JOBS_MAX];
    int64_t marks, tokens;
    struct node_errand node_errands[NODES_MAX];
};

/* ---- its bus ---- */

static void on_connected(void *context)
{
    struct user *user = context;
    struct bus_filter filters[] = {{.filter = "do/jobs/+/+/accepted", .qos = 1},
                                   {.filter = "do/jobs/+/+/rejected", .qos = 1},
                                   {.filter = "do/nodes/+/+/accepted", .qos = 1},
                                   {.filter = "do/nodes/+/+/rejected", .qos = 1}};
    user->bus->ops->subscribe(user->bus, 1, filters, ARRAY_LENGTH(filters));
}

static void on_disconnected(void *context, const char *why)
{
    (void)context;
    (void)why;
}

static void on_subscribed(void *context, int stage, bool granted)
{
    (void)context;
    (void)stage;
    (void)granted;
}

static void on_message(void *context, const struct bus_message *message)
{
    user_on_reply(context, message->topic, message->payload, message->length);
}

static void on_batch_end(void *context)
{
    (void)context;
}

/* ---- sending ---- */

static void send(struct user *user, int job)
{
    const struct errand *errand = &user->errands[job];
    char topic[64];
    snprintf(topic, sizeof(topic), "do/jobs/%s/%s", user->wishes[job].name,
             verb_names[errand->verb]);
    struct bus_publication publication = {
        .topic = topic, .payload = errand->payload, .length = strlen(errand->payload), .qos = 1};
    user->bus->ops->publish(user->bus, &publication);
}

static void again(void *context, uint64_t id, void *load)
{
    struct user *user = context;
    int job = (int)(id % JOBS_MAX);
    (void)load;
    if (!user->wishes[job].waiting || (int64_t)(id / JOBS_MAX) != user->wishes[job].changed_ms)
        return;
    send(user, job);
    heap_push(&user->world->heap, (struct event){.at_ms = user->world->now_ms + RETRY_MS,
                                                 .run = again,
                                                 .context = user,
                                                 .id = id});
}

static const char *pick_command(struct user *user, const struct kind *kind)
{
    static const char *const services[] = {"[\"run\"]", "[\"run\"]", "[\"pull\",\"4s\",\"run\"]",
                                           "[\"ignore-stop\"]"};
    static const char *const batches[] = {"[\"exit\",\"0\",\"after\",\"3s\"]", "[\"exit\",\"0\"]",
                                          "[\"exit\",\"0\",\"after\",\"40s\"]",
                                          "[\"pull\",\"4s\",\"exit\",\"0\",\"after\",\"9s\"]"};
    uint64_t which = prng_below(&user->world->work, 4);
    if (kind->only)
        return kind->only;
    return kind->ends ? batches[which] : services[which];
}

/* What is everywhere has no replacement. */
static void write_job_keys(const struct wish *wish, bool hasty, char *text, size_t size)
{
    size_t used = (size_t)snprintf(text, size, "%s", wish->kind->more);
    if (!wish->kind->everywhere)
        used += (size_t)snprintf(text + used, size - used,
                                 "\"disconnect\":{\"lost_after\":\"%ds\",\"replace\":%s},",
                                 hasty ? 1 : 60, wish->replace ? "true" : "false");
    if (wish->waits_for >= 0)
        used += (size_t)snprintf(text + used, size - used, "\"depends_on\":[{\"job\":\"j%d\"}],",
                                 wish->waits_for);
    if (wish->kind->priority)
        used += (size_t)snprintf(text + used, size - used, "\"priority\":%lld,",
                                 (long long)wish->kind->priority);
    if (wish->kind->zone)
        snprintf(text + used, size - used, "\"constraints\":[\"label.zone == z%d\"],",
                 wish->kind->zone);
}

/* What is everywhere has no count. */
static void write_task_keys(const struct wish *wish, int64_t count, const char *command, char *text,
                            size_t size)
{
    const struct kind *kind = wish->kind;
    size_t used = 0;
    if (!kind->everywhere)
        used = (size_t)snprintf(text, size, "\"count\":%lld,", (long long)count);
    if (kind->port)
        used += (size_t)snprintf(text + used, size - used, "\"ports\":[\"%lld:80\"],",
                                 (long long)kind->port);
    snprintf(text + used, size - used,
             "%s\"runtime\":\"simulated\",\"command\":%s,\"env\":{\"MARK\":\"%lld\"},"
             "\"resources\":{\"cpu\":\"%lldm\",\"memory\":\"64MiB\"},\"stop\":{\"timeout\":\"3s\"}",
             kind->tasks, command, (long long)wish->mark, (long long)kind_cpu_millis(kind));
}

static void write_set(struct user *user, struct errand *errand)
{
    struct wish *wish = &errand->wish;
    struct prng *prng = &user->world->work;
    const char *command = pick_command(user, wish->kind);
    char job[KEYS_MAX], first[KEYS_MAX], second[KEYS_MAX];
    wish->exists = true;
    wish->stopped = false;
    wish->count = 1 + (int64_t)prng_below(prng, INSTANCES_MAX);
    wish->mark = ++user->marks;
    write_job_keys(wish, user->world->options.hasty, job, sizeof(job));
    write_task_keys(wish, wish->count, command, first, sizeof(first));
    write_task_keys(wish, 1, command, second, sizeof(second));
    size_t used = (size_t)snprintf(errand->payload, TEXT_MAX,
                                   "{\"token\":\"t-%lld\",\"type\":\"%s\",%s\"update\":"
                                   "{\"max_parallel\":1,\"min_healthy\":\"2s\"},",
                                   (long long)user->tokens, wish->kind->type, job);
    if (wish->kind->two_tasks)
        snprintf(errand->payload + used, TEXT_MAX - used,
                 "\"tasks\":[{\"name\":\"a\",%s},{\"name\":\"b\",%s}]}", first, second);
    else
        snprintf(errand->payload + used, TEXT_MAX - used, "%s}", first);
}

static void write_errand(struct user *user, struct errand *errand)
{
    struct wish *wish = &errand->wish;
    if (errand->verb == VERB_SET) {
        write_set(user, errand);
        return;
    }
    int64_t count = (int64_t)prng_below(&user->world->work, INSTANCES_MAX + 1);
    if (errand->verb == VERB_SCALE) {
        wish->count = count;
        snprintf(errand->payload, TEXT_MAX, "{\"token\":\"t-%lld\",\"count\":%lld%s}",
                 (long long)user->tokens, (long long)count,
                 wish->kind->two_tasks ? ",\"task\":\"a\"" : "");
        return;
    }
    wish->stopped = wish->stopped || errand->verb == VERB_STOP;
    wish->exists = wish->exists && errand->verb != VERB_DELETE;
    snprintf(errand->payload, TEXT_MAX, "{\"token\":\"t-%lld\"}", (long long)user->tokens);
}

static enum verb pick_verb(struct prng *prng, const struct wish *wish)
{
    static const enum verb verbs[] = {VERB_SET,   VERB_SET,  VERB_SET,    VERB_SCALE,
                                      VERB_SCALE, VERB_STOP, VERB_DELETE, VERB_RESTART};
    enum verb verb = verbs[prng_below(prng, ARRAY_LENGTH(verbs))];
    if (wish->kind->parent && !wish->kind->period_s && wish->exists && !wish->stopped &&
        verb <= VERB_SCALE)
        return VERB_DISPATCH;
    bool can_scale = wish->exists && !wish->kind->ends && !wish->kind->everywhere;
    return verb == VERB_SCALE && !can_scale ? VERB_SET : verb;
}

static void user_send(struct user *user, int job, enum verb verb)
{
    struct world *world = user->world;
    struct wish *wish = &user->wishes[job];
    struct errand *errand = &user->errands[job];
    wish->waiting = true;
    wish->changed_ms = world->now_ms;
    wish->asked += verb == VERB_DISPATCH;
    errand->wish = *wish;
    errand->wish.dispatched += verb == VERB_DISPATCH;
    errand->verb = verb;
    snprintf(errand->token, sizeof(errand->token), "t-%lld", (long long)++user->tokens);
    write_errand(user, errand);
    world_note(world, "user: %s %s count %lld mark %lld", verb_names[errand->verb], wish->name,
               (long long)errand->wish.count, (long long)errand->wish.mark);
    again(user, (uint64_t)wish->changed_ms * JOBS_MAX + (uint64_t)job, NULL);
}

void user_act(struct user *user)
{
    struct world *world = user->world;
    int job = (int)prng_below(&world->work, (uint64_t)world->options.jobs);
    if (!user->wishes[job].waiting && world->now_ms >= world->user_rests_until_ms)
        user_send(user, job, pick_verb(&world->work, &user->wishes[job]));
}

void user_do(struct user *user, int job, const char *verb)
{
    for (enum verb i = VERB_SET; i < VERB_COUNT; i++)
        if (!strcmp(verb_names[i], verb))
            user_send(user, job, i);
}

/* ---- nodes ---- */

static void node_send(void *context, uint64_t id, void *load)
{
    struct user *user = context;
    const struct node_errand *errand = &user->node_errands[id % NODES_MAX];
    char topic[64];
    (void)load;
    if (!errand->waiting || strtoull(errand->token + 2, NULL, 10) != id / NODES_MAX)
        return;
    snprintf(topic, sizeof(topic), "do/nodes/n%d/%s", (int)(id % NODES_MAX) + 1,
             node_verb_names[errand->verb]);
    struct bus_publication publication = {
        .topic = topic, .payload = errand->payload, .length = strlen(errand->payload), .qos = 1};
    user->bus->ops->publish(user->bus, &publication);
    if (errand->verb == NODE_DELETE)
        oracle_on_node_deleted(user->world->oracle, (int)(id % NODES_MAX));
    heap_push(&user->world->heap, (struct event){.at_ms = user->world->now_ms + RETRY_MS,
                                                 .run = node_send,
                                                 .context = user,
                                                 .id = id});
}

/* An argument with the comma in front of it. */
static void node_argument(enum node_verb verb, int64_t value, char *text, size_t size)
{
    long long number = value;
    text[0] = '\0';
    if (verb == NODE_ELIGIBILITY)
        snprintf(text, size, ",\"eligible\":%s", value ? "true" : "false");
    else if (verb == NODE_LABELS)
        snprintf(text, size, ",\"labels\":{\"rack\":\"r%lld\"}", number);
    else if (verb == NODE_INTERVAL)
        snprintf(text, size, ",\"interval_ms\":%lld000", number);
}

static void node_do(struct user *user, int node, enum node_verb verb, int64_t value)
{
    struct node_errand *errand = &user->node_errands[node];
    long long token = ++user->tokens;
    char argument[64];
    node_argument(verb, value, argument, sizeof(argument));
    errand->verb = verb;
    errand->waiting = true;
    if (verb == NODE_ELIGIBILITY)
        errand->kept_out = !value;
    snprintf(errand->token, sizeof(errand->token), "n-%lld", token);
    snprintf(errand->payload, TEXT_MAX, "{\"token\":\"n-%lld\"%s}", token, argument);
    world_note(user->world, "user: n%d %s %s", node + 1, node_verb_names[verb], errand->payload);
    node_send(user, (uint64_t)token * NODES_MAX + (uint64_t)node, NULL);
}

static bool may_command(const struct user *user, int node)
{
    return !user->node_errands[node].waiting &&
           user->world->now_ms >= user->world->user_rests_until_ms;
}

void user_act_on_node(struct user *user, struct prng *prng)
{
    int node = (int)prng_below(prng, (uint64_t)user->world->options.nodes);
    enum node_verb verb = (enum node_verb)prng_below(prng, NODE_DELETE);
    int64_t value =
        verb == NODE_ELIGIBILITY ? (int64_t)prng_below(prng, 2) : 1 + (int64_t)prng_below(prng, 9);
    if (may_command(user, node))
        node_do(user, node, verb, value);
}

/* Its documents go, which is a loss too: none at the same time as another (faults.c). */
bool user_delete_node(struct user *user, int node)
{
    const struct world *world = user->world;
    bool lately = world->lost_ms && world->now_ms - world->lost_ms < LOSSES_APART_MS;
    if (!may_command(user, node) || lately)
        return false;
    node_do(user, node, NODE_DELETE, 0);
    return true;
}

bool user_nodes_are_free(struct user *user)
{
    bool are_free = true;
    for (int node = 0; node < user->world->options.nodes; node++) {
        struct node_errand *errand = &user->node_errands[node];
        if (errand->kept_out && may_command(user, node))
            node_do(user, node, NODE_ELIGIBILITY, true);
        are_free = are_free && !errand->waiting && !errand->kept_out;
    }
    return are_free;
}

/* A store that cannot be written, or no memory; anything else is refused for good: the token is
 * known, and gets the same answer again. */
static bool is_refused_for_now(const struct reply *reply)
{
    return reply->result != REPLY_ACCEPTED && reply->code &&
           (!strcmp(reply->code, "store_failed") || !strcmp(reply->code, "overloaded") ||
            !strcmp(reply->code, "recovering"));
}

static bool node_take(struct user *user, const struct reply *reply)
{
    for (int node = 0; reply->token && node < user->world->options.nodes; node++) {
        struct node_errand *errand = &user->node_errands[node];
        if (strcmp(errand->token, reply->token) != 0)
            continue;
        world_note(user->world, "user hears: n%d %s is %s", node + 1, node_verb_names[errand->verb],
                   reply->code ? reply->code : "answered");
        if (errand->verb == NODE_DELETE)
            oracle_on_node_deleted(user->world->oracle, node);
        errand->waiting = errand->waiting && is_refused_for_now(reply);
        return true;
    }
    return false;
}

/* ---- answers ---- */

static int errand_of(const struct user *user, const char *token)
{
    for (int job = 0; token && job < user->world->options.jobs; job++)
        if (user->wishes[job].waiting && !strcmp(user->errands[job].token, token))
            return job;
    return -1;
}

static void take(struct user *user, int job, const struct reply *reply)
{
    struct wish *wish = &user->wishes[job];
    struct world *world = user->world;
    bool accepted = reply->result == REPLY_ACCEPTED;
    world_note(world, "user hears: %s %s is %s", verb_names[user->errands[job].verb], wish->name,
               accepted      ? "accepted"
               : reply->code ? reply->code
                             : "rejected");
    if (is_refused_for_now(reply))
        return;
    if (accepted)
        *wish = user->errands[job].wish;
    wish->waiting = false;
    wish->changed_ms = world->now_ms;
    oracle_on_answer(world, job, accepted);
}

void user_on_reply(struct user *user, const char *topic, const void *payload, size_t length)
{
    _cleanup_arena_ struct arena arena = ARENA_EMPTY;
    _cleanup_problems_ struct problems problems = {0};
    struct reply reply;
    allocations_pause();
    int result =
        codec_decode(&reply_record, payload, length, CODEC_LENIENT, &arena, &reply, &problems);
    allocations_resume();
    if (result) {
        world_fail(user->world, "an answer cannot be read: %s", topic);
        return;
    }
    if (node_take(user, &reply))
        return;
    int job = errand_of(user, reply.token);
    if (job >= 0)
        take(user, job, &reply);
}

/* ---- life ---- */

struct user *user_new(struct world *world)
{
    struct user *user = mem_alloc(sizeof(*user));
    user->world = world;
    struct sim_bus_config config = {.broker = world->broker,
                                    .client_id = "user",
                                    .fuse = &user->fuse,
                                    .handler = {.context = user,
                                                .on_connected = on_connected,
                                                .on_disconnected = on_disconnected,
                                                .on_subscribed = on_subscribed,
                                                .on_message = on_message,
                                                .on_batch_end = on_batch_end}};
    user->bus = sim_bus_new(&config);
    for (int job = 0; job < world->options.jobs; job++) {
        struct wish *wish = &user->wishes[job];
        snprintf(wish->name, sizeof(wish->name), "j%d", job);
        wish->kind = kind_of_job(job, world->options.kinds);
        wish->waits_for = wish->kind->waits_for ? job - wish->kind->waits_for : -1;
        wish->replace = job % 2 == 0;
    }
    user->bus->ops->start(user->bus);
    return user;
}

void user_free(struct user *user)
{
    if (!user)
        return;
    sim_bus_kill(user->bus);
    free(user);
}

const struct wish *user_wishes(const struct user *user)
{
    return user->wishes;
}

bool user_is_waiting(const struct user *user)
{
    for (int job = 0; job < user->world->options.jobs; job++)
        if (user->wishes[job].waiting)
            return true;
    return false;
}
