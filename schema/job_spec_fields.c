/* The field tables of the job specification. Constant defaults are here; those that depend on the
 * job's type are in schema/job_spec_normalise.c and told in the `doc`. */
#include "schema/expression.h"
#include "schema/field_rows.h"
#include "schema/job_spec.h"
#include "schema/job_spec_text.h"
#include "schema/limits.h"

#include <string.h>

static const struct word job_type_items[] = {{JOB_SERVICE, "service"},
                                             {JOB_BATCH, "batch"},
                                             {JOB_SYSTEM, "system"},
                                             {JOB_SYSBATCH, "sysbatch"}};
const struct words job_type_words = WORDS(job_type_items);

static const struct word placement_policy_items[] = {
    {POLICY_BINPACK, "binpack"}, {POLICY_SPREAD, "spread"},           {POLICY_EPVM, "epvm"},
    {POLICY_GREEDY, "greedy"},   {POLICY_ROUND_ROBIN, "round_robin"},
};
const struct words placement_policy_words = WORDS(placement_policy_items);

static const struct word runtime_items[] = {
    {RUNTIME_DOCKER, "docker"}, {RUNTIME_PROCESS, "process"}, {RUNTIME_SIMULATED, "simulated"}};
const struct words runtime_words = WORDS(runtime_items);

static const struct word pull_items[] = {
    {PULL_ALWAYS, "always"}, {PULL_MISSING, "missing"}, {PULL_NEVER, "never"}};
static const struct words pulls = WORDS(pull_items);

static const struct word restart_items[] = {
    {RESTART_ALWAYS, "always"}, {RESTART_ON_FAILURE, "on-failure"}, {RESTART_NEVER, "never"}};
static const struct words restarts = WORDS(restart_items);

static const struct word restart_mode_items[] = {{RESTART_MODE_FAIL, "fail"},
                                                 {RESTART_MODE_DELAY, "delay"}};
static const struct words restart_modes = WORDS(restart_mode_items);

/* A restart's backoff ends before the last word. */
static const struct word backoff_items[] = {{BACKOFF_CONSTANT, "constant"},
                                            {BACKOFF_EXPONENTIAL, "exponential"},
                                            {BACKOFF_FIBONACCI, "fibonacci"}};
static const struct words reschedule_backoffs = WORDS(backoff_items);
static const struct words restart_backoffs = {backoff_items, 2};

static const struct word reconcile_items[] = {{RECONCILE_KEEP_ORIGINAL, "keep_original"},
                                              {RECONCILE_KEEP_REPLACEMENT, "keep_replacement"},
                                              {RECONCILE_LONGEST_RUNNING, "longest_running"}};
static const struct words reconciles = WORDS(reconcile_items);

/* 1 … 65535 without leading zeros. */
#define PORT_PATTERN \
    "([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"

#define LABEL_KEY .pattern = "^[A-Za-z0-9][A-Za-z0-9._/-]*$", .accepts = label_key_is_valid

static const struct field resources_fields[] = {
    FIELD(struct resources, CPU, "cpu", cpu_millis,
          "Cores reserved: a number (0.25) or thousandths (\"250m\").", .min = 1,
          .max = 1000 * 1000, .fallback = 100),
    FIELD(struct resources, SIZE, "memory", memory_bytes,
          "Memory reserved; also the limit unless memory_max is given.", .min = 1 << 20,
          .max = (int64_t)1 << 50, .fallback = 64 << 20),
    FIELD(struct resources, SIZE, "memory_max", memory_max_bytes,
          "Memory limit, at least memory; the task is killed above it. Default: memory.",
          .min = 1 << 20, .max = (int64_t)1 << 50, .fallback = UNSET),
    FIELD(struct resources, SIZE, "disk", disk_bytes, "Disk reserved.", .max = (int64_t)1 << 50),
    FIELD(struct resources, STRINGS, "devices", devices,
          "Devices of the node, such as /dev/ttyUSB0 or /dev/a:/dev/b:rw.", .max = 64,
          .pattern = "^/dev/[^:]{1,250}(:/dev/[^:]{1,250}(:[rwm]{1,3})?)?$",
          .accepts = device_text_is_valid, .pattern_hint = "such as /dev/ttyUSB0"),
};
const struct record resources_record =
    RECORD("resources", struct resources, resources_fields,
           "What an instance reserves on its node, and may use.");

