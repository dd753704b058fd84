/* argosy plan FILE…: what would become of jobs on the cluster, or on one out of a file. */
#include "cli/diagnostic.h"
#include "cli/format.h"
#include "cli/snapshot.h"
#include "cli/table.h"
#include "manager/scheduler/plan.h"
#include "platform/base/mem.h"
#include "schema/codec/codec.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- the cluster ---- */

static int read_file(const struct cli *cli, const char *path, struct buf *ret_text)
{
    char block[65536];
    size_t length;
    FILE *file = fopen(path, "re");
    if (!file)
        return cli_fail(cli, CLI_USAGE, "%s: %s", path, strerror(errno));
    while ((length = fread(block, 1, sizeof(block), file)))
        buf_add(ret_text, block, length);
    bool failed = ferror(file);
    fclose(file);
    return failed ? cli_fail(cli, CLI_FAILED, "%s cannot be read", path) : CLI_OK;
}

/* As a manager would. */
static bool fill_in_jobs(const struct record_list *jobs, struct arena *arena,
                         struct problems *problems)
{
    char path[32];
    for (size_t i = 0; i < jobs->count; i++) {
        struct job_spec *spec = RECORD_AT(struct job_spec, *jobs, i);
        snprintf(path, sizeof(path), "/jobs/%zu", i);
        if (!spec->name)
            problems_add(problems, path, NULL, "name is missing");
        else if (job_spec_normalise(spec, spec->name, arena) != 0)
            problems_add(problems, path, NULL, "out of memory");
    }
    return !problems->count;
}

static int snapshot_from_file(const struct cli *cli, const char *path, struct arena *arena,
                              struct cluster_snapshot *ret_snapshot)
{
    _cleanup_buf_ struct buf text = BUF_EMPTY;
    _cleanup_problems_ struct problems problems = {0};
    int code = read_file(cli, path, &text);
    if (code != CLI_OK)
        return code;
    if (!codec_decode_file(&cluster_snapshot_record, buf_text(&text), text.length, arena,
                           ret_snapshot, &problems) &&
        fill_in_jobs(&ret_snapshot->jobs, arena, &problems))
        return CLI_OK;
    for (size_t i = 0; i < problems.count; i++) {
        const struct problem *problem = &problems.items[i];
        fprintf(stderr, "%s: %s: %s%s%s\n", path, problem->path[0] ? problem->path : "/",
                problem->message, problem->hint ? "; " : "", problem->hint ? problem->hint : "");
    }
    return cli_fail(cli, CLI_USAGE, "%s is no snapshot of a cluster", path);
}

static int snapshot_from_bus(struct cli *cli, struct arena *arena, struct client **ret_client,
                             struct cluster_snapshot *ret_snapshot)
{
    int code = client_open(cli, ANSWER_TIMEOUT_MS, ret_client);
    if (code == CLI_OK)
        code = snapshot_hear(*ret_client);
    if (code != CLI_OK)
        return code;
    client_note_manager(*ret_client);
    snapshot_of(client_picture(*ret_client), format_now_ms(), arena, ret_snapshot);
    return CLI_OK;
}

/* ---- telling ---- */

static const char *score_cell(struct arena *arena, double score)
{
    return isnan(score) ? NULL : arena_printf(arena, "%.3f", score);
}

static const char *parts_cell(struct arena *arena, const struct plan_parts *parts)
{
    const struct {
        const char *name;
        double value;
    } rows[] = {{"policy", parts->policy},
                {"anti-affinity", parts->anti_affinity},
                {"penalty", parts->penalty},
                {"affinity", parts->affinity},
                {"spread", parts->spread}};
    const char *text = "";
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
        if (!isnan(rows[i].value))
            text = arena_printf(arena, "%s%s%s %.3f", text, *text ? ", " : "", rows[i].name,
                                rows[i].value);
    return text;
}

