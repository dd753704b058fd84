/* A store with whatever in it: manager and worker start on it, or say why they do not, and go on.
 *
 * The input is lines, in pairs: "TABLE KEY", then the value. */
#include "manager/shell/shell.h"
#include "platform/adapters/bus_memory.h"
#include "platform/adapters/store_memory.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_store_worker.h"
#include "tests/store_write.h"

#include <stdlib.h>
#include <string.h>

enum { STEP_MS = 1000, STEPS = 5 };

struct seat { /* of one process under test */
    struct clock clock;
    struct now now;
    struct store *store;
    struct memory_broker *broker;
};

static struct now seat_now(struct clock *clock)
{
    return ((struct seat *)clock)->now;
}

/* A line as a string of its own; NULL: there is none left. */
static char *take_line(const char **at, const char *end)
{
    if (*at >= end)
        return NULL;
    const char *newline = memchr(*at, '\n', (size_t)(end - *at));
    size_t length = (size_t)((newline ? newline : end) - *at);
    char *line = mem_alloc(length + 1);
    memcpy(line, *at, length);
    *at = newline ? newline + 1 : end;
    return line;
}

static void fill(struct store *store, const char *at, const char *end)
{
    struct err err = {0};
    for (;;) {
        _cleanup_free_ char *name = take_line(&at, end);
        _cleanup_free_ char *value = name ? take_line(&at, end) : NULL;
        if (!value)
            return;
        unsigned table = (unsigned)(name[0] - '0');
        const char *key = name[0] && name[1] ? name + 2 : "";
        if (table >= STORE_TABLE_COUNT || !*key || strlen(key) > STORE_KEY_MAX)
            continue;
        ASSERT(!store_put(store, (enum store_table)table, key, value, &err));
    }
}

static void rearm(void *context, int64_t mono_ms)
{
    (void)context;
    (void)mono_ms;
}

static void run_manager(struct seat *seat)
{
    struct err err = {0};
    struct manager_shell *shell = NULL;
    struct manager_shell_config config = {
        .root = "t", .store = seat->store, .clock = &seat->clock, .seed = 1, .rearm = rearm};
    if (manager_shell_new(&config, &shell, &err)) {
        ASSERT(err.text[0]);
        return;
    }
    struct memory_bus_config bus_config = {.broker = seat->broker,
                                           .root = "t",
                                           .client_id = "m",
                                           .handler = manager_shell_bus_handler(shell)};
    struct bus *bus = memory_bus_new(&bus_config);
    bus_config.client_id = manager_shell_commands_id(shell);
    bus_config.handler = manager_shell_commands_handler(shell);
    manager_shell_start(shell, bus, memory_bus_new(&bus_config));
    for (int i = 0; i < STEPS; i++, seat->now.mono_ms += STEP_MS, seat->now.wall_ms += STEP_MS) {
        memory_broker_settle(seat->broker);
        manager_shell_on_timer(shell);
    }
    memory_bus_kill(bus);
    manager_shell_free(shell);
}

static void seat_run(const char *text, size_t size, bool of_worker)
{
    struct seat seat = {.clock = {seat_now}, .now = {1700000000000, 1000}};
    seat.store = memory_store_new();
    seat.broker = memory_broker_new();
    fill(seat.store, text, text + size);
    if (of_worker)
        fuzz_worker_run(seat.store, seat.broker, &seat.clock);
    else
        run_manager(&seat);
    memory_broker_free(seat.broker);
    seat.store->ops->close(seat.store);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    seat_run((const char *)data, size, false);
    seat_run((const char *)data, size, true);
    return 0;
}
