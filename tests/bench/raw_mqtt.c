/* What our round trips are measured against, over a plain socket (raw.h).
 *
 *   raw_mqtt respond HOST PORT FILTER TOPIC [nagle]
 * answers each message on FILTER with one on TOPIC;
 *   raw_mqtt ask HOST PORT TOPIC FILTER PAYLOAD COUNT UNTIL [nagle]
 * publishes PAYLOAD (its %d becomes the number of the sample), waits for a message on FILTER that
 * has UNTIL in it and prints the microseconds between; COUNT times, with a pause in which everybody
 * is idle.
 *
 * QoS 1 throughout. With "nagle" TCP_NODELAY is not set: the negative control. */
#include "tests/bench/raw.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { IDLE_MS = 20 /* between two samples */ };

static void mqtt_open(struct raw *raw, char **words, const char *filter, bool nagle)
{
    char id[32];
    snprintf(id, sizeof id, "raw-%d", (int)getpid());
    raw_connect(raw, words[2], words[3], id);
    raw_subscribe(raw, filter, 1);
    raw_wait_granted(raw, 1);
    if (nagle && setsockopt(raw->fd, IPPROTO_TCP, TCP_NODELAY, &(int){0}, sizeof(int)) != 0)
        raw_die("TCP_NODELAY");
}

/* Each packet with a call of its own, as clients write. */
static void publish(struct raw *raw, const char *topic, const char *payload)
{
    raw_write(raw);
    raw_publish(raw, topic, payload, strlen(payload), false);
    raw_write(raw);
}

static void answer(void *context, struct raw *raw, const struct raw_message *message)
{
    (void)message;
    publish(raw, context, "{}");
}

_Noreturn static void respond(struct raw *raw)
{
    puts("ready");
    fflush(stdout);
    for (;;)
        raw_read(raw, -1);
}

struct wait {
    const char *until;
    bool over;
};

static void look_for(void *context, struct raw *raw, const struct raw_message *message)
{
    struct wait *wait = context;
    (void)raw;
    wait->over |=
        memmem(message->payload, message->length, wait->until, strlen(wait->until)) != NULL;
}

static void print_numbered(char *ret_text, size_t size, const char *payload, int number)
{
    const char *place = strstr(payload, "%d");
    if (!place)
        snprintf(ret_text, size, "%s", payload);
    else
        snprintf(ret_text, size, "%.*s%d%s", (int)(place - payload), payload, number, place + 2);
}

static void ask(struct raw *raw, struct wait *wait, const char *topic, const char *payload,
                int count)
{
    for (int sample = 0; sample < count; sample++) {
        char text[1024];
        print_numbered(text, sizeof text, payload, sample);
        double before = raw_seconds();
        publish(raw, topic, text);
        for (wait->over = false; !wait->over; raw_write(raw))
            raw_read(raw, -1);
        printf("%.0f\n", (raw_seconds() - before) * 1e6);
        nanosleep(&(struct timespec){.tv_nsec = IDLE_MS * 1000000L}, NULL);
    }
}

int main(int count, char **words)
{
    bool nagle = count > 0 && strcmp(words[count - 1], "nagle") == 0;
    count -= nagle;
    if (count == 6 && strcmp(words[1], "respond") == 0) {
        struct raw raw = {.on_message = answer, .context = words[5]};
        mqtt_open(&raw, words, words[4], nagle);
        respond(&raw);
    }
    if (count == 9 && strcmp(words[1], "ask") == 0) {
        struct wait wait = {.until = words[8]};
        struct raw raw = {.on_message = look_for, .context = &wait};
        mqtt_open(&raw, words, words[5], nagle);
        ask(&raw, &wait, words[4], words[6], atoi(words[7]));
        return 0;
    }
    fputs("usage: raw_mqtt respond HOST PORT FILTER TOPIC [nagle]\n"
          "       raw_mqtt ask HOST PORT TOPIC FILTER PAYLOAD COUNT UNTIL [nagle]\n",
          stderr);
    return 2;
}
