/* Random lives of a cluster, each from a seed: nodes that fall silent and come back, workers that
 * are slow, tasks that end, commands, managers that are killed, with their store and without. After
 * every step:
 *
 *   I2  an instance has at most one attempt that should run, but for nodes that are silent
 *   I4  what is placed on a node does not exceed its capacity
 *   I5  a final state stays final
 * and once everybody behaves, every job settles (I9). A failing seed is printed: run it with it as
 * argument. */
#include "cluster.h"

#include "platform/base/mem.h"
#include "platform/base/prng.h"
#include "schema/job_spec.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NODES = 4,
    JOBS = 4,
    HELD_MAX = 400,
    STEPS = 250,
    SEEDS = 60,
    NODE_CPU_MILLIS = 2000,
    NO_HEARTBEAT_MS = 3 * 10000 + DEFAULT_GRACE_MS + 1000,
};

static const char *const node_names[NODES + 1] = {"n0", "n1", "n2", "n3", NULL};
static const char *const job_names[JOBS] = {"web", "api", "sums", "once"};

/* What a worker has of an attempt. */
struct held {
    char id[LIMIT_TASK_ID_LENGTH + 1];
    char job[LIMIT_NAME_LENGTH + 1];
    enum attempt_state state;
    int64_t seq;
    bool gone; /* may be dropped: nobody asks for it any more */
};

struct worker_model {
    struct held held[HELD_MAX];
    size_t count;
    bool away; /* neither hears nor speaks */
    int64_t revision[JOBS];
    int64_t session;
    int64_t seq;
};

struct world {
    struct cluster cluster;
    struct worker_model workers[NODES];
    struct prng prng;
    uint64_t seed;
    int64_t unclear_ms; /* when a node came back, or the manager did */
};

static struct world *w;

static void check(bool holds, const char *what)
{
    if (!holds)
        fail_msg("%s (seed %llu)", what, (unsigned long long)w->seed);
}

static size_t job_index(const char *name)
{
    size_t i = 0;
    while (strcmp(job_names[i], name) != 0)
        i++;
    return i;
}

/* ---- workers ---- */

static struct held *find_held(struct worker_model *worker, const char *id)
{
    for (size_t i = 0; i < worker->count; i++)
        if (!worker->held[i].gone && strcmp(worker->held[i].id, id) == 0)
            return &worker->held[i];
    return NULL;
}

static void hold(struct worker_model *worker, const char *job, const struct assigned_attempt *at)
{
    struct held *held = find_held(worker, at->id);
    bool over = at->known.state && attempt_state_is_final((enum attempt_state)at->known.state);
    if (!held) {
        check(worker->count < HELD_MAX, "the model holds enough attempts");
        held = &worker->held[worker->count++];
        *held =
            (struct held){.state = over ? (enum attempt_state)at->known.state : ATTEMPT_SCHEDULED};
        snprintf(held->id, sizeof(held->id), "%s", at->id);
        snprintf(held->job, sizeof(held->job), "%s", job);
    }
    held->seq = ++worker->seq;
    if (at->desired == DESIRED_STOP && !attempt_state_is_final(held->state))
        held->state = ATTEMPT_STOPPED;
}

static bool names(const struct assignment *assignment, const char *id)
{
    for (size_t i = 0; i < assignment->attempts.count; i++)
        if (strcmp(RECORD_AT(struct assigned_attempt, assignment->attempts, i)->id, id) == 0)
            return true;
    return false;
}

static void worker_hears(size_t n, const char *job)
{
    struct worker_model *worker = &w->workers[n];
    const struct assignment *assignment = cluster_assignment(&w->cluster, node_names[n], job);
    if (worker->away || !assignment)
        return;
    worker->revision[job_index(job)] = assignment->revision;
    for (size_t i = 0; i < assignment->attempts.count; i++)
        hold(worker, job, RECORD_AT(struct assigned_attempt, assignment->attempts, i));
    for (size_t i = 0; i < worker->count; i++)
        if (strcmp(worker->held[i].job, job) == 0 && !names(assignment, worker->held[i].id))
            worker->held[i].gone = true;
}

