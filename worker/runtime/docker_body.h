/* Requests to the engine, as text. Pure. */
#ifndef ARGOSY_WORKER_RUNTIME_DOCKER_BODY_H
#define ARGOSY_WORKER_RUNTIME_DOCKER_BODY_H

#include "platform/base/buf.h"
#include "platform/ports/runtime.h"
#include "schema/job_spec.h"

enum {
    CONTAINER_LOG_FILES = 2, /* json-file rotates this many files … */
    CONTAINER_LOG_MIB = 4,   /* … of this size */

};

struct container_request {
    const char *node;
    const char *cluster;      /* NULL: no label */
    const char *bind_address; /* NULL: all */
    const struct runtime_start *start;
    /* One for each entry of the task's `ports`; host 0: the engine chooses. */
    const struct runtime_port_binding *ports;
    size_t port_count;
};

/* "argosy-<node>-<task id>-<run>" */
char *container_name(const char *node, const char *task_id, int64_t run);

/* Where a task finds its payload. A volume, since a read-only root file system takes no files. */
#define PAYLOAD_DIRECTORY "/argosy"
#define PAYLOAD_FILE      "payload"

/* A tar archive of that file, readable by everybody. */
void payload_archive(const void *bytes, size_t length, struct buf *out);

/* The body of POST /containers/create. -ERR_INVALID with a sentence when the task cannot be a
 * container. */
int container_body(const struct container_request *request, struct buf *out, struct err *err);

/* {"label":["io.argosy.node=n1", …]} percent-encoded for a query; `events`: only what ends a
 * container. */
void label_filter(const char *node, const char *cluster, bool events, struct buf *out);

/* Percent-encodes all but unreserved characters (RFC 3986, 2.3). */
void url_add(struct buf *out, const char *text);

/* "registry:5000/a/b:tag" -> repository and tag ("latest" when there is none; a digest is kept
 * whole, with an empty tag). Memory is the caller's. */
void image_split(const char *image, char **ret_repository, char **ret_tag);

/* The body of POST /containers/<id>/exec. */
void exec_body(const struct string_list *command, struct buf *out);

#endif
