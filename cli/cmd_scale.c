/* argosy scale JOB [TASK] N: watched like a submission. */
#include "cli/job_command.h"
#include "platform/base/mem.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

int cmd_scale(struct cli *cli)
{
    _cleanup_client_ struct client *client = NULL;
    const char *number = cli->operands[cli->operand_count - 1];
    const char *task = cli->operand_count == 3 ? cli->operands[1] : NULL;
    char *end;
    errno = 0;
    long long count = strtoll(number, &end, 10);
    if (errno || *end || end == number || count < 0 || count > LIMIT_INSTANCES_PER_TASK)
        return cli_usage_error(cli->command, "\"%s\" is no number of instances (0 to %d)", number,
                               LIMIT_INSTANCES_PER_TASK);
    if (task && !name_is_valid(task))
        return cli_usage_error(cli->command, "\"%s\" is no task name", task);
    _cleanup_free_ char *body = task ? mem_printf("{\"count\":%lld,\"task\":\"%s\"}", count, task)
                                     : mem_printf("{\"count\":%lld}", count);
    struct job_command command = {.job = cli->operands[0],
                                  .verb = "scale",
                                  .body = body,
                                  .expect_version = UNSET,
                                  .goal = WATCH_UNTIL_RUNNING};
    int code = job_session_open(cli, command.job, &client);
    return code == CLI_OK ? job_command_run(cli, client, &command) : code;
}
