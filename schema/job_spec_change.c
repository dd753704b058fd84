/* What a new version of a specification does to what runs (docs/decisions.md, D9). */
#include "schema/job_spec.h"
#include "schema/record.h"

bool task_spec_needs_replacement(const struct task_spec *old, const struct task_spec *fresh)
{
    /* What may change in place is made equal; whatever still differs needs a new container. */
    struct task_spec like = *old;
    like.placement = fresh->placement;
    like.count = fresh->count;
    like.restart = fresh->restart;
    like.stop = fresh->stop;
    like.max_run_ms = fresh->max_run_ms;
    like.health = fresh->health;
    return !record_equal(&task_spec_record, &like, fresh);
}
