/* The job specification: what a user submits, and with all defaults filled in, what is published.
 *
 * Keys that later versions may bring are not accepted and ignored but refused as unknown. */
#ifndef ARGOSY_SCHEMA_JOB_SPEC_H
#define ARGOSY_SCHEMA_JOB_SPEC_H

#include "platform/base/arena.h"
#include "schema/field.h"
#include "schema/problems.h"
#include "schema/timezone.h"

enum job_type { JOB_SERVICE = 1, JOB_BATCH, JOB_SYSTEM, JOB_SYSBATCH };
/* One instance on each node that matches, instead of `count` somewhere. */
static inline bool job_type_is_everywhere(int type)
{
    return type == JOB_SYSTEM || type == JOB_SYSBATCH;
}
/* Its instances end by themselves. */
static inline bool job_type_ends(int type)
{
    return type == JOB_BATCH || type == JOB_SYSBATCH;
}

enum runtime_kind { RUNTIME_DOCKER = 1, RUNTIME_PROCESS, RUNTIME_SIMULATED };
/* How well a node suits (SEMANTICS 5). */
enum placement_policy {
    POLICY_OF_CLUSTER,  /* of a job that leaves it to the cluster */
    POLICY_BINPACK,     /* fills nodes: clamp(20 - (10^free_cpu + 10^free_memory), 0, 18) / 18 */
    POLICY_SPREAD,      /* empties them: clamp(10^free_cpu + 10^free_memory - 2, 0, 18) / 18 */
    POLICY_EPVM,        /* lowest marginal cost (Amir et al.) */
    POLICY_GREEDY,      /* lowest cpu load */
    POLICY_ROUND_ROBIN, /* the next node after the last one used, in the order of ids */
};
enum pull_policy { PULL_ALWAYS = 1, PULL_MISSING, PULL_NEVER };
enum restart_when { RESTART_ALWAYS = 1, RESTART_ON_FAILURE, RESTART_NEVER };
enum restart_mode { RESTART_MODE_FAIL = 1, RESTART_MODE_DELAY };
enum backoff { BACKOFF_CONSTANT = 1, BACKOFF_EXPONENTIAL, BACKOFF_FIBONACCI };
enum reconcile_policy {
    RECONCILE_KEEP_ORIGINAL = 1,
    RECONCILE_KEEP_REPLACEMENT,
    RECONCILE_LONGEST_RUNNING,
};
enum health_kind { HEALTH_HTTP = 1, HEALTH_TCP, HEALTH_EXEC };

struct resources {
    int64_t cpu_millis;         /* 1000 = one core */
    int64_t memory_bytes;       /* reserved, and the limit unless memory_max is given */
    int64_t memory_max_bytes;   /* hard limit, at least memory; UNSET: memory */
    int64_t disk_bytes;         /* reserved */
    struct string_list devices; /* "/dev/x" or "/dev/x:/dev/y[:rwm]" */
};

struct restart_policy {
    int policy; /* enum restart_when */
    int64_t attempts;
    int64_t interval_ms;
    int64_t delay_ms;
    int backoff; /* constant or exponential */
    int64_t max_delay_ms;
    int mode; /* enum restart_mode */
};

struct reschedule_policy {
    int64_t attempts; /* within interval; not used when unlimited */
    int64_t interval_ms;
    int64_t delay_ms;
    int backoff;
    int64_t max_delay_ms;
    int64_t unlimited; /* tristate */
};

struct disconnect_policy {
    int64_t lost_after_ms;
    int64_t replace;       /* tristate; false: never replaced elsewhere */
    int reconcile;         /* enum reconcile_policy */
    int64_t stop_after_ms; /* UNSET: the worker never stops it by itself */
};

struct update_policy {
    int64_t max_parallel; /* 0: all at once */
    int64_t min_healthy_ms;
};

struct health_check {
    const char *http; /* "http://:80/path" : port inside the container */
    const char *tcp;  /* ":80" */
    struct string_list exec;
    int64_t interval_ms;
    int64_t timeout_ms;
    int64_t retries;
    int64_t grace_ms;
};

struct stop_policy {
    const char *signal; /* "SIGTERM" */
    int64_t timeout_ms;
};

enum depend_condition { DEPEND_RUNNING = 1, DEPEND_COMPLETED, DEPEND_HEALTHY };

struct dependency {
    const char *job;
    int condition; /* enum depend_condition */
};

enum payload_rule { PAYLOAD_OPTIONAL = 1, PAYLOAD_REQUIRED, PAYLOAD_FORBIDDEN };

/* A job that has them is not run itself: each dispatch makes a child job. */
struct parameters {
    int payload; /* enum payload_rule */
    struct string_list meta_required;
    struct string_list meta_optional;
};

/* A job that has one is not run itself: each launch makes a child job. */
struct schedule {
    struct string_list cron; /* schema/cron.h; launched when one of them says so */
    const char *timezone;    /* "Europe/Vienna" */
    bool overlap;            /* launched also while the last one still runs */
};

/* What makes a job somebody's child. Written by the manager only. */
struct dispatched {
    const char *parent;
    const char *payload; /* Base64, NULL: none */
};

struct affinity {
    const char *expr; /* an expression */
    int64_t weight;   /* -100 to 100, not 0; below 0: rather not */
};

struct spread_block {
    const char *attribute;  /* a target of expressions */
    int64_t weight;         /* 1 to 100 */
    struct int_map targets; /* percent by value; empty: evenly over the values there are */
};

struct distinct_property {
    const char *attribute;
    int64_t limit; /* instances a value */
};

