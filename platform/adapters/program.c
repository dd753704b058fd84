#include "platform/adapters/program.h"

#include "platform/adapters/clock_system.h"
#include "platform/adapters/random_system.h"
#include "platform/adapters/store_lmdb.h"
#include "platform/base/mem.h"
#include "schema/topics.h"

#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_USAGE = 2 };

/* ---- settings ---- */

static void derive_protocol(struct program_settings *settings, struct problems *problems)
{
    static const struct {
        const char *text;
        enum mqtt_protocol protocol;
    } words[] = {{"auto", MQTT_PROTOCOL_AUTO},
                 {"5", MQTT_PROTOCOL_5},
                 {"3.1.1", MQTT_PROTOCOL_3},
                 {"3", MQTT_PROTOCOL_3}};
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++)
        if (!strcmp(settings->protocol_text, words[i].text)) {
            settings->protocol = words[i].protocol;
            return;
        }
    problems_add(problems, "--protocol", "auto, 5 or 3.1.1", "there is no MQTT %s",
                 settings->protocol_text);
}

static void derive_log_level(struct program_settings *settings, struct problems *problems)
{
    int level = log_level_from_string(settings->log_level_text);
    if (level < 0)
        problems_add(problems, "--log-level", "error, warning, info or debug", "no such level: %s",
                     settings->log_level_text);
    else
        settings->log_level = (enum log_level)level;
}

void program_settings_derive(struct program_settings *settings, struct arena *arena,
                             struct problems *problems)
{
    derive_protocol(settings, problems);
    derive_log_level(settings, problems);
    if (!root_is_valid(settings->root))
        problems_add(problems, "--root", "levels of letters, digits, _ and -, such as argosy/v1",
                     "%s cannot be the root of topics", settings->root);
    settings->store_dir = arena_printf(arena, "%s/store", settings->data_dir);
}

int program_load(const struct options *options, int argc, char *const *argv, void *settings,
                 struct arena *arena,
                 void (*derive)(void *settings, struct arena *arena, struct problems *problems))
{
    _cleanup_problems_ struct problems problems = {0};
    int result =
        options_load(options, argc, argv, (const char *const *)environ, settings, arena, &problems);
    if (result > 0)
        return EXIT_SUCCESS;
    if (!result)
        derive(settings, arena, &problems);
    if (!problems_any(&problems))
        return -1;
    options_print_problems(options, &problems);
    return EXIT_USAGE;
}

/* ---- the process ---- */

static void on_signal(void *context)
{
    log_info("asked to end; what runs goes on");
    loop_stop(context);
}

void program_open(struct program_base *base, void (*on_due)(void *context), void *context)
{
    /* no other thread allocates so much that it needs an arena of its own */
    mallopt(M_ARENA_MAX, 1);
    base->loop = loop_new();
    base->timer = loop_timer_new(base->loop, on_due, context);
    base->signals[0] = loop_signal_new(base->loop, SIGTERM, on_signal, base->loop);
    base->signals[1] = loop_signal_new(base->loop, SIGINT, on_signal, base->loop);
    prng_init(&base->prng, random_system_seed());
}

void program_rearm(struct program_base *base, int64_t mono_ms)
{
    loop_timer_set(base->timer, mono_ms);
}

int program_open_store(struct program_base *base, const struct program_settings *settings,
                       struct err *err)
{
    return lmdb_store_open(settings->store_dir, &base->store, err);
}

struct mqtt_bus_config program_bus_config(struct program_base *base,
                                          const struct program_settings *settings)
{
    return (struct mqtt_bus_config){
        .loop = base->loop,
        .clock = &clock_system,
        .prng = &base->prng,
        .root = settings->root,
        .brokers = settings->brokers.items,
        .broker_count = settings->brokers.count,
        .keepalive_s = (int)(settings->keepalive_ms / 1000),
        .protocol = settings->protocol,
        .username = settings->username,
        .password = settings->password,
        .password_file = settings->password_file,
        .ca_file = settings->ca_file,
        .certificate_file = settings->certificate_file,
        .key_file = settings->key_file,
    };
}

void program_close(struct program_base *base)
{
    if (base->store)
        base->store->ops->close(base->store);
    loop_signal_free(base->signals[0]);
    loop_signal_free(base->signals[1]);
    loop_timer_free(base->timer);
    loop_free(base->loop);
}
