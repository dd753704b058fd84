/* Help and docs/command-line.md, both from the tables. */
#include "cli/command.h"

#include <stdio.h>
#include <string.h>

/* Spaces up to `width` characters (UTF-8 counted as such). */
static void pad(const char *text, int width)
{
    for (; *text; text++)
        width -= ((unsigned char)*text & 0xc0) != 0x80;
    printf("%*s", width > 0 ? width : 0, "");
}

void help_print_usage(const struct command *command)
{
    fprintf(stderr, "usage: argosy %s%s%s%s\n", command->name, command->options ? " [OPTIONS]" : "",
            *command->operands ? " " : "", command->operands);
}

static void print_option(const struct option_row *row)
{
    char left[64];
    int length = snprintf(left, sizeof left, "%c%c%s--%s%s%s", row->letter ? '-' : ' ',
                          row->letter ? row->letter : ' ', row->letter ? ", " : "  ", row->name,
                          row->argument ? " " : "", row->argument ? row->argument : "");
    printf("  %-28s %s", left, length > 28 ? "\n                               " : "");
    printf("%s%s%s%s\n", row->text, row->environment ? " (" : "",
           row->environment ? row->environment : "", row->environment ? ")" : "");
}

static void print_options(uint64_t options)
{
    for (int id = 0; id < OPT_COUNT; id++)
        if ((options & (UINT64_C(1) << id)) && option_rows[id].text)
            print_option(&option_rows[id]);
}

static const char exit_codes[] =
    "0 done and seen, 1 failed, 2 wrong usage or an invalid job specification, 3 broker or "
    "manager not reachable,\n"
    "4 timed out, 5 rejected, 6 accepted but no node can take it";

/* Prints at most `width` characters a line, each line behind `indent`. */
static void print_wrapped(const char *text, const char *indent, size_t width)
{
    size_t column = 0;
    while (*text) {
        size_t word = strcspn(text, " \n");
        if (column && column + 1 + word > width) {
            putchar('\n');
            column = 0;
        }
        printf("%s%.*s", column ? " " : indent, (int)word, text);
        column += word + (column ? 1 : 0);
        text += word;
        if (*text == '\n') {
            putchar('\n');
            column = 0;
        }
        text += *text != '\0';
    }
    putchar('\n');
}

void help_print(const struct command *command)
{
    printf("argosy %s%s%s: %s\n\n", command->name, *command->operands ? " " : "", command->operands,
           command->summary);
    if (command->text) {
        print_wrapped(command->text, "", 96);
        putchar('\n');
    }
    if (command->options) {
        puts("Options");
        print_options(command->options);
        putchar('\n');
    }
    puts("Options of every command");
    print_options(OPTIONS_GLOBAL);
}

void help_print_all(void)
{
    puts("argosy: containers and processes on edge fleets, over MQTT\n\n"
         "usage: argosy [OPTIONS] COMMAND [OPTIONS] …\n\nCommands");
    for (size_t i = 0; i < command_count; i++) {
        char left[64];
        snprintf(left, sizeof left, "%s %s", commands[i].name, commands[i].operands);
        printf("  %s ", left);
        pad(left, 26);
        puts(commands[i].summary);
    }
    puts("\nOptions");
    print_options(OPTIONS_GLOBAL);
    printf("\nExit codes: %s\n", exit_codes);
    puts("\n`argosy help COMMAND` says more. Begin with `argosy dev` in one terminal and "
         "`argosy init` in another.");
}

/* ---- docs/command-line.md -------------------------------------------------------------------- */

/* Table cells: | would end one. */
static void print_cell(const char *text)
{
    for (; *text; text++)
        printf(*text == '|' ? "\\|" : "%c", *text);
}

static void print_markdown_options(uint64_t options)
{
    puts("| option | environment | |\n|---|---|---|");
    for (int id = 0; id < OPT_COUNT; id++) {
        const struct option_row *row = &option_rows[id];
        if (!(options & (UINT64_C(1) << id)) || !row->text)
            continue;
        fputs("| ", stdout);
        if (row->letter)
            printf("`-%c`, ", row->letter);
        printf("`--%s%s%s` | ", row->name, row->argument ? " " : "",
               row->argument ? row->argument : "");
        printf("%s%s%s | ", row->environment ? "`" : "", row->environment ? row->environment : "",
               row->environment ? "`" : "");
        print_cell(row->text);
        puts(" |");
    }
}

