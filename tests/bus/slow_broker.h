/* A broker that speaks on and does not come to acknowledging: MQTT 3.1.1 with one client. */
#ifndef ARGOSY_TESTS_BUS_SLOW_BROKER_H
#define ARGOSY_TESTS_BUS_SLOW_BROKER_H

#include <sys/types.h>

struct slow_broker {
    pid_t pid;
    int port;
    int silent_ms; /* until it acknowledges what it was told first; it speaks each second */
};

/* On a port of its own, in a process of its own; ended by child_kill(). */
void slow_broker_start(struct slow_broker *broker);

#endif
