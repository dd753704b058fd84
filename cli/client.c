#include "cli/client.h"

#include "cli/connection.h"
#include "platform/base/mem.h"
#include "platform/base/prng.h"
#include "platform/base/text.h"
#include "schema/codec/codec.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

enum { TOKEN_LENGTH = 16, LIMIT_FILTERS_TOTAL = 16 };

struct client {
    struct cli *cli;
    struct connection *connection;
    struct picture picture;
    const struct client_handler *handler;
    struct prng prng;
    char token[TOKEN_LENGTH + 1]; /* names our reply topic, too */
    char reply_topic[LIMIT_TOPIC_LENGTH + 1];
    int64_t started_ms, deadline_ms;

    bool connected;
    bool ever_connected;
    char why[256]; /* of the last disconnect */

    char *filters[LIMIT_FILTERS_TOTAL];
    size_t filter_count;
    int stage;      /* the newest subscription of this connection, from 1 */
    int barrier;    /* number of the newest barrier */
    bool heard;     /* it has returned */
    bool forbidden; /* the broker refused a subscription */

    char command[64]; /* token of the command under way, "" when there is none */
    bool refused;     /* the broker refused to take it */
    int refusal;      /* MQTT reason */
    char refusal_text[128];
    struct reply reply;
    struct arena reply_arena;
    bool replied;
};

int64_t client_mono_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- stages: subscribe, then a barrier to our own reply topic -------------------------------- */

static void subscribe(struct client *client, size_t first)
{
    struct bus *bus = connection_bus(client->connection);
    struct bus_filter filters[LIMIT_FILTERS_TOTAL];
    size_t count = 0;
    for (size_t i = first; i < client->filter_count; i++)
        filters[count++] = (struct bus_filter){.filter = client->filters[i], .qos = 1};
    client->heard = false;
    bus->ops->subscribe(bus, ++client->stage, filters, count);
}

/* The barrier is shaped like a reply, as everything on a reply topic. */
static void send_barrier(struct client *client)
{
    char token[64];
    snprintf(token, sizeof token, "%s-%d", client->token, ++client->barrier);
    struct reply barrier = {.token = token,
                            .result = REPLY_ACCEPTED,
                            .code = "accepted",
                            .message = "barrier",
                            .version = UNSET,
                            .changed = UNSET};
    _cleanup_buf_ struct buf payload = BUF_EMPTY;
    codec_encode(&reply_record, &barrier, &payload);
    client_publish(client, client->reply_topic, &payload);
}

static void on_connected(void *context)
{
    struct client *client = context;
    client->connected = client->ever_connected = true;
    client->stage = 0;
    if (client->filter_count)
        subscribe(client, 0);
    connection_wake(client->connection);
}

static void on_disconnected(void *context, const char *why)
{
    struct client *client = context;
    client->connected = client->heard = false;
    text_copy(client->why, sizeof client->why, why ? why : "connection lost");
    connection_wake(client->connection);
}

static void on_connect_failed(void *context, const char *why)
{
    struct client *client = context;
    text_copy(client->why, sizeof client->why, why);
    connection_wake(client->connection);
}

static void on_subscribed(void *context, int stage, bool granted)
{
    struct client *client = context;
    client->forbidden = !granted;
    if (granted && stage == client->stage)
        send_barrier(client);
    connection_wake(client->connection);
}

static void on_refused(void *context, const char *topic, int reason, const char *text)
{
    struct client *client = context;
    if (!client->command[0] || strncmp(topic, "do/", 3) != 0)
        return;
    client->refused = true;
    client->refusal = reason;
    text_copy(client->refusal_text, sizeof client->refusal_text, text ? text : "refused");
    connection_wake(client->connection);
}

/* ---- messages -------------------------------------------------------------------------------- */

static void hear_reply(struct client *client, const struct bus_message *message)
{
    struct arena arena = {.limit_bytes = LIMIT_DECODE_ARENA_BYTES};
    _cleanup_problems_ struct problems problems = {0};
    struct reply reply = {0};
    char barrier[64];
    snprintf(barrier, sizeof barrier, "%s-%d", client->token, client->barrier);
    bool readable = codec_decode(&reply_record, message->payload, message->length, CODEC_LENIENT,
                                 &arena, &reply, &problems) == 0 &&
                    reply.token;
    if (readable && strcmp(reply.token, barrier) == 0)
        client->heard = true;
    if (readable && !client->replied && strcmp(reply.token, client->command) == 0) {
        client->replied = true;
        client->reply = reply;
        client->reply_arena = arena;
        return;
    }
    arena_release(&arena);
}

static void on_message(void *context, const struct bus_message *message)
{
    struct client *client = context;
    struct topic topic;
    if (strcmp(message->topic, client->reply_topic) == 0)
        hear_reply(client, message);
    else if (!picture_hear(&client->picture, message) && client->handler &&
             topic_parse(message->topic, &topic))
        client->handler->on_message(client->handler->context, &topic, message);
}

