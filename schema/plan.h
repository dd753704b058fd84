/* What would become of jobs on a cluster: what `argosy plan` says. */
#ifndef ARGOSY_SCHEMA_PLAN_H
#define ARGOSY_SCHEMA_PLAN_H

#include "schema/field.h"

enum plan_action {
    PLAN_KEEP = 1, /* is there and stays */
    PLAN_UPDATE,   /* is there and stays, without a restart, as the new version says */
    PLAN_PLACE,
    PLAN_REPLACE, /* is there: stopped, and placed as told */
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
    struct string_list preempts;   /* instances that have to make room first */
    struct record_list excluded;   /* struct plan_exclusion: why it is pending */
    const char *nearest;           /* "edge-04 lacks 12 MiB memory", or NULL */
    struct record_list candidates; /* struct plan_candidate, when they were asked for */
};

struct plan_change {   /* of a job's specification */
    const char *field; /* "/tasks/web/image" */
    const char *from;  /* NULL: it was not there */
    const char *to;    /* NULL: it is gone */
};

struct plan_job {
    const char *job;
    bool is_new;                /* it is not there yet */
    bool is_parent;             /* nothing of it is placed */
    struct record_list changes; /* struct plan_change; none: it is the same, or new */
};

struct plan {
    struct record_list jobs;      /* struct plan_job; of those whose specification is known */
    struct record_list instances; /* struct plan_instance */
};
extern const struct record plan_record;
extern const struct words plan_action_words;

#endif
