/* A broker in memory, and buses on it behind the same port: for unit tests and the simulation.
 *
 * One thread, no clock: things happen in a step only, in an order that the steps alone decide. What
 * a bus publishes reaches the broker at the end of its next step and is acknowledged in the step
 * after that, so that a connection cut between the two repeats it, as with a real broker. */
#ifndef ARGOSY_ADAPTERS_BUS_MEMORY_H
#define ARGOSY_ADAPTERS_BUS_MEMORY_H

#include "platform/ports/bus.h"

struct memory_broker;

struct memory_broker *memory_broker_new(void);
/* All of its buses must have been closed or killed. Accepts NULL. */
void memory_broker_free(struct memory_broker *broker);

struct memory_bus_config {
    struct memory_broker *broker;
    const char *root;
    const char *client_id;
    bool persistent; /* the broker keeps QoS 1 messages while it is away */
    struct bus_handler handler;
};

/* Strings are copied. */
struct bus *memory_bus_new(const struct memory_bus_config *config);

/* One turn of one client: connects or hears of the loss, takes what has arrived as one batch, sends
 * what waits. False when there was nothing to do. */
bool memory_bus_step(struct bus *bus);
/* One turn of every client, in the order of their making. */
bool memory_broker_step(struct memory_broker *broker);
/* Turns until there is nothing to do; asserts that it comes to an end. */
void memory_broker_settle(struct memory_broker *broker);

/* ---- a look inside, and other people's messages ---- */

/* The payload that is retained on a whole topic, terminated; NULL: none. Valid until the next step.
 */
const char *memory_broker_retained(const struct memory_broker *broker, const char *topic,
                                   size_t *ret_length);
/* A publication of somebody who is not one of the buses; `retained`: with the retain flag. Topics
 * whole. */
void memory_broker_inject(struct memory_broker *broker, const struct bus_message *message);

/* ---- faults ---- */

/* Down, without a word to anybody: sessions are lost, wills are not sent (as a killed Mosquitto).
 */
void memory_broker_crash(struct memory_broker *broker, bool keep_retained);
void memory_broker_restart(struct memory_broker *broker);
/* Cuts the connection: the will is sent. The bus connects again in its next steps. */
void memory_bus_cut(struct bus *bus);
/* The process is gone, with its outbox; the will is sent. Frees the bus. */
void memory_bus_kill(struct bus *bus);
/* The next `count` deliveries are lost, or made twice. */
void memory_broker_drop_next(struct memory_broker *broker, size_t count);
void memory_broker_repeat_next(struct memory_broker *broker, size_t count);
/* The next `count` subscriptions are refused. */
void memory_broker_refuse_next(struct memory_broker *broker, size_t count);
/* A session's queue loses what exceeds it, silently, as Mosquitto's max_queued_messages. */
void memory_broker_limit_queues(struct memory_broker *broker, size_t count);

#endif
