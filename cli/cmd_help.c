/* argosy help [COMMAND]. */
#include "cli/command.h"

#include <stdio.h>

int cmd_help(struct cli *cli)
{
    if (cli_given(cli, OPT_MARKDOWN)) {
        help_print_markdown();
    } else if (cli->operand_count) {
        const struct command *command = command_find(cli->operands[0]);
        if (!command)
            return cli_usage_error(NULL, "\"%s\" is no command", cli->operands[0]);
        help_print(command);
    } else {
        help_print_all();
    }
    return CLI_OK;
}
