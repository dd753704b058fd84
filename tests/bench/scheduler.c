/* How many instances a second of processor time the scheduler places, beside a plain full scan of
 * the same demands on the same cluster, both on one core in this one run. Every node that the scan
 * finds must be the one that the scheduler found, with the same score: what is fast is also exact.
 *
 *     build/release/bin/bench_scheduler [a] [b] [c] [d]
 * Ends with status 1 when a limit is missed; tests/bench/run scheduler runs it too.
 *
 *   a  one job of 100,000 equal instances on 10,000 mixed nodes
 *   b  10,000 jobs of 10 instances, each job with its own size, constraints, affinities and a
 * spread block; and 10,000 jobs of 10 tasks that all differ in all of that c  10,000 nodes that are
 * 95 % full: 20,000 instances, by preemption where nothing is free d  as a, on 1,000, 10,000 and
 * 100,000 nodes
 */
#include "platform/base/mem.h"
#include "tests/bench/scheduler_scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MIB ((int64_t)1 << 20)

enum { SCAN_SECONDS = 2, TASKS = 10 };

/* Of this process's processor time: others on the machine do not count. */
static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int missed;

/* A row of the table; limits of 0 are none. */
static void print_row(const char *what, double rate, double scan_rate, double least_rate,
                      double least_ratio)
{
    char scan[32] = "", ratio[32] = "", limit[64] = "";
    double times = scan_rate > 0 ? rate / scan_rate : 0;
    if (scan_rate > 0) {
        snprintf(scan, sizeof(scan), "%.0f", scan_rate);
        snprintf(ratio, sizeof(ratio), "%.1f", times);
    }
    if (least_rate > 0)
        snprintf(limit, sizeof(limit), "at least %.0f", least_rate);
    if (least_ratio > 0)
        snprintf(limit + strlen(limit), sizeof(limit) - strlen(limit), "%s%.0f times the scan",
                 least_rate > 0 ? " and " : "at least ", least_ratio);
    bool kept = rate >= least_rate && times >= least_ratio;
    missed += !kept;
    printf("| %-46s | %10.0f | %8s | %6s | %-37s | %-6s |\n", what, rate, scan, ratio, limit,
           !limit[0] ? ""
           : kept    ? "kept"
                     : "MISSED");
    fflush(stdout);
}

static void print_head(void)
{
    printf("| %-46s | %10s | %8s | %6s | %-37s | %-6s |\n", "placements a second", "scheduler",
           "scan", "ratio", "limit", "");
}

/* ---- what was placed, in order ---- */

struct placed {
    struct cluster_placement *items;
    size_t count;
};

static void place_one(struct bench_world *world, struct cluster_group *group,
                      const struct cluster_demand *demand, struct placed *placed)
{
    struct cluster_placement placement;
    bool found = cluster_place(world->cluster, group, demand, NULL, &placement);
    ASSERT(found);
    cluster_claim_new(world->cluster, placement.node, group, demand, NULL);
    placed->items[placed->count++] = placement;
}

/* The scan's rate over as many of the same demands as it manages in a while. */
static double scan_rate(const struct bench_world *world, const struct placed *placed,
                        const struct cluster_demand *demands)
{
    struct scan *scan = scan_new(world);
    double start = now_s();
    size_t done = 0, demand = 0;
    int64_t left = 0, score = 0;
    while (done < placed->count && now_s() - start < SCAN_SECONDS) {
        if (!left) {
            scan_begin(scan, &demands[demand]);
            left = demands[demand++].count;
        }
        long node = scan_place(scan, &score);
        ASSERT(node >= 0);
        ASSERT((size_t)node == bench_node_index(world, placed->items[done].node));
        ASSERT(score == placed->items[done].score);
        scan_take(scan, (size_t)node);
        left--;
        done++;
    }
    double rate = (double)done / (now_s() - start);
    scan_free(scan);
    return rate;
}

/* The nodes have joined before anything is measured: something else was asked already. */
static void let_nodes_settle(struct bench_world *world)
{
    struct cluster_placement placement;
    struct cluster_job *job = cluster_job_new();
    struct cluster_group *group = cluster_group_new(job);
    struct cluster_demand demand = bench_demand(world, 1000, 1, 2, 50);
    ASSERT(cluster_place(world->cluster, group, &demand, NULL, &placement));
    cluster_group_free(world->cluster, group);
    cluster_job_free(job);
}

