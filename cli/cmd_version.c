/* argosy version. */
#include "cli/command.h"

#include <stdio.h>

int cmd_version(struct cli *cli)
{
    if (cli->json)
        puts("{\"version\":\"" ARGOSY_VERSION "\"}");
    else
        puts("argosy " ARGOSY_VERSION);
    return CLI_OK;
}
