/* One row a retained topic and one an attempt: what was said of it last. */
#include "tests/simulation/oracle_documents.h"

#include "platform/base/mem.h"
#include "schema/codec/codec.h"
#include "schema/topics.h"
#include "tests/simulation/store.h"

#include <stdlib.h>
#include <string.h>

#include <uthash.h>

struct said {
    char *name;              /* "process topic", or "node attempt" */
    long long documents;     /* of a topic: how many; of an attempt: the one that named it last */
    long long first, second; /* term, seq of a topic; run, state of an attempt */
    UT_hash_handle hh;
};

struct documents {
    struct world *world;
    struct said *said;
};

static struct said *said_of(struct documents *documents, const char *name)
{
    struct said *said;
    HASH_FIND_STR(documents->said, name, said);
    if (said)
        return said;
    said = mem_alloc(sizeof(*said));
    said->name = mem_strdup(name);
    HASH_ADD_KEYPTR(hh, documents->said, said->name, strlen(said->name), said);
    return said;
}

/* Each process for itself: of two managers the older one does not know yet that it is. */
static struct said *said_on(struct documents *documents, const struct process *process,
                            const char *topic)
{
    _cleanup_free_ char *name = mem_printf("%s %s", process->name, topic);
    return said_of(documents, name);
}

/* The first number behind a key: those of the head come first. */
static long long number_of(const struct bus_publication *what, const char *key)
{
    const char *at = memmem(what->payload, what->length, key, strlen(key));
    return at ? strtoll(at + strlen(key), NULL, 10) : 0;
}

/* I6: what is said is what is in the store. */
static void check_committed(struct documents *documents, const struct process *process,
                            const struct bus_publication *what)
{
    size_t length = 0;
    const void *stored = sim_store_get(process->store, STORE_DOCUMENTS, what->topic, &length);
    if (!stored || length != what->length || memcmp(stored, what->payload, length) != 0)
        world_fail(documents->world, "I6: %s publishes on %s what it has not committed",
                   process->name, what->topic);
}

/* I3, I7: a topic's documents never go back. */
static void check_order(struct documents *documents, const struct process *process,
                        const struct bus_publication *what)
{
    struct said *said = said_on(documents, process, what->topic);
    long long term = number_of(what, "\"term\":");
    long long seq = number_of(what, "\"seq\":");
    if (term < said->first || (term == said->first && seq < said->second))
        world_fail(documents->world, "I3: %s goes back on %s: from %lld.%lld to %lld.%lld",
                   process->name, what->topic, said->first, said->second, term, seq);
    said->documents += term != said->first || seq != said->second;
    said->first = term;
    said->second = seq;
}

/* I3, I5: one attempt. A worker's word of a run that it has never started (0) does not count. */
static void check_attempt(struct documents *documents, const char *node,
                          const struct observed_attempt *attempt, long long document)
{
    _cleanup_free_ char *name = mem_printf("%s %s", node, attempt->id);
    struct said *said = said_of(documents, name);
    if (said->documents < document - 1) /* it had been let go; a leftover may be found */
        said->first = said->second = 0;
    said->documents = document;
    bool was_final = said->second >= ATTEMPT_COMPLETED;
    bool back = attempt->state < ATTEMPT_COMPLETED && /* the end is above any run */
                (attempt->run < said->first ||
                 (attempt->run == said->first && attempt->state < said->second));
    if (was_final ? attempt->state != said->second : back)
        world_fail(documents->world,
                   "%s: %s says of %s: run %lld state %d after run %lld state %lld",
                   was_final ? "I5" : "I3", node, attempt->id, (long long)attempt->run,
                   attempt->state, said->first, said->second);
    said->first = attempt->run;
    said->second = attempt->state;
}

static void check_attempts(struct documents *documents, const struct process *process,
                           const struct bus_publication *what)
{
    _cleanup_arena_ struct arena arena = ARENA_EMPTY;
    _cleanup_problems_ struct problems problems = {0};
    struct node_state state;
    if (codec_decode(&node_state_record, what->payload, what->length, CODEC_LENIENT, &arena, &state,
                     &problems)) {
        world_fail(documents->world, "%s cannot be read", what->topic);
        return;
    }
    for (size_t i = 0; i < state.attempts.count; i++)
        check_attempt(documents, process->name,
                      RECORD_AT(struct observed_attempt, state.attempts, i),
                      said_on(documents, process, what->topic)->documents);
}

/* I1, I6: "accepted" is said only of what is in the store. */
static void check_answer(struct documents *documents, const struct process *process,
                         const struct bus_publication *what)
{
    _cleanup_arena_ struct arena arena = ARENA_EMPTY;
    _cleanup_problems_ struct problems problems = {0};
    struct reply reply;
    size_t length;
    if (codec_decode(&reply_record, what->payload, what->length, CODEC_LENIENT, &arena, &reply,
                     &problems) ||
        !reply.token)
        return;
    if (!sim_store_get(process->store, STORE_TOKENS, reply.token, &length))
        world_fail(documents->world, "I6: %s was answered \"accepted\" and its token not committed",
                   reply.token);
}

/* What is said on a cleared topic begins anew. */
static void begin_anew(struct documents *documents, const struct process *process,
                       const char *topic)
{
    struct said *said = said_on(documents, process, topic);
    said->first = said->second = 0;
}

void documents_forget(struct documents *documents, const char *node)
{
    size_t length = strlen(node);
    for (struct said *said = documents->said; said; said = said->hh.next)
        if (!strncmp(said->name, node, length) && said->name[length] == ' ' &&
            !strchr(said->name, '/')) /* an attempt's row: of its topics it keeps the order */
            said->first = said->second = 0;
}

void documents_check(struct documents *documents, const char *client,
                     const struct bus_publication *what)
{
    struct topic topic;
    const struct process *process = world_process(documents->world, client);
    if (!process || !topic_parse(what->topic, &topic))
        return;
    if (!what->length) {
        const struct node *owner = world_node(documents->world, topic.level[0]);
        begin_anew(documents, process, what->topic);
        if (topic.kind == TOPIC_NODE_STATE && owner) /* of a node that was deleted */
            begin_anew(documents, &owner->process, what->topic);
        return;
    }
    bool stored = topic.kind == TOPIC_JOB_SPEC || topic.kind == TOPIC_JOB_HISTORY ||
                  topic.kind == TOPIC_NODE_DESIRED || topic.kind == TOPIC_NODE_ASSIGN ||
                  topic.kind == TOPIC_NODE_STATE;
    if (stored) {
        check_committed(documents, process, what);
        check_order(documents, process, what);
    }
    if (topic.kind == TOPIC_NODE_STATE)
        check_attempts(documents, process, what);
    if (topic.kind == TOPIC_JOB_ACCEPTED)
        check_answer(documents, process, what);
}

struct documents *documents_new(struct world *world)
{
    struct documents *documents = mem_alloc(sizeof(*documents));
    documents->world = world;
    return documents;
}

void documents_free(struct documents *documents)
{
    struct said *said, *next;
    HASH_ITER(hh, documents->said, said, next)
    {
        HASH_DEL(documents->said, said);
        free(said->name);
        free(said);
    }
    free(documents);
}
