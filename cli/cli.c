/* From argv to a command: global options, the verb, its options and operands; then the
 * environment, then checks. Options may stand anywhere. */
#include "cli/command.h"

#include "platform/base/buf.h"
#include "platform/base/mem.h"
#include "schema/codec/codec.h"
#include "schema/problems.h"
#include "schema/quantity.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- speaking -------------------------------------------------------------------------------- */

static const char *exit_name(enum cli_exit code)
{
    static const char *const names[] = {
        [CLI_OK] = "ok",
        [CLI_FAILED] = "failed",
        [CLI_USAGE] = "usage",
        [CLI_UNREACHABLE] = "unreachable",
        [CLI_TIMED_OUT] = "timed_out",
        [CLI_REJECTED] = "rejected",
        [CLI_UNPLACED] = "unplaced",
    };
    return names[code];
}

int cli_fail(const struct cli *cli, enum cli_exit code, const char *format, ...)
{
    _cleanup_buf_ struct buf text = BUF_EMPTY;
    va_list args;
    va_start(args, format);
    buf_vprintf(&text, format, args);
    va_end(args);
    fflush(stdout);
    fprintf(stderr, "argosy: %s\n", buf_text(&text));
    if (cli && cli->json) {
        _cleanup_buf_ struct buf json = BUF_EMPTY;
        buf_printf(&json, "{\"error\":{\"exit\":%d,\"code\":\"%s\",\"message\":", (int)code,
                   exit_name(code));
        json_add_string(&json, buf_text(&text), text.length);
        buf_add_text(&json, "}}\n");
        fputs(buf_text(&json), stdout);
    }
    return (int)code;
}