static void worker_reports(size_t n, const char *job, bool live)
{
    struct worker_model *worker = &w->workers[n];
    struct observed_attempt *observed = calloc(HELD_MAX, sizeof(*observed));
    struct node_state report = {.head = {.seq = ++worker->seq},
                                .revision = worker->revision[job_index(job)],
                                .attempts = {observed, 0}};
    for (size_t i = 0; i < worker->count; i++) {
        const struct held *held = &worker->held[i];
        if (!held->gone && strcmp(held->job, job) == 0)
            observed[report.attempts.count++] = (struct observed_attempt){
                .id = held->id,
                .state = (int)held->state,
                .run = held->state > ATTEMPT_SCHEDULED,
                .seq = held->seq,
                .exit_code = UNSET,
                .started_ms = 1,
            };
    }
    if (!worker->away)
        cluster_step(&w->cluster, &(struct manager_event){.kind = EVENT_NODE_STATE,
                                                          .node = node_names[n],
                                                          .job = job,
                                                          .live = live,
                                                          .node_state = &report});
    free(observed);
}

static void worker_speaks(size_t n, bool live)
{
    struct worker_model *worker = &w->workers[n];
    const char *runtimes[] = {"docker"};
    struct presence_document presence = {.state = PRESENCE_ONLINE, .session = worker->session};
    struct node_info info = {
        .head = {.cluster = manager_cluster(w->cluster.manager), .seq = ++worker->seq},
        .datacenter = "dc1",
        .capacity = {NODE_CPU_MILLIS, (int64_t)4 << 30, (int64_t)4 << 30},
        .runtimes = {runtimes, 1},
        .interval_ms = 10000,
    };
    if (!info.head.cluster[0])
        info.head.cluster = NULL;
    cluster_step(&w->cluster, &(struct manager_event){.kind = EVENT_NODE_PRESENCE,
                                                      .node = node_names[n],
                                                      .live = live,
                                                      .presence = &presence});
    cluster_step(&w->cluster, &(struct manager_event){.kind = EVENT_NODE_INFO,
                                                      .node = node_names[n],
                                                      .live = live,
                                                      .node_info = &info});
}

/* Something happens to one task. */
static void worker_goes_on(size_t n)
{
    struct worker_model *worker = &w->workers[n];
    if (!worker->count)
        return;
    struct held *held = &worker->held[prng_below(&w->prng, worker->count)];
    if (held->gone || attempt_state_is_final(held->state))
        return;
    bool ends = held->state == ATTEMPT_RUNNING && prng_below(&w->prng, 3) == 0;
    bool batch = job_index(held->job) >= 2;
    held->seq = ++worker->seq;
    held->state = !ends                              ? ATTEMPT_RUNNING
                  : batch && prng_below(&w->prng, 2) ? ATTEMPT_COMPLETED
                                                     : ATTEMPT_FAILED;
    worker_reports(n, held->job, true);
}

static void worker_goes_away(size_t n)
{
    struct worker_model *worker = &w->workers[n];
    worker->away = true;
    if (prng_below(&w->prng, 2))
        cluster_presence(&w->cluster, node_names[n], PRESENCE_OFFLINE, worker->session);
}

static void worker_comes_back(size_t n)
{
    struct worker_model *worker = &w->workers[n];
    if (!worker->away)
        return;
    worker->away = false;
    worker->session++;
    w->unclear_ms = w->cluster.now.mono_ms;
    worker_speaks(n, true);
    for (size_t i = 0; i < JOBS; i++)
        worker_reports(n, job_names[i], true);
}

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

static void answer_questions(void);

static void pass(int64_t ms)
{
    for (; ms > 0; ms -= 1000) {
        answer_questions();
        heartbeats();
        cluster_pass(&w->cluster, 1000, NULL);
    }
}

/* ---- what a worker has stored ---- */

static void answer(size_t n, const char *token)
{
    struct answer out = {.token = token, .result = REPLY_ACCEPTED};
    struct manager_event event = {
        .kind = EVENT_ANSWER_ASSIGNMENT, .node = node_names[n], .live = true, .answer = &out};
    const struct assignment *stored[JOBS];
    for (size_t job = 0; job < JOBS; job++) {
        stored[out.parts] = cluster_assignment(&w->cluster, node_names[n], job_names[job]);
        out.parts += stored[out.parts] && !stored[out.parts]->head.tombstone;
    }
    for (int64_t i = 0; i < out.parts; i++) {
        out.part = i + 1;
        out.assignment = stored[i];
        cluster_step(&w->cluster, &event);
    }
    if (!out.parts)
        cluster_step(&w->cluster, &event);
}

static void answer_questions(void)
{
    struct cluster *cluster = &w->cluster;
    while (cluster->asked_count) {
        size_t last = --cluster->asked_count;
        size_t n = 0;
        while (strcmp(node_names[n], cluster->asked_node[last]) != 0)
            n++;
        if (!w->workers[n].away)
            answer(n, cluster->asked[last]);
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
