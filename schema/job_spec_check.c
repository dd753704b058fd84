/* The checks that need more than one field. Each adds problems with the place that a person would
 * change. */
#include "platform/base/mem.h"
#include "schema/job_spec.h"
#include "schema/limits.h"

#include <stdio.h>
#include <string.h>

enum {
    PATH_BYTES = 96,
    DOCKER_MEMORY_MIN_BYTES = 6 << 20, /* the engine refuses less */
};

#define RESERVED_LABELS "io.argosy."

struct task_check {
    const struct task_spec *task;
    size_t index;
    struct problems *problems;
};

/* "/tasks/3" + rest. */
static const char *task_path(const struct task_check *check, const char *rest,
                             char ret_path[PATH_BYTES])
{
    snprintf(ret_path, PATH_BYTES, "/tasks/%zu%s", check->index, rest);
    return ret_path;
}

static void task_problem(const struct task_check *check, const char *rest, const char *hint,
                         const char *message)
{
    char path[PATH_BYTES];
    problems_add(check->problems, task_path(check, rest, path), hint, "%s", message);
}

static void item_problem(const struct task_check *check, const char *list, size_t item,
                         const char *hint, const char *message)
{
    char rest[32];
    snprintf(rest, sizeof rest, "/%s/%zu", list, item);
    task_problem(check, rest, hint, message);
}

static void runtime_check(const struct task_check *check)
{
    const struct task_spec *task = check->task;
    if (task->runtime == RUNTIME_DOCKER && !task->image)
        task_problem(check, "/image", "add one, such as image: nginx:1.27",
                     "the docker runtime needs an image");
    if (task->runtime == RUNTIME_PROCESS && !task->command.count)
        task_problem(check, "/command", "add the program and its arguments as a list",
                     "the process runtime needs a command");
    if (task->runtime == RUNTIME_PROCESS && task->image)
        task_problem(check, "/image", "use runtime: docker, or leave the image out",
                     "the process runtime takes no image");
    if (task->runtime == RUNTIME_PROCESS && task->entrypoint.count)
        task_problem(check, "/entrypoint", "put the program into command",
                     "the process runtime has no entry point");
    if (task->runtime == RUNTIME_PROCESS && task->volumes.count)
        task_problem(check, "/volumes", "a process sees the node's files as they are",
                     "the process runtime has no volumes");
}

static void resources_check(const struct task_check *check)
{
    const struct resources *resources = &check->task->resources;
    if (resources->memory_max_bytes != UNSET &&
        resources->memory_max_bytes < resources->memory_bytes)
        task_problem(check, "/resources/memory_max", "raise memory_max or lower memory",
                     "memory_max is smaller than memory");
    if (check->task->runtime == RUNTIME_DOCKER && resources->memory_bytes < DOCKER_MEMORY_MIN_BYTES)
        task_problem(check, "/resources/memory", "use 6MiB or more",
                     "a container engine needs at least 6MiB");
}

static bool ports_collide(const char *a_text, const char *b_text)
{
    struct port_spec a, b;
    if (!port_spec_parse(a_text, &a) || !port_spec_parse(b_text, &b) || a.udp != b.udp)
        return false;
    return a.container == b.container || (a.host && a.host == b.host);
}

static void ports_check(const struct task_check *check)
{
    const struct string_list *ports = &check->task->ports;
    for (size_t i = 1; i < ports->count; i++)
        for (size_t j = 0; j < i; j++)
            if (ports_collide(ports->items[i], ports->items[j])) {
                item_problem(check, "ports", i, "each port of host and container can be used once",
                             "this port is already in the list");
                break;
            }
}

static bool volumes_collide(const char *a_text, const char *b_text)
{
    struct volume_spec a, b;
    return volume_spec_parse(a_text, &a) && volume_spec_parse(b_text, &b) &&
           !strcmp(a.target, b.target);
}