/* Where instances may go, and where rather. A job's is that of each of its tasks as well. */
struct placement {
    struct string_list constraints; /* expressions */
    struct record_list affinities;  /* struct affinity */
    struct record_list spread;      /* struct spread_block */
    int64_t distinct_hosts;         /* tristate */
    const struct distinct_property *distinct_property;
};

struct task_spec {
    const char *name; /* the job's name when the user gave none */
    int64_t count;
    int runtime; /* enum runtime_kind */
    const char *image;
    int pull; /* enum pull_policy */
    struct string_list entrypoint;
    struct string_list command; /* program and arguments */
    struct string_map env;
    struct string_list ports;   /* "8080:80", "80", "9000/udp", "9000:9000/udp" */
    struct string_list volumes; /* "name:/path[:ro]", "/host:/path[:ro]" */
    const char *user;
    const char *workdir;
    int64_t read_only; /* tristate, root file system */
    struct resources resources;
    struct restart_policy restart;
    struct record_list health; /* struct health_check */
    struct stop_policy stop;
    int64_t max_run_ms; /* batch: a run that takes longer has failed; UNSET: no limit */
    struct placement placement;
    struct string_map labels; /* to the container */
};

struct job_spec {
    const char *name;
    int type;                       /* enum job_type */
    struct string_list datacenters; /* globs; ["*"] by default */
    int64_t priority;               /* 1 to 100 */
    int policy;                     /* enum placement_policy; 0: the cluster's */
    struct placement placement;     /* of all its tasks together */
    struct reschedule_policy reschedule;
    struct disconnect_policy disconnect;
    struct update_policy update;
    struct record_list depends_on; /* struct dependency */
    const struct parameters *parameters;
    const struct schedule *schedule;
    const struct dispatched *dispatched;
    struct string_map meta;
    struct record_list tasks; /* struct task_spec */
};

/* It is not run itself: dispatches or launches make children. */
static inline bool job_spec_is_parent(const struct job_spec *spec)
{
    return spec->parameters || spec->schedule;
}

extern const struct record job_spec_record;
extern const struct record task_spec_record;
extern const struct words runtime_words;          /* enum runtime_kind */
extern const struct words placement_policy_words; /* enum placement_policy */
extern const struct words job_type_words;         /* enum job_type */
extern const struct words depend_condition_words; /* enum depend_condition */
extern const struct record resources_record;

/* Parts of a port entry. `host` 0: dynamic. False when `text` is not one. */
struct port_spec {
    int64_t container;
    int64_t host;
    bool udp;
};
bool port_spec_parse(const char *text, struct port_spec *ret_port);

struct volume_spec {
    char source[256]; /* a volume's name, or an absolute path on the node */
    char target[256];
    bool read_only;
};
bool volume_spec_parse(const char *text, struct volume_spec *ret_volume);

/* "http://:80/path" or ":80". `ret_path` gets a pointer into text ("/" when none). */
bool health_target_parse(const char *text, bool http, int64_t *ret_port, const char **ret_path);

/* Signal number of "SIGTERM", "TERM" or "15"; 0 when unknown. */
int signal_from_string(const char *text);

/* Fills in every default: names, per-type policies (SEMANTICS: restart 2 in 30m / 15s for services,
 * 3 in 24h for batch; reschedule unlimited exponential 30s..1h for services, 1 in 24h for batch,
 * never for system and sysbatch; lost_after 10m for services, 0 for batch). Idempotent: normalising
 * twice changes nothing. Memory from `arena`; -ERR_NO_MEMORY. */
int job_spec_normalise(struct job_spec *spec, const char *name, struct arena *arena);

/* The checks that need more than one field (unique task names, max >= memory, image for docker,
 * command for process, delay <= max_delay …), after normalising. Pure. Adds to `problems`. */
void job_spec_check(const struct job_spec *spec, struct problems *problems);

/* Of a job (`path` "") or one of its tasks ("/tasks/3"), not of one that is everywhere: is each
 * expression one, no weight 0, no more than 100 percent? A part of job_spec_check(). */
void placement_check(const struct placement *placement, const char *path,
                     struct problems *problems);

/* The schedule's expressions, and that it can have one. A part of job_spec_check(). Whether there
 * is such a time zone only an adapter knows. */
void schedule_check(const struct job_spec *spec, struct problems *problems);
/* The next launch after an instant (seconds since 1970), INT64_MAX: never. */
int64_t schedule_next(const struct schedule *schedule, const struct timezone *zone,
                      int64_t after_s);
/* The last launch that was due after one instant and not after another; INT64_MAX: none. */
int64_t schedule_last_due(const struct schedule *schedule, const struct timezone *zone,
                          int64_t after_s, int64_t until_s);

/* Whether an instance that runs `old` has to be replaced to become `fresh` (docs/decisions.md, D9).
 */
bool task_spec_needs_replacement(const struct task_spec *old, const struct task_spec *fresh);

/* Keys and values that the contract has and a later version brings: refused with another hint than
 * misspelt ones. */
bool job_spec_word_is_planned(const char *key);

/* "parent-1700000000-3", as children are named. */
bool job_name_is_a_childs(const char *name);

/* The variable that tells a dispatched task a key of its meta: "ARGOSY_META_" and the key in
 * capitals, "_" for what cannot stand in a variable. Cut to `size`. */
void meta_variable_format(const char *key, char *ret_name, size_t size);

/* Shell-style glob with * and ? only. */
bool glob_match(const char *pattern, const char *text);

#endif
