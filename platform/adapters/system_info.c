#include "platform/adapters/system_info.h"

#include "platform/base/mem.h"

#include <ctype.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

enum { FILE_BYTES_MAX = 64 * 1024, NODE_ID_MAX = 63 };

/* The whole file as text, "" when it cannot be read. The caller frees. */
static char *file_read(const char *directory, const char *name)
{
    _cleanup_free_ char *path = mem_printf("%s/%s", directory, name);
    char *text = mem_alloc(FILE_BYTES_MAX + 1);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t length = 0;
    ssize_t got;
    while (fd >= 0 && length < FILE_BYTES_MAX &&
           (got = read(fd, text + length, FILE_BYTES_MAX - length)) > 0)
        length += (size_t)got;
    if (fd >= 0)
        close(fd);
    return text;
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
        {"x86_64", "amd64"}, {"aarch64", "arm64"}, {"armv7l", "arm"}, {"armv6l", "arm"},
        {"i686", "386"},     {"i586", "386"},      {"i386", "386"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        if (!strcmp(machine, names[i][0]))
            return names[i][1];
    return machine;
}

/* Lower case, what is no letter or digit becomes a dash, none at the ends. */
static const char *node_id_of(const char *hostname, struct arena *arena)
{
    char *id = arena_strndup(arena, hostname, strnlen(hostname, NODE_ID_MAX));
    if (!id)
        return "";
    for (char *c = id; *c; c++)
        *c = isalnum((unsigned char)*c) ? (char)tolower((unsigned char)*c) : '-';
    while (*id == '-')
        id++;
    for (size_t length = strlen(id); length && id[length - 1] == '-';)
        id[--length] = '\0';
    return *id ? id : "node";
}

static int64_t cores_allowed(void)
{
    cpu_set_t set;
    if (!sched_getaffinity(0, sizeof set, &set))
        return CPU_COUNT(&set);
    return sysconf(_SC_NPROCESSORS_ONLN);
}

static int64_t memory_limit(const char *proc)
{
    _cleanup_free_ char *meminfo = file_read(proc, "meminfo");
    double kib = 0;
    number_behind(meminfo, "MemTotal:", &kib);
    int64_t bytes = (int64_t)(kib * 1024);
    static const char *const limits[] = {"fs/cgroup/memory.max",
                                         "fs/cgroup/memory/memory.limit_in_bytes"};
    for (size_t i = 0; i < ARRAY_LENGTH(limits) && !strcmp(proc, "/proc"); i++) {
        _cleanup_free_ char *text = file_read("/sys", limits[i]);
        long long limit = atoll(text);
        if (limit > 0 && limit < bytes)
            bytes = limit;
    }
    return bytes;
}

/* Of the nearest directory that is there: ours may still have to be made. */
static int64_t disk_size(const char *directory)
{
    _cleanup_free_ char *path = mem_strdup(directory);
    struct statvfs disk;
    for (char *slash; statvfs(path, &disk); *slash = '\0') {
        slash = strrchr(path, '/');
        if (!slash)
            return 0;
        if (slash == path && path[1])
            slash++; /* the root itself is tried last */
        else if (slash == path)
            return 0;
    }
    return (int64_t)disk.f_blocks * (int64_t)disk.f_frsize;
}

void system_info_read(const char *proc, const char *directory, struct arena *arena,
                      struct system_info *ret_info)
{
    struct utsname name = {0};
    uname(&name);
    _cleanup_free_ char *boot_id = file_read(proc, "sys/kernel/random/boot_id");
    boot_id[strcspn(boot_id, "\n")] = '\0';
    *ret_info = (struct system_info){
        .cpu_millis = cores_allowed() * 1000,
        .memory_bytes = memory_limit(proc),
        .disk_bytes = disk_size(directory),
        .arch = arena_strdup(arena, arch_normalised(name.machine)),
        .os = "linux",
        .kernel = arena_strdup(arena, name.release),
        .hostname = arena_strdup(arena, name.nodename),
        .node_id = node_id_of(name.nodename, arena),
        .boot_id = arena_strdup(arena, boot_id),
    };
}

/* ---- how it is doing ---- */

static void sample_cpu(struct system_sampler *sampler, system_add_fn *add, void *to)
{
    _cleanup_free_ char *stat = file_read(sampler->proc, "stat");
    double ticks[8] = {0}; /* user nice system idle iowait irq softirq steal */
    if (sscanf(stat, "cpu %lf %lf %lf %lf %lf %lf %lf %lf", &ticks[0], &ticks[1], &ticks[2],
               &ticks[3], &ticks[4], &ticks[5], &ticks[6], &ticks[7]) < 4)
        return;
    double per_second = (double)sysconf(_SC_CLK_TCK);
    double idle = (ticks[3] + ticks[4]) / per_second;
    double busy = (ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6] + ticks[7]) / per_second;
    double busy_since = busy - sampler->busy_seconds, idle_since = idle - sampler->idle_seconds;
    add(to, "cpu_seconds_total", busy);
    add(to, "cpu_idle_seconds_total", idle);
    if (busy_since >= 0 && idle_since >= 0 && busy_since + idle_since > 0)
        add(to, "cpu_usage_ratio", busy_since / (busy_since + idle_since));
    sampler->busy_seconds = busy;
    sampler->idle_seconds = idle;
}

