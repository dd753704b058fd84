/* The manager's state: what there is. Seen by manager/core only; what is done to it is in
 * internal.h.
 *
 *   manager ── jobs ── groups (a task's instances) ── instances ── attempts (newest first)
 *          └── nodes ── bindings (one job on one node = one assignment) ── attempts
 *
 * An attempt hangs in both lists. Tables keep insertion order, so iteration is deterministic. */
#ifndef ARGOSY_MANAGER_CORE_STATE_H
#define ARGOSY_MANAGER_CORE_STATE_H

#include "manager/core/manager.h"
#include "manager/scheduler/cluster.h"
#include "platform/base/deadlines.h"
#include "platform/base/mem.h"
#include "platform/base/pool.h"
#include "platform/base/prng.h"

#include <uthash.h>

/* Core state must not vanish silently: out of memory ends the process (platform/base/mem.h). */

enum {
    TOMBSTONE_STORED_MS = TOKEN_KEPT_MS, /* so long an old copy that turns up is known to be old */
    KEEPALIVE_FACTOR_X10 = 25,           /* a frozen link is noticed after at most 2.5 keepalives */
};

/* A term of a manager that wrote a document of ours. There are few. */
struct reign {
    UT_hash_handle hh; /* manager->reigns, by term and id */
    struct {
        int64_t term;
        char manager[LIMIT_NODE_ID_LENGTH + 1]; /* "": not said */
    } key;
};

/* Order of a document of ours: the largest that was written or heard. */
struct order {
    const struct reign *reign; /* NULL: none */
    int64_t seq;
};

/* ---- timers ---- */

struct timer {
    struct deadline deadline; /* first */
    void (*fire)(struct manager *manager, void *owner);
    void *owner;
};

/* ---- a version of a job's specification: shared, and never changed ---- */

struct spec_version {
    int64_t references;
    int64_t version;
    int64_t submitted_ms;
    struct arena arena;
    struct job_spec spec;
    struct cluster_demand *demands; /* one a task */
};

/* ---- entities ---- */

/* Of the runs of an attempt: what most that run have nothing of. */
struct attempt_ends {
    int64_t restarts;
    int64_t exit_code;   /* UNSET: none */
    int64_t finished_ms; /* wall */
    int64_t run_wanted;
};

struct attempt {
    struct instance *instance;
    struct binding *binding;
    struct spec_version *spec;
    struct attempt *older;              /* of the same instance */
    struct attempt *next;               /* of the same binding, in order of creation */
    struct cluster_claim *claim;        /* with the scheduler, while it holds and knows the node */
    char suffix[ATTEMPT_SUFFIX_LENGTH]; /* of its name; the rest is its instance's */

    /* as observed; written by attempt_observe and attempt_lose only */
    enum attempt_state state : 8;
    enum health_state health : 8;
    enum reason reason : 16;
    /* as wanted */
    enum reason stop_reason : 16;
    enum desired_state desired : 8;

    bool adopted : 1;      /* heard of, not placed by us: its age is not known */
    bool unknown : 1;      /* its node is silent */
    bool unheard : 1;      /* its node was silent, or we were: it was not reported since */
    bool holds : 1;        /* its resources are taken on the node */
    bool answered : 1;     /* final by the worker's own words: nothing of it runs */
    bool final_stored : 1; /* the final state was committed */

    struct attempt_ends *ends; /* NULL: none has ended, nor is another wanted */
    /* as observed, too */
    int64_t run, seq;
    int64_t started_ms; /* wall */

    int64_t since_ms; /* monotonic: healthy since then, 0: it is not; of a final one: final */
};

enum { FAILED_NODES_KEPT = 16 };

/* Waiting and history of an instance that has failed: goes into jobs/<job>/history. */
struct reschedule {
    int64_t count, first_ms, last_ms, delay_ms, due_ms;
    char *failed_nodes[FAILED_NODES_KEPT]; /* the newest, last */
    size_t failed_count;
};

struct instance {
    struct group *group;
    struct attempt *attempts;      /* newest first */
    struct reschedule *reschedule; /* NULL: nothing of it has failed */
    int32_t index;
    enum reason waiting : 16; /* why it is pending, REASON_NONE */
    /* fewer are wanted, and one with a higher index has the better claim (instances.c); follows
     * from the attempts */
    bool kept : 1;      /* beyond the count, and wanted all the same */
    bool ousted : 1;    /* below the count, and not wanted: there is one that is kept for it */
    bool displaced : 1; /* of a system or sysbatch job: stopped for an update, and not placed since;
                           not stored */
};