static const struct field restart_fields[] = {
    FIELD(
        struct restart_policy, ENUM, "policy", policy,
        "When an ended task is started again. Default: always for services, on-failure for batch.",
        .words = &restarts),
    FIELD(struct restart_policy, INT, "attempts", attempts,
          "Restarts within interval. Default: 2 for services, 3 for batch.", .max = 1000000,
          .fallback = UNSET),
    FIELD(struct restart_policy, DURATION, "interval", interval_ms,
          "Window in which restarts are counted. Default: 30m for services, 24h for batch.",
          .min = SECOND_MS, .max = YEAR_MS, .fallback = UNSET),
    FIELD(struct restart_policy, DURATION, "delay", delay_ms,
          "Wait before a restart; up to a quarter is added at random.", .max = DAY_MS,
          .fallback = 15 * SECOND_MS),
    FIELD(
        struct restart_policy, ENUM, "backoff", backoff,
        "constant, or exponential: the delay doubles up to max_delay, and starts again after 10 s "
        "of running.",
        .words = &restart_backoffs, .fallback = BACKOFF_CONSTANT),
    FIELD(struct restart_policy, DURATION, "max_delay", max_delay_ms,
          "Largest delay of an exponential backoff. Default: 5m, at least delay.", .max = DAY_MS,
          .fallback = UNSET),
    FIELD(struct restart_policy, ENUM, "mode", mode,
          "After the last attempt: fail, or delay until the interval ends and go on.",
          .words = &restart_modes, .fallback = RESTART_MODE_FAIL),
};
static const struct record restart_record =
    RECORD("restart", struct restart_policy, restart_fields,
           "Starting again on the same node; decided by the worker alone, offline too.");

static const struct field reschedule_fields[] = {
    FIELD(struct reschedule_policy, INT, "attempts", attempts,
          "Reschedules within interval, when not unlimited. Default: 1 for batch, else 0.",
          .max = 1000000, .fallback = UNSET),
    FIELD(struct reschedule_policy, DURATION, "interval", interval_ms,
          "Window in which attempts are counted.", .min = SECOND_MS, .max = YEAR_MS,
          .fallback = DAY_MS),
    FIELD(struct reschedule_policy, DURATION, "delay", delay_ms,
          "First wait. Default: 30s for services, 5s for batch.", .max = DAY_MS, .fallback = UNSET),
    FIELD(struct reschedule_policy, ENUM, "backoff", backoff,
          "How the wait grows. Default: exponential for services, else constant.",
          .words = &reschedule_backoffs),
    FIELD(struct reschedule_policy, DURATION, "max_delay", max_delay_ms,
          "Largest wait. Default: 1h, at least delay.", .max = 7 * DAY_MS, .fallback = UNSET),
    FIELD(struct reschedule_policy, TRISTATE, "unlimited", unlimited,
          "No limit of attempts. Default: true for services unless attempts is given, "
          "else false.",
          .fallback = UNSET),
};
static const struct record reschedule_record =
    RECORD("reschedule", struct reschedule_policy, reschedule_fields,
           "Placing a failed instance again; decided by the manager.");

static const struct field disconnect_fields[] = {
    FIELD(struct disconnect_policy, DURATION, "lost_after", lost_after_ms,
          "Silence of a node after which its instances are given up. Default: 10m for services, 0s "
          "for batch.",
          .max = YEAR_MS, .fallback = UNSET),
    FIELD(struct disconnect_policy, TRISTATE, "replace", replace,
          "false: an instance that was given up is never replaced. Default: true, false for system "
          "and sysbatch, whose instances belong to their nodes.",
          .fallback = UNSET),
    FIELD(struct disconnect_policy, ENUM, "reconcile", reconcile,
          "Which one stays when the node comes back and a replacement runs.", .words = &reconciles,
          .fallback = RECONCILE_KEEP_ORIGINAL),
    FIELD(struct disconnect_policy, DURATION, "stop_after", stop_after_ms,
          "The worker itself stops the instance when it has been without the broker that long. "
          "Default: never.",
          .flags = FIELD_NULLABLE, .min = SECOND_MS, .max = YEAR_MS, .fallback = UNSET),
};
static const struct record disconnect_record =
    RECORD("disconnect", struct disconnect_policy, disconnect_fields,
           "What happens while a node is silent.");

