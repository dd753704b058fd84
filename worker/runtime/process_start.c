/* directories, control groups, meta file -> spawn the supervisor -> it tells "running" or what
 * failed.
 *
 * Failure modes: what cannot be a process here (volumes, devices, an unknown user: invalid_spec), a
 * directory that cannot be made, a program that is not there or cannot be executed, a supervisor
 * that dies: FAILED, and the directory and groups are removed again. */
#include "platform/adapters/loop.h"
#include "platform/base/mem.h"
#include "platform/base/text.h"
#include "schema/job_spec.h"
#include "worker/runtime/process_runtime.h"
#include "worker/runtime/process_user.h"
#include "worker/runtime/word_list.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAYLOAD_FILE "work/payload"

#define PATH_DEFAULT "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static void fail(struct execution *execution, enum reason reason, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Told at the next turn. */
static void fail(struct execution *execution, enum reason reason, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(execution->message, sizeof(execution->message), format, args);
    va_end(args);
    execution->phase = PROCESS_NEW;
    execution->reason = reason;
    process_execution_touch(execution);
}

/* ---- what is asked for ---- */

static bool is_possible(struct execution *execution, const struct task_spec *task)
{
    const char *problem = NULL;
    if (task->command.count == 0)
        problem = "a process needs a command";
    else if (task->volumes.count > 0)
        problem = "a process sees the node's files as they are: it has no volumes";
    else if (task->resources.devices.count > 0)
        problem = "a process sees the node's devices as they are";
    else if (task->read_only == 1)
        problem = "a process has no root file system of its own that could be read-only";
    else if (task->ports.count > TASK_PORTS_MAX)
        problem = "it has too many ports";
    if (problem)
        fail(execution, REASON_INVALID_SPEC, "%s", problem);
    return !problem;
}

static bool port_is_given(void *context, int64_t port)
{
    const struct process *process = context;
    for (struct execution *e = process->executions; e; e = e->hh.next) {
        for (size_t i = 0; i < e->meta.port_count; i++) {
            if (e->phase != PROCESS_ENDED && e->meta.ports[i].host == port)
                return true;
        }
    }
    return false;
}

static bool choose_ports(struct execution *execution, const struct string_list *ports)
{
    struct process *process = execution->process;
    for (size_t i = 0; i < ports->count; i++) {
        struct port_spec spec;
        if (!port_spec_parse(ports->items[i], &spec)) {
            fail(execution, REASON_INVALID_SPEC, "port \"%s\" is not one", ports->items[i]);
            return false;
        }
        if (spec.host == 0)
            spec.host = port_pool_take(&process->ports, spec.udp, port_is_given, process);
        if (spec.host == 0) {
            fail(execution, REASON_PORT_IN_USE, "no port of the node's range is free");
            return false;
        }
        execution->meta.ports[execution->meta.port_count++] = (struct runtime_port_binding){
            .container = spec.container, .host = spec.host, .udp = spec.udp};
    }
    return true;
}

/* ---- what the supervisor is given ---- */

static void fill_environment(const struct execution *execution, const struct runtime_start *start,
                             struct word_list *environment)
{
    const struct process_meta *meta = &execution->meta;
    const struct string_map *env = &start->task->env;
    word_list_add(environment, "PATH=" PATH_DEFAULT);
    word_list_add(environment, "HOME=%s/work", execution->directory);
    for (const char *const *own = start->env; own && *own; own++)
        word_list_add(environment, "%s", *own);
    if (start->payload)
        word_list_add(environment, "ARGOSY_PAYLOAD_FILE=%s/" PAYLOAD_FILE, execution->directory);
    for (size_t i = 0; i < meta->port_count; i++) {
        word_list_add(environment, "ARGOSY_PORT_%" PRId64 "=%" PRId64, meta->ports[i].container,
                      meta->ports[i].host);
    }
    for (size_t i = 0; i < env->count; i++)
        word_list_set(environment, env->items[i].key, env->items[i].value);
}