/* Room on a node that others still have to leave. Not stored: a manager that starts again asks
 * anew. */
struct reservation {
    UT_hash_handle hh; /* manager->reservations, by instance */
    struct instance *instance;
    struct node *node;
    struct spec_version *spec; /* whose demand the claim is for */
    struct cluster_claim *claim;
};

/* The instances of one task. */
struct group {
    struct group *next;
    struct job *job;
    char name[LIMIT_NAME_LENGTH + 1];
    struct instance **instances; /* by index, NULL where there is none */
    struct node **pins; /* of a system or sysbatch job, by index: where it belongs, NULL: not known
                           yet. Not stored: it follows from the attempts. NULL: of no instance */
    size_t capacity;
    bool has_ousted;
    bool updating;                /* something of an old version ran when it was last looked at */
    struct cluster_group *places; /* the scheduler's */
    struct cluster_explanation *explanation; /* of the last placement that failed, or NULL */
    struct spec_version *explained;          /* where its texts are */
};

enum mark_bit { MARK_SPEC = 1, MARK_HISTORY = 2, MARK_STATUS = 4, MARK_DESIRED = 8 };

struct job {
    UT_hash_handle hh; /* manager->jobs, by name */
    char name[LIMIT_NAME_LENGTH + 1];
    int64_t number;                                     /* grows from job to job */
    struct spec_version *versions[LIMIT_VERSIONS_KEPT]; /* newest first; [0] is the present one */
    size_t version_count;
    int64_t last_version; /* the largest ever given */
    bool has_document;    /* its specification was heard, not inferred from assignments */
    bool stopped, deleting;
    bool tombstone;
    int64_t submitted_ms;
    int64_t
        hold_until_ms; /* monotonic: adopted from workers; the others may still answer. 0: none */
    struct order spec_order, history_order, status_order;
    struct group *groups;
    struct binding *bindings;
    unsigned marks;
    bool queued;
    struct job *queue_next;
    bool only_for_room; /* queued because room was made somewhere */
    bool lacks_room;    /* something of it fits nowhere, as far as it is reconciled */
    bool waiting;       /* something of it fits nowhere: in manager->waiting */
    int64_t wait_priority;
    struct job *wait_prev, *wait_next;
    bool ended;    /* a child all of whose instances have ended */
    bool admitted; /* what it depends on was there; in its history */
    bool gated;    /* it waits for that: in manager->gated */
    int64_t unmet; /* which one, see dependencies.c */
    struct job *gated_prev, *gated_next;
    bool scheduled;        /* launched by the clock: in manager->scheduled */
    int64_t launched_s;    /* the last time that was taken, since 1970; 0: none */
    int64_t next_launch_s; /* 0: none */
    struct job *scheduled_prev, *scheduled_next;
    bool everywhere; /* one instance on each node that matches: in manager->everywhere */
    struct job *everywhere_prev, *everywhere_next;
    struct timer timer, status_timer;
    int64_t changed_ms;         /* wall: last change of its status */
    int64_t counted_ms;         /* monotonic: when its status was made last */
    struct cluster_job *places; /* the scheduler's */
};

#define REVISION_MAX (INT64_MAX >> 8)

struct binding {
    struct job *job;
    struct node *node;
    struct binding *job_next;
    struct attempt *attempts;
    int64_t state_seq; /* largest seq of the worker's report */
    int64_t state_revision;
    struct order order;
    int64_t revision : 56;
    bool marked : 1;    /* its document is to be written */
    bool tombstone : 1; /* its document says so, or there never was one */
    bool indexed : 1;   /* the node's index names it */
};

enum liveness {
    NODE_UNSEEN, /* fresh grace: nothing heard since we began to listen */
    NODE_ALIVE,
    NODE_SILENT,
};

enum { NODE_INSTANCE_SIZE = 24, ASK_TOKEN_LENGTH = 16 };

/* A job of which something runs on a node, in no assignment of ours. */
struct stray {
    UT_hash_handle hh; /* node->strays, by job */
    char job[LIMIT_NAME_LENGTH + 1];
};

