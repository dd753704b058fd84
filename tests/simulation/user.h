/* A user: one command a job at a time, with a token, sent again until it is answered. */
#ifndef ARGOSY_SIMULATION_USER_H
#define ARGOSY_SIMULATION_USER_H

#include "tests/simulation/kinds.h"
#include "tests/simulation/world.h"

/* What the last accepted command of a job makes true. */
struct wish {
    char name[16];
    bool exists; /* something was accepted, and not deleted */
    bool stopped;
    const struct kind *kind;
    int waits_for;      /* number of the job that it depends on, -1: none */
    int64_t asked;      /* dispatches that were sent, not counting repetitions */
    int64_t dispatched; /* those that were accepted */
    bool replace;       /* a silent node's instances are placed elsewhere */
    int64_t count;      /* instances */
    int64_t mark;       /* number of the set that was accepted, in the environment of its tasks */
    int64_t changed_ms; /* of the world: last time that a command was sent or accepted */
    bool waiting;       /* a command has no answer yet */
};

struct user *user_new(struct world *world);
void user_free(struct user *user);
/* Sends some command for some job; nothing when that one still waits. */
void user_act(struct user *user);
/* The same with a job and a verb of ours, which must be idle. */
void user_do(struct user *user, int job, const char *verb);
const struct wish *user_wishes(const struct user *user); /* one a job */
/* Eligibility, labels or heartbeat of some node; nothing when that one still waits. */
void user_act_on_node(struct user *user, struct prng *prng);
/* Deletes it; what ran there is lost, and when it comes back it is a new one. False: that one still
 * waits. */
bool user_delete_node(struct user *user, int node);
/* Every node is eligible, and every such command answered. Asks for what is not. */
bool user_nodes_are_free(struct user *user);
bool user_is_waiting(const struct user *user);
/* Their answers. */
void user_on_reply(struct user *user, const char *topic, const void *payload, size_t length);

#endif
