/* What is asked of the engine. Hardened by default: no new privileges, Docker's own capability set
 * at most, never privileged; the engine's restart policy is always "no", since exactly one layer
 * restarts. */
#include "worker/runtime/docker_body.h"

#include "platform/base/mem.h"
#include "schema/codec/codec.h"
#include "worker/runtime/labels.h"
#include "worker/runtime/limits.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

char *container_name(const char *node, const char *task_id, int64_t run)
{
    return mem_printf("argosy-%s-%s-%" PRId64, node, task_id, run);
}

static void add_text(struct buf *out, const char *text)
{
    json_add_string(out, text, strlen(text));
}

/* ,"Key": with the comma left out behind an opening bracket. */
static void add_key(struct buf *out, const char *key)
{
    char last = out->length ? out->data[out->length - 1] : '{';
    if (last != '{' && last != '[')
        buf_add_char(out, ',');
    add_text(out, key);
    buf_add_char(out, ':');
}

static void add_item(struct buf *out, const char *text)
{
    char last = out->length ? out->data[out->length - 1] : '[';
    if (last != '[')
        buf_add_char(out, ',');
    add_text(out, text);
}

static void add_member(struct buf *out, const char *key, const char *text)
{
    if (text) {
        add_key(out, key);
        add_text(out, text);
    }
}

static void add_number(struct buf *out, const char *key, int64_t number)
{
    add_key(out, key);
    buf_printf(out, "%" PRId64, number);
}

static void add_list(struct buf *out, const char *key, const struct string_list *list)
{
    if (list->count == 0)
        return;
    add_key(out, key);
    buf_add_char(out, '[');
    for (size_t i = 0; i < list->count; i++)
        add_item(out, list->items[i]);
    buf_add_char(out, ']');
}

static void add_env(struct buf *out, const struct container_request *request)
{
    const struct string_map *env = &request->start->task->env;
    add_key(out, "Env");
    buf_add_char(out, '[');
    for (const char *const *own = request->start->env; own && *own; own++)
        add_item(out, *own);
    if (request->start->payload)
        add_item(out, "ARGOSY_PAYLOAD_FILE=" PAYLOAD_DIRECTORY "/" PAYLOAD_FILE);
    for (size_t i = 0; i < request->port_count; i++) {
        int64_t port = request->ports[i].container;
        _cleanup_free_ char *text = mem_printf("ARGOSY_PORT_%" PRId64 "=%" PRId64, port, port);
        add_item(out, text);
    }
    /* The user's come last: the engine lets the later one win. */
    for (size_t i = 0; i < env->count; i++) {
        _cleanup_free_ char *text = mem_printf("%s=%s", env->items[i].key, env->items[i].value);
        add_item(out, text);
    }
    buf_add_char(out, ']');
}

static void add_labels(struct buf *out, const struct container_request *request)
{
    const struct runtime_start *start = request->start;
    const struct string_map *labels = &start->task->labels;
    _cleanup_free_ char *run = mem_printf("%" PRId64, start->run);
    _cleanup_free_ char *term = mem_printf("%" PRId64, start->term);
    add_key(out, "Labels");
    buf_add_char(out, '{');
    for (size_t i = 0; i < labels->count; i++) {
        /* Ours cannot be given by a specification: they say what may be adopted. */
        if (strncmp(labels->items[i].key, "io.argosy.", 10) != 0)
            add_member(out, labels->items[i].key, labels->items[i].value);
    }
    add_member(out, LABEL_CLUSTER, request->cluster);
    add_member(out, LABEL_NODE, request->node);
    add_member(out, LABEL_TASK, start->task_id);
    add_member(out, LABEL_RUN, run);
    add_member(out, LABEL_JOB, start->job);
    add_member(out, LABEL_TERM, term);
    buf_add_char(out, '}');
}

static char *port_key(const struct runtime_port_binding *port)
{
    return mem_printf("%" PRId64 "/%s", port->container, port->udp ? "udp" : "tcp");
}

static void add_exposed_ports(struct buf *out, const struct container_request *request)
{
    add_key(out, "ExposedPorts");
    buf_add_char(out, '{');
    for (size_t i = 0; i < request->port_count; i++) {
        _cleanup_free_ char *key = port_key(&request->ports[i]);
        add_key(out, key);
        buf_add_text(out, "{}");
    }
    buf_add_char(out, '}');
}

static bool same_container_port(const struct runtime_port_binding *a,
                                const struct runtime_port_binding *b)
{
    return a->container == b->container && a->udp == b->udp;
}

static bool is_first_of_its_port(const struct container_request *request, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (same_container_port(&request->ports[i], &request->ports[index]))
            return false;
    }
    return true;
}

