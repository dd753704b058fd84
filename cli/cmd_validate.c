/* argosy validate FILE…: everything that is wrong, without a broker. */
#include "cli/command.h"
#include "cli/diagnostic.h"
#include "cli/format.h"
#include "schema/codec/codec.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void print_json(const struct job_set *set)
{
    _cleanup_buf_ struct buf names = BUF_EMPTY;
    for (size_t i = 0; i < set->job_count; i++) {
        const char *name = set->jobs[i].spec.name;
        if (!name)
            continue;
        buf_add_text(&names, names.length ? "," : "");
        json_add_string(&names, name, strlen(name));
    }
    printf("{\"valid\":%s,\"jobs\":[%s],\"problems\":[%s]}\n",
           set->problem_count ? "false" : "true", buf_text(&names), buf_text(&set->json));
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

int cmd_validate(struct cli *cli)
{
    _cleanup_job_set_ struct job_set set = {0};
    bool color = !cli_given(cli, OPT_NO_COLOR) && isatty(STDERR_FILENO);
    job_set_read(&set, cli->operands, cli->operand_count, color);
    if (cli->json)
        print_json(&set);
    fputs(buf_text(&set.text), stderr);
    if (set.problem_count) {
        fprintf(stderr, "argosy: %zu %s\n", set.problem_count,
                set.problem_count == 1 ? "error" : "errors");
        return CLI_USAGE;
    }
    for (size_t i = 0; i < set.job_count && !cli->json; i++)
        print_job(&set.jobs[i]);
    return CLI_OK;
}
