/* Each file of /proc is read whole and searched for the numbers that it is known for; a file that
 * is missing, cut or odd yields fewer numbers. Memory is held during a call only. */
#include "platform/adapters/system_info.h"

#include "platform/base/buf.h"
#include "platform/base/mem.h"

#include <ctype.h>
#include <fcntl.h>
#include <libgen.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

enum { CHUNK_BYTES = 4096, FILE_BYTES_MAX = 1024 * 1024, NODE_ID_MAX = 63 };

static const double KIB = 1024, SECTOR_BYTES = 512; /* units of meminfo and diskstats */

/* The file "proc/name" as text, "" when it cannot be read; what is past FILE_BYTES_MAX is left out.
 */
static char *file_read(const char *proc, const char *name, struct buf *buf)
{
    _cleanup_free_ char *path = mem_printf("%s/%s", proc, name);
    char chunk[CHUNK_BYTES];
    ssize_t got;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    buf_clear(buf);
    while (fd >= 0 && buf->length < FILE_BYTES_MAX && (got = read(fd, chunk, sizeof chunk)) > 0)
        buf_add(buf, chunk, (size_t)got);
    if (fd >= 0)
        close(fd);
    buf_add_char(buf, '\0'); /* so that there always is a text, and one that may be written to */
    return buf->data;
}

/* The number behind "key" at the start of a line; false when there is none. */
static bool number_behind(const char *text, const char *key, double *ret_value)
{
    size_t length = strlen(key);
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, length))
            continue;
        char *end;
        double value = strtod(line + length, &end);
        if (end == line + length)
            return false;
        *ret_value = value;
        return true;
    }
    return false;
}

/* ---- what the machine is ---- */

