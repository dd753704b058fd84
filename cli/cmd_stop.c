/* argosy stop JOB: watched until nothing of it runs. */
#include "cli/job_command.h"

int cmd_stop(struct cli *cli)
{
    _cleanup_client_ struct client *client = NULL;
    struct job_command command = {.job = cli->operands[0],
                                  .verb = "stop",
                                  .body = "{}",
                                  .expect_version = UNSET,
                                  .goal = WATCH_UNTIL_STOPPED,
                                  .reached = "stopped"};
    int code = job_session_open(cli, command.job, &client);
    return code == CLI_OK ? job_command_run(cli, client, &command) : code;
}
