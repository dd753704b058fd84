/* argosy node VERB NODE …: commands that change a node. */
#include "cli/client.h"
#include "platform/base/mem.h"
#include "schema/codec/codec.h"
#include "schema/quantity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct verb {
    const char *name;
    const char *operands;
    int min, max; /* operands behind the node */
    /* Fills in the arguments from the operands; CLI_OK or CLI_USAGE after a message. */
    int (*fill)(const struct cli *cli, char *const *operands, int count, struct arena *arena,
                struct node_arguments *arguments);
};

static int fill_eligibility(const struct cli *cli, char *const *operands, int count,
                            struct arena *arena, struct node_arguments *arguments)
{
    (void)count;
    (void)arena;
    bool on = strcmp(operands[0], "on") == 0;
    if (!on && strcmp(operands[0], "off") != 0)
        return cli_usage_error(cli->command, "eligibility is on or off, not \"%s\"", operands[0]);
    arguments->eligible = on;
    return CLI_OK;
}

static int compare_pairs(const void *a, const void *b)
{
    return strcmp(((const struct string_pair *)a)->key, ((const struct string_pair *)b)->key);
}

static int fill_labels(const struct cli *cli, char *const *operands, int count, struct arena *arena,
                       struct node_arguments *arguments)
{
    struct string_pair *pairs = arena_array(arena, (size_t)count, sizeof *pairs);
    ASSERT(pairs);
    for (int i = 0; i < count; i++) {
        const char *equals = strchr(operands[i], '=');
        if (!equals || equals == operands[i])
            return cli_usage_error(cli->command, "\"%s\" is not KEY=VALUE", operands[i]);
        pairs[i].key = arena_strndup(arena, operands[i], (size_t)(equals - operands[i]));
        pairs[i].value = equals + 1;
    }
    qsort(pairs, (size_t)count, sizeof *pairs, compare_pairs);
    for (int i = 1; i < count; i++)
        if (strcmp(pairs[i].key, pairs[i - 1].key) == 0)
            return cli_usage_error(cli->command, "label %s is given twice", pairs[i].key);
    arguments->labels = (struct string_map){.items = pairs, .count = (size_t)count};
    return CLI_OK;
}

static int fill_interval(const struct cli *cli, char *const *operands, int count,
                         struct arena *arena, struct node_arguments *arguments)
{
    const char *hint = "";
    (void)count;
    (void)arena;
    if (!duration_parse(operands[0], &arguments->interval_ms, &hint))
        return cli_usage_error(cli->command, "\"%s\" is no duration (%s)", operands[0], hint);
    return CLI_OK;
}

static int fill_nothing(const struct cli *cli, char *const *operands, int count,
                        struct arena *arena, struct node_arguments *arguments)
{
    (void)cli;
    (void)operands;
    (void)count;
    (void)arena;
    (void)arguments;
    return CLI_OK;
}

static const struct verb verbs[] = {
    {"eligibility", "NODE on|off", 1, 1, fill_eligibility},
    {"labels", "NODE KEY=VALUE…", 1, 1000, fill_labels},
    {"interval", "NODE DURATION", 1, 1, fill_interval},
    {"delete", "NODE", 0, 0, fill_nothing},
};

static const struct verb *verb_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LENGTH(verbs); i++)
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    return NULL;
}

static int print_answer(const struct cli *cli, const char *node, const char *verb,
                        const struct reply *reply)
{
    bool accepted = reply->result == REPLY_ACCEPTED;
    if (cli->json) {
        _cleanup_buf_ struct buf json = BUF_EMPTY;
        codec_encode(&reply_record, reply, &json);
        puts(buf_text(&json));
    } else if (accepted) {
        printf("%s: %s accepted%s\n", node, verb,
               reply->changed == 0 ? ", nothing had to change" : "");
    }
    if (accepted)
        return CLI_OK;
    fprintf(stderr, "argosy: %s: %s is rejected: %s\n", node, verb,
            reply->message ? reply->message : "no reason given");
    for (size_t i = 0; i < reply->errors.count; i++) {
        const struct reply_error *error = RECORD_AT(struct reply_error, reply->errors, i);
        fprintf(stderr, "  %s: %s%s%s\n", error->path ? error->path : "",
                error->message ? error->message : "", error->hint ? "; " : "",
                error->hint ? error->hint : "");
    }
    return CLI_REJECTED;
}

static int send(struct cli *cli, const struct verb *verb, const char *node,
                const struct node_arguments *arguments)
{
    _cleanup_client_ struct client *client = NULL;
    _cleanup_buf_ struct buf body = BUF_EMPTY;
    char topic[LIMIT_TOPIC_LENGTH + 1];
    const struct reply *reply = NULL;
    topic_format(topic, TOPIC_DO_NODE, node, verb->name);
    codec_encode(&node_arguments_record, arguments, &body);
    int code = client_open(cli, ANSWER_TIMEOUT_MS, &client);
    if (code == CLI_OK)
        code = client_hear(client, NULL, 0);
    if (code == CLI_OK)
        code = client_need_manager(client);
    if (code == CLI_OK)
        code = client_command(client, topic, buf_text(&body), UNSET, &reply);
    return code == CLI_OK ? print_answer(cli, node, verb->name, reply) : code;
}

int cmd_node(struct cli *cli)
{
    const char *node = cli->operands[1];
    const struct verb *verb = verb_find(cli->operands[0]);
    int rest = cli->operand_count - 2;
    if (!verb)
        return cli_usage_error(
            cli->command,
            "\"%s\" is not one of eligibility, labels, interval, delete (to look at "
            "one: argosy nodes NODE)",
            cli->operands[0]);
    if (!node_id_is_valid(node))
        return cli_usage_error(cli->command, "\"%s\" is no node id", node);
    if (rest < verb->min || rest > verb->max)
        return cli_usage_error(cli->command, "argosy node %s %s", verb->name, verb->operands);
    struct arena arena = ARENA_EMPTY;
    struct node_arguments arguments = {
        .envelope = {.expect_version = UNSET, .expires_at_ms = UNSET},
        .eligible = UNSET,
        .interval_ms = UNSET};
    int code = verb->fill(cli, cli->operands + 2, rest, &arena, &arguments);
    if (code == CLI_OK)
        code = send(cli, verb, node, &arguments);
    arena_release(&arena);
    return code;
}
