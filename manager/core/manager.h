/* The manager's core: the whole cluster as one pure state machine.
 *
 *   manager_step(event) -> effects;   at the end of a batch the shell asks for each marked
 * document and says manager_storing(); once they are stored and published it steps
 * EVENT_COMMITTED. Other events may come in between.
 *
 * No I/O, no clock, no randomness but the seeded generator. Same events, same effects, bit for bit.
 *
 * Phases. RECOVERING: documents are heard (from the store, then from the bus; one path: the larger
 * wins) and nothing is decided. LEADING: from EVENT_PICTURE_WHOLE on. EVENT_LINK_LOST leads back to
 * RECOVERING, with everything kept. SUPERSEDED: another manager with a higher term has spoken;
 * nothing is decided or written any more. */
#ifndef ARGOSY_MANAGER_CORE_H
#define ARGOSY_MANAGER_CORE_H

#include "manager/scheduler/cluster.h"
#include "platform/base/arena.h"
#include "platform/ports/clock.h"
#include "schema/documents.h"
#include "schema/job_spec.h"
#include "schema/limits.h"
#include "schema/reasons.h"
#include "schema/topics.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct manager;
struct job;
struct node;

struct manager_options {
    const char *id;      /* of this manager; copied */
    const char *cluster; /* from the store, NULL: not known yet; copied */
    int64_t term;        /* from the store, 0: none */
    int64_t seq;         /* largest ever given out, from the store */
    uint64_t seed;
    int64_t grace_ms;             /* DEFAULT_GRACE_MS */
    int64_t keepalive_ms;         /* the workers'; part of the wait for stop_after */
    enum placement_policy policy; /* of jobs that have none; POLICY_OF_CLUSTER: binpack */
    enum preemption preemption;   /* 0: by system jobs */
};

/* ---- events ---- */

enum event_kind {
    EVENT_TIMER,         /* manager_deadline_ms() has come, or a batch ends */
    EVENT_COMMITTED,     /* what manager_storing() announced is stored (and handed to the bus) */
    EVENT_PICTURE_WHOLE, /* the barriers have returned: lead */
    EVENT_RENEW, /* there is room for about `renew_limit` assignments and attempts in them */
    EVENT_LINK_LOST,
    EVENT_OFFLINE, /* we are going: manager/status says so */
    /* documents, heard in the store or on the bus */
    EVENT_JOB_DOCUMENT,
    EVENT_JOB_HISTORY,
    EVENT_JOB_STATUS, /* only its order matters */
    EVENT_NODE_DESIRED,
    EVENT_ASSIGNMENT,
    EVENT_MANAGER_STATUS,
    EVENT_UNREADABLE, /* one of our topics holds what we did not write, or nothing */
    /* from workers */
    EVENT_NODE_PRESENCE,
    EVENT_NODE_INFO,
    EVENT_NODE_STATE,
    EVENT_STATE_CLEARED,     /* of that job nothing is left there, says its worker */
    EVENT_HEARTBEAT,         /* metrics that were not retained */
    EVENT_ANSWER_ASSIGNMENT, /* an answer to our question */
    EVENT_COMMAND,
    EVENT_ZONE, /* a time zone that a schedule names; before what names it */
    EVENT_KIND_COUNT
};

/* The verbs of do/jobs and do/nodes. */
#define COMMAND_TABLE(X)                      \
    X(JOB_SET, "set", true)                   \
    X(JOB_STOP, "stop", true)                 \
    X(JOB_DELETE, "delete", true)             \
    X(JOB_SCALE, "scale", true)               \
    X(JOB_RESTART, "restart", true)           \
    X(JOB_DISPATCH, "dispatch", true)         \
    X(NODE_ELIGIBILITY, "eligibility", false) \
    X(NODE_LABELS, "labels", false)           \
    X(NODE_INTERVAL, "interval", false)       \
    X(NODE_DELETE, "delete", false)

enum command_kind {
    COMMAND_NONE,
#define COMMAND_ENUM(name, verb, of_job) COMMAND_##name,
    COMMAND_TABLE(COMMAND_ENUM)
#undef COMMAND_ENUM
        COMMAND_KIND_COUNT
};
/* COMMAND_NONE when there is no such verb. */
enum command_kind command_from_verb(bool of_job, const char *verb);

struct command {
    enum command_kind kind;
    const struct command_envelope *envelope;
    const struct job_spec *spec;         /* set: normalised and checked */
    const struct scale_arguments *scale; /* scale */
    const struct dispatch_arguments *dispatch;
    const struct node_arguments *node; /* eligibility, labels, interval */
};

struct zone_event {
    const char *name;             /* "Europe/Vienna" */
    const struct timezone *table; /* copied */
};