static const struct field update_fields[] = {
    FIELD(struct update_policy, INT, "max_parallel", max_parallel,
          "Instances replaced at a time by a new version; 0: all at once.",
          .max = LIMIT_INSTANCES_PER_TASK, .fallback = 1),
    FIELD(struct update_policy, DURATION, "min_healthy", min_healthy_ms,
          "An instance counts as replaced when it has run (and been healthy) that long.",
          .max = DAY_MS, .fallback = 10 * SECOND_MS),
};
static const struct record update_record =
    RECORD("update", struct update_policy, update_fields, "How a new version takes over.");

static const struct field health_fields[] = {
    FIELD(struct health_check, STRING, "http", http,
          "GET answered by 200 to 399; the port is the one inside the container.", .min = 1,
          .max = 500, .pattern = "^http://:" PORT_PATTERN "(/[!-~]*)?$",
          .accepts = health_http_is_valid, .pattern_hint = "such as http://:80/healthz"),
    FIELD(struct health_check, STRING, "tcp", tcp, "A connection is accepted.", .min = 1, .max = 10,
          .pattern = "^:" PORT_PATTERN "$", .accepts = health_tcp_is_valid,
          .pattern_hint = "such as :5432"),
    FIELD(struct health_check, STRINGS, "exec", exec, "A program in the container that exits 0.",
          .flags = FIELD_COMMAND_LINE, .min = 1, .max = 200),
    FIELD(struct health_check, DURATION, "interval", interval_ms, "From one check to the next.",
          .min = SECOND_MS / 10, .max = DAY_MS, .fallback = 10 * SECOND_MS),
    FIELD(struct health_check, DURATION, "timeout", timeout_ms,
          "A check that takes longer has failed.", .min = SECOND_MS / 100, .max = HOUR_MS,
          .fallback = 2 * SECOND_MS),
    FIELD(struct health_check, INT, "retries", retries,
          "Consecutive failures that make the instance unhealthy.", .min = 1, .max = 1000,
          .fallback = 3),
    FIELD(struct health_check, DURATION, "grace", grace_ms,
          "Failures this soon after the start do not count.", .max = DAY_MS,
          .fallback = 10 * SECOND_MS),
};
static const struct record health_record =
    RECORD("health", struct health_check, health_fields,
           "A check, run by the worker: exactly one of http, tcp and exec.");

static const struct field stop_fields[] = {
    FIELD(struct stop_policy, STRING, "signal", signal,
          "Signal that asks the task to end. Default: SIGTERM.", .min = 1, .max = 10,
          .pattern = "^((SIG)?(HUP|INT|QUIT|ABRT|KILL|USR1|USR2|PIPE|ALRM|TERM|CONT|STOP|WINCH|PWR)"
                     "|1|2|3|6|9|10|12|13|14|15|18|19|28|30)$",
          .accepts = signal_text_is_valid, .pattern_hint = "such as SIGTERM"),
    FIELD(struct stop_policy, DURATION, "timeout", timeout_ms, "Time it has before it is killed.",
          .max = DAY_MS, .fallback = 10 * SECOND_MS),
};
static const struct record stop_record =
    RECORD("stop", struct stop_policy, stop_fields, "How an instance is asked to end.");

static const struct field affinity_fields[] = {
    FIELD(struct affinity, STRING, "expr", expr, "Such as label.disk == ssd.",
          .flags = FIELD_REQUIRED, .min = 1, .max = EXPRESSION_TEXT_MAX),
    FIELD(struct affinity, INT, "weight", weight,
          "How much it counts, -100 to 100 and not 0; below 0: rather not there.", .min = -100,
          .max = 100, .fallback = 50),
};
static const struct record affinity_record =
    RECORD("affinity", struct affinity, affinity_fields, "Where instances had better go.");

static const struct field spread_fields[] = {
    FIELD(struct spread_block, STRING, "attribute", attribute, "Such as label.rack.",
          .flags = FIELD_REQUIRED, .min = 1, .max = EXPRESSION_TEXT_MAX),
    FIELD(struct spread_block, INT, "weight", weight, "How much it counts beside other blocks.",
          .min = 1, .max = 100, .fallback = 50),
    FIELD(struct spread_block, INT_MAP, "targets", targets,
          "Percent of the instances by value, at most 100 together; what is left goes to values "
          "that are not named. Default: evenly.",
          .min = 1, .max = 100),
};
static const struct record spread_record =
    RECORD("spread", struct spread_block, spread_fields, "Over what instances are spread.");

