/* A manager's shell on a broker and a store in memory, with somebody who listens to everything it
 * says. */
#ifndef ARGOSY_TESTS_MANAGER_OFFICE_H
#define ARGOSY_TESTS_MANAGER_OFFICE_H

#include "manager/shell/shell.h"
#include "platform/adapters/bus_memory.h"
#include "platform/adapters/store_memory.h"

enum { OFFICE_HEARD_MAX = 300, OFFICE_ROOT_LENGTH = 2 };
#define OFFICE_ROOT "t"

struct office_message {
    char topic[400];
    char payload[4096];
    char correlation[64];
    bool retained;
};

struct office {
    struct clock clock; /* first: the shell gets a pointer to it */
    struct now now;
    struct memory_broker *broker;
    struct store *store;
    struct manager_shell *shell;
    struct bus *bus;
    struct bus *commands; /* the shell's */
    struct bus *listener;
    int64_t deadline_ms;
    uint64_t seed;                /* of the manager: its id follows from it */
    size_t backlog, read_at_once; /* 0: its default */
    struct office_message heard[OFFICE_HEARD_MAX];
    size_t heard_count;
};

/* Broker and store, no manager yet. */
struct office *office_new(void);
void office_free(struct office *office);
/* Makes a manager on the store and lets everything settle. */
void office_start(struct office *office);
/* kill -9. */
void office_kill(struct office *office);
void office_settle(struct office *office);
void office_pass(struct office *office, int64_t ms);

/* A user or a worker says something; topics below the root. */
void office_say(struct office *office, const char *topic, const char *payload, bool retained);
void office_add_node(struct office *office, const char *node);
/* What is retained on a topic; NULL: nothing. */
const char *office_retained(const struct office *office, const char *topic);
/* The last live message on a topic since the beginning; NULL: none. */
const struct office_message *office_heard(const struct office *office, const char *topic);
size_t office_heard_times(const struct office *office, const char *topic);
size_t office_stored(const struct office *office, enum store_table table);

#endif
