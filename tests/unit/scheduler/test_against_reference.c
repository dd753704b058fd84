/* Thousands of random clusters: the same nodes, the same scores, the same reasons and the same
 * victims as the reference, which looks at everything each time. */
#include "platform/base/mem.h"
#include "tests/unit/scheduler/random_cluster.h"
#include "tests/unit/unit.h"

#include <string.h>

enum { CLUSTERS = 2000, HAPPENINGS = 40 };

/* How often each was compared: a test that never came to something has not tested it. */
struct seen {
    size_t placed, with_failures, nowhere, preempted, no_victims, excluded, by_policy[6];
};

static struct cluster_failures failures_of(struct random_cluster *it,
                                           const struct reference_question *question,
                                           struct cluster_node **nodes)
{
    size_t count = 0;
    for (size_t i = 0; i < REFERENCE_NODES; i++)
        if (question->failed[i])
            nodes[count++] = it->nodes[i];
    return (struct cluster_failures){nodes, count};
}

/* ---- why nowhere ---- */

static void compare_explanations(struct random_cluster *it,
                                 const struct reference_question *question, struct seen *seen)
{
    struct cluster_explanation why;
    int64_t expected[REASON_COUNT] = {0}, counted[REASON_COUNT] = {0}, nodes = 0;
    cluster_explain(it->cluster, it->groups[question->group], question->demand, &why);
    for (size_t i = 0; i < REFERENCE_NODES; i++) {
        if (!it->reference.nodes[i].there)
            continue;
        nodes++;
        expected[reference_exclude(&it->reference, question, i)]++;
    }
    expected[REASON_NONE] = 0;
    for (size_t i = 0; i < why.count; i++)
        counted[why.exclusions[i].reason] += why.exclusions[i].nodes;
    assert_int_equal(why.nodes, nodes);
    for (int reason = 0; reason < REASON_COUNT; reason++) {
        assert_int_equal(counted[reason], expected[reason]);
        seen->excluded += expected[reason] > 0;
    }
}

static void compare_preemptions(struct random_cluster *it,
                                const struct reference_question *question, struct seen *seen)
{
    bool victims[REFERENCE_CLAIMS];
    struct cluster_preemption preemption;
    int node = reference_preempt(&it->reference, question, victims);
    bool found =
        cluster_preempt(it->cluster, it->groups[question->group], question->demand, &preemption);
    assert_int_equal(found, node != REFERENCE_NOWHERE);
    if (!found) {
        seen->no_victims++;
        return;
    }
    assert_ptr_equal(preemption.node, it->nodes[node]);
    size_t expected = 0, numbers[REFERENCE_CLAIMS];
    for (size_t i = 0; i < it->reference.claim_count; i++)
        expected += victims[i];
    assert_int_equal(preemption.count, expected);
    for (size_t i = 0; i < preemption.count; i++) {
        const struct reference_claim *owner = cluster_claim_owner(preemption.victims[i]);
        numbers[i] = (size_t)(owner - it->reference.claims);
        assert_true(victims[numbers[i]]);
    }
    for (size_t i = 0; i < expected; i++)
        claim_free(it, numbers[i]);
    claim_add(it, (size_t)question->group, (size_t)node);
    seen->preempted++;
}

/* ---- where ---- */

static void compare_placements(struct random_cluster *it, struct seen *seen)
{
    struct cluster_node *failed[REFERENCE_NODES];
    struct reference_question question = random_question(it);
    struct cluster_failures failures = failures_of(it, &question, failed);
    struct cluster_group *group = it->groups[question.group];
    struct cluster_placement placement;
    struct cluster_score parts;
    int64_t score = 0;
    int node = reference_place(&it->reference, &question, &score);
    bool found = cluster_place(it->cluster, group, question.demand, &failures, &placement);
    if (found != (node != REFERENCE_NOWHERE))
        fail_msg("%s instead of %s", found ? cluster_node_id(placement.node) : "nowhere",
                 node < 0 ? "nowhere" : it->reference.nodes[node].facts.properties.id);
    compare_explanations(it, &question, seen);
    if (!found) {
        seen->nowhere++;
        compare_preemptions(it, &question, seen);
        return;
    }
    if (placement.node != it->nodes[node] || placement.score != score)
        fail_msg("%s with %lld instead of %s with %lld", cluster_node_id(placement.node),
                 (long long)placement.score, it->reference.nodes[node].facts.properties.id,
                 (long long)score);
    cluster_score(it->cluster, group, question.demand, &failures, placement.node, &parts);
    assert_int_equal(parts.mean, score);
    seen->placed++;
    seen->with_failures += failures.count > 0;
    seen->by_policy[question.demand->policy ? question.demand->policy : it->reference.policy]++;
    if (below(it, 10))
        claim_add(it, (size_t)question.group, (size_t)node);
}

