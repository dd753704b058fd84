#include "world.h"

#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const node_names[NODES + 1] = {"n0", "n1", "n2", "n3", NULL};
const char *const job_names[JOBS] = {"web", "api", "sums", "once"};

struct world *w;

void check(bool holds, const char *what)
{
    if (!holds)
        fail_msg("%s (seed %llu)", what, (unsigned long long)w->seed);
}

size_t job_index(const char *name)
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

void worker_hears(size_t n, const char *job)
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

void worker_reports(size_t n, const char *job, bool live)
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

void worker_speaks(size_t n, bool live)
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

void worker_goes_on(size_t n)
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

void worker_goes_away(size_t n)
{
    struct worker_model *worker = &w->workers[n];
    worker->away = true;
    if (prng_below(&w->prng, 2))
        cluster_presence(&w->cluster, node_names[n], PRESENCE_OFFLINE, worker->session);
}

void worker_comes_back(size_t n)
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

void answer_questions(void)
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
