#include "tests/unit/scheduler/reference.h"

#include "manager/scheduler/fixed.h"
#include "schema/job_spec.h"

#include <stdlib.h>
#include <string.h>

typedef const struct reference reference_t;
typedef const struct reference_question question_t;

static const char *property(reference_t *reference, size_t node, const char *target)
{
    return node_property(&reference->nodes[node].facts.properties, target);
}

/* ---- counts ---- */

/* Instances on the node; of the job or of the group alone. */
static int64_t count_on(reference_t *reference, question_t *question, bool of_job, size_t node)
{
    int64_t count = 0;
    for (size_t i = 0; i < reference->claim_count; i++) {
        const struct reference_claim *claim = &reference->claims[i];
        bool of_it = of_job ? claim->job == question->job : claim->group == question->group;
        count += claim->there && claim->node == node && of_it;
    }
    return count;
}

/* Instances where the attribute has the value; of the job or of the group alone. */
static int64_t with_value(reference_t *reference, question_t *question, bool of_job,
                          const char *attribute, const char *value)
{
    int64_t count = 0;
    for (size_t node = 0; node < REFERENCE_NODES; node++) {
        if (!reference->nodes[node].there)
            continue;
        const char *here = property(reference, node, attribute);
        if (here && strcmp(here, value) == 0)
            count += count_on(reference, question, of_job, node);
    }
    return count;
}

/* What is used of a node; `gone`: claims that are thought away, or NULL. */
struct usage {
    struct capacity reserved;
    int64_t attempts, dynamic_ports;
};

static struct usage usage_of(reference_t *reference, size_t node, const bool *gone)
{
    struct usage usage = {.attempts = 0};
    for (size_t i = 0; i < reference->claim_count; i++) {
        const struct reference_claim *claim = &reference->claims[i];
        if (!claim->there || claim->node != node || (gone && gone[i]))
            continue;
        usage.reserved.cpu_millis += claim->demand->needs.cpu_millis;
        usage.reserved.memory_bytes += claim->demand->needs.memory_bytes;
        usage.reserved.disk_bytes += claim->demand->needs.disk_bytes;
        usage.attempts++;
        usage.dynamic_ports += claim->demand->dynamic_ports;
    }
    return usage;
}

/* ---- reasons against a node ---- */

static enum reason exclude_by_properties(reference_t *reference, question_t *question, size_t node)
{
    const struct cluster_demand *demand = question->demand;
    const struct cluster_facts *facts = &reference->nodes[node].facts;
    bool in_datacenter = false;
    for (size_t i = 0; i < demand->datacenters->count; i++)
        in_datacenter |= glob_match(demand->datacenters->items[i], facts->properties.datacenter);
    if (facts->barred)
        return facts->barred;
    if (!in_datacenter)
        return REASON_DATACENTER;
    if (!(facts->runtimes & (1u << demand->runtime)))
        return REASON_RUNTIME_MISSING;
    for (size_t i = 0; i < demand->constraint_count; i++)
        if (!expression_holds(&demand->constraints[i],
                              property(reference, node, demand->constraints[i].target)))
            return REASON_CONSTRAINT;
    for (size_t i = 0; i < demand->distinct_count; i++)
        if (!property(reference, node, demand->distincts[i].attribute))
            return REASON_DISTINCT_PROPERTY;
    for (size_t i = 0; i < demand->devices.count; i++) {
        bool found = !facts->devices;
        for (size_t j = 0; facts->devices && j < facts->devices->count; j++)
            found |= strcmp(facts->devices->items[j], demand->devices.items[i]) == 0;
        if (!found)
            return REASON_DEVICE_MISSING;
    }
    return demand->memory_max_bytes > facts->capacity.memory_bytes ? REASON_MEMORY_EXHAUSTED
                                                                   : REASON_NONE;
}

