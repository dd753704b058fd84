/* Where instances go: candidates, scores, pick. Pure, and exact: every feasible node is considered.
 *
 *   candidates  nodes that can take it: eligible, datacenter, runtime, constraints, distinct hosts
 *               and properties, ports, devices, count, cpu, memory, disk
 *   score       the mean of the parts that apply (below), an integer
 *   pick        the highest score; of equal ones the smallest node id
 *
 * The cluster is told what changes (a node, a claim) and answers questions; the same calls in the
 * same order give the same answers everywhere. Instances that ask for the same form a class, which
 * keeps its candidates and their scores and is brought up to date only where nodes have changed, so
 * that a placement costs O(log nodes). The manager keeps one cluster; a plan builds its own.
 *
 * Parts of a score:
 *   policy         always: how well the node suits as the policy sees it
 *   anti-affinity  where other instances of the task are: -(others + 1) / count
 *   penalty        where this instance has failed: -1
 *   affinity       when the task has affinities: sum of matched weights / sum of |weights|
 *   spread         when it has spread blocks: sum of each block's boost x weight / sum of weights
 */
#ifndef ARGOSY_MANAGER_SCHEDULER_CLUSTER_H
#define ARGOSY_MANAGER_SCHEDULER_CLUSTER_H

#include "platform/base/arena.h"
#include "schema/documents.h"
#include "schema/expression.h"
#include "schema/job_spec.h"
#include "schema/limits.h"
#include "schema/reasons.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cluster;
struct cluster_node;
struct cluster_claim;

/* ---- the cluster ---- */

struct cluster_settings {
    enum placement_policy policy;
    int64_t max_jobs;   /* epvm: tasks that a node is thought to hold at most */
    const char *cursor; /* round robin: id of the node last used, "" none; copied */
};

/* Aborts when there is no memory, as everything here does (platform/base/mem.h). Freed with its
 * nodes and claims. */
struct cluster *cluster_new(const struct cluster_settings *settings);
void cluster_free(struct cluster *cluster);
/* The cursor as it is now: part of a snapshot. */
const char *cluster_cursor(const struct cluster *cluster);

/* ---- nodes ---- */

struct cluster_facts {
    struct node_properties properties; /* with the id */
    enum reason barred;                /* why it takes no new work at all, or REASON_NONE */
    unsigned runtimes;                 /* bit (1 << enum runtime_kind) for each that it has */
    struct capacity capacity;
    int64_t max_attempts;
    int64_t dynamic_ports;             /* how many it can give out, UNSET: no limit is known */
    const struct string_list *devices; /* "/dev/ttyUSB0"; NULL: it does not say */
};

/* Copies the facts. Ids are unique. */
struct cluster_node *cluster_node_add(struct cluster *cluster, const struct cluster_facts *facts);
/* The id stays. What is claimed stays, whether it still fits or not. */
void cluster_node_change(struct cluster *cluster, struct cluster_node *node,
                         const struct cluster_facts *facts);
/* Only whether it takes new work: cheaper than to change it. */
void cluster_node_bar(struct cluster *cluster, struct cluster_node *node, enum reason barred);
/* What its heartbeat says is used; what is claimed from now on is added. NULL, also when the last
 * heartbeat is too old to go by: what is reserved stands for it. For epvm and greedy. */
void cluster_node_load(struct cluster *cluster, struct cluster_node *node,
                       const struct capacity *load);
/* Nothing may be claimed on it. */
void cluster_node_remove(struct cluster *cluster, struct cluster_node *node);
const char *cluster_node_id(const struct cluster_node *node);

/* ---- what is placed ---- */

struct cluster_port {
    int64_t port; /* on the node */
    bool udp;
};

struct cluster_affinity {
    struct expression expression;
    int64_t weight; /* -100 … 100, not 0 */
};

struct cluster_spread_target {
    const char *value; /* "*": every value that is not named */
    int64_t percent;   /* what is left of 100 goes to "*" when that is not named */
};

struct cluster_spread {
    const char *attribute;                       /* a target as expressions have it */
    int64_t weight;                              /* 1 … 100 */
    const struct cluster_spread_target *targets; /* none: evenly over the values there are */
    size_t target_count;
};

