/* Every reader takes what it needs and leaves out what is odd: an id that does not fit or holds
 * what an id cannot is none, a port outside its range is none, a time that is none is 0. */
#include "worker/runtime/docker_reply.h"

#include "platform/base/text.h"

#include "worker/runtime/labels.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- small pieces ---- */

/* False, leaving an empty text, when it is absent or does not fit: a cut identity is another's. */
static bool copy_text(char *ret_text, size_t size, const char *text)
{
    ret_text[0] = '\0';
    if (!text || strlen(text) >= size)
        return false;
    memcpy(ret_text, text, strlen(text) + 1);
    return true;
}
#define COPY_TEXT(array, text) copy_text(array, sizeof(array), text)

/* A whole positive decimal number, or -1. */
static int64_t text_to_int(const char *text)
{
    char *end = NULL;
    if (!text || *text < '0' || *text > '9')
        return -1;
    errno = 0;
    intmax_t value = strtoimax(text, &end, 10);
    return errno || *end ? -1 : (int64_t)value;
}

/* Ids are parts of names and paths: nothing else may hide in them. */
static bool is_plain(const char *text)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    return text[strspn(text, plain)] == '\0';
}

static bool identity_read(const struct json *labels, struct container_identity *ret_identity)
{
    struct container_identity *identity = ret_identity;
    *identity = (struct container_identity){0};
    identity->run = text_to_int(json_text(json_get(labels, LABEL_RUN)));
    const char *cluster = json_text(json_get(labels, LABEL_CLUSTER));
    return identity->run >= 0 &&
           COPY_TEXT(identity->node, json_text(json_get(labels, LABEL_NODE))) &&
           COPY_TEXT(identity->task_id, json_text(json_get(labels, LABEL_TASK))) &&
           (!cluster || COPY_TEXT(identity->cluster, cluster)) && is_plain(identity->node) &&
           is_plain(identity->task_id);
}

static bool text_is(const char *text, const char *expected)
{
    return text && strcmp(text, expected) == 0;
}

/* ---- time ---- */

/* Days since 1970-01-01 in the proleptic Gregorian calendar (H. Hinnant, "chrono-Compatible
 * Low-Level Date Algorithms", days_from_civil). */
static int64_t days_from_civil(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

/* ".240070790" -> 240; moves `text` behind it. */
static int64_t read_fraction_ms(const char **text)
{
    int64_t ms = 0, weight = 100;
    if (**text != '.')
        return 0;
    for (++*text; **text >= '0' && **text <= '9'; ++*text) {
        ms += (**text - '0') * weight;
        weight /= 10;
    }
    return ms;
}

static int64_t read_offset_ms(const char *text)
{
    int hours = 0, minutes = 0;
    if ((*text != '+' && *text != '-') || sscanf(text + 1, "%2d:%2d", &hours, &minutes) != 2)
        return 0;
    int64_t offset = (int64_t)(hours * 60 + minutes) * 60000;
    return *text == '-' ? -offset : offset;
}

int64_t engine_time_ms(const char *text)
{
    int year, month, day, hour, minute, second, length = 0;
    if (!text || sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d%n", &year, &month, &day, &hour, &minute,
                        &second, &length) != 6)
        return 0;
    if (year < 1970 || month < 1 || month > 12 || day < 1 || day > 31)
        return 0;
    const char *rest = text + length;
    int64_t fraction_ms = read_fraction_ms(&rest);
    int64_t seconds =
        days_from_civil(year, month, day) * 86400 + (int64_t)hour * 3600 + minute * 60 + second;
    return seconds * 1000 + fraction_ms - read_offset_ms(rest);
}

/* ---- containers ---- */

static enum container_phase phase_from_string(const char *text)
{
    static const struct {
        const char *text;
        enum container_phase phase;
    } rows[] = {
        {"created", CONTAINER_CREATED},     {"configured", CONTAINER_CREATED}, /* Podman */
        {"initialized", CONTAINER_CREATED}, {"running", CONTAINER_RUNNING},
        {"paused", CONTAINER_RUNNING},      {"restarting", CONTAINER_RUNNING},
        {"stopping", CONTAINER_RUNNING},
    };
    for (size_t i = 0; text && i < ARRAY_LENGTH(rows); i++) {
        if (strcmp(text, rows[i].text) == 0)
            return rows[i].phase;
    }
    return CONTAINER_ENDED; /* exited, dead, removing */
}

static bool binding_is_known(const struct container *container,
                             const struct runtime_port_binding *binding)
{
    for (size_t i = 0; i < container->port_count; i++) {
        const struct runtime_port_binding *known = &container->ports[i];
        if (known->container == binding->container && known->host == binding->host &&
            known->udp == binding->udp)
            return true;
    }
    return false;
}

