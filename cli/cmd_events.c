/* argosy events: what happens, as it happens. Events are QoS 0 and not retained. */
#include "cli/client.h"
#include "platform/base/mem.h"
#include "schema/codec/codec.h"

#include <stdio.h>
#include <string.h>

static void print_event(const struct cloud_event *event)
{
    const struct event_data *data = &event->data;
    const char *kind = event->type ? event->type : "?";
    if (strncmp(kind, "argosy.", 7) == 0)
        kind += 7;
    printf("%s  %s  %s", event->time ? event->time : "-", event->source ? event->source : "-",
           kind);
    if (event->subject)
        printf("  %s", event->subject);
    if (data->message || data->reason)
        printf(": %s", data->message ? data->message : data->reason);
    if (data->topic)
        printf(" (%s)", data->topic);
    if (data->suppressed)
        printf(" (%lld more left out)", (long long)data->suppressed);
    putchar('\n');
}

static void on_message(void *context, const struct topic *topic, const struct bus_message *message)
{
    const struct cli *cli = context;
    struct arena arena = {.limit_bytes = LIMIT_DECODE_ARENA_BYTES};
    _cleanup_problems_ struct problems problems = {0};
    struct cloud_event event = {0};
    bool is_event = (topic->kind == TOPIC_NODE_EVENT || topic->kind == TOPIC_MANAGER_EVENT) &&
                    codec_decode(&cloud_event_record, message->payload, message->length,
                                 CODEC_LENIENT, &arena, &event, &problems) == 0;
    if (is_event && cli->json)
        printf("%.*s\n", (int)message->length, (const char *)message->payload);
    else if (is_event)
        print_event(&event);
    fflush(stdout);
    arena_release(&arena);
}

static bool never(void *context)
{
    (void)context;
    return false;
}

int cmd_events(struct cli *cli)
{
    static const struct client_filter filters[] = {{TOPIC_NODE_EVENT, "+", "+"},
                                                   {TOPIC_MANAGER_EVENT, "+", NULL}};
    const struct client_handler handler = {.context = cli, .on_message = on_message};
    _cleanup_client_ struct client *client = NULL;
    int code = client_open(cli, ANSWER_TIMEOUT_MS, &client);
    if (code != CLI_OK)
        return code;
    client_set_handler(client, &handler);
    code = client_hear(client, filters, ARRAY_LENGTH(filters));
    if (code != CLI_OK)
        return code;
    if (cli_given(cli, OPT_FOLLOW))
        client_extend(client, INT64_MAX);
    client_wait(client, never, NULL, 60 * 1000);
    return CLI_OK; /* the time to listen is over */
}
