#undef _FORTIFY_SOURCE /* its read() is an inline function, and here is another one */
#include "platform/adapters/mqtt_mosquitto_socket.h"

#include "platform/base/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { BUFFER_BYTES = 64 * 1024 };

/* Of the thread that has entered; only the loop's does. */
static _Thread_local struct mqtt_socket *entered;
static char in[BUFFER_BYTES], out[BUFFER_BYTES];
static size_t in_at, in_end, out_length;
static const struct mqtt_socket *in_from; /* whose bytes those are */

static bool may_be_tried_again(int code)
{
    return code == EAGAIN || code == EWOULDBLOCK || code == EINTR;
}

/* How much of it the kernel takes; 0 and errno when it is full, or the socket has failed. */
static size_t send_some(int fd, const char *bytes, size_t length)
{
    ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
    return sent < 0 ? 0 : (size_t)sent;
}

/* 0, or why the socket has failed. */
static int send_left(struct mqtt_socket *socket)
{
    if (!socket->left_length)
        return 0;
    size_t sent = send_some(socket->fd, socket->left, socket->left_length);
    if (!sent)
        return may_be_tried_again(errno) ? 0 : errno;
    socket->left_length -= sent;
    memmove(socket->left, socket->left + sent, socket->left_length);
    if (!socket->left_length) {
        free(socket->left);
        socket->left = NULL;
    }
    return 0;
}

/* 0, or why the socket has failed. Nothing is gathered while something is left. */
static int send_gathered(struct mqtt_socket *socket)
{
    int failed = send_left(socket);
    if (failed || !out_length)
        return failed;
    size_t sent = send_some(socket->fd, out, out_length);
    if (!sent && !may_be_tried_again(errno))
        return errno;
    if (sent < out_length) {
        socket->left_length = out_length - sent;
        socket->left = mem_alloc(socket->left_length);
        memcpy(socket->left, out + sent, socket->left_length);
    }
    out_length = 0;
    return 0;
}

static void forget_read(const struct mqtt_socket *socket)
{
    if (in_from == socket)
        in_at = in_end = 0;
}

struct mqtt_socket *mqtt_socket_enter(struct mqtt_socket *socket)
{
    struct mqtt_socket *outer = entered;
    if (outer && outer != socket && send_gathered(outer))
        out_length = 0; /* that it has failed is told when it is read */
    if (outer != socket)
        socket->has_read = false;
    entered = socket;
    return outer;
}

int mqtt_socket_leave(struct mqtt_socket *socket, struct mqtt_socket *outer)
{
    if (outer == socket)
        return 0;
    int failed = socket->fd == MQTT_SOCKET_NONE ? 0 : send_gathered(socket);
    out_length = 0;
    forget_read(socket);
    entered = outer;
    return failed;
}

void mqtt_socket_reset(struct mqtt_socket *socket)
{
    if (entered == socket)
        out_length = 0;
    forget_read(socket);
    free(socket->left);
    *socket = (struct mqtt_socket){.fd = MQTT_SOCKET_NONE};
}

/* ---- in place of the C library's ---- */

static ssize_t is_empty(void)
{
    errno = EAGAIN;
    return -1;
}

static bool serves(int fd)
{
    return entered && fd == entered->fd;
}

/* What is left in the socket comes when it is polled again, so that a flood leaves others their
 * turn. */
static ssize_t fill(int fd)
{
    if (entered->has_read)
        return is_empty();
    entered->has_read = true;
    ssize_t got = recv(fd, in, sizeof in, MSG_DONTWAIT);
    in_from = entered;
    in_at = 0;
    in_end = got > 0 ? (size_t)got : 0;
    return got;
}

ssize_t read(int fd, void *bytes, size_t length)
{
    if (!serves(fd) || (in_at < in_end && in_from != entered))
        return syscall(SYS_read, fd, bytes, length);
    if (in_at == in_end) {
        ssize_t got = fill(fd);
        if (got <= 0)
            return got;
    }
    size_t taken = in_end - in_at < length ? in_end - in_at : length;
    memcpy(bytes, in + in_at, taken);
    in_at += taken;
    return (ssize_t)taken;
}

/* 0: there is room for so many bytes to be gathered, or written past what was gathered. */
static int make_room(size_t length)
{
    bool has_room = !entered->direct && !entered->left_length && out_length + length <= sizeof out;
    return has_room ? 0 : send_gathered(entered);
}

ssize_t write(int fd, const void *bytes, size_t length)
{
    if (!serves(fd))
        return syscall(SYS_write, fd, bytes, length);
    int failed = make_room(length);
    if (failed) {
        errno = failed;
        return -1;
    }
    if (entered->left_length)
        return is_empty();
    if (entered->direct || length > sizeof out)
        return send(fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
    memcpy(out + out_length, bytes, length);
    out_length += length;
    return (ssize_t)length;
}
