#include "platform/adapters/system_info.h"
#include "platform/base/buf.h"
#include "platform/base/mem.h"
#include "schema/documents.h"
#include "schema/topics.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct sample {
    const char *names[64];
    double values[64];
    size_t count;
};

static void sample_add(void *to, const char *name, double value)
{
    struct sample *sample = to;
    assert_true(sample->count < 64);
    sample->names[sample->count] = name;
    sample->values[sample->count++] = value;
}

/* -1 when it was not sampled. */
static double sample_find(const struct sample *sample, const char *name)
{
    for (size_t i = 0; i < sample->count; i++)
        if (!strcmp(sample->names[i], name))
            return sample->values[i];
    return -1;
}

static char root[40], proc[60];

static void file_write(const char *name, const char *text)
{
    char command[160], path[100];
    snprintf(path, sizeof path, "%s/%s", root, name);
    snprintf(command, sizeof command, "mkdir -p $(dirname %s)", path);
    assert_int_equal(system(command), 0);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int machine_make(void **state)
{
    (void)state;
    strcpy(root, "/tmp/argosy-proc-XXXXXX");
    if (!mkdtemp(root))
        return -1;
    snprintf(proc, sizeof proc, "%s/proc", root);
    return mkdir(proc, 0700);
}

static int machine_remove(void **state)
{
    (void)state;
    char command[80];
    snprintf(command, sizeof command, "rm -rf %s", root);
    return system(command);
}

static void every_number_of_a_real_machine_is_in_the_schemas_table(void **state)
{
    (void)state;
    struct system_sampler sampler = {.proc = "/proc", .directory = "/"};
    struct sample sample = {0};
    system_sample(&sampler, sample_add, &sample);
    for (size_t i = 0; i < sample.count; i++) {
        bool known = false;
        for (size_t row = 0; row < node_metric_row_count; row++)
            known |= !strcmp(node_metric_rows[row].name, sample.names[i]);
        if (!known)
            fail_msg("%s is not documented", sample.names[i]);
    }
    assert_true(sample_find(&sample, "mem_total_bytes") > 1e6);
    assert_true(sample_find(&sample, "cpu_seconds_total") > 0); /* in cube this was always 0 */
    assert_true(sample_find(&sample, "disk_total_bytes") > 0);
}

static void cpu_usage_is_of_the_time_since_the_last_sample(void **state)
{
    (void)state;
    struct system_sampler sampler = {.proc = proc, .directory = "/"};
    struct sample first = {0}, second = {0};
    file_write("proc/stat", "cpu  100 0 100 600 0 0 0 0 0 0\n");
    system_sample(&sampler, sample_add, &first);
    file_write("proc/stat", "cpu  200 0 100 900 0 0 0 0 0 0\n");
    system_sample(&sampler, sample_add, &second);
    assert_true(sample_find(&second, "cpu_usage_ratio") > 0.2499);
    assert_true(sample_find(&second, "cpu_usage_ratio") < 0.2501);
}

static void the_network_is_without_loopback_and_containers(void **state)
{
    (void)state;
    struct system_sampler sampler = {.proc = proc, .directory = "/"};
    struct sample sample = {0};
    file_write("proc/net/dev", "Inter-|   Receive   |  Transmit\n face |bytes packets\n"
                               "    lo: 999 1 0 0 0 0 0 0 999 1 0 0 0 0 0 0\n"
                               "  eth0: 10 1 0 0 0 0 0 0 20 1 0 0 0 0 0 0\n"
                               "vethb8: 77 1 0 0 0 0 0 0 77 1 0 0 0 0 0 0\n"
                               "docker0: 77 1 0 0 0 0 0 0 77 1 0 0 0 0 0 0\n"
                               " wlan0:5 1 0 0 0 0 0 0 7 1 0 0 0 0 0 0\n");
    system_sample(&sampler, sample_add, &sample);
    assert_true(sample_find(&sample, "net_rx_bytes_total") == 15);
    assert_true(sample_find(&sample, "net_tx_bytes_total") == 27);
}

static void only_whole_disks_are_counted(void **state)
{
    (void)state;
    struct system_sampler sampler = {.proc = proc, .directory = "/"};
    struct sample sample = {0};
    file_write("sys/block/sda/device/model", "");
    file_write("sys/block/loop0/size", "");
    file_write("proc/diskstats", "   8       0 sda 10 0 4 0 20 0 6 0 0 0 0\n"
                                 "   8       1 sda1 10 0 4 0 20 0 6 0 0 0 0\n"
                                 "   7       0 loop0 10 0 4 0 20 0 6 0 0 0 0\n");
    system_sample(&sampler, sample_add, &sample);
    assert_true(sample_find(&sample, "disk_read_bytes_total") == 4 * 512);
    assert_true(sample_find(&sample, "disk_written_bytes_total") == 6 * 512);
}

static void memory_load_and_threads_are_read(void **state)
{
    (void)state;
    struct system_sampler sampler = {.proc = proc, .directory = "/"};
    struct sample sample = {0};
    file_write("proc/meminfo", "MemTotal:  100 kB\nMemFree: 10 kB\nMemAvailable:  60 kB\n"
                               "SwapTotal: 0 kB\n");
    file_write("proc/loadavg", "0.50 1.25 2.00 3/456 7890\n");
    file_write("proc/uptime", "1234.56 99.00\n");
    system_sample(&sampler, sample_add, &sample);
    assert_true(sample_find(&sample, "mem_total_bytes") == 102400);
    assert_true(sample_find(&sample, "mem_available_bytes") == 61440);
    assert_true(sample_find(&sample, "mem_used_bytes") == 40960);
    assert_true(sample_find(&sample, "swap_total_bytes") == 0);
    assert_true(sample_find(&sample, "swap_free_bytes") == -1);
    assert_true(sample_find(&sample, "load5") == 1.25);
    assert_true(sample_find(&sample, "threads_running") == 3);
    assert_true(sample_find(&sample, "threads") == 456);
    assert_true(sample_find(&sample, "uptime_seconds") == 1234.56);
}

static void a_file_larger_than_a_page_is_read_whole(void **state)
{
    (void)state;
    struct system_sampler sampler = {.proc = proc, .directory = "/"};
    struct sample sample = {0};
    _cleanup_buf_ struct buf text = BUF_EMPTY;
    for (int i = 0; i < 2000; i++)
        buf_printf(&text, "eth%d: 1 1 0 0 0 0 0 0 2 1 0 0 0 0 0 0\n", i);
    file_write("proc/net/dev", buf_text(&text));
    system_sample(&sampler, sample_add, &sample);
    assert_true(sample_find(&sample, "net_rx_bytes_total") == 2000);
    assert_true(sample_find(&sample, "net_tx_bytes_total") == 4000);
}

/* cpu_millis and memory_bytes of the machine in the fixture. */
static void assert_capacity(int64_t millis, int64_t bytes)
{
    _cleanup_arena_ struct arena arena = ARENA_EMPTY;
    struct system_info info;
    system_info_read(proc, "/", &arena, &info);
    assert_int_equal(info.cpu_millis, millis);
    assert_int_equal(info.memory_bytes, bytes);
}

static void limits_of_the_cgroup_are_the_capacity(void **state)
{
    (void)state;
    file_write("proc/meminfo", "MemTotal: 1000 kB\n");
    file_write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "25000\n");
    file_write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
    file_write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    assert_capacity(250, 1024000);
    file_write("sys/fs/cgroup/cpu.max", "50000 100000\n");
    file_write("sys/fs/cgroup/memory.max", "512000\n");
    assert_capacity(500, 512000);
}

