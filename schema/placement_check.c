/* The checks of what says where instances may go. */
#include "platform/base/err.h"
#include "platform/base/mem.h"
#include "schema/expression.h"
#include "schema/job_spec.h"

#include <stdio.h>
#include <string.h>

enum { PATH_BYTES = 96, PERCENT_MAX = 100 };

struct placement_context {
    const char *path;
    struct problems *problems;
};

/* path + "/affinities/2" + rest */
static const char *place(const struct placement_context *context, const char *list, size_t index,
                         const char *rest, char ret_path[PATH_BYTES])
{
    snprintf(ret_path, PATH_BYTES, "%s/%s/%zu%s", context->path, list, index, rest);
    return ret_path;
}

static void tell(const struct placement_context *context, const char *path,
                 const struct expression_problem *problem)
{
    problems_add(context->problems, path, problem->hint[0] ? problem->hint : NULL,
                 "%s (at character %zu)", problem->message, problem->offset + 1);
}

static void expression_check(const struct placement_context *context, const char *path,
                             const char *text)
{
    _cleanup_arena_ struct arena arena = ARENA_EMPTY;
    struct expression_problem problem;
    struct expression expression;
    if (text && expression_parse(text, &arena, &expression, &problem) == -ERR_INVALID)
        tell(context, path, &problem);
}

static void target_check(const struct placement_context *context, const char *path,
                         const char *target)
{
    struct expression_problem problem;
    if (target && !expression_target_check(target, &problem))
        tell(context, path, &problem);
}

static void affinity_check(const struct placement_context *context, const struct affinity *affinity,
                           size_t i)
{
    char path[PATH_BYTES];
    expression_check(context, place(context, "affinities", i, "/expr", path), affinity->expr);
    if (affinity->weight == 0)
        problems_add(context->problems, place(context, "affinities", i, "/weight", path),
                     "-100 to -1, or 1 to 100", "a weight of 0 counts for nothing");
}

static void spread_check(const struct placement_context *context, const struct record_list *blocks,
                         size_t i)
{
    char path[PATH_BYTES];
    const struct spread_block *block = RECORD_AT(struct spread_block, *blocks, i);
    int64_t percent = 0;
    for (size_t at = 0; at < block->targets.count; at++)
        percent += block->targets.items[at].value;
    if (percent > PERCENT_MAX)
        problems_add(context->problems, place(context, "spread", i, "/targets", path),
                     "lower some of them", "the targets are %lld percent together",
                     (long long)percent);
    target_check(context, place(context, "spread", i, "/attribute", path), block->attribute);
    for (size_t at = 0; block->attribute && at < i; at++) {
        const char *other = RECORD_AT(struct spread_block, *blocks, at)->attribute;
        if (other && !strcmp(other, block->attribute))
            problems_add(context->problems, place(context, "spread", i, "/attribute", path),
                         "one block for each attribute", "it is already spread over %s", other);
    }
}

void placement_check(const struct placement *placement, const char *path, struct problems *problems)
{
    const struct placement_context context = {path, problems};
    char at[PATH_BYTES];
    for (size_t i = 0; i < placement->constraints.count; i++)
        expression_check(&context, place(&context, "constraints", i, "", at),
                         placement->constraints.items[i]);
    for (size_t i = 0; i < placement->affinities.count; i++)
        affinity_check(&context, RECORD_AT(struct affinity, placement->affinities, i), i);
    for (size_t i = 0; i < placement->spread.count; i++)
        spread_check(&context, &placement->spread, i);
    snprintf(at, sizeof at, "%s/distinct_property/attribute", path);
    if (placement->distinct_property)
        target_check(&context, at, placement->distinct_property->attribute);
}
