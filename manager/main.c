/* argosy-manager: settings, adapters, the loop.
 *
 *   settings -> store opened -> shell (reads the store) -> two buses -> loop, until SIGTERM or
 *   SIGINT -> offline
 *
 * Exit codes: 0 ended on request, 1 cannot work (the reason on stderr), 2 wrong options. */
#include "manager/settings.h"
#include "manager/shell/shell.h"
#include "platform/adapters/clock_system.h"
#include "platform/adapters/directory.h"
#include "platform/adapters/random_system.h"
#include "platform/adapters/store_background.h"
#include "platform/adapters/zoneinfo.h"

#include <stdlib.h>

enum { CLOSE_TIMEOUT_MS = 2000 };

struct program {
    struct program_base base;
    struct settings settings;
    struct arena arena;
    struct manager_shell *shell;
    struct bus *bus;
    struct bus *commands;
};

static void rearm(void *context, int64_t mono_ms)
{
    struct program *program = context;
    program_rearm(&program->base, mono_ms);
}

static void on_timer(void *context)
{
    struct program *program = context;
    manager_shell_on_timer(program->shell);
}

static int make_shell(struct program *program, struct err *err)
{
    const struct settings *settings = &program->settings;
    struct manager_shell_config config = {
        .root = settings->program.root,
        .id = settings->id,
        .store = program->base.store,
        .clock = &clock_system,
        .zones = &zoneinfo,
        .seed = random_system_seed(),
        .grace_ms = settings->grace_ms,
        .keepalive_ms = settings->program.keepalive_ms,
        .policy = settings->policy,
        .preemption = settings->preemption,
        .context = program,
        .rearm = rearm,
    };
    return manager_shell_new(&config, &program->shell, err);
}

static int make_buses(struct program *program, struct err *err)
{
    struct mqtt_bus_config config = program_bus_config(&program->base, &program->settings.program);
    config.client_id =
        arena_printf(&program->arena, "argosy-manager-%s", manager_shell_id(program->shell));
    config.handler = manager_shell_bus_handler(program->shell);
    int result = mqtt_bus_new(&config, &program->bus, err);
    if (result)
        return result;
    config.client_id = manager_shell_commands_id(program->shell);
    config.persistent = true; /* commands wait at the broker while we are away */
    config.handler = manager_shell_commands_handler(program->shell);
    return mqtt_bus_new(&config, &program->commands, err);
}

static int make_all(struct program *program, struct err *err)
{
    program_open(&program->base, on_timer, program);
    int result = directory_make(program->settings.program.data_dir, err);
    if (!result)
        result = program_open_store(&program->base, &program->settings.program, err);
    if (!result) {
        program->base.store = background_store_new(program->base.store, program->base.loop);
        result = make_shell(program, err);
    }
    return result ? result : make_buses(program, err);
}

static void release(struct program *program)
{
    if (program->bus)
        program->bus->ops->close(program->bus, CLOSE_TIMEOUT_MS);
    manager_shell_free(program->shell);
    program_close(&program->base);
}

static int run(struct program *program)
{
    struct err err = {0};
    _cleanup_buf_ struct buf described = BUF_EMPTY;
    options_describe(&manager_program_options, &program->settings, &described);
    log_info("argosy-manager %s: %s", ARGOSY_VERSION, buf_text(&described));
    int result = make_all(program, &err);
    if (result) {
        log_error("%s", err.text);
    } else {
        manager_shell_start(program->shell, program->bus, program->commands);
        loop_run(program->base.loop);
        manager_shell_stop(program->shell);
    }
    release(program);
    return result ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    struct program program = {.settings = {.id = NULL}};
    int code = program_load(&manager_program_options, argc, argv, &program.settings, &program.arena,
                            settings_derive);
    if (code < 0) {
        log_init("argosy-manager", program.settings.program.log_level);
        code = run(&program);
    }
    arena_release(&program.arena);
    return code;
}
