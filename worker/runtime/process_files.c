/* A process is named by its number, its start time and the machine's boot: the number alone is used
 * again. */
#include "worker/runtime/process_files.h"

#include "platform/base/mem.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- files ---- */

ssize_t process_file_read(const char *path, char *ret_text, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t length = read(fd, ret_text, size - 1);
    int error = errno;
    close(fd);
    errno = error;
    ret_text[length > 0 ? length : 0] = '\0';
    return length;
}

static int write_with(const char *path, const char *text, int flags)
{
    size_t length = strlen(text);
    int fd = open(path, flags | O_WRONLY | O_CLOEXEC, 0640);
    if (fd < 0)
        return -1;
    ssize_t written = write(fd, text, length);
    int error = written < 0 ? errno : ENOSPC;
    close(fd);
    errno = error;
    return written == (ssize_t)length ? 0 : -1;
}

int process_file_write(const char *path, const char *text)
{
    return write_with(path, text, 0);
}

int process_file_replace(const char *path, const char *text)
{
    _cleanup_free_ char *temporary = mem_printf("%s.new", path);
    if (write_with(temporary, text, O_CREAT | O_TRUNC) < 0)
        return -1;
    return rename(temporary, path);
}

static int remove_entry(const char *path, const struct stat *stat, int kind, struct FTW *place)
{
    (void)stat;
    (void)kind;
    (void)place;
    return remove(path) < 0 && errno != ENOENT ? -1 : 0;
}

int process_directory_remove(const char *path)
{
    enum { DESCRIPTORS = 16 };
    int status = nftw(path, remove_entry, DESCRIPTORS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
    return status < 0 && errno != ENOENT ? -1 : 0;
}

/* ---- identities ---- */

bool process_identity_read(const char *path, struct process_identity *ret_identity)
{
    char text[128];
    int pid = 0;
    *ret_identity = (struct process_identity){0};
    if (process_file_read(path, text, sizeof(text)) < 0 ||
        sscanf(text, "%d %" SCNd64 " %36s %" SCNd64, &pid, &ret_identity->start_ticks,
               ret_identity->boot_id, &ret_identity->wall_ms) != 4)
        return false;
    ret_identity->pid = pid;
    return pid > 0;
}

static const char *own_boot_id(void)
{
    static char boot_id[SHIM_BOOT_ID_LENGTH + 2];
    if (!boot_id[0] &&
        process_file_read("/proc/sys/kernel/random/boot_id", boot_id, sizeof(boot_id)) > 0)
        boot_id[strcspn(boot_id, "\n")] = '\0';
    return boot_id;
}

bool process_identity_is_alive(const struct process_identity *identity)
{
    struct process_stat stat;
    return identity->pid > 0 && strcmp(identity->boot_id, own_boot_id()) == 0 &&
           process_stat_read(identity->pid, &stat) && stat.start_ticks == identity->start_ticks;
}

/* ---- /proc ---- */

/* Fields by their numbers in proc(5). The second, the name, may hold anything: fields are counted
 * from behind its last bracket. */
bool process_stat_parse(const char *text, struct process_stat *ret_stat)
{
    enum {
        FIELD_STATE = 3,
        FIELD_PARENT = 4,
        FIELD_SESSION = 6,
        FIELD_CPU_FIRST = 14, /* user, system, and both of waited-for children */
        FIELD_CPU_LAST = 17,
        FIELD_THREADS = 20,
        FIELD_START = 22,
        FIELD_RESIDENT = 24,
    };
    const char *at = strrchr(text, ')');
    int64_t fields[FIELD_RESIDENT + 1] = {0};
    if (!at || at[1] != ' ' || at[2] == '\0')
        return false;
    at += 3; /* ") S" */
    for (int number = FIELD_PARENT; number <= FIELD_RESIDENT; number++) {
        char *end;
        fields[number] = (int64_t)strtoll(at, &end, 10);
        if (end == at)
            return false;
        at = end;
    }
    *ret_stat = (struct process_stat){
        .parent = (pid_t)fields[FIELD_PARENT],
        .session = (pid_t)fields[FIELD_SESSION],
        .start_ticks = fields[FIELD_START],
        .resident_bytes = fields[FIELD_RESIDENT] * sysconf(_SC_PAGESIZE),
        .threads = fields[FIELD_THREADS],
    };
    for (int number = FIELD_CPU_FIRST; number <= FIELD_CPU_LAST; number++)
        ret_stat->cpu_ticks += fields[number];
    return true;
}

bool process_stat_read(pid_t pid, struct process_stat *ret_stat)
{
    char path[64], text[1024];
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    return process_file_read(path, text, sizeof(text)) > 0 && process_stat_parse(text, ret_stat);
}

void process_each(void (*visit)(void *context, pid_t pid, const struct process_stat *stat),
                  void *context)
{
    struct process_stat stat;
    const struct dirent *entry;
    DIR *proc = opendir("/proc");
    while (proc && (entry = readdir(proc))) {
        pid_t pid = isdigit((unsigned char)entry->d_name[0]) ? atoi(entry->d_name) : 0;
        if (pid > 0 && process_stat_read(pid, &stat))
            visit(context, pid, &stat);
    }
    if (proc)
        closedir(proc);
}

/* Its members began after their leader: an older process of that number is somebody else's. */
static void kill_member(void *context, pid_t pid, const struct process_stat *stat)
{
    const struct process_identity *leader = context;
    if (stat->session == leader->pid && stat->start_ticks >= leader->start_ticks)
        kill(pid, SIGKILL);
}

void process_kill_session(const struct process_identity *leader)
{
    struct process_identity copy = *leader;
    if (leader->pid > 0 && strcmp(leader->boot_id, own_boot_id()) == 0)
        process_each(kill_member, &copy);
}