/* The engine lists a binding once for IPv4 and once for IPv6. */
static void binding_add(struct container *container, struct runtime_port_binding binding)
{
    if (binding.host > 0 && binding.host <= 65535 && binding.container > 0 &&
        binding.container <= 65535 && container->port_count < TASK_PORTS_MAX &&
        !binding_is_known(container, &binding))
        container->ports[container->port_count++] = binding;
}

/* {"80/tcp":[{"HostIp":"0.0.0.0","HostPort":"32768"}],"90/udp":null} */
static void ports_from_inspect(const struct json *ports, struct container *container)
{
    for (const struct json *port = json_first(ports); port; port = json_next(port)) {
        const char *key = json_key(port);
        const char *slash = key ? strchr(key, '/') : NULL;
        if (!slash)
            continue;
        for (const struct json *host = json_first(port); host; host = json_next(host)) {
            binding_add(container, (struct runtime_port_binding){
                                       .container = strtol(key, NULL, 10),
                                       .host = text_to_int(json_text(json_get(host, "HostPort"))),
                                       .udp = strcmp(slash, "/udp") == 0,
                                   });
        }
    }
}

/* [{"PrivatePort":80,"PublicPort":32768,"Type":"tcp"}] */
static void ports_from_list(const struct json *ports, struct container *container)
{
    for (const struct json *port = json_first(ports); port; port = json_next(port)) {
        binding_add(container, (struct runtime_port_binding){
                                   .container = json_int(json_get(port, "PrivatePort"), 0),
                                   .host = json_int(json_get(port, "PublicPort"), 0),
                                   .udp = text_is(json_text(json_get(port, "Type")), "udp"),
                               });
    }
}

/* The address in the default network, else in the first network that has one. */
static void address_read(const struct json *settings, struct container *container)
{
    const char *address = json_text(json_get(settings, "IPAddress"));
    const struct json *network = json_first(json_get(settings, "Networks"));
    while ((!address || !*address) && network) {
        address = json_text(json_get(network, "IPAddress"));
        network = json_next(network);
    }
    COPY_TEXT(container->address, address);
}

/* The engine puts a slash in front. */
static void name_read(const char *name, struct container *container)
{
    COPY_TEXT(container->name, name && *name == '/' ? name + 1 : name);
}

bool container_from_inspect(const struct json *reply, struct container *ret_container)
{
    struct container *container = ret_container;
    const struct json *state = json_get(reply, "State");
    const struct json *settings = json_get(reply, "NetworkSettings");
    *container = (struct container){0};
    container->phase = phase_from_string(json_text(json_get(state, "Status")));
    container->exit_code = json_int(json_get(state, "ExitCode"), -1);
    container->oom_killed = json_is_true(json_get(state, "OOMKilled"));
    container->started_ms = engine_time_ms(json_text(json_get(state, "StartedAt")));
    container->finished_ms = engine_time_ms(json_text(json_get(state, "FinishedAt")));
    name_read(json_text(json_get(reply, "Name")), container);
    ports_from_inspect(json_get(settings, "Ports"), container);
    address_read(settings, container);
    return state && COPY_TEXT(container->id, json_text(json_get(reply, "Id"))) &&
           identity_read(json_get(json_get(reply, "Config"), "Labels"), &container->identity);
}

bool container_from_list(const struct json *element, struct container *ret_container)
{
    struct container *container = ret_container;
    *container = (struct container){0};
    container->phase = phase_from_string(json_text(json_get(element, "State")));
    name_read(json_text(json_first(json_get(element, "Names"))), container);
    ports_from_list(json_get(element, "Ports"), container);
    address_read(json_get(element, "NetworkSettings"), container);
    return COPY_TEXT(container->id, json_text(json_get(element, "Id"))) &&
           identity_read(json_get(element, "Labels"), &container->identity);
}

/* ---- streams ---- */

/* Nanoseconds since 1970 are above 2^53: the double is off by some hundred, which `since` forgives.
 */
static int64_t event_time_ns(const struct json *event)
{
    double time_ns = json_number(json_get(event, "timeNano"), 0);
    return time_ns > 0 && time_ns < 9e18 ? (int64_t)time_ns : 0;
}