struct cluster_distinct {
    const char *attribute;
    int64_t limit; /* instances a value, at least 1 */
    bool of_job;   /* of the whole job, not of the task alone */
};

/* What one instance of a task asks of a node. The caller's; not changed once it is sealed, and
 * there as long as there are claims of it. */
struct cluster_demand {
    const struct string_list *datacenters; /* globs */
    int runtime;                           /* enum runtime_kind */
    struct capacity needs;
    int64_t memory_max_bytes;         /* a node must have that much, 0: what is needed */
    const struct cluster_port *ports; /* static ones */
    size_t port_count;
    int64_t dynamic_ports;
    struct string_list devices; /* of the node; each is used by one instance at a time */
    const struct expression *constraints;
    size_t constraint_count;
    const struct cluster_affinity *affinities;
    size_t affinity_count;
    const struct cluster_spread *spreads;
    size_t spread_count;
    const struct cluster_distinct *distincts;
    size_t distinct_count;
    bool distinct_hosts_of_task; /* no other instance of the task on the node */
    bool distinct_hosts_of_job;
    enum placement_policy policy;
    int64_t priority; /* 1 … 100 */
    int64_t count;    /* instances of the task */
    /* by cluster_demand_seal(): equal for those of one class */
    const char *key;
    uint64_t hash;
};
/* To be called when all else is filled in. Memory from `arena`; -ERR_NO_MEMORY. */
int cluster_demand_seal(struct cluster_demand *demand, struct arena *arena);

/* A job, and the instances of one of its tasks: they count what is placed where. A group is freed
 * before its job, both after their claims, or after the cluster (which is NULL then). */
struct cluster_job;
struct cluster_group;
struct cluster_job *cluster_job_new(void);
void cluster_job_free(struct cluster_job *job);
struct cluster_group *cluster_group_new(struct cluster_job *job);
void cluster_group_free(struct cluster *cluster, struct cluster_group *group);

/* What an instance takes on a node from now on, whatever fits. `owner` is the caller's. */
struct cluster_claim *cluster_claim_new(struct cluster *cluster, struct cluster_node *node,
                                        struct cluster_group *group,
                                        const struct cluster_demand *demand, void *owner);
void cluster_claim_free(struct cluster *cluster, struct cluster_claim *claim);
/* It was told to go: it still counts, but preemption names it before all others, whatever its
 * priority. NULL: nothing. */
void cluster_claim_leave(struct cluster *cluster, struct cluster_claim *claim);
void *cluster_claim_owner(const struct cluster_claim *claim);
struct cluster_node *cluster_claim_node(const struct cluster *cluster,
                                        const struct cluster_claim *claim);

/* ---- questions ---- */

/* The nodes where the instance failed before; each once. */
struct cluster_failures {
    struct cluster_node *const *nodes;
    size_t count;
};

/* Parts are in millionths; a mean of up to five of them, times 60, is a whole number. */
enum { CLUSTER_PART_ONE = 1000000, CLUSTER_SCORE_SCALE = 60 };
#define CLUSTER_SCORE_ONE ((int64_t)CLUSTER_SCORE_SCALE * CLUSTER_PART_ONE)

struct cluster_placement {
    struct cluster_node *node;
    int64_t score; /* CLUSTER_SCORE_ONE is 1 */
};

/* Where an instance goes best; false: nowhere. Nothing is claimed by asking. */
bool cluster_place(struct cluster *cluster, struct cluster_group *group,
                   const struct cluster_demand *demand, const struct cluster_failures *failures,
                   struct cluster_placement *ret_placement);

/* A node's score and what it is made of, in millionths. Only for nodes that can take it. */
struct cluster_score {
    int64_t policy, anti_affinity, penalty, affinity, spread;
    int64_t parts; /* that apply */
    int64_t mean;  /* CLUSTER_SCORE_ONE is 1 */
};
void cluster_score(struct cluster *cluster, struct cluster_group *group,
                   const struct cluster_demand *demand, const struct cluster_failures *failures,
                   struct cluster_node *node, struct cluster_score *ret_score);

