/* What is known of every instance: the manager's assignments and the workers' reports side by
 * side. Rows of the tables and of the JSON output. */
#ifndef ARGOSY_CLI_INSTANCES_H
#define ARGOSY_CLI_INSTANCES_H

#include "cli/picture.h"

struct instance {
    const char *id;       /* attempt */
    const char *instance; /* job_task_index */
    const char *job;
    const char *task;
    int64_t index;
    const char *node;
    int state;           /* enum attempt_state; scheduled while the worker has not reported */
    int desired;         /* enum desired_state; 0: in no assignment */
    bool node_online;    /* else `state` is what was last reported */
    const char *reason;  /* wire name, NULL: none */
    const char *address; /* "192.0.2.7:8080, …": where it is reached, or NULL */
    struct observed_attempt
        seen; /* zeroed, with UNSET where that means absent, when not reported */
};
/* The JSON of one: docs/command-line.md. */
extern const struct record instance_record;

struct instances {
    struct arena arena;
    struct instance *items; /* ordered by job, task, index, newest attempt first */
    size_t count;
    size_t capacity;
};

/* Strings point into the picture: use it before the next message is heard. `job` and `node` NULL:
 * all. Without `all` an ended attempt is left out when a newer one of its instance is there, or
 * when it was stopped on purpose. */
void instances_collect(struct instances *instances, const struct picture *picture, const char *job,
                       const char *node, bool all);
/* Puts a newer observation into an item. Pointers are kept. */
void instance_see(struct instances *instances, struct instance *item, const struct picture *picture,
                  const struct observed_attempt *seen);
void instances_release(struct instances *instances);
#define _cleanup_instances_ __attribute__((cleanup(instances_release)))

#endif
