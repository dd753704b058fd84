/* A short session on the bus, for one command: connect, hear what is retained up to a barrier,
 * perhaps send a command and wait for its answer, perhaps watch.
 *
 *   client_open -> client_hear (subscribe, barrier: the picture is whole)
 *     -> client_command -> client_wait -> client_close
 *
 * Each call blocks, at most until the client's deadline. Each returns CLI_OK or, after having said
 * why, the exit code of the command.
 *
 * Failure modes: a broker that cannot be reached is CLI_UNREACHABLE at once, one that is lost
 * later is reconnected and heard again until the deadline; no manager is CLI_UNREACHABLE before
 * anything is sent; no answer is CLI_TIMED_OUT, and what was sent may still be carried out. */
#ifndef ARGOSY_CLI_CLIENT_H
#define ARGOSY_CLI_CLIENT_H

#include "cli/command.h"
#include "cli/picture.h"
#include "platform/base/buf.h"

struct client;

struct client_handler {
    void *context;
    /* Every message that is no document of the picture and no reply: logs, answers, events. */
    void (*on_message)(void *context, const struct topic *topic, const struct bus_message *message);
};

/* Connects. The deadline is --timeout (default: `timeout_ms`) from now on. */
int client_open(struct cli *cli, int64_t timeout_ms, struct client **ret_client);
void client_close(struct client *client);
void client_cleanup(struct client **client);
#define _cleanup_client_ __attribute__((cleanup(client_cleanup)))

/* A new deadline, from now on; INT64_MAX: none. */
void client_extend(struct client *client, int64_t timeout_ms);
/* NULL removes it. Kept by pointer. */
void client_set_handler(struct client *client, const struct client_handler *handler);

enum { LIMIT_CLIENT_FILTERS = 16 };
/* Subscribes to the filters (kind and levels; copied) beside those heard before, and returns when
 * everything retained below them has been heard. `manager/status` and `managers/+/status` are
 * always heard. */
struct client_filter {
    enum topic_kind kind;
    const char *first, *second; /* "+" for any */
};
int client_hear(struct client *client, const struct client_filter *filters, size_t count);
struct picture *client_picture(struct client *client);

/* For commands: a manager is there, or says that none is. For reads: a warning on the standard
 * error. */
int client_need_manager(struct client *client);
void client_note_manager(struct client *client);

/* Sends a user's command and waits for its answer. `body` is a JSON object without reserved keys;
 * token, reply topic and, when it is not UNSET, `expect_version` are put in. `ret_reply` lives
 * until the next command; it is set, and CLI_OK returned, for a rejection as well. */
int client_command(struct client *client, const char *topic, const char *body,
                   int64_t expect_version, const struct reply **ret_reply);
/* Publishes; QoS 1, not retained. */
int client_publish(struct client *client, const char *topic, const struct buf *payload);

/* Runs until `done(context)`, called after every batch of messages and at least every `every_ms`;
 * CLI_TIMED_OUT at the deadline, without a word. */
int client_wait(struct client *client, bool (*done)(void *context), void *context,
                int64_t every_ms);
/* Like client_wait(), and says "timed out after … while <what>". */
int client_time_out(struct client *client, const char *what);

/* Random, for tokens: 16 characters of base32. */
const char *client_token(const struct client *client);
int64_t client_mono_ms(void);

#endif