static void fill_arguments(const struct execution *execution, const struct task_spec *task,
                           const struct process_user *user, struct word_list *arguments)
{
    const struct process_meta *meta = &execution->meta;
    const struct process *process = execution->process;
    word_list_add(arguments, "argosy-shim");
    word_list_add(arguments, "--dir=%s", execution->directory);
    word_list_add(arguments, "--workdir=%s%s", task->workdir ? "" : execution->directory,
                  task->workdir ? task->workdir : "/work");
    for (size_t i = 0; i < meta->cgroups.count; i++)
        word_list_add(arguments, "--cgroup=%s/cgroup.procs", meta->cgroups.paths[i]);
    if (!process->cgroups.has_memory && meta->memory_limit_bytes > 0)
        word_list_add(arguments, "--data-limit=%" PRId64, meta->memory_limit_bytes);
    if (user->is_other) {
        word_list_add(arguments, "--uid=%d", (int)user->uid);
        word_list_add(arguments, "--gid=%d", (int)user->gid);
    }
    word_list_add(arguments, "--");
    for (size_t i = 0; i < task->entrypoint.count; i++)
        word_list_add(arguments, "%s", task->entrypoint.items[i]);
    for (size_t i = 0; i < task->command.count; i++)
        word_list_add(arguments, "%s", task->command.items[i]);
}

/* ---- what it lives in ---- */

static void make_cgroups(struct execution *execution, const struct task_spec *task)
{
    const struct resources *resources = &task->resources;
    struct process_meta *meta = &execution->meta;
    meta->memory_limit_bytes =
        resources->memory_max_bytes > 0 ? resources->memory_max_bytes : resources->memory_bytes;
    struct cgroup_limits limits = {
        .cpu_millis = resources->cpu_millis,
        .memory_bytes = meta->memory_limit_bytes,
        .pids = TASK_PIDS_LIMIT,
    };
    _cleanup_free_ char *name = mem_printf("%s-%" PRId64, execution->task_id, execution->run);
    cgroup_create(&execution->process->cgroups, name, &limits, &meta->cgroups);
}

/* Parents are passed through by the task's user; its own directory is its alone. */
static int make_directories(const struct execution *execution, const struct process_user *user)
{
    enum { PASS_MODE = 0711, OWN_MODE = 0700 };
    _cleanup_free_ char *parent =
        mem_printf("%s/%s", execution->process->data_dir, execution->task_id);
    _cleanup_free_ char *work = process_execution_path(execution, "work");
    if ((mkdir(parent, PASS_MODE) < 0 && errno != EEXIST) ||
        mkdir(execution->directory, PASS_MODE) < 0 || mkdir(work, OWN_MODE) < 0)
        return -1;
    return user->is_other ? chown(work, user->uid, user->gid) : 0;
}

/* In its working directory, which is its own. */
static int write_payload(const struct execution *execution, const struct runtime_start *start,
                         const struct process_user *user)
{
    if (!start->payload)
        return 0;
    _cleanup_free_ char *path = process_execution_path(execution, PAYLOAD_FILE);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
    if (fd < 0)
        return -1;
    bool ok = write(fd, start->payload, start->payload_length) == (ssize_t)start->payload_length &&
              (!user->is_other || fchown(fd, user->uid, user->gid) == 0);
    return close(fd) == 0 && ok ? 0 : -1;
}

static int write_meta(const struct execution *execution)
{
    _cleanup_buf_ struct buf text = BUF_EMPTY;
    _cleanup_free_ char *path = process_execution_path(execution, "meta");
    process_meta_write(&execution->meta, &text);
    return process_file_replace(path, buf_text(&text));
}

/* ---- the supervisor's word ---- */

static enum reason exec_reason(int error)
{
    if (error == ENOENT || error == ENOTDIR)
        return REASON_COMMAND_NOT_FOUND;
    return error == EACCES || error == ENOEXEC || error == EISDIR || error == EPERM
               ? REASON_COMMAND_NOT_EXECUTABLE
               : REASON_START_FAILED;
}

static void on_failure(struct execution *execution, int stage, int error)
{
    static const char *const words[] = {
        [SHIM_STAGE_PREPARE] = "its directory cannot be used",
        [SHIM_STAGE_CGROUP] = "its control group cannot be joined",
        [SHIM_STAGE_LIMITS] = "its limits cannot be set",
        [SHIM_STAGE_USER] = "its user cannot be taken",
        [SHIM_STAGE_WORKDIR] = "its working directory cannot be entered",
        [SHIM_STAGE_EXEC] = "its command cannot be executed",
    };
    bool known = stage > 0 && (size_t)stage < ARRAY_LENGTH(words);
    enum reason reason = stage == SHIM_STAGE_EXEC      ? exec_reason(error)
                         : stage == SHIM_STAGE_WORKDIR ? REASON_INVALID_SPEC
                                                       : REASON_START_FAILED;
    fail(execution, reason, "%s: %s", known ? words[stage] : "it was not started",
         error ? strerror(error) : "the supervisor ended");
}

