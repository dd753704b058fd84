/* A plan: what the scheduler would do with jobs on a cluster. Pure: same cluster, same jobs, same
 * plan. What is planned first is there for what comes next. */
#ifndef ARGOSY_MANAGER_SCHEDULER_PLAN_H
#define ARGOSY_MANAGER_SCHEDULER_PLAN_H

#include "manager/scheduler/cluster.h"
#include "schema/job_spec.h"
#include "schema/plan.h"
#include "schema/snapshot.h"

struct plan_options {
    enum placement_policy policy;
    enum preemption preemption;
    bool explain; /* tell of every node */
};

/* `jobs` are normalised and checked, those of the snapshot normalised. What would change of
 * specifications is left out (codec_diff() tells it). The result is in `arena`, and points to the
 * snapshot and the jobs. Aborts when there is no memory. */
void plan_make(const struct cluster_snapshot *snapshot, const struct job_spec *const *jobs,
               size_t job_count, const struct plan_options *options, struct arena *arena,
               struct plan *ret_plan);

#endif