static void on_batch_end(void *context)
{
    struct client *client = context;
    connection_wake(client->connection);
}

/* ---- waiting --------------------------------------------------------------------------------- */

static bool is_late(const struct client *client)
{
    return client_mono_ms() >= client->deadline_ms;
}

static void turn(struct client *client, int64_t longest_ms)
{
    int64_t left_ms = client->deadline_ms - client_mono_ms();
    int64_t wait_ms = left_ms < longest_ms ? left_ms : longest_ms;
    connection_run(client->connection, wait_ms > 0 ? wait_ms : 0);
}

int client_wait(struct client *client, bool (*done)(void *context), void *context, int64_t every_ms)
{
    while (!done(context)) {
        if (is_late(client))
            return CLI_TIMED_OUT;
        turn(client, every_ms);
    }
    return CLI_OK;
}

int client_time_out(struct client *client, const char *what)
{
    if (!client->connected)
        return cli_fail(client->cli, CLI_UNREACHABLE, "the broker at %s was lost while %s: %s",
                        connection_broker(client->connection), what, client->why);
    return cli_fail(client->cli, CLI_TIMED_OUT,
                    "timed out after %.1f s while %s (--timeout waits longer)",
                    (double)(client_mono_ms() - client->started_ms) / 1000.0, what);
}

void client_extend(struct client *client, int64_t timeout_ms)
{
    client->started_ms = client_mono_ms();
    client->deadline_ms = timeout_ms == INT64_MAX ? INT64_MAX : client->started_ms + timeout_ms;
}

/* ---- opening, hearing ------------------------------------------------------------------------ */

static int refuse_connection(struct client *client)
{
    const char *why = connection_probe(client->connection);
    if (!why)
        why = client->why[0] ? client->why : "it does not answer";
    return cli_fail(client->cli, CLI_UNREACHABLE,
                    "the broker at %s cannot be reached: %s\n"
                    "hint: `argosy dev` starts one here; --broker or ARGOSY_BROKER names another",
                    connection_broker(client->connection), why);
}

static int wait_until_connected(struct client *client)
{
    struct bus *bus = connection_bus(client->connection);
    bus->ops->start(bus);
    while (!client->ever_connected && !client->why[0] && !is_late(client))
        turn(client, 1000);
    return client->ever_connected ? CLI_OK : refuse_connection(client);
}

static void make_token(struct client *client)
{
    uint64_t seed;
    ASSERT(getrandom(&seed, sizeof seed, 0) == (ssize_t)sizeof seed);
    prng_init(&client->prng, seed);
    prng_base32(&client->prng, client->token, TOKEN_LENGTH);
    topic_format(client->reply_topic, TOPIC_REPLY, client->token, NULL);
}

static void add_filter(struct client *client, const char *filter)
{
    ASSERT(client->filter_count < LIMIT_FILTERS_TOTAL);
    client->filters[client->filter_count++] = mem_strdup(filter);
}

int client_open(struct cli *cli, int64_t timeout_ms, struct client **ret_client)
{
    _cleanup_client_ struct client *client = mem_alloc(sizeof *client);
    struct err err = {0};
    struct bus_handler handler = {.context = client,
                                  .on_connected = on_connected,
                                  .on_disconnected = on_disconnected,
                                  .on_connect_failed = on_connect_failed,
                                  .on_subscribed = on_subscribed,
                                  .on_message = on_message,
                                  .on_batch_end = on_batch_end,
                                  .on_refused = on_refused};
    client->cli = cli;
    client_extend(client, cli_number(cli, OPT_TIMEOUT, timeout_ms));
    make_token(client);
    int failed = connection_open(cli, &handler, &client->connection, &err);
    if (failed)
        return cli_fail(cli, CLI_USAGE, "%s", err.text);
    int code = wait_until_connected(client);
    if (code != CLI_OK)
        return code;
    add_filter(client, client->reply_topic);
    add_filter(client, "manager/status");
    add_filter(client, "managers/+/status");
    *ret_client = mem_steal(client);
    return CLI_OK;
}

void client_close(struct client *client)
{
    if (!client)
        return;
    connection_close(client->connection);
    picture_release(&client->picture);
    arena_release(&client->reply_arena);
    for (size_t i = 0; i < client->filter_count; i++)
        free(client->filters[i]);
    free(client);
}

void client_cleanup(struct client **client)
{
    client_close(*client);
}

static bool has_heard(void *context)
{
    const struct client *client = context;
    return client->heard || client->forbidden;
}

