/* argosy delete JOB: watched until it is gone from the bus. */
#include "cli/job_command.h"

int cmd_delete(struct cli *cli)
{
    _cleanup_client_ struct client *client = NULL;
    struct job_command command = {.job = cli->operands[0],
                                  .verb = "delete",
                                  .body = "{}",
                                  .expect_version = UNSET,
                                  .goal = WATCH_UNTIL_DELETED,
                                  .reached = "deleted"};
    int code = job_session_open(cli, command.job, &client);
    return code == CLI_OK ? job_command_run(cli, client, &command) : code;
}
