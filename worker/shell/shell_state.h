/* Inside of the shell: its state, and what its files share. */
#ifndef ARGOSY_WORKER_SHELL_STATE_H
#define ARGOSY_WORKER_SHELL_STATE_H

#include "platform/base/buf.h"
#include "platform/base/prng.h"
#include "platform/session/events.h"
#include "platform/session/ledger.h"
#include "platform/session/session.h"
#include "schema/limits.h"
#include "schema/topics.h"
#include "worker/core/worker.h"
#include "worker/shell/shell.h"

enum {
    WORKER_STAGES = 2,
    STAGE_OWN = 1,  /* our own topics: the picture is whole after it */
    STAGE_ASKS = 2, /* questions to us */
    COMMIT_RETRY_MS = 1000,
    HASHES_KEPT = 512,
    EFFECTS_KEPT = 16, /* room for so many stays from batch to batch */
    LOG_ANSWER_BYTES = 1024 * 1024,
    LOG_CHUNK_BYTES = 32 * 1024,
    LOG_LEASE_MAX_MS = 5 * 60 * 1000,
    ASKS_MAX = 32, /* answered at a time */
};

struct runtime_slot {
    struct worker_shell *shell;
    enum runtime_kind kind;
    struct runtime *runtime; /* NULL: this worker has none */
};

/* A question whose answer takes time: logs, stats. */
struct pending_ask {
    bool used;
    bool follow;
    bool stats; /* else logs */
    uint64_t request;
    enum runtime_kind runtime;
    char token[LIMIT_TOKEN_LENGTH + 1];
    char task[LIMIT_TASK_ID_LENGTH + 1];
    int64_t chunks;
    int64_t until_ms; /* mono: the lease, or the time-out */
};

struct published_task; /* whose metrics are told in turns */

struct worker_shell {
    char root[LIMIT_ROOT_LENGTH + 1];
    char node[LIMIT_NODE_ID_LENGTH + 1];
    struct arena arena; /* what the configuration brought */
    struct worker_shell_config config;
    struct worker *worker;
    struct effects effects;
    struct held_report *held; /* of jobs whose state is stored and not published yet */
    int64_t held_until_ms;
    int64_t written_ms; /* wall: when documents were last written */
    struct ledger *ledger;
    struct bus *bus;
    struct session *session;
    struct session_stage stages[WORKER_STAGES];
    struct prng prng;
    struct runtime_slot slots[RUNTIME_KIND_COUNT];
    int64_t session_number; /* last used */
    int64_t offline_ms;     /* wall: since when there is no broker, 0: there is one */
    bool empty_store;       /* nothing was stored: nothing is written before the picture is whole */
    bool meta_dirty;
    bool started;
    bool stopping;
    bool commit_failing;
    bool no_memory; /* for some message, once */
    int64_t commit_retry_ms;
    char cluster_told[LIMIT_TOKEN_LENGTH + 1]; /* to the runtimes */
    int64_t heartbeat_due_ms;
    int64_t heartbeats;
    int64_t turn; /* heartbeats that it takes to tell of all running tasks once */
    struct published_task *published;
    struct pending_ask asks[ASKS_MAX];
    uint64_t last_request;
    int64_t events;
    struct event_limits event_limits;
    struct hash_memory echoes;   /* of own documents: what comes back is not somebody else's */
    struct hash_memory reported; /* each bad thing is reported once */
};

struct now shell_now(const struct worker_shell *shell);
/* Steps the core and asks for a flush. */
void shell_step(struct worker_shell *shell, struct worker_event *event);
void shell_rearm(struct worker_shell *shell);
void shell_topic(const struct worker_shell *shell, char ret_topic[LIMIT_TOPIC_LENGTH + 1],
                 enum topic_kind kind, const char *second);

/* load.c */
int shell_load(struct worker_shell *shell, struct worker_config *core, struct err *err);
int shell_load_documents(struct worker_shell *shell, struct err *err);
/* write.c: marks to notes in the ledger */
void shell_write(struct worker_shell *shell);
/* reports.c */
/* True: it is to be stored only, and held. */
bool shell_may_hold(struct worker_shell *shell, const struct node_state *state);
/* Takes the bytes: they are published within REPORT_HELD_MS. */
void shell_hold_report(struct worker_shell *shell, const char *job, struct buf *payload);
/* What was held of the job is older than what is published. */
void shell_drop_report(struct worker_shell *shell, const char *job);
int64_t shell_held_deadline_ms(const struct worker_shell *shell);
void shell_publish_held(struct worker_shell *shell);
void shell_release_held(struct worker_shell *shell);
bool shell_is_own(void *context, const char *topic);
/* messages.c */
/* False, and reported, when it cannot be decoded. */
bool shell_decode(struct worker_shell *shell, const struct bus_message *message,
                  const struct record *record, struct arena *arena, void *ret_value);
bool shell_decode_assignment(struct worker_shell *shell, const struct bus_message *message,
                             struct held_assignment *held);
void shell_on_message(struct worker_shell *shell, const struct bus_message *message);
/* task_env.c */
struct task_env {
    struct arena arena; /* of all of it */
    char **items;       /* "KEY=value", NULL-ended */
    size_t count;
    void *payload; /* NULL: none */
    size_t payload_length;
};
/* Of one whose task is known. */
void task_env_init(const struct worker_shell *shell, const struct attempt_view *view,
                   struct task_env *ret_env);
void task_env_release(struct task_env *env);
/* carry.c: effects to runtimes and events. Not `committed`: only what changes nothing (probes,
 * lists), so that a full disk does not make healthy tasks look unhealthy; the rest stays. */
void shell_carry_out(struct worker_shell *shell, bool committed);
void shell_tell_cluster(struct worker_shell *shell);
/* events.c */
/* False: too many of its kind were told, it is only counted. */
bool shell_event(struct worker_shell *shell, const struct event *event);
/* Only until exactly this was told. */
void shell_event_once(struct worker_shell *shell, const struct event *event);
/* heartbeat.c */
void shell_heartbeat(struct worker_shell *shell, struct now now);
void shell_on_usage(void *context, const char *task_id, const struct runtime_usage *usage);
void shell_forget_published(struct worker_shell *shell);
/* The numbers of one task in `arena`, sorted. */
struct number_map shell_usage_numbers(const struct runtime_usage *usage, struct now now,
                                      int64_t run, int64_t restarts, struct arena *arena);
/* asks.c */
void shell_on_ask(struct worker_shell *shell, const char *verb, const struct bus_message *message);
void shell_asks_timer(struct worker_shell *shell, struct now now);
int64_t shell_asks_deadline_ms(const struct worker_shell *shell);
void shell_asks_usage(struct worker_shell *shell, const char *task_id,
                      const struct number_map *numbers);
void shell_on_log(struct worker_shell *shell, uint64_t request, int stream, const void *bytes,
                  size_t length, bool end, const struct err *err);

#endif
