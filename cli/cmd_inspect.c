/* argosy inspect TASK: asks the worker. */
#include "cli/instances_print.h"
#include "cli/task_session.h"
#include "platform/base/mem.h"
#include "schema/codec/codec.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void print_json(const struct answer *answer)
{
    _cleanup_buf_ struct buf json = BUF_EMPTY;
    codec_encode(&answer_record, answer, &json);
    puts(buf_text(&json));
}

/* The worker's state and what is assigned, as one row. */
static void print_task(const struct cli *cli, const struct task_session *session)
{
    struct picture *picture = client_picture(session->client);
    _cleanup_instances_ struct instances instances = {0};
    struct attempt_name name;
    ASSERT(attempt_name_parse(session->id, &name));
    instances_collect(&instances, picture, name.job, session->node, true);
    size_t kept = 0;
    for (size_t i = 0; i < instances.count; i++)
        if (strcmp(instances.items[i].id, session->id) == 0)
            instances.items[kept++] = instances.items[i];
    instances.count = kept;
    const struct node_state *state = session->answer.state;
    for (size_t i = 0; kept && state && i < state->attempts.count; i++) {
        const struct observed_attempt *seen =
            RECORD_AT(struct observed_attempt, state->attempts, i);
        if (seen->id && strcmp(seen->id, session->id) == 0)
            instance_see(&instances, &instances.items[0], picture, seen);
    }
    instances_print(cli, &instances);
    if (kept && instances.items[0].seen.execution)
        printf("\nexecution  %s\n", instances.items[0].seen.execution);
    for (size_t i = 0; i < session->answer.numbers.count; i++)
        printf("%s  %.15g\n", session->answer.numbers.items[i].key,
               session->answer.numbers.items[i].value);
}

int cmd_inspect(struct cli *cli)
{
    _cleanup_task_session_ struct task_session session = {0};
    struct ask ask = {.lines = UNSET, .lease_ms = UNSET};
    int code = task_session_open(cli, cli->operands[0], &session);
    if (code == CLI_OK)
        code = task_session_ask(&session, "inspect", &ask);
    if (code == CLI_OK)
        code = task_session_wait(&session);
    if (code != CLI_OK)
        return code;
    if (session.answer.result != REPLY_ACCEPTED)
        return cli_fail(cli, CLI_REJECTED, "%s refuses: %s", session.node,
                        session.answer.message ? session.answer.message : session.answer.code);
    if (cli->json)
        print_json(&session.answer);
    else
        print_task(cli, &session);
    return CLI_OK;
}
