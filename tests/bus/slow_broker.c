#include "tests/bus/slow_broker.h"

#include "tests/bus/broker_process.h"

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECT = 1, PUBLISH = 3, SUBSCRIBE = 8, PINGREQ = 12, QOS_1 = 2, SAY_EACH_MS = 1000 };

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void say(int fd, const char *bytes, size_t length)
{
    if (write(fd, bytes, length) != (ssize_t)length)
        _exit(0); /* it has been left */
}

static void say_with_id(int fd, char type, const char *id, size_t more)
{
    const char packet[] = {type, (char)(2 + more), id[0], id[1], 1};
    say(fd, packet, 4 + more);
}

static void read_all(int fd, char *bytes, size_t length)
{
    for (size_t got = 0; got < length;) {
        ssize_t more = read(fd, bytes + got, length - got);
        if (more <= 0)
            _exit(0);
        got += (size_t)more;
    }
}

/* One packet, of fewer than 128 bytes. True: a publication whose id is to be acknowledged. */
static bool hear(int fd, char ret_id[2])
{
    char head[2], body[128];
    read_all(fd, head, sizeof head);
    read_all(fd, body, (size_t)head[1]);
    int type = (uint8_t)head[0] >> 4;
    if (type == CONNECT)
        say(fd, "\x20\x02\x00\x00", 4);
    if (type == SUBSCRIBE)
        say_with_id(fd, (char)0x90, body, 1);
    if (type == PINGREQ)
        say(fd, "\xd0\x00", 2);
    if (type != PUBLISH || !(head[0] & QOS_1))
        return false;
    size_t topic_length = (size_t)(uint8_t)body[1];
    ret_id[0] = body[2 + topic_length];
    ret_id[1] = body[3 + topic_length];
    return true;
}

static void serve(int fd, int silent_ms)
{
    char id[2] = "";
    int64_t acknowledge_ms = 0;
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    for (;;) {
        bool came = poll(&readable, 1, SAY_EACH_MS) > 0;
        if (came && hear(fd, id) && !acknowledge_ms)
            acknowledge_ms = now_ms() + silent_ms;
        if (!came)
            say(fd, "\x30\x07\x00\x03t/nyo", 9);
        if (acknowledge_ms && now_ms() >= acknowledge_ms)
            say_with_id(fd, 0x40, id, 0);
    }
}

static void run(void *context)
{
    const struct slow_broker *broker = context;
    int fd = accept(port_listen(broker->port), NULL, NULL);
    serve(fd, broker->silent_ms);
}

void slow_broker_start(struct slow_broker *broker)
{
    broker->port = port_take();
    broker->pid = child_start(run, broker);
}