static const char *because(struct arena *arena, const struct plan_instance *instance)
{
    const char *text = "";
    for (size_t i = 0; i < instance->preempts.count; i++)
        text = arena_printf(arena, "%s %s", i ? text : "makes room:", instance->preempts.items[i]);
    for (size_t i = 0; i < instance->excluded.count; i++) {
        const struct plan_exclusion *why = RECORD_AT(struct plan_exclusion, instance->excluded, i);
        text =
            arena_printf(arena, "%s%s%lld: %s%s%s", text, *text ? ", " : "", (long long)why->nodes,
                         why->text, why->detail ? " " : "", why->detail ? why->detail : "");
    }
    if (instance->nearest)
        text = arena_printf(arena, "%s; %s", text, instance->nearest);
    return text;
}

static void print_changes(const struct plan *plan)
{
    for (size_t i = 0; i < plan->jobs.count; i++) {
        const struct plan_job *job = RECORD_AT(struct plan_job, plan->jobs, i);
        printf("%s: %s%s\n", job->job,
               job->is_new           ? "new"
               : !job->changes.count ? "not changed"
                                     : "changed",
               job->is_parent ? ", run by its children only" : "");
        for (size_t at = 0; at < job->changes.count; at++) {
            const struct plan_change *change = RECORD_AT(struct plan_change, job->changes, at);
            if (change->from && change->to)
                printf("  ~ %s: %s -> %s\n", change->field, change->from, change->to);
            else
                printf("  %c %s: %s\n", change->to ? '+' : '-', change->field,
                       change->to ? change->to : change->from);
        }
    }
    if (plan->jobs.count)
        putchar('\n');
}

static void print_instances(const struct cli *cli, const struct plan *plan, struct arena *arena)
{
    static const struct table_column columns[] = {{"INSTANCE", 0}, {"ACTION", 0},
                                                  {"NODE", 0},     {"SCORE", TABLE_RIGHT},
                                                  {"PARTS", 0},    {"BECAUSE", TABLE_CUT}};
    _cleanup_table_ struct table *table = table_new(columns, ARRAY_LENGTH(columns), cli->color);
    for (size_t i = 0; i < plan->instances.count; i++) {
        const struct plan_instance *at = RECORD_AT(struct plan_instance, plan->instances, i);
        const char *cells[] = {at->instance,
                               words_to_string(&plan_action_words, at->action),
                               at->node,
                               score_cell(arena, at->score),
                               parts_cell(arena, &at->parts),
                               because(arena, at)};
        const char *tint = at->action == PLAN_PENDING ? "red"
                           : at->action == PLAN_KEEP  ? NULL
                                                      : "yellow";
        table_row(table, cells, 1, tint);
    }
    table_print(table);
}

static void print_candidates(const struct cli *cli, const struct plan_instance *instance,
                             struct arena *arena)
{
    static const struct table_column columns[] = {
        {"NODE", 0}, {"SCORE", TABLE_RIGHT}, {"PARTS", 0}, {"EXCLUDED BY", TABLE_CUT}};
    if (!instance->candidates.count)
        return;
    printf("\n%s\n", instance->instance);
    _cleanup_table_ struct table *table = table_new(columns, ARRAY_LENGTH(columns), cli->color);
    for (size_t i = 0; i < instance->candidates.count; i++) {
        const struct plan_candidate *at = RECORD_AT(struct plan_candidate, instance->candidates, i);
        const char *cells[] = {
            at->node, score_cell(arena, at->score), parts_cell(arena, &at->parts),
            at->excluded && at->detail ? arena_printf(arena, "%s: %s", at->excluded, at->detail)
                                       : at->excluded};
        table_row(table, cells, 1, NULL);
    }
    table_print(table);
}

static void print_plan(const struct cli *cli, const struct plan *plan, struct arena *arena)
{
    if (cli->json) {
        _cleanup_buf_ struct buf json = BUF_EMPTY;
        codec_encode(&plan_record, plan, &json);
        puts(buf_text(&json));
        return;
    }
    print_changes(plan);
    print_instances(cli, plan, arena);
    for (size_t i = 0; i < plan->instances.count; i++)
        print_candidates(cli, RECORD_AT(struct plan_instance, plan->instances, i), arena);
}

