/* The small texts inside a job specification: ports, volumes, devices, health targets, signals,
 * globs. */
#include "schema/job_spec_text.h"

#include "platform/base/mem.h"
#include "schema/job_spec.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_digit(char character)
{
    return character >= '0' && character <= '9';
}

/* Reads 1..65535 without leading zero at *text and moves it behind. */
static bool port_take(const char **text, int64_t *ret_port)
{
    const char *at = *text;
    int64_t port = 0;
    if (*at == '0')
        return false;
    for (; is_digit(*at) && port <= 65535; at++)
        port = port * 10 + (*at - '0');
    if (at == *text || port > 65535)
        return false;
    *text = at;
    *ret_port = port;
    return true;
}

bool port_spec_parse(const char *text, struct port_spec *ret_port)
{
    struct port_spec port = {0};
    if (!port_take(&text, &port.container))
        return false;
    if (*text == ':') {
        text++;
        port.host = port.container;
        if (!port_take(&text, &port.container))
            return false;
    }
    port.udp = !strcmp(text, "/udp");
    if (*text && !port.udp && strcmp(text, "/tcp"))
        return false;
    *ret_port = port;
    return true;
}

bool port_text_is_valid(const char *text)
{
    struct port_spec port;
    return port_spec_parse(text, &port);
}

/* An absolute path without a colon. */
static bool path_is_valid(const char *text, size_t length)
{
    return length > 0 && length < 256 && text[0] == '/' && !memchr(text, ':', length);
}

static bool is_name_character(char character)
{
    return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
           is_digit(character) || character == '_' || character == '.' || character == '-';
}

static bool volume_name_is_valid(const char *text, size_t length)
{
    if (length == 0 || length > 100 || strchr("_.-", text[0]))
        return false;
    for (size_t i = 0; i < length; i++)
        if (!is_name_character(text[i]))
            return false;
    return true;
}

bool volume_spec_parse(const char *text, struct volume_spec *ret_volume)
{
    struct volume_spec volume = {0};
    size_t source = strcspn(text, ":");
    if (text[source] != ':' || !(path_is_valid(text, source) || volume_name_is_valid(text, source)))
        return false;
    const char *target = text + source + 1;
    size_t target_length = strcspn(target, ":");
    if (!path_is_valid(target, target_length))
        return false;
    const char *options = target + target_length;
    volume.read_only = !strcmp(options, ":ro");
    if (*options && !volume.read_only && strcmp(options, ":rw"))
        return false;
    memcpy(volume.source, text, source);
    memcpy(volume.target, target, target_length);
    *ret_volume = volume;
    return true;
}

bool volume_text_is_valid(const char *text)
{
    struct volume_spec volume;
    return volume_spec_parse(text, &volume);
}

bool device_text_is_valid(const char *text)
{
    size_t source = strcspn(text, ":");
    if (strncmp(text, "/dev/", 5) || !path_is_valid(text, source) || source == 5)
        return false;
    if (!text[source])
        return true;
    const char *target = text + source + 1;
    size_t length = strcspn(target, ":");
    if (strncmp(target, "/dev/", 5) || !path_is_valid(target, length) || length == 5)
        return false;
    const char *access = target + length;
    size_t letters = *access ? strlen(access + 1) : 0;
    return !*access || (letters && letters <= 3 && letters == strspn(access + 1, "rwm"));
}

static bool is_printable_without_space(const char *text)
{
    for (; *text; text++)
        if (*text <= ' ' || *text > '~')
            return false;
    return true;
}

bool health_target_parse(const char *text, bool http, int64_t *ret_port, const char **ret_path)
{
    static const char scheme[] = "http://";
    int64_t port;
    if (http && strncmp(text, scheme, strlen(scheme)))
        return false;
    text += http ? strlen(scheme) : 0;
    if (*text++ != ':' || !port_take(&text, &port))
        return false;
    if (*text && (!http || *text != '/' || !is_printable_without_space(text)))
        return false;
    *ret_port = port;
    *ret_path = *text ? text : "/";
    return true;
}

bool health_http_is_valid(const char *text)
{
    int64_t port;
    const char *path;
    return health_target_parse(text, true, &port, &path);
}

bool health_tcp_is_valid(const char *text)
{
    int64_t port;
    const char *path;
    return health_target_parse(text, false, &port, &path);
}

