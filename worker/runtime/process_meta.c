#include "worker/runtime/process_meta.h"

#include "schema/codec/codec.h"
#include "schema/codec/json_reader.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void process_meta_write(const struct process_meta *meta, struct buf *out)
{
    buf_add_text(out, "{\"node\":");
    json_add_string(out, meta->node, strlen(meta->node));
    buf_add_text(out, ",\"cluster\":");
    json_add_string(out, meta->cluster, strlen(meta->cluster));
    buf_printf(out, ",\"memory_limit_bytes\":%" PRId64 ",\"ports\":[", meta->memory_limit_bytes);
    for (size_t i = 0; i < meta->port_count; i++) {
        const struct runtime_port_binding *port = &meta->ports[i];
        buf_printf(out, "%s{\"port\":%" PRId64 ",\"host\":%" PRId64 ",\"udp\":%s}", i ? "," : "",
                   port->container, port->host, port->udp ? "true" : "false");
    }
    buf_add_text(out, "],\"cgroups\":[");
    for (size_t i = 0; i < meta->cgroups.count; i++) {
        buf_add_text(out, i ? "," : "");
        json_add_string(out, meta->cgroups.paths[i], strlen(meta->cgroups.paths[i]));
    }
    buf_add_text(out, "]}\n");
}

static bool copy_text(char *ret_text, size_t size, const struct json *node)
{
    const char *text = json_text(node);
    return text && snprintf(ret_text, size, "%s", text) < (int)size;
}

static void read_ports(const struct json *list, struct process_meta *meta)
{
    const struct json *port = json_first(list);
    for (; port && meta->port_count < TASK_PORTS_MAX; port = json_next(port)) {
        meta->ports[meta->port_count++] = (struct runtime_port_binding){
            .container = json_int(json_get(port, "port"), 0),
            .host = json_int(json_get(port, "host"), 0),
            .udp = json_is_true(json_get(port, "udp")),
        };
    }
}

static void read_cgroups(const struct json *list, struct cgroup_set *set)
{
    const struct json *path = json_first(list);
    for (; path && set->count < CGROUP_HIERARCHIES; path = json_next(path)) {
        if (copy_text(set->paths[set->count], CGROUP_PATH_LENGTH, path))
            set->count++;
    }
}

bool process_meta_read(const char *text, size_t length, struct process_meta *ret_meta)
{
    struct process_meta *meta = ret_meta;
    _cleanup_json_ struct json *tree = NULL;
    *meta = (struct process_meta){0};
    if (json_parse(text, length, &tree, NULL) < 0)
        return false;
    meta->memory_limit_bytes = json_int(json_get(tree, "memory_limit_bytes"), 0);
    read_ports(json_get(tree, "ports"), meta);
    read_cgroups(json_get(tree, "cgroups"), &meta->cgroups);
    return copy_text(meta->node, sizeof(meta->node), json_get(tree, "node")) &&
           copy_text(meta->cluster, sizeof(meta->cluster), json_get(tree, "cluster"));
}