static void on_running(struct execution *execution)
{
    _cleanup_free_ char *path = process_execution_path(execution, SHIM_FILE_TASK);
    process_identity_read(path, &execution->task);
    execution->started_ms = execution->task.wall_ms;
    execution->phase = PROCESS_RUNNING;
    process_execution_event(execution, RUNTIME_RUNNING);
    process_execution_touch(execution);
}

static void end_status(struct execution *execution)
{
    loop_poll_free(execution->status_poll);
    close(execution->status_fd);
    execution->status_poll = NULL;
    execution->status_fd = -1;
}

void process_start_read_status(struct execution *execution)
{
    int stage = 0, error = 0;
    size_t room = sizeof(execution->status) - 1 - execution->status_length;
    ssize_t length = read(execution->status_fd, execution->status + execution->status_length, room);
    if (length < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    execution->status_length += length > 0 ? (size_t)length : 0;
    execution->status[execution->status_length] = '\0';
    if (length > 0 && !strchr(execution->status, '\n'))
        return;
    end_status(execution);
    process_execution_event(execution, RUNTIME_STARTING);
    if (strcmp(execution->status, SHIM_STATUS_RUNNING "\n") == 0) {
        on_running(execution);
    } else {
        sscanf(execution->status, SHIM_STATUS_ERROR " %d %d", &stage, &error);
        on_failure(execution, stage, error);
    }
}

static void on_status(void *context, int events)
{
    (void)events;
    process_start_read_status(context);
}

/* ---- entry ---- */

static void spawn(struct execution *execution, const struct runtime_start *start,
                  const struct process_user *user)
{
    _cleanup_word_list_ struct word_list arguments = WORD_LIST_EMPTY;
    _cleanup_word_list_ struct word_list environment = WORD_LIST_EMPTY;
    struct process *process = execution->process;
    int pipe[2];
    fill_arguments(execution, start->task, user, &arguments);
    fill_environment(execution, start, &environment);
    if (pipe2(pipe, O_CLOEXEC | O_NONBLOCK) < 0) {
        fail(execution, REASON_START_FAILED, "no pipe: %s", strerror(errno));
        return;
    }
    struct spawn_request request = {
        .program = process->shim_path,
        .arguments = arguments.items,
        .environment = environment.items,
        .status_fd = pipe[1],
    };
    int error = process_spawn(&request, &execution->child);
    close(pipe[1]);
    if (error) {
        close(pipe[0]);
        fail(execution, REASON_START_FAILED, "the supervisor: %s", strerror(error));
        return;
    }
    execution->phase = PROCESS_STARTING;
    execution->status_fd = pipe[0];
    execution->status_poll = loop_poll_new(process->loop, pipe[0], on_status, execution);
    loop_poll_set(execution->status_poll, LOOP_READABLE);
    process_end_watch(execution, execution->child);
}

void process_start_begin(struct execution *execution, const struct runtime_start *start)
{
    const struct process *process = execution->process;
    struct process_meta *meta = &execution->meta;
    struct process_user user;
    struct err err = {0};
    text_copy(meta->node, sizeof(meta->node), process->node);
    text_copy(meta->cluster, sizeof(meta->cluster), process->cluster);
    if (!is_possible(execution, start->task) || !choose_ports(execution, &start->task->ports))
        return;
    if (process_user_find(start->task->user, &user, &err) < 0) {
        fail(execution, REASON_INVALID_SPEC, "%s", err.text);
        return;
    }
    make_cgroups(execution, start->task);
    if (make_directories(execution, &user) < 0 || write_payload(execution, start, &user) < 0 ||
        write_meta(execution) < 0)
        fail(execution, REASON_START_FAILED, "%s: %s", execution->directory, strerror(errno));
    else
        spawn(execution, start, &user);
}