static enum reason exclude_by_others(reference_t *reference, question_t *question, size_t node)
{
    const struct cluster_demand *demand = question->demand;
    if (demand->distinct_hosts_of_task && count_on(reference, question, false, node))
        return REASON_DISTINCT_HOSTS;
    if (demand->distinct_hosts_of_job && count_on(reference, question, true, node))
        return REASON_DISTINCT_HOSTS;
    if (count_on(reference, question, true, node) >= LIMIT_ATTEMPTS_PER_ASSIGNMENT)
        return REASON_TOO_MANY_ATTEMPTS;
    for (size_t i = 0; i < demand->distinct_count; i++) {
        const struct cluster_distinct *distinct = &demand->distincts[i];
        const char *value = property(reference, node, distinct->attribute);
        if (with_value(reference, question, distinct->of_job, distinct->attribute, value) >=
            distinct->limit)
            return REASON_DISTINCT_PROPERTY;
    }
    return REASON_NONE;
}

static bool ports_collide(const struct cluster_demand *a, const struct cluster_demand *b)
{
    for (size_t i = 0; i < a->port_count; i++)
        for (size_t j = 0; j < b->port_count; j++)
            if (a->ports[i].port == b->ports[j].port && a->ports[i].udp == b->ports[j].udp)
                return true;
    return false;
}

static bool devices_collide(const struct cluster_demand *a, const struct cluster_demand *b)
{
    for (size_t i = 0; i < a->devices.count; i++)
        for (size_t j = 0; j < b->devices.count; j++)
            if (strcmp(a->devices.items[i], b->devices.items[j]) == 0)
                return true;
    return false;
}

static enum reason exclude_by_room(reference_t *reference, question_t *question, size_t node,
                                   const bool *gone)
{
    const struct cluster_demand *demand = question->demand;
    const struct cluster_facts *facts = &reference->nodes[node].facts;
    struct usage usage = usage_of(reference, node, gone);
    bool port = false, device = false;
    for (size_t i = 0; i < reference->claim_count; i++) {
        const struct reference_claim *claim = &reference->claims[i];
        if (!claim->there || claim->node != node || (gone && gone[i]))
            continue;
        port |= ports_collide(demand, claim->demand);
        device |= devices_collide(demand, claim->demand);
    }
    if (port)
        return REASON_PORT_TAKEN;
    if (device)
        return REASON_DEVICE_TAKEN;
    if (demand->dynamic_ports && facts->dynamic_ports != UNSET &&
        usage.dynamic_ports + demand->dynamic_ports > facts->dynamic_ports)
        return REASON_PORTS_EXHAUSTED;
    if (usage.attempts + 1 > facts->max_attempts)
        return REASON_TOO_MANY_ATTEMPTS;
    if (usage.reserved.cpu_millis + demand->needs.cpu_millis > facts->capacity.cpu_millis)
        return REASON_CPU_EXHAUSTED;
    if (usage.reserved.memory_bytes + demand->needs.memory_bytes > facts->capacity.memory_bytes)
        return REASON_MEMORY_EXHAUSTED;
    if (usage.reserved.disk_bytes + demand->needs.disk_bytes > facts->capacity.disk_bytes)
        return REASON_DISK_EXHAUSTED;
    return REASON_NONE;
}

enum reason reference_exclude(reference_t *reference, question_t *question, size_t node)
{
    enum reason reason = exclude_by_properties(reference, question, node);
    if (!reason)
        reason = exclude_by_others(reference, question, node);
    return reason ? reason : exclude_by_room(reference, question, node, NULL);
}

/* ---- the policy's part ---- */

static enum placement_policy policy_of(reference_t *reference, question_t *question)
{
    return question->demand->policy ? question->demand->policy : reference->policy;
}

static bool by_load(enum placement_policy policy)
{
    return policy == POLICY_EPVM || policy == POLICY_GREEDY || policy == POLICY_ROUND_ROBIN;
}

/* 10^free as it is now, and what that becomes when more is taken. */
static int64_t power_afterwards(int64_t used, int64_t asked, int64_t total)
{
    return (fixed_free_power(used, total) * fixed_asked_factor(asked, total)) >> FIXED_BITS;
}

