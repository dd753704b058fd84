/* The scheduler as one would write it down: every question looks at every node and every claim, no
 * index, nothing remembered. What manager/scheduler answers must be the same. */
#ifndef ARGOSY_TESTS_SCHEDULER_REFERENCE_H
#define ARGOSY_TESTS_SCHEDULER_REFERENCE_H

#include "manager/scheduler/cluster.h"

enum { REFERENCE_NODES = 64, REFERENCE_CLAIMS = 512 };

struct reference_node {
    bool there;
    struct cluster_facts facts;
    bool load_known;
    struct capacity load;       /* of the heartbeat */
    uint64_t load_claim_number; /* claims from this number on came after it */
};

struct reference_claim {
    bool there; /* not given back */
    size_t node;
    int job, group;
    const struct cluster_demand *demand;
    int64_t priority; /* of the demand; 0: it is leaving */
};

struct reference {
    struct reference_node nodes[REFERENCE_NODES];
    struct reference_claim claims[REFERENCE_CLAIMS]; /* by number */
    size_t claim_count;
    enum placement_policy policy;
    int64_t max_jobs;
    char cursor[64];
};

/* Who asks. */
struct reference_question {
    int job, group;
    const struct cluster_demand *demand;
    bool failed[REFERENCE_NODES];
};

enum { REFERENCE_NOWHERE = -1 };

/* The node, or REFERENCE_NOWHERE. */
int reference_place(const struct reference *reference, const struct reference_question *question,
                    int64_t *ret_score);
enum reason reference_exclude(const struct reference *reference,
                              const struct reference_question *question, size_t node);
/* The node, or REFERENCE_NOWHERE. `ret_victims[number]` is true for each claim that goes. */
int reference_preempt(const struct reference *reference, const struct reference_question *question,
                      bool ret_victims[REFERENCE_CLAIMS]);

#endif
