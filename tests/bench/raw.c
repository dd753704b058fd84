#include "tests/bench/raw.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    PACKET_CONNECT = 0x10,
    PACKET_CONNACK = 0x20,
    PACKET_PUBLISH = 0x30,
    PACKET_PUBACK = 0x40,
    PACKET_SUBSCRIBE = 0x82,
    PACKET_SUBACK = 0x90,
    FLAG_RETAIN = 1,
    FLAG_QOS1 = 2,
    READ_BYTES = 256 * 1024,
};

void raw_die(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, errno ? strerror(errno) : "unexpected");
    exit(1);
}

double raw_seconds(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

/* ---- bytes ---- */

static void bytes_reserve(struct raw_bytes *bytes, size_t more)
{
    if (bytes->length + more <= bytes->capacity)
        return;
    bytes->capacity = 2 * bytes->capacity + more;
    bytes->data = realloc(bytes->data, bytes->capacity);
    if (!bytes->data)
        raw_die("realloc");
}

static void put(struct raw_bytes *bytes, const void *data, size_t length)
{
    bytes_reserve(bytes, length);
    if (length)
        memcpy(bytes->data + bytes->length, data, length);
    bytes->length += length;
}

static void put_byte(struct raw_bytes *bytes, unsigned byte)
{
    put(bytes, &(uint8_t){(uint8_t)byte}, 1);
}

static void put_number(struct raw_bytes *bytes, unsigned number)
{
    put_byte(bytes, number >> 8);
    put_byte(bytes, number);
}

static void put_text(struct raw_bytes *bytes, const char *text)
{
    size_t length = strlen(text);
    put_number(bytes, (unsigned)length);
    put(bytes, text, length);
}

static void put_header(struct raw_bytes *bytes, unsigned type, size_t length)
{
    put_byte(bytes, type);
    do {
        put_byte(bytes, (unsigned)(length & 127) | (length > 127 ? 128 : 0));
        length >>= 7;
    } while (length);
}

/* ---- what is said ---- */

static unsigned next_id(struct raw *raw)
{
    raw->last_id = (uint16_t)(raw->last_id % 65535 + 1);
    return raw->last_id;
}

void raw_subscribe(struct raw *raw, const char *filter, int qos)
{
    put_header(&raw->out, PACKET_SUBSCRIBE, strlen(filter) + 5);
    put_number(&raw->out, next_id(raw));
    put_text(&raw->out, filter);
    put_byte(&raw->out, (unsigned)qos);
}

void raw_publish(struct raw *raw, const char *topic, const void *payload, size_t length,
                 bool retain)
{
    put_header(&raw->out, PACKET_PUBLISH | FLAG_QOS1 | (retain ? FLAG_RETAIN : 0),
               strlen(topic) + length + 4);
    put_text(&raw->out, topic);
    put_number(&raw->out, next_id(raw));
    put(&raw->out, payload, length);
    raw->in_flight++;
}

void raw_publish_unacknowledged(struct raw *raw, const char *topic, const void *payload,
                                size_t length, bool retain)
{
    put_header(&raw->out, PACKET_PUBLISH | (retain ? FLAG_RETAIN : 0), strlen(topic) + length + 2);
    put_text(&raw->out, topic);
    put(&raw->out, payload, length);
}

void raw_write(struct raw *raw)
{
    for (size_t sent = 0; sent < raw->out.length;) {
        ssize_t more = write(raw->fd, raw->out.data + sent, raw->out.length - sent);
        if (more <= 0)
            raw_die("write");
        sent += (size_t)more;
    }
    raw->out.length = 0;
}

/* ---- what is heard ---- */

static unsigned number_at(const uint8_t *bytes)
{
    return (unsigned)bytes[0] << 8 | bytes[1];
}

static void on_publish(struct raw *raw, unsigned flags, const uint8_t *body, size_t length)
{
    size_t topic_length = number_at(body), head = 2 + topic_length;
    if (flags & FLAG_QOS1) {
        put_header(&raw->out, PACKET_PUBACK, 2);
        put(&raw->out, body + head, 2);
        head += 2;
    }
    const struct raw_message message = {.topic = (const char *)body + 2,
                                        .topic_length = topic_length,
                                        .payload = (const char *)body + head,
                                        .length = length - head,
                                        .retained = flags & FLAG_RETAIN};
    if (raw->on_message)
        raw->on_message(raw->context, raw, &message);
}

static void on_packet(struct raw *raw, unsigned type, const uint8_t *body, size_t length)
{
    switch (type & 0xf0) {
    case PACKET_PUBLISH:
        on_publish(raw, type, body, length);
        break;
    case PACKET_PUBACK:
        raw->in_flight--;
        break;
    case PACKET_SUBACK:
        raw->granted++;
        break;
    case PACKET_CONNACK:
        if (body[1])
            raw_die("the broker refuses the connection");
        raw->granted++;
        break;
    default:
        break;
    }
}

/* Handles the first packet of these bytes; its size, 0: it is not whole. */
static size_t handle_one(struct raw *raw, const uint8_t *bytes, size_t available)
{
    size_t length = 0, head = 1;
    for (unsigned shift = 0;; shift += 7, head++) {
        if (head >= available)
            return 0;
        length |= (size_t)(bytes[head] & 127) << shift;
        if (!(bytes[head] & 128))
            break;
    }
    head++;
    if (available < head + length)
        return 0;
    on_packet(raw, bytes[0], bytes + head, length);
    return head + length;
}

bool raw_read(struct raw *raw, int timeout_ms)
{
    struct pollfd readable = {.fd = raw->fd, .events = POLLIN};
    if (poll(&readable, 1, timeout_ms) <= 0)
        return false;
    bytes_reserve(&raw->in, READ_BYTES);
    ssize_t got = read(raw->fd, raw->in.data + raw->in.length, READ_BYTES);
    if (got <= 0)
        raw_die("read");
    raw->in.length += (size_t)got;
    size_t done = 0;
    for (size_t size; (size = handle_one(raw, raw->in.data + done, raw->in.length - done));)
        done += size;
    raw->in.length -= done;
    memmove(raw->in.data, raw->in.data + done, raw->in.length);
    return true;
}

void raw_wait_granted(struct raw *raw, size_t count)
{
    raw_write(raw);
    while (raw->granted < count)
        raw_read(raw, -1);
    raw->granted = 0;
    raw_write(raw);
}

/* ---- connecting ---- */

static int open_socket(const char *host, const char *port)
{
    struct addrinfo *found, hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    if (getaddrinfo(host, port, &hints, &found))
        raw_die("getaddrinfo");
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    if (fd < 0 || connect(fd, found->ai_addr, found->ai_addrlen) ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one))
        raw_die("connect");
    freeaddrinfo(found);
    return fd;
}

void raw_connect(struct raw *raw, const char *host, const char *port, const char *client_id)
{
    raw->fd = open_socket(host, port);
    put_header(&raw->out, PACKET_CONNECT, 12 + strlen(client_id));
    put_text(&raw->out, "MQTT");
    put_byte(&raw->out, 4); /* 3.1.1 */
    put_byte(&raw->out, 2); /* clean session */
    put_number(&raw->out, 0);
    put_text(&raw->out, client_id);
    raw_wait_granted(raw, 1);
}