/* Everything pointed to is the caller's and valid during the step only. */
struct manager_event {
    enum event_kind kind;
    const char *job;  /* level <job> of the topic, NULL where it has none */
    const char *node; /* level <node> */
    bool live;        /* on the bus, not retained: somebody said it just now */
    bool stored;      /* read from our own store at start */
    bool more;        /* others of its batch follow: jobs are looked at after the last of them */
    union {
        enum topic_kind unreadable;
        const struct job_document *job_document;
        const struct job_history *job_history;
        const struct job_status *job_status;
        const struct node_desired *node_desired;
        const struct assignment *assignment;
        const struct manager_status *manager_status;
        const struct presence_document *presence;
        const struct node_info *node_info;
        const struct node_state *node_state;
        const struct metrics_document *metrics; /* HEARTBEAT: empty unless somebody goes by it */
        const struct answer *answer;
        const struct command *command;
        const struct zone_event *zone;
        size_t renew_limit;
    };
};

/* ---- effects ---- */

/* A document that changed. Its content is asked for at the end of the batch. */
struct document_mark {
    enum topic_kind kind;
    struct job *job;
    struct node *node;
};

struct ask_effect { /* publish ask/<node>/assignments */
    const char *node;
    const char *token;
};

struct event_effect { /* publish manager/events/<kind> */
    const char *kind;
    enum reason reason;
    const char *message;
    const char *job, *node, *task; /* NULL where it does not apply */
};

enum clear_kind {
    CLEAR_TOPIC,  /* publish the empty retained message */
    CLEAR_FORGET, /* drop the document from the store */
};
struct clear_effect {
    enum clear_kind kind;
    const char *topic;
};

/* What a command came to. */
struct verdict {
    bool accepted;
    enum reason reason; /* of a rejection */
    char message[LIMIT_MESSAGE_LENGTH];
    int64_t version;                   /* of the job, UNSET: none */
    int64_t changed;                   /* tristate */
    char child[LIMIT_NAME_LENGTH + 1]; /* that a dispatch made, "" */
    struct problems problems;          /* of a rejection; released by effects_clear */
};

/* Collected over a batch. Strings live in its arena. */
struct effects {
    struct arena arena;
    struct document_mark *marks;
    size_t mark_count, mark_capacity;
    struct ask_effect *asks;
    size_t ask_count, ask_capacity;
    struct event_effect *events;
    size_t event_count, event_capacity;
    struct clear_effect *clears;
    size_t clear_count, clear_capacity;
    struct verdict verdict; /* of the last EVENT_COMMAND */
};

/* Forgets the content, and keeps no memory. Marks must have been asked for before. */
void effects_clear(struct effects *effects);

/* ---- the machine ---- */

struct manager *manager_new(const struct manager_options *options, struct now now);
void manager_free(struct manager *manager);

/* Handles one event. Adds to `effects`. Never fails: what is not acceptable becomes a verdict or an
 * event. */
void manager_step(struct manager *manager, const struct manager_event *event, struct now now,
                  struct effects *effects);

/* Monotonic time at which EVENT_TIMER is due, INT64_MAX: never. */
int64_t manager_deadline_ms(const struct manager *manager);

/* A marked document, ready to be encoded. */
struct document {
    enum topic_kind kind;
    char topic[LIMIT_TOPIC_LENGTH + 1];
    bool derived; /* published but not stored */
    const struct record *record;
    union {
        struct job_document job_document;
        struct job_history job_history;
        struct job_status job_status;
        struct node_desired node_desired;
        struct assignment assignment;
        struct manager_status manager_status;
    };
};
/* Fills it in and takes the mark away. Content points into the manager's state and into `arena`:
 * use it before the next step. The document gets the next seq. -ERR_NO_MEMORY, the mark stays. */
int manager_document(struct manager *manager, const struct document_mark *mark, struct now now,
                     struct arena *arena, struct document *ret_document);

enum manager_phase { PHASE_RECOVERING, PHASE_LEADING, PHASE_SUPERSEDED };
enum manager_phase manager_phase(const struct manager *manager);
/* "" until it is known. */
const char *manager_cluster(const struct manager *manager);
const char *manager_id(const struct manager *manager);
int64_t manager_term(const struct manager *manager);
/* The largest seq given out. */
int64_t manager_seq(const struct manager *manager);
/* How many attempts are assigned, on nodes that are not silent, and were not reported on; 0 when no
 * report has come for a while, so that nobody waits for ever. */
size_t manager_awaited_reports(const struct manager *manager);
/* Assignments that are known, or that a node's index names. */
size_t manager_assignment_count(const struct manager *manager);
/* The nodes, each once, in an order that new ones do not change: the first one of all, or the one
 * after that of the id, which may be gone: then the first. NULL: there is none. And how many
 * assignments of it are known or named. */
const char *manager_node_after(const struct manager *manager, const char *id,
                               size_t *ret_assignments);
/* Assignments are still to be written anew under this term: send EVENT_RENEW when there is room. */
bool manager_is_renewing(const struct manager *manager);
/* Whether placement goes by what heartbeats say, so that they are to be read. */
bool manager_goes_by_loads(const struct manager *manager);
/* Whether EVENT_ZONE told of the time zone, or it is UTC. */
bool manager_knows_zone(const struct manager *manager, const char *name);
/* All documents that were marked have been asked for, and are being stored. */
void manager_storing(struct manager *manager);
/* manager/status says this session number. */
void manager_set_session(struct manager *manager, int64_t session);

#endif
