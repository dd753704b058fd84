/* argosy dispatch JOB [KEY=VALUE…] [FILE]: makes a child of a job with parameters. */
#include "cli/job_command.h"
#include "platform/base/base64.h"
#include "platform/base/mem.h"
#include "schema/codec/codec.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare_pairs(const void *a, const void *b)
{
    return strcmp(((const struct string_pair *)a)->key, ((const struct string_pair *)b)->key);
}

/* FILE or "-". CLI_USAGE after a message. */
static int read_payload(const struct cli *cli, const char *name, struct arena *arena,
                        struct dispatch_arguments *arguments)
{
    char bytes[LIMIT_DISPATCH_PAYLOAD_BYTES + 1];
    bool is_input = strcmp(name, "-") == 0;
    FILE *file = is_input ? stdin : fopen(name, "rbe");
    if (!file)
        return cli_usage_error(cli->command, "%s: %s", name, strerror(errno));
    size_t length = fread(bytes, 1, sizeof bytes, file);
    int failed = ferror(file);
    if (!is_input)
        fclose(file);
    if (failed)
        return cli_usage_error(cli->command, "%s cannot be read", name);
    if (length > LIMIT_DISPATCH_PAYLOAD_BYTES)
        return cli_usage_error(cli->command, "%s is larger than %d KiB", name,
                               LIMIT_DISPATCH_PAYLOAD_BYTES / 1024);
    char *text = arena_alloc(arena, BASE64_SIZE(length));
    ASSERT(text);
    base64_encode(bytes, length, text);
    arguments->payload_base64 = text;
    return CLI_OK;
}

static int read_operands(const struct cli *cli, struct arena *arena,
                         struct dispatch_arguments *arguments)
{
    struct string_pair *pairs = arena_array(arena, (size_t)cli->operand_count, sizeof *pairs);
    ASSERT(pairs);
    arguments->meta.items = pairs;
    for (int i = 1; i < cli->operand_count; i++) {
        const char *operand = cli->operands[i];
        const char *equals = strchr(operand, '=');
        if (!equals && arguments->payload_base64)
            return cli_usage_error(cli->command, "\"%s\" is a second payload", operand);
        if (!equals && read_payload(cli, operand, arena, arguments) != CLI_OK)
            return CLI_USAGE;
        if (equals)
            pairs[arguments->meta.count++] = (struct string_pair){
                arena_strndup(arena, operand, (size_t)(equals - operand)), equals + 1};
    }
    qsort(pairs, arguments->meta.count, sizeof *pairs, compare_pairs);
    for (size_t i = 1; i < arguments->meta.count; i++)
        if (strcmp(pairs[i].key, pairs[i - 1].key) == 0)
            return cli_usage_error(cli->command, "%s is given twice", pairs[i].key);
    return CLI_OK;
}

static void print_child(const struct cli *cli, const struct reply *reply)
{
    _cleanup_buf_ struct buf json = BUF_EMPTY;
    if (cli->json) {
        codec_encode(&reply_record, reply, &json);
        puts(buf_text(&json));
    } else {
        puts(reply->child ? reply->child : "");
    }
}

int cmd_dispatch(struct cli *cli)
{
    _cleanup_client_ struct client *client = NULL;
    _cleanup_arena_ struct arena arena = ARENA_EMPTY;
    _cleanup_buf_ struct buf body = BUF_EMPTY;
    const struct reply *reply;
    struct dispatch_arguments arguments;
    record_init(&dispatch_arguments_record, &arguments);
    int code = read_operands(cli, &arena, &arguments);
    if (code != CLI_OK)
        return code;
    codec_encode(&dispatch_arguments_record, &arguments, &body);
    struct job_command command = {.job = cli->operands[0],
                                  .verb = "dispatch",
                                  .body = buf_text(&body),
                                  .expect_version = UNSET};
    code = job_session_open(cli, command.job, &client);
    if (code == CLI_OK)
        code = job_command_send(cli, client, &command, &reply);
    if (code == CLI_OK)
        print_child(cli, reply);
    return code;
}
