/* The shim's files, in its working directory, and its children. */
#ifndef ARGOSY_WORKER_SHIM_SHIM_FILES_H
#define ARGOSY_WORKER_SHIM_SHIM_FILES_H

#include <sys/types.h>

/* All or nothing into an existing or (with O_CREAT) new file. -1 and errno. */
int shim_write_file(const char *path, const char *text, int flags);
/* Pid, start time, boot id, wall time: who a process is, as long as the machine is up. -1 and
 * errno. */
int shim_write_identity(const char *path, pid_t pid);
int shim_write_exit(int exit_code);
/* SIGKILL to every child of this process; how many there are. */
int shim_kill_children(void);

#endif
