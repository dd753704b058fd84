/* The table of commands and options: what parses the arguments, prints the help and writes
 * docs/command-line.md. One file a verb (cmd_<verb>.c), one row each in commands.c. */
#ifndef ARGOSY_CLI_COMMAND_H
#define ARGOSY_CLI_COMMAND_H

#include "platform/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum cli_exit {
    CLI_OK = 0,
    CLI_FAILED = 1,
    CLI_USAGE = 2,       /* wrong usage, or a job specification that is not valid */
    CLI_UNREACHABLE = 3, /* broker or manager */
    CLI_TIMED_OUT = 4,
    CLI_REJECTED = 5, /* by the manager or a worker */
    CLI_UNPLACED = 6, /* accepted, but cannot be placed */
};

/* How an option's argument is checked before any command runs. */
enum option_kind { OPTION_FLAG, OPTION_TEXT, OPTION_COUNT, OPTION_DURATION, OPTION_FILE };

/* id, letter or 0, name, argument, kind, environment variable or NULL, text */
#define OPTION_TABLE(X)                                                                           \
    X(BROKER, 'b', "broker", "HOST[:PORT]", TEXT, "ARGOSY_BROKER",                                \
      "the MQTT broker; default localhost:1883, with TLS port 8883")                              \
    X(ROOT, 0, "root", "TOPIC", TEXT, "ARGOSY_ROOT",                                              \
      "topic above everything, one for each cluster on a broker; default argosy/v1")              \
    X(USERNAME, 'u', "username", "NAME", TEXT, "ARGOSY_USERNAME", "name to log in at the broker") \
    X(PASSWORD_FILE, 0, "password-file", "FILE", FILE, "ARGOSY_PASSWORD_FILE",                    \
      "file whose first line is the password")                                                    \
    X(CA_FILE, 0, "ca-file", "FILE", FILE, "ARGOSY_CA_FILE",                                      \
      "certificates that are trusted to sign the broker's; switches TLS on")                      \
    X(CERT_FILE, 0, "cert-file", "FILE", FILE, "ARGOSY_CERT_FILE", "own certificate, for TLS")    \
    X(KEY_FILE, 0, "key-file", "FILE", FILE, "ARGOSY_KEY_FILE", "its private key")                \
    X(TIMEOUT, 't', "timeout", "DURATION", DURATION, "ARGOSY_TIMEOUT",                            \
      "how long to wait, such as 30s or 5m; default 10s for an answer, 5m for a job")             \
    X(JSON, 0, "json", NULL, FLAG, NULL, "print JSON on the standard output")                     \
    X(NO_COLOR, 0, "no-color", NULL, FLAG, "NO_COLOR", "no colours")                              \
    X(QUIET, 'q', "quiet", NULL, FLAG, NULL, "no progress")                                       \
    X(HELP, 'h', "help", NULL, FLAG, NULL, "show this help")                                      \
    X(DETACH, 'd', "detach", NULL, FLAG, NULL,                                                    \
      "return when the manager has accepted, without watching what comes of it")                  \
    X(EXPECT_VERSION, 0, "expect-version", "N", COUNT, NULL,                                      \
      "refuse unless the job's present version is N (0: there is no such job)")                   \
    X(JOB, 'j', "job", "JOB", TEXT, NULL, "only of this job")                                     \
    X(NODE, 0, "node", "NODE", TEXT, NULL, "only on this node")                                   \
    X(ALL, 'a', "all", NULL, FLAG, NULL, "also those that have ended")                            \
    X(FOLLOW, 'f', "follow", NULL, FLAG, NULL, "go on until Ctrl-C")                              \
    X(LINES, 'n', "lines", "N", COUNT, NULL, "only the last N lines")                             \
    X(STDOUT, 0, "stdout", NULL, FLAG, NULL, "only the standard output")                          \
    X(STDERR, 0, "stderr", NULL, FLAG, NULL, "only the standard error")                           \
    X(FORCE, 0, "force", NULL, FLAG, NULL, "overwrite what is there")                             \
    X(DATA_DIR, 0, "data-dir", "DIRECTORY", FILE, NULL,                                           \
      "where broker, manager and worker keep their data; default ~/.local/share/argosy/dev")      \
    X(CLUSTER, 0, "cluster", "FILE", FILE, NULL,                                                  \
      "a snapshot to plan on, from `argosy snapshot` or by hand; default: the cluster as it is")  \
    X(POLICY, 0, "policy", "POLICY", TEXT, NULL,                                                  \
      "binpack, spread, epvm, greedy or round_robin; default: as the cluster does")               \
    X(EXPLAIN, 0, "explain", NULL, FLAG, NULL,                                                    \
      "for each instance every node, with its score or what is against it")                       \
    X(NEXT, 0, "next", "N", COUNT, NULL, "the next N launches of jobs with a schedule")           \
    X(FROM, 0, "from", "TIME", TEXT, NULL,                                                        \
      "launches after TIME, such as 2026-11-23T08:00 (the job's time zone); default: now")        \
    X(PORT, 'p', "port", "PORT", COUNT, NULL, "the broker's port; default: a free one")           \
    X(ONCE, 0, "once", NULL, FLAG, NULL, "stop again as soon as everything is up")                \
    X(MARKDOWN, 0, "markdown", NULL, FLAG, NULL, NULL) /* hidden: writes docs/command-line.md */

