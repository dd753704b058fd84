#include "fake_engine.h"

#include "platform/adapters/loop.h"
#include "platform/base/buf.h"
#include "platform/base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <utlist.h>

enum { RULES_MAX = 32, SOCKET_PATH_LENGTH = 100 };

struct rule {
    const char *words, *reply;
    bool stays;
};

struct connection {
    struct connection *prev, *next;
    struct fake_engine *engine;
    struct loop_poll *poll;
    int fd;
    struct buf request;
};

struct fake_engine {
    struct loop *loop;
    struct loop_poll *poll;
    int fd;
    char directory[32];
    char socket_path[SOCKET_PATH_LENGTH];
    struct rule rules[RULES_MAX];
    size_t rule_count;
    struct connection *connections;
    struct buf seen; /* first lines of all requests */
};

static void connection_free(struct connection *connection)
{
    DL_DELETE(connection->engine->connections, connection);
    loop_poll_free(connection->poll);
    close(connection->fd);
    buf_release(&connection->request);
    free(connection);
}

static void send_text(const struct connection *connection, const char *text)
{
    ASSERT(send(connection->fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text));
}

/* Headers and, where it is announced, the body are there. */
static bool is_complete(const struct buf *request)
{
    const char *body = strstr(buf_text(request), "\r\n\r\n");
    const char *length = strstr(buf_text(request), "Content-Length: ");
    size_t wanted = length ? strtoul(length + strlen("Content-Length: "), NULL, 10) : 0;
    return body && strlen(body + 4) >= wanted;
}

static void answer(struct connection *connection)
{
    struct fake_engine *engine = connection->engine;
    struct rule rule = {.reply = "404 Not Found\r\nContent-Length: 2\r\n\r\n{}"};
    char *line = connection->request.data;
    line[strcspn(line, "\r")] = '\0';
    buf_printf(&engine->seen, "%s\n", line);
    for (size_t i = 0; i < engine->rule_count; i++) {
        if (strstr(line, engine->rules[i].words))
            rule = engine->rules[i];
    }
    buf_clear(&connection->request);
    if (rule.reply) {
        send_text(connection, "HTTP/1.1 ");
        send_text(connection, rule.reply);
    }
    if (!rule.stays)
        connection_free(connection);
}

static void on_readable(void *context, int events)
{
    struct connection *connection = context;
    char bytes[4096];
    (void)events;
    ssize_t length = recv(connection->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
    if (length <= 0) {
        connection_free(connection);
        return;
    }
    buf_add(&connection->request, bytes, (size_t)length);
    if (is_complete(&connection->request))
        answer(connection);
}

static void on_connection(void *context, int events)
{
    struct fake_engine *engine = context;
    (void)events;
    struct connection *connection = mem_alloc(sizeof(*connection));
    connection->engine = engine;
    connection->fd = accept4(engine->fd, NULL, NULL, SOCK_CLOEXEC);
    ASSERT(connection->fd >= 0);
    connection->poll = loop_poll_new(engine->loop, connection->fd, on_readable, connection);
    loop_poll_set(connection->poll, LOOP_READABLE);
    DL_APPEND(engine->connections, connection);
}

struct fake_engine *fake_engine_new(struct loop *loop)
{
    struct fake_engine *engine = mem_alloc(sizeof(*engine));
    struct sockaddr_un place = {.sun_family = AF_UNIX};
    engine->loop = loop;
    snprintf(engine->directory, sizeof(engine->directory), "/tmp/argosy-fake-XXXXXX");
    ASSERT(mkdtemp(engine->directory));
    snprintf(engine->socket_path, sizeof(engine->socket_path), "%s/socket", engine->directory);
    memcpy(place.sun_path, engine->socket_path, strlen(engine->socket_path) + 1);
    engine->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT(bind(engine->fd, (struct sockaddr *)&place, sizeof(place)) == 0);
    ASSERT(listen(engine->fd, 16) == 0);
    engine->poll = loop_poll_new(loop, engine->fd, on_connection, engine);
    loop_poll_set(engine->poll, LOOP_READABLE);
    return engine;
}

void fake_engine_hang_up(struct fake_engine *engine)
{
    while (engine->connections)
        connection_free(engine->connections);
}

void fake_engine_hang_up_last(struct fake_engine *engine)
{
    connection_free(engine->connections->prev);
}

void fake_engine_free(struct fake_engine *engine)
{
    fake_engine_hang_up(engine);
    loop_poll_free(engine->poll);
    close(engine->fd);
    unlink(engine->socket_path);
    rmdir(engine->directory);
    buf_release(&engine->seen);
    free(engine);
}

const char *fake_engine_socket(const struct fake_engine *engine)
{
    return engine->socket_path;
}

void fake_engine_on(struct fake_engine *engine, const char *words, const char *reply, bool stays)
{
    ASSERT(engine->rule_count < RULES_MAX);
    engine->rules[engine->rule_count++] = (struct rule){words, reply, stays};
}

void fake_engine_say(struct fake_engine *engine, const char *text)
{
    struct connection *connection;
    DL_FOREACH(engine->connections, connection)
    {
        send_text(connection, text);
    }
}

size_t fake_engine_count(const struct fake_engine *engine, const char *words)
{
    size_t count = 0;
    for (const char *at = buf_text(&engine->seen); (at = strstr(at, words)); at++)
        count++;
    return count;
}
