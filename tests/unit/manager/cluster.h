/* A manager's core with stubs of workers around it: events go in, the last version of every
 * document is kept by topic. */
#ifndef ARGOSY_TESTS_MANAGER_CLUSTER_H
#define ARGOSY_TESTS_MANAGER_CLUSTER_H

#include "manager/core/manager.h"

enum { CLUSTER_DOCUMENTS_MAX = 400, CLUSTER_EVENTS_MAX = 400, CLUSTER_ASKS_MAX = 64 };

struct kept_document {
    struct arena arena;
    struct document document;
    int64_t writes;
};

struct cluster {
    struct manager *manager;
    struct effects effects;
    struct now now;
    int64_t seq; /* of the workers' documents */
    struct kept_document documents[CLUSTER_DOCUMENTS_MAX];
    size_t document_count;
    char cleared[CLUSTER_EVENTS_MAX][LIMIT_TOPIC_LENGTH + 1];
    size_t cleared_count;
    char events[CLUSTER_EVENTS_MAX][64];
    size_t event_count;
    char asked[CLUSTER_ASKS_MAX][LIMIT_TOKEN_LENGTH + 1]; /* tokens of questions */
    char asked_node[CLUSTER_ASKS_MAX][LIMIT_NODE_ID_LENGTH + 1];
    size_t asked_count;
    int64_t lives; /* of managers */
    enum preemption preemption;
};

/* A manager that has heard everything there is (nothing) and leads. */
void cluster_init(struct cluster *cluster);
void cluster_init_preempting(struct cluster *cluster, enum preemption preemption);
/* The same without leading, with an id of its own and a term from its store. */
void cluster_init_recovering(struct cluster *cluster, const char *id, int64_t term);
void cluster_release(struct cluster *cluster);

/* The one of a cmocka test, between setup and teardown: with no node, or with n1. */
extern struct cluster *c;
int cluster_setup(void **state);
int cluster_setup_with_n1(void **state);
int cluster_teardown(void **state);

/* Steps one event, commits, collects what was written, until nothing more follows. */
void cluster_step(struct cluster *cluster, const struct manager_event *event);
void cluster_lead(struct cluster *cluster);
void cluster_lose_link(struct cluster *cluster);
/* There is room for so much of what is written anew. */
void cluster_renew(struct cluster *cluster, size_t limit);
void cluster_renew_all(struct cluster *cluster);
/* Moves both clocks second by second, firing what is due, while the named nodes (NULL-ended, or
 * NULL) send heartbeats. */
void cluster_pass(struct cluster *cluster, int64_t ms, const char *const *nodes);

/* A new node in "dc1" with 4 cores, 4 GiB, 100 GiB, runtime docker; online. */
void cluster_add_node(struct cluster *cluster, const char *node);
void cluster_add_node_sized(struct cluster *cluster, const char *node, const char *datacenter,
                            int64_t cpu_millis, int64_t memory_bytes);
/* A node as cluster_add_node() makes it with one label. Again: the label changes. */
void cluster_add_node_labelled(struct cluster *cluster, const char *node, const char *key,
                               const char *value);
void cluster_heartbeat(struct cluster *cluster, const char *node);
void cluster_presence(struct cluster *cluster, const char *node, int state, int64_t session);
/* To the last question: a part of so many, 0 of 0: the node has no assignments. */
void cluster_answer(struct cluster *cluster, const char *node, const struct assignment *assignment,
                    int64_t part, int64_t parts);

/* do/jobs/<job>/set with a JSON specification that must be valid. */
const struct verdict *cluster_set(struct cluster *cluster, const char *job, const char *json);
/* Any verb without arguments. */
const struct verdict *cluster_command(struct cluster *cluster, enum command_kind kind,
                                      const char *name);
void cluster_set_eligible(struct cluster *cluster, const char *node, bool eligible);
const struct verdict *cluster_scale(struct cluster *cluster, const char *job, int64_t count);

/* NULL when it was never written. */
const struct document *cluster_document(const struct cluster *cluster, const char *topic);
int64_t cluster_writes(const struct cluster *cluster, const char *topic);
const struct assignment *cluster_assignment(const struct cluster *cluster, const char *node,
                                            const char *job);
const struct job_status *cluster_status(const struct cluster *cluster, const char *job);
/* The n-th attempt of an assignment; fails the test when there is none. */
const struct assigned_attempt *cluster_attempt(const struct cluster *cluster, const char *node,
                                               const char *job, size_t n);
/* Attempts of the job that are desired to run, on that node, or on all (NULL). */
size_t cluster_wanted(const struct cluster *cluster, const char *node, const char *job);
/* The reason of the n-th group of pending instances. */
const char *cluster_pending_reason(const struct cluster *cluster, const char *job, size_t n);

/* The worker's report about the n-th attempt of an assignment (its first run). */
void cluster_report(struct cluster *cluster, const char *node, const char *job, size_t n,
                    enum attempt_state state, int64_t exit_code);
void cluster_report_id(struct cluster *cluster, const char *node, const char *attempt,
                       enum attempt_state state, int64_t exit_code);
/* Every worker (one: `node`, all: NULL) does what it is told: runs what should run, stops what
 * should stop. */
void cluster_obey(struct cluster *cluster, const char *node);
bool cluster_saw_event(const struct cluster *cluster, const char *kind);
bool cluster_cleared(const struct cluster *cluster, const char *topic);

/* The manager is killed and started again, on its store or (emptied) with what the broker retained.
 * It has heard its documents and does not lead yet. */
void cluster_restart(struct cluster *cluster, bool emptied);

/* Lets `to` hear every document of `from`: what the broker retained, or (stored) what the store
 * kept. */
void cluster_hear_all(struct cluster *to, const struct cluster *from, bool stored);

#endif
