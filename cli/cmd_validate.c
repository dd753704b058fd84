/* argosy validate FILE…: everything that is wrong, without a broker. */
#include "cli/command.h"
#include "cli/diagnostic.h"
#include "cli/format.h"
#include "cli/launches.h"
#include "platform/base/mem.h"
#include "schema/codec/codec.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- launches ---- */

struct launches {
    int64_t count; /* --next; 0: not asked for */
    const char *from;
    struct buf text, json;
};

static int add_launches(struct launches *launches, const struct checked_job *job)
{
    _cleanup_arena_ struct arena arena = ARENA_EMPTY;
    const struct schedule *schedule = job->spec.schedule;
    struct timezone zone;
    struct err err;
    int64_t after_s = format_now_ms() / 1000;
    if (launches_zone(schedule, &arena, &zone, &err)) {
        fprintf(stderr, "argosy: the launches of %s cannot be told: %s\n", job->spec.name,
                err.text);
        return CLI_FAILED;
    }
    if (launches->from && !launches_parse_time(launches->from, &zone, &after_s)) {
        fprintf(stderr,
                "argosy: --from: %s is no time: such as 2026-11-23T08:00 or "
                "2026-11-23T08:00:00Z\n",
                launches->from);
        return CLI_USAGE;
    }
    buf_printf(&launches->text, "%s, next launches (%s):\n", job->spec.name, schedule->timezone);
    launches_add_text(schedule, &zone, after_s, launches->count, &launches->text);
    buf_printf(&launches->json, "%s{\"job\":\"%s\",\"timezone\":\"%s\",\"next\":[",
               launches->json.length ? "," : "", job->spec.name, schedule->timezone);
    launches_add_json(schedule, &zone, after_s, launches->count, &launches->json);
    buf_add_text(&launches->json, "]}");
    return CLI_OK;
}

static int find_launches(struct launches *launches, const struct job_set *set)
{
    int code = CLI_OK;
    for (size_t i = 0; i < set->job_count && launches->count && code == CLI_OK; i++)
        if (set->jobs[i].spec.schedule)
            code = add_launches(launches, &set->jobs[i]);
    return code;
}

static void release_launches(struct launches *launches)
{
    buf_release(&launches->text);
    buf_release(&launches->json);
}

/* ---- telling ---- */

static void print_json(const struct job_set *set, const struct launches *launches)
{
    _cleanup_buf_ struct buf names = BUF_EMPTY;
    for (size_t i = 0; i < set->job_count; i++) {
        const char *name = set->jobs[i].spec.name;
        if (!name)
            continue;
        buf_add_text(&names, names.length ? "," : "");
        json_add_string(&names, name, strlen(name));
    }
    printf("{\"valid\":%s,\"jobs\":[%s],\"problems\":[%s]", set->problem_count ? "false" : "true",
           buf_text(&names), buf_text(&set->json));
    if (launches->count)
        printf(",\"launches\":[%s]", buf_text(&launches->json));
    puts("}");
}

static void print_job(const struct checked_job *job)
{
    int64_t instances = 0;
    for (size_t i = 0; i < job->spec.tasks.count; i++)
        instances += RECORD_AT(struct task_spec, job->spec.tasks, i)->count;
    printf("%s: %s is valid: %s, %zu task%s, %" PRId64 " instance%s\n", job_file_name(job->file),
           job->spec.name, job_type_word(job->spec.type), job->spec.tasks.count,
           job->spec.tasks.count == 1 ? "" : "s", instances, instances == 1 ? "" : "s");
}

static int report(const struct cli *cli, const struct job_set *set, struct launches *launches)
{
    int code = set->problem_count ? CLI_USAGE : find_launches(launches, set);
    if (cli->json && (!code || set->problem_count))
        print_json(set, launches);
    fputs(buf_text(&set->text), stderr);
    if (set->problem_count)
        fprintf(stderr, "argosy: %zu %s\n", set->problem_count,
                set->problem_count == 1 ? "error" : "errors");
    for (size_t i = 0; i < set->job_count && !cli->json && !code; i++)
        print_job(&set->jobs[i]);
    if (!cli->json)
        fputs(buf_text(&launches->text), stdout);
    return code;
}

int cmd_validate(struct cli *cli)
{
    _cleanup_job_set_ struct job_set set = {0};
    _cleanup_(release_launches) struct launches launches = {.count = cli_number(cli, OPT_NEXT, 0),
                                                            .from = cli->value[OPT_FROM]};
    bool color = !cli_given(cli, OPT_NO_COLOR) && isatty(STDERR_FILENO);
    job_set_read(&set, cli->operands, cli->operand_count, color);
    return report(cli, &set, &launches);
}
