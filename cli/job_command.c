#include "cli/job_command.h"

#include "cli/format.h"
#include "cli/instances.h"
#include "cli/pending.h"
#include "cli/progress.h"
#include "platform/base/mem.h"
#include "schema/codec/codec.h"
#include "schema/reasons.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

int job_session_hear(struct client *client, const char *job)
{
    const struct client_filter filters[] = {
        {TOPIC_JOB_SPEC, job, NULL},
        {TOPIC_JOB_STATUS, job, NULL},
        {TOPIC_NODE_ASSIGN, "+", job},
        {TOPIC_NODE_STATE, "+", job},
    };
    return client_hear(client, filters, ARRAY_LENGTH(filters));
}

int job_session_open(struct cli *cli, const char *job, struct client **ret_client)
{
    if (!name_is_valid(job))
        return cli_usage_error(cli->command,
                               "\"%s\" is no job name: a-z, 0-9 and -, at most %d characters", job,
                               LIMIT_NAME_LENGTH);
    _cleanup_client_ struct client *client = NULL;
    int code = client_open(cli, ANSWER_TIMEOUT_MS, &client);
    if (code == CLI_OK)
        code = job_session_hear(client, job);
    if (code == CLI_OK)
        code = client_need_manager(client);
    if (code == CLI_OK)
        *ret_client = mem_steal(client);
    return code;
}

/* ---- outcomes -------------------------------------------------------------------------------- */

static const struct job_status *status_of(struct client *client, const char *job)
{
    return picture_find(client_picture(client), TOPIC_JOB_STATUS, job, NULL);
}

static void add_member(struct buf *json, const char *key, const struct record *record,
                       const void *value)
{
    if (!value)
        return;
    buf_printf(json, ",\"%s\":", key);
    codec_encode(record, value, json);
}

static void print_json(struct client *client, const char *job, const char *outcome,
                       const struct reply *reply)
{
    _cleanup_buf_ struct buf json = BUF_EMPTY;
    buf_printf(&json, "{\"job\":\"%s\",\"outcome\":\"%s\"", job, outcome);
    add_member(&json, "reply", &reply_record, reply);
    add_member(&json, "status", &job_status_record, status_of(client, job));
    buf_add_text(&json, "}\n");
    fputs(buf_text(&json), stdout);
}

/* Numbers only where they are what the outcome was judged by. */
static bool tells_counts(const char *outcome)
{
    return strcmp(outcome, "accepted") != 0 && strcmp(outcome, "deleted") != 0 &&
           strcmp(outcome, "restarted") != 0;
}

static void print_line(struct client *client, const char *job, const char *outcome,
                       const struct reply *reply)
{
    struct arena arena = ARENA_EMPTY;
    const struct job_status *status = status_of(client, job);
    const char *counts =
        status && tells_counts(outcome) ? format_counts(&arena, &status->counts) : "";
    printf("%s: %s", job, outcome);
    if (*counts)
        printf(" (%s)", counts);
    if (reply && reply->version != UNSET)
        printf(", version %" PRId64, reply->version);
    if (reply && reply->changed == 0)
        printf(", nothing had to change");
    putchar('\n');
    fflush(stdout);
    arena_release(&arena);
}

void job_outcome_print(const struct cli *cli, struct client *client, const char *job,
                       const char *outcome, const struct reply *reply)
{
    if (cli->json)
        print_json(client, job, outcome, reply);
    else
        print_line(client, job, outcome, reply);
}

/* ---- why it is not as wanted ----------------------------------------------------------------- */

static void print_instance(const struct instance *item)
{
    fprintf(stderr, "  %s on %s: %s", item->instance, item->node,
            attempt_state_to_string((enum attempt_state)item->state));
    if (item->seen.exit_code != UNSET)
        fprintf(stderr, ", exit code %" PRId64, item->seen.exit_code);
    if (item->reason)
        fprintf(stderr, ", %s", reason_text(item->seen.reason));
    if (item->seen.message)
        fprintf(stderr, ": %s", item->seen.message);
    fputc('\n', stderr);
}

/* Says which instances are not as they should be, and why. */
static void print_reasons(struct client *client, const char *job)
{
    _cleanup_instances_ struct instances instances = {0};
    pending_print(stderr, status_of(client, job));
    instances_collect(&instances, client_picture(client), job, NULL, false);
    size_t shown = 0;
    for (size_t i = 0; i < instances.count && shown < 10; i++) {
        int state = instances.items[i].state;
        if (state == ATTEMPT_COMPLETED || (state == ATTEMPT_RUNNING && !instances.items[i].reason))
            continue;
        print_instance(&instances.items[i]);
        shown++;
    }
}

/* ---- sending --------------------------------------------------------------------------------- */

