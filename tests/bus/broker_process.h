/* A Mosquitto of the test's own, without persistence, on loopback; it dies with the test. */
#ifndef ARGOSY_TESTS_BUS_BROKER_PROCESS_H
#define ARGOSY_TESTS_BUS_BROKER_PROCESS_H

#include <sys/types.h>

struct broker_process {
    pid_t pid;
    const char *host; /* of loopback */
    int port;
    char config[128]; /* path of its configuration */
};

/* Takes a port that nobody uses, starts and waits until it listens. `options`: more lines of its
 * configuration. */
void broker_start(struct broker_process *broker, const char *host, const char *options);
/* kill -9, and waits for the end. */
void broker_kill(struct broker_process *broker);
/* The same port and configuration again. */
void broker_restart(struct broker_process *broker);
void broker_stop(struct broker_process *broker);

/* A port of loopback that nobody uses. */
int port_take(void);
/* A socket that listens on it; -1: somebody has it. */
int port_listen(int port);
/* Starts a child that dies with the test, in `run`; returns its pid. */
pid_t child_start(void (*run)(void *context), void *context);
void child_kill(pid_t pid);

/* A relay for MQTT 3.1.1 connections to `port`, which refuses others as a broker does that does not
 * know their version. Returns its own port. */
int relay_start(int port, pid_t *ret_pid);

#endif
