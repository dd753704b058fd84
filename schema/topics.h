/* The topic tree, below the root. One table builds, parses, subscribes and documents it. */
#ifndef ARGOSY_SCHEMA_TOPICS_H
#define ARGOSY_SCHEMA_TOPICS_H

#include "schema/field.h"
#include "schema/limits.h"

#include <stdbool.h>
#include <stddef.h>

/* kind, pattern, QoS, retained, record, who to whom */
#define TOPIC_TABLE(X)                                                                             \
    X(DO_JOB, "do/jobs/<job>/<verb>", 1, false, "command", "user to manager")                      \
    X(DO_NODE, "do/nodes/<node>/<verb>", 1, false, "node_arguments", "user to manager")            \
    X(JOB_ACCEPTED, "do/jobs/<job>/<verb>/accepted", 1, false, "reply", "manager to user")         \
    X(JOB_REJECTED, "do/jobs/<job>/<verb>/rejected", 1, false, "reply", "manager to user")         \
    X(NODE_ACCEPTED, "do/nodes/<node>/<verb>/accepted", 1, false, "reply", "manager to user")      \
    X(NODE_REJECTED, "do/nodes/<node>/<verb>/rejected", 1, false, "reply", "manager to user")      \
    X(REPLY, "replies/<name>", 1, false, "reply", "manager to user")                               \
    X(ASK, "ask/<node>/<verb>", 1, false, "ask", "user or manager to worker")                      \
    X(ANSWER, "nodes/<node>/answers/<token>", 1, false, "answer", "worker to asker")               \
    X(JOB_SPEC, "jobs/<job>/spec", 1, true, "job_document", "manager to all")                      \
    X(JOB_HISTORY, "jobs/<job>/history", 1, true, "job_history", "manager to all")                 \
    X(JOB_STATUS, "jobs/<job>/status", 1, true, "job_status", "manager to all")                    \
    X(NODE_DESIRED, "nodes/<node>/desired", 1, true, "node_desired", "manager to worker and all")  \
    X(NODE_ASSIGN, "nodes/<node>/assign/<job>", 1, true, "assignment", "manager to worker")        \
    X(NODE_STATE, "nodes/<node>/state/<job>", 1, true, "node_state", "worker to manager and all")  \
    X(NODE_STATUS, "nodes/<node>/status", 1, true, "presence", "worker to all, and its will")      \
    X(NODE_INFO, "nodes/<node>/info", 1, true, "node_info", "worker to all")                       \
    X(NODE_METRICS, "nodes/<node>/metrics", 0, true, "node_metrics", "worker to all: heartbeat")   \
    X(NODE_BARRIER, "nodes/<node>/barrier", 1, false, "barrier", "worker to itself")               \
    X(TASK_METRICS, "nodes/<node>/tasks/<task>/metrics", 0, true, "task_metrics",                  \
      "worker to all: in turns")                                                                   \
    X(TASK_STDOUT, "nodes/<node>/logs/<task>/stdout", 0, false, "log_chunk", "worker to asker")    \
    X(TASK_STDERR, "nodes/<node>/logs/<task>/stderr", 0, false, "log_chunk", "worker to asker")    \
    X(NODE_EVENT, "nodes/<node>/events/<kind>", 0, false, "cloud_event", "worker to all")          \
    X(MANAGER_EVENT, "manager/events/<kind>", 0, false, "cloud_event", "manager to all")           \
    X(MANAGER_STATUS, "manager/status", 1, true, "manager_status", "leader to all")                \
    X(MANAGER_PRESENCE, "managers/<manager>/status", 1, true, "presence", "manager, and its will") \
    X(MANAGER_BARRIER, "managers/<manager>/barrier", 1, false, "barrier", "manager to itself")

enum topic_kind {
    TOPIC_UNKNOWN,
#define TOPIC_ENUM(name, ...) TOPIC_##name,
    TOPIC_TABLE(TOPIC_ENUM)
#undef TOPIC_ENUM
        TOPIC_KIND_COUNT
};

/* A parsed topic: the levels in <> in order of appearance ("" when the pattern has fewer). */
struct topic {
    enum topic_kind kind;
    char level[2][LIMIT_TOKEN_LENGTH + 1];
};

struct topic_row {
    const char *name, *pattern;
    int qos;
    bool retained;
    const char *record, *who;
};
const struct topic_row *topic_row(enum topic_kind kind);

/* Parses a topic below the root. Ids and names are checked against their alphabets and lengths;
 * anything else is TOPIC_UNKNOWN (returns false). */
bool topic_parse(const char *text, struct topic *ret_topic);

/* Writes the topic of `kind` with its levels (NULL where the pattern has none). The buffer holds
 * LIMIT_TOPIC_LENGTH + 1. Levels must be valid: asserted. "+" is allowed as a level, for filters.
 */
void topic_format(char *ret_text, enum topic_kind kind, const char *first, const char *second);

/* Alphabets (CONTRACT sections 1 and 3). */
bool name_is_valid(const char *text); /* job and task names */
bool node_id_is_valid(const char *text);
bool token_is_valid(
    const char *text); /* a topic level: [A-Za-z0-9_-]{1,128} when used in a topic */
bool root_is_valid(const char *text);
/* "argosy/v1/replies/me": the text behind root + "/", when it is a permitted reply topic
 * (replies/…, at least one more level, [A-Za-z0-9_-] levels); NULL otherwise. */
const char *reply_topic_permitted(const char *root, const char *topic);

/* The parts of "job_task_index_suffix". */
struct attempt_name {
    char job[LIMIT_NAME_LENGTH + 1];
    char task[LIMIT_NAME_LENGTH + 1];
    int64_t index;
    char suffix[ATTEMPT_SUFFIX_LENGTH + 1];
};
bool attempt_name_parse(const char *id, struct attempt_name *ret_name);
/* Buffers hold LIMIT_TASK_ID_LENGTH + 1. */
void attempt_name_format(char *ret_id, const struct attempt_name *name);
void instance_name_format(char *ret_name, const char *job, const char *task, int64_t index);

#endif