static int64_t fitness(reference_t *reference, question_t *question, size_t node)
{
    const struct capacity *has = &reference->nodes[node].facts.capacity;
    const struct capacity *asked = &question->demand->needs;
    struct capacity used = usage_of(reference, node, NULL).reserved;
    int64_t cpu = power_afterwards(used.cpu_millis, asked->cpu_millis, has->cpu_millis);
    int64_t memory = power_afterwards(used.memory_bytes, asked->memory_bytes, has->memory_bytes);
    return policy_of(reference, question) == POLICY_SPREAD ? part_spread(cpu, memory)
                                                           : part_binpack(cpu, memory);
}

static struct capacity load_of(reference_t *reference, size_t node)
{
    const struct reference_node *at = &reference->nodes[node];
    if (!at->load_known)
        return usage_of(reference, node, NULL).reserved;
    struct capacity load = at->load;
    for (size_t i = at->load_claim_number; i < reference->claim_count; i++) {
        if (reference->claims[i].node != node)
            continue; /* one that was given back counts until the next heartbeat */
        load.cpu_millis += reference->claims[i].demand->needs.cpu_millis;
        load.memory_bytes += reference->claims[i].demand->needs.memory_bytes;
    }
    return load;
}

/* How many nodes there are from the one behind the cursor to this one. */
static int64_t steps_from_cursor(reference_t *reference, size_t node)
{
    int64_t before = 0, behind_cursor = 0, all = 0, before_cursor = 0;
    const char *id = reference->nodes[node].facts.properties.id;
    for (size_t i = 0; i < REFERENCE_NODES; i++) {
        if (!reference->nodes[i].there)
            continue;
        const char *other = reference->nodes[i].facts.properties.id;
        all++;
        before += strcmp(other, id) < 0;
        before_cursor += strcmp(other, reference->cursor) <= 0;
        behind_cursor += strcmp(other, reference->cursor) > 0;
    }
    return before >= before_cursor ? before - before_cursor : before + behind_cursor;
}

static int64_t cost(reference_t *reference, question_t *question, size_t node)
{
    const struct capacity *has = &reference->nodes[node].facts.capacity;
    const struct capacity *asked = &question->demand->needs;
    struct capacity load = load_of(reference, node);
    enum placement_policy policy = policy_of(reference, question);
    if (policy == POLICY_ROUND_ROBIN)
        return steps_from_cursor(reference, node);
    if (policy == POLICY_GREEDY)
        return fixed_fraction(load.cpu_millis, has->cpu_millis);
    return cost_epvm(load.cpu_millis, asked->cpu_millis, has->cpu_millis) +
           cost_epvm(load.memory_bytes, asked->memory_bytes, has->memory_bytes) +
           cost_epvm(usage_of(reference, node, NULL).attempts, 1, reference->max_jobs);
}

/* Different costs of the feasible nodes, in equal steps from 1 (the lowest) down to 0. */
static int64_t ranked_cost(reference_t *reference, question_t *question, size_t node)
{
    int64_t costs[REFERENCE_NODES], mine = cost(reference, question, node);
    int64_t lower = 0, all = 0;
    for (size_t i = 0; i < REFERENCE_NODES; i++) {
        if (!reference->nodes[i].there || reference_exclude(reference, question, i))
            continue;
        int64_t other = cost(reference, question, i);
        bool known = false;
        for (int64_t j = 0; j < all; j++)
            known |= costs[j] == other;
        if (known)
            continue;
        costs[all++] = other;
        lower += other < mine;
    }
    return all > 1 ? (all - 1 - lower) * PART_ONE / (all - 1) : PART_ONE;
}

/* ---- the other parts ---- */

static int64_t affinity(reference_t *reference, question_t *question, size_t node)
{
    int64_t matched = 0, weights = 0;
    for (size_t i = 0; i < question->demand->affinity_count; i++) {
        const struct cluster_affinity *at = &question->demand->affinities[i];
        weights += llabs(at->weight);
        if (expression_holds(&at->expression, property(reference, node, at->expression.target)))
            matched += at->weight;
    }
    return matched * PART_ONE / weights;
}

