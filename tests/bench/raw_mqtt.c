/* MQTT 3.1.1 over a plain socket, with as little between the program and the kernel as there can
 * be: the reference that our round trips are measured against.
 *
 *   raw_mqtt respond HOST PORT FILTER TOPIC [nagle]        answers each message on FILTER with one
 * on TOPIC raw_mqtt ask HOST PORT TOPIC FILTER PAYLOAD COUNT [nagle] publishes PAYLOAD (its %d
 * becomes the number of the sample), waits for one message on FILTER, prints the microseconds
 * between; COUNT times, with a pause in which everybody is idle.
 *
 * QoS 1 throughout. With "nagle" TCP_NODELAY is not set: the negative control. Any failure ends the
 * program. */
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    PACKET_CONNECT = 0x10,
    PACKET_CONNACK = 0x20,
    PACKET_PUBLISH_QOS1 = 0x32,
    PACKET_PUBACK = 0x40,
    PACKET_SUBSCRIBE = 0x82,
    PACKET_SUBACK = 0x90,
    PACKET_MAX = 65536,
    IDLE_MS = 20, /* between two samples */
};

struct packet {
    uint8_t type;
    size_t length;
    uint8_t body[PACKET_MAX];
};

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void read_all(int fd, void *ret_bytes, size_t length)
{
    for (size_t got = 0; got < length;) {
        ssize_t more = read(fd, (char *)ret_bytes + got, length - got);
        if (more <= 0)
            die("read");
        got += (size_t)more;
    }
}

static void packet_read(int fd, struct packet *ret_packet)
{
    uint8_t byte;
    unsigned shift = 0;
    read_all(fd, &ret_packet->type, 1);
    ret_packet->length = 0;
    do {
        read_all(fd, &byte, 1);
        ret_packet->length |= (size_t)(byte & 127) << shift;
        shift += 7;
    } while (byte & 128);
    if (ret_packet->length > PACKET_MAX)
        die("packet too large");
    read_all(fd, ret_packet->body, ret_packet->length);
}

static void packet_write(int fd, const struct packet *packet)
{
    uint8_t bytes[PACKET_MAX + 5];
    size_t used = 0, left = packet->length;
    bytes[used++] = packet->type;
    do {
        bytes[used++] = (uint8_t)((left & 127) | (left > 127 ? 128 : 0));
        left >>= 7;
    } while (left);
    memcpy(bytes + used, packet->body, packet->length);
    used += packet->length;
    if (write(fd, bytes, used) != (ssize_t)used)
        die("write");
}

static void add_number(struct packet *packet, unsigned number)
{
    packet->body[packet->length++] = (uint8_t)(number >> 8);
    packet->body[packet->length++] = (uint8_t)number;
}

static void add_text(struct packet *packet, const char *text)
{
    size_t length = strlen(text);
    add_number(packet, (unsigned)length);
    memcpy(packet->body + packet->length, text, length);
    packet->length += length;
}

static void expect(int fd, uint8_t type, struct packet *ret_packet)
{
    do
        packet_read(fd, ret_packet);
    while ((ret_packet->type & 0xf0) != type);
}

static int open_socket(const char *host, const char *port, bool nagle)
{
    struct addrinfo *found, hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    if (getaddrinfo(host, port, &hints, &found) != 0)
        die("getaddrinfo");
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    if (fd < 0 || connect(fd, found->ai_addr, found->ai_addrlen) != 0)
        die("connect");
    if (!nagle && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) != 0)
        die("TCP_NODELAY");
    freeaddrinfo(found);
    return fd;
}

static int mqtt_open(const char *host, const char *port, const char *filter, bool nagle)
{
    int fd = open_socket(host, port, nagle);
    char id[32];
    snprintf(id, sizeof id, "raw-%d", (int)getpid());
    struct packet packet = {.type = PACKET_CONNECT};
    add_text(&packet, "MQTT");
    packet.body[packet.length++] = 4; /* 3.1.1 */
    packet.body[packet.length++] = 2; /* clean session */
    add_number(&packet, 0);           /* no keepalive */
    add_text(&packet, id);
    packet_write(fd, &packet);
    expect(fd, PACKET_CONNACK, &packet);

    packet = (struct packet){.type = PACKET_SUBSCRIBE};
    add_number(&packet, 1);
    add_text(&packet, filter);
    packet.body[packet.length++] = 1; /* QoS */
    packet_write(fd, &packet);
    expect(fd, PACKET_SUBACK, &packet);
    return fd;
}

static void mqtt_publish(int fd, const char *topic, const void *payload, size_t length)
{
    static unsigned id;
    struct packet packet = {.type = PACKET_PUBLISH_QOS1};
    add_text(&packet, topic);
    id = id % 65535 + 1;
    add_number(&packet, id);
    memcpy(packet.body + packet.length, payload, length);
    packet.length += length;
    packet_write(fd, &packet);
}

/* Waits for a message and acknowledges it. */
static void mqtt_receive(int fd, struct packet *ret_message)
{
    expect(fd, 0x30, ret_message);
    size_t topic_length = (size_t)ret_message->body[0] << 8 | ret_message->body[1];
    if (!(ret_message->type & 0x06)) /* QoS 0: there is nothing to acknowledge */
        return;
    struct packet ack = {.type = PACKET_PUBACK, .length = 2};
    memcpy(ack.body, ret_message->body + 2 + topic_length, 2);
    packet_write(fd, &ack);
}

_Noreturn static void respond(int fd, const char *topic)
{
    puts("ready");
    fflush(stdout);
    for (;;) {
        struct packet message;
        mqtt_receive(fd, &message);
        mqtt_publish(fd, topic, "{}", 2);
    }
}

static int64_t now_us(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec * INT64_C(1000000) + at.tv_nsec / 1000;
}

static void print_numbered(char *ret_text, size_t size, const char *payload, int number)
{
    const char *place = strstr(payload, "%d");
    if (!place)
        snprintf(ret_text, size, "%s", payload);
    else
        snprintf(ret_text, size, "%.*s%d%s", (int)(place - payload), payload, number, place + 2);
}

static int ask(int fd, const char *topic, const char *payload, int count, const char *until)
{
    for (int sample = 0; sample < count; sample++) {
        char text[1024];
        struct packet answer;
        print_numbered(text, sizeof text, payload, sample);
        int64_t before = now_us();
        mqtt_publish(fd, topic, text, strlen(text));
        do
            mqtt_receive(fd, &answer);
        while (!memmem(answer.body, answer.length, until, strlen(until)));
        printf("%lld\n", (long long)(now_us() - before));
        nanosleep(&(struct timespec){.tv_nsec = IDLE_MS * 1000000L}, NULL);
    }
    return 0;
}

int main(int count, char **words)
{
    bool nagle = count > 0 && strcmp(words[count - 1], "nagle") == 0;
    count -= nagle;
    if (count == 6 && strcmp(words[1], "respond") == 0)
        respond(mqtt_open(words[2], words[3], words[4], nagle), words[5]);
    if (count == 9 && strcmp(words[1], "ask") == 0)
        return ask(mqtt_open(words[2], words[3], words[5], nagle), words[4], words[6],
                   atoi(words[7]), words[8]);
    fputs("usage: raw_mqtt respond HOST PORT FILTER TOPIC [nagle]\n"
          "       raw_mqtt ask HOST PORT TOPIC FILTER PAYLOAD COUNT UNTIL [nagle]\n",
          stderr);
    return 2;
}