static const struct field distinct_property_fields[] = {
    FIELD(struct distinct_property, STRING, "attribute", attribute, "Such as label.rack.",
          .flags = FIELD_REQUIRED, .min = 1, .max = EXPRESSION_TEXT_MAX),
    FIELD(struct distinct_property, INT, "limit", limit, "Instances for each of its values.",
          .min = 1, .max = LIMIT_INSTANCES_PER_TASK, .fallback = 1),
};
static const struct record distinct_property_record =
    RECORD("distinct_property", struct distinct_property, distinct_property_fields,
           "At most so many instances where an attribute has the same value.");

/* Of a job or a task. */
#define PLACEMENT_FIELDS(type)                                                                \
    FIELD(type, STRINGS, "constraints", placement.constraints,                                \
          "What a node has to be, such as arch == arm64 or label.site in [graz, berlin].",    \
          .max = LIMIT_CONSTRAINTS),                                                          \
        FIELD(type, RECORDS, "affinities", placement.affinities, "Where it had better go.",   \
              .record = &affinity_record, .max = LIMIT_AFFINITIES),                           \
        FIELD(type, RECORDS, "spread", placement.spread, "Over what it is spread.",           \
              .record = &spread_record, .max = LIMIT_SPREADS),                                \
        FIELD(type, TRISTATE, "distinct_hosts", placement.distinct_hosts,                     \
              "true: each instance on a node of its own.", .fallback = UNSET),                \
        FIELD_INSIDE(type, OBJECT_OPTIONAL, "distinct_property", placement.distinct_property, \
                     &distinct_property_record, "At most so many instances for each value.")

static const struct field task_fields[] = {
    FIELD(struct task_spec, NAME, "name", name, "Name of the task. Default: the job's name."),
    FIELD(struct task_spec, INT, "count", count,
          "Instances wanted. system and sysbatch: 1, on each node.",
          .max = LIMIT_INSTANCES_PER_TASK, .fallback = 1),
    FIELD(struct task_spec, ENUM, "runtime", runtime, "What runs it.", .words = &runtime_words,
          .fallback = RUNTIME_DOCKER),
    FIELD(struct task_spec, STRING, "image", image, "Container image (docker).", .min = 1,
          .max = 255, .pattern = "^[A-Za-z0-9][A-Za-z0-9._/:@-]*$", .accepts = image_is_valid,
          .pattern_hint = "such as nginx:1.27"),
    FIELD(struct task_spec, ENUM, "pull", pull, "When the image is pulled.", .words = &pulls,
          .fallback = PULL_MISSING),
    FIELD(struct task_spec, STRINGS, "entrypoint", entrypoint, "Replaces the image's entry point.",
          .flags = FIELD_COMMAND_LINE, .max = 200),
    FIELD(struct task_spec, STRINGS, "command", command,
          "Program and arguments, one list item each; no shell is involved.",
          .flags = FIELD_COMMAND_LINE, .max = 1000),
    FIELD(struct task_spec, MAP, "env", env,
          "Environment. Numbers and booleans are taken as their text.", .flags = FIELD_SCALARS,
          .max = 1000, .pattern = "^[A-Za-z_][A-Za-z0-9_.-]*$", .accepts = env_name_is_valid,
          .pattern_hint = "names are letters, digits and _ . -, and start with a letter or _"),
    FIELD(struct task_spec, STRINGS, "ports", ports,
          "\"8080:80\" (host:container), \"80\" (a free port of the node), each with /udp if it is "
          "not TCP.",
          .flags = FIELD_SCALARS, .max = 100,
          .pattern = "^(" PORT_PATTERN ":)?" PORT_PATTERN "(/(tcp|udp))?$",
          .accepts = port_text_is_valid, .pattern_hint = "such as 8080:80, 80 or 9000/udp"),
    FIELD(struct task_spec, STRINGS, "volumes", volumes,
          "\"name:/path\" or \"/on/the/node:/path\", each with :ro if it is read-only.", .max = 100,
          .pattern = "^([A-Za-z0-9][A-Za-z0-9_.-]{0,99}|/[^:]{0,254}):/[^:]{0,254}(:(ro|rw))?$",
          .accepts = volume_text_is_valid, .pattern_hint = "such as data:/var/lib/app"),
    FIELD(struct task_spec, STRING, "user", user, "User, or user:group, that it runs as.", .min = 1,
          .max = 64, .pattern = "^[A-Za-z0-9_][A-Za-z0-9_.:-]*$", .accepts = user_is_valid,
          .pattern_hint = "such as 1000:1000"),
    FIELD(struct task_spec, STRING, "workdir", workdir, "Working directory.", .min = 1, .max = 255,
          .pattern = "^/", .accepts = absolute_path_is_valid, .pattern_hint = "an absolute path"),
    FIELD(struct task_spec, TRISTATE, "read_only", read_only,
          "Root file system cannot be written."),
    FIELD_INSIDE(struct task_spec, RECORD, "resources", resources, &resources_record,
                 "What it reserves and may use."),
    FIELD_INSIDE(struct task_spec, RECORD, "restart", restart, &restart_record,
                 "Starting again on the same node."),
    FIELD(struct task_spec, RECORDS, "health", health, "Health checks.", .record = &health_record,
          .max = 8),
    FIELD_INSIDE(struct task_spec, RECORD, "stop", stop, &stop_record, "How it is asked to end."),
    FIELD(
        struct task_spec, DURATION, "max_run", max_run_ms,
        "Batch: a run that takes longer is stopped and has failed, without a restart on its node. "
        "Default: no limit.",
        .flags = FIELD_NULLABLE, .min = SECOND_MS, .max = YEAR_MS, .fallback = UNSET),
    PLACEMENT_FIELDS(struct task_spec),
    FIELD(struct task_spec, MAP, "labels", labels, "Labels of the container.",
          .flags = FIELD_SCALARS, .max = 100, LABEL_KEY),
};
const struct record task_spec_record =
    RECORD("task_spec", struct task_spec, task_fields, "One task of a job.");