static int64_t targeted_boost(reference_t *reference, question_t *question,
                              const struct cluster_spread *spread, const char *value)
{
    int64_t percent = -1, rest = 100, named_rest = -1;
    for (size_t i = 0; i < spread->target_count; i++) {
        if (strcmp(spread->targets[i].value, value) == 0)
            percent = spread->targets[i].percent;
        if (strcmp(spread->targets[i].value, "*") == 0)
            named_rest = spread->targets[i].percent;
        rest -= spread->targets[i].percent;
    }
    if (percent < 0)
        percent = named_rest >= 0 ? named_rest : rest > 0 ? rest : 0;
    return part_spread_target(percent, question->demand->count,
                              with_value(reference, question, false, spread->attribute, value));
}

/* The values there are: those of nodes that would do and may take work at all. */
static int64_t even_boost(reference_t *reference, question_t *question,
                          const struct cluster_spread *spread, const char *value)
{
    int64_t least = INT64_MAX, most = 0;
    for (size_t i = 0; i < REFERENCE_NODES; i++) {
        if (!reference->nodes[i].there || exclude_by_properties(reference, question, i))
            continue;
        const char *other = property(reference, i, spread->attribute);
        if (!other)
            continue;
        int64_t used = with_value(reference, question, false, spread->attribute, other);
        least = used < least ? used : least;
        most = used > most ? used : most;
    }
    return part_spread_even(with_value(reference, question, false, spread->attribute, value), least,
                            most);
}

static int64_t spread_part(reference_t *reference, question_t *question, size_t node)
{
    const struct cluster_demand *demand = question->demand;
    int64_t sum = 0, weights = 0;
    for (size_t i = 0; i < demand->spread_count; i++)
        weights += demand->spreads[i].weight;
    for (size_t i = 0; i < demand->spread_count; i++) {
        const struct cluster_spread *spread = &demand->spreads[i];
        const char *value = property(reference, node, spread->attribute);
        int64_t boost = !value                 ? -PART_ONE
                        : spread->target_count ? targeted_boost(reference, question, spread, value)
                                               : even_boost(reference, question, spread, value);
        sum += boost * spread->weight / weights;
    }
    return sum;
}

static int64_t score(reference_t *reference, question_t *question, size_t node)
{
    const struct cluster_demand *demand = question->demand;
    int64_t others = count_on(reference, question, false, node), parts = 1;
    int64_t sum = by_load(policy_of(reference, question)) ? ranked_cost(reference, question, node)
                                                          : fitness(reference, question, node);
    if (others) {
        sum += part_anti_affinity(others, demand->count);
        parts++;
    }
    if (question->failed[node]) {
        sum -= PART_ONE;
        parts++;
    }
    if (demand->affinity_count) {
        sum += affinity(reference, question, node);
        parts++;
    }
    if (demand->spread_count) {
        sum += spread_part(reference, question, node);
        parts++;
    }
    return sum * CLUSTER_SCORE_SCALE / parts;
}

int reference_place(reference_t *reference, question_t *question, int64_t *ret_score)
{
    int best = REFERENCE_NOWHERE;
    for (size_t node = 0; node < REFERENCE_NODES; node++) {
        if (!reference->nodes[node].there || reference_exclude(reference, question, node))
            continue;
        int64_t here = score(reference, question, node);
        if (best >= 0 &&
            (here < *ret_score ||
             (here == *ret_score && strcmp(reference->nodes[node].facts.properties.id,
                                           reference->nodes[best].facts.properties.id) > 0)))
            continue;
        best = (int)node;
        *ret_score = here;
    }
    return best;
}

/* ---- preemption ---- */

/* In 1024ths. */
static int64_t difference(int64_t held, int64_t asked)
{
    int64_t share = fixed_fraction(llabs(held - asked), asked) >> (FIXED_BITS - 10);
    return share > PART_ONE ? PART_ONE : share;
}

static int64_t size_distance(const struct capacity *held, const struct capacity *asked)
{
    int64_t cpu = difference(held->cpu_millis, asked->cpu_millis);
    int64_t memory = difference(held->memory_bytes, asked->memory_bytes);
    int64_t disk = difference(held->disk_bytes, asked->disk_bytes);
    return cpu * cpu + memory * memory + disk * disk;
}