static const struct signal_row {
    const char *name;
    int number;
} signals[] = {
    {"SIGHUP", SIGHUP},     {"SIGINT", SIGINT},   {"SIGQUIT", SIGQUIT}, {"SIGABRT", SIGABRT},
    {"SIGKILL", SIGKILL},   {"SIGUSR1", SIGUSR1}, {"SIGUSR2", SIGUSR2}, {"SIGPIPE", SIGPIPE},
    {"SIGALRM", SIGALRM},   {"SIGTERM", SIGTERM}, {"SIGCONT", SIGCONT}, {"SIGSTOP", SIGSTOP},
    {"SIGWINCH", SIGWINCH}, {"SIGPWR", SIGPWR},
};

static const struct signal_row *signal_row(const char *text)
{
    for (size_t i = 0; text && i < ARRAY_LENGTH(signals); i++)
        if (!strcmp(signals[i].name, text) || !strcmp(signals[i].name + 3, text) ||
            (is_digit(text[0]) && strlen(text) <= 2 && atoi(text) == signals[i].number))
            return &signals[i];
    return NULL;
}

int signal_from_string(const char *text)
{
    const struct signal_row *row = signal_row(text);
    return row ? row->number : 0;
}

const char *signal_name(const char *text)
{
    const struct signal_row *row = signal_row(text);
    return row ? row->name : NULL;
}

bool signal_text_is_valid(const char *text)
{
    return signal_from_string(text) != 0;
}

bool image_is_valid(const char *text)
{
    if (!is_name_character(text[0]) || strchr("_.-", text[0]))
        return false;
    for (; *text; text++)
        if (!is_name_character(*text) && !strchr("/:@", *text))
            return false;
    return true;
}

bool datacenter_glob_is_valid(const char *text)
{
    if (!text[0])
        return false;
    for (; *text; text++)
        if (!is_name_character(*text) && *text != '*' && *text != '?')
            return false;
    return true;
}

bool env_name_is_valid(const char *text)
{
    if (is_digit(text[0]) || strchr(".-", text[0]))
        return false;
    for (; *text; text++)
        if (!is_name_character(*text))
            return false;
    return true;
}

bool label_key_is_valid(const char *text)
{
    if (!is_name_character(text[0]) || strchr("_.-", text[0]))
        return false;
    for (; *text; text++)
        if (!is_name_character(*text) && *text != '/')
            return false;
    return true;
}

bool user_is_valid(const char *text)
{
    if (!is_name_character(text[0]) || strchr(".-", text[0]))
        return false;
    for (; *text; text++)
        if (!is_name_character(*text) && *text != ':')
            return false;
    return true;
}

bool absolute_path_is_valid(const char *text)
{
    return text[0] == '/';
}

/* Takes "-" and digits off the end of text[0..*length): the number of digits, 0: there are none. */
static size_t take_number(const char *text, size_t *length)
{
    size_t digits = 0;
    while (digits < *length && is_digit(text[*length - digits - 1]))
        digits++;
    if (!digits || digits + 1 >= *length || text[*length - digits - 1] != '-')
        return 0;
    *length -= digits + 1;
    return digits;
}

bool job_name_is_a_childs(const char *name)
{
    enum { SECONDS_DIGITS = 10, COUNTER_DIGITS = 3 };
    size_t length = strlen(name);
    size_t counter = take_number(name, &length);
    return counter && counter <= COUNTER_DIGITS && take_number(name, &length) == SECONDS_DIGITS;
}

void meta_variable_format(const char *key, char *ret_name, size_t size)
{
    size_t at = (size_t)snprintf(ret_name, size, "ARGOSY_META_");
    for (; *key && at + 1 < size; key++)
        ret_name[at++] = is_digit(*key) || (*key >= 'A' && *key <= 'Z') ? *key
                         : *key >= 'a' && *key <= 'z'                   ? (char)(*key - 'a' + 'A')
                                                                        : '_';
    ret_name[at] = '\0';
}

/* Greedy with one point to go back to: the last star. */
bool glob_match(const char *pattern, const char *text)
{
    const char *star = NULL, *resume = NULL;
    while (*text) {
        if (*pattern == '*') {
            star = pattern++;
            resume = text;
        } else if (*pattern == '?' || *pattern == *text) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star + 1;
            text = ++resume;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return !*pattern;
}