enum option_id {
#define OPTION_ENUM(id, ...) OPT_##id,
    OPTION_TABLE(OPTION_ENUM)
#undef OPTION_ENUM
        OPT_COUNT
};
#define OPTION_BIT(id) (UINT64_C(1) << OPT_##id)

/* Options that every command has. */
#define OPTIONS_GLOBAL                                                                          \
    (OPTION_BIT(BROKER) | OPTION_BIT(ROOT) | OPTION_BIT(USERNAME) | OPTION_BIT(PASSWORD_FILE) | \
     OPTION_BIT(CA_FILE) | OPTION_BIT(CERT_FILE) | OPTION_BIT(KEY_FILE) | OPTION_BIT(TIMEOUT) | \
     OPTION_BIT(JSON) | OPTION_BIT(NO_COLOR) | OPTION_BIT(QUIET) | OPTION_BIT(HELP))

struct option_row {
    int letter;
    const char *name;
    const char *argument;
    enum option_kind kind;
    const char *environment;
    const char *text; /* NULL: hidden */
};
extern const struct option_row option_rows[OPT_COUNT];

/* One invocation. */
struct cli {
    const struct command *command;
    const char *value[OPT_COUNT]; /* NULL: not given; flags "" */
    char **operands;
    int operand_count;
    bool json;
    bool color;    /* on the standard output */
    bool progress; /* the standard error is a terminal */
};

struct command {
    const char *name;
    const char *operands;           /* "FILE…" */
    int min_operands, max_operands; /* max -1: any number */
    uint64_t options;               /* beside the global ones */
    const char *summary;
    const char *text; /* paragraphs for the help and the docs, NULL: none */
    int (*run)(struct cli *cli);
};
extern const struct command commands[];
extern const size_t command_count;
/* NULL when unknown. */
const struct command *command_find(const char *name);

/* Parses and runs; returns the exit code. */
int cli_main(int argc, char **argv);

static inline bool cli_given(const struct cli *cli, enum option_id id)
{
    return cli->value[id] != NULL;
}
/* The checked value of a COUNT or DURATION (in ms), or the fallback. */
int64_t cli_number(const struct cli *cli, enum option_id id, int64_t fallback);

/* Says what went wrong on the standard error, with --json also as an object on the standard output
 * ({"error":{"exit","code","message"}}), and returns `code`. */
int cli_fail(const struct cli *cli, enum cli_exit code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A line "argosy: note: …" on the standard error. */
void cli_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Wrong usage of a command: the message, its usage line, CLI_USAGE. */
int cli_usage_error(const struct command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* help.c */
void help_print(const struct command *command);
void help_print_all(void);
void help_print_markdown(void);
void help_print_usage(const struct command *command);

/* One a verb. */
int cmd_run(struct cli *cli);
int cmd_validate(struct cli *cli);
int cmd_status(struct cli *cli);
int cmd_nodes(struct cli *cli);
int cmd_tasks(struct cli *cli);
int cmd_stop(struct cli *cli);
int cmd_delete(struct cli *cli);
int cmd_dispatch(struct cli *cli);
int cmd_scale(struct cli *cli);
int cmd_restart(struct cli *cli);
int cmd_logs(struct cli *cli);
int cmd_inspect(struct cli *cli);
int cmd_node(struct cli *cli);
int cmd_events(struct cli *cli);
int cmd_snapshot(struct cli *cli);
int cmd_plan(struct cli *cli);
int cmd_init(struct cli *cli);
int cmd_dev(struct cli *cli);
int cmd_version(struct cli *cli);
int cmd_help(struct cli *cli);
int cmd_completion(struct cli *cli);

#endif
