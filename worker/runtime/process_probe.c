/* A check of a running process: on this machine's own address at the port that its inside port
 * became (http, tcp), or a command with the task's user, directory and environment (exec), killed
 * when it takes too long. */
#include "platform/adapters/clock_system.h"
#include "platform/adapters/loop.h"
#include "platform/base/mem.h"
#include "schema/job_spec.h"
#include "worker/runtime/probe_net.h"
#include "worker/runtime/process_runtime.h"
#include "worker/runtime/word_list.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utlist.h>

enum { ENVIRONMENT_BYTES = 128 * 1024 };

struct process_probe {
    struct process *process;
    struct process_probe *prev, *next;
    char *task_id;
    int64_t run;
    int health_index;
    int64_t timeout_ms;
    struct probe_net *net;
    pid_t child; /* 0: none */
    int pidfd;
    struct loop_poll *poll;
    struct loop_timer *timer;
    bool timed_out;
};

static void probe_free(struct process_probe *probe)
{
    DL_DELETE(probe->process->probes, probe);
    probe_net_cancel(probe->net);
    loop_poll_free(probe->poll);
    loop_timer_free(probe->timer);
    if (probe->pidfd >= 0)
        close(probe->pidfd);
    if (probe->child) {
        kill(-probe->child, SIGKILL);
        waitpid(probe->child, NULL, 0);
    }
    free(probe->task_id);
    free(probe);
}

void process_probe_cancel(struct process *process)
{
    while (process->probes)
        probe_free(process->probes);
}

static void tell(struct process_probe *probe, bool healthy, const char *message)
{
    struct process *process = probe->process;
    struct runtime_event event = {
        .kind = RUNTIME_HEALTH,
        .task_id = probe->task_id,
        .run = probe->run,
        .healthy = healthy,
        .health_index = probe->health_index,
        .message = message,
    };
    process->handler.on_event(process->handler.context, &process->runtime, &event);
    probe_free(probe);
}

/* ---- the network ---- */

static void on_net(void *context, bool healthy, const char *message)
{
    struct process_probe *probe = context;
    probe->net = NULL;
    tell(probe, healthy, message);
}

static int64_t port_on_node(const struct process_meta *meta, int64_t inside)
{
    for (size_t i = 0; i < meta->port_count; i++) {
        if (meta->ports[i].container == inside && !meta->ports[i].udp)
            return meta->ports[i].host;
    }
    return inside; /* nothing is mapped */
}

static void connect_to(struct process_probe *probe, const struct execution *execution,
                       const struct health_check *check)
{
    int64_t port = 0;
    const char *path = NULL;
    if (!health_target_parse(check->http ? check->http : check->tcp, check->http != NULL, &port,
                             &path)) {
        probe_free(probe);
        return;
    }
    probe->net = probe_net_new(
        &(struct probe_net_config){
            .address = "127.0.0.1",
            .port = port_on_node(&execution->meta, port),
            .http_path = check->http ? path : NULL,
            .timeout_ms = probe->timeout_ms,
            .on_done = on_net,
            .context = probe,
        },
        probe->process->loop);
}

/* ---- a command ---- */

static void on_timeout(void *context)
{
    struct process_probe *probe = context;
    probe->timed_out = true;
    kill(-probe->child, SIGKILL);
}

static void on_end(void *context, int events)
{
    struct process_probe *probe = context;
    char text[64];
    int status = 0;
    (void)events;
    waitpid(probe->child, &status, 0);
    probe->child = 0;
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    if (probe->timed_out)
        snprintf(text, sizeof(text), "the check took longer than %lld ms",
                 (long long)probe->timeout_ms);
    else
        snprintf(text, sizeof(text), "the check exited with code %d", code);
    bool healthy = !probe->timed_out && code == 0;
    tell(probe, healthy, healthy ? NULL : text);
}

/* As the task was given it. */
static void read_environment(pid_t pid, struct word_list *environment)
{
    _cleanup_free_ char *text = mem_alloc(ENVIRONMENT_BYTES);
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/environ", (int)pid);
    ssize_t length = process_file_read(path, text, ENVIRONMENT_BYTES);
    for (ssize_t at = 0; at < length; at += (ssize_t)strlen(text + at) + 1)
        word_list_add(environment, "%s", text + at);
    word_list_set(environment, "ARGOSY_CHECK", "1"); /* and never no list at all */
}

static void fill_arguments(const struct execution *execution, const struct string_list *command,
                           struct word_list *arguments)
{
    char path[64], directory[PATH_MAX];
    struct stat owner;
    snprintf(path, sizeof(path), "/proc/%d", (int)execution->task.pid);
    word_list_add(arguments, "argosy-shim");
    word_list_add(arguments, "--only-exec");
    if (stat(path, &owner) == 0 && geteuid() == 0) {
        word_list_add(arguments, "--uid=%d", (int)owner.st_uid);
        word_list_add(arguments, "--gid=%d", (int)owner.st_gid);
    }
    snprintf(path, sizeof(path), "/proc/%d/cwd", (int)execution->task.pid);
    ssize_t length = readlink(path, directory, sizeof(directory) - 1);
    if (length > 0)
        word_list_add(arguments, "--workdir=%.*s", (int)length, directory);
    word_list_add(arguments, "--");
    for (size_t i = 0; i < command->count; i++)
        word_list_add(arguments, "%s", command->items[i]);
}

static void run_command(struct process_probe *probe, const struct execution *execution,
                        const struct string_list *command)
{
    _cleanup_word_list_ struct word_list arguments = WORD_LIST_EMPTY;
    _cleanup_word_list_ struct word_list environment = WORD_LIST_EMPTY;
    struct loop *loop = probe->process->loop;
    fill_arguments(execution, command, &arguments);
    read_environment(execution->task.pid, &environment);
    struct spawn_request request = {
        .program = probe->process->shim_path,
        .arguments = arguments.items,
        .environment = environment.items,
        .status_fd = -1,
    };
    if (process_spawn(&request, &probe->child) != 0 ||
        (probe->pidfd = pidfd_open(probe->child, 0)) < 0) {
        probe_free(probe); /* asked again at its next turn */
        return;
    }
    probe->poll = loop_poll_new(loop, probe->pidfd, on_end, probe);
    loop_poll_set(probe->poll, LOOP_READABLE);
    probe->timer = loop_timer_new(loop, on_timeout, probe);
    loop_timer_set(probe->timer, clock_now(&clock_system).mono_ms + probe->timeout_ms);
}

/* ---- entry ---- */

void process_probe_begin(struct process *process, const char *task_id, int64_t run,
                         const struct task_spec *task, int health_index)
{
    struct execution *execution = process_execution_find(process, task_id, run);
    if (!execution || execution->phase != PROCESS_RUNNING || health_index < 0 ||
        (size_t)health_index >= task->health.count)
        return; /* it has just ended: that is reported already */
    const struct health_check *check =
        RECORD_AT(const struct health_check, task->health, health_index);
    struct process_probe *probe = mem_alloc(sizeof(*probe));
    probe->process = process;
    probe->task_id = mem_strdup(task_id);
    probe->run = run;
    probe->health_index = health_index;
    probe->timeout_ms = check->timeout_ms > 0 ? check->timeout_ms : 1000;
    probe->pidfd = -1;
    DL_APPEND(process->probes, probe);
    if (check->exec.count > 0)
        run_command(probe, execution, &check->exec);
    else
        connect_to(probe, execution, check);
}
