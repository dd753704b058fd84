/* The manager's state. Seen by manager/core only.
 *
 *   manager ── jobs ── groups (a task's instances) ── instances ── attempts (newest first)
 *          └── nodes ── bindings (one job on one node = one assignment) ── attempts
 *
 * An attempt hangs in both lists. Tables keep insertion order, so iteration is deterministic. */
#ifndef ARGOSY_MANAGER_CORE_INTERNAL_H
#define ARGOSY_MANAGER_CORE_INTERNAL_H

#include "manager/core/manager.h"
#include "manager/scheduler/scheduler.h"
#include "platform/base/err.h"
#include "platform/base/mem.h"
#include "platform/base/prng.h"

#include <uthash.h>

/* Core state must not vanish silently: out of memory ends the process (platform/base/mem.h). */

enum {
    TOMBSTONE_STORED_MS = TOKEN_KEPT_MS, /* so long an old copy that turns up is known to be old */
    KEEPALIVE_FACTOR_X10 = 25,           /* a frozen link is noticed after at most 2.5 keepalives */
};

/* Order of a document of ours: the largest that was written or heard. */
struct order {
    int64_t term;
    int64_t seq;
    char manager[LIMIT_NODE_ID_LENGTH + 1];
};

/* ---- timers.c: a binary heap in (due, insertion) order ---- */

struct timer {
    int64_t due_ms; /* monotonic */
    uint64_t number;
    size_t place; /* in the heap, from 1; 0: not set */
    void (*fire)(struct manager *manager, void *owner);
    void *owner;
};

struct timers {
    struct timer **heap; /* heap[0] is not used */
    size_t count, capacity;
    uint64_t number;
};

void timer_init(struct timer *timer, void (*fire)(struct manager *, void *), void *owner);
void timer_set(struct timers *timers, struct timer *timer, int64_t due_ms);
void timer_unset(struct timers *timers, struct timer *timer);
struct timer *timers_first(const struct timers *timers);
void timers_release(struct timers *timers);

/* ---- specs.c: versions of a job's specification, shared and never changed ---- */

struct spec_version {
    int64_t references;
    int64_t version;
    int64_t submitted_ms;
    struct arena arena;
    struct job_spec spec;
    struct scheduler_demand *demands; /* one a task */
};

/* A copy with one reference. NULL when there is no memory for it. */
struct spec_version *spec_version_new(const struct job_spec *spec, int64_t version,
                                      int64_t submitted_ms);
struct spec_version *spec_version_ref(struct spec_version *version);
void spec_version_unref(struct spec_version *version);
/* NULL when the spec has no such task. */
const struct task_spec *spec_task(const struct job_spec *spec, const char *name);
size_t spec_task_index(const struct job_spec *spec, const struct task_spec *task);
/* Whether an instance that runs `old` has to be replaced to become `fresh` (docs/decisions.md, D9).
 */
bool task_spec_needs_replacement(const struct task_spec *old, const struct task_spec *fresh);

/* ---- entities ---- */

struct attempt {
    UT_hash_handle hh; /* manager->attempts, by id */
    char id[LIMIT_TASK_ID_LENGTH + 1];
    struct instance *instance;
    struct binding *binding;
    struct spec_version *spec;
    const struct task_spec *task; /* inside spec */
    struct attempt *older;        /* of the same instance */
    struct attempt *next;         /* of the same binding, in order of creation */

    /* as observed; written by attempt_observe and attempt_lose only */
    enum attempt_state state;
    int64_t run, restarts, seq;
    int64_t exit_code; /* UNSET: none */
    int reason;
    int health;
    int64_t started_ms, finished_ms; /* wall */

    /* as wanted */
    int desired; /* enum desired_state */
    int stop_reason;
    int64_t run_wanted;

    bool adopted;             /* heard of, not placed by us: its age is not known */
    bool unknown;             /* its node is silent */
    bool unheard;             /* its node was silent, or we were: it was not reported since */
    bool holds;               /* its resources are taken on the node */
    bool answered;            /* final by the worker's own words: nothing of it runs */
    bool final_stored;        /* the final state was committed */
    int64_t healthy_since_ms; /* monotonic; 0: is not healthy */
    int64_t ended_ms;         /* monotonic: when it became final here */
};

/* Waiting and history of one instance: goes into jobs/<job>/history. */
struct reschedule {
    int64_t count, first_ms, last_ms, delay_ms, due_ms;
    char **failed_nodes;
    size_t failed_count;
};

struct instance {
    struct group *group;
    int64_t index;
    struct attempt *attempts; /* newest first */
    struct reschedule reschedule;
    int waiting; /* enum reason why it is pending, REASON_NONE */
};

