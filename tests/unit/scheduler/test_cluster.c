/* The scheduler by example: each sentence of what it promises, on a cluster that fits on a page. */
#include "manager/scheduler/cluster.h"

#include "platform/base/mem.h"
#include "schema/job_spec.h"
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#define GIB ((int64_t)1 << 30)

enum { NODES_MAX = 8 };

struct office {
    struct arena arena;
    struct cluster *cluster;
    struct cluster_job *job, *other_job;
    struct cluster_group *group, *other_group;
    struct cluster_demand demand; /* of one cpu and a GiB, ten instances */
    struct cluster_node *nodes[NODES_MAX];
    size_t node_count;
};

static const char *everywhere[] = {"*"};
static const struct string_list any_datacenter = {everywhere, 1};

static struct cluster_demand plain_demand(int64_t priority)
{
    return (struct cluster_demand){.datacenters = &any_datacenter,
                                   .runtime = RUNTIME_DOCKER,
                                   .needs = {1000, GIB, 0},
                                   .count = 10,
                                   .priority = priority};
}

static int office_open(void **state)
{
    struct office *office = mem_alloc(sizeof(*office));
    office->cluster = cluster_new(&(struct cluster_settings){.max_jobs = 10});
    office->job = cluster_job_new();
    office->other_job = cluster_job_new();
    office->group = cluster_group_new(office->job);
    office->other_group = cluster_group_new(office->other_job);
    office->demand = plain_demand(50);
    *state = office;
    return 0;
}

static int office_close(void **state)
{
    struct office *office = *state;
    cluster_free(office->cluster);
    cluster_group_free(NULL, office->group);
    cluster_group_free(NULL, office->other_group);
    cluster_job_free(office->job);
    cluster_job_free(office->other_job);
    arena_release(&office->arena);
    free(office);
    return 0;
}

/* `labels`: pairs of texts. Eight cpus and GiB. */
static struct cluster_facts facts_of(struct office *office, const char *id,
                                     const char *const *labels, size_t count)
{
    struct string_pair *pairs = arena_array(&office->arena, count + 1, sizeof(*pairs));
    for (size_t i = 0; i < count; i++)
        pairs[i] = (struct string_pair){labels[2 * i], labels[2 * i + 1]};
    return (struct cluster_facts){.properties = {.id = id, .labels = {pairs, count}},
                                  .runtimes = 1u << RUNTIME_DOCKER,
                                  .capacity = {8000, 8 * GIB, 100 * GIB},
                                  .max_attempts = 100,
                                  .dynamic_ports = UNSET};
}

static struct cluster_node *add(struct office *office, const char *id, const char *key,
                                const char *value)
{
    const char *const labels[] = {key, value};
    struct cluster_facts facts = facts_of(office, id, labels, key ? 1 : 0);
    office->nodes[office->node_count] = cluster_node_add(office->cluster, &facts);
    return office->nodes[office->node_count++];
}

static struct expression parsed(struct office *office, const char *text)
{
    struct expression expression;
    struct expression_problem problem;
    assert_int_equal(expression_parse(text, &office->arena, &expression, &problem), 0);
    return expression;
}

/* Places one and claims it; the node's id, or "nowhere". */
static const char *place(struct office *office)
{
    struct cluster_placement placement;
    struct cluster_demand *kept = arena_alloc(&office->arena, sizeof(*kept));
    assert_int_equal(cluster_demand_seal(&office->demand, &office->arena), 0);
    *kept = office->demand;
    if (!cluster_place(office->cluster, office->group, kept, NULL, &placement))
        return "nowhere";
    cluster_claim_new(office->cluster, placement.node, office->group, kept, NULL);
    return cluster_node_id(placement.node);
}

static void assert_placed(struct office *office, const char *const *ids)
{
    for (; *ids; ids++)
        assert_string_equal(place(office), *ids);
}

#define PLACED(office, ...) assert_placed(office, (const char *const[]){__VA_ARGS__, NULL})

static void equal_nodes_are_taken_by_id_and_an_own_instance_repels(void **state)
{
    struct office *office = *state;
    add(office, "c", NULL, NULL);
    add(office, "a", NULL, NULL);
    add(office, "b", NULL, NULL);
    PLACED(office, "a", "b", "c", "a");
}

static void constraints_exclude_and_are_named(void **state)
{
    struct office *office = *state;
    struct cluster_explanation why;
    struct expression constraints[] = {parsed(office, "label.site in [graz, linz]"),
                                       parsed(office, "label.site != linz")};
    add(office, "n1", "site", "berlin");
    add(office, "n2", "site", "linz");
    add(office, "n3", NULL, NULL);
    office->demand.constraints = constraints;
    office->demand.constraint_count = 2;
    assert_string_equal(place(office), "nowhere");
    cluster_explain(office->cluster, office->group, &office->demand, &why);
    assert_int_equal(why.nodes, 3);
    assert_int_equal(why.count, 2);
    assert_int_equal(why.exclusions[0].reason, REASON_CONSTRAINT);
    assert_string_equal(why.exclusions[0].detail, "label.site in [graz, linz]");
    assert_int_equal(why.exclusions[0].nodes, 2);
    assert_string_equal(why.exclusions[1].detail, "label.site != linz");
    add(office, "n4", "site", "graz");
    assert_string_equal(place(office), "n4");
}

