/* argosy restart JOB: watched until every instance that ran runs again, or has ended.
 *
 * The proof is each attempt's run number: it has to be larger than before. */
#include "cli/instances.h"
#include "cli/job_command.h"
#include "cli/progress.h"
#include "platform/base/mem.h"

#include <stdlib.h>
#include <string.h>

struct earlier_run {
    char *id;
    int64_t run;
};

struct restart {
    struct client *client;
    const char *job;
    struct earlier_run *earlier;
    size_t count;
    struct progress progress;
};

static void note_runs(struct restart *restart)
{
    _cleanup_instances_ struct instances instances = {0};
    instances_collect(&instances, client_picture(restart->client), restart->job, NULL, false);
    restart->earlier = mem_resize(NULL, instances.count + 1, sizeof *restart->earlier);
    for (size_t i = 0; i < instances.count; i++) {
        const struct instance *item = &instances.items[i];
        if (item->state == ATTEMPT_RUNNING)
            restart->earlier[restart->count++] =
                (struct earlier_run){mem_strdup(item->id), item->seen.run};
    }
}

static void restart_release(struct restart *restart)
{
    for (size_t i = 0; i < restart->count; i++)
        free(restart->earlier[i].id);
    free(restart->earlier);
}
#define _cleanup_restart_ __attribute__((cleanup(restart_release)))

static const struct instance *instance_find(const struct instances *instances, const char *id)
{
    for (size_t i = 0; i < instances->count; i++)
        if (strcmp(instances->items[i].id, id) == 0)
            return &instances->items[i];
    return NULL;
}

static bool all_run_again(void *context)
{
    struct restart *restart = context;
    _cleanup_instances_ struct instances instances = {0};
    const struct picture *picture = client_picture(restart->client);
    instances_collect(&instances, picture, restart->job, NULL, true);
    progress_show_job(&restart->progress, restart->job,
                      picture_find(picture, TOPIC_JOB_STATUS, restart->job, NULL));
    for (size_t i = 0; i < restart->count; i++) {
        const struct instance *now = instance_find(&instances, restart->earlier[i].id);
        bool ended = !now || attempt_state_is_final((enum attempt_state)now->state);
        if (!ended && (now->seen.run <= restart->earlier[i].run || now->state != ATTEMPT_RUNNING))
            return false;
    }
    return true;
}

static int watch_restart(struct cli *cli, struct restart *restart, const struct reply *reply)
{
    client_extend(restart->client, cli_number(cli, OPT_TIMEOUT, WATCH_TIMEOUT_MS));
    restart->progress = progress_begin(cli);
    int waited = client_wait(restart->client, all_run_again, restart, 200);
    progress_end(&restart->progress);
    if (waited != CLI_OK)
        return client_time_out(restart->client, "watching the instances restart");
    job_outcome_print(cli, restart->client, restart->job, "restarted", reply);
    return CLI_OK;
}

int cmd_restart(struct cli *cli)
{
    _cleanup_client_ struct client *client = NULL;
    const struct reply *reply = NULL;
    struct job_command command = {
        .job = cli->operands[0], .verb = "restart", .body = "{}", .expect_version = UNSET};
    int code = job_session_open(cli, command.job, &client);
    if (code != CLI_OK)
        return code;
    _cleanup_restart_ struct restart restart = {.client = client, .job = command.job};
    note_runs(&restart);
    code = job_command_send(cli, client, &command, &reply);
    if (code != CLI_OK)
        return code;
    if (!cli_given(cli, OPT_DETACH) && restart.count)
        return watch_restart(cli, &restart, reply);
    job_outcome_print(cli, client, command.job, "accepted", reply);
    return CLI_OK;
}
