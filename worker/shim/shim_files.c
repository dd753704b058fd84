#include "worker/shim/shim_files.h"

#include "worker/runtime/shim_format.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { TEXT_LENGTH = 1024 };

int shim_write_file(const char *path, const char *text, int flags)
{
    size_t length = strlen(text);
    int fd = open(path, flags | O_CLOEXEC, 0640);
    if (fd < 0)
        return -1;
    ssize_t written = write(fd, text, length);
    if (close(fd) < 0 || written < 0)
        return -1;
    if ((size_t)written != length) {
        errno = ENOSPC;
        return -1;
    }
    return 0;
}

/* Readers see nothing or the whole. */
static int replace_file(const char *path, const char *text)
{
    char temporary[64];
    snprintf(temporary, sizeof(temporary), "%s.new", path);
    if (shim_write_file(temporary, text, O_WRONLY | O_CREAT | O_TRUNC) < 0)
        return -1;
    return rename(temporary, path);
}

static int read_file(const char *path, char *ret_text, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t length = read(fd, ret_text, size - 1);
    close(fd);
    if (length < 0)
        return -1;
    ret_text[length] = '\0';
    return 0;
}

static long long wall_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The field of /proc/<pid>/stat with this number, from 1 (proc(5)); NULL when there is no such
 * process. The name in the second field may hold anything, so fields are counted from behind its
 * last bracket. */
static const char *stat_field(pid_t pid, int number, char text[TEXT_LENGTH])
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    if (read_file(path, text, TEXT_LENGTH) < 0)
        return NULL;
    char *at = strrchr(text, ')');
    for (int i = 2; at && i < number; i++) {
        at = strchr(at, ' ');
        at = at ? at + 1 : NULL;
    }
    return at;
}

int shim_write_identity(const char *path, pid_t pid)
{
    enum { FIELD_STARTTIME = 22 };
    char stat[TEXT_LENGTH], boot_id[SHIM_BOOT_ID_LENGTH + 2], text[128];
    const char *start = stat_field(pid, FIELD_STARTTIME, stat);
    if (!start || read_file("/proc/sys/kernel/random/boot_id", boot_id, sizeof(boot_id)) < 0)
        return -1;
    boot_id[strcspn(boot_id, "\n")] = '\0';
    snprintf(text, sizeof(text), "%d %lld %s %lld\n", (int)pid, strtoll(start, NULL, 10), boot_id,
             wall_ms());
    return replace_file(path, text);
}

int shim_write_exit(int exit_code)
{
    char text[64];
    snprintf(text, sizeof(text), "%d %lld\n", exit_code, wall_ms());
    return replace_file(SHIM_FILE_EXIT, text);
}

int shim_kill_children(void)
{
    enum { FIELD_PPID = 4 };
    char stat[TEXT_LENGTH];
    int count = 0;
    DIR *proc = opendir("/proc");
    const struct dirent *entry;
    while (proc && (entry = readdir(proc))) {
        pid_t pid = isdigit((unsigned char)entry->d_name[0]) ? atoi(entry->d_name) : 0;
        const char *parent = pid ? stat_field(pid, FIELD_PPID, stat) : NULL;
        if (parent && atoi(parent) == getpid()) {
            kill(pid, SIGKILL);
            count++;
        }
    }
    if (proc)
        closedir(proc);
    return count;
}
