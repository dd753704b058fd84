/* argosy run FILE…: check everything, then submit and watch one job after the other.
 *
 * The first failure decides the exit code; jobs behind one that was rejected or has failed are
 * still submitted, since they do not depend on it. When the broker or the manager is gone, the
 * rest is not tried. */
#include "cli/command.h"
#include "cli/diagnostic.h"
#include "cli/job_command.h"
#include "platform/base/mem.h"
#include "schema/codec/codec.h"

#include <stdio.h>
#include <unistd.h>

struct submission {
    struct cli *cli;
    struct job_set *set;
    struct checked_job *job;
};

static bool stderr_color(const struct cli *cli)
{
    return !cli_given(cli, OPT_NO_COLOR) && isatty(STDERR_FILENO);
}

/* What the manager finds is shown where it stands in the file. */
static bool on_rejected(void *context, const struct reply *reply)
{
    struct submission *submission = context;
    struct job_set *set = submission->set;
    if (!reply->errors.count)
        return false;
    buf_clear(&set->text);
    for (size_t i = 0; i < reply->errors.count; i++) {
        const struct reply_error *error = RECORD_AT(struct reply_error, reply->errors, i);
        job_set_report(set, submission->job, error->path, error->message ? error->message : "?",
                       error->hint, stderr_color(submission->cli));
    }
    fprintf(stderr, "%sargosy: %s is rejected by the manager: %s\n", buf_text(&set->text),
            submission->job->spec.name, reply->message ? reply->message : "");
    return true;
}

static int submit(struct submission *submission, struct client *client)
{
    struct cli *cli = submission->cli;
    struct checked_job *job = submission->job;
    _cleanup_buf_ struct buf body = BUF_EMPTY;
    codec_encode(&job_spec_record, &job->spec, &body);
    if (body.failed || body.length > LIMIT_JOB_SPEC_BYTES)
        return cli_fail(cli, CLI_USAGE, "%s: the specification is larger than %d bytes",
                        job->spec.name, LIMIT_JOB_SPEC_BYTES);
    struct job_command command = {
        .job = job->spec.name,
        .verb = "set",
        .body = buf_text(&body),
        .expect_version = cli_number(cli, OPT_EXPECT_VERSION, job->envelope.expect_version),
        .goal = WATCH_UNTIL_RUNNING,
        .on_rejected = on_rejected,
        .context = submission,
    };
    return job_command_run(cli, client, &command);
}

/* Each job has a session of its own: it hears only what is of that job. */
static int submit_all(struct cli *cli, struct job_set *set)
{
    int result = CLI_OK;
    for (size_t i = 0; i < set->job_count; i++) {
        _cleanup_client_ struct client *client = NULL;
        struct submission submission = {.cli = cli, .set = set, .job = &set->jobs[i]};
        int code = job_session_open(cli, set->jobs[i].spec.name, &client);
        if (code == CLI_OK)
            code = submit(&submission, client);
        result = result == CLI_OK ? code : result;
        if (code == CLI_UNREACHABLE)
            break;
    }
    return result;
}

static void print_problems(const struct cli *cli, const struct job_set *set)
{
    fputs(buf_text(&set->text), stderr);
    fprintf(stderr, "argosy: %zu %s, nothing was sent\n", set->problem_count,
            set->problem_count == 1 ? "error" : "errors");
    if (cli->json)
        printf("{\"error\":{\"exit\":%d,\"code\":\"usage\",\"message\":\"invalid job "
               "specification\",\"problems\":[%s]}}\n",
               CLI_USAGE, buf_text(&set->json));
}

int cmd_run(struct cli *cli)
{
    _cleanup_job_set_ struct job_set set = {0};
    job_set_read(&set, cli->operands, cli->operand_count, stderr_color(cli));
    if (set.problem_count) {
        print_problems(cli, &set);
        return CLI_USAGE;
    }
    if (cli_given(cli, OPT_EXPECT_VERSION) && set.job_count > 1)
        return cli_usage_error(cli->command, "--expect-version needs exactly one job, here are %zu",
                               set.job_count);
    return submit_all(cli, &set);
}