static const char *arch_normalised(const char *machine)
{
    static const char *const names[][2] = {
        {"x86_64", "amd64"}, {"aarch64", "arm64"}, {"armv8l", "arm"}, {"armv7l", "arm"},
        {"armv6l", "arm"},   {"i686", "386"},      {"i586", "386"},   {"i386", "386"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        if (!strcmp(machine, names[i][0]))
            return names[i][1];
    return machine;
}

const char *system_node_id(const char *hostname, struct arena *arena)
{
    hostname += strspn(hostname, "-._ ");
    char *id = arena_strndup(arena, hostname, strnlen(hostname, NODE_ID_MAX));
    if (!id)
        return "node";
    for (char *c = id; *c; c++)
        *c = isalnum((unsigned char)*c) ? (char)tolower((unsigned char)*c) : '-';
    for (size_t length = strlen(id); length && id[length - 1] == '-';)
        id[--length] = '\0';
    return *id && *id != '-' ? id : "node";
}

/* A quota of our cgroup (version 2, then 1): thousandths of a core, 0 when there is none. */
static int64_t cpu_quota(const char *proc, struct buf *buf)
{
    double quota, period;
    if (sscanf(file_read(proc, "../sys/fs/cgroup/cpu.max", buf), "%lf %lf", &quota, &period) != 2) {
        quota = atof(file_read(proc, "../sys/fs/cgroup/cpu/cpu.cfs_quota_us", buf));
        period = atof(file_read(proc, "../sys/fs/cgroup/cpu/cpu.cfs_period_us", buf));
    }
    return quota > 0 && period > 0 ? (int64_t)(quota * 1000 / period) : 0;
}

static int64_t cpu_millis(const char *proc, struct buf *buf)
{
    cpu_set_t set;
    int64_t cores =
        sched_getaffinity(0, sizeof set, &set) ? sysconf(_SC_NPROCESSORS_ONLN) : CPU_COUNT(&set);
    int64_t quota = cpu_quota(proc, buf);
    return quota && quota < cores * 1000 ? quota : cores * 1000;
}

static int64_t memory_bytes(const char *proc, struct buf *buf)
{
    static const char *const limits[] = {"../sys/fs/cgroup/memory.max",
                                         "../sys/fs/cgroup/memory/memory.limit_in_bytes"};
    double kib = 0;
    number_behind(file_read(proc, "meminfo", buf), "MemTotal:", &kib);
    int64_t bytes = (int64_t)(kib * KIB);
    for (size_t i = 0; i < ARRAY_LENGTH(limits); i++) {
        long long limit = atoll(file_read(proc, limits[i], buf));
        if (limit > 0 && limit < bytes)
            bytes = limit;
    }
    return bytes;
}

/* Of the nearest directory that is there: ours may still have to be made. */
static int64_t disk_bytes(const char *directory)
{
    _cleanup_free_ char *path = mem_strdup(directory);
    struct statvfs disk;
    for (char *nearest = path; statvfs(nearest, &disk); nearest = dirname(nearest))
        if (!strcmp(nearest, "/") || !strcmp(nearest, "."))
            return 0;
    return (int64_t)disk.f_blocks * (int64_t)disk.f_frsize;
}

void system_info_read(const char *proc, const char *directory, struct arena *arena,
                      struct system_info *ret_info)
{
    _cleanup_buf_ struct buf buf = BUF_EMPTY;
    struct utsname name = {0};
    uname(&name);
    char *boot_id = file_read(proc, "sys/kernel/random/boot_id", &buf);
    boot_id[strcspn(boot_id, "\n")] = '\0';
    *ret_info = (struct system_info){
        .boot_id = arena_strdup(arena, boot_id),
        .disk_bytes = disk_bytes(directory),
        .arch = arena_strdup(arena, arch_normalised(name.machine)),
        .os = "linux",
        .kernel = arena_strdup(arena, name.release),
        .hostname = arena_strdup(arena, name.nodename),
        .node_id = system_node_id(name.nodename, arena),
    };
    ret_info->cpu_millis = cpu_millis(proc, &buf);
    ret_info->memory_bytes = memory_bytes(proc, &buf);
}

/* ---- how it is doing ---- */

struct sampling {
    struct system_sampler *sampler;
    system_add_fn *add;
    void *to;
    struct buf buf;
};

static char *sampling_read(struct sampling *sampling, const char *name)
{
    return file_read(sampling->sampler->proc, name, &sampling->buf);
}

static void add(const struct sampling *sampling, const char *name, double value)
{
    sampling->add(sampling->to, name, value);
}

static void sample_cpu(struct sampling *sampling)
{
    struct system_sampler *sampler = sampling->sampler;
    double ticks[8] = {0}; /* user nice system idle iowait irq softirq steal */
    if (sscanf(sampling_read(sampling, "stat"), "cpu %lf %lf %lf %lf %lf %lf %lf %lf", &ticks[0],
               &ticks[1], &ticks[2], &ticks[3], &ticks[4], &ticks[5], &ticks[6], &ticks[7]) < 4)
        return;
    double per_second = (double)sysconf(_SC_CLK_TCK);
    double idle = (ticks[3] + ticks[4]) / per_second;
    double busy = (ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6] + ticks[7]) / per_second;
    double busy_since = busy - sampler->busy_seconds, idle_since = idle - sampler->idle_seconds;
    add(sampling, "cpu_seconds_total", busy);
    add(sampling, "cpu_idle_seconds_total", idle);
    if (busy_since >= 0 && idle_since >= 0 && busy_since + idle_since > 0)
        add(sampling, "cpu_usage_ratio", busy_since / (busy_since + idle_since));
    sampler->busy_seconds = busy;
    sampler->idle_seconds = idle;
}

static void sample_memory(struct sampling *sampling)
{
    static const struct {
        const char *key, *name;
    } rows[] = {{"MemTotal:", "mem_total_bytes"},
                {"MemAvailable:", "mem_available_bytes"},
                {"SwapTotal:", "swap_total_bytes"},
                {"SwapFree:", "swap_free_bytes"}};
    const char *meminfo = sampling_read(sampling, "meminfo");
    double kib, total, available;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
        if (number_behind(meminfo, rows[i].key, &kib))
            add(sampling, rows[i].name, kib * KIB);
    if (number_behind(meminfo, "MemTotal:", &total) &&
        number_behind(meminfo, "MemAvailable:", &available))
        add(sampling, "mem_used_bytes", (total - available) * KIB);
}

static void sample_load(struct sampling *sampling)
{
    double load[3], running, threads, seconds;
    int found = sscanf(sampling_read(sampling, "loadavg"), "%lf %lf %lf %lf/%lf", &load[0],
                       &load[1], &load[2], &running, &threads);
    if (found >= 3) {
        add(sampling, "load1", load[0]);
        add(sampling, "load5", load[1]);
        add(sampling, "load15", load[2]);
    }
    if (found == 5) {
        add(sampling, "threads_running", running);
        add(sampling, "threads", threads);
    }
    if (sscanf(sampling_read(sampling, "uptime"), "%lf", &seconds) == 1)
        add(sampling, "uptime_seconds", seconds);
}

/* What a container sends passes its veth and a bridge before the machine's own interface: counted
 * once. */
static bool interface_counts(const char *name)
{
    static const char *const inner[] = {"lo:", "veth", "docker", "br-", "podman", "cni"};
    for (size_t i = 0; i < ARRAY_LENGTH(inner); i++)
        if (!strncmp(name, inner[i], strlen(inner[i])))
            return false;
    return true;
}

static void sample_network(struct sampling *sampling)
{
    char *rest = sampling_read(sampling, "net/dev"), *line;
    double received = 0, sent = 0;
    bool any = false;
    while ((line = strsep(&rest, "\n"))) {
        const char *name = line + strspn(line, " "), *colon = strchr(name, ':');
        double rx, tx;
        if (!colon || sscanf(colon + 1, "%lf %*s %*s %*s %*s %*s %*s %*s %lf", &rx, &tx) != 2)
            continue;
        any = true;
        received += interface_counts(name) ? rx : 0;
        sent += interface_counts(name) ? tx : 0;
    }
    if (any) {
        add(sampling, "net_rx_bytes_total", received);
        add(sampling, "net_tx_bytes_total", sent);
    }
}

/* Only what has hardware behind it: no partition, no loop device, no volume on another disk. */
static bool disk_counts(const struct sampling *sampling, const char *name)
{
    _cleanup_free_ char *path =
        mem_printf("%s/../sys/block/%s/device", sampling->sampler->proc, name);
    return !access(path, F_OK);
}

static void sample_disk_traffic(struct sampling *sampling)
{
    char *rest = sampling_read(sampling, "diskstats"), *line;
    double bytes_read = 0, written = 0;
    bool any = false;
    while ((line = strsep(&rest, "\n"))) {
        char name[64];
        double in, out;
        if (sscanf(line, "%*s %*s %63s %*s %*s %lf %*s %*s %*s %lf", name, &in, &out) != 3 ||
            !disk_counts(sampling, name))
            continue;
        any = true;
        bytes_read += in * SECTOR_BYTES;
        written += out * SECTOR_BYTES;
    }
    if (any) {
        add(sampling, "disk_read_bytes_total", bytes_read);
        add(sampling, "disk_written_bytes_total", written);
    }
}

static void sample_disk(struct sampling *sampling)
{
    struct statvfs disk;
    if (statvfs(sampling->sampler->directory, &disk))
        return;
    add(sampling, "disk_total_bytes", (double)disk.f_blocks * (double)disk.f_frsize);
    add(sampling, "disk_available_bytes", (double)disk.f_bavail * (double)disk.f_frsize);
}

static void sample_self(struct sampling *sampling)
{
    double pages;
    if (sscanf(sampling_read(sampling, "self/statm"), "%*s %lf", &pages) == 1)
        add(sampling, "worker_resident_bytes", pages * (double)sysconf(_SC_PAGESIZE));
}

void system_sample(struct system_sampler *sampler, system_add_fn *add_to, void *to)
{
    struct sampling sampling = {sampler, add_to, to, BUF_EMPTY};
    add(&sampling, "cpu_cores", (double)cpu_millis(sampler->proc, &sampling.buf) / 1000);
    sample_cpu(&sampling);
    sample_memory(&sampling);
    sample_load(&sampling);
    sample_network(&sampling);
    sample_disk(&sampling);
    sample_disk_traffic(&sampling);
    sample_self(&sampling);
    buf_release(&sampling.buf);
}
