/* argosy-worker: settings, adapters, the loop.
 *
 *   settings -> store opened -> shell (reads the store) -> runtimes, bus -> loop, until SIGTERM or
 * SIGINT
 *
 * Exit codes: 0 ended on request, 1 cannot work (the reason on stderr), 2 wrong options. Tasks run
 * on when the worker ends, whatever the way. */
#include "platform/adapters/clock_system.h"
#include "platform/adapters/directory.h"
#include "platform/adapters/random_system.h"
#include "platform/base/mem.h"
#include "worker/runtime/docker.h"
#include "worker/runtime/process.h"
#include "worker/runtime/simulated.h"
#include "worker/settings.h"

#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CLOSE_TIMEOUT_MS = 2000 };

struct program {
    struct program_base base;
    struct settings settings;
    struct arena arena;
    struct system_sampler sampler;
    struct worker_shell *shell;
    struct bus *bus;
    struct runtime *runtimes[RUNTIME_KIND_COUNT];
};

/* ---- what the shell asks of its process ---- */

static void rearm(void *context, int64_t mono_ms)
{
    struct program *program = context;
    program_rearm(&program->base, mono_ms);
}

static void on_timer(void *context)
{
    struct program *program = context;
    worker_shell_on_timer(program->shell);
}

static void sample(void *context, metric_add_fn *add, void *to)
{
    struct program *program = context;
    system_sample(&program->sampler, add, to);
}

/* ---- making ---- */

static int make_shell(struct program *program, struct err *err)
{
    const struct settings *settings = &program->settings;
    struct worker_shell_config config = {
        .root = settings->program.root,
        .node = settings->node_id,
        .datacenter = settings->datacenter,
        .address = settings->address,
        .labels = settings->labels,
        .attributes = settings->attributes,
        .capacity = settings->capacity,
        .boot_id = settings->system.boot_id,
        .interval_ms = settings->interval_ms,
        .seed = random_system_seed(),
        .store = program->base.store,
        .clock = &clock_system,
        .context = program,
        .rearm = rearm,
        .sample = sample,
    };
    memcpy(config.runtimes, settings->runtimes, sizeof(config.runtimes));
    return worker_shell_new(&config, &program->shell, err);
}

typedef struct runtime *runtime_maker(struct program *program,
                                      const struct runtime_handler *handler, struct err *err);

static struct runtime *make_docker(struct program *program, const struct runtime_handler *handler,
                                   struct err *err)
{
    (void)err; /* an engine that does not answer is no error: it may come */
    struct docker_runtime_config config = {
        .socket_path = program->settings.engine_socket,
        .node = program->settings.node_id,
        .cluster = worker_shell_cluster(program->shell),
        .bind_address = program->settings.bind,
        .ports = program->settings.ports,
        .prng = &program->base.prng,
    };
    return docker_runtime_new(&config, handler, program->base.loop);
}

static const char *shim_path(struct program *program)
{
    char self[PATH_MAX] = "";
    if (program->settings.shim) {
        return program->settings.shim;
    }
    if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0) {
        return "argosy-shim";
    }
    return arena_printf(&program->arena, "%s/argosy-shim", dirname(self));
}

static struct runtime *make_process(struct program *program, const struct runtime_handler *handler,
                                    struct err *err)
{
    struct process_runtime_config config = {
        .data_dir = program->settings.tasks_dir,
        .shim_path = shim_path(program),
        .node = program->settings.node_id,
        .cluster = worker_shell_cluster(program->shell),
        .ports = program->settings.ports,
    };
    return process_runtime_new(&config, handler, program->base.loop, err);
}

static struct runtime *make_simulated(struct program *program,
                                      const struct runtime_handler *handler, struct err *err)
{
    (void)err;
    return simulated_runtime_new_on_loop(program->settings.node_id,
                                         worker_shell_cluster(program->shell), handler,
                                         program->base.loop);
}

static runtime_maker *const runtime_makers[RUNTIME_KIND_COUNT] = {
    [RUNTIME_DOCKER] = make_docker,
    [RUNTIME_PROCESS] = make_process,
    [RUNTIME_SIMULATED] = make_simulated,
};

static int make_runtimes(struct program *program, struct err *err)
{
    for (int kind = RUNTIME_DOCKER; kind < RUNTIME_KIND_COUNT; kind++) {
        if (!program->settings.runtimes[kind]) {
            continue;
        }
        struct runtime_handler handler = worker_shell_runtime_handler(program->shell, kind);
        program->runtimes[kind] = runtime_makers[kind](program, &handler, err);
        if (!program->runtimes[kind]) {
            return err_wrap(err, "a runtime cannot be used");
        }
        worker_shell_attach_runtime(program->shell, kind, program->runtimes[kind]);
    }
    return 0;
}

static int make_bus(struct program *program, struct err *err)
{
    struct mqtt_bus_config config = program_bus_config(&program->base, &program->settings.program);
    config.client_id = program->settings.client_id;
    config.handler = worker_shell_bus_handler(program->shell);
    return mqtt_bus_new(&config, &program->bus, err);
}

static int make_all(struct program *program, struct err *err)
{
    struct settings *settings = &program->settings;
    program_open(&program->base, on_timer, program);
    program->sampler =
        (struct system_sampler){.proc = "/proc", .directory = settings->program.data_dir};
    int result = directory_make(settings->program.data_dir, err);
    if (!result) {
        settings_measure(settings, &program->arena);
        result = program_open_store(&program->base, &settings->program, err);
    }
    if (!result) {
        result = make_shell(program, err);
    }
    if (!result) {
        result = make_runtimes(program, err);
    }
    return result ? result : make_bus(program, err);
}

/* ---- ending ---- */

static void release(struct program *program)
{
    if (program->bus) {
        program->bus->ops->close(program->bus, CLOSE_TIMEOUT_MS);
    }
    for (int kind = 0; kind < RUNTIME_KIND_COUNT; kind++) {
        if (program->runtimes[kind]) {
            program->runtimes[kind]->ops->close(program->runtimes[kind]);
        }
    }
    worker_shell_free(program->shell);
    program_close(&program->base);
}

static int run(struct program *program)
{
    struct err err = {0};
    _cleanup_buf_ struct buf described = BUF_EMPTY;
    options_describe(&worker_options, &program->settings, &described);
    log_info("argosy-worker %s: %s", ARGOSY_VERSION, buf_text(&described));
    int result = make_all(program, &err);
    if (result) {
        log_error("%s", err.text);
    } else {
        worker_shell_start(program->shell, program->bus);
        loop_run(program->base.loop);
        worker_shell_stop(program->shell);
    }
    release(program);
    return result ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    struct program program = {.settings = {.node_id = NULL}};
    int code = program_load(&worker_options, argc, argv, &program.settings, &program.arena,
                            settings_derive);
    if (code < 0) {
        log_init(program.settings.node_id, program.settings.program.log_level);
        code = run(&program);
    }
    arena_release(&program.arena);
    return code;
}
