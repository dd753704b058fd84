/* Where a task goes: candidates, score, pick. Pure, exact (every node is looked at), free of
 * allocation.
 *
 *   candidates  nodes that can take it at all; each other one is counted under the first reason
 * against it score       the mean of the parts that apply, in millionths (SEMANTICS 5): binpack;
 * anti-affinity of the task with itself; -1 where this instance has failed pick        the highest
 * score; of equal ones the smallest node id
 *
 * The view of a node is plain data that the caller keeps up to date. What cannot be placed gets an
 * explanation: how many nodes were excluded by which reason, and the nearest miss. */
#ifndef ARGOSY_MANAGER_SCHEDULER_H
#define ARGOSY_MANAGER_SCHEDULER_H

#include "schema/documents.h"
#include "schema/limits.h"
#include "schema/reasons.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct scheduler_port {
    int64_t port; /* on the node */
    bool udp;
};

struct scheduler_node {
    const char *id;
    const char *datacenter;
    int barred;        /* enum reason why it takes no new work at all, or REASON_NONE */
    unsigned runtimes; /* bit (1 << enum runtime_kind) for each that it has */
    struct capacity capacity;
    struct capacity used;
    int64_t attempts;
    int64_t max_attempts;
    const struct scheduler_port *ports; /* static ones that are taken */
    size_t port_count;
    /* of the job, task and instance that are being placed */
    int64_t job_attempts;
    int64_t task_attempts;
    bool failed_here;
};

/* What one instance of a task asks of a node. */
struct scheduler_demand {
    const struct string_list *datacenters; /* globs */
    int runtime;                           /* enum runtime_kind */
    struct capacity needs;
    const struct scheduler_port *ports;
    size_t port_count;
    int64_t count; /* instances of the task */
};

struct scheduler_explanation {
    int64_t nodes;                  /* looked at */
    int64_t excluded[REASON_COUNT]; /* of them, by the first reason that applied */
    /* The node that only lacks cpu, memory or disk, and of those the one that lacks least. */
    char nearest[LIMIT_NODE_ID_LENGTH + 1]; /* "" when there is none */
    struct capacity nearest_lacks;
};

/* The best node, or NULL with `ret_explanation` filled in (it is always filled in). */
const struct scheduler_node *scheduler_place(const struct scheduler_demand *demand,
                                             const struct scheduler_node *const *nodes,
                                             size_t count,
                                             struct scheduler_explanation *ret_explanation);

/* The first reason against placing it there, REASON_NONE when it fits. */
enum reason scheduler_exclude(const struct scheduler_demand *demand,
                              const struct scheduler_node *node);

enum { SCHEDULER_SCORE_ONE = 1000000 };
/* Millionths, from -1000000 to 1000000. Only for a node that fits. */
int64_t scheduler_score(const struct scheduler_demand *demand, const struct scheduler_node *node);

/* What the node's free capacity falls short of, 0 where it does not. */
struct capacity scheduler_lacks(const struct scheduler_demand *demand,
                                const struct scheduler_node *node);

/* "edge-04 lacks 0.5 cpu and 12 MiB memory"; "" when there is no nearest miss. */
void scheduler_nearest_text(const struct scheduler_explanation *explanation, char *ret_text,
                            size_t size);

#endif
