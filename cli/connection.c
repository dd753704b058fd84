#include "cli/connection.h"

#include "platform/adapters/bus_mqtt.h"
#include "platform/adapters/clock_system.h"
#include "platform/adapters/loop.h"
#include "platform/adapters/mqtt_address.h"
#include "platform/base/log.h"
#include "platform/base/mem.h"
#include "platform/base/prng.h"
#include "schema/limits.h"
#include "schema/topics.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

struct connection {
    struct loop *loop;
    struct loop_timer *timer;
    struct bus *bus;
    struct prng prng;
    char *root;
    char *broker;
    bool due;   /* the timer has fired */
    bool woken; /* by connection_wake() */
};

static void on_due(void *context)
{
    struct connection *connection = context;
    connection->due = true;
}

/* A CA file asks for TLS; an address without a scheme gets it. */
static char *broker_of(const struct cli *cli)
{
    const char *broker = cli->value[OPT_BROKER] ? cli->value[OPT_BROKER] : "localhost";
    bool tls = cli_given(cli, OPT_CA_FILE) && !strstr(broker, "://");
    return mem_printf("%s%s", tls ? "mqtts://" : "", broker);
}

static int make_bus(struct connection *connection, const struct cli *cli,
                    const struct bus_handler *handler, struct err *err)
{
    char client_id[32] = "argosy-cli-";
    prng_base32(&connection->prng, client_id + strlen(client_id), 12);
    const char *brokers[] = {connection->broker};
    struct mqtt_bus_config config = {
        .loop = connection->loop,
        .clock = &clock_system,
        .prng = &connection->prng,
        .root = connection->root,
        .client_id = client_id,
        .brokers = brokers,
        .broker_count = 1,
        .keepalive_s = DEFAULT_KEEPALIVE_S,
        .username = cli->value[OPT_USERNAME],
        .password_file = cli->value[OPT_PASSWORD_FILE],
        .ca_file = cli->value[OPT_CA_FILE],
        .certificate_file = cli->value[OPT_CERT_FILE],
        .key_file = cli->value[OPT_KEY_FILE],
        .handler = *handler,
    };
    return mqtt_bus_new(&config, &connection->bus, err);
}

int connection_open(const struct cli *cli, const struct bus_handler *handler,
                    struct connection **ret_connection, struct err *err)
{
    const char *root = cli->value[OPT_ROOT] ? cli->value[OPT_ROOT] : ARGOSY_ROOT_DEFAULT;
    uint64_t seed;
    if (!root_is_valid(root))
        return err_set(err, ERR_INVALID,
                       "--root: \"%s\" is no root: levels of letters, digits, _ and -", root);
    log_init("argosy", LOG_LEVEL_ERROR); /* what matters is said by the command */
    struct connection *connection = mem_alloc(sizeof *connection);
    ASSERT(getrandom(&seed, sizeof seed, 0) == (ssize_t)sizeof seed);
    prng_init(&connection->prng, seed);
    connection->loop = loop_new();
    connection->timer = loop_timer_new(connection->loop, on_due, connection);
    connection->root = mem_strdup(root);
    connection->broker = broker_of(cli);
    int failed = make_bus(connection, cli, handler, err);
    if (failed) {
        connection_close(connection);
        return failed;
    }
    *ret_connection = connection;
    return 0;
}

enum { CLOSE_TIMEOUT_MS = 1000 };

void connection_close(struct connection *connection)
{
    if (!connection)
        return;
    if (connection->bus)
        connection->bus->ops->close(connection->bus, CLOSE_TIMEOUT_MS);
    loop_timer_free(connection->timer);
    loop_free(connection->loop);
    free(connection->root);
    free(connection->broker);
    free(connection);
}

struct bus *connection_bus(struct connection *connection)
{
    return connection->bus;
}

const char *connection_root(const struct connection *connection)
{
    return connection->root;
}

const char *connection_broker(const struct connection *connection)
{
    return connection->broker;
}

/* "tcp://host:1883" to its parts, both allocated. */
static bool split_address(const char *broker, char **ret_host, char **ret_port)
{
    struct err err;
    _cleanup_free_ char *uri = NULL;
    if (mqtt_address_parse(broker, &uri, &err) != 0)
        return false;
    const char *host = strstr(uri, "://") + 3, *colon = strrchr(uri, ':');
    bool bracket = *host == '[';
    *ret_host = mem_printf("%.*s", (int)(colon - host) - 2 * bracket, host + bracket);
    *ret_port = mem_strdup(colon + 1);
    return true;
}

enum { PROBE_TIMEOUT_S = 2 };

const char *connection_probe(const struct connection *connection)
{
    _cleanup_free_ char *host = NULL, *port = NULL;
    struct addrinfo *addresses = NULL;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    if (!split_address(connection->broker, &host, &port))
        return NULL;
    int code = getaddrinfo(host, port, &hints, &addresses);
    if (code)
        return gai_strerror(code);
    const struct timeval timeout = {.tv_sec = PROBE_TIMEOUT_S};
    int failed = 0;
    for (struct addrinfo *at = addresses; at; at = at->ai_next) {
        int fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout); /* of connect, too */
        failed = fd >= 0 && connect(fd, at->ai_addr, at->ai_addrlen) == 0 ? 0 : errno;
        if (fd >= 0)
            close(fd);
        if (!failed)
            break;
    }
    freeaddrinfo(addresses);
    return !failed ? NULL : failed == EINPROGRESS ? "no answer" : strerror(failed);
}

void connection_run(struct connection *connection, int64_t timeout_ms)
{
    connection->due = connection->woken = false;
    loop_timer_set(connection->timer, clock_now(&clock_system).mono_ms + timeout_ms);
    while (!connection->due && !connection->woken)
        loop_run_once(connection->loop);
    loop_timer_set(connection->timer, INT64_MAX);
}

void connection_wake(struct connection *connection)
{
    connection->woken = true;
}
