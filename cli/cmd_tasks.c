/* argosy tasks: instances of all jobs on all nodes. */
#include "cli/client.h"
#include "cli/instances_print.h"
#include "platform/base/mem.h"

#include <stdio.h>

static int check_names(const struct cli *cli, const char *job, const char *node)
{
    if (job && !name_is_valid(job))
        return cli_usage_error(cli->command, "\"%s\" is no job name", job);
    if (node && !node_id_is_valid(node))
        return cli_usage_error(cli->command, "\"%s\" is no node id", node);
    return CLI_OK;
}

int cmd_tasks(struct cli *cli)
{
    const char *job = cli->value[OPT_JOB], *node = cli->value[OPT_NODE];
    const char *jobs = job ? job : "+", *nodes = node ? node : "+";
    const struct client_filter filters[] = {
        {TOPIC_NODE_ASSIGN, nodes, jobs},
        {TOPIC_NODE_STATE, nodes, jobs},
        {TOPIC_NODE_STATUS, nodes, NULL},
        {TOPIC_NODE_INFO, nodes, NULL},
    };
    _cleanup_client_ struct client *client = NULL;
    int code = check_names(cli, job, node);
    if (code == CLI_OK)
        code = client_open(cli, ANSWER_TIMEOUT_MS, &client);
    if (code == CLI_OK)
        code = client_hear(client, filters, ARRAY_LENGTH(filters));
    if (code != CLI_OK)
        return code;
    client_note_manager(client);
    _cleanup_instances_ struct instances instances = {0};
    instances_collect(&instances, client_picture(client), job, node, cli_given(cli, OPT_ALL));
    if (cli->json) {
        _cleanup_buf_ struct buf json = BUF_EMPTY;
        instances_add_json(&instances, &json);
        printf("{%s}\n", buf_text(&json));
    } else {
        instances_print(cli, &instances);
    }
    return CLI_OK;
}
