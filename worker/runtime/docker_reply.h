/* What the engine answers, as our own structs. Pure; every reply is taken as foreign and may be
 * anything. */
#ifndef ARGOSY_WORKER_RUNTIME_DOCKER_REPLY_H
#define ARGOSY_WORKER_RUNTIME_DOCKER_REPLY_H

#include "platform/base/err.h"
#include "platform/ports/runtime.h"
#include "schema/codec/json_reader.h"
#include "schema/limits.h"
#include "schema/reasons.h"
#include "worker/runtime/limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CONTAINER_ID_LENGTH = 64,
    CONTAINER_ADDRESS_LENGTH = 45, /* an IPv6 address as text */
    CONTAINER_NAME_LENGTH = LIMIT_NODE_ID_LENGTH + LIMIT_TASK_ID_LENGTH + 30,
};

enum container_phase { CONTAINER_CREATED = 1, CONTAINER_RUNNING, CONTAINER_ENDED };

/* Who a container is, from its labels. */
struct container_identity {
    char node[LIMIT_NODE_ID_LENGTH + 1];
    char cluster[CLUSTER_ID_LENGTH + 1]; /* "" when it has none */
    char task_id[LIMIT_TASK_ID_LENGTH + 1];
    int64_t run;
};

struct container {
    char id[CONTAINER_ID_LENGTH + 1];
    char name[CONTAINER_NAME_LENGTH + 1]; /* "" when it is longer than ours can be */
    struct container_identity identity;
    enum container_phase phase;
    char address[CONTAINER_ADDRESS_LENGTH + 1]; /* "" when it has none */
    int64_t exit_code;
    bool oom_killed;
    int64_t started_ms, finished_ms; /* wall; 0: unknown, and always in a list */
    struct runtime_port_binding ports[TASK_PORTS_MAX];
    size_t port_count;
};

/* One reply to GET /containers/<id>/json. False when it is not one, or lacks our labels. */
bool container_from_inspect(const struct json *reply, struct container *ret_container);
/* One element of GET /containers/json. */
bool container_from_list(const struct json *element, struct container *ret_container);

enum engine_event_kind { ENGINE_EVENT_OTHER, ENGINE_EVENT_DIE, ENGINE_EVENT_DESTROY };
struct engine_event {
    enum engine_event_kind kind;
    char id[CONTAINER_ID_LENGTH + 1];
    struct container_identity identity;
    int64_t exit_code;
    int64_t time_ns; /* 0: unknown */
};
/* One line of GET /events. */
bool engine_event_parse(const char *line, size_t length, struct engine_event *ret_event);

/* One line of a pull: an error (then `ret_text` is its message), or progress (then it is a word
 * such as "Downloading" and the percentage, -1 when there is none). */
struct pull_line {
    bool failed;
    char text[LIMIT_MESSAGE_LENGTH + 1];
    int percent;
};
bool pull_line_parse(const char *line, size_t length, struct pull_line *ret_line);

/* The "message" of an error reply, cut down to what says something; the reply itself when it is no
 * JSON. */
void engine_error_text(const char *body, size_t length, char *ret_text, size_t size);

enum engine_step { STEP_CREATE, STEP_START, STEP_PULL };
/* Why a step failed, from its HTTP status and error text. */
enum reason engine_error_reason(enum engine_step step, long status, const char *text);

/* A task's last words when the container's init process (tini, catatonit) could not run its
 * command: the exit code alone does not say. `ret_sentence`: where in `log` it says why.
 * REASON_NONE when they are somebody else's. */
enum reason init_failure_reason(const char *log, const char **ret_sentence);

/* GET /containers/<id>/stats */
bool usage_from_stats(const struct json *reply, struct runtime_usage *ret_usage);

/* "2026-11-23T08:30:07.240070790Z" or with an offset -> ms since 1970; 0 for year 1 or what is no
 * time. */
int64_t engine_time_ms(const char *text);

#endif
