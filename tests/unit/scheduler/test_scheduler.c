/* Candidates, score, pick, and the explanation of what fits nowhere. */
#include "manager/scheduler/scheduler.h"

#include "platform/base/mem.h"
#include "schema/job_spec.h"
#include "tests/unit/unit.h"

#define GIB ((int64_t)1 << 30)

static const char *everywhere[] = {"*"};
static const struct string_list any_datacenter = {everywhere, 1};

static struct scheduler_node node(const char *id, int64_t cpu_millis, int64_t memory_bytes)
{
    return (struct scheduler_node){
        .id = id,
        .datacenter = "dc1",
        .runtimes = 1u << RUNTIME_DOCKER,
        .capacity = {cpu_millis, memory_bytes, 100 * GIB},
        .max_attempts = 100,
    };
}

static struct scheduler_demand demand(int64_t cpu_millis, int64_t memory_bytes)
{
    return (struct scheduler_demand){
        .datacenters = &any_datacenter,
        .runtime = RUNTIME_DOCKER,
        .needs = {cpu_millis, memory_bytes, 0},
        .count = 4,
    };
}

static const char *place(const struct scheduler_demand *asked, struct scheduler_node *nodes,
                         size_t count, struct scheduler_explanation *explanation)
{
    const struct scheduler_node *views[16];
    for (size_t i = 0; i < count; i++)
        views[i] = &nodes[i];
    const struct scheduler_node *chosen = scheduler_place(asked, views, count, explanation);
    return chosen ? chosen->id : NULL;
}

static void the_fuller_node_is_packed_first(void **state)
{
    (void)state;
    struct scheduler_explanation why;
    struct scheduler_node nodes[] = {node("a", 4000, 4 * GIB), node("b", 4000, 4 * GIB)};
    nodes[1].used = (struct capacity){2000, 2 * GIB, 0};
    struct scheduler_demand asked = demand(500, GIB / 2);
    assert_string_equal(place(&asked, nodes, 2, &why), "b");
}

static void equal_nodes_are_chosen_by_their_id_whatever_their_order(void **state)
{
    (void)state;
    struct scheduler_explanation why;
    struct scheduler_node nodes[] = {node("c", 4000, GIB), node("a", 4000, GIB),
                                     node("b", 4000, GIB)};
    struct scheduler_demand asked = demand(500, GIB / 4);
    assert_string_equal(place(&asked, nodes, 3, &why), "a");
}

static void the_score_is_the_binpack_formula(void **state)
{
    (void)state;
    struct scheduler_demand asked = demand(500, GIB / 2);
    struct scheduler_node half = node("a", 1000, GIB);
    /* free 0.5 each: (20 - 2 * 10^0.5) / 18 */
    assert_in_range(scheduler_score(&asked, &half), 759740, 759760);
    struct scheduler_node full = node("a", 500, GIB / 2);
    assert_int_equal(scheduler_score(&asked, &full), SCHEDULER_SCORE_ONE);
    struct scheduler_node vast = node("a", 500 * 1000000, GIB / 2 * 1000000);
    assert_in_range(scheduler_score(&asked, &vast), 0, 10);
}

static void a_task_keeps_away_from_itself(void **state)
{
    (void)state;
    struct scheduler_explanation why;
    struct scheduler_node nodes[] = {node("a", 4000, 4 * GIB), node("b", 4000, 4 * GIB)};
    nodes[0].used = (struct capacity){100, GIB / 16, 0};
    nodes[0].task_attempts = nodes[0].job_attempts = 1;
    struct scheduler_demand asked = demand(100, GIB / 16);
    assert_string_equal(place(&asked, nodes, 2, &why), "b");
}

static void a_node_where_it_failed_is_avoided_but_not_forbidden(void **state)
{
    (void)state;
    struct scheduler_explanation why;
    struct scheduler_node nodes[] = {node("a", 4000, 4 * GIB), node("b", 4000, 4 * GIB)};
    struct scheduler_demand asked = demand(100, GIB / 16);
    nodes[0].failed_here = true;
    assert_string_equal(place(&asked, nodes, 2, &why), "b");
    assert_string_equal(place(&asked, nodes, 1, &why), "a");
}

