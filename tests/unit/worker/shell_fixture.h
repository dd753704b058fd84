/* A worker's shell on a broker in memory, a store in memory and a fake runtime, on a hand-driven
 * clock.
 */
#ifndef ARGOSY_TESTS_WORKER_SHELL_FIXTURE_H
#define ARGOSY_TESTS_WORKER_SHELL_FIXTURE_H

#include "tests/unit/unit.h"

#include "platform/adapters/bus_memory.h"
#include "platform/adapters/store_memory.h"
#include "worker/shell/shell.h"

#define WEB_ID "web_web_0_aaaaaaaa"
#define ROOT   "argosy/v1"

enum { CALLS_MAX = 256 };

struct call {
    char what[8]; /* start stop remove probe list logs usage */
    char task_id[128];
    int64_t run;
};

struct fake_runtime {
    struct runtime runtime;
    struct runtime_handler handler;
    struct call calls[CALLS_MAX];
    size_t count;
    char env[512]; /* of the last start, space between entries */
    char cluster[64];
    uint64_t request; /* of the last logs */
    bool up;          /* answers list with what is below */
    bool running;     /* WEB_ID runs, run 1 */
    runtime_usage_fn *report;
    void *report_context;
};

struct shell_fixture {
    struct clock clock; /* first: the clock port's callback finds us by it */
    struct now now;
    uint64_t seed;
    int64_t deadline_ms;
    struct store *store;
    struct memory_broker *broker;
    struct bus *bus;
    struct fake_runtime docker;
    struct worker_shell *shell;
    char found[4096]; /* what stored() returned last */
};

/* A broker and an empty store. */
void setup(struct shell_fixture *f);
void teardown(struct shell_fixture *f);
/* A worker process on them; the store and the broker outlive it. */
int boot(struct shell_fixture *f, struct err *err);
void boot_ok(struct shell_fixture *f); /* and settles */
void crash(struct shell_fixture *f);
/* Until nothing is left to do now. */
void settle(struct shell_fixture *f);
void pass(struct shell_fixture *f, int64_t ms);

/* Of somebody else, topics below the root. */
void publish(struct shell_fixture *f, const char *topic, const char *payload, bool retained);
/* seq, and a list of attempts in JSON. */
void publish_assignment(struct shell_fixture *f, int64_t seq, const char *attempts);
const char *retained(const struct shell_fixture *f, const char *topic); /* "" when none */
void assert_retained_holds(const struct shell_fixture *f, const char *topic, const char *part);

/* The stored document of a topic, "" when there is none. */
const char *stored(struct shell_fixture *f, const char *topic);

void docker_says(struct shell_fixture *f, struct runtime_event event);
size_t calls_of(const struct shell_fixture *f, const char *what);

/* Everything published on a filter: a listener of its own. */
struct listener {
    struct bus *bus;
    char texts[32][1024]; /* "topic payload" */
    size_t count;
};
void listen(struct shell_fixture *f, struct listener *listener, const char *filter);
void listener_release(struct listener *listener);
size_t heard(const struct listener *listener, const char *part);

#endif