/* The instances of one task. */
struct group {
    struct group *next;
    struct job *job;
    char name[LIMIT_NAME_LENGTH + 1];
    struct instance **instances; /* by index, NULL where there is none */
    size_t capacity;
    struct scheduler_explanation *explanation; /* of the last placement that failed, or NULL */
};

enum mark_bit {
    MARK_SPEC = 1,
    MARK_HISTORY = 2,
    MARK_STATUS = 4,
    MARK_DESIRED = 8,
    MARK_ASSIGN = 16
};

struct job {
    UT_hash_handle hh; /* manager->jobs, by name */
    char name[LIMIT_NAME_LENGTH + 1];
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
    bool waiting; /* something of it fits nowhere at present: in manager->waiting */
    struct job *wait_prev, *wait_next;
    struct timer timer;
    int64_t changed_ms; /* wall: last change of its status */
};

struct binding {
    UT_hash_handle hh; /* node->bindings, by job */
    struct job *job;
    struct node *node;
    struct binding *job_next;
    struct attempt *attempts;
    int64_t attempt_count;
    int64_t revision;
    int64_t state_seq; /* largest seq of the worker's report */
    int64_t state_revision;
    struct order order;
    bool tombstone; /* its document says so, or there never was one */
    bool indexed;   /* the node's index names it */
    unsigned marks;
};

enum liveness {
    NODE_UNSEEN, /* fresh grace: nothing heard since we began to listen */
    NODE_ALIVE,
    NODE_SILENT,
};

enum { NODE_INSTANCE_SIZE = 24 };

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
    struct binding *bindings;
    /* D5: until it has answered, nothing is decided about it */
    bool settled;
    char ask_token[LIMIT_TOKEN_LENGTH + 1]; /* "" when no question is open */
    int64_t ask_parts;                      /* heard of the open question */
    bool answered;                          /* in this connection */
    bool ask_wanted;                        /* something of it was heard that nobody explains */
    struct timer ask_timer;
    /* the scheduler's view; id points to the node's */
    struct scheduler_node view;
    struct scheduler_port *ports;
    size_t port_capacity;
};

/* A tombstone in the store: its topic is cleared, and later forgotten. */
struct grave {
    UT_hash_handle hh; /* manager->graves, by topic */
    char topic[LIMIT_TOPIC_LENGTH + 1];
    int64_t clear_ms;  /* monotonic, 0: cleared in this connection */
    int64_t forget_ms; /* monotonic */
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
    bool has_led;
    bool heard_news; /* the bus knew more than our store: write it down when we lead */
    enum manager_phase phase;
    int64_t link_lost_ms; /* monotonic; 0 before the first link */
    int64_t grace_ms, keepalive_ms;
    struct prng prng;
    unsigned marks;
    struct order status_order;

    struct job *jobs;
    struct node *nodes;
    struct attempt *attempts;
    struct grave *graves;
    struct timer grave_timer;
    const struct scheduler_node **views; /* of all nodes that may be considered */
    size_t view_count, view_capacity;

    struct job *queue_first, *queue_last;
    struct job *waiting;
    bool room_made; /* capacity was freed or a node changed: look at the waiting jobs */
    struct attempt **just_final; /* their final state is not stored yet */
    size_t just_final_count, just_final_capacity;

    struct timers timers;
    /* of the step that runs */
    struct now now;
    struct effects *effects;
};

/* ---- effects.c ---- */

void mark_job(struct manager *manager, struct job *job, enum mark_bit bit);
/* A buried job has no status any more. */
void mark_job_withdraw_status(struct manager *manager, struct job *job);
void mark_desired(struct manager *manager, struct node *node);
/* The assignment's content changed: the next revision, and with it the node's index. */
void mark_assignment(struct manager *manager, struct binding *binding);
void mark_manager_status(struct manager *manager);
/* Every document anew (a new term). */
void mark_everything(struct manager *manager);
void emit_event(struct manager *manager, const char *kind, enum reason reason, const char *job,
                const char *node, const char *task, const char *format, ...)
    __attribute__((format(printf, 7, 8)));
void emit_clear(struct manager *manager, enum clear_kind kind, const char *topic);
void emit_ask(struct manager *manager, struct node *node);

/* ---- graves.c ---- */

/* A topic's document has become a tombstone, or is none any more. */
void grave_dig(struct manager *manager, enum topic_kind kind, const char *first,
               const char *second);
void grave_close(struct manager *manager, enum topic_kind kind, const char *first,
                 const char *second);
/* All tombstones were published again (a new connection): clear their topics again. */
void graves_clear_again(struct manager *manager);
void graves_init(struct manager *manager);
void graves_release(struct manager *manager);

/* ---- jobs.c ---- */

