/* The bus of one invocation with its loop: what binds the command line to libuv and MQTT. */
#ifndef ARGOSY_CLI_CONNECTION_H
#define ARGOSY_CLI_CONNECTION_H

#include "cli/command.h"
#include "platform/ports/bus.h"

struct connection;

/* Sets up loop and bus from the options; nothing is sent before the bus's start(). -ERR_INVALID:
 * an option makes no sense (the text says which), -ERR_IO: a file cannot be read. */
int connection_open(const struct cli *cli, const struct bus_handler *handler,
                    struct connection **ret_connection, struct err *err);
void connection_close(struct connection *connection);

struct bus *connection_bus(struct connection *connection);
/* Root of the topics. */
const char *connection_root(const struct connection *connection);
/* "localhost:1883": for messages. */
const char *connection_broker(const struct connection *connection);

/* Why nobody answers there, found out by connecting without MQTT: "Connection refused". NULL when
 * that works. The MQTT client tells it in the words of its library, Paho not at all. */
const char *connection_probe(const struct connection *connection);

/* Runs the loop until connection_wake() or for `timeout_ms`. */
void connection_run(struct connection *connection, int64_t timeout_ms);
void connection_wake(struct connection *connection);

#endif