/* The engine would choose one number for IPv4 and another for IPv6; a port has one number. */
static const char *address_of(const struct container_request *request,
                              const struct runtime_port_binding *port)
{
    if (request->bind_address || port->host)
        return request->bind_address;
    return "0.0.0.0";
}

/* All bindings of one port inside form one list. */
static void add_bindings_of(struct buf *out, const struct container_request *request, size_t first)
{
    _cleanup_free_ char *key = port_key(&request->ports[first]);
    add_key(out, key);
    buf_add_char(out, '[');
    for (size_t i = first; i < request->port_count; i++) {
        const struct runtime_port_binding *port = &request->ports[i];
        if (!same_container_port(port, &request->ports[first]))
            continue;
        _cleanup_free_ char *host = port->host ? mem_printf("%" PRId64, port->host) : NULL;
        buf_add_text(out, i > first ? ",{" : "{");
        add_member(out, "HostIp", address_of(request, port));
        add_member(out, "HostPort", host ? host : "");
        buf_add_char(out, '}');
    }
    buf_add_char(out, ']');
}

static void add_port_bindings(struct buf *out, const struct container_request *request)
{
    add_key(out, "PortBindings");
    buf_add_char(out, '{');
    for (size_t i = 0; i < request->port_count; i++) {
        if (is_first_of_its_port(request, i))
            add_bindings_of(out, request, i);
    }
    buf_add_char(out, '}');
}

static int add_binds(struct buf *out, const struct string_list *volumes, struct err *err)
{
    struct volume_spec volume;
    add_key(out, "Binds");
    buf_add_char(out, '[');
    for (size_t i = 0; i < volumes->count; i++) {
        if (!volume_spec_parse(volumes->items[i], &volume))
            return err_set(err, ERR_INVALID, "volume \"%s\" is not one", volumes->items[i]);
        _cleanup_free_ char *bind =
            mem_printf("%s:%s%s", volume.source, volume.target, volume.read_only ? ":ro" : "");
        add_item(out, bind);
    }
    buf_add_char(out, ']');
    return 0;
}

/* "/dev/x", "/dev/x:/dev/y", "/dev/x:/dev/y:rw" */
static void add_device(struct buf *out, const char *text)
{
    _cleanup_free_ char *copy = mem_strdup(text);
    char *rest = copy;
    const char *host = strsep(&rest, ":");
    const char *inside = rest ? strsep(&rest, ":") : host;
    add_member(out, "PathOnHost", host);
    add_member(out, "PathInContainer", inside);
    add_member(out, "CgroupPermissions", rest ? rest : "rwm");
}

static void add_devices(struct buf *out, const struct string_list *devices)
{
    add_key(out, "Devices");
    buf_add_char(out, '[');
    for (size_t i = 0; i < devices->count; i++) {
        buf_add_text(out, i ? ",{" : "{");
        add_device(out, devices->items[i]);
        buf_add_char(out, '}');
    }
    buf_add_char(out, ']');
}

static void add_limits(struct buf *out, const struct resources *resources)
{
    int64_t limit =
        resources->memory_max_bytes > 0 ? resources->memory_max_bytes : resources->memory_bytes;
    /* A worker may offer more cores than there are; the engine refuses such a limit, which is none.
     */
    if (resources->cpu_millis > 0 && resources->cpu_millis < sysconf(_SC_NPROCESSORS_ONLN) * 1000)
        add_number(out, "NanoCpus", resources->cpu_millis * 1000000);
    if (limit > 0) {
        add_number(out, "Memory", limit);
        /* No swap beyond it: a node that swaps is slow for everybody. */
        add_number(out, "MemorySwap", limit);
    }
    if (resources->memory_bytes > 0)
        add_number(out, "MemoryReservation", resources->memory_bytes);
    add_number(out, "PidsLimit", TASK_PIDS_LIMIT);
}

static int add_host_config(struct buf *out, const struct container_request *request,
                           struct err *err)
{
    const struct task_spec *task = request->start->task;
    add_key(out, "HostConfig");
    buf_add_char(out, '{');
    add_limits(out, &task->resources);
    add_port_bindings(out, request);
    if (task->volumes.count > 0 && add_binds(out, &task->volumes, err) < 0)
        return -ERR_INVALID;
    if (task->resources.devices.count > 0)
        add_devices(out, &task->resources.devices);
    buf_printf(out,
               ",\"Init\":true,\"Privileged\":false,\"ReadonlyRootfs\":%s"
               ",\"SecurityOpt\":[\"no-new-privileges\"]"
               ",\"RestartPolicy\":{\"Name\":\"no\"},\"AutoRemove\":false"
               ",\"LogConfig\":{\"Type\":\"json-file\",\"Config\":"
               "{\"max-size\":\"%dm\",\"max-file\":\"%d\"}}",
               task->read_only == 1 ? "true" : "false", CONTAINER_LOG_MIB, CONTAINER_LOG_FILES);
    buf_add_char(out, '}');
    return 0;
}