/* ---- the verb ---- */

static int read_jobs(const struct cli *cli, struct job_set *set, struct arena *arena,
                     const struct job_spec ***ret_jobs)
{
    bool color = !cli_given(cli, OPT_NO_COLOR) && isatty(STDERR_FILENO);
    job_set_read(set, cli->operands, cli->operand_count, color);
    fputs(buf_text(&set->text), stderr);
    if (set->problem_count)
        return cli_fail(cli, CLI_USAGE, "%zu %s", set->problem_count,
                        set->problem_count == 1 ? "error" : "errors");
    *ret_jobs = arena_array(arena, set->job_count + 1, sizeof(**ret_jobs));
    ASSERT(*ret_jobs);
    for (size_t i = 0; i < set->job_count; i++)
        (*ret_jobs)[i] = &set->jobs[i].spec;
    return CLI_OK;
}

/* What would change of the specifications. A snapshot that names no jobs says nothing of them. */
static void tell_changes(const struct cluster_snapshot *snapshot,
                         const struct job_spec *const *jobs, size_t count, struct arena *arena,
                         struct plan *plan)
{
    struct plan_job *items = arena_array(arena, count + 1, sizeof(*items));
    ASSERT(items);
    plan->jobs =
        (struct record_list){items, snapshot->jobs.count || !snapshot->tasks.count ? count : 0};
    for (size_t i = 0; i < plan->jobs.count; i++) {
        items[i] = (struct plan_job){
            .job = jobs[i]->name, .is_new = true, .is_parent = job_spec_is_parent(jobs[i])};
        for (size_t at = 0; at < snapshot->jobs.count; at++) {
            const struct job_spec *was = RECORD_AT(struct job_spec, snapshot->jobs, at);
            if (strcmp(was->name, jobs[i]->name) != 0)
                continue;
            items[i].is_new = false;
            codec_diff(&job_spec_record, was, jobs[i], arena, &items[i].changes);
        }
    }
}

static int exit_of(const struct plan *plan)
{
    for (size_t i = 0; i < plan->instances.count; i++)
        if (RECORD_AT(struct plan_instance, plan->instances, i)->action == PLAN_PENDING)
            return CLI_UNPLACED;
    return CLI_OK;
}

static int no_policy(const struct cli *cli, const char *text)
{
    return cli_usage_error(
        cli->command, "\"%s\" is no policy: binpack, spread, epvm, greedy or round_robin", text);
}

int cmd_plan(struct cli *cli)
{
    _cleanup_job_set_ struct job_set set = {0};
    _cleanup_arena_ struct arena arena = ARENA_EMPTY;
    _cleanup_client_ struct client *client = NULL;
    struct cluster_snapshot snapshot = {0};
    const struct job_spec **jobs = NULL;
    struct plan plan;
    const char *policy = cli->value[OPT_POLICY], *file = cli->value[OPT_CLUSTER];
    struct plan_options options = {.explain = cli_given(cli, OPT_EXPLAIN)};
    if (policy && !words_from_string(&placement_policy_words, policy))
        return no_policy(cli, policy);
    int code = read_jobs(cli, &set, &arena, &jobs);
    if (code == CLI_OK)
        code = file ? snapshot_from_file(cli, file, &arena, &snapshot)
                    : snapshot_from_bus(cli, &arena, &client, &snapshot);
    if (code != CLI_OK)
        return code;
    policy = policy ? policy : snapshot.policy ? snapshot.policy : "binpack";
    options.policy = (enum placement_policy)words_from_string(&placement_policy_words, policy);
    if (!options.policy)
        return no_policy(cli, policy);
    options.preemption =
        snapshot.preemption ? (enum preemption)snapshot.preemption : PREEMPTION_BY_ALL;
    plan_make(&snapshot, jobs, set.job_count, &options, &arena, &plan);
    tell_changes(&snapshot, jobs, set.job_count, &arena, &plan);
    print_plan(cli, &plan, &arena);
    return exit_of(&plan);
}
