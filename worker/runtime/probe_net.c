/* connect -> (write the request -> read the status line) -> on_done.
 *
 * Failure modes: no route or refused (at once, or when the socket becomes writable), silence (the
 * timer), an answer that is not HTTP. on_done is never called from probe_net_new. */
#include "worker/runtime/probe_net.h"

#include "platform/adapters/clock_system.h"
#include "platform/adapters/loop.h"
#include "platform/base/buf.h"
#include "platform/base/mem.h"
#include "platform/base/text.h"
#include "worker/runtime/limits.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct probe_net {
    struct loop_timer *timer;
    struct loop_poll *poll;
    int fd;
    int early_error; /* errno of a connect that failed at once */
    bool connected;
    struct buf request; /* what is still to be written */
    char reply[PROBE_REPLY_BYTES];
    size_t reply_length;
    int64_t timeout_ms;
    void (*on_done)(void *context, bool healthy, const char *message);
    void *context;
};

static void probe_free(struct probe_net *probe)
{
    loop_timer_free(probe->timer);
    loop_poll_free(probe->poll);
    if (probe->fd >= 0)
        close(probe->fd);
    buf_release(&probe->request);
    free(probe);
}

void probe_net_cancel(struct probe_net *probe)
{
    if (probe)
        probe_free(probe);
}

static void done(struct probe_net *probe, bool healthy, const char *message)
{
    void (*on_done)(void *, bool, const char *) = probe->on_done;
    void *context = probe->context;
    probe_free(probe);
    on_done(context, healthy, message);
}

static void on_timeout(void *context)
{
    struct probe_net *probe = context;
    char text[64];
    if (probe->early_error)
        text_copy(text, sizeof(text), strerror(probe->early_error));
    else
        snprintf(text, sizeof(text), "no answer within %lld ms", (long long)probe->timeout_ms);
    done(probe, false, text);
}

/* "HTTP/1.1 200 OK" */
static void judge_reply(struct probe_net *probe)
{
    char text[64];
    int status = 0;
    probe->reply[probe->reply_length] = '\0';
    if (sscanf(probe->reply, "HTTP/%*d.%*d %3d", &status) != 1) {
        done(probe, false, "the answer is not HTTP");
        return;
    }
    snprintf(text, sizeof(text), "HTTP status %d", status);
    done(probe, status >= 200 && status < 400, text);
}

static void read_reply(struct probe_net *probe)
{
    size_t room = sizeof(probe->reply) - 1 - probe->reply_length;
    ssize_t length = read(probe->fd, probe->reply + probe->reply_length, room);
    if (length < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (length < 0) {
        done(probe, false, strerror(errno));
        return;
    }
    probe->reply_length += (size_t)length;
    bool is_complete = memchr(probe->reply, '\n', probe->reply_length);
    if (length == 0 || is_complete || probe->reply_length == sizeof(probe->reply) - 1)
        judge_reply(probe);
}

static void write_request(struct probe_net *probe)
{
    ssize_t length =
        send(probe->fd, probe->request.data, probe->request.length, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (length < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (length < 0) {
        done(probe, false, strerror(errno));
        return;
    }
    buf_drop_front(&probe->request, (size_t)length);
    if (probe->request.length == 0)
        loop_poll_set(probe->poll, LOOP_READABLE);
}

static void finish_connect(struct probe_net *probe)
{
    int error = 0;
    socklen_t size = sizeof(error);
    getsockopt(probe->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error)
        done(probe, false, strerror(error));
    else if (probe->request.length == 0)
        done(probe, true, NULL);
    else {
        probe->connected = true;
        write_request(probe);
    }
}

static void on_ready(void *context, int events)
{
    struct probe_net *probe = context;
    (void)events;
    if (!probe->connected)
        finish_connect(probe);
    else if (probe->request.length > 0)
        write_request(probe);
    else
        read_reply(probe);
}

/* The length of the socket address, 0 when it is none. */
static socklen_t read_address(const char *address, int64_t port, struct sockaddr_storage *ret_place)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)ret_place;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)ret_place;
    memset(ret_place, 0, sizeof(*ret_place));
    if (inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)port);
        return sizeof(*v4);
    }
    if (inet_pton(AF_INET6, address, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons((uint16_t)port);
        return sizeof(*v6);
    }
    return 0;
}

/* 0, or the errno of a failure that is known at once. */
static int begin_connect(struct probe_net *probe, const struct probe_net_config *config)
{
    struct sockaddr_storage place;
    socklen_t length = read_address(config->address, config->port, &place);
    if (length == 0)
        return EADDRNOTAVAIL;
    probe->fd = socket(place.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (probe->fd < 0)
        return errno;
    int status = connect(probe->fd, (struct sockaddr *)&place, length);
    return status < 0 && errno != EINPROGRESS ? errno : 0;
}

struct probe_net *probe_net_new(const struct probe_net_config *config, struct loop *loop)
{
    struct probe_net *probe = mem_alloc(sizeof(*probe));
    probe->fd = -1;
    probe->timeout_ms = config->timeout_ms;
    probe->on_done = config->on_done;
    probe->context = config->context;
    probe->timer = loop_timer_new(loop, on_timeout, probe);
    probe->early_error = begin_connect(probe, config);
    if (probe->early_error) {
        loop_timer_set(probe->timer, 0);
        return probe;
    }
    if (config->http_path) {
        bool is_v6 = strchr(config->address, ':');
        buf_printf(&probe->request,
                   "GET %s HTTP/1.1\r\nHost: %s%s%s:%lld\r\nUser-Agent: argosy-probe\r\n"
                   "Accept: */*\r\nConnection: close\r\n\r\n",
                   config->http_path, is_v6 ? "[" : "", config->address, is_v6 ? "]" : "",
                   (long long)config->port);
    }
    loop_timer_set(probe->timer, clock_now(&clock_system).mono_ms + config->timeout_ms);
    probe->poll = loop_poll_new(loop, probe->fd, on_ready, probe);
    loop_poll_set(probe->poll, LOOP_READABLE | LOOP_WRITABLE);
    return probe;
}
