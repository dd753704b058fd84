/* argosy completion bash: words from the tables. */
#include "cli/command.h"

#include <stdio.h>
#include <string.h>

int cmd_completion(struct cli *cli)
{
    if (strcmp(cli->operands[0], "bash") != 0)
        return cli_usage_error(cli->command, "only bash is known, not \"%s\"", cli->operands[0]);
    puts("_argosy() {\n"
         "    local word=${COMP_WORDS[COMP_CWORD]} verb=\"\" i\n"
         "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
         "        case ${COMP_WORDS[i]} in -*) ;; *) verb=${COMP_WORDS[i]}; break ;; esac\n"
         "    done\n"
         "    case $verb in");
    for (size_t i = 0; i < command_count; i++) {
        printf("    %s) COMPREPLY=($(compgen %s -W '", commands[i].name,
               strstr(commands[i].operands, "FILE") ? "-f" : "");
        for (int id = 0; id < OPT_COUNT; id++)
            if (((commands[i].options | OPTIONS_GLOBAL) >> id & 1) && option_rows[id].text)
                printf("--%s ", option_rows[id].name);
        puts("' -- \"$word\")) ;;");
    }
    fputs("    *) COMPREPLY=($(compgen -W '", stdout);
    for (size_t i = 0; i < command_count; i++)
        printf("%s ", commands[i].name);
    puts("' -- \"$word\")) ;;\n    esac\n}\ncomplete -o default -F _argosy argosy");
    return CLI_OK;
}
