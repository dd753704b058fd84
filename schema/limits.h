/* All names, limits and defaults in one place. */
#ifndef ARGOSY_SCHEMA_LIMITS_H
#define ARGOSY_SCHEMA_LIMITS_H

#define ARGOSY_ROOT_DEFAULT "argosy/v1"

enum {
    /* sizes in bytes */
    LIMIT_PAYLOAD_BYTES = 256 * 1024,
    LIMIT_JOB_SPEC_BYTES = 64 * 1024,
    LIMIT_ATTEMPT_RECORD_BYTES = 384,
    LIMIT_DISPATCH_PAYLOAD_BYTES = 16 * 1024,
    LIMIT_FILE_BYTES = 256 * 1024 * 1024, /* a snapshot of a cluster */
    LIMIT_JSON_DEPTH = 16,
    LIMIT_DECODE_ARENA_BYTES = 8 * 1024 * 1024, /* memory one decoded message may take */
    LIMIT_ROOT_LENGTH = 100,
    LIMIT_TOPIC_LENGTH = 320,
    LIMIT_NODE_ID_LENGTH = 63,
    LIMIT_NAME_LENGTH = 40, /* job and task names */
    LIMIT_CRONS = 20,       /* of a schedule */
    LIMIT_TIMEZONE_LENGTH = 64,
    LIMIT_PARENT_LENGTH = 25, /* of a job that has children: they append "-1700000000-999" */
    LIMIT_TASK_ID_LENGTH = LIMIT_NAME_LENGTH * 2 + 24,
    LIMIT_TOKEN_LENGTH = 128,
    LIMIT_REPLY_TOPIC_LENGTH = 256,
    LIMIT_MESSAGE_LENGTH = 200, /* the free text beside a reason */
    ATTEMPT_SUFFIX_LENGTH = 8,
    CLUSTER_ID_LENGTH = 16,

    /* counts */
    LIMIT_PROBLEMS = 64, /* errors listed in one answer */
    LIMIT_PENDING_REASONS = 20,
    LIMIT_JOBS = 100000,
    LIMIT_NODES = 100000,
    LIMIT_TASKS_PER_JOB = 64,
    LIMIT_DEPENDENCIES = 32, /* of one job */
    LIMIT_META_KEYS = 100,
    LIMIT_CONSTRAINTS = 100, /* of a job, and of a task */
    LIMIT_AFFINITIES = 100,
    LIMIT_SPREADS = 16,
    CHILDREN_KEPT = 10, /* of a job's children that have ended, the newest */
    CHILDREN_A_SECOND = 1000,
    LIMIT_INSTANCES_PER_TASK = 100000,
    LIMIT_ATTEMPTS_PER_ASSIGNMENT = 500,
    LIMIT_ATTEMPTS_PER_NODE = 5000,
    USAGE_PER_HEARTBEAT = 16, /* tasks that are asked and told of at a heartbeat, in turns */
    LIMIT_TOKENS = 100000,
    LIMIT_COMMANDS_WAITING = 10000, /* while the manager recovers, or has more to say than this: */
    DEFAULT_READ_AT_ONCE = 50000,   /* retained documents in answer to one subscription */
    DEFAULT_BACKLOG = 20000,        /* not taken by the broker, or not reported on */
    LIMIT_OUTBOX_MESSAGES = 20000,  /* not retained, QoS 1 */
    LIMIT_INBOX_MESSAGES = 20000,   /* received, not yet handled */
    LIMIT_INBOX_BYTES = 32 * 1024 * 1024,
    LIMIT_VERSIONS_KEPT = 6,
    EVENTS_PER_MINUTE = 100, /* of a kind, that a process tells; more are only counted */

    DEFAULT_PRIORITY = 50, /* of 1 to 100 */

    /* times in milliseconds */
    DEFAULT_HEARTBEAT_MS = 10 * 1000,
    DEFAULT_GRACE_MS = 10 * 1000,
    DEFAULT_KEEPALIVE_S = 30,
    LIMIT_HEARTBEAT_MIN_MS = 100,
    LIMIT_HEARTBEAT_MAX_MS = 24 * 3600 * 1000,
    HEARTBEATS_MISSED = 3, /* silent = no heartbeat for 3 intervals + grace */
    TOKEN_KEPT_MS = 24 * 3600 * 1000,
    REPORT_HELD_MS = 50, /* what is just being started is reported with what follows */
    RUNTIME_LIST_INTERVAL_MS = 30 * 1000,
    ANSWER_TIMEOUT_MS = 10 * 1000,
    RECONNECT_MIN_MS = 1000,
    RECONNECT_MAX_MS = 30 * 1000,
    BACKOFF_RESET_MS = 10 * 1000,  /* a run this long ends a series of growing restart delays */
    TOMBSTONE_KEPT_MS = 10 * 1000, /* between a tombstone and the clearing of its topic */
    FINAL_ATTEMPT_KEPT_MS = 3600 * 1000, /* a failed service attempt and its logs, for a look */
};

/* The store's format; an older program refuses a newer one. */
enum { STORE_SCHEMA_VERSION = 1 };

#endif