struct job *job_find(struct manager *manager, const char *name);
struct job *job_obtain(struct manager *manager, const char *name);
void job_free(struct manager *manager, struct job *job);
static inline struct spec_version *job_present(const struct job *job)
{
    return job->version_count ? job->versions[0] : NULL;
}
/* Takes the reference; keeps the newest six. Replaces one of the same number. */
void job_add_version(struct job *job, struct spec_version *version);
struct spec_version *job_version(const struct job *job, int64_t version);
void job_queue(struct manager *manager, struct job *job);
/* Whether it is to be looked at when capacity is freed or a node changes. */
void job_set_waiting(struct manager *manager, struct job *job, bool waiting);
/* Looks at the job again at `due_ms` (monotonic) at the latest. */
void job_wake_at(struct manager *manager, struct job *job, int64_t due_ms);
struct group *job_group(const struct job *job, const char *task);
struct group *job_group_obtain(struct job *job, const char *task);
struct instance *group_instance(const struct group *group, int64_t index);
struct instance *group_instance_obtain(struct group *group, int64_t index);
/* Frees it when nothing hangs on it. */
void instance_drop(struct instance *instance);
/* Ends a job for good: tombstones and cleared topics. Nothing of it may be left. */
void job_bury(struct manager *manager, struct job *job);

/* ---- bindings.c ---- */

struct binding *binding_find(const struct node *node, const struct job *job);
struct binding *binding_obtain(struct node *node, struct job *job);
void binding_free(struct binding *binding);
/* Tombstones the assignment when no attempt is left in it. */
void binding_bury_if_empty(struct manager *manager, struct binding *binding);

/* ---- attempts.c ---- */

struct attempt *attempt_find(struct manager *manager, const char *id);
/* An attempt of `instance` on `node`, desired to run, holding its resources. */
struct attempt *attempt_new(struct manager *manager, const char *id, struct instance *instance,
                            struct node *node, struct spec_version *spec,
                            const struct task_spec *task);
void attempt_free(struct manager *manager, struct attempt *attempt);
static inline bool attempt_is_final(const struct attempt *attempt)
{
    return attempt_state_is_final(attempt->state);
}
static inline bool attempt_is_live(const struct attempt *attempt)
{
    return !attempt_is_final(attempt) && attempt->desired == DESIRED_RUN;
}
/* Applies an observation when it is newer. True when something changed. */
bool attempt_observe(struct manager *manager, struct attempt *attempt,
                     const struct observed_attempt *observed);
/* Restores what a document of ours said was known. */
void attempt_remember(struct manager *manager, struct attempt *attempt,
                      const struct known_state *known);
/* Gives it up for good. */
void attempt_lose(struct manager *manager, struct attempt *attempt, enum reason reason);
/* The worker says that nothing of it is left. */
void attempt_gone(struct manager *manager, struct attempt *attempt);
/* It was placed: pending -> scheduled. */
void attempt_schedule(struct manager *manager, struct attempt *attempt);
void attempt_stop(struct manager *manager, struct attempt *attempt, enum reason reason);
/* Its node was silent for so long that its policy lets it be replaced. */
bool attempt_is_given_up(const struct manager *manager, const struct attempt *attempt);
/* Monotonic time of that, INT64_MAX: never. */
int64_t attempt_give_up_ms(const struct manager *manager, const struct attempt *attempt);
bool attempt_is_outdated(const struct attempt *attempt);
void attempts_note_committed(struct manager *manager);

/* ---- instances.c, updates.c, reschedule.c ---- */

/* Does what should be done for the job now. */
void job_reconcile(struct manager *manager, struct job *job);
bool instance_is_wanted(const struct instance *instance);
/* The instance has ended as it should (completed) or for good (failed). */
bool instance_is_completed(const struct instance *instance);
bool instance_is_exhausted(const struct instance *instance);
/* Stops as many outdated attempts of the group as its policy allows now. */
void group_update(struct manager *manager, struct group *group);
bool group_is_updating(const struct group *group);
/* An attempt of it has not ended that runs what an older version of the job said. */
bool instance_is_outdated(const struct instance *instance);
/* Monotonic time since which the attempt counts as healthy, 0: it is not. */
bool attempt_is_settled(const struct manager *manager, const struct attempt *attempt);

/* A wanted instance's attempt failed: when and whether it is placed again. */
void reschedule_after_failure(struct manager *manager, struct instance *instance,
                              const struct attempt *attempt);
/* It was placed. */
void reschedule_done(struct manager *manager, struct instance *instance);
void reschedule_forget(struct reschedule *reschedule);
bool reschedule_failed_on(const struct reschedule *reschedule, const char *node);
void reschedule_add_node(struct reschedule *reschedule, const char *node);

