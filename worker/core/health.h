/* Health checks of one running execution: when to probe next, and what the results add up to. */
#ifndef ARGOSY_WORKER_HEALTH_H
#define ARGOSY_WORKER_HEALTH_H

#include "schema/documents.h"
#include "schema/job_spec.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct health_probe {
    int64_t due_ms;       /* mono: next probe */
    int64_t answer_by_ms; /* mono; 0: none under way */
    int64_t failures;     /* consecutive, counted after the grace */
    bool passed;          /* its last result was good */
};

struct health {
    enum health_state state; /* 0: the task has no check */
    struct health_probe *probes;
    size_t count;
    int64_t started_ms; /* mono: the grace counts from here */
};

/* Begins for an execution that runs since now; `before` is what is known of it when it was adopted,
 * else 0. */
void health_start(struct health *health, const struct task_spec *task, enum health_state before,
                  int64_t mono_ms);
/* No execution: no probes. The last state stays to be told. */
void health_stop(struct health *health);
void health_release(struct health *health);
/* The next check to probe now, noted as under way; -1: none. */
int health_next(struct health *health, const struct task_spec *task, int64_t mono_ms);
/* A probe that got no answer in time has failed; its index, or -1. */
int health_overdue(const struct health *health, int64_t mono_ms);
/* Counts a result; returns the state that follows. */
enum health_state health_result(struct health *health, const struct task_spec *task, size_t index,
                                bool healthy, int64_t mono_ms);
int64_t health_deadline_ms(const struct health *health);

#endif
