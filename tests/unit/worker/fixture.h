/* A worker's core on a hand-driven clock: events in by one line each, effects looked up by one line
 * each. */
#ifndef ARGOSY_TESTS_WORKER_FIXTURE_H
#define ARGOSY_TESTS_WORKER_FIXTURE_H

#include "tests/unit/unit.h"

#include "schema/documents.h"
#include "worker/core/worker_state.h"

#define WEB_ID "web_web_0_aaaaaaaa"

struct fixture {
    struct worker *worker;
    struct effects effects;
    struct now now;
    struct job_spec spec; /* of every assignment that follows; tests change it */
    struct task_spec task;
    struct health_check check; /* used when task.health.count is 1 */
    int64_t seq;               /* of the manager's documents */
    int64_t term;
    const char *manager;
    const char *cluster;
};

/* A started worker with the docker and process runtimes, connected, its first list done. */
void fixture_ready(struct fixture *f);
/* Not started, nothing heard. */
void fixture_new(struct fixture *f, bool empty_store, bool rebooted);
void fixture_release(struct fixture *f);

void step_kind(struct fixture *f, enum worker_event_kind kind);
void advance(struct fixture *f, int64_t ms); /* time passes, then the timer if it is due */

struct assigned_attempt wanted(const char *id); /* version 1, desired run */
void assign_list(struct fixture *f, const char *job, const struct assigned_attempt *attempts,
                 size_t count);
void assign(struct fixture *f, struct assigned_attempt attempt); /* alone, to its job */
void assign_from_store(struct fixture *f, struct assigned_attempt attempt);
void tombstone(struct fixture *f, const char *job);
void desired(struct fixture *f, const char *job, int64_t revision); /* NULL: an empty index */
void manager_leads(struct fixture *f);
void own_state(struct fixture *f, const char *job, struct observed_attempt observed, int64_t seq,
               bool from_store);
struct observed_attempt observed(const char *id, enum attempt_state state, int64_t run);

void runtime_says(struct fixture *f, struct runtime_event event);
void running(struct fixture *f, const char *id, int64_t run);
void exited(struct fixture *f, const char *id, int64_t run, int64_t code);
void start_fails(struct fixture *f, const char *id, int64_t run, enum reason reason);
void gone(struct fixture *f, const char *id, int64_t run);
void listed(struct fixture *f, enum runtime_kind kind);

/* Since the last forget(). */
void forget(struct fixture *f);
size_t count_effects(const struct fixture *f, enum effect_kind kind);
const struct effect *find_effect(const struct fixture *f, enum effect_kind kind);
bool has_event(const struct fixture *f, enum reason reason);
const struct attempt *attempt_of(const struct fixture *f, const char *id);
void assert_state(const struct fixture *f, const char *id, enum attempt_state state, int64_t run);

#endif
