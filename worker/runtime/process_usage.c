/* What the processes of a task's session use, from one look at /proc for all tasks that are wanted.
 */
#include "platform/base/mem.h"
#include "worker/runtime/process_runtime.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct session_usage {
    UT_hash_handle hh;
    pid_t session;
    const struct execution *execution;
    int64_t cpu_ticks, resident_bytes, threads;
};

/* The kernel's own counter is off by up to some hundred pages (it is kept per processor), which for
 * a small process is everything: summed up over its mappings it is exact. */
static int64_t resident_bytes(pid_t pid, const struct process_stat *stat)
{
    char path[64], text[1024];
    snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
    const char *line =
        process_file_read(path, text, sizeof(text)) > 0 ? strstr(text, "\nRss:") : NULL;
    return line ? strtoll(line + strlen("\nRss:"), NULL, 10) * 1024 : stat->resident_bytes;
}

static void add_process(void *context, pid_t pid, const struct process_stat *stat)
{
    struct session_usage *sessions = context, *usage = NULL;
    HASH_FIND_INT(sessions, &stat->session, usage);
    if (usage) {
        usage->cpu_ticks += stat->cpu_ticks;
        usage->resident_bytes += resident_bytes(pid, stat);
        usage->threads += stat->threads;
    }
}

static struct session_usage *sessions_of(struct process *process)
{
    struct session_usage *sessions = NULL;
    for (struct execution *e = process->executions; e; e = e->hh.next) {
        bool wanted = e->wants_usage && e->phase == PROCESS_RUNNING;
        e->wants_usage = false;
        if (!wanted)
            continue;
        struct session_usage *usage = mem_alloc(sizeof(*usage));
        usage->session = e->task.pid;
        usage->execution = e;
        HASH_ADD_INT(sessions, session, usage);
    }
    return sessions;
}

void process_usage_report(struct process *process)
{
    struct session_usage *sessions = sessions_of(process), *usage, *next;
    runtime_usage_fn *report = process->report_usage;
    process->report_usage = NULL;
    if (sessions)
        process_each(add_process, sessions);
    HASH_ITER(hh, sessions, usage, next)
    {
        struct runtime_usage numbers = {
            .cpu_seconds_total = (double)usage->cpu_ticks / (double)sysconf(_SC_CLK_TCK),
            .memory_bytes = usage->resident_bytes,
            .memory_limit_bytes = usage->execution->meta.memory_limit_bytes,
            .net_rx_bytes = -1,
            .net_tx_bytes = -1,
            .block_read_bytes = -1,
            .block_write_bytes = -1,
            .pids = usage->threads,
        };
        report(process->usage_context, usage->execution->task_id, &numbers);
        HASH_DEL(sessions, usage);
        free(usage);
    }
}