struct node {
    UT_hash_handle hh; /* manager->nodes, by id */
    char id[LIMIT_NODE_ID_LENGTH + 1];
    /* from its worker */
    bool has_info;
    int64_t info_seq;
    struct arena info_arena;
    struct node_info info;
    int64_t session;
    bool offline;
    bool muted;  /* it was born with a session that is over: it is told so */
    bool reborn; /* was deleted and is back: asked, so that all that it has was reported before */
    char instance[NODE_INSTANCE_SIZE]; /* of the process that spoke last, and of the one before */
    char former_instance[NODE_INSTANCE_SIZE];
    int64_t duplicate_quiet_until_ms; /* monotonic */
    /* by people */
    bool eligible;
    struct arena labels_arena;
    struct string_map labels;
    int64_t interval_ms; /* UNSET */
    /* liveness */
    enum liveness liveness;
    int64_t silent_since_ms; /* monotonic */
    int64_t heartbeats;      /* since it was silent, or we began to listen */
    struct timer timer;
    /* its documents */
    struct order order;
    bool has_document;
    bool deleted; /* its desired document is a tombstone */
    bool foreign; /* belongs to another cluster */
    unsigned marks;
    struct binding **bindings; /* by the numbers of their jobs */
    size_t binding_count, binding_capacity;
    struct stray *strays;
    /* D5: until it has answered, nothing is decided about it */
    bool settled;
    bool owed;                            /* its index is to be said when it is settled */
    char ask_token[ASK_TOKEN_LENGTH + 1]; /* "" when no question is open */
    int64_t ask_parts;                    /* heard of the open question */
    bool answered;                        /* in this connection */
    bool ask_wanted;                      /* something of it was heard that nobody explains */
    struct timer ask_timer;
    enum reason barred;         /* why it takes no new work, REASON_NONE */
    struct cluster_node *place; /* the scheduler's; NULL: nobody knows what the node is */
    bool is_roomy;              /* in manager->roomy */
    struct node *roomy_next, *changed_next;
    struct instance *here; /* of the group that is being placed everywhere */
};

/* A tombstone in the store: its topic is cleared, and later forgotten. */
struct grave {
    UT_hash_handle hh; /* manager->graves, by topic */
    struct timer timer;
    int64_t forget_ms; /* monotonic */
    bool cleared;      /* its topic, in this connection */
    char topic[];
};

struct manager {
    char id[LIMIT_NODE_ID_LENGTH + 1];
    char cluster[LIMIT_TOKEN_LENGTH + 1];
    bool cluster_settled; /* some node works under it: it is not given up any more */
    int64_t term;
    int64_t term_heard;
    char term_heard_from[LIMIT_NODE_ID_LENGTH + 1];
    int64_t seq;
    int64_t session;
    bool offline;       /* going */
    bool started_empty; /* nothing was in the store */
    bool others_led;    /* another manager, whose words a broker may have lost */
    bool has_led;
    bool heard_news;         /* the bus knew more than our store: write it down when we lead */
    bool renewing;           /* assignments are written anew */
    struct node *renew_next; /* NULL: the first one */
    int64_t renew_above;     /* seq when it began */
    enum manager_phase phase;
    int64_t grace_ms, keepalive_ms;
    struct prng prng;
    unsigned marks;
    struct order status_order;

    struct pool instances, attempts, ends, bindings;
    struct job *jobs;
    int64_t job_number; /* of the last one that was made */
    struct node *nodes;
    struct reign *reigns;
    const struct reign *reign; /* the one asked for last */
    struct grave *graves;
    struct cluster *scheduler;
    enum placement_policy policy; /* of jobs that have none */
    bool by_loads;                /* something was placed by what heartbeats say */
    enum preemption preemption;
    struct reservation *reservations;

    struct job *queue_first, *queue_last;
    struct job *waiting; /* in line */
    int64_t waiting_count;
    struct job *scheduled; /* launched by the clock */
    int64_t wall_ahead_ms; /* of the monotonic clock, when last looked at */
    struct known_zone *zones;
    struct node *roomy;   /* since the queue was last run, room was made there, or it changed */
    struct node *changed; /* the same, before it is run */
    struct timer explain_timer;
    struct job *gated;           /* wait for other jobs */
    struct job *everywhere;      /* system and sysbatch jobs that should run */
    struct attempt **just_final; /* their final state is not stored yet */
    size_t just_final_count, just_final_capacity;
    size_t unreported;      /* attempts that are scheduled on nodes that are not silent */
    int64_t reported_ms;    /* when one ceased to be of those; monotonic */
    size_t final_under_way; /* so many of the first: their state is being stored */

    struct deadlines timers;
    /* of the step that runs */
    struct now now;
    struct effects *effects;
};

#endif
