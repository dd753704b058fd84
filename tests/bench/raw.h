/* MQTT 3.1.1 over a plain socket with as little between the program and the kernel as there can be:
 * what the references of the benches are made of. Packets are collected and written with
 * one call; what could be read with one call is handled as a batch. Any failure ends the program.
 */
#ifndef ARGOSY_TESTS_BENCH_RAW_H
#define ARGOSY_TESTS_BENCH_RAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct raw_bytes {
    uint8_t *data;
    size_t length, capacity;
};

struct raw_message {
    const char *topic; /* not terminated */
    size_t topic_length;
    const char *payload; /* not terminated */
    size_t length;
    bool retained;
};

struct raw {
    int fd;
    struct raw_bytes in, out;
    uint16_t last_id;
    size_t in_flight; /* publications that are not acknowledged */
    size_t granted;   /* subscriptions that are answered */
    void (*on_message)(void *context, struct raw *raw, const struct raw_message *message);
    void *context;
};

/* Connected and accepted; a clean session without keep-alive. */
void raw_connect(struct raw *raw, const char *host, const char *port, const char *client_id);
/* These only collect; raw_write() sends. */
void raw_subscribe(struct raw *raw, const char *filter, int qos);
void raw_publish(struct raw *raw, const char *topic, const void *payload, size_t length,
                 bool retain); /* QoS 1 */
void raw_publish_unacknowledged(struct raw *raw, const char *topic, const void *payload,
                                size_t length, bool retain); /* QoS 0 */
void raw_write(struct raw *raw);
/* Waits at most that long (-1: for ever) for bytes, and handles what has come. False: none. */
bool raw_read(struct raw *raw, int timeout_ms);
/* Until that many subscriptions are granted. */
void raw_wait_granted(struct raw *raw, size_t count);

double raw_seconds(void); /* monotonic */
_Noreturn void raw_die(const char *what);

#endif
