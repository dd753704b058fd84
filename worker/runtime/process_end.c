/* The supervisor ends -> its exit file tells how the task ended -> EXITED; remove -> GONE.
 *
 * Failure modes: a supervisor that was killed leaves no exit file: what is left of its session is
 * killed, and the end is written in its place. A worker that starts again loads what it finds: it
 * goes on watching a task that runs, knows one that ended, and cleans up after a start that an
 * earlier worker did not finish. */
#include "platform/adapters/clock_system.h"
#include "platform/adapters/loop.h"
#include "platform/base/mem.h"
#include "worker/runtime/process_runtime.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    EXIT_SIGNAL = 128,
    EXIT_UNKNOWN = 255, /* killed with its supervisor, or with the machine */
};

/* ---- how it ended ---- */

static bool read_exit(struct execution *execution)
{
    char text[64];
    _cleanup_free_ char *path = process_execution_path(execution, SHIM_FILE_EXIT);
    return process_file_read(path, text, sizeof(text)) > 0 &&
           sscanf(text, "%" SCNd64 " %" SCNd64, &execution->exit_code, &execution->finished_ms) ==
               2;
}

/* Nobody saw it end: nothing of it may go on, and the next worker is to read the same. */
static void make_exit(struct execution *execution)
{
    _cleanup_free_ char *path = process_execution_path(execution, SHIM_FILE_EXIT);
    process_kill_session(&execution->task);
    cgroup_kill(&execution->meta.cgroups);
    execution->exit_code = EXIT_UNKNOWN;
    execution->finished_ms = clock_now(&clock_system).wall_ms;
    _cleanup_free_ char *text =
        mem_printf("%" PRId64 " %" PRId64 "\n", execution->exit_code, execution->finished_ms);
    process_file_replace(path, text);
}

static void become_ended(struct execution *execution)
{
    execution->phase = PROCESS_ENDED;
    if (!read_exit(execution))
        make_exit(execution);
    execution->oom_killed =
        execution->exit_code == EXIT_SIGNAL + SIGKILL && cgroup_had_oom(&execution->meta.cgroups);
    execution->reason = execution->oom_killed                 ? REASON_OOM_KILLED
                        : execution->exit_code >= EXIT_SIGNAL ? REASON_KILLED
                                                              : REASON_EXITED;
    loop_timer_free(execution->kill_timer);
    execution->kill_timer = NULL;
}

/* ---- watching the supervisor ---- */

static void end_watching(struct execution *execution)
{
    loop_poll_free(execution->end_poll);
    execution->end_poll = NULL;
    close(execution->pidfd);
    execution->pidfd = -1;
    if (execution->child)
        waitpid(execution->child, NULL, 0); /* it has ended: no wait */
    execution->child = 0;
}

static void on_end(void *context, int events)
{
    struct execution *execution = context;
    (void)events;
    end_watching(execution);
    if (execution->phase == PROCESS_STARTING && execution->status_fd >= 0)
        process_start_read_status(execution);
    if (execution->phase != PROCESS_RUNNING)
        return; /* a start that failed */
    become_ended(execution);
    execution->wants_stop = false;
    process_execution_event(execution, RUNTIME_EXITED);
    process_execution_touch(execution);
}

bool process_end_watch(struct execution *execution, pid_t supervisor)
{
    execution->pidfd = pidfd_open(supervisor, 0);
    if (execution->pidfd < 0)
        return false;
    execution->end_poll =
        loop_poll_new(execution->process->loop, execution->pidfd, on_end, execution);
    loop_poll_set(execution->end_poll, LOOP_READABLE);
    return true;
}

/* ---- stop ---- */

/* The supervisor passes it on to the task's group. */
static void send_signal(const struct execution *execution, int number)
{
    siginfo_t info = {0};
    info.si_signo = SIGUSR1;
    info.si_code = SI_QUEUE;
    info.si_pid = getpid();
    info.si_uid = getuid();
    info.si_value.sival_int = number;
    pidfd_send_signal(execution->pidfd, SIGUSR1, &info, 0);
}

static void on_kill_due(void *context)
{
    send_signal(context, SIGKILL);
}

void process_end_stop(struct execution *execution)
{
    struct process *process = execution->process;
    execution->wants_stop = false;
    if (execution->kill_timer)
        return; /* under way */
    send_signal(execution, execution->stop_signal);
    execution->kill_timer = loop_timer_new(process->loop, on_kill_due, execution);
    loop_timer_set(execution->kill_timer,
                   clock_now(&clock_system).mono_ms + execution->stop_timeout_ms);
}

/* ---- remove ---- */

void process_end_clean(struct execution *execution)
{
    _cleanup_free_ char *parent =
        mem_printf("%s/%s", execution->process->data_dir, execution->task_id);
    cgroup_remove(&execution->meta.cgroups);
    process_directory_remove(execution->directory);
    rmdir(parent); /* while there are other runs it stays */
}

void process_end_remove(struct execution *execution)
{
    process_end_clean(execution);
    process_execution_event(execution, RUNTIME_GONE);
    process_execution_free(execution);
}

/* ---- what an earlier worker left ---- */

static bool load_meta(struct execution *execution)
{
    enum { META_BYTES = 16 * 1024 };
    _cleanup_free_ char *path = process_execution_path(execution, "meta");
    _cleanup_free_ char *text = mem_alloc(META_BYTES);
    ssize_t length = process_file_read(path, text, META_BYTES);
    return length > 0 && process_meta_read(text, (size_t)length, &execution->meta);
}

/* Watched first and then looked at: a number that was used again in between is noticed. */
static bool watch_supervisor(struct execution *execution, const struct process_identity *supervisor)
{
    if (!process_identity_is_alive(supervisor) || !process_end_watch(execution, supervisor->pid))
        return false;
    if (process_identity_is_alive(supervisor))
        return true;
    end_watching(execution);
    return false;
}

/* A start that an earlier worker did not see the end of: taken back. */
static void end_unfinished(struct execution *execution, const struct process_identity *supervisor)
{
    if (process_identity_is_alive(supervisor))
        kill(supervisor->pid, SIGKILL);
    cgroup_kill(&execution->meta.cgroups);
    process_end_clean(execution);
    execution->meta = (struct process_meta){0};
}

bool process_end_load(struct execution *execution)
{
    struct process_identity supervisor;
    _cleanup_free_ char *shim_path = process_execution_path(execution, SHIM_FILE_SHIM);
    _cleanup_free_ char *task_path = process_execution_path(execution, SHIM_FILE_TASK);
    if (access(execution->directory, F_OK) < 0)
        return false;
    bool has_meta = load_meta(execution);
    process_identity_read(shim_path, &supervisor);
    if (!has_meta || !process_identity_read(task_path, &execution->task)) {
        end_unfinished(execution, &supervisor);
        return false;
    }
    execution->started_ms = execution->task.wall_ms;
    if (!read_exit(execution) && watch_supervisor(execution, &supervisor))
        execution->phase = PROCESS_RUNNING;
    else
        become_ended(execution);
    return true;
}