bool engine_event_parse(const char *line, size_t length, struct engine_event *ret_event)
{
    _cleanup_json_ struct json *tree = NULL;
    struct engine_event *event = ret_event;
    *event = (struct engine_event){0};
    if (json_parse(line, length, &tree, NULL) < 0)
        return false;
    const struct json *actor = json_get(tree, "Actor");
    const struct json *attributes = json_get(actor, "Attributes");
    const char *action = json_text(json_get(tree, "Action"));
    const char *exit_code = json_text(json_get(attributes, "exitCode"));
    if (!exit_code)
        exit_code = json_text(json_get(attributes, "containerExitCode")); /* Podman */
    if (text_is(action, "die") || text_is(action, "died"))
        event->kind = ENGINE_EVENT_DIE;
    else if (text_is(action, "destroy") || text_is(action, "remove"))
        event->kind = ENGINE_EVENT_DESTROY;
    event->exit_code = text_to_int(exit_code);
    event->time_ns = event_time_ns(tree);
    return COPY_TEXT(event->id, json_text(json_get(actor, "ID"))) &&
           identity_read(attributes, &event->identity);
}

bool pull_line_parse(const char *line, size_t length, struct pull_line *ret_line)
{
    _cleanup_json_ struct json *tree = NULL;
    struct pull_line *pull = ret_line;
    *pull = (struct pull_line){.percent = -1};
    if (json_parse(line, length, &tree, NULL) < 0)
        return false;
    const char *error = json_text(json_get(tree, "error"));
    const char *status = json_text(json_get(tree, "status"));
    const struct json *detail = json_get(tree, "progressDetail");
    double current = json_number(json_get(detail, "current"), -1);
    double total = json_number(json_get(detail, "total"), -1);
    pull->failed = error != NULL;
    if (current >= 0 && total > 0 && current <= total)
        pull->percent = (int)(current * 100 / total);
    text_copy(pull->text, sizeof(pull->text), error ? error : status ? status : "");
    return error || status;
}

/* ---- errors ---- */

/* The engine puts layers of its own in front of what went wrong, and ": unknown" behind it. */
static const char *without_preamble(const char *text)
{
    static const char *const preambles[] = {
        "unable to start container process: ",
        "): Bind for ", /* "driver failed programming external connectivity on endpoint … (…" */
        "): Error starting userland proxy: ",
        "failed to create shim task: ",
        "failed to create task for container: ",
        "Error response from daemon: ",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(preambles); i++) {
        const char *found = strstr(text, preambles[i]);
        if (found)
            return found + strlen(preambles[i]);
    }
    return text;
}

void engine_error_text(const char *body, size_t length, char *ret_text, size_t size)
{
    static const char tail[] = ": unknown";
    _cleanup_json_ struct json *tree = NULL;
    const char *message = NULL;
    if (json_parse(body, length, &tree, NULL) == 0) {
        message = json_text(json_get(tree, "message"));
        if (!message)
            message = json_text(json_get(tree, "cause")); /* Podman's own errors */
    }
    if (message)
        text_copy(ret_text, size, without_preamble(message));
    else
        snprintf(ret_text, size, "%.*s", (int)(length < size ? length : size), body);
    ret_text[strcspn(ret_text, "\r\n")] = '\0';
    size_t end = strlen(ret_text);
    if (end >= strlen(tail) && strcmp(ret_text + end - strlen(tail), tail) == 0)
        ret_text[end - strlen(tail)] = '\0';
}

struct error_row {
    unsigned steps; /* bits of enum engine_step */
    const char *words;
    enum reason reason;
};
#define CREATE_ (1U << STEP_CREATE)
#define START_  (1U << STEP_START)
#define PULL_   (1U << STEP_PULL)

/* The first row whose words are in the text. */
static const struct error_row error_rows[] = {
    {CREATE_ | START_, "docker-init",
     REASON_START_FAILED}, /* the engine's own program is missing */
    {CREATE_ | START_, "No such image", REASON_IMAGE_NOT_FOUND},
    {CREATE_ | START_, "no such image", REASON_IMAGE_NOT_FOUND},
    {START_, "executable file", REASON_COMMAND_NOT_FOUND},
    {START_, "port is already allocated", REASON_PORT_IN_USE},
    {START_, "address already in use", REASON_PORT_IN_USE},
    {START_, "ports are not available", REASON_PORT_IN_USE},
    {START_, "gathering device information", REASON_INVALID_SPEC},
    {START_, "unable to find user", REASON_INVALID_SPEC},
    {START_, "exec format error", REASON_COMMAND_NOT_EXECUTABLE},
    {START_, "permission denied", REASON_COMMAND_NOT_EXECUTABLE},
    {START_, "no such file or directory", REASON_COMMAND_NOT_FOUND},
    {PULL_, "manifest unknown", REASON_IMAGE_NOT_FOUND},
    {PULL_, "manifest for", REASON_IMAGE_NOT_FOUND}, /* "manifest for x:y not found" */
    {PULL_, "name unknown", REASON_IMAGE_NOT_FOUND},
    {PULL_, "repository does not exist", REASON_IMAGE_NOT_FOUND},
    {PULL_, "repository name not known", REASON_IMAGE_NOT_FOUND},
    {PULL_, "invalid reference format", REASON_INVALID_SPEC},
};

