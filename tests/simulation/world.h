/* The world: one heap of events, one seed, a broker, a manager, nodes, a user, and the oracle that
 * watches. Everything is an object that can be killed between two events, or between two operations
 * of one (fuse.h), and started again. */
#ifndef ARGOSY_SIMULATION_WORLD_H
#define ARGOSY_SIMULATION_WORLD_H

#include "platform/base/prng.h"
#include "platform/ports/clock.h"
#include "tests/simulation/broker.h"
#include "tests/simulation/fuse.h"
#include "tests/simulation/heap.h"
#include "tests/simulation/kinds.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum {
    NODES_MAX = 16,
    MANAGERS_MAX = 2,
    JOBS_MAX = 32,
    HISTORY_LINES = 60,
    HEARTBEAT_MS = 5000,
    GRACE_MS = 5000,
    KEEPALIVE_MS = 10000,
    READ_AT_ONCE = 6,           /* so that assignments are read in pieces now and then */
    BACKLOG = 8,                /* so that commands wait for the broker now and then */
    INSTANCES_MAX = 3,          /* of one job */
    SETTLE_MAX_MS = 20 * 60000, /* I9's bound */
    LOSSES_APART_MS = 60000,
};

/* One fault at a certain place: the n-th operation of a kind. */
enum countdown_kind {
    COUNTDOWN_NONE,
    COUNTDOWN_DEATH,      /* a process dies before its n-th operation on the outside */
    COUNTDOWN_STORE,      /* its n-th store operation fails */
    COUNTDOWN_PUBLISH,    /* its n-th publication is lost with the connection */
    COUNTDOWN_ALLOCATION, /* the n-th allocation for a message fails, whoever's */
};

struct countdown {
    enum countdown_kind kind;
    int process; /* 0: the manager, else the number of a node */
    int64_t n;
};

struct options {
    uint64_t seed;
    int nodes, jobs, steps;
    uint64_t faults;     /* bits by number in the table of faults.h */
    enum kind_set kinds; /* of jobs that users want */
    bool mqtt5;          /* spoken by the broker */
    bool hasty;          /* who is silent is given up after a second */
    bool trace;
    int trial;     /* by number in the table of trials.h, once all is settled; 0: none */
    bool main_job; /* the main job (main_job.h) instead of user and fate */
    struct countdown countdown;
};

struct machine {
    struct clock clock; /* first */
    struct world *world;
    int64_t boot_ms; /* of the world */
    int64_t skew_ms; /* of its wall clock */
    int boots;
};

/* What manager and worker have in common. */
struct process {
    struct machine machine; /* first */
    struct fuse fuse;
    struct store *store; /* NULL: it is gone for good */
    struct bus *bus;
    char name[32];
    char client_id[64];
    char commands_id[64]; /* of a manager's second connection; "": there is none */
    bool up;
    uint64_t life; /* number of this life: events of earlier ones are void */
    int64_t timer_ms;
    int64_t start_ms; /* when it comes back, 0: not planned */
};

struct manager_process {
    struct process process; /* first */
    struct manager_shell *shell;
};

struct node {
    struct process process; /* first */
    struct worker_shell *shell;
    struct simulated_engine *engine;
    struct runtime *runtime; /* the wrapper */
    struct machine engine_machine;
    uint64_t engine_event;
    bool engine_changed;
};

struct world {
    struct options options;
    struct heap heap;
    int64_t now_ms;
    uint64_t hash, events;
    struct prng work, fault, plan, life;
    struct prng more; /* of the faults and habits that came later: without them all is as before */
    struct broker *broker;
    struct manager_process managers[MANAGERS_MAX];
    struct manager_process *manager; /* the one that leads, or will */
    struct manager_process *rival;   /* a second one at the same time, or NULL */
    struct bus *intruder;            /* somebody with another's client id, or NULL */
    int64_t user_rests_until_ms;
    struct node nodes[NODES_MAX];
    struct user *user;
    struct oracle *oracle;
    bool quiet;           /* faults have ended */
    int64_t step_ms;      /* the last step of the main job */
    int64_t trial_ms;     /* when the trial began, 0: not yet */
    int64_t lost_ms;      /* when a truth was lost last */
    int64_t old_words_ms; /* when something old was said again last */
    int settled_looks;    /* in a row, in the end */
    char *history[HISTORY_LINES];
    uint64_t history_count;
    char failure[400]; /* "" or what is wrong */
};

void world_init(struct world *world, const struct options *options);
void world_release(struct world *world);
/* Runs steps, then without faults until everything is as it should be. False: world->failure. */
bool world_run(struct world *world);

/* A line of the readable history. */
void world_note(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The first failure counts. */
void world_fail(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));
void world_print_history(const struct world *world, FILE *to);
void world_hash(struct world *world, const void *bytes, size_t length);

/* process.c */
void processes_init(struct world *world);
void processes_release(struct world *world);
/* Buries whose fuse has blown, starts whose time has come; after each event. */
void processes_look_after(struct world *world);
/* It stands still from now on: a machine that is suspended, a process that is stopped. */
void process_sleep(struct world *world, struct process *process, int64_t for_ms);
/* A manager on an empty store, in the slot that is free: world->rival. */
void manager_add_rival(struct world *world);
/* One of two is gone for good, and the other stays as world->manager. */
void manager_retire(struct world *world, struct manager_process *gone);
/* NULL: it is none of ours. */
struct process *world_process(struct world *world, const char *client_id);
void process_kill(struct world *world, struct process *process, int64_t back_in_ms);
/* Everything runs again, soon. */
void processes_heal(struct world *world);
struct node *world_node(struct world *world, const char *client_id);
/* Steps an engine at once, or when its deadline comes. */
void engine_deadline(void *node, int64_t mono_ms);
/* A clock of the world itself. */
void machine_init(struct machine *machine, struct world *world);

#endif