static void the_nearest_miss_is_the_node_that_lacks_least(void **state)
{
    struct office *office = *state;
    struct cluster_explanation why;
    add(office, "a", NULL, NULL);
    add(office, "b", NULL, NULL);
    struct cluster_facts facts = facts_of(office, "c", NULL, 0);
    facts.capacity.cpu_millis = 8500;
    facts.barred = REASON_INELIGIBLE; /* would be nearer still */
    cluster_node_add(office->cluster, &facts);
    office->demand.needs = (struct capacity){5000, GIB, 0};
    PLACED(office, "a", "b", "nowhere");
    office->demand.needs = (struct capacity){3200, GIB, 0};
    assert_string_equal(place(office), "nowhere");
    cluster_explain(office->cluster, office->group, &office->demand, &why);
    char text[LIMIT_MESSAGE_LENGTH];
    cluster_nearest_text(&why, text, sizeof(text));
    assert_string_equal(text, "a lacks 0.2 cpu");
}

static void an_affinity_draws_and_its_parts_are_told(void **state)
{
    struct office *office = *state;
    struct cluster_score score;
    struct cluster_affinity affinities[] = {{parsed(office, "label.disk == ssd"), 60},
                                            {parsed(office, "label.disk is_set"), -20}};
    add(office, "a", NULL, NULL);
    add(office, "b", "disk", "ssd");
    office->demand.affinities = affinities;
    office->demand.affinity_count = 2;
    assert_string_equal(place(office), "b");
    cluster_score(office->cluster, office->group, &office->demand, NULL, office->nodes[1], &score);
    assert_int_equal(score.affinity, 500000); /* (60 - 20) / 80 */
    assert_int_equal(score.anti_affinity, -200000);
    assert_int_equal(score.parts, 3);
    assert_int_equal(score.mean, (score.policy + 500000 - 200000) * 20);
}

static void a_spread_keeps_its_percentages(void **state)
{
    struct office *office = *state;
    const struct cluster_spread_target targets[] = {{"r1", 70}, {"r2", 30}};
    const struct cluster_spread spread = {"label.rack", 100, targets, 2};
    size_t counts[2] = {0};
    add(office, "a", "rack", "r1");
    add(office, "b", "rack", "r1");
    add(office, "c", "rack", "r2");
    add(office, "d", "rack", "r2");
    office->demand.needs = (struct capacity){100, GIB / 16, 0};
    office->demand.spreads = &spread;
    office->demand.spread_count = 1;
    for (int i = 0; i < 10; i++)
        counts[place(office)[0] >= 'c']++;
    assert_int_equal(counts[0], 7);
    assert_int_equal(counts[1], 3);
}

static void an_even_spread_goes_to_a_rack_that_joins(void **state)
{
    struct office *office = *state;
    const struct cluster_spread spread = {"label.rack", 100, NULL, 0};
    add(office, "a", "rack", "r1");
    add(office, "b", "rack", "r2");
    office->demand.spreads = &spread;
    office->demand.spread_count = 1;
    PLACED(office, "a", "b", "a", "b");
    add(office, "c", "rack", "r3");
    PLACED(office, "c", "c", "a");
}

static void distinct_hosts_and_properties_limit(void **state)
{
    struct office *office = *state;
    struct cluster_explanation why;
    const struct cluster_distinct distinct = {"label.rack", 2, false};
    add(office, "a", "rack", "r1");
    add(office, "b", "rack", "r1");
    add(office, "c", "rack", "r1");
    add(office, "d", NULL, NULL); /* without it a node does not qualify */
    office->demand.distincts = &distinct;
    office->demand.distinct_count = 1;
    office->demand.distinct_hosts_of_task = true;
    PLACED(office, "a", "b", "nowhere");
    cluster_explain(office->cluster, office->group, &office->demand, &why);
    assert_int_equal(why.count, 2);
    assert_int_equal(why.exclusions[0].reason, REASON_DISTINCT_HOSTS);
    assert_int_equal(why.exclusions[0].nodes, 2);
    assert_int_equal(why.exclusions[1].reason, REASON_DISTINCT_PROPERTY);
    assert_string_equal(why.exclusions[1].detail, "label.rack");
    assert_int_equal(why.exclusions[1].nodes, 2);
}

