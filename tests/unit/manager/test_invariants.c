/* Random lives of a cluster, each from a seed: nodes that fall silent and come back, workers that
 * are slow, tasks that end, commands, managers that are killed, with their store and without. After
 * every step:
 *
 *   I2  an instance has at most one attempt that may run, but for nodes that are silent
 *   I4  what is placed on a node does not exceed its capacity
 * and once everybody behaves, every job settles (I9). A failing seed is printed: run it with it as
 * argument. */
#include "world.h"

#include "platform/base/mem.h"
#include "schema/job_spec.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 250, SEEDS = 60 };

/* ---- users and managers ---- */

static void submit(size_t job)
{
    char spec[400];
    snprintf(spec, sizeof(spec),
             "{\"image\":\"x%d\",\"type\":\"%s\",\"count\":%d,\"resources\":{\"cpu\":0.3},"
             "\"disconnect\":{\"lost_after\":\"%ds\",\"reconcile\":\"%s\"},"
             "\"update\":{\"max_parallel\":%d,\"min_healthy\":\"2s\"}}",
             (int)prng_below(&w->prng, 3), job < 2 ? "service" : "batch",
             (int)prng_below(&w->prng, 5), (int)prng_below(&w->prng, 30),
             prng_below(&w->prng, 2) ? "keep_original" : "keep_replacement",
             (int)prng_below(&w->prng, 3));
    cluster_set(&w->cluster, job_names[job], spec);
}

static void restart_manager(bool emptied)
{
    cluster_restart(&w->cluster, emptied);
    w->unclear_ms = w->cluster.now.mono_ms;
    for (size_t n = 0; n < NODES; n++) {
        if (w->workers[n].away)
            continue;
        worker_speaks(n, false);
        for (size_t i = 0; i < JOBS; i++)
            worker_reports(n, job_names[i], false);
    }
    cluster_lead(&w->cluster);
}

static void heartbeats(void)
{
    for (size_t n = 0; n < NODES; n++)
        if (!w->workers[n].away)
            cluster_heartbeat(&w->cluster, node_names[n]);
}

static void pass(int64_t ms)
{
    for (; ms > 0; ms -= 1000) {
        answer_questions();
        heartbeats();
        cluster_pass(&w->cluster, 1000, NULL);
    }
}

/* ---- invariants ---- */

static int64_t used_on(size_t n)
{
    int64_t used = 0;
    for (size_t job = 0; job < JOBS; job++) {
        const struct assignment *assignment =
            cluster_assignment(&w->cluster, node_names[n], job_names[job]);
        for (size_t i = 0; assignment && i < assignment->attempts.count; i++) {
            int state = cluster_attempt(&w->cluster, node_names[n], job_names[job], i)->known.state;
            used += state && attempt_state_is_final((enum attempt_state)state) ? 0 : 300;
        }
    }
    return used;
}

static bool may_be_silent(size_t n)
{
    return w->workers[n].away;
}

/* Attempts of one instance that may run, on nodes that are not silent, when one of them should. Two
 * that came to be while a node was silent are what the `disconnect` policy asked for: one is
 * replaced, or both are stopped. */
static size_t running_of(const char *job, int64_t index)
{
    size_t count = 0, wanted = 0;
    for (size_t n = 0; n < NODES; n++) {
        const struct assignment *assignment = cluster_assignment(&w->cluster, node_names[n], job);
        for (size_t i = 0; assignment && i < assignment->attempts.count; i++) {
            struct attempt_name name;
            const struct assigned_attempt *at =
                RECORD_AT(struct assigned_attempt, assignment->attempts, i);
            check(attempt_name_parse(at->id, &name), "an id is an id");
            bool over =
                at->known.state && attempt_state_is_final((enum attempt_state)at->known.state);
            bool replaced = at->desired == DESIRED_STOP && at->reason == REASON_REPLACED;
            bool counts = name.index == index && !over && !replaced && !may_be_silent(n);
            count += counts;
            wanted += counts && at->desired == DESIRED_RUN;
        }
    }
    return wanted ? count : 0;
}

/* A node that is back has two heartbeats' time to be told apart. */
static bool is_unclear(void)
{
    return w->cluster.now.mono_ms - w->unclear_ms < 3000;
}

/* Says what is there of a job when it is not as it should be. */
static void describe(const char *job)
{
    for (size_t n = 0; n < NODES; n++) {
        const struct assignment *assignment = cluster_assignment(&w->cluster, node_names[n], job);
        for (size_t i = 0; assignment && i < assignment->attempts.count; i++) {
            const struct assigned_attempt *at =
                RECORD_AT(struct assigned_attempt, assignment->attempts, i);
            print_message("%s%s %s version %lld %s (%s) known %s\n", node_names[n],
                          w->workers[n].away ? " (away)" : "", at->id, (long long)at->version,
                          at->desired == DESIRED_RUN ? "run" : "stop", reason_to_string(at->reason),
                          attempt_state_to_string((enum attempt_state)at->known.state));
        }
    }
}