int client_hear(struct client *client, const struct client_filter *filters, size_t count)
{
    size_t first = client->barrier ? client->filter_count : 0;
    for (size_t i = 0; i < count; i++) {
        char filter[LIMIT_TOPIC_LENGTH + 1];
        topic_format(filter, filters[i].kind, filters[i].first, filters[i].second);
        add_filter(client, filter);
    }
    if (first == client->filter_count)
        return CLI_OK;
    subscribe(client, first);
    if (client_wait(client, has_heard, client, 1000) != CLI_OK)
        return client_time_out(client, "reading what the broker has retained");
    if (client->forbidden)
        return cli_fail(client->cli, CLI_UNREACHABLE,
                        "the broker at %s does not permit to read this; log in with --username",
                        connection_broker(client->connection));
    picture_sort(&client->picture);
    return CLI_OK;
}

struct picture *client_picture(struct client *client)
{
    return &client->picture;
}

void client_set_handler(struct client *client, const struct client_handler *handler)
{
    client->handler = handler;
}

const char *client_token(const struct client *client)
{
    return client->token;
}

/* ---- managers and commands ------------------------------------------------------------------- */

/* NULL when one is there. */
static const char *manager_missing(struct client *client, const char **ret_manager)
{
    switch (picture_leadership(&client->picture, ret_manager)) {
    case LEADERSHIP_NONE:
        return "no manager has ever led here";
    case LEADERSHIP_OFFLINE:
        return "no manager leads: the last one is offline";
    case LEADERSHIP_RECOVERING:
    case LEADERSHIP_LEADING:
        return NULL;
    }
    return NULL;
}

int client_need_manager(struct client *client)
{
    const char *manager;
    const char *missing = manager_missing(client, &manager);
    if (!missing)
        return CLI_OK;
    return cli_fail(
        client->cli, CLI_UNREACHABLE,
        "%s (%s%sroot %s at %s); nothing was sent\nhint: start argosy-manager, or is it another "
        "--root?",
        missing, manager ? manager : "", manager ? ", " : "", connection_root(client->connection),
        connection_broker(client->connection));
}

void client_note_manager(struct client *client)
{
    const char *manager;
    const char *missing = manager_missing(client, &manager);
    if (missing)
        cli_note("%s; this is what the broker has retained below %s", missing,
                 connection_root(client->connection));
}

int client_publish(struct client *client, const char *topic, const struct buf *payload)
{
    struct bus *bus = connection_bus(client->connection);
    struct bus_publication publication = {
        .topic = topic, .payload = buf_text(payload), .length = payload->length, .qos = 1};
    int result = payload->failed ? -ERR_NO_MEMORY : bus->ops->publish(bus, &publication);
    return result == 0 ? CLI_OK
                       : cli_fail(client->cli, CLI_FAILED, "%s cannot be sent: %s", topic,
                                  err_text(result));
}

static void encode_command(struct client *client, const char *body, int64_t expect_version,
                           struct buf *out)
{
    ASSERT(body[0] == '{');
    buf_printf(out, "{\"token\":\"%s\",\"reply_to\":\"%s/%s\"", client->command,
               connection_root(client->connection), client->reply_topic);
    if (expect_version != UNSET)
        buf_printf(out, ",\"expect_version\":%" PRId64, expect_version);
    if (body[1] != '}')
        buf_add_char(out, ',');
    buf_add_text(out, body + 1);
}

static bool has_answer(void *context)
{
    const struct client *client = context;
    return client->replied || client->refused;
}

enum { MQTT_NO_MATCHING_SUBSCRIBERS = 0x10 };

static int answer_missing(struct client *client, const char *topic, int waited)
{
    if (client->refused && client->refusal == MQTT_NO_MATCHING_SUBSCRIBERS)
        return cli_fail(client->cli, CLI_UNREACHABLE, "no manager listens; the command is lost");
    if (client->refused)
        return cli_fail(client->cli, CLI_REJECTED, "the broker refused %s: %s", topic,
                        client->refusal_text);
    if (waited == CLI_TIMED_OUT && client->connected)
        fputs("argosy: the command may still be carried out; sending it again is safe\n", stderr);
    return client_time_out(client, "waiting for the manager's answer");
}

int client_command(struct client *client, const char *topic, const char *body,
                   int64_t expect_version, const struct reply **ret_reply)
{
    _cleanup_buf_ struct buf payload = BUF_EMPTY;
    prng_base32(&client->prng, client->command, TOKEN_LENGTH);
    client->refused = client->replied = false;
    arena_release(&client->reply_arena);
    encode_command(client, body, expect_version, &payload);
    int code = client_publish(client, topic, &payload);
    if (code != CLI_OK)
        return code;
    int waited = client_wait(client, has_answer, client, 1000);
    if (!client->replied)
        return answer_missing(client, topic, waited);
    *ret_reply = &client->reply;
    return CLI_OK;
}