/* ---- nodes.c, liveness.c, asks.c ---- */

struct node *node_find(struct manager *manager, const char *id);
struct node *node_obtain(struct manager *manager, const char *id);
/* The same for what workers say: NULL when it is new and there are too many. */
struct node *node_admit(struct manager *manager, const char *id);
void node_free(struct manager *manager, struct node *node);
/* Whether, and why not, it takes new work. Refreshes the scheduler's view. */
void node_refresh(struct manager *manager, struct node *node);
void node_take(struct manager *manager, struct node *node, const struct attempt *attempt);
void node_give_back(struct manager *manager, struct node *node, const struct attempt *attempt);
void node_queue_jobs(struct manager *manager, struct node *node);
void node_set_labels(struct node *node, const struct string_map *labels);
void node_delete(struct manager *manager, struct node *node);
/* It is known to be there again after it was deleted. */
void node_revive(struct manager *manager, struct node *node);

void node_heard(struct manager *manager, struct node *node);
/* Every node gets a full grace before it can be called silent. */
void nodes_begin_grace(struct manager *manager);
void node_set_grace(struct manager *manager, struct node *node);
void node_timer_fired(struct manager *manager, void *owner);
int64_t node_silence_ms(const struct manager *manager, const struct node *node);

/* Asks a node for its stored assignments unless it is certain that it has none that we do not know.
 */
void node_ask(struct manager *manager, struct node *node);
void node_settle(struct manager *manager, struct node *node);
void node_settle_or_ask(struct manager *manager, struct node *node);
void node_ask_timer_fired(struct manager *manager, void *owner);

/* ---- one file an event ---- */

void on_presence(struct manager *manager, const struct manager_event *event);
void on_node_info(struct manager *manager, const struct manager_event *event);
void on_node_state(struct manager *manager, const struct manager_event *event);
void on_heartbeat(struct manager *manager, const struct manager_event *event);
void on_answer_assignment(struct manager *manager, const struct manager_event *event);
void on_job_document(struct manager *manager, const struct manager_event *event);
void on_job_history(struct manager *manager, const struct manager_event *event);
void on_node_desired(struct manager *manager, const struct manager_event *event);
void on_assignment(struct manager *manager, const struct manager_event *event);
void on_job_status(struct manager *manager, const struct manager_event *event);
void on_unreadable(struct manager *manager, const struct manager_event *event);
void on_manager_status(struct manager *manager, const struct manager_event *event);
void on_picture_whole(struct manager *manager, const struct manager_event *event);
void on_link_lost(struct manager *manager, const struct manager_event *event);
void on_command(struct manager *manager, const struct manager_event *event);

/* commands_jobs.c, commands_nodes.c: each fills in effects->verdict. */
void command_job_set(struct manager *manager, const char *name, const struct command *command);
void command_job_stop(struct manager *manager, const char *name, const struct command *command);
void command_job_delete(struct manager *manager, const char *name, const struct command *command);
void command_job_scale(struct manager *manager, const char *name, const struct command *command);
void command_job_restart(struct manager *manager, const char *name, const struct command *command);
void command_node(struct manager *manager, const char *id, const struct command *command);
void verdict_accept(struct manager *manager, int64_t version, bool changed);
void verdict_reject(struct manager *manager, enum reason reason, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- order.c, recovery.c ---- */

int order_compare(const struct order *order, const struct manager_head *head);
void order_take(struct order *order, const struct manager_head *head);
/* The head of the next document of ours. */
struct manager_head head_next(struct manager *manager, struct order *order, bool tombstone);
/* Whether a document that was heard is to be taken: larger than what we have, of our cluster, and
 * not heard while we lead. Notes its term, cluster and seq. `ret_overwrite`: ours is to be written
 * again. */
bool document_is_news(struct manager *manager, const struct manager_event *event,
                      const struct manager_head *head, const struct order *order,
                      bool *ret_overwrite);
/* Takes over what an assignment says: versions, attempts, revision. */
void adopt_assignment(struct manager *manager, struct job *job, struct node *node,
                      const struct assignment *assignment);
/* A manager's own word: `from` leads, or led, with it. */
void term_hear(struct manager *manager, int64_t term, const char *from);
/* A worker's word has no leader behind it that is still there: we lead on with a larger term.
 * `from`: NULL when not known. */
void term_outbid(struct manager *manager, int64_t term, const char *from);
/* Leads on with a larger one: every document is written anew. */
void term_raise(struct manager *manager, int64_t term);
void cluster_hear(struct manager *manager, const char *cluster);

/* status.c */
int status_fill(struct manager *manager, struct job *job, struct arena *arena,
                struct job_status *ret_status);

#endif
