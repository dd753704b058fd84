/* Bounds and time-outs of the runtimes. */
#ifndef ARGOSY_WORKER_RUNTIME_LIMITS_H
#define ARGOSY_WORKER_RUNTIME_LIMITS_H

enum {
    TASK_PIDS_LIMIT = 4096,  /* processes and threads of one task: stops a fork bomb */
    TASK_PORTS_MAX = 64,     /* entries of `ports` */
    STARTS_AT_A_TIME = 2,    /* measured: more in parallel are not faster on two cores */
    PROBE_REPLY_BYTES = 256, /* as much of an HTTP answer as a probe reads */

    /* engine replies */
    ENGINE_REPLY_BYTES = 1024 * 1024,
    ENGINE_LIST_BYTES = 16 * 1024 * 1024,
    ENGINE_LINE_BYTES = 64 * 1024, /* one line of a progress or event stream */

    /* time-outs in milliseconds */
    ENGINE_PING_MS = 5 * 1000,
    ENGINE_INSPECT_MS = 15 * 1000,
    ENGINE_LIST_MS = 30 * 1000,
    ENGINE_CREATE_MS = 60 * 1000,
    ENGINE_START_MS = 120 * 1000,
    ENGINE_REMOVE_MS = 60 * 1000,
    ENGINE_STOP_EXTRA_MS = 10 * 1000, /* beyond the task's own stop time-out */
    ENGINE_LOGS_MS = 60 * 1000,
    ENGINE_STATS_MS = 15 * 1000,
    ENGINE_PULL_SILENCE_MS = 300 * 1000, /* a pull that says nothing for this long has failed */
    ENGINE_RETRY_MIN_MS = 250,
    ENGINE_RETRY_MAX_MS = 15 * 1000,
};

#endif
