/* The table of options, and what follows from them. */
#include "manager/settings.h"

#include "platform/base/err.h"
#include "platform/base/mem.h"
#include "schema/limits.h"
#include "schema/topics.h"

#include <string.h>

#define ROW(letter_, name_, kind_, member, fallback_, argument_, help_, ...)                       \
    {                                                                                              \
        .name = name_, .letter = letter_, .kind = OPTION_##kind_,                                  \
        .offset = offsetof(struct settings, member), .fallback = fallback_, .argument = argument_, \
        .help = help_, __VA_ARGS__                                                                 \
    }

static const struct option_row rows[] = {
    ROW('b', "broker", LIST, brokers, "127.0.0.1:1883", "HOST[:PORT]",
        "MQTT brokers, tried in turn; ssl://HOST for TLS"),
    ROW(0, "root", TEXT, root, ARGOSY_ROOT_DEFAULT, "TOPIC", "root of all topics"),
    ROW('d', "data-dir", TEXT, data_dir, "/var/lib/argosy/manager", "DIR",
        "where the store is kept"),
    ROW(0, "id", TEXT, id, NULL, "ID", "id of this manager (default: the store's, or a new one)"),
    ROW('g', "grace", DURATION, grace_ms, "10s", "TIME",
        "a node is silent after three heartbeats that did not come, and this", .min = 1,
        .max = LIMIT_HEARTBEAT_MAX_MS),
    ROW('k', "keepalive", DURATION, keepalive_ms, "30s", "TIME", "MQTT keep-alive", .min = 1000,
        .max = 3600 * 1000),
    ROW(0, "protocol", TEXT, protocol_text, "auto", "VERSION", "MQTT version: auto, 5 or 3.1.1"),
    ROW('u', "username", TEXT, username, NULL, "NAME", "for the broker"),
    ROW(0, "password", TEXT, password, NULL, "TEXT", "for the broker", .secret = true),
    ROW(0, "ca-file", TEXT, ca_file, NULL, "FILE", "certificates that the broker's is checked by"),
    ROW(0, "certificate", TEXT, certificate_file, NULL, "FILE", "our certificate for the broker"),
    ROW(0, "key", TEXT, key_file, NULL, "FILE", "its key"),
    ROW(0, "log-level", TEXT, log_level_text, "info", "LEVEL", "error, warning, info or debug"),
};

const struct options manager_program_options = {
    .program = "argosy-manager",
    .summary = "Accepts jobs, places their tasks on nodes, and watches over both.",
    .rows = rows,
    .count = ARRAY_LENGTH(rows),
};

static void derive_protocol(struct settings *settings, struct problems *problems)
{
    static const struct {
        const char *text;
        enum mqtt_protocol protocol;
    } words[] = {{"auto", MQTT_PROTOCOL_AUTO},
                 {"5", MQTT_PROTOCOL_5},
                 {"3.1.1", MQTT_PROTOCOL_3},
                 {"3", MQTT_PROTOCOL_3}};
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++)
        if (strcmp(settings->protocol_text, words[i].text) == 0) {
            settings->protocol = words[i].protocol;
            return;
        }
    problems_add(problems, "--protocol", "auto, 5 or 3.1.1", "there is no MQTT %s",
                 settings->protocol_text);
}

static void derive_log_level(struct settings *settings, struct problems *problems)
{
    int level = log_level_from_string(settings->log_level_text);
    if (level < 0)
        problems_add(problems, "--log-level", "error, warning, info or debug", "no such level: %s",
                     settings->log_level_text);
    else
        settings->log_level = (enum log_level)level;
}

int settings_derive(struct settings *settings, struct arena *arena, struct problems *problems)
{
    derive_protocol(settings, problems);
    derive_log_level(settings, problems);
    if (settings->id && !node_id_is_valid(settings->id))
        problems_add(problems, "--id", "small letters, digits and -, at most 63",
                     "%s cannot be an id", settings->id);
    if (!root_is_valid(settings->root))
        problems_add(problems, "--root", "levels of letters, digits, _ and -",
                     "%s cannot be the root of topics", settings->root);
    settings->store_dir = arena_printf(arena, "%s/store", settings->data_dir);
    return problems_any(problems) ? -ERR_INVALID : 0;
}