static void each_reason_against_a_node_is_found(void **state)
{
    (void)state;
    static const struct scheduler_port http = {8080, false};
    const char *west[] = {"west-*"};
    struct string_list western = {west, 1};
    struct scheduler_node it = node("a", 1000, GIB);
    struct scheduler_demand asked = demand(500, GIB / 2);
    assert_int_equal(scheduler_exclude(&asked, &it), REASON_NONE);

    asked.ports = &http, asked.port_count = 1;
    it.ports = &http, it.port_count = 1;
    assert_int_equal(scheduler_exclude(&asked, &it), REASON_PORT_TAKEN);
    it.port_count = 0;

    asked.datacenters = &western;
    assert_int_equal(scheduler_exclude(&asked, &it), REASON_DATACENTER);
    it.datacenter = "west-2";
    assert_int_equal(scheduler_exclude(&asked, &it), REASON_NONE);

    asked.runtime = RUNTIME_PROCESS;
    assert_int_equal(scheduler_exclude(&asked, &it), REASON_RUNTIME_MISSING);
    asked.runtime = RUNTIME_DOCKER;

    it.used.disk_bytes = it.capacity.disk_bytes;
    asked.needs.disk_bytes = 1;
    assert_int_equal(scheduler_exclude(&asked, &it), REASON_DISK_EXHAUSTED);
    it.used.memory_bytes = GIB / 2 + 1;
    assert_int_equal(scheduler_exclude(&asked, &it), REASON_MEMORY_EXHAUSTED);
    it.used.cpu_millis = 501;
    assert_int_equal(scheduler_exclude(&asked, &it), REASON_CPU_EXHAUSTED);

    it.job_attempts = LIMIT_ATTEMPTS_PER_ASSIGNMENT;
    assert_int_equal(scheduler_exclude(&asked, &it), REASON_TOO_MANY_ATTEMPTS);
    it.job_attempts = 0;
    it.attempts = it.max_attempts;
    assert_int_equal(scheduler_exclude(&asked, &it), REASON_TOO_MANY_ATTEMPTS);
    it.barred = REASON_INELIGIBLE;
    assert_int_equal(scheduler_exclude(&asked, &it), REASON_INELIGIBLE);
}

static void a_udp_port_does_not_take_the_tcp_port(void **state)
{
    (void)state;
    static const struct scheduler_port tcp = {53, false}, udp = {53, true};
    struct scheduler_node it = node("a", 1000, GIB);
    struct scheduler_demand asked = demand(1, 1);
    asked.ports = &tcp, asked.port_count = 1;
    it.ports = &udp, it.port_count = 1;
    assert_int_equal(scheduler_exclude(&asked, &it), REASON_NONE);
}

static void what_fits_nowhere_is_explained_with_the_nearest_miss(void **state)
{
    (void)state;
    char text[128];
    struct scheduler_explanation why;
    struct scheduler_node nodes[] = {node("far", 4000, GIB / 4), node("near", 4000, 2 * GIB),
                                     node("busy", 100, 8 * GIB), node("barred", 4000, 8 * GIB)};
    nodes[1].used.memory_bytes = GIB + (12 << 20);
    nodes[3].barred = REASON_NODE_SILENT;
    struct scheduler_demand asked = demand(500, GIB);
    assert_null(place(&asked, nodes, 4, &why));
    assert_int_equal(why.nodes, 4);
    assert_int_equal(why.excluded[REASON_MEMORY_EXHAUSTED], 2);
    assert_int_equal(why.excluded[REASON_CPU_EXHAUSTED], 1);
    assert_int_equal(why.excluded[REASON_NODE_SILENT], 1);
    scheduler_nearest_text(&why, text, sizeof(text));
    assert_string_equal(text, "near lacks 12 MiB memory");
}

static void a_node_without_capacity_never_wins(void **state)
{
    (void)state;
    struct scheduler_explanation why;
    struct scheduler_node nodes[] = {node("a", 0, 0)};
    struct scheduler_demand asked = demand(100, GIB);
    assert_null(place(&asked, nodes, 1, &why));
    assert_int_equal(why.excluded[REASON_CPU_EXHAUSTED], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_fuller_node_is_packed_first),
        cmocka_unit_test(equal_nodes_are_chosen_by_their_id_whatever_their_order),
        cmocka_unit_test(the_score_is_the_binpack_formula),
        cmocka_unit_test(a_task_keeps_away_from_itself),
        cmocka_unit_test(a_node_where_it_failed_is_avoided_but_not_forbidden),
        cmocka_unit_test(each_reason_against_a_node_is_found),
        cmocka_unit_test(a_udp_port_does_not_take_the_tcp_port),
        cmocka_unit_test(what_fits_nowhere_is_explained_with_the_nearest_miss),
        cmocka_unit_test(a_node_without_capacity_never_wins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
