/* The table of options, and the rules between them. */
#include "worker/settings.h"

#include "platform/base/mem.h"
#include "schema/topics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct option_row rows[] = {
    OPTION_ROW('n', "node", TEXT, node_id, NULL, "ID",
               "id of this node (default: the host's name)"),
    OPTION_ROW(0, "datacenter", TEXT, datacenter, "dc1", "NAME", "datacenter of this node"),
    OPTION_ROW('l', "label", MAP, labels, NULL, "KEY=VALUE", "label of this node; may be repeated"),
    OPTION_ROW(0, "address", TEXT, address, NULL, "ADDRESS", "where published ports are reached"),
    OPTION_ROW(0, "bind", TEXT, bind, NULL, "ADDRESS",
               "published ports listen there (default: everywhere)"),
    PROGRAM_OPTION_ROWS("/var/lib/argosy/worker"),
    OPTION_ROW(0, "cpu", CPU, capacity_cpu, NULL, "CORES", "offered cores (default: all)"),
    OPTION_ROW(0, "memory", SIZE, capacity_memory, NULL, "SIZE", "offered memory (default: all)"),
    OPTION_ROW(0, "disk", SIZE, capacity_disk, NULL, "SIZE", "offered disk (default: all)"),
    OPTION_ROW(0, "reserve-cpu", CPU, reserve_cpu, "0", "CORES",
               "kept back for the machine itself"),
    OPTION_ROW(0, "reserve-memory", SIZE, reserve_memory, "0", "SIZE",
               "kept back for the machine itself"),
    OPTION_ROW(0, "reserve-disk", SIZE, reserve_disk, "0", "SIZE",
               "kept back for the machine itself"),
    OPTION_ROW(0, "ports", TEXT, ports_text, NULL, "FIRST-LAST",
               "host ports for ports without a number"),
    OPTION_ROW('i', "interval", DURATION, interval_ms, "10s", "TIME",
               "heartbeat, unless the manager says", .min = LIMIT_HEARTBEAT_MIN_MS,
               .max = LIMIT_HEARTBEAT_MAX_MS),
    OPTION_ROW('r', "runtimes", LIST, runtime_names, "docker", "NAMES",
               "allowed runtimes: docker, process, simulated"),
    OPTION_ROW('e', "engine", TEXT, engine, NULL, "SOCKET",
               "the container engine's socket (default: $DOCKER_HOST, /var/run/docker.sock)"),
    OPTION_ROW(0, "shim", TEXT, shim, NULL, "FILE",
               "the argosy-shim program (default: beside this one)"),
};

const struct options worker_options = {
    .program = "argosy-worker",
    .summary = "Runs the tasks that are assigned to this node.",
    .rows = rows,
    .count = ARRAY_LENGTH(rows),
};

/* ---- words ---- */

static void derive_runtimes(struct settings *settings, struct problems *problems)
{
    static const char *const names[] = {"docker", "process", "simulated"};
    for (size_t i = 0; i < settings->runtime_names.count; i++) {
        const char *name = settings->runtime_names.items[i];
        bool known = false;
        for (size_t kind = 0; kind < ARRAY_LENGTH(names); kind++) {
            if (!strcmp(name, names[kind])) {
                settings->runtimes[kind + RUNTIME_DOCKER] = known = true;
            }
        }
        if (!known) {
            problems_add(problems, "--runtimes", "docker, process or simulated",
                         "there is no runtime %s", name);
        }
    }
}

/* ---- numbers ---- */

static void derive_ports(struct settings *settings, struct problems *problems)
{
    const char *text = settings->ports_text;
    long long first = 0, last = 0;
    char rest = '\0';
    if (!text) {
        return;
    }
    bool parsed = sscanf(text, "%lld-%lld%c", &first, &last, &rest) == 2;
    if (!parsed || first < 1 || last > 65535 || first > last) {
        problems_add(problems, "--ports", "such as 20000-20999", "%s is no range of ports", text);
        return;
    }
    settings->ports = (struct port_range){first, last};
}

static int64_t offered(int64_t configured, int64_t found, int64_t reserved)
{
    int64_t whole = configured == UNSET ? found : configured;
    return whole > reserved ? whole - reserved : 0;
}

static void derive_capacity(struct settings *settings)
{
    const struct system_info *system = &settings->system;
    settings->capacity = (struct capacity){
        .cpu_millis = offered(settings->capacity_cpu, system->cpu_millis, settings->reserve_cpu),
        .memory_bytes =
            offered(settings->capacity_memory, system->memory_bytes, settings->reserve_memory),
        .disk_bytes = offered(settings->capacity_disk, system->disk_bytes, settings->reserve_disk),
    };
}

/* ---- names ---- */

static void derive_engine(struct settings *settings)
{
    static const char scheme[] = "unix://";
    const char *engine = settings->engine ? settings->engine : getenv("DOCKER_HOST");
    engine = engine && engine[0] ? engine : "/var/run/docker.sock";
    bool has_scheme = !strncmp(engine, scheme, sizeof(scheme) - 1);
    settings->engine_socket = has_scheme ? engine + sizeof(scheme) - 1 : engine;
}

/* Clusters with other roots may use the same broker and node ids. */
static void derive_client_id(struct settings *settings, struct arena *arena)
{
    char *id = arena_printf(arena, "%s-worker-%s", settings->program.root, settings->node_id);
    for (char *cursor = id; cursor && *cursor; cursor++) {
        *cursor = *cursor == '/' ? '-' : *cursor;
    }
    settings->client_id = id;
}

static void derive_attributes(struct settings *settings, struct arena *arena)
{
    const struct system_info *system = &settings->system;
    const struct string_pair pairs[] = {
        {"arch", system->arch},
        {"cpu.cores", arena_printf(arena, "%lld", (long long)(system->cpu_millis / 1000))},
        {"hostname", system->hostname},
        {"kernel.version", system->kernel},
        {"os", system->os},
    };
    settings->attributes.items = arena_array(arena, ARRAY_LENGTH(pairs), sizeof(pairs[0]));
    for (size_t i = 0; i < ARRAY_LENGTH(pairs); i++) {
        if (pairs[i].value && pairs[i].value[0]) {
            settings->attributes.items[settings->attributes.count++] = pairs[i];
        }
    }
}

static void check_names(const struct settings *settings, struct problems *problems)
{
    if (!settings->node_id || !node_id_is_valid(settings->node_id)) {
        problems_add(problems, "--node",
                     "lower-case letters, digits and -, at most 63, not starting with -",
                     "%s cannot be a node's id", settings->node_id ? settings->node_id : "nothing");
    }
}

void settings_derive(void *given, struct arena *arena, struct problems *problems)
{
    struct settings *settings = given;
    program_settings_derive(&settings->program, arena, problems);
    system_info_read("/proc", settings->program.data_dir, arena, &settings->system);
    if (!settings->node_id) {
        settings->node_id = settings->system.node_id;
    }
    settings->tasks_dir = arena_printf(arena, "%s/tasks", settings->program.data_dir);
    derive_engine(settings);
    derive_client_id(settings, arena);
    derive_ports(settings, problems);
    derive_runtimes(settings, problems);
    check_names(settings, problems);
}

void settings_measure(struct settings *settings, struct arena *arena)
{
    system_info_read("/proc", settings->program.data_dir, arena, &settings->system);
    derive_capacity(settings);
    derive_attributes(settings, arena);
}