enum reason engine_error_reason(enum engine_step step, long status, const char *text)
{
    for (size_t i = 0; i < ARRAY_LENGTH(error_rows); i++) {
        const struct error_row *row = &error_rows[i];
        if ((row->steps & (1U << step)) && strstr(text, row->words))
            return row->reason;
    }
    if (step == STEP_PULL)
        return status == 404 ? REASON_IMAGE_NOT_FOUND : REASON_IMAGE_PULL_FAILED;
    if (step == STEP_CREATE && status == 404)
        return REASON_IMAGE_NOT_FOUND;
    return status == 400 ? REASON_INVALID_SPEC : REASON_START_FAILED;
}

/* "[FATAL tini (7)] exec nosuch failed: No such file or directory" (Docker's)
 * "ERROR (catatonit:2): failed to exec pid1: No such file or directory" (Podman's; in pieces) */
enum reason init_failure_reason(const char *log, const char **ret_sentence)
{
    static const struct {
        const char *begin, *sentence;
    } inits[] = {{"[FATAL tini (", "exec "}, {"ERROR (catatonit:", "failed to exec "}};
    for (size_t i = 0; i < ARRAY_LENGTH(inits); i++) {
        const char *line = strstr(log, inits[i].begin);
        const char *sentence = line ? strstr(line, inits[i].sentence) : NULL;
        if (!sentence)
            continue;
        *ret_sentence = sentence;
        return strstr(sentence, "No such file or directory") ? REASON_COMMAND_NOT_FOUND
                                                             : REASON_COMMAND_NOT_EXECUTABLE;
    }
    return REASON_NONE;
}

/* ---- usage ---- */

static void add_bounded(int64_t *sum, int64_t value)
{
    if (value > 0 && __builtin_add_overflow(*sum, value, sum))
        *sum = INT64_MAX;
}

static int64_t sum_networks(const struct json *networks, const char *key)
{
    int64_t sum = networks ? 0 : -1;
    for (const struct json *network = json_first(networks); network; network = json_next(network))
        add_bounded(&sum, json_int(json_get(network, key), 0));
    return sum;
}

static int64_t sum_block(const struct json *entries, const char *lower, const char *upper)
{
    int64_t sum = json_first(entries) ? 0 : -1;
    for (const struct json *entry = json_first(entries); entry; entry = json_next(entry)) {
        const char *op = json_text(json_get(entry, "op"));
        if (text_is(op, lower) || text_is(op, upper))
            add_bounded(&sum, json_int(json_get(entry, "value"), 0));
    }
    return sum;
}

/* Without the page cache that can be dropped, as `docker stats` shows it (cgroup v1 and v2 name it
 * differently). */
static int64_t memory_in_use(const struct json *memory)
{
    const struct json *detail = json_get(memory, "stats");
    int64_t usage = json_int(json_get(memory, "usage"), -1);
    int64_t cache = json_int(json_get(detail, "total_inactive_file"), -1);
    if (cache < 0)
        cache = json_int(json_get(detail, "inactive_file"), 0);
    return usage > cache ? usage - cache : usage;
}

bool usage_from_stats(const struct json *reply, struct runtime_usage *ret_usage)
{
    const struct json *cpu = json_get(json_get(reply, "cpu_stats"), "cpu_usage");
    const struct json *memory = json_get(reply, "memory_stats");
    const struct json *block =
        json_get(json_get(reply, "blkio_stats"), "io_service_bytes_recursive");
    const struct json *networks = json_get(reply, "networks");
    double cpu_ns = json_number(json_get(cpu, "total_usage"), -1);
    *ret_usage = (struct runtime_usage){
        .cpu_seconds_total = cpu_ns < 0 ? -1 : cpu_ns / 1e9,
        .memory_bytes = memory_in_use(memory),
        .memory_limit_bytes = json_int(json_get(memory, "limit"), -1),
        .net_rx_bytes = sum_networks(networks, "rx_bytes"),
        .net_tx_bytes = sum_networks(networks, "tx_bytes"),
        .block_read_bytes = sum_block(block, "read", "Read"),
        .block_write_bytes = sum_block(block, "write", "Write"),
        .pids = json_int(json_get(json_get(reply, "pids_stats"), "current"), -1),
    };
    return cpu != NULL;
}