/* Whether claim a goes before claim b. */
static bool goes_first(reference_t *reference, question_t *question, size_t a, size_t b)
{
    const struct reference_claim *left = &reference->claims[a], *right = &reference->claims[b];
    int64_t near = size_distance(&left->demand->needs, &question->demand->needs);
    int64_t far = size_distance(&right->demand->needs, &question->demand->needs);
    if (left->priority != right->priority)
        return left->priority < right->priority;
    return near != far ? near < far : a > b;
}

static bool may_go(reference_t *reference, question_t *question, size_t node, size_t claim)
{
    const struct reference_claim *at = &reference->claims[claim];
    return at->there && at->node == node && at->job != question->job &&
           (!at->priority || at->priority + PREEMPTION_PRIORITY_GAP <= question->demand->priority);
}

/* True when it then fits; `ret_gone` says who goes. */
static bool choose(reference_t *reference, question_t *question, size_t node, bool *ret_gone)
{
    size_t order[REFERENCE_CLAIMS], count = 0;
    memset(ret_gone, 0, REFERENCE_CLAIMS * sizeof(*ret_gone));
    while (exclude_by_room(reference, question, node, ret_gone)) {
        int next = -1;
        for (size_t i = 0; i < reference->claim_count; i++)
            if (!ret_gone[i] && may_go(reference, question, node, i) &&
                (next < 0 || goes_first(reference, question, i, (size_t)next)))
                next = (int)i;
        if (next < 0)
            return false;
        ret_gone[next] = true;
        order[count++] = (size_t)next;
    }
    for (size_t i = count; i-- > 0;) {
        ret_gone[order[i]] = false;
        if (exclude_by_room(reference, question, node, ret_gone))
            ret_gone[order[i]] = true;
    }
    return true;
}

static int64_t fitness_without(reference_t *reference, question_t *question, size_t node,
                               const bool *gone)
{
    const struct capacity *has = &reference->nodes[node].facts.capacity;
    const struct capacity *asked = &question->demand->needs;
    struct capacity used = usage_of(reference, node, gone).reserved;
    int64_t cpu = fixed_free_power(used.cpu_millis + asked->cpu_millis, has->cpu_millis);
    int64_t memory = fixed_free_power(used.memory_bytes + asked->memory_bytes, has->memory_bytes);
    if (by_load(policy_of(reference, question)))
        return 0;
    return policy_of(reference, question) == POLICY_SPREAD ? part_spread(cpu, memory)
                                                           : part_binpack(cpu, memory);
}

/* Whether what would go on one node is better than on another. */
struct loss {
    int64_t highest, count, fitness;
    const char *id;
};

static bool is_smaller(const struct loss *a, const struct loss *b)
{
    if (a->highest != b->highest)
        return a->highest < b->highest;
    if (a->count != b->count)
        return a->count < b->count;
    return a->fitness != b->fitness ? a->fitness > b->fitness : strcmp(a->id, b->id) < 0;
}

int reference_preempt(reference_t *reference, question_t *question,
                      bool ret_victims[REFERENCE_CLAIMS])
{
    int best = REFERENCE_NOWHERE;
    struct loss smallest = {.highest = 0};
    for (size_t node = 0; node < REFERENCE_NODES; node++) {
        bool gone[REFERENCE_CLAIMS];
        if (!reference->nodes[node].there || exclude_by_properties(reference, question, node) ||
            exclude_by_others(reference, question, node) ||
            !choose(reference, question, node, gone))
            continue;
        struct loss loss = {.id = reference->nodes[node].facts.properties.id,
                            .fitness = fitness_without(reference, question, node, gone)};
        for (size_t i = 0; i < reference->claim_count; i++) {
            int64_t priority = gone[i] ? reference->claims[i].priority : 0;
            loss.highest = priority > loss.highest ? priority : loss.highest;
            loss.count += gone[i];
        }
        if (best >= 0 && !is_smaller(&loss, &smallest))
            continue;
        best = (int)node;
        smallest = loss;
        memcpy(ret_victims, gone, sizeof(gone));
    }
    return best;
}
