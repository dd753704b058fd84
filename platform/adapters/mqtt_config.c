#include "platform/adapters/mqtt_config.h"

#include "platform/adapters/mqtt_address.h"
#include "platform/base/mem.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *copy_or_null(const char *text)
{
    return text ? mem_strdup(text) : NULL;
}

/* The first line of a file, without its end. */
static int read_password(const char *path, const char **ret_password, struct err *err)
{
    _cleanup_free_ char *line = NULL;
    size_t size = 0;
    FILE *file = fopen(path, "re");
    if (!file)
        return err_set_errno(err, ERR_IO, errno, "--password-file %s", path);
    ssize_t length = getline(&line, &size, file);
    fclose(file);
    if (length < 0)
        return err_set(err, ERR_INVALID, "--password-file %s is empty", path);
    line[strcspn(line, "\r\n")] = '\0';
    *ret_password = line;
    line = NULL;
    return 0;
}

static int copy_brokers(const struct mqtt_bus_config *config, struct mqtt_bus_config *copy,
                        struct err *err)
{
    char **uris = mem_alloc(config->broker_count * sizeof *uris);
    copy->brokers = (const char *const *)uris;
    copy->broker_count = 0;
    for (size_t i = 0; i < config->broker_count; i++) {
        int result = mqtt_address_parse(config->brokers[i], &uris[i], err);
        if (result)
            return result;
        copy->broker_count++;
    }
    return 0;
}

int mqtt_config_copy(const struct mqtt_bus_config *config, struct mqtt_bus_config *ret_copy,
                     struct err *err)
{
    ASSERT(config->broker_count);
    struct mqtt_bus_config copy = *config;
    copy.root = NULL;
    copy.client_id = mem_strdup(config->client_id);
    copy.username = copy_or_null(config->username);
    copy.password = copy_or_null(config->password);
    copy.ca_file = copy_or_null(config->ca_file);
    copy.certificate_file = copy_or_null(config->certificate_file);
    copy.key_file = copy_or_null(config->key_file);
    copy.password_file = NULL;
    int result = copy_brokers(config, &copy, err);
    if (!result && config->password_file && !config->password)
        result = read_password(config->password_file, &copy.password, err);
    if (result) {
        mqtt_config_release(&copy);
        return result;
    }
    *ret_copy = copy;
    return 0;
}

void mqtt_config_release(struct mqtt_bus_config *copy)
{
    const char *const owned[] = {copy->client_id, copy->username,         copy->password,
                                 copy->ca_file,   copy->certificate_file, copy->key_file};
    for (size_t i = 0; i < ARRAY_LENGTH(owned); i++)
        free((char *)(uintptr_t)owned[i]);
    for (size_t i = 0; i < copy->broker_count; i++)
        free((char *)(uintptr_t)copy->brokers[i]);
    free((char **)(uintptr_t)copy->brokers);
}