enum { CLUSTER_EXCLUSIONS_MAX = 32 };
struct cluster_exclusion {
    enum reason reason;
    const char *detail; /* the constraint, device or property: the demand's text. NULL: none */
    int64_t nodes;
};

/* Why no node can take it: each counts under the first reason against it. */
struct cluster_explanation {
    int64_t nodes; /* that there are */
    struct cluster_exclusion exclusions[CLUSTER_EXCLUSIONS_MAX];
    size_t count; /* of exclusions; what is too much counts in the last one */
    /* The node that only lacks cpu, memory or disk, and of those the one that lacks least. */
    char nearest[LIMIT_NODE_ID_LENGTH + 1]; /* "" when there is none */
    struct capacity nearest_lacks;
};
void cluster_explain(struct cluster *cluster, struct cluster_group *group,
                     const struct cluster_demand *demand,
                     struct cluster_explanation *ret_explanation);
/* "edge-04 lacks 0.5 cpu and 12 MiB memory"; "" when there is no nearest miss. */
void cluster_nearest_text(const struct cluster_explanation *explanation, char *ret_text,
                          size_t size);
/* The same of one node alone: nobody asks about the others. */
void cluster_explain_node(struct cluster *cluster, struct cluster_group *group,
                          const struct cluster_demand *demand, struct cluster_node *node,
                          struct cluster_explanation *ret_explanation);
bool cluster_explanation_equal(const struct cluster_explanation *a,
                               const struct cluster_explanation *b);
/* Of the exclusions with that reason. */
int64_t cluster_explanation_nodes(const struct cluster_explanation *explanation,
                                  enum reason reason);
/* The reason that excludes most nodes; REASON_NO_NODES: there is none. */
enum reason cluster_explanation_reason(const struct cluster_explanation *explanation);
/* Adds what another one counts. */
void cluster_explanation_add(struct cluster_explanation *sum,
                             const struct cluster_explanation *more);
/* The first reason against a node, REASON_NONE: it can take it. `ret_detail` may be NULL. */
enum reason cluster_exclude(struct cluster *cluster, struct cluster_group *group,
                            const struct cluster_demand *demand, struct cluster_node *node,
                            const char **ret_detail);

/* Whether it is worth asking about one node: cheap, and true whenever cluster_place() would find it
 * (or cluster_preempt(), when asked for), and sometimes when not. */
bool cluster_might_take(const struct cluster_group *group, const struct cluster_demand *demand,
                        const struct cluster_node *node, bool by_preemption);

/* What a node is, whatever is claimed on it and whether or not it is barred: whether it is where
 * the demand wants to be (datacenter, constraints), and the first thing that it lacks for it
 * (runtime, constraint, property, device, memory), REASON_NONE: nothing. */
bool cluster_node_matches(const struct cluster_demand *demand, const struct cluster_node *node);
enum reason cluster_node_misses(const struct cluster_demand *demand,
                                const struct cluster_node *node);

/* Who would have to go so that an instance that fits nowhere can be placed: instances of other jobs
 * whose priority is lower by at least 10; lowest priority first, in one priority the nearest in
 * size first, the youngest of equal ones first; who turns out not to be in the way stays. Who is
 * leaving anyway counts as having priority 0. The node
 * is the one whose highest priority to go is lowest, then the one where the fewest go, then the one
 * that the policy likes best then (load-based ones: none), then the smallest id. */
enum { PREEMPTION_PRIORITY_GAP = 10 };
struct cluster_preemption {
    struct cluster_node *node;
    struct cluster_claim *const *victims; /* valid until the next call with this cluster */
    size_t count;
};
bool cluster_preempt(struct cluster *cluster, struct cluster_group *group,
                     const struct cluster_demand *demand,
                     struct cluster_preemption *ret_preemption);
/* The same on one node; false: not there. */
bool cluster_preempt_on(struct cluster *cluster, struct cluster_group *group,
                        const struct cluster_demand *demand, struct cluster_node *node,
                        struct cluster_preemption *ret_preemption);

#endif
