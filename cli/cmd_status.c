/* argosy status [JOB]: from retained documents alone, so it works while no manager leads (and says
 * so). */
#include "cli/client.h"
#include "cli/format.h"
#include "cli/instances_print.h"
#include "cli/pending.h"
#include "cli/table.h"
#include "platform/base/mem.h"
#include "schema/codec/codec.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- all jobs -------------------------------------------------------------------------------- */

static const char *job_tint(int state)
{
    switch (state) {
    case JOB_RUNNING:
    case JOB_COMPLETED:
        return "green";
    case JOB_PENDING:
    case JOB_DEGRADED:
        return "yellow";
    case JOB_FAILED:
        return "red";
    }
    return NULL;
}

static void print_job_row(struct table *table, struct arena *arena, const char *name,
                          const struct job_status *status)
{
    const char *first = "";
    if (status->pending.count) {
        const struct pending_group *group = RECORD_AT(struct pending_group, status->pending, 0);
        first = group->text ? group->text : group->reason;
    }
    const char *cells[] = {
        name,
        job_type_word(status->type),
        job_state_word(status->state),
        arena_printf(arena, "%" PRId64 "/%" PRId64, status->counts.running, status->wanted),
        arena_printf(arena, "%" PRId64, status->version),
        format_age(arena, status->changed_ms, format_now_ms()),
        first,
    };
    table_row(table, cells, 2, job_tint(status->state));
}

static void print_jobs(const struct cli *cli, const struct picture *picture)
{
    static const struct table_column columns[] = {
        {"JOB", 0},
        {"TYPE", 0},
        {"STATE", 0},
        {"RUNNING", TABLE_RIGHT},
        {"VERSION", TABLE_RIGHT},
        {"SINCE", TABLE_RIGHT},
        {"PENDING BECAUSE", TABLE_CUT},
    };
    struct arena arena = ARENA_EMPTY;
    _cleanup_table_ struct table *table = table_new(columns, ARRAY_LENGTH(columns), cli->color);
    const struct picture_entry *entry = NULL;
    while ((entry = picture_next(picture, TOPIC_JOB_STATUS, entry))) {
        const struct job_status *status = entry->value;
        if (!status->head.tombstone)
            print_job_row(table, &arena, entry->topic.level[0], status);
    }
    table_print(table);
    arena_release(&arena);
}

static void print_jobs_json(const struct picture *picture)
{
    _cleanup_buf_ struct buf json = BUF_EMPTY;
    const struct manager_status *manager = picture_find(picture, TOPIC_MANAGER_STATUS, NULL, NULL);
    buf_add_text(&json, "{\"manager\":");
    if (manager)
        codec_encode(&manager_status_record, manager, &json);
    else
        buf_add_text(&json, "null");
    buf_add_text(&json, ",\"jobs\":[");
    const struct picture_entry *entry = NULL;
    const char *separator = "";
    while ((entry = picture_next(picture, TOPIC_JOB_STATUS, entry))) {
        const struct job_status *status = entry->value;
        if (status->head.tombstone)
            continue;
        buf_printf(&json, "%s{\"name\":\"%s\",\"status\":", separator, entry->topic.level[0]);
        codec_encode(&job_status_record, status, &json);
        buf_add_char(&json, '}');
        separator = ",";
    }
    buf_add_text(&json, "]}\n");
    fputs(buf_text(&json), stdout);
}

static int show_all(struct cli *cli, struct client *client)
{
    static const struct client_filter filters[] = {{TOPIC_JOB_STATUS, "+", NULL}};
    int code = client_hear(client, filters, ARRAY_LENGTH(filters));
    if (code != CLI_OK)
        return code;
    client_note_manager(client);
    if (cli->json)
        print_jobs_json(client_picture(client));
    else
        print_jobs(cli, client_picture(client));
    return CLI_OK;
}

/* ---- one job --------------------------------------------------------------------------------- */

static void print_tasks(const struct cli *cli, const struct job_document *document,
                        const struct job_status *status)
{
    static const struct table_column columns[] = {
        {"TASK", 0},
        {"COUNT", TABLE_RIGHT},
        {"RUNNING", TABLE_RIGHT},
        {"COMPLETED", TABLE_RIGHT},
        {"FAILED", TABLE_RIGHT},
        {"PENDING", TABLE_RIGHT},
        {"RUNS", TABLE_CUT},
    };
    struct arena arena = ARENA_EMPTY;
    _cleanup_table_ struct table *table = table_new(columns, ARRAY_LENGTH(columns), cli->color);
    for (size_t i = 0; i < status->tasks.count; i++) {
        const struct task_summary *task = RECORD_AT(struct task_summary, status->tasks, i);
        const char *runs = "";
        for (size_t k = 0; document && k < document->spec.tasks.count; k++) {
            const struct task_spec *spec = RECORD_AT(struct task_spec, document->spec.tasks, k);
            if (task->name && spec->name && strcmp(spec->name, task->name) == 0)
                runs = spec->image ? spec->image : format_list(&arena, &spec->command);
        }
        const char *cells[] = {
            task->name,
            arena_printf(&arena, "%" PRId64, task->count),
            arena_printf(&arena, "%" PRId64, task->running),
            arena_printf(&arena, "%" PRId64, task->completed),
            arena_printf(&arena, "%" PRId64, task->failed),
            arena_printf(&arena, "%" PRId64, task->pending),
            runs,
        };
        table_row(table, cells, 0, NULL);
    }
    table_print(table);
    arena_release(&arena);
}