static void print_rejection(const struct job_command *command, const struct reply *reply)
{
    fprintf(stderr, "argosy: %s: %s is rejected: %s\n", command->job, command->verb,
            reply->message ? reply->message
            : reply->code  ? reply->code
                           : "no reason given");
    for (size_t i = 0; i < reply->errors.count; i++) {
        const struct reply_error *error = RECORD_AT(struct reply_error, reply->errors, i);
        fprintf(stderr, "  %s%s%s\n", error->path ? error->path : "",
                error->path && *error->path ? ": " : "", error->message ? error->message : "");
        if (error->hint)
            fprintf(stderr, "  hint: %s\n", error->hint);
    }
}

int job_command_send(struct cli *cli, struct client *client, const struct job_command *command,
                     const struct reply **ret_reply)
{
    char topic[LIMIT_TOPIC_LENGTH + 1];
    topic_format(topic, TOPIC_DO_JOB, command->job, command->verb);
    int code = client_command(client, topic, command->body, command->expect_version, ret_reply);
    if (code != CLI_OK || (*ret_reply)->result == REPLY_ACCEPTED)
        return code;
    if (!command->on_rejected || !command->on_rejected(command->context, *ret_reply))
        print_rejection(command, *ret_reply);
    if (cli->json)
        print_json(client, command->job, "rejected", *ret_reply);
    return CLI_REJECTED;
}

/* ---- watching -------------------------------------------------------------------------------- */

struct watch {
    struct client *client;
    const struct job_command *command;
    int64_t version;
    enum watch_verdict verdict;
    int64_t since_ms; /* of this verdict */
    bool decided;
    struct progress *progress;
};

/* How long a verdict has to stand before it is believed: a program that ends at once has been
 * running too, an update frees in a moment what it needs, and the document may come after the
 * status. */
static int64_t settle_ms(const struct watch *watch)
{
    const struct job_status *status = status_of(watch->client, watch->command->job);
    bool service =
        watch->command->goal == WATCH_UNTIL_RUNNING && status && !job_type_ends(status->type);
    if (watch->verdict == WATCH_STUCK || watch->verdict == WATCH_SUPERSEDED)
        return WATCH_STUCK_MS;
    return watch->verdict == WATCH_REACHED && service ? WATCH_RUNNING_MS : 0;
}

static bool is_decided(void *context)
{
    struct watch *watch = context;
    const struct picture *picture = client_picture(watch->client);
    const char *job = watch->command->job;
    const struct job_status *status = status_of(watch->client, job);
    int64_t now_ms = client_mono_ms();
    enum watch_verdict verdict =
        watch_judge(watch->command->goal, watch->version,
                    picture_find(picture, TOPIC_JOB_SPEC, job, NULL), status);
    progress_show_job(watch->progress, job, status);
    if (verdict != watch->verdict)
        watch->since_ms = now_ms;
    watch->verdict = verdict;
    watch->decided = verdict != WATCH_GOES_ON && now_ms - watch->since_ms >= settle_ms(watch);
    return watch->decided;
}

static const char *reached_word(struct client *client, const struct job_command *command)
{
    const struct job_status *status = status_of(client, command->job);
    return command->reached ? command->reached : job_state_word(status ? status->state : 0);
}

static int conclude(struct cli *cli, const struct watch *watch, const struct reply *reply)
{
    struct client *client = watch->client;
    const char *job = watch->command->job;
    switch (watch->verdict) {
    case WATCH_REACHED:
        job_outcome_print(cli, client, job, reached_word(client, watch->command), reply);
        return CLI_OK;
    case WATCH_FAILED:
        job_outcome_print(cli, client, job, "failed", reply);
        print_reasons(client, job);
        return CLI_FAILED;
    case WATCH_SUPERSEDED:
        job_outcome_print(cli, client, job, "superseded", reply);
        cli_note("%s was changed, stopped or deleted by somebody else meanwhile", job);
        return CLI_FAILED;
    case WATCH_STUCK:
        job_outcome_print(cli, client, job, "unplaced", reply);
        print_reasons(client, job);
        cli_note("%s is accepted and stays pending until a node can take it", job);
        return CLI_UNPLACED;
    case WATCH_GOES_ON:
        break;
    }
    if (cli->json)
        job_outcome_print(cli, client, job, "timed_out", reply);
    print_reasons(client, job);
    return client_time_out(client, "watching what was accepted");
}

int job_command_run(struct cli *cli, struct client *client, const struct job_command *command)
{
    const struct reply *reply = NULL;
    int code = job_command_send(cli, client, command, &reply);
    if (code != CLI_OK)
        return code;
    if (cli_given(cli, OPT_DETACH)) {
        job_outcome_print(cli, client, command->job, "accepted", reply);
        return CLI_OK;
    }
    client_extend(client, cli_number(cli, OPT_TIMEOUT, WATCH_TIMEOUT_MS));
    struct progress progress = progress_begin(cli);
    struct watch watch = {.client = client,
                          .command = command,
                          .version = reply->version == UNSET ? 0 : reply->version,
                          .progress = &progress};
    client_wait(client, is_decided, &watch, 200);
    if (!watch.decided)
        watch.verdict = WATCH_GOES_ON;
    progress_end(&progress);
    return conclude(cli, &watch, reply);
}
