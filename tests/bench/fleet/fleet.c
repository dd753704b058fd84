/* argosy-fleet: many simulated workers in one process, for the benches.
 *
 *   options -> workers made -> started, so many a second -> loop, until its input ends
 *
 * Lines on its input, each answered by one line on its output:
 *   count        "connected C settled S of N"
 *   report FILE  writes "node task run" for each execution that runs; "running R"
 *   end N        N running executions of each worker end with code 1, the next N with the next
 *                command; 0: only counted; "ended E of R runs S",
 *                where S is the sum of the numbers of the R runs
 *   reconnect    every worker loses its connection and connects again; "reconnecting"
 * It says "started N" by itself when the last worker has begun to connect. Its end is that of N
 * machines: nothing is said, and the broker sends their wills. */
#include "platform/adapters/clock_system.h"
#include "platform/adapters/options.h"
#include "platform/adapters/program.h"
#include "platform/adapters/random_system.h"
#include "platform/base/mem.h"
#include "tests/bench/fleet/fleet_worker.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { START_EVERY_MS = 10, LINE_BYTES = 4096, COMMANDS = 0 };

struct settings {
    /* as given */
    struct program_settings program;
    int64_t count, first, per_second, interval_ms;
    const char *prefix;
    int64_t cpu, memory;

    /* what follows */
    struct capacity capacity;
};

static const struct option_row rows[] = {
    OPTION_ROW('n', "count", INT, count, "1000", "N", "how many workers", .min = 1,
               .max = 1000 * 1000),
    OPTION_ROW(0, "first", INT, first, "0", "N", "number of the first one", .max = 1000 * 1000),
    OPTION_ROW(0, "prefix", TEXT, prefix, "n", "TEXT", "of their names, before the number"),
    OPTION_ROW(0, "per-second", INT, per_second, "1000", "N", "how many begin to connect a second",
               .min = 100, .max = 1000 * 1000),
    PROGRAM_OPTION_ROWS("/nowhere"),
    OPTION_ROW(0, "cpu", CPU, cpu, "1000", "CORES", "offered by each"),
    OPTION_ROW(0, "memory", SIZE, memory, "1TiB", "SIZE", "offered by each"),
    OPTION_ROW('i', "interval", DURATION, interval_ms, "10s", "TIME", "heartbeat",
               .min = LIMIT_HEARTBEAT_MIN_MS, .max = LIMIT_HEARTBEAT_MAX_MS),
};
static const struct options options = {
    .program = "argosy-fleet",
    .summary = "Many simulated workers in one process, for benches.",
    .rows = rows,
    .count = ARRAY_LENGTH(rows),
};

struct fleet {
    struct settings settings;
    struct program_base base;
    struct loop_poll *input;
    struct fleet_worker **workers;
    size_t made, started;
    char line[LINE_BYTES];
    size_t line_length;
    int result;
};

static void derive(void *given, struct arena *arena, struct problems *problems)
{
    struct settings *settings = given;
    program_settings_derive(&settings->program, arena, problems);
    settings->capacity = (struct capacity){.cpu_millis = settings->cpu,
                                           .memory_bytes = settings->memory,
                                           .disk_bytes = settings->memory};
}