static void print_head(const char *job, const struct job_document *document,
                       const struct job_status *status)
{
    struct arena arena = ARENA_EMPTY;
    int64_t now_ms = format_now_ms();
    const char *counts = status ? format_counts(&arena, &status->counts) : "";
    printf("%s: %s", job, status ? job_state_word(status->state) : "not judged yet");
    if (status)
        printf(" for %s%s%s%s", format_age(&arena, status->changed_ms, now_ms), *counts ? " (" : "",
               counts, *counts ? ")" : "");
    if (document)
        printf("\n%s, version %" PRId64 ", submitted %s ago, datacenters %s",
               job_type_word(document->spec.type), document->version,
               format_age(&arena, document->submitted_ms, now_ms),
               format_list(&arena, &document->spec.datacenters));
    if (status && status->next_launch_ms)
        printf("\nnext launch in %s", format_age(&arena, now_ms, status->next_launch_ms + 999));
    puts("\n");
    arena_release(&arena);
}

static void print_job(const struct cli *cli, const struct picture *picture, const char *job,
                      const struct job_document *document, const struct job_status *status)
{
    _cleanup_instances_ struct instances instances = {0};
    print_head(job, document, status);
    if (status && status->tasks.count)
        print_tasks(cli, document, status);
    instances_collect(&instances, picture, job, NULL, cli_given(cli, OPT_ALL));
    if (instances.count) {
        putchar('\n');
        instances_print(cli, &instances);
    }
    if (status && status->pending.count) {
        puts("\nPending");
        pending_print(stdout, status);
    }
}

static void print_job_json(const struct cli *cli, const struct picture *picture, const char *job,
                           const struct job_document *document, const struct job_status *status)
{
    _cleanup_buf_ struct buf json = BUF_EMPTY;
    _cleanup_instances_ struct instances instances = {0};
    buf_printf(&json, "{\"name\":\"%s\"", job);
    if (document) {
        buf_printf(&json, ",\"version\":%" PRId64 ",\"stopped\":%s,\"spec\":", document->version,
                   document->stopped ? "true" : "false");
        codec_encode(&job_spec_record, &document->spec, &json);
    }
    if (status) {
        buf_add_text(&json, ",\"status\":");
        codec_encode(&job_status_record, status, &json);
    }
    instances_collect(&instances, picture, job, NULL, cli_given(cli, OPT_ALL));
    buf_add_char(&json, ',');
    instances_add_json(&instances, &json);
    buf_add_text(&json, "}\n");
    fputs(buf_text(&json), stdout);
}

static int show_job(struct cli *cli, struct client *client, const char *job)
{
    const struct client_filter filters[] = {
        {TOPIC_JOB_SPEC, job, NULL},  {TOPIC_JOB_STATUS, job, NULL},  {TOPIC_NODE_ASSIGN, "+", job},
        {TOPIC_NODE_STATE, "+", job}, {TOPIC_NODE_STATUS, "+", NULL}, {TOPIC_NODE_INFO, "+", NULL},
    };
    int code = client_hear(client, filters, ARRAY_LENGTH(filters));
    if (code != CLI_OK)
        return code;
    client_note_manager(client);
    const struct picture *picture = client_picture(client);
    const struct job_document *document = picture_find(picture, TOPIC_JOB_SPEC, job, NULL);
    const struct job_status *status = picture_find(picture, TOPIC_JOB_STATUS, job, NULL);
    if (document && document->head.tombstone)
        document = NULL;
    if (status && status->head.tombstone)
        status = NULL;
    if (!document && !status)
        return cli_fail(cli, CLI_FAILED, "there is no job %s", job);
    if (cli->json)
        print_job_json(cli, picture, job, document, status);
    else
        print_job(cli, picture, job, document, status);
    return CLI_OK;
}

int cmd_status(struct cli *cli)
{
    _cleanup_client_ struct client *client = NULL;
    const char *job = cli->operand_count ? cli->operands[0] : NULL;
    if (job && !name_is_valid(job))
        return cli_usage_error(cli->command, "\"%s\" is no job name", job);
    int code = client_open(cli, ANSWER_TIMEOUT_MS, &client);
    if (code != CLI_OK)
        return code;
    return job ? show_job(cli, client, job) : show_all(cli, client);
}