static void something_happens(struct random_cluster *it, struct seen *seen)
{
    uint64_t what = below(it, 100);
    if (what < 70)
        compare_placements(it, seen);
    else if (what < 82)
        random_claim_free(it);
    else if (what < 85)
        random_claim_leave(it);
    else if (what < 93)
        random_node_change(it);
    else if (what < 97)
        random_node_add(it);
    else
        random_node_remove(it);
}

static void every_answer_is_that_of_the_reference(void **state)
{
    (void)state;
    static struct random_cluster it;
    struct seen seen = {.placed = 0};
    for (uint64_t seed = 0; seed < CLUSTERS; seed++) {
        random_cluster_init(&it, seed);
        for (int i = 0; i < HAPPENINGS; i++)
            something_happens(&it, &seen);
        random_cluster_release(&it);
    }
    print_message("placed %zu (%zu with failures), nowhere %zu, preempted %zu, nobody %zu\n",
                  seen.placed, seen.with_failures, seen.nowhere, seen.preempted, seen.no_victims);
    assert_true(seen.placed > 20000 && seen.with_failures > 5000 && seen.nowhere > 2000 &&
                seen.preempted > 200 && seen.no_victims > 2000 && seen.excluded > 20000);
    for (int policy = POLICY_BINPACK; policy <= POLICY_ROUND_ROBIN; policy++)
        assert_true(seen.by_policy[policy] > 1000);
}

/* ---- without a class, and with one ---- */

enum { LONE_CLUSTERS = 400, LONE_TASKS = 60 };

struct lone {
    struct cluster_demand demand;
    struct cluster_group *group;
    struct cluster_claim *claim;
};

static void compare_lone(struct random_cluster *it, struct lone *lone, struct seen *seen)
{
    struct cluster_placement first, second;
    *lone = (struct lone){random_lone_demand(it), cluster_group_new(it->jobs[0]), NULL};
    bool found = cluster_place(it->cluster, lone->group, &lone->demand, NULL, &first);
    bool again = cluster_place(it->cluster, lone->group, &lone->demand, NULL, &second);
    assert_int_equal(found, again);
    seen->nowhere += !found;
    if (!found)
        return;
    if (first.node != second.node || first.score != second.score)
        fail_msg("%s with %lld, then %s with %lld", cluster_node_id(first.node),
                 (long long)first.score, cluster_node_id(second.node), (long long)second.score);
    lone->claim = cluster_claim_new(it->cluster, first.node, lone->group, &lone->demand, NULL);
    seen->placed++;
}

/* Asked for the first time it is placed without a class, the second time with one, which is what
 * the reference was compared with. */
static void a_task_like_no_other_goes_where_its_class_would_send_it(void **state)
{
    (void)state;
    static struct random_cluster it;
    static struct lone lones[LONE_TASKS];
    struct seen seen = {.placed = 0};
    for (uint64_t seed = 0; seed < LONE_CLUSTERS; seed++) {
        random_cluster_init(&it, seed + CLUSTERS);
        for (size_t i = 0; i < LONE_TASKS; i++) {
            compare_lone(&it, &lones[i], &seen);
            struct lone *ends = &lones[below(&it, i + 1)];
            if (ends->claim && below(&it, 2))
                cluster_claim_free(it.cluster, mem_steal(ends->claim));
        }
        for (size_t i = 0; i < LONE_TASKS; i++)
            cluster_group_free(it.cluster, lones[i].group);
        random_cluster_release(&it);
    }
    assert_true(seen.placed > 10000 && seen.nowhere > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_answer_is_that_of_the_reference),
        cmocka_unit_test(a_task_like_no_other_goes_where_its_class_would_send_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