static void volumes_check(const struct task_check *check)
{
    const struct string_list *volumes = &check->task->volumes;
    for (size_t i = 1; i < volumes->count; i++)
        for (size_t j = 0; j < i; j++)
            if (volumes_collide(volumes->items[i], volumes->items[j])) {
                item_problem(check, "volumes", i, "use another path",
                             "something is already mounted at this path");
                break;
            }
}

static void restart_check(const struct task_check *check)
{
    const struct restart_policy *restart = &check->task->restart;
    if (restart->backoff == BACKOFF_EXPONENTIAL && restart->max_delay_ms < restart->delay_ms)
        task_problem(check, "/restart/max_delay", "raise max_delay or lower delay",
                     "max_delay is smaller than delay");
}

static void health_check(const struct task_check *check)
{
    for (size_t i = 0; i < check->task->health.count; i++) {
        const struct health_check *health = RECORD_AT(struct health_check, check->task->health, i);
        if (!!health->http + !!health->tcp + !!health->exec.count != 1)
            item_problem(check, "health", i, "such as http: http://:80/healthz",
                         "a check has exactly one of http, tcp and exec");
    }
}

static void labels_check(const struct task_check *check)
{
    const struct string_map *labels = &check->task->labels;
    for (size_t i = 0; i < labels->count; i++)
        if (!strncmp(labels->items[i].key, RESERVED_LABELS, strlen(RESERVED_LABELS))) {
            task_problem(check, "/labels", "choose another name",
                         "labels that begin with " RESERVED_LABELS " are reserved");
            return;
        }
}

static void max_run_check(const struct task_check *check, const struct job_spec *spec)
{
    if (check->task->max_run_ms != UNSET && !job_type_ends(spec->type))
        task_problem(check, "/max_run", "use type: batch, or leave max_run out",
                     "a service runs until it is stopped");
}

static void count_check(const struct task_check *check, const struct job_spec *spec)
{
    if (check->task->count != 1 && job_type_is_everywhere(spec->type))
        task_problem(check, "/count", "leave count out, or use type: service",
                     "system and sysbatch have one instance on each node that matches");
}

static void name_check(const struct task_check *check, const struct job_spec *spec)
{
    if (!check->task->name)
        return; /* the job has none either, which is said once */
    for (size_t j = 0; j < check->index; j++) {
        const char *other = RECORD_AT(struct task_spec, spec->tasks, j)->name;
        if (other && !strcmp(check->task->name, other)) {
            task_problem(check, "/name", "give each task its own name",
                         "another task has this name");
            return;
        }
    }
}

static void task_check(const struct task_check *check)
{
    static void (*const checks[])(const struct task_check *check) = {
        runtime_check, resources_check, ports_check,  volumes_check,
        restart_check, health_check,    labels_check,
    };
    for (size_t i = 0; i < ARRAY_LENGTH(checks); i++)
        checks[i](check);
}

static void reschedule_check(const struct job_spec *spec, struct problems *problems)
{
    const struct reschedule_policy *reschedule = &spec->reschedule;
    if (reschedule->backoff != BACKOFF_CONSTANT && reschedule->max_delay_ms < reschedule->delay_ms)
        problems_add(problems, "/reschedule/max_delay", "raise max_delay or lower delay",
                     "max_delay is smaller than delay");
}

/* What is everywhere has nowhere else to go. */
static void everywhere_check(const struct job_spec *spec, struct problems *problems)
{
    if (!job_type_is_everywhere(spec->type))
        return;
    if (spec->reschedule.attempts || spec->reschedule.unlimited == 1)
        problems_add(problems, "/reschedule",
                     "leave it out: restart says how often it is started again on its node",
                     "an instance of a system or sysbatch job is not placed again");
    if (spec->disconnect.replace == 1)
        problems_add(problems, "/disconnect/replace", "leave it out",
                     "an instance of a system or sysbatch job belongs to its node");
}

/* What chooses between nodes, where each that matches gets one. */
static void no_choice_check(const struct placement *placement, const char *path,
                            struct problems *problems)
{
    const struct {
        const char *key;
        bool given;
    } rows[] = {{"affinities", placement->affinities.count},
                {"spread", placement->spread.count},
                {"distinct_hosts", placement->distinct_hosts == 1},
                {"distinct_property", placement->distinct_property}};
    char at[PATH_BYTES];
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        snprintf(at, sizeof at, "%s/%s", path, rows[i].key);
        if (rows[i].given)
            problems_add(problems, at, "leave it out, or use constraints",
                         "a system or sysbatch job has one instance on each node that matches");
    }
}