int container_body(const struct container_request *request, struct buf *out, struct err *err)
{
    const struct task_spec *task = request->start->task;
    if (!task->image)
        return err_set(err, ERR_INVALID, "a container needs an image");
    buf_add_char(out, '{');
    add_member(out, "Image", task->image);
    add_list(out, "Entrypoint", &task->entrypoint);
    add_list(out, "Cmd", &task->command);
    add_member(out, "User", task->user);
    add_member(out, "WorkingDir", task->workdir);
    add_member(out, "StopSignal", task->stop.signal);
    add_env(out, request);
    if (request->start->payload)
        buf_add_text(out, ",\"Volumes\":{\"" PAYLOAD_DIRECTORY "\":{}}");
    add_labels(out, request);
    add_exposed_ports(out, request);
    int status = add_host_config(out, request, err);
    buf_add_char(out, '}');
    if (status == 0 && out->failed)
        status = err_set(err, ERR_NO_MEMORY, "no memory for the request");
    return status;
}

/* POSIX ustar: a header of 512 bytes, the content in blocks of 512, two empty blocks. */
void payload_archive(const void *bytes, size_t length, struct buf *out)
{
    enum { BLOCK = 512, NAME = 0, MODE = 100, SIZE = 124, MTIME = 136, SUM = 148, TYPE = 156 };
    enum { MAGIC = 257 };
    char header[BLOCK] = "", zeros[2 * BLOCK] = "";
    unsigned sum = 0;
    memcpy(header + NAME, PAYLOAD_FILE, strlen(PAYLOAD_FILE));
    snprintf(header + MODE, 8, "%07o", 0444);
    snprintf(header + MODE + 8, 8, "%07o", 0);  /* owner */
    snprintf(header + MODE + 16, 8, "%07o", 0); /* group */
    snprintf(header + SIZE, 12, "%011o", (unsigned)length);
    snprintf(header + MTIME, 12, "%011o", 0);
    memset(header + SUM, ' ', 8);
    header[TYPE] = '0';
    memcpy(header + MAGIC, "ustar\00000", 8);
    for (size_t i = 0; i < BLOCK; i++)
        sum += (unsigned char)header[i];
    snprintf(header + SUM, 8, "%06o", sum); /* ends with NUL and the space */
    buf_add(out, header, BLOCK);
    buf_add(out, bytes, length);
    buf_add(out, zeros, (BLOCK - length % BLOCK) % BLOCK);
    buf_add(out, zeros, sizeof(zeros));
}

void label_filter(const char *node, const char *cluster, bool events, struct buf *out)
{
    _cleanup_buf_ struct buf json = BUF_EMPTY;
    buf_add_text(&json, "{\"label\":[");
    _cleanup_free_ char *node_label = mem_printf(LABEL_NODE "=%s", node);
    add_item(&json, node_label);
    if (cluster) {
        _cleanup_free_ char *cluster_label = mem_printf(LABEL_CLUSTER "=%s", cluster);
        add_item(&json, cluster_label);
    }
    buf_add_char(&json, ']');
    if (events) /* died and remove are Podman's words, which it filters by */
        buf_add_text(&json, ",\"type\":[\"container\"],"
                            "\"event\":[\"die\",\"died\",\"destroy\",\"remove\"]");
    buf_add_char(&json, '}');
    url_add(out, buf_text(&json));
}

void url_add(struct buf *out, const char *text)
{
    static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                     "0123456789-._~";
    for (; *text; text++) {
        if (strchr(unreserved, *text))
            buf_add_char(out, *text);
        else
            buf_printf(out, "%%%02X", (unsigned)(unsigned char)*text);
    }
}

void image_split(const char *image, char **ret_repository, char **ret_tag)
{
    const char *slash = strrchr(image, '/');
    const char *colon = strrchr(slash ? slash : image, ':');
    if (strchr(image, '@')) {
        *ret_repository = mem_strdup(image);
        *ret_tag = mem_strdup("");
        return;
    }
    int length = colon ? (int)(colon - image) : (int)strlen(image);
    *ret_repository = mem_printf("%.*s", length, image);
    *ret_tag = mem_strdup(colon ? colon + 1 : "latest");
}

void exec_body(const struct string_list *command, struct buf *out)
{
    buf_add_text(out, "{\"AttachStdout\":true,\"AttachStderr\":true");
    add_list(out, "Cmd", command);
    buf_add_char(out, '}');
}
