/* argosy-shim: the supervisor of one plain process. It outlives the worker, so that a worker that
 * was restarted still gets the exit code, and keeps the log bounded. libc only; nothing here is
 * shared with the worker but the formats in shim_format.h.
 *
 *   the worker spawns it
 *     -> identity file
 *     -> fork; the child joins its cgroups, takes limits, user and directory, and becomes the task
 *     -> task file; "running" to the worker
 *     -> stdout and stderr are copied to the log, signals are passed on when the worker asks
 *     -> the task ends: its descendants are ended, the rest of its output is copied
 *     -> exit file
 *
 * Failure modes: the task cannot be executed ("error" to the worker, no task file); the directory
 * has vanished or is full before the start (the same); the log cannot be written (output is
 * dropped, the task goes on); the shim is killed (the kernel kills the task with it, and there is
 * no exit file). */
#include "worker/runtime/shim_format.h"
#include "worker/shim/shim_files.h"
#include "worker/shim/shim_log.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CGROUPS_MAX = 8, EXIT_START_FAILED = 1 };

struct options {
    const char *directory;
    const char *workdir;
    const char *cgroups[CGROUPS_MAX]; /* cgroup.procs files */
    int cgroup_count;
    long uid, gid; /* -1: stay */
    long long data_limit;
    char **command;
    bool only_exec;
};

struct shim {
    struct options options;
    int signals;   /* signalfd */
    int output[3]; /* read ends by stream; -1: ended */
    struct shim_log log;
    pid_t task;
    bool ended;
    int exit_code;
};

/* ---- options ---- */

static bool read_options(int count, char **values, struct options *options)
{
    static const struct option table[] = {
        {"dir", required_argument, NULL, 'd'},    {"workdir", required_argument, NULL, 'w'},
        {"cgroup", required_argument, NULL, 'c'}, {"uid", required_argument, NULL, 'u'},
        {"gid", required_argument, NULL, 'g'},    {"data-limit", required_argument, NULL, 'm'},
        {"only-exec", no_argument, NULL, 'x'},    {NULL, 0, NULL, 0},
    };
    *options = (struct options){.uid = -1, .gid = -1};
    int letter;
    while ((letter = getopt_long(count, values, "+", table, NULL)) != -1) {
        if (letter == 'd')
            options->directory = optarg;
        else if (letter == 'w')
            options->workdir = optarg;
        else if (letter == 'c' && options->cgroup_count < CGROUPS_MAX)
            options->cgroups[options->cgroup_count++] = optarg;
        else if (letter == 'u')
            options->uid = strtol(optarg, NULL, 10);
        else if (letter == 'g')
            options->gid = strtol(optarg, NULL, 10);
        else if (letter == 'm')
            options->data_limit = strtoll(optarg, NULL, 10);
        else if (letter == 'x')
            options->only_exec = true;
        else
            return false;
    }
    options->command = values + optind;
    return *options->command && (options->directory || options->only_exec);
}

/* ---- the task's side of the fork ---- */

struct failure {
    int stage; /* enum shim_stage; 0: none */
    int error; /* errno */
};

static struct failure failed(enum shim_stage stage)
{
    return (struct failure){(int)stage, errno};
}

/* The order matters: a user cannot join a cgroup of root's. */
static struct failure become_task(const struct options *options)
{
    for (int i = 0; i < options->cgroup_count; i++) {
        if (shim_write_file(options->cgroups[i], "0", O_WRONLY) < 0)
            return failed(SHIM_STAGE_CGROUP);
    }
    struct rlimit data = {(rlim_t)options->data_limit, (rlim_t)options->data_limit};
    struct rlimit no_core = {0, 0};
    if (options->data_limit > 0 && setrlimit(RLIMIT_DATA, &data) < 0)
        return failed(SHIM_STAGE_LIMITS);
    setrlimit(RLIMIT_CORE, &no_core);
    if (options->gid >= 0 && (setgroups(0, NULL) < 0 || setgid((gid_t)options->gid) < 0))
        return failed(SHIM_STAGE_USER);
    if (options->uid >= 0 && setuid((uid_t)options->uid) < 0)
        return failed(SHIM_STAGE_USER);
    if (options->workdir && chdir(options->workdir) < 0)
        return failed(SHIM_STAGE_WORKDIR);
    /* The task dies with its supervisor. A change of user has cleared what was set before. */
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        return failed(SHIM_STAGE_USER);
    return (struct failure){0};
}