static const struct word depend_condition_items[] = {
    {DEPEND_RUNNING, "running"}, {DEPEND_COMPLETED, "completed"}, {DEPEND_HEALTHY, "healthy"}};
const struct words depend_condition_words = WORDS(depend_condition_items);

static const struct field dependency_fields[] = {
    FIELD(struct dependency, NAME, "job", job, "Name of the other job; it need not exist yet.",
          .flags = FIELD_REQUIRED),
    FIELD(struct dependency, ENUM, "condition", condition,
          "running: an instance of each of its tasks runs; healthy: all run, and have been healthy "
          "for its min_healthy; completed: all have completed. An instance that has completed "
          "counts for the first two as well.",
          .words = &depend_condition_words, .fallback = DEPEND_RUNNING),
};
static const struct record dependency_record =
    RECORD("dependency", struct dependency, dependency_fields,
           "Something that another job has to be before this one is placed.");

static const struct word payload_rule_items[] = {{PAYLOAD_OPTIONAL, "optional"},
                                                 {PAYLOAD_REQUIRED, "required"},
                                                 {PAYLOAD_FORBIDDEN, "forbidden"}};
static const struct words payload_rules = WORDS(payload_rule_items);

static const struct field parameters_fields[] = {
    FIELD(struct parameters, ENUM, "payload", payload,
          "Whether a dispatch has a payload (at most 16 KiB): for the task, the file that "
          "ARGOSY_PAYLOAD_FILE names.",
          .words = &payload_rules, .fallback = PAYLOAD_OPTIONAL),
    FIELD(struct parameters, STRINGS, "meta_required", meta_required,
          "Keys of meta that each dispatch has to give; for the task, ARGOSY_META_<KEY>.",
          .max = LIMIT_META_KEYS, LABEL_KEY),
    FIELD(struct parameters, STRINGS, "meta_optional", meta_optional,
          "Keys of meta that a dispatch may give.", .max = LIMIT_META_KEYS, LABEL_KEY),
};
static const struct record parameters_record =
    RECORD("parameters", struct parameters, parameters_fields,
           "Makes a batch or sysbatch job a parent: it is not run itself, each dispatch makes a "
           "child.");

static const struct field schedule_fields[] = {
    FIELD(struct schedule, STRINGS, "cron", cron,
          "[second] minute hour day-of-month month day-of-week, or @hourly, @daily …; several: "
          "each of them launches.",
          .flags = FIELD_REQUIRED | FIELD_ONE_OR_MANY, .min = 1, .max = LIMIT_CRONS),
    FIELD(struct schedule, STRING, "timezone", timezone,
          "Whose clocks are meant, such as Europe/Vienna. A time that they skip is not launched, "
          "one that they repeat once. Default: UTC.",
          .min = 1, .max = LIMIT_TIMEZONE_LENGTH, .pattern = "^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$",
          .accepts = timezone_name_is_valid, .pattern_hint = "such as Europe/Vienna"),
    FIELD(struct schedule, BOOL, "overlap", overlap,
          "Whether it is launched also while the last launch still runs."),
};
static const struct record schedule_record =
    RECORD("schedule", struct schedule, schedule_fields,
           "Makes a batch or sysbatch job a parent: it is not run itself, each launch makes a "
           "child.");