static void print_markdown_command(const struct command *command)
{
    printf("## argosy %s\n\n`argosy %s%s%s%s`: %s.\n", command->name, command->name,
           command->options ? " [OPTIONS]" : "", *command->operands ? " " : "", command->operands,
           command->summary);
    for (const char *line = command->text; line && *line;) {
        size_t length = strcspn(line, "\n");
        printf("\n%.*s\n", (int)length, line);
        line += length + (line[length] == '\n');
    }
    if (command->options & ~OPTION_BIT(MARKDOWN)) {
        putchar('\n');
        print_markdown_options(command->options);
    }
}

static const char markdown_json[] =
    "## Output\n"
    "\n"
    "Tables are for people. With `--json` every command prints JSON on the standard output whose "
    "keys stay: documents (`spec`, `status`, `info`, `desired`, `metrics`, `manager`, answers of "
    "the manager) have the keys of their topics, described by the JSON Schemas in `schema/`; "
    "what the command line adds is listed here.\n"
    "\n"
    "| command | JSON |\n"
    "|---|---|\n"
    "| `run`, `stop`, `delete`, `scale`, `restart` | one object a job and line: "
    "`{\"job\",\"outcome\",\"reply\",\"status\"}`; `outcome` is `accepted` (with `--detach`) or "
    "what was seen: `running` `completed` `failed` `stopped` `deleted` `restarted` `unplaced` "
    "`superseded` `timed_out` `rejected` |\n"
    "| `validate` | "
    "`{\"valid\",\"jobs\":[names],\"problems\":[{\"file\",\"line\",\"column\",\"path\",\"message\","
    "\"hint\"}]}` |\n"
    "| `status` | `{\"manager\",\"jobs\":[{\"name\",\"status\"}]}` |\n"
    "| `status JOB` | "
    "`{\"name\",\"version\",\"stopped\",\"spec\",\"status\",\"instances\":[instance]}`; `spec` "
    "can be edited and submitted |\n"
    "| `tasks` | `{\"instances\":[instance]}` |\n"
    "| `nodes` | `{\"nodes\":[{\"id\",\"state\",\"info\",\"desired\",\"metrics\"}]}`; `state` is "
    "`online`, `offline` or `unknown` |\n"
    "| `nodes NODE` | the same object of one node, with `\"instances\":[instance]` |\n"
    "| `inspect` | the worker's answer |\n"
    "| `logs` | one object a chunk and line: `{\"stream\",\"seq\",\"data\"}` |\n"
    "| `events` | one CloudEvent a line |\n"
    "| `node` | the manager's answer |\n"
    "| errors | `{\"error\":{\"exit\",\"code\",\"message\"}}`, beside the text on the standard "
    "error |\n"
    "\n"
    "An `instance` is "
    "`{\"id\",\"instance\",\"job\",\"task\",\"index\",\"node\",\"state\",\"desired\",\"node_"
    "online\",\"version\",\"run\",\"restarts\",\"exit_code\",\"reason\",\"message\",\"health\","
    "\"address\",\"ports\",\"execution\",\"started_ms\",\"changed_ms\",\"finished_ms\"}`; what is "
    "not known is left out. While `node_online` is false, `state` is what was last reported.\n";

void help_print_markdown(void)
{
    puts("# The command line\n\n"
         "<!-- Written by `argosy help --markdown` from cli/commands.c; a test fails when it is "
         "stale. -->\n"
         "\n"
         "`argosy` speaks MQTT like everybody else: whatever it does, `mosquitto_pub` and "
         "`mosquitto_sub` can do too.\n"
         "Options may stand before or behind the command.\n"
         "\n"
         "| command | |\n"
         "|---|---|");
    for (size_t i = 0; i < command_count; i++) {
        printf("| [`%s%s", commands[i].name, *commands[i].operands ? " " : "");
        print_cell(commands[i].operands);
        printf("`](#argosy-%s) | %s |\n", commands[i].name, commands[i].summary);
    }
    puts("\n## Options of every command\n");
    print_markdown_options(OPTIONS_GLOBAL);
    printf("\n## Exit codes\n\n"
           "| code | |\n"
           "|---|---|\n"
           "| 0 | done, and seen: nothing is called a success that was only sent |\n"
           "| 1 | failed |\n"
           "| 2 | wrong usage, or a job specification that is not valid |\n"
           "| 3 | broker or manager not reachable |\n"
           "| 4 | timed out: what was sent may still be carried out; sending it again is safe |\n"
           "| 5 | rejected by the manager or a worker |\n"
           "| 6 | accepted, but no node can take it now: it stays pending |\n"
           "\n");
    fputs(markdown_json, stdout);
    for (size_t i = 0; i < command_count; i++) {
        putchar('\n');
        print_markdown_command(&commands[i]);
    }
}