static void reset_signals(void)
{
    sigset_t none;
    sigemptyset(&none);
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Returns only when it could not. */
static struct failure exec_task(const struct options *options)
{
    struct failure failure = become_task(options);
    if (failure.stage)
        return failure;
    reset_signals();
    execvp(options->command[0], options->command);
    return failed(SHIM_STAGE_EXEC);
}

static void run_task(const struct shim *shim, int out, int err, int report)
{
    setsid();
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    struct failure failure = exec_task(&shim->options);
    ssize_t written = write(report, &failure, sizeof(failure));
    _exit(written == sizeof(failure) ? EXIT_START_FAILED : EXIT_START_FAILED + 1);
}

/* ---- start ---- */

/* Forks and waits until exec has worked, or what failed. */
static struct failure start_task(struct shim *shim)
{
    int out[2], err[2], report[2];
    struct failure failure = {0};
    if (pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0 || pipe2(report, O_CLOEXEC) < 0)
        return failed(SHIM_STAGE_PREPARE);
    shim->task = fork();
    if (shim->task < 0)
        return failed(SHIM_STAGE_PREPARE);
    if (shim->task == 0)
        run_task(shim, out[1], err[1], report[1]);
    close(out[1]);
    close(err[1]);
    close(report[1]);
    shim->output[1] = out[0];
    shim->output[2] = err[0];
    ssize_t length;
    while ((length = read(report[0], &failure, sizeof(failure))) < 0 && errno == EINTR)
        ;
    close(report[0]);
    return length == sizeof(failure) ? failure : (struct failure){0};
}

static void tell_worker(const char *text)
{
    /* A worker that has gone meanwhile reads the files instead. */
    if (write(SHIM_STATUS_FD, text, strlen(text)) < 0 && errno != EPIPE)
        perror("argosy-shim: status");
    close(SHIM_STATUS_FD);
}

static int tell_failure(struct failure failure)
{
    char text[64];
    snprintf(text, sizeof(text), SHIM_STATUS_ERROR " %d %d\n", failure.stage, failure.error);
    tell_worker(text);
    return EXIT_START_FAILED;
}

/* ---- while it runs ---- */

static void copy_output(struct shim *shim, int stream)
{
    char bytes[16 * 1024];
    ssize_t length = read(shim->output[stream], bytes, sizeof(bytes));
    if (length > 0) {
        shim_log_write(&shim->log, stream, bytes, (size_t)length);
    } else if (length == 0 || (errno != EAGAIN && errno != EINTR)) {
        close(shim->output[stream]);
        shim->output[stream] = -1;
    }
}

static void note_end(struct shim *shim, int status)
{
    shim->ended = true;
    shim->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* The task, and orphans of its that came to us. */
static void reap(struct shim *shim)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid == shim->task)
            note_end(shim, status);
    }
}

/* The worker asks for a signal to the task's group with SIGUSR1 and its number as the value; the
 * task is not reaped before this loop, so its number cannot have become another's. */
static void on_signal(struct shim *shim)
{
    struct signalfd_siginfo info;
    if (read(shim->signals, &info, sizeof(info)) != sizeof(info))
        return;
    if (info.ssi_signo == SIGCHLD)
        reap(shim);
    else if (info.ssi_signo == SIGUSR1 && info.ssi_int > 0 && info.ssi_int < NSIG && !shim->ended)
        kill(-shim->task, info.ssi_int);
}

static void run_until_end(struct shim *shim)
{
    while (!shim->ended) {
        struct pollfd polls[] = {
            {.fd = shim->signals, .events = POLLIN},
            {.fd = shim->output[1], .events = POLLIN},
            {.fd = shim->output[2], .events = POLLIN},
        };
        if (poll(polls, 3, -1) < 0)
            continue;
        for (int stream = 1; stream <= 2; stream++) {
            if (polls[stream].revents)
                copy_output(shim, stream);
        }
        if (polls[0].revents)
            on_signal(shim);
    }
}

/* ---- the end ---- */

/* Everything the task left behind: its group, and what became our child when its parent ended. */
static void end_descendants(const struct shim *shim)
{
    kill(-shim->task, SIGKILL);
    while (shim_kill_children() > 0 && waitpid(-1, NULL, 0) > 0)
        ;
}

static void copy_rest(struct shim *shim)
{
    for (int stream = 1; stream <= 2; stream++) {
        int fd = shim->output[stream];
        if (fd >= 0)
            fcntl(fd, F_SETFL, O_NONBLOCK);
        errno = 0;
        while (shim->output[stream] >= 0 && errno != EAGAIN)
            copy_output(shim, stream);
    }
}

static int supervise(struct shim *shim)
{
    run_until_end(shim);
    end_descendants(shim);
    copy_rest(shim);
    return shim_write_exit(shim->exit_code) < 0 ? EXIT_START_FAILED : 0;
}

/* ---- main ---- */

static struct failure prepare(struct shim *shim)
{
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    signal(SIGPIPE, SIG_IGN);
    shim->signals = signalfd(-1, &all, SFD_CLOEXEC);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (shim->signals < 0 || chdir(shim->options.directory) < 0)
        return failed(SHIM_STAGE_PREPARE);
    shim_log_open(&shim->log);
    if (shim_write_identity(SHIM_FILE_SHIM, getpid()) < 0)
        return failed(SHIM_STAGE_PREPARE);
    return (struct failure){0};
}

static int run_shim(struct shim *shim)
{
    struct failure failure = prepare(shim);
    if (!failure.stage)
        failure = start_task(shim);
    if (!failure.stage && shim_write_identity(SHIM_FILE_TASK, shim->task) < 0) {
        failure = failed(SHIM_STAGE_PREPARE);
        kill(-shim->task, SIGKILL);
    }
    if (failure.stage)
        return tell_failure(failure);
    tell_worker(SHIM_STATUS_RUNNING "\n");
    return supervise(shim);
}

int main(int count, char **values)
{
    struct shim shim = {.output = {-1, -1, -1}};
    if (!read_options(count, values, &shim.options)) {
        fprintf(stderr, "argosy-shim is started by argosy-worker\n");
        return 2;
    }
    if (shim.options.only_exec) {
        close_range(SHIM_STATUS_FD, ~0U, 0);
        fprintf(stderr, "argosy-shim: %s\n", strerror(exec_task(&shim.options).error));
        return 127;
    }
    close_range(SHIM_STATUS_FD + 1, ~0U, 0);
    fcntl(SHIM_STATUS_FD, F_SETFD, FD_CLOEXEC);
    return run_shim(&shim);
}
