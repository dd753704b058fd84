/* argosy-manager: settings, adapters, the loop.
 *
 *   settings -> store opened -> shell (reads the store) -> bus -> loop, until SIGTERM or SIGINT ->
 * offline
 *
 * Exit codes: 0 ended on request, 1 cannot work (the reason on stderr), 2 wrong options. */
#include "manager/settings.h"
#include "manager/shell/shell.h"
#include "platform/adapters/clock_system.h"
#include "platform/adapters/loop.h"
#include "platform/adapters/random_system.h"
#include "platform/adapters/store_lmdb.h"
#include "platform/base/mem.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { EXIT_USAGE = 2, CLOSE_TIMEOUT_MS = 2000 };

struct program {
    struct settings settings;
    struct arena arena;
    struct prng prng;
    struct loop *loop;
    struct loop_timer *timer;
    struct loop_signal *signals[2];
    struct store *store;
    struct manager_shell *shell;
    struct bus *bus;
};

static void rearm(void *context, int64_t mono_ms)
{
    struct program *program = context;
    loop_timer_set(program->timer, mono_ms);
}

static void on_timer(void *context)
{
    struct program *program = context;
    manager_shell_on_timer(program->shell);
}

static void on_signal(void *context)
{
    struct program *program = context;
    log_info("asked to end; what runs goes on");
    loop_stop(program->loop);
}

/* ---- making ---- */

/* mkdir -p: the data directory is the only one that we make unasked. */
static int directory_make(const char *path, struct err *err)
{
    char partial[PATH_MAX];
    snprintf(partial, sizeof(partial), "%s", path);
    for (char *cursor = partial + 1; *cursor; cursor++) {
        if (*cursor != '/')
            continue;
        *cursor = '\0';
        mkdir(partial, 0755);
        *cursor = '/';
    }
    if (mkdir(partial, 0700) && errno != EEXIST)
        return err_set_errno(err, ERR_IO, errno, "cannot make the data directory %s", path);
    return 0;
}

static int make_shell(struct program *program, struct err *err)
{
    const struct settings *settings = &program->settings;
    struct manager_shell_config config = {
        .root = settings->root,
        .id = settings->id,
        .store = program->store,
        .clock = &clock_system,
        .seed = random_system_seed(),
        .grace_ms = settings->grace_ms,
        .keepalive_ms = settings->keepalive_ms,
        .context = program,
        .rearm = rearm,
    };
    return manager_shell_new(&config, &program->shell, err);
}

static int make_bus(struct program *program, struct err *err)
{
    const struct settings *settings = &program->settings;
    struct mqtt_bus_config config = {
        .loop = program->loop,
        .clock = &clock_system,
        .prng = &program->prng,
        .root = settings->root,
        .client_id =
            arena_printf(&program->arena, "argosy-manager-%s", manager_shell_id(program->shell)),
        .persistent = true, /* commands wait at the broker while we are away */
        .brokers = settings->brokers.items,
        .broker_count = settings->brokers.count,
        .keepalive_s = (int)(settings->keepalive_ms / 1000),
        .protocol = settings->protocol,
        .username = settings->username,
        .password = settings->password,
        .ca_file = settings->ca_file,
        .certificate_file = settings->certificate_file,
        .key_file = settings->key_file,
        .handler = manager_shell_bus_handler(program->shell),
    };
    return mqtt_bus_new(&config, &program->bus, err);
}

static int make_all(struct program *program, struct err *err)
{
    program->loop = loop_new();
    program->timer = loop_timer_new(program->loop, on_timer, program);
    program->signals[0] = loop_signal_new(program->loop, SIGTERM, on_signal, program);
    program->signals[1] = loop_signal_new(program->loop, SIGINT, on_signal, program);
    prng_init(&program->prng, random_system_seed());
    int result = directory_make(program->settings.data_dir, err);
    if (!result)
        result = lmdb_store_open(program->settings.store_dir, &program->store, err);
    if (!result)
        result = make_shell(program, err);
    return result ? result : make_bus(program, err);
}

/* ---- ending ---- */

static void release(struct program *program)
{
    if (program->bus)
        program->bus->ops->close(program->bus, CLOSE_TIMEOUT_MS);
    manager_shell_free(program->shell);
    if (program->store)
        program->store->ops->close(program->store);
    loop_signal_free(program->signals[0]);
    loop_signal_free(program->signals[1]);
    loop_timer_free(program->timer);
    loop_free(program->loop);
    arena_release(&program->arena);
}

static int run(struct program *program)
{
    struct err err = {0};
    _cleanup_buf_ struct buf described = BUF_EMPTY;
    options_describe(&manager_program_options, &program->settings, &described);
    log_info("argosy-manager %s: %s", ARGOSY_VERSION, buf_text(&described));
    if (make_all(program, &err)) {
        log_error("%s", err.text);
        return EXIT_FAILURE;
    }
    manager_shell_start(program->shell, program->bus);
    loop_run(program->loop);
    manager_shell_stop(program->shell);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    struct program program = {.settings = {.id = NULL}};
    _cleanup_problems_ struct problems problems = {0};
    int result = options_load(&manager_program_options, argc, argv, (const char *const *)environ,
                              &program.settings, &program.arena, &problems);
    if (!result)
        result = settings_derive(&program.settings, &program.arena, &problems);
    if (result) {
        options_print_problems(&manager_program_options, &problems);
        arena_release(&program.arena);
        return result > 0 ? EXIT_SUCCESS : EXIT_USAGE;
    }
    log_init("argosy-manager", program.settings.log_level);
    int code = run(&program);
    release(&program);
    return code;
}
