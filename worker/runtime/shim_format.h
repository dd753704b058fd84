/* What argosy-worker and argosy-shim agree on: the files in an execution's directory, and the
 * status that the shim writes to a pipe once.
 *
 *   shim   "<pid> <start time> <boot id> <wall ms>"  of the shim
 *   task   the same of the task; there when it was executed
 *   exit   "<exit code> <wall ms>"                   there when it ended
 *   log    frames as the container engine's: stream (1, 2), three zeros, length (big endian), bytes
 *   log.1  the log before it was begun anew */
#ifndef ARGOSY_WORKER_RUNTIME_SHIM_FORMAT_H
#define ARGOSY_WORKER_RUNTIME_SHIM_FORMAT_H

#define SHIM_FILE_SHIM "shim"
#define SHIM_FILE_TASK "task"
#define SHIM_FILE_EXIT "exit"
#define SHIM_FILE_LOG  "log"
#define SHIM_FILE_OLD  "log.1"

#define SHIM_STATUS_RUNNING "running"
#define SHIM_STATUS_ERROR   "error" /* and a stage, and errno */

/* What the shim was doing when it failed. */
enum shim_stage {
    SHIM_STAGE_PREPARE = 1, /* its directory and pipes */
    SHIM_STAGE_CGROUP,
    SHIM_STAGE_LIMITS,
    SHIM_STAGE_USER,
    SHIM_STAGE_WORKDIR,
    SHIM_STAGE_EXEC,
};

enum {
    SHIM_STATUS_FD = 3,
    SHIM_LOG_BYTES = 4 * 1024 * 1024, /* of each of the two files */
    SHIM_BOOT_ID_LENGTH = 36,
};

#endif
