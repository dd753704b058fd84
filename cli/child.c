#include "cli/child.h"

#include "platform/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char *executable_in(const char *directory, size_t length, const char *program)
{
    char *path = mem_printf("%.*s/%s", (int)length, directory, program);
    if (length && access(path, X_OK) == 0)
        return path;
    free(path);
    return NULL;
}

static char *find_beside_us(const char *program)
{
    char own[4096];
    ssize_t length = readlink("/proc/self/exe", own, sizeof own - 1);
    if (length <= 0)
        return NULL;
    own[length] = '\0';
    char *slash = strrchr(own, '/');
    return slash ? executable_in(own, (size_t)(slash - own), program) : NULL;
}

static char *find_in_list(const char *list, const char *program)
{
    while (list && *list) {
        size_t length = strcspn(list, ":");
        char *found = executable_in(list, length, program);
        if (found)
            return found;
        list += length + (list[length] == ':');
    }
    return NULL;
}

char *child_find_program(const char *program)
{
    char *found = find_beside_us(program);
    if (!found)
        found = find_in_list(getenv("PATH"), program);
    return found ? found : find_in_list("/usr/sbin:/usr/local/sbin", program);
}

/* Between fork and exec: only what is allowed there. */
static void become(char *const *argv, int log, pid_t parent)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    int null = open("/dev/null", O_RDONLY);
    bool ready = getppid() == parent && null >= 0 && dup2(null, STDIN_FILENO) >= 0 &&
                 dup2(log, STDOUT_FILENO) >= 0 && dup2(log, STDERR_FILENO) >= 0;
    if (ready)
        execv(argv[0], argv);
    _exit(127);
}

int child_start(struct child *child, char *const *argv, struct err *err)
{
    int log = open(child->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (log < 0)
        return err_set_errno(err, ERR_IO, errno, "%s cannot be written", child->log);
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0)
        become(argv, log, parent);
    int saved = errno;
    close(log);
    if (pid < 0)
        return err_set_errno(err, ERR_IO, saved, "%s cannot be started", child->name);
    child->pid = pid;
    return 0;
}

bool child_has_ended(struct child *child)
{
    if (child->pid && waitpid(child->pid, NULL, WNOHANG) == child->pid)
        child->pid = 0;
    return child->pid == 0;
}

void child_stop(struct child *child, int64_t timeout_ms)
{
    static const struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};
    if (child_has_ended(child))
        return;
    kill(child->pid, SIGTERM);
    for (int64_t waited_ms = 0; waited_ms < timeout_ms; waited_ms += 20) {
        if (child_has_ended(child))
            return;
        nanosleep(&pause, NULL);
    }
    kill(child->pid, SIGKILL);
    waitpid(child->pid, NULL, 0);
    child->pid = 0;
}