static void answer(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void answer(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
    fflush(stdout);
}

/* ---- making and starting ---- */

static int make_worker(struct fleet *fleet, size_t i, struct err *err)
{
    const struct settings *settings = &fleet->settings;
    _cleanup_free_ char *node =
        mem_printf("%s%lld", settings->prefix, (long long)settings->first + (long long)i);
    const struct worker_shell_config shell = {
        .root = settings->program.root,
        .node = node,
        .datacenter = "dc1",
        .capacity = settings->capacity,
        .boot_id = "simulated",
        .interval_ms = settings->interval_ms,
        .seed = prng_next(&fleet->base.prng),
        .runtimes = {[RUNTIME_SIMULATED] = true},
    };
    const struct mqtt_bus_config bus = program_bus_config(&fleet->base, &settings->program);
    const struct fleet_worker_config config = {&shell, &bus};
    return fleet_worker_new(&config, &fleet->workers[i], err);
}

static int make_workers(struct fleet *fleet, struct err *err)
{
    size_t count = (size_t)fleet->settings.count;
    int result = 0;
    fleet->workers = mem_alloc(count * sizeof *fleet->workers);
    for (; fleet->made < count && !result; fleet->made += !result)
        result = make_worker(fleet, fleet->made, err);
    return result;
}

/* So that the broker's queue of connections does not overflow. */
static void start_some(void *context)
{
    struct fleet *fleet = context;
    size_t until = fleet->started + (size_t)fleet->settings.per_second * START_EVERY_MS / 1000;
    for (; fleet->started < until && fleet->started < fleet->made; fleet->started++)
        fleet_worker_start(fleet->workers[fleet->started]);
    if (fleet->started < fleet->made)
        program_rearm(&fleet->base, clock_now(&clock_system).mono_ms + START_EVERY_MS);
    else
        answer("started %zu", fleet->started);
}

/* ---- what it is asked ---- */

static void count(const struct fleet *fleet)
{
    size_t connected = 0, settled = 0;
    for (size_t i = 0; i < fleet->started; i++) {
        connected += fleet_worker_connected(fleet->workers[i]);
        settled += fleet_worker_settled(fleet->workers[i]);
    }
    answer("connected %zu settled %zu of %zu", connected, settled, fleet->made);
}

static void report(const struct fleet *fleet, const char *path)
{
    FILE *out = fopen(path, "w");
    size_t running = 0;
    for (size_t i = 0; out && i < fleet->started; i++)
        running += fleet_worker_report(fleet->workers[i], out);
    if (!out || fclose(out))
        answer("cannot write %s: %s", path, strerror(errno));
    else
        answer("running %zu", running);
}

static void end(const struct fleet *fleet, size_t each)
{
    struct fleet_tally tally = {0};
    size_t ended = 0;
    for (size_t i = 0; i < fleet->started; i++)
        ended += fleet_worker_end(fleet->workers[i], each, &tally);
    answer("ended %zu of %zu runs %lld", ended, tally.running, (long long)tally.runs);
}

static void reconnect(struct fleet *fleet)
{
    for (size_t i = 0; i < fleet->started; i++)
        fleet_worker_reconnect(fleet->workers[i]);
    answer("reconnecting");
}

static void obey(struct fleet *fleet, const char *line)
{
    if (!strcmp(line, "count"))
        count(fleet);
    else if (!strcmp(line, "reconnect"))
        reconnect(fleet);
    else if (!strncmp(line, "report ", 7))
        report(fleet, line + 7);
    else if (!strncmp(line, "end ", 4))
        end(fleet, strtoul(line + 4, NULL, 10));
    else
        answer("no such command: %s", line);
}

static void on_input(void *context, int events)
{
    (void)events;
    struct fleet *fleet = context;
    size_t room = sizeof fleet->line - fleet->line_length;
    ssize_t got = read(COMMANDS, fleet->line + fleet->line_length, room);
    if (got <= 0) {
        loop_stop(fleet->base.loop);
        return;
    }
    fleet->line_length += (size_t)got;
    for (char *end; (end = memchr(fleet->line, '\n', fleet->line_length));) {
        *end = '\0';
        obey(fleet, fleet->line);
        fleet->line_length -= (size_t)(end + 1 - fleet->line);
        memmove(fleet->line, end + 1, fleet->line_length);
    }
}

/* ---- the process ---- */

static int run(struct fleet *fleet)
{
    struct err err = {0};
    program_open(&fleet->base, start_some, fleet);
    fleet->input = loop_poll_new(fleet->base.loop, COMMANDS, on_input, fleet);
    loop_poll_set(fleet->input, LOOP_READABLE);
    int result = make_workers(fleet, &err);
    if (result) {
        log_error("%s", err.text);
    } else {
        program_rearm(&fleet->base, 0);
        loop_run(fleet->base.loop);
    }
    return result ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    static struct fleet fleet;
    struct arena arena = ARENA_EMPTY;
    int code = program_load(&options, argc, argv, &fleet.settings, &arena, derive);
    if (code < 0) {
        log_init("fleet", fleet.settings.program.log_level);
        code = run(&fleet);
    }
    arena_release(&arena);
    return code;
}
