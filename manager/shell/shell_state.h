/* Inside of the shell: its state, and what its files share. */
#ifndef ARGOSY_MANAGER_SHELL_STATE_H
#define ARGOSY_MANAGER_SHELL_STATE_H

#include "manager/core/manager.h"
#include "manager/shell/shell.h"
#include "platform/base/buf.h"
#include "platform/base/prng.h"
#include "platform/session/events.h"
#include "platform/session/ledger.h"
#include "platform/session/session.h"

#include <uthash.h>

enum {
    RENEWED_PART = 64,   /* of the backlog, at once */
    STAGE_DOCUMENTS = 1, /* our own documents */
    STAGE_ASSIGNMENTS = 2,
    STAGE_WORKERS = 3, /* theirs: the picture is whole after it */
    MANAGER_STAGES = 3,
    COMMANDS_ID_LENGTH = 32, /* "argosy-commands-" and a hash of 64 bits */
    MANAGER_ID_LENGTH = 12,
    COMMIT_RETRY_MS = 1000,
    SEQ_RESERVED = 1000, /* sequence numbers made durable at a time */
    HASHES_KEPT = 16384,
    LIMIT_WAITING_BYTES = LIMIT_INBOX_BYTES,
    TOKENS_PRUNED_EVERY_MS = 3600 * 1000,
};

/* A command that arrived before we lead, or while too much was under way. */
struct waiting_command {
    struct bus_message message; /* pointers into this block */
    size_t size;
    struct waiting_command *next;
};

/* An answer that was given. */
struct token {
    UT_hash_handle hh; /* by token */
    char *token;
    char *topic;
    char *record; /* the stored token_record */
    size_t length;
    int64_t received_ms;
};

struct manager_shell {
    char root[LIMIT_ROOT_LENGTH + 1];
    char id[LIMIT_NODE_ID_LENGTH + 1];
    struct manager_shell_config config;
    struct manager *manager;
    struct effects effects;
    struct ledger *ledger;
    struct bus *bus;
    struct session *session;
    struct bus *commands; /* NULL: closed for good */
    char commands_id[COMMANDS_ID_LENGTH + 1];
    bool commands_started;
    bool commands_reach_us;         /* they are subscribed to */
    int64_t commands_granted_by_ms; /* INT64_MAX: nothing is awaited */
    struct session_stage stages[MANAGER_STAGES];
    struct bus_filter own_filters[8], worker_filters[5];
    bool in_pieces; /* assignments and states are read node by node */
    char read_up_to[LIMIT_NODE_ID_LENGTH + 1];
    struct arena piece; /* texts of the filters of one request */
    char presence_topic[LIMIT_TOPIC_LENGTH + 1];
    char barrier_topic[LIMIT_TOPIC_LENGTH + 1];
    struct prng prng;
    /* the meta record */
    int64_t session_number;
    int64_t seq_reserved;
    int64_t term_stored;
    char cluster_stored[LIMIT_TOKEN_LENGTH + 1];
    bool meta_dirty;

    bool started;
    bool unreachable_said;
    size_t renewed_at_once; /* assignments that nobody waits for */
    bool flushing;          /* a commit that is over goes on there */
    bool commit_failing;
    int64_t commit_retry_ms;
    int64_t event_count;
    struct event_limits event_limits;
    struct hash_memory echoes;   /* of our own documents */
    struct hash_memory reported; /* each bad thing is reported once */
    struct waiting_command *waiting, **waiting_end;
    size_t waiting_count, waiting_bytes;
    struct token *tokens; /* oldest first */
    int64_t tokens_prune_ms;
};

struct now manager_shell_now(const struct manager_shell *shell);
void manager_shell_step(struct manager_shell *shell, const struct manager_event *event);
void manager_shell_end_of_batch(struct manager_shell *shell);

/* load.c */
int manager_shell_load_meta(struct manager_shell *shell, struct manager_options *options,
                            struct arena *arena, struct err *err);
int manager_shell_load_documents(struct manager_shell *shell, struct err *err);

/* stages.c */
void manager_shell_make_stages(struct manager_shell *shell);
/* Once the nodes' indexes were heard. */
void manager_shell_size_stages(struct manager_shell *shell);
size_t manager_shell_more(void *context, int stage, struct bus_filter *ret_filters);

/* write.c: marks and effects to notes in the ledger */
void manager_shell_write(struct manager_shell *shell);
/* Also by one that leads no more: what it decided while it did. */
void manager_shell_note_effects(struct manager_shell *shell);
bool manager_shell_is_own(void *context, const char *topic);

/* messages.c */
/* Decodes and steps a document of our store. -ERR_NO_MEMORY: it was not heard. */
int manager_shell_hear_stored(struct manager_shell *shell, const struct bus_message *message);
/* What memory does not suffice for is refused, and everything heard again by a new connection. */
void manager_shell_on_message(struct manager_shell *shell, const struct bus_message *message);

/* zones.c: tells the core of the time zone that a specification names, before it hears of that.
 * -ERR_NOT_FOUND: there is none, and the error says what may have been meant; else it is damaged,
 * or cannot be read. */
int manager_shell_learn_zone(struct manager_shell *shell, const struct job_spec *spec,
                             struct err *err);

/* commands_bus.c: the connection that brings commands */
void manager_shell_name_commands(struct manager_shell *shell);
/* We lead. */
void manager_shell_hear_commands(struct manager_shell *shell);
/* Never from a handler. */
void manager_shell_close_commands(struct manager_shell *shell);
int64_t manager_shell_commands_deadline_ms(const struct manager_shell *shell);
/* Once that has come. */
void manager_shell_look_after_commands(struct manager_shell *shell);

/* commands.c, answers.c */
void manager_shell_on_command(struct manager_shell *shell, const struct bus_message *message,
                              const struct topic *topic);
/* Those that came too early, or too fast, as long as they may be executed. False: none. */
bool manager_shell_run_waiting(struct manager_shell *shell);
void manager_shell_drop_waiting(struct manager_shell *shell);

/* What an answer needs to know of its command. */
struct command_context {
    const struct bus_message *message;
    const struct topic *topic;
    const struct command_envelope *envelope;
};
/* Publishes after the next commit: on <topic>/accepted or /rejected, and where the caller asked for
 * it. */
void manager_shell_answer(struct manager_shell *shell, const struct command_context *context,
                          const struct reply *reply);
/* At once, without a commit: the store does not work. */
void manager_shell_answer_now(struct manager_shell *shell, const struct command_context *context,
                              const struct reply *reply);
/* False when it names a reply topic that is none of ours. */
bool manager_shell_may_answer(const struct manager_shell *shell,
                              const struct command_context *context);

/* tokens.c */
const struct token *token_find(const struct manager_shell *shell, const char *token);
/* Remembers and stores the answer, and forgets old ones. */
void token_keep(struct manager_shell *shell, const struct command_context *context,
                const struct reply *reply);
void token_load(struct manager_shell *shell, const char *token, const void *record, size_t length);
void tokens_prune(struct manager_shell *shell);
void tokens_release(struct manager_shell *shell);

/* events.c */
/* False: too many of its kind were told, it is only counted. */
bool manager_shell_event(struct manager_shell *shell, const struct event *event);
/* Only until exactly this message was told of. */
void manager_shell_event_once(struct manager_shell *shell, const struct event *event,
                              uint64_t hash);

#endif
