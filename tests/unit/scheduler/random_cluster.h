/* Random clusters, jobs and happenings, told to the scheduler and to the reference alike. */
#ifndef ARGOSY_TESTS_SCHEDULER_RANDOM_CLUSTER_H
#define ARGOSY_TESTS_SCHEDULER_RANDOM_CLUSTER_H

#include "platform/base/prng.h"
#include "tests/unit/scheduler/reference.h"

enum { JOBS = 3, GROUPS_PER_JOB = 2, GROUPS = JOBS * GROUPS_PER_JOB, DEMANDS = 4 };

struct random_cluster {
    struct prng prng;
    struct arena arena;
    struct cluster *cluster;
    struct cluster_node *nodes[REFERENCE_NODES];
    struct cluster_claim *claims[REFERENCE_CLAIMS];
    struct cluster_job *jobs[JOBS];
    struct cluster_group *groups[GROUPS];
    struct cluster_demand demands[GROUPS]; /* some are of one class */
    struct reference reference;
};

void random_cluster_init(struct random_cluster *it, uint64_t seed);
void random_cluster_release(struct random_cluster *it);

uint64_t below(struct random_cluster *it, uint64_t bound);
void random_node_add(struct random_cluster *it);
void random_node_change(struct random_cluster *it);
void random_node_remove(struct random_cluster *it);
void random_claim_free(struct random_cluster *it);
void random_claim_leave(struct random_cluster *it);
void claim_add(struct random_cluster *it, size_t group, size_t node);
void claim_free(struct random_cluster *it, size_t number);
/* Of a task with one instance that is like no other, sealed. */
struct cluster_demand random_lone_demand(struct random_cluster *it);
/* A question of a random group, with failures. */
struct reference_question random_question(struct random_cluster *it);

#endif
