#include "platform/adapters/system_info.h"
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

static char proc[40];

static void proc_write(const char *name, const char *text)
{
    char path[100];
    snprintf(path, sizeof path, "%s/%s", proc, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int proc_make(void **state)
{
    (void)state;
    char path[60];
    strcpy(proc, "/tmp/argosy-proc-XXXXXX");
    if (!mkdtemp(proc))
        return -1;
    snprintf(path, sizeof path, "%s/net", proc);
    return mkdir(path, 0700);
}

static int proc_remove(void **state)
{
    (void)state;
    char command[80];
    snprintf(command, sizeof command, "rm -rf %s", proc);
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
    proc_write("stat", "cpu  100 0 100 600 0 0 0 0 0 0\n");
    system_sample(&sampler, sample_add, &first);
    proc_write("stat", "cpu  200 0 100 900 0 0 0 0 0 0\n");
    system_sample(&sampler, sample_add, &second);
    assert_true(sample_find(&second, "cpu_usage_ratio") > 0.2499);
    assert_true(sample_find(&second, "cpu_usage_ratio") < 0.2501);
}

static void loopback_is_no_network(void **state)
{
    (void)state;
    struct system_sampler sampler = {.proc = proc, .directory = "/"};
    struct sample sample = {0};
    proc_write("net/dev", "Inter-|   Receive   |  Transmit\n face |bytes packets\n"
                          "    lo: 999 1 0 0 0 0 0 0 999 1 0 0 0 0 0 0\n"
                          "  eth0: 10 1 0 0 0 0 0 0 20 1 0 0 0 0 0 0\n"
                          " wlan0:5 1 0 0 0 0 0 0 7 1 0 0 0 0 0 0\n");
    system_sample(&sampler, sample_add, &sample);
    assert_true(sample_find(&sample, "net_rx_bytes_total") == 15);
    assert_true(sample_find(&sample, "net_tx_bytes_total") == 27);
}

static void what_cannot_be_read_is_left_out(void **state)
{
    (void)state;
    struct system_sampler sampler = {.proc = proc, .directory = "/nowhere"};
    struct sample sample = {0};
    proc_write("stat", "cpu  1 2");
    proc_write("meminfo", "MemTotal:\nMemAvail");
    proc_write("loadavg", "0.1 x");
    proc_write("net/dev", "eth0: 1 2 3\n:::\n");
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

#define CASE(test) cmocka_unit_test_setup_teardown(test, proc_make, proc_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(every_number_of_a_real_machine_is_in_the_schemas_table),
        CASE(cpu_usage_is_of_the_time_since_the_last_sample),
        CASE(loopback_is_no_network),
        CASE(what_cannot_be_read_is_left_out),
        CASE(a_machine_is_described),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
