/* What would become of jobs on a cluster: what `argosy plan` says. */
#ifndef ARGOSY_SCHEMA_PLAN_H
#define ARGOSY_SCHEMA_PLAN_H

#include "schema/field.h"

enum plan_action {
    PLAN_KEEP = 1, /* is there and stays */
    PLAN_PLACE,
    PLAN_REPLACE, /* is there with other resources: stopped, and placed as told */
    PLAN_STOP,    /* is there and is wanted no more */
    PLAN_PENDING, /* fits nowhere at present */
};

/* Parts of a score, each from -1 to 1; NAN: it does not apply. */
struct plan_parts {
    double policy, anti_affinity, penalty, affinity, spread;
};

struct plan_exclusion {
    const char *reason; /* wire name */
    const char *text;
    const char *detail; /* the constraint, device or property, or NULL */
    int64_t nodes;
};

struct plan_candidate { /* a node, as the scheduler saw it for one instance */
    const char *node;
    double score; /* NAN: it cannot take it */
    struct plan_parts parts;
    const char *excluded; /* wire name of the first reason against it, or NULL */
    const char *detail;
};

struct plan_instance {
    const char *instance; /* job_task_index */
    const char *job;
    const char *task;
    int64_t index;
    int action; /* enum plan_action */
    const char *node;
    double score;
    struct plan_parts parts;
    struct record_list excluded;   /* struct plan_exclusion: why it is pending */
    const char *nearest;           /* "edge-04 lacks 12 MiB memory", or NULL */
    struct record_list candidates; /* struct plan_candidate, when they were asked for */
};

struct plan {
    struct record_list instances; /* struct plan_instance */
};
extern const struct record plan_record;
extern const struct words plan_action_words;

#endif
