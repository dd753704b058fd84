/* A core with model workers that are slow, fall silent and come back: for random lives
 * (test_invariants.c). */
#ifndef ARGOSY_TESTS_MANAGER_WORLD_H
#define ARGOSY_TESTS_MANAGER_WORLD_H

#include "cluster.h"

#include "platform/base/prng.h"

enum {
    NODES = 4,
    JOBS = 4,
    HELD_MAX = 400,
    NODE_CPU_MILLIS = 2000,
};

extern const char *const node_names[NODES + 1];
extern const char *const job_names[JOBS]; /* services, then batches */

/* What a worker has of an attempt. */
struct held {
    char id[LIMIT_TASK_ID_LENGTH + 1];
    char job[LIMIT_NAME_LENGTH + 1];
    enum attempt_state state;
    int64_t seq;
    bool gone; /* may be dropped: nobody asks for it any more */
};

struct worker_model {
    struct held held[HELD_MAX];
    size_t count;
    bool away; /* neither hears nor speaks */
    int64_t revision[JOBS];
    int64_t session;
    int64_t seq;
};

struct world {
    struct cluster cluster;
    struct worker_model workers[NODES];
    struct prng prng;
    uint64_t seed;
    int64_t unclear_ms; /* when a node came back, or the manager did */
};

extern struct world *w;

/* Fails the test with the seed. */
void check(bool holds, const char *what);
size_t job_index(const char *name);

/* The worker takes in what its assignment says at present; it tells what it has. */
void worker_hears(size_t n, const char *job);
void worker_reports(size_t n, const char *job, bool live);
/* Birth and info. */
void worker_speaks(size_t n, bool live);
/* Something happens to one of its tasks. */
void worker_goes_on(size_t n);
void worker_goes_away(size_t n);
void worker_comes_back(size_t n);
/* Workers answer what the manager has asked them. */
void answer_questions(void);

#endif
