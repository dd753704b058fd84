/* What the oracle has seen; between its files. */
#ifndef ARGOSY_SIMULATION_ORACLE_STATE_H
#define ARGOSY_SIMULATION_ORACLE_STATE_H

#include "tests/simulation/oracle.h"
#include "tests/simulation/oracle_documents.h"
#include "tests/simulation/oracle_types.h"
#include "tests/simulation/user.h"

#include <uthash.h>

enum { RUNNING_MAX = 256, TASK_ID_MAX = 64 };

struct running {
    char task_id[TASK_ID_MAX];
    char instance[TASK_ID_MAX];
    int64_t run;
    int64_t since_ms;
};

struct site { /* a node, as seen */
    struct running running[RUNNING_MAX];
    int count;
    int64_t heard_ms, silent_ms; /* last heard; last known to have been silent for SILENCE_MS */
    int64_t deleted_ms;          /* last time that somebody may have deleted it, 0: never */
    bool is_buried;              /* the manager says so, or did not ask yet what it brought */
};

struct started { /* an attempt: the last run of it that was seen to run */
    char task_id[TASK_ID_MAX];
    int64_t run;
    int64_t first_ms; /* when it was first seen to run */
    UT_hash_handle hh;
};

struct done { /* an instance of a batch job that has ended well */
    char instance[TASK_ID_MAX];
    int64_t at_ms;
    int site;
    UT_hash_handle hh;
};

struct oracle {
    struct world *world;
    struct documents *documents;
    struct site sites[NODES_MAX];
    struct done *done;
    struct started *started;
    struct types *types;
    bool calm;                          /* nothing may start or end */
    bool unplaced_may_be_lost;          /* a job of which nothing runs */
    int64_t all_said_ms[NODES_MAX + 1]; /* when nothing was under way from it, the manager first */
};

/* Whose it is: the job's, or the parent's of a child; NULL: nobody's. */
const struct wish *oracle_wish_of(const struct oracle *oracle, const char *task_id);
/* How many instances of it run there. */
int oracle_running_on(const struct oracle *oracle, const struct wish *wish, int site);

/* Who has something under way to the broker; after each event in the end. */
void oracle_note_unsaid(struct oracle *oracle);

#endif
