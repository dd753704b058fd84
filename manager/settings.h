/* What argosy-manager can be told, and what follows from it. */
#ifndef ARGOSY_MANAGER_SETTINGS_H
#define ARGOSY_MANAGER_SETTINGS_H

#include "platform/adapters/bus_mqtt.h"
#include "platform/adapters/options.h"
#include "platform/base/log.h"

struct settings {
    /* as given */
    const char *id;
    const char *root;
    struct string_list brokers;
    const char *data_dir;
    int64_t grace_ms;
    int64_t keepalive_ms;
    const char *protocol_text;
    const char *username, *password, *ca_file, *certificate_file, *key_file;
    const char *log_level_text;

    /* what follows */
    const char *store_dir;
    enum mqtt_protocol protocol;
    enum log_level log_level;
};

extern const struct options manager_program_options;

/* Fills the second half from the first. -ERR_INVALID: see `problems`. */
int settings_derive(struct settings *settings, struct arena *arena, struct problems *problems);

#endif