static void check_one_runs(const char *job, int64_t index)
{
    if (running_of(job, index) <= 1)
        return;
    describe(job);
    check(false, "I2: one attempt of an instance runs");
}

static void check_invariants(void)
{
    for (size_t n = 0; n < NODES; n++)
        check(used_on(n) <= NODE_CPU_MILLIS, "I4: a node's capacity is not exceeded");
    if (is_unclear())
        return;
    for (size_t job = 0; job < JOBS; job++)
        for (int64_t index = 0; index < 5; index++)
            check_one_runs(job_names[job], index);
}

static void check_settled(void)
{
    for (size_t job = 0; job < JOBS; job++) {
        char topic[100];
        topic_format(topic, TOPIC_JOB_SPEC, job_names[job], NULL);
        const struct document *spec = cluster_document(&w->cluster, topic);
        if (!spec || spec->job_document.head.tombstone)
            continue;
        const struct job_status *status = cluster_status(&w->cluster, job_names[job]);
        check(status->counts.unknown == 0 && status->counts.stopping == 0,
              "I9: nothing is unclear");
        if (status->state == JOB_STOPPED)
            continue;
        if (job < 2 && status->counts.running != status->wanted)
            describe(job_names[job]);
        int64_t accounted = status->counts.running + status->counts.completed +
                            status->counts.failed + status->counts.pending;
        check(accounted == status->wanted, "I9: every instance runs, ended, or says why not");
        if (job < 2)
            check(status->counts.running == status->wanted, "I9: every service runs");
    }
}

/* ---- a life ---- */

static void one_step(void)
{
    size_t n = (size_t)prng_below(&w->prng, NODES);
    size_t job = (size_t)prng_below(&w->prng, JOBS);
    switch (prng_below(&w->prng, 28)) {
    case 0:
        submit(job);
        break;
    case 1:
        cluster_command(&w->cluster, COMMAND_JOB_STOP, job_names[job]);
        break;
    case 2:
        cluster_command(&w->cluster, COMMAND_JOB_DELETE, job_names[job]);
        break;
    case 3:
        cluster_scale(&w->cluster, job_names[job], (int64_t)prng_below(&w->prng, 5));
        break;
    case 4:
        worker_goes_away(n);
        break;
    case 5:
    case 6:
        worker_comes_back(n);
        break;
    case 7:
        restart_manager(prng_below(&w->prng, 3) == 0);
        break;
    case 8:
        w->unclear_ms = w->cluster.now.mono_ms;
        cluster_lose_link(&w->cluster);
        cluster_lead(&w->cluster);
        break;
    case 9:
        pass((int64_t)prng_below(&w->prng, 60) * 1000);
        break;
    case 10:
    case 11:
    case 24:
    case 25:
        pass(3000);
        break;
    case 26:
    case 27:
        for (size_t at = 0; at < NODES; at++)
            worker_hears(at, job_names[job]);
        break;
    case 12:
    case 13:
    case 14:
    case 15:
        worker_goes_on(n);
        break;
    case 16:
    case 17:
        worker_reports(n, job_names[job], true);
        break;
    default:
        worker_hears(n, job_names[job]);
        break;
    }
}

static void everybody_behaves(void)
{
    for (size_t n = 0; n < NODES; n++)
        worker_comes_back(n);
    for (int round = 0; round < 40; round++) {
        for (size_t n = 0; n < NODES; n++)
            for (size_t job = 0; job < JOBS; job++) {
                worker_hears(n, job_names[job]);
                for (size_t i = 0; i < w->workers[n].count; i++) {
                    struct held *held = &w->workers[n].held[i];
                    if (held->state == ATTEMPT_SCHEDULED) {
                        held->state = ATTEMPT_RUNNING;
                        held->seq = ++w->workers[n].seq;
                    }
                }
                worker_reports(n, job_names[job], true);
            }
        pass(round < 4 ? 3600 * 1000 / 4 : 30000);
    }
}

static void live(uint64_t seed)
{
    w = calloc(1, sizeof(*w));
    w->seed = seed;
    prng_init(&w->prng, seed);
    cluster_init(&w->cluster);
    for (size_t n = 0; n < NODES; n++) {
        w->workers[n].session = 1;
        worker_speaks(n, true);
    }
    for (int step = 0; step < STEPS; step++) {
        one_step();
        answer_questions();
        check_invariants();
    }
    everybody_behaves();
    check_settled();
    cluster_release(&w->cluster);
    free(w);
}

static uint64_t only_seed;

static void the_invariants_hold_in_random_lives(void **state)
{
    (void)state;
    for (uint64_t seed = 1; !only_seed && seed <= SEEDS; seed++)
        live(seed);
    if (only_seed)
        live(only_seed);
}

int main(int argc, char **argv)
{
    only_seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_invariants_hold_in_random_lives)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
