/* Small files, directories and what /proc says. */
#ifndef ARGOSY_WORKER_RUNTIME_PROCESS_FILES_H
#define ARGOSY_WORKER_RUNTIME_PROCESS_FILES_H

#include "worker/runtime/shim_format.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Reads the beginning of a file as text; its length, or -1 and errno. */
ssize_t process_file_read(const char *path, char *ret_text, size_t size);
/* Writes to an existing file, in one write. 0, or -1 and errno. */
int process_file_write(const char *path, const char *text);
/* Makes or replaces a file; readers see nothing, the old, or the whole. 0, or -1 and errno. */
int process_file_replace(const char *path, const char *text);
/* Removes a directory with everything in it; symbolic links are not followed. 0, or -1 and errno.
 */
int process_directory_remove(const char *path);

/* Who a process is, as long as the machine is up: numbers are used again. */
struct process_identity {
    pid_t pid; /* 0: none */
    int64_t start_ticks;
    char boot_id[SHIM_BOOT_ID_LENGTH + 1];
    int64_t wall_ms; /* when it was written */
};
/* One of the shim's files; false when there is none. */
bool process_identity_read(const char *path, struct process_identity *ret_identity);
/* Whether that very process exists (it may be a zombie). */
bool process_identity_is_alive(const struct process_identity *identity);

/* What /proc/<pid>/stat says. */
struct process_stat {
    pid_t parent;
    pid_t session;
    int64_t start_ticks;
    int64_t cpu_ticks; /* with the children that it has waited for */
    int64_t resident_bytes;
    int64_t threads;
};
bool process_stat_read(pid_t pid, struct process_stat *ret_stat);
/* Parses the text of such a file. */
bool process_stat_parse(const char *text, struct process_stat *ret_stat);
/* Calls `visit` for every process of the machine. */
void process_each(void (*visit)(void *context, pid_t pid, const struct process_stat *stat),
                  void *context);
/* SIGKILL to all processes of the session that began with `leader`. */
void process_kill_session(const struct process_identity *leader);

#endif
