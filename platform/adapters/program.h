/* What argosy-manager and argosy-worker have in common around their shells: the options for broker,
 * store and log, and the loop with its timer, signals and store. */
#ifndef ARGOSY_ADAPTERS_PROGRAM_H
#define ARGOSY_ADAPTERS_PROGRAM_H

#include "platform/adapters/bus_mqtt.h"
#include "platform/adapters/options.h"
#include "platform/base/log.h"
#include "platform/ports/store.h"
#include "schema/limits.h"

struct program_settings {
    /* as given */
    const char *root;
    struct string_list brokers;
    const char *data_dir;
    int64_t keepalive_ms;
    const char *protocol_text;
    const char *username, *password, *password_file, *ca_file, *certificate_file, *key_file;
    const char *log_level_text;

    /* what follows */
    const char *store_dir;
    enum mqtt_protocol protocol;
    enum log_level log_level;
};

/* A row for `member` of the program's own settings. */
#define OPTION_ROW(letter_, name_, kind_, member, fallback_, argument_, help_, ...)                \
    {                                                                                              \
        .name = name_, .letter = letter_, .kind = OPTION_##kind_,                                  \
        .offset = offsetof(struct settings, member), .fallback = fallback_, .argument = argument_, \
        .help = help_, __VA_ARGS__                                                                 \
    }

/* The rows of a `struct program_settings program` in `struct settings`. */
#define PROGRAM_OPTION_ROWS(data_dir_)                                                       \
    OPTION_ROW('b', "broker", LIST, program.brokers, "127.0.0.1:1883", "HOST[:PORT]",        \
               "MQTT brokers, tried in turn; ssl://HOST for TLS"),                           \
        OPTION_ROW(0, "root", TEXT, program.root, ARGOSY_ROOT_DEFAULT, "TOPIC",              \
                   "root of all topics"),                                                    \
        OPTION_ROW('d', "data-dir", TEXT, program.data_dir, data_dir_, "DIR",                \
                   "where the store is kept"),                                               \
        OPTION_ROW('k', "keepalive", DURATION, program.keepalive_ms, "30s", "TIME",          \
                   "MQTT keep-alive", .min = 1000, .max = 3600 * 1000),                      \
        OPTION_ROW(0, "protocol", TEXT, program.protocol_text, "auto", "VERSION",            \
                   "MQTT version: auto, 5 or 3.1.1"),                                        \
        OPTION_ROW('u', "username", TEXT, program.username, NULL, "NAME", "for the broker"), \
        OPTION_ROW(0, "password", TEXT, program.password, NULL, "TEXT", "for the broker",    \
                   .secret = true),                                                          \
        OPTION_ROW(0, "password-file", TEXT, program.password_file, NULL, "FILE",            \
                   "its first line is the password"),                                        \
        OPTION_ROW(0, "ca-file", TEXT, program.ca_file, NULL, "FILE",                        \
                   "certificates that the broker's is checked by"),                          \
        OPTION_ROW(0, "certificate", TEXT, program.certificate_file, NULL, "FILE",           \
                   "our certificate for the broker"),                                        \
        OPTION_ROW(0, "key", TEXT, program.key_file, NULL, "FILE", "its key"),               \
        OPTION_ROW(0, "log-level", TEXT, program.log_level_text, "info", "LEVEL",            \
                   "error, warning, info or debug")

/* Fills the second half from the first; adds to `problems`. */
void program_settings_derive(struct program_settings *settings, struct arena *arena,
                             struct problems *problems);

struct program_base {
    struct loop *loop;
    struct loop_timer *timer;
    struct loop_signal *signals[2];
    struct store *store;
    struct prng prng;
};

/* The loop, a timer that calls `on_due`, and SIGTERM and SIGINT that end the loop. */
void program_open(struct program_base *base, void (*on_due)(void *context), void *context);
/* As their shells' `rearm`. */
void program_rearm(struct program_base *base, int64_t mono_ms);
int program_open_store(struct program_base *base, const struct program_settings *settings,
                       struct err *err);
/* What the settings say of a bus; client id, persistence and handler are the caller's. */
struct mqtt_bus_config program_bus_config(struct program_base *base,
                                          const struct program_settings *settings);
/* Everything that uses it must have been closed. */
void program_close(struct program_base *base);

/* Reads all options and derives by `derive`. -1: go on; otherwise the exit code, after all was
 * told. */
int program_load(const struct options *options, int argc, char *const *argv, void *settings,
                 struct arena *arena,
                 void (*derive)(void *settings, struct arena *arena, struct problems *problems));

#endif