static void ports_and_devices_are_held_by_one(void **state)
{
    struct office *office = *state;
    static const struct cluster_port http = {80, false};
    static const char *usb[] = {"/dev/ttyUSB0"};
    static const struct string_list devices = {usb, 1};
    const char *detail;
    struct cluster_facts facts = facts_of(office, "a", NULL, 0);
    facts.devices = &devices;
    struct cluster_node *a = cluster_node_add(office->cluster, &facts);
    facts.properties.id = "b";
    facts.devices = &(struct string_list){NULL, 0};
    struct cluster_node *b = cluster_node_add(office->cluster, &facts);
    office->demand.devices = devices;
    PLACED(office, "a", "nowhere");
    assert_int_equal(cluster_exclude(office->cluster, office->group, &office->demand, a, &detail),
                     REASON_DEVICE_TAKEN);
    assert_string_equal(detail, "/dev/ttyUSB0");
    assert_int_equal(cluster_exclude(office->cluster, office->group, &office->demand, b, &detail),
                     REASON_DEVICE_MISSING);
    struct cluster_demand web = plain_demand(50);
    web.ports = &http;
    web.port_count = 1;
    assert_int_equal(cluster_demand_seal(&web, &office->arena), 0);
    cluster_claim_new(office->cluster, b, office->other_group, &web, NULL);
    assert_int_equal(cluster_exclude(office->cluster, office->group, &web, b, &detail),
                     REASON_PORT_TAKEN);
    assert_int_equal(cluster_exclude(office->cluster, office->group, &web, a, &detail),
                     REASON_NONE);
}

static void round_robin_goes_round(void **state)
{
    struct office *office = *state;
    add(office, "a", NULL, NULL);
    add(office, "b", NULL, NULL);
    add(office, "c", NULL, NULL);
    office->demand.policy = POLICY_ROUND_ROBIN;
    office->demand.count = 1000; /* so that anti-affinity hardly matters */
    PLACED(office, "a", "b", "c");
    assert_string_equal(cluster_cursor(office->cluster), "c");
}

static void a_herd_does_not_form_between_two_heartbeats(void **state)
{
    struct office *office = *state;
    struct capacity idle = {0, 0, 0}, busy = {2500, GIB, 0};
    add(office, "a", NULL, NULL);
    add(office, "b", NULL, NULL);
    cluster_node_load(office->cluster, office->nodes[0], &busy);
    cluster_node_load(office->cluster, office->nodes[1], &idle);
    office->demand.policy = POLICY_GREEDY;
    office->demand.count = 1000000;
    PLACED(office, "b");
    cluster_node_load(office->cluster, office->nodes[1], &(struct capacity){3000, GIB, 0});
    office->demand.policy = POLICY_EPVM;
    PLACED(office, "a");
}

static struct cluster_claim *claim(struct office *office, size_t node,
                                   const struct cluster_demand *demand)
{
    return cluster_claim_new(office->cluster, office->nodes[node], office->other_group, demand,
                             NULL);
}

static void preemption_takes_the_lowest_the_nearest_in_size_and_no_more_than_needed(void **state)
{
    struct office *office = *state;
    struct cluster_preemption preemption;
    struct cluster_demand low = plain_demand(10), middle = plain_demand(30),
                          equal = plain_demand(41);
    low.needs.cpu_millis = 4000;
    middle.needs.cpu_millis = 7000;
    equal.needs.cpu_millis = 1000;
    add(office, "a", NULL, NULL);
    add(office, "b", NULL, NULL);
    struct cluster_claim *nearer = claim(office, 0, &low);
    claim(office, 0, &equal);
    struct cluster_demand small = plain_demand(10);
    small.needs.cpu_millis = 3000;
    claim(office, 0, &small);
    claim(office, 1, &middle);
    claim(office, 1, &equal); /* only nine lower: stays */
    office->demand.needs.cpu_millis = 3900;
    assert_int_equal(cluster_demand_seal(&office->demand, &office->arena), 0);
    assert_true(cluster_preempt(office->cluster, office->group, &office->demand, &preemption));
    assert_ptr_equal(preemption.node, office->nodes[0]);
    assert_int_equal(preemption.count, 1);
    assert_ptr_equal(preemption.victims[0], nearer);
    office->demand.needs.cpu_millis = 7500; /* more than who may go holds anywhere */
    assert_int_equal(cluster_demand_seal(&office->demand, &office->arena), 0);
    assert_false(cluster_preempt(office->cluster, office->group, &office->demand, &preemption));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, office_open, office_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(equal_nodes_are_taken_by_id_and_an_own_instance_repels),
        TEST(constraints_exclude_and_are_named),
        TEST(the_nearest_miss_is_the_node_that_lacks_least),
        TEST(an_affinity_draws_and_its_parts_are_told),
        TEST(a_spread_keeps_its_percentages),
        TEST(an_even_spread_goes_to_a_rack_that_joins),
        TEST(distinct_hosts_and_properties_limit),
        TEST(ports_and_devices_are_held_by_one),
        TEST(round_robin_goes_round),
        TEST(a_herd_does_not_form_between_two_heartbeats),
        TEST(preemption_takes_the_lowest_the_nearest_in_size_and_no_more_than_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
