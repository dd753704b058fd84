/* The cluster of a plan, built from a snapshot: private to plan.c. */
#ifndef ARGOSY_MANAGER_SCHEDULER_PLAN_CLUSTER_H
#define ARGOSY_MANAGER_SCHEDULER_PLAN_CLUSTER_H

#include "manager/scheduler/plan.h"
#include "platform/base/mem.h"

#include <uthash.h>

struct planned_job {
    UT_hash_handle hh; /* by name */
    const char *name;
    struct cluster_job *job;
};

struct planned_group {
    UT_hash_handle hh; /* by "job/task" */
    char *name;
    struct cluster_group *group;
};

/* An instance that is there. */
struct present {
    UT_hash_handle hh; /* by job_task_index */
    char name[LIMIT_TASK_ID_LENGTH + 1];
    const struct snapshot_task *task;
    struct cluster_claim *claim;
};

/* Who owns a claim. */
struct occupant {
    const char *name;        /* of the instance */
    struct present *present; /* NULL: it was planned here */
};

struct planner {
    const struct plan_options *options;
    const struct cluster_snapshot *snapshot;
    struct arena *arena;
    struct cluster *cluster;
    struct cluster_node **nodes; /* as in the snapshot */
    const char **snapshot_ids;   /* theirs */
    size_t node_count;
    struct planned_job *jobs;
    struct planned_group *groups;
    struct present *present;
    struct plan *plan;
    size_t capacity; /* of plan->instances */
};

/* Memory of an arena, which must be there. */
static inline void *taken(void *memory)
{
    ASSERT(memory);
    return memory;
}

/* Nodes, and claims for what is placed. */
void planner_load(struct planner *planner, const struct cluster_snapshot *snapshot);
void planner_release(struct planner *planner);
struct cluster_group *planner_group(struct planner *planner, const char *job, const char *task);
/* Of what is to be planned. */
struct cluster_demand *planner_task_demand(struct planner *planner, const struct job_spec *job,
                                           const struct task_spec *task);
/* Of what is there. */
struct cluster_demand *planner_demand(struct planner *planner, const struct resources *resources,
                                      const struct string_list *ports, int64_t priority);
struct occupant *planner_occupant(struct planner *planner, const char *name,
                                  struct present *present);
/* What the snapshot says of a job; NULL: nothing. */
const struct job_spec *planner_spec(const struct planner *planner, const char *job);
/* NULL: it is not there. */
struct present *planner_present(const struct planner *planner, const char *instance);
/* The name of its task: its job's when nobody gave one. */
const char *present_task(const struct present *present);

#endif