/* ---- a and d ---- */

static double one_large_job(size_t nodes, int64_t instances, double *ret_scan_rate)
{
    struct bench_world world;
    struct placed placed = {mem_resize(NULL, (size_t)instances, sizeof(*placed.items)), 0};
    bench_world_init(&world, nodes, 1);
    struct cluster_demand demand = bench_demand(&world, 100, 64 * MIB, instances, 50);
    struct cluster_job *job = cluster_job_new();
    struct cluster_group *group = cluster_group_new(job);
    let_nodes_settle(&world);
    double start = now_s();
    for (int64_t i = 0; i < instances; i++)
        place_one(&world, group, &demand, &placed);
    double rate = (double)instances / (now_s() - start);
    *ret_scan_rate = scan_rate(&world, &placed, &demand);
    bench_world_release(&world);
    cluster_group_free(NULL, group);
    cluster_job_free(job);
    free(placed.items);
    return rate;
}

static void bench_a(void)
{
    double scan, rate = one_large_job(10000, 100000, &scan);
    print_row("(a) 100,000 equal instances, 10,000 nodes", rate, scan, 1e6, 15);
}

static void bench_d(void)
{
    static const size_t sizes[] = {1000, 10000, 100000};
    double rates[ARRAY_LENGTH(sizes)], scan;
    for (size_t i = 0; i < ARRAY_LENGTH(sizes); i++) {
        char what[64];
        snprintf(what, sizeof(what), "(d) as (a), on %zu nodes", sizes[i]);
        rates[i] = one_large_job(sizes[i], 100000, &scan);
        print_row(what, rates[i], scan, i == 2 ? rates[1] / 2 : 0, 0);
    }
}

/* ---- b ---- */

/* `tasks` demands a job, together ten instances. */
static void bench_jobs(const char *what, size_t jobs, size_t tasks, double limit)
{
    struct bench_world world;
    bench_world_init(&world, 10000, 2);
    struct cluster_demand *demands = mem_alloc(jobs * tasks * sizeof(*demands));
    struct cluster_group **groups = mem_alloc(jobs * tasks * sizeof(struct cluster_group *));
    struct cluster_job **owners = mem_alloc(jobs * sizeof(struct cluster_job *));
    struct placed placed = {mem_resize(NULL, jobs * TASKS, sizeof(*placed.items)), 0};
    for (size_t i = 0; i < jobs * tasks; i++)
        demands[i] = bench_demand_rich(&world, (int64_t)(TASKS / tasks));
    let_nodes_settle(&world);
    double start = now_s();
    for (size_t i = 0; i < jobs * tasks; i++) {
        if (i % tasks == 0)
            owners[i / tasks] = cluster_job_new();
        groups[i] = cluster_group_new(owners[i / tasks]);
        for (size_t instance = 0; instance < TASKS / tasks; instance++)
            place_one(&world, groups[i], &demands[i], &placed);
    }
    double rate = (double)placed.count / (now_s() - start);
    print_row(what, rate, scan_rate(&world, &placed, demands), limit, 0);
    bench_world_release(&world);
    for (size_t i = 0; i < jobs * tasks; i++)
        cluster_group_free(NULL, groups[i]);
    for (size_t i = 0; i < jobs; i++)
        cluster_job_free(owners[i]);
    free(demands);
    free(groups);
    free(owners);
    free(placed.items);
}

static void bench_b(void)
{
    bench_jobs("(b) 10,000 different jobs of 10 instances", 10000, 1, 50000);
    bench_jobs("(b) 10,000 jobs of 10 different tasks", 10000, TASKS, 50000);
}

/* ---- c ---- */

