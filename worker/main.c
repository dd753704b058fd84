/* argosy-worker: settings, adapters, the loop.
 *
 *   settings -> store opened -> shell (reads the store) -> runtimes, bus -> loop, until SIGTERM or
 * SIGINT
 *
 * Exit codes: 0 ended on request, 1 cannot work (the reason on stderr), 2 wrong options. Tasks run
 * on when the worker ends, whatever the way. */
#include "platform/adapters/bus_mqtt.h"
#include "platform/adapters/clock_system.h"
#include "platform/adapters/loop.h"
#include "platform/adapters/random_system.h"
#include "platform/adapters/store_lmdb.h"
#include "platform/base/log.h"
#include "platform/base/mem.h"
#include "worker/runtime/docker.h"
#include "worker/runtime/process.h"
#include "worker/runtime/simulated.h"
#include "worker/settings.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EXIT_USAGE = 2, CLOSE_TIMEOUT_MS = 2000 };

struct program {
    struct settings settings;
    struct arena arena;
    struct prng prng;
    struct system_sampler sampler;
    struct loop *loop;
    struct loop_timer *timer;
    struct loop_signal *signals[2];
    struct store *store;
    struct worker_shell *shell;
    struct bus *bus;
    struct runtime *runtimes[RUNTIME_KIND_COUNT];
};

/* ---- what the shell asks of its process ---- */

static void rearm(void *context, int64_t mono_ms)
{
    struct program *program = context;
    loop_timer_set(program->timer, mono_ms);
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

static void on_signal(void *context)
{
    struct program *program = context;
    log_info("asked to end; tasks run on");
    loop_stop(program->loop);
}

/* ---- making ---- */

/* mkdir -p: the data directory is the only one that we make unasked. */
static int directory_make(const char *path, struct err *err)
{
    char partial[PATH_MAX];
    snprintf(partial, sizeof(partial), "%s", path);
    for (char *cursor = partial + 1; *cursor; cursor++) {
        if (*cursor == '/') {
            *cursor = '\0';
            mkdir(partial, 0755);
            *cursor = '/';
        }
    }
    if (mkdir(partial, 0700) && errno != EEXIST) {
        return err_set_errno(err, ERR_IO, errno, "cannot make the data directory %s", path);
    }
    return 0;
}

static int make_shell(struct program *program, struct err *err)
{
    const struct settings *settings = &program->settings;
    struct worker_shell_config config = {
        .root = settings->root,
        .node = settings->node_id,
        .datacenter = settings->datacenter,
        .address = settings->address,
        .labels = settings->labels,
        .attributes = settings->attributes,
        .capacity = settings->capacity,
        .boot_id = settings->system.boot_id,
        .interval_ms = settings->interval_ms,
        .seed = random_system_seed(),
        .store = program->store,
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
        .prng = &program->prng,
    };
    return docker_runtime_new(&config, handler, program->loop);
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
    return process_runtime_new(&config, handler, program->loop, err);
}

static struct runtime *make_simulated(struct program *program,
                                      const struct runtime_handler *handler, struct err *err)
{
    (void)err;
    return simulated_runtime_new_on_loop(
        program->settings.node_id, worker_shell_cluster(program->shell), handler, program->loop);
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
    const struct settings *settings = &program->settings;
    struct mqtt_bus_config config = {
        .loop = program->loop,
        .clock = &clock_system,
        .prng = &program->prng,
        .root = settings->root,
        .client_id = settings->client_id,
        .brokers = settings->brokers.items,
        .broker_count = settings->brokers.count,
        .keepalive_s = (int)(settings->keepalive_ms / 1000),
        .protocol = settings->protocol,
        .username = settings->username,
        .password = settings->password,
        .ca_file = settings->ca_file,
        .certificate_file = settings->certificate_file,
        .key_file = settings->key_file,
        .handler = worker_shell_bus_handler(program->shell),
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
    program->sampler =
        (struct system_sampler){.proc = "/proc", .directory = program->settings.data_dir};
    int result = directory_make(program->settings.data_dir, err);
    if (!result) {
        settings_measure(&program->settings, &program->arena);
        result = lmdb_store_open(program->settings.store_dir, &program->store, err);
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
    if (program->store) {
        program->store->ops->close(program->store);
    }
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
    options_describe(&worker_options, &program->settings, &described);
    log_info("argosy-worker %s: %s", ARGOSY_VERSION, buf_text(&described));
    if (make_all(program, &err)) {
        log_error("%s", err.text);
        return EXIT_FAILURE;
    }
    worker_shell_start(program->shell, program->bus);
    loop_run(program->loop);
    worker_shell_stop(program->shell);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    struct program program = {.settings = {.node_id = NULL}};
    _cleanup_problems_ struct problems problems = {0};
    int result = options_load(&worker_options, argc, argv, (const char *const *)environ,
                              &program.settings, &program.arena, &problems);
    if (!result) {
        log_init("argosy-worker", LOG_LEVEL_INFO);
        result = settings_derive(&program.settings, &program.arena, &problems);
    }
    if (result) {
        options_print_problems(&worker_options, &problems);
        arena_release(&program.arena);
        return result > 0 ? EXIT_SUCCESS : EXIT_USAGE;
    }
    log_init(program.settings.node_id, program.settings.log_level);
    int code = run(&program);
    release(&program);
    return code;
}