static void no_limit_leaves_the_whole_machine(void **state)
{
    (void)state;
    _cleanup_arena_ struct arena arena = ARENA_EMPTY;
    struct system_info real;
    system_info_read("/proc", "/", &arena, &real);
    file_write("proc/meminfo", "MemTotal: 1000 kB\n");
    file_write("sys/fs/cgroup/cpu.max", "max 100000\n");
    file_write("sys/fs/cgroup/memory.max", "max\n");
    file_write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
    assert_capacity(real.cpu_millis, 1024000);
}

static void a_host_name_becomes_a_node_id(void **state)
{
    (void)state;
    static const char *const names[][2] = {
        {"web1", "web1"},    {"Web-1.Example.COM", "web-1-example-com"},
        {"a_b", "a-b"},      {"-edge-", "edge"},
        {"...", "node"},     {"", "node"},
        {"\xc3\xa4", "node"}};
    _cleanup_arena_ struct arena arena = ARENA_EMPTY;
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        assert_string_equal(system_node_id(names[i][0], &arena), names[i][1]);
    char text[100];
    memset(text, 'x', sizeof text);
    text[62] = '.';
    text[99] = '\0';
    assert_int_equal(strlen(system_node_id(text, &arena)), 62);
}

static void what_cannot_be_read_is_left_out(void **state)
{
    (void)state;
    struct system_sampler sampler = {.proc = proc, .directory = "/nowhere"};
    struct sample sample = {0};
    file_write("proc/stat", "cpu  1 2");
    file_write("proc/meminfo", "MemTotal:\nMemAvail");
    file_write("proc/loadavg", "0.1 x");
    file_write("proc/net/dev", "eth0: 1 2 3\n:::\n");
    file_write("proc/diskstats", "8 0\n   8 0 sda 1 2 x");
    file_write("proc/uptime", "");
    file_write("sys/fs/cgroup/cpu.max", "max 100000\n");
    system_sample(&sampler, sample_add, &sample);
    assert_int_equal(sample.count, 1); /* cpu_cores */
}

static void a_machine_is_described(void **state)
{
    (void)state;
    _cleanup_arena_ struct arena arena = ARENA_EMPTY;
    struct system_info info;
    system_info_read("/proc", "/not/made/yet", &arena, &info);
    assert_true(info.cpu_millis >= 1000);
    assert_true(info.memory_bytes > 0);
    assert_true(info.disk_bytes > 0);
    assert_true(node_id_is_valid(info.node_id));
    assert_true(strlen(info.boot_id) >= 32);
    assert_int_not_equal(strlen(info.kernel), 0);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, machine_make, machine_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(every_number_of_a_real_machine_is_in_the_schemas_table),
        CASE(cpu_usage_is_of_the_time_since_the_last_sample),
        CASE(the_network_is_without_loopback_and_containers),
        CASE(only_whole_disks_are_counted),
        CASE(memory_load_and_threads_are_read),
        CASE(a_file_larger_than_a_page_is_read_whole),
        CASE(limits_of_the_cgroup_are_the_capacity),
        CASE(no_limit_leaves_the_whole_machine),
        cmocka_unit_test(a_host_name_becomes_a_node_id),
        CASE(what_cannot_be_read_is_left_out),
        CASE(a_machine_is_described),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