/* Claims of low priority, until 95 % of each node's cpu or memory is taken. */
static size_t fill_up(struct bench_world *world, struct cluster_group *group,
                      const struct cluster_demand *fillers, size_t count)
{
    size_t claims = 0;
    for (size_t i = 0; i < world->node_count; i++) {
        struct capacity has = world->facts[i].capacity, used = {0};
        while (used.cpu_millis < has.cpu_millis / 20 * 19 &&
               used.memory_bytes < has.memory_bytes / 20 * 19) {
            const struct cluster_demand *filler = &fillers[prng_below(&world->prng, count)];
            if (used.cpu_millis + filler->needs.cpu_millis > has.cpu_millis ||
                used.memory_bytes + filler->needs.memory_bytes > has.memory_bytes)
                break;
            used.cpu_millis += filler->needs.cpu_millis;
            used.memory_bytes += filler->needs.memory_bytes;
            cluster_claim_new(world->cluster, world->nodes[i], group, filler, NULL);
            claims++;
        }
    }
    return claims;
}

static bool place_or_preempt(struct bench_world *world, struct cluster_group *group,
                             const struct cluster_demand *demand, size_t *preempted)
{
    struct cluster_placement placement;
    struct cluster_preemption preemption;
    if (!cluster_place(world->cluster, group, demand, NULL, &placement)) {
        if (!cluster_preempt(world->cluster, group, demand, &preemption))
            return false;
        placement.node = preemption.node;
        for (size_t i = 0; i < preemption.count; i++)
            cluster_claim_free(world->cluster, preemption.victims[i]);
        ++*preempted;
    }
    cluster_claim_new(world->cluster, placement.node, group, demand, NULL);
    return true;
}

static void bench_c(void)
{
    enum { JOBS = 2000, SHAPES = 8, FILLERS = 12 };
    struct bench_world world;
    struct cluster_demand fillers[FILLERS], shapes[SHAPES];
    struct cluster_group *groups[JOBS + 1];
    struct cluster_job *jobs[JOBS + 1];
    size_t placed = 0, preempted = 0;
    bench_world_init(&world, 10000, 3);
    for (int i = 0; i <= JOBS; i++)
        groups[i] = cluster_group_new(jobs[i] = cluster_job_new());
    for (int64_t i = 0; i < FILLERS; i++)
        fillers[i] = bench_demand(&world, 200 + 100 * (i % 5), (256 + 128 * (i % 7)) * MIB, 1,
                                  10 + 10 * (i % 4));
    for (int64_t i = 0; i < SHAPES; i++)
        shapes[i] = bench_demand(&world, 900 + 350 * (i % 4), (1024 + 512 * (i % 3)) * MIB, TASKS,
                                 60 + 10 * (i % 2));
    size_t claims = fill_up(&world, groups[JOBS], fillers, FILLERS);
    double start = now_s();
    for (size_t job = 0; job < JOBS; job++)
        for (size_t i = 0; i < TASKS; i++)
            placed += place_or_preempt(&world, groups[job], &shapes[job % SHAPES], &preempted);
    double rate = (double)placed / (now_s() - start);
    print_row("(c) 95 % full, most by preemption", rate, 0, 20000, 0);
    ASSERT(placed == JOBS * TASKS && preempted > placed / 2 && claims > 500000);
    bench_world_release(&world);
    for (int i = 0; i <= JOBS; i++) {
        cluster_group_free(NULL, groups[i]);
        cluster_job_free(jobs[i]);
    }
}

/* In a process of its own: what one leaves behind in the heap is no matter of the next. */
static bool run_alone(void (*run)(void))
{
    int status = 1;
    fflush(stdout);
    pid_t child = fork();
    ASSERT(child >= 0);
    if (!child) {
        run();
        exit(missed > 0);
    }
    ASSERT(waitpid(child, &status, 0) == child && WIFEXITED(status));
    return WEXITSTATUS(status) == 0;
}

int main(int count, char **arguments)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } benches[] = {{"a", bench_a}, {"b", bench_b}, {"c", bench_c}, {"d", bench_d}};
    print_head();
    for (size_t i = 0; i < ARRAY_LENGTH(benches); i++) {
        bool wanted = count < 2;
        for (int j = 1; j < count; j++)
            wanted |= strcmp(arguments[j], benches[i].name) == 0;
        if (wanted)
            missed += !run_alone(benches[i].run);
    }
    return missed > 0;
}
