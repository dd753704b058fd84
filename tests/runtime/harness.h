/* Drives one runtime on a loop of its own and keeps what it reports, in order. */
#ifndef ARGOSY_TESTS_RUNTIME_HARNESS_H
#define ARGOSY_TESTS_RUNTIME_HARNESS_H

#include "platform/base/buf.h"
#include "platform/base/prng.h"
#include "platform/ports/runtime.h"
#include "schema/job_spec.h"
#include "schema/reasons.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

struct loop;

enum { HARNESS_PORTS = 4, PATIENCE_MS = 30000 };

/* An event with copies of its texts. */
struct seen {
    enum runtime_event_kind kind;
    char task_id[128];
    int64_t run;
    int64_t exit_code;
    int reason;
    bool oom_killed, healthy;
    int health_index;
    char message[256];
    char execution_id[128];
    char cluster[64];
    char address[64];
    int64_t started_ms, finished_ms;
    struct runtime_port_binding ports[HARNESS_PORTS];
    size_t port_count;
};

struct harness {
    struct loop *loop;
    struct loop_timer *patience;
    bool out_of_patience;
    struct runtime *runtime;
    struct prng prng;
    struct seen *events;
    size_t count;
    size_t read; /* harness_wait goes on from here */
    struct buf log[3];
    bool log_ended;
    int log_error;
    struct runtime_usage usage;
    size_t usages;
    char usage_of[128]; /* whose it was, the last time */
};

struct harness *harness_new(void);
/* Closes the runtime. */
void harness_free(struct harness *harness);
struct runtime_handler harness_handler(struct harness *harness);

/* The next event of this kind (and task, when not NULL) after the last one that was waited for;
 * fails the test, printing all events, when it does not come. The result is valid until the next
 * call. */
const struct seen *harness_wait(struct harness *harness, enum runtime_event_kind kind,
                                const char *task_id);
/* How many events of this kind (and task) there were so far. */
size_t harness_count(const struct harness *harness, enum runtime_event_kind kind,
                     const char *task_id);
/* Runs until `done` says so; fails when it does not. */
void harness_until(struct harness *harness, bool (*done)(const struct harness *harness));
/* Asks for the log until its stdout is this text: how a task says that it is ready. */
void harness_until_log(struct harness *harness, const char *task_id, const char *text);
bool harness_log_has_ended(const struct harness *harness);
/* Asks for the usage of one; until one was told, and it is this task's. */
void harness_ask_usage(struct harness *harness, const char *task_id, int64_t run);
void harness_until_usage(struct harness *harness, const char *task_id);
/* Ends and removes everything that the runtime lists. */
void harness_clear(struct harness *harness);
/* Everything from the log, until its end. */
void harness_logs(struct harness *harness, const char *task_id, int64_t run, int64_t tail_lines,
                  size_t limit_bytes);

/* A task that runs `words` (NULL-ended) with small limits. Lives until the harness is freed… by
 * nobody: static. */
#define TASK(kind, ...)                                                          \
    (struct task_spec)                                                           \
    {                                                                            \
        .name = "web", .count = 1, .runtime = (kind), .image = "busybox:argosy", \
        .pull = PULL_MISSING, .command = WORDS(__VA_ARGS__), .read_only = 0,     \
        .resources = {.cpu_millis = 100,                                         \
                      .memory_bytes = 16 * 1024 * 1024,                          \
                      .memory_max_bytes = UNSET},                                \
        .stop = {.signal = "SIGTERM", .timeout_ms = 3000},                       \
    }
#define WORDS(...)                                                                            \
    (struct string_list)                                                                      \
    {                                                                                         \
        (const char *[]){__VA_ARGS__}, sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *) \
    }

void harness_start(struct harness *harness, const char *task_id, int64_t run,
                   const struct task_spec *task);

#endif