static const struct field dispatched_fields[] = {
    FIELD(struct dispatched, NAME, "parent", parent, "The job whose child it is.",
          .flags = FIELD_REQUIRED),
    FIELD(struct dispatched, STRING, "payload", payload, "Its payload in Base64.", .min = 1,
          .max = (LIMIT_DISPATCH_PAYLOAD_BYTES + 2) / 3 * 4),
};
static const struct record dispatched_record =
    RECORD("dispatched", struct dispatched, dispatched_fields,
           "What makes a job a child; written by the manager only.");

static const struct field job_fields[] = {
    FIELD(struct job_spec, NAME, "name", name,
          "Name of the job; may be left out where the topic says it."),
    FIELD(struct job_spec, ENUM, "type", type,
          "service: runs until stopped; batch: ends by itself; system, sysbatch: the same, one "
          "instance on each node that matches.",
          .words = &job_type_words, .fallback = JOB_SERVICE),
    FIELD(struct job_spec, STRINGS, "datacenters", datacenters,
          "Globs (* and ?) of the datacenters that may be used. Default: all.",
          .flags = FIELD_ONE_OR_MANY, .min = 1, .max = 100, .pattern = "^[A-Za-z0-9_.*?-]+$",
          .accepts = datacenter_glob_is_valid, .pattern_hint = "such as plant-*"),
    FIELD(
        struct job_spec, INT, "priority", priority,
        "Who goes first; one that is higher by 10 or more may take the room of a lower one, where "
        "the manager allows preemption.",
        .min = 1, .max = 100, .fallback = DEFAULT_PRIORITY),
    FIELD(struct job_spec, ENUM, "policy", policy,
          "How nodes are chosen. Default: the manager's --policy.",
          .words = &placement_policy_words),
    PLACEMENT_FIELDS(struct job_spec),
    FIELD_INSIDE(struct job_spec, RECORD, "reschedule", reschedule, &reschedule_record,
                 "Placing failed instances again."),
    FIELD_INSIDE(struct job_spec, RECORD, "disconnect", disconnect, &disconnect_record,
                 "What happens while a node is silent."),
    FIELD_INSIDE(struct job_spec, RECORD, "update", update, &update_record,
                 "How a new version takes over."),
    FIELD(struct job_spec, RECORDS, "depends_on", depends_on,
          "Other jobs, waited for before anything of this one is placed; once placed, it stays "
          "whatever becomes of them.",
          .record = &dependency_record, .max = LIMIT_DEPENDENCIES),
    FIELD_INSIDE(struct job_spec, OBJECT_OPTIONAL, "parameters", parameters, &parameters_record,
                 "Makes it a parent, run by its children only."),
    FIELD_INSIDE(struct job_spec, OBJECT_OPTIONAL, "schedule", schedule, &schedule_record,
                 "When it is launched (batch, sysbatch)."),
    FIELD_INSIDE(struct job_spec, OBJECT_OPTIONAL, "dispatched", dispatched, &dispatched_record,
                 "A child's; refused in what users submit."),
    FIELD(struct job_spec, MAP, "meta", meta, "Free notes, kept and published.",
          .flags = FIELD_SCALARS, .max = 100, LABEL_KEY),
    FIELD(struct job_spec, RECORDS, "tasks", tasks,
          "The tasks. A job with one task may have the task's keys beside its own instead.",
          .record = &task_spec_record, .min = 1, .max = LIMIT_TASKS_PER_JOB),
};
const struct record job_spec_record =
    RECORD("job_spec", struct job_spec, job_fields,
           "A job with all its defaults filled in, as it is published.");

bool job_spec_word_is_planned(const char *key)
{
    /* clang-format off */
    static const char *const keys[] = {
        "auto_promote",
        "auto_revert",
        "canary",
        "healthy_deadline",
        "overrides",
        "progress_deadline",
        "registry",
        "requires",
        "stages",
        "window",
    };
    /* clang-format on */
    for (size_t i = 0; i < ARRAY_LENGTH(keys); i++)
        if (!strcmp(keys[i], key))
            return true;
    return false;
}