static void places_check(const struct placement *placement, const char *path,
                         const struct job_spec *spec, struct problems *problems)
{
    placement_check(placement, path, problems);
    if (job_type_is_everywhere(spec->type))
        no_choice_check(placement, path, problems);
}

static void dependencies_check(const struct job_spec *spec, struct problems *problems)
{
    char path[PATH_BYTES];
    for (size_t i = 0; i < spec->depends_on.count; i++) {
        const struct dependency *dependency = RECORD_AT(struct dependency, spec->depends_on, i);
        snprintf(path, sizeof path, "/depends_on/%zu/job", i);
        if (spec->name && dependency->job && !strcmp(spec->name, dependency->job))
            problems_add(problems, path, "name another job, or leave it out",
                         "a job cannot wait for itself");
    }
}

static bool list_has(const struct string_list *list, size_t count, const char *variable)
{
    char other[LIMIT_MESSAGE_LENGTH];
    for (size_t i = 0; i < count; i++) {
        meta_variable_format(list->items[i], other, sizeof other);
        if (!strcmp(other, variable))
            return true;
    }
    return false;
}

static void meta_keys_check(const struct parameters *parameters, const struct string_list *list,
                            const char *name, struct problems *problems)
{
    char path[PATH_BYTES], variable[LIMIT_MESSAGE_LENGTH];
    const struct string_list *required = &parameters->meta_required;
    for (size_t i = 0; i < list->count; i++) {
        meta_variable_format(list->items[i], variable, sizeof variable);
        snprintf(path, sizeof path, "/parameters/%s/%zu", name, i);
        if (list_has(list, i, variable) ||
            (list != required && list_has(required, required->count, variable)))
            problems_add(problems, path, "name each key once; case and punctuation do not count",
                         "another key becomes %.100s too", variable);
    }
}

static void parameters_check(const struct job_spec *spec, struct problems *problems)
{
    const struct parameters *parameters = spec->parameters;
    if (!parameters)
        return;
    if (!job_type_ends(spec->type))
        problems_add(problems, "/parameters", "use type: batch or sysbatch",
                     "what is dispatched has to end by itself");
    if (spec->name && strlen(spec->name) > LIMIT_PARENT_LENGTH)
        problems_add(problems, "/name", "choose a shorter one: children are named after it",
                     "the name of a job with parameters has at most %d characters",
                     LIMIT_PARENT_LENGTH);
    meta_keys_check(parameters, &parameters->meta_required, "meta_required", problems);
    meta_keys_check(parameters, &parameters->meta_optional, "meta_optional", problems);
}

void job_spec_check(const struct job_spec *spec, struct problems *problems)
{
    if (!spec->name)
        problems_add(problems, "/name", "add one, such as name: web", "the job has no name");
    if (!spec->tasks.count)
        problems_add(problems, "/tasks", "add at least one", "the job has no tasks");
    if (spec->tasks.count > LIMIT_TASKS_PER_JOB)
        problems_add(problems, "/tasks", NULL, "a job has at most %d tasks", LIMIT_TASKS_PER_JOB);
    reschedule_check(spec, problems);
    everywhere_check(spec, problems);
    places_check(&spec->placement, "", spec, problems);
    dependencies_check(spec, problems);
    parameters_check(spec, problems);
    schedule_check(spec, problems);
    for (size_t i = 0; i < spec->tasks.count; i++) {
        struct task_check check = {RECORD_AT(struct task_spec, spec->tasks, i), i, problems};
        name_check(&check, spec);
        max_run_check(&check, spec);
        count_check(&check, spec);
        char path[PATH_BYTES];
        places_check(&check.task->placement, task_path(&check, "", path), spec, problems);
        task_check(&check);
    }
}