void cli_note(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("argosy: note: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
}

int cli_usage_error(const struct command *command, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("argosy: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    if (command)
        help_print_usage(command);
    else
        fputs("`argosy help` lists the commands\n", stderr);
    return CLI_USAGE;
}

/* ---- options --------------------------------------------------------------------------------- */

static bool count_parse(const char *text, int64_t *ret_value)
{
    char *end;
    errno = 0;
    *ret_value = strtoll(text, &end, 10);
    return errno == 0 && *end == '\0' && end != text && *ret_value >= 0;
}

int64_t cli_number(const struct cli *cli, enum option_id id, int64_t fallback)
{
    int64_t value;
    const char *hint;
    if (!cli->value[id])
        return fallback;
    bool good = option_rows[id].kind == OPTION_DURATION
                    ? duration_parse(cli->value[id], &value, &hint)
                    : count_parse(cli->value[id], &value);
    ASSERT(good); /* checked before any command runs */
    return value;
}

static int check_value(const struct cli *cli, enum option_id id)
{
    const struct option_row *row = &option_rows[id];
    int64_t value;
    const char *hint = "";
    if (row->kind == OPTION_DURATION && !duration_parse(cli->value[id], &value, &hint))
        return cli_usage_error(cli->command, "--%s: \"%s\" is no duration (%s)", row->name,
                               cli->value[id], hint);
    if (row->kind == OPTION_COUNT && !count_parse(cli->value[id], &value))
        return cli_usage_error(cli->command, "--%s: \"%s\" is no number from 0 up", row->name,
                               cli->value[id]);
    if (row->argument && *cli->value[id] == '\0')
        return cli_usage_error(cli->command, "--%s wants a value", row->name);
    return CLI_OK;
}

/* An option wins over its environment variable; an empty variable counts as not set. */
static int take_environment(struct cli *cli, uint64_t allowed)
{
    for (int id = 0; id < OPT_COUNT; id++) {
        const char *name = option_rows[id].environment;
        const char *value = name && (allowed & (UINT64_C(1) << id)) ? getenv(name) : NULL;
        if (!cli->value[id] && value && *value)
            cli->value[id] = option_rows[id].argument ? value : "";
        if (cli->value[id] && check_value(cli, (enum option_id)id) != CLI_OK)
            return CLI_USAGE;
    }
    return CLI_OK;
}

enum { LONG_ONLY = 0x1000 }; /* getopt's value of an option is this + its id */

struct getopt_table {
    struct option rows[OPT_COUNT + 1];
    char letters[3 * OPT_COUNT + 3];
};

static void getopt_table_fill(struct getopt_table *table, uint64_t allowed, bool stop_at_operand)
{
    char *letter = table->letters;
    size_t count = 0;
    if (stop_at_operand)
        *letter++ = '+';
    *letter++ = ':';
    for (int id = 0; id < OPT_COUNT; id++) {
        const struct option_row *row = &option_rows[id];
        if (!(allowed & (UINT64_C(1) << id)))
            continue;
        table->rows[count++] = (struct option){
            row->name, row->argument ? required_argument : no_argument, NULL, LONG_ONLY + id};
        if (!row->letter)
            continue;
        *letter++ = (char)row->letter;
        if (row->argument)
            *letter++ = ':';
    }
    table->rows[count] = (struct option){0};
    *letter = '\0';
}

static int option_of(int got)
{
    if (got >= LONG_ONLY)
        return got - LONG_ONLY;
    for (int id = 0; id < OPT_COUNT; id++)
        if (option_rows[id].letter == got)
            return id;
    return -1;
}

static int refuse_option(const struct cli *cli, uint64_t allowed, int got, char *const *argv)
{
    const char *names[OPT_COUNT];
    size_t count = 0;
    const char *word = argv[optind - 1];
    if (got == ':')
        return cli_usage_error(cli->command, "%s wants a value", word);
    for (int id = 0; id < OPT_COUNT; id++)
        if (allowed & (UINT64_C(1) << id))
            names[count++] = option_rows[id].name;
    const char *nearest =
        strncmp(word, "--", 2) == 0 ? problems_nearest(word + 2, names, count) : NULL;
    if (optopt && optopt < LONG_ONLY)
        return cli_usage_error(cli->command, "there is no option -%c here", optopt);
    return cli_usage_error(cli->command, "%s is no option here%s%s%s", word,
                           nearest ? "; did you mean --" : "", nearest ? nearest : "",
                           nearest ? "?" : "");
}

static int parse_options(struct cli *cli, uint64_t allowed, bool stop_at_operand, int argc,
                         char **argv)
{
    struct getopt_table table;
    getopt_table_fill(&table, allowed, stop_at_operand);
    int got;
    opterr = 0;
    optind = 0; /* glibc: start anew */
    while ((got = getopt_long(argc, argv, table.letters, table.rows, NULL)) != -1) {
        if (got == '?' || got == ':')
            return refuse_option(cli, allowed, got, argv);
        int id = option_of(got);
        ASSERT(id >= 0);
        cli->value[id] = option_rows[id].argument ? optarg : "";
    }
    return CLI_OK;
}

/* ---- the invocation -------------------------------------------------------------------------- */

static int unknown_command(const char *word)
{
    const char *names[64];
    ASSERT(command_count <= ARRAY_LENGTH(names));
    for (size_t i = 0; i < command_count; i++)
        names[i] = commands[i].name;
    const char *nearest = problems_nearest(word, names, command_count);
    return cli_usage_error(NULL, "\"%s\" is no command%s%s%s", word,
                           nearest ? "; did you mean " : "", nearest ? nearest : "",
                           nearest ? "?" : "");
}

static int check_operands(const struct cli *cli)
{
    const struct command *command = cli->command;
    if (cli->operand_count < command->min_operands)
        return cli_usage_error(command, "%s wants %s", command->name, command->operands);
    if (command->max_operands >= 0 && cli->operand_count > command->max_operands)
        return cli_usage_error(command, "\"%s\" is one argument too many",
                               cli->operands[command->max_operands]);
    return CLI_OK;
}

/* A full disk or a closed pipe must not look like success. */
static int flush_output(int code)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    fprintf(stderr, "argosy: the output could not be written: %s\n", strerror(errno));
    return code == CLI_OK ? CLI_FAILED : code;
}

static int run_command(struct cli *cli)
{
    cli->json = cli_given(cli, OPT_JSON);
    cli->color = !cli_given(cli, OPT_NO_COLOR) && isatty(STDOUT_FILENO);
    cli->progress = !cli_given(cli, OPT_QUIET) && isatty(STDERR_FILENO);
    if (cli_given(cli, OPT_HELP)) {
        help_print(cli->command);
        return flush_output(CLI_OK);
    }
    int code = check_operands(cli);
    return code != CLI_OK ? code : flush_output(cli->command->run(cli));
}

int cli_main(int argc, char **argv)
{
    struct cli cli = {0};
    setlocale(LC_ALL, "");
    if (parse_options(&cli, OPTIONS_GLOBAL, true, argc, argv) != CLI_OK)
        return CLI_USAGE;
    if (optind >= argc) {
        bool asked = cli_given(&cli, OPT_HELP);
        if (!asked)
            return cli_usage_error(NULL, "a command is missing");
        help_print_all();
        return flush_output(CLI_OK);
    }
    cli.command = command_find(argv[optind]);
    if (!cli.command)
        return unknown_command(argv[optind]);
    char **rest = argv + optind;
    int count = argc - optind;
    uint64_t allowed = OPTIONS_GLOBAL | cli.command->options;
    if (parse_options(&cli, allowed, false, count, rest) != CLI_OK ||
        take_environment(&cli, allowed) != CLI_OK)
        return CLI_USAGE;
    cli.operands = rest + optind;
    cli.operand_count = count - optind;
    return run_command(&cli);
}