static void sample_memory(const char *proc, system_add_fn *add, void *to)
{
    static const struct {
        const char *key, *name;
    } rows[] = {{"MemTotal:", "mem_total_bytes"},
                {"MemAvailable:", "mem_available_bytes"},
                {"SwapTotal:", "swap_total_bytes"},
                {"SwapFree:", "swap_free_bytes"}};
    _cleanup_free_ char *meminfo = file_read(proc, "meminfo");
    double kib;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
        if (number_behind(meminfo, rows[i].key, &kib))
            add(to, rows[i].name, kib * 1024);
}

static void sample_load(const char *proc, system_add_fn *add, void *to)
{
    _cleanup_free_ char *loadavg = file_read(proc, "loadavg");
    _cleanup_free_ char *uptime = file_read(proc, "uptime");
    double load[3], seconds;
    if (sscanf(loadavg, "%lf %lf %lf", &load[0], &load[1], &load[2]) == 3) {
        add(to, "load1", load[0]);
        add(to, "load5", load[1]);
        add(to, "load15", load[2]);
    }
    if (sscanf(uptime, "%lf", &seconds) == 1)
        add(to, "uptime_seconds", seconds);
}

static void sample_network(const char *proc, system_add_fn *add, void *to)
{
    _cleanup_free_ char *dev = file_read(proc, "net/dev");
    double received = 0, sent = 0;
    bool any = false;
    char *save = NULL;
    for (char *line = strtok_r(dev, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        char *colon = strchr(line, ':');
        double rx, tx;
        if (!colon || sscanf(colon + 1, "%lf %*s %*s %*s %*s %*s %*s %*s %lf", &rx, &tx) != 2)
            continue;
        any = true;
        if (strncmp(line + strspn(line, " "), "lo:", 3) != 0) {
            received += rx;
            sent += tx;
        }
    }
    if (any) {
        add(to, "net_rx_bytes_total", received);
        add(to, "net_tx_bytes_total", sent);
    }
}

static void sample_disk(const char *directory, system_add_fn *add, void *to)
{
    struct statvfs disk;
    if (statvfs(directory, &disk))
        return;
    add(to, "disk_total_bytes", (double)disk.f_blocks * (double)disk.f_frsize);
    add(to, "disk_available_bytes", (double)disk.f_bavail * (double)disk.f_frsize);
}

static void sample_self(const char *proc, system_add_fn *add, void *to)
{
    _cleanup_free_ char *statm = file_read(proc, "self/statm");
    double pages;
    if (sscanf(statm, "%*s %lf", &pages) == 1)
        add(to, "worker_resident_bytes", pages * (double)sysconf(_SC_PAGESIZE));
}

void system_sample(struct system_sampler *sampler, system_add_fn *add, void *to)
{
    add(to, "cpu_cores", (double)cores_allowed());
    sample_cpu(sampler, add, to);
    sample_memory(sampler->proc, add, to);
    sample_load(sampler->proc, add, to);
    sample_network(sampler->proc, add, to);
    sample_disk(sampler->directory, add, to);
    sample_self(sampler->proc, add, to);
}
