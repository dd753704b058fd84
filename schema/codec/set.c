/* A user's `set` payload.
 *
 * Happy path: tree -> envelope + job keys + task keys (below "tasks", or beside the job's own) ->
 * defaults -> checks that need several fields -> size. In the short spelling the paths of problems
 * lose
 * "/tasks/0". A check whose neighbours in the text are already wrong says nothing: it would only
 * confuse. */
#include "schema/codec/decode.h"

#include "platform/base/mem.h"
#include "schema/limits.h"

#include <string.h>

#define FIRST_TASK "/tasks/0"

/* Everything that may stand at the top, in either spelling. */
static const struct record *const top_records[] = {&job_spec_record, &command_envelope_record,
                                                   &task_spec_record};

/* Task keys beside "tasks": said once each, and better than "not known". */
static void misplaced_keys(struct decoder *decoder, const cJSON *tree)
{
    for (const cJSON *child = tree->child; child; child = child->next) {
        struct place here = {.key = child->string};
        if (record_field(&task_spec_record, child->string) &&
            !record_field(&job_spec_record, child->string))
            decode_problem(decoder, &here, "move it into an entry of tasks", "%s belongs to a task",
                           child->string);
    }
}

/* A key that both have is the job's. */
static void drop_job_keys(cJSON *tree)
{
    for (cJSON *child = tree->child, *next; child; child = next) {
        next = child->next;
        if (record_field(&job_spec_record, child->string))
            cJSON_DetachItemViaPointer(tree, child);
    }
}

/* The only task's keys are the job's neighbours. */
static void decode_short(struct decoder *decoder, cJSON *tree, struct job_spec *spec)
{
    struct task_spec *task = decode_alloc(decoder, 1, sizeof *task);
    if (!task)
        return;
    drop_job_keys(tree);
    decode_object(decoder, NULL, &task_spec_record, tree, task);
    spec->tasks = (struct record_list){.items = task, .count = 1};
}

/* ---- checks ---- */

static size_t parent_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) : 0;
}

static bool is_inside(const char *path, const char *outer)
{
    size_t length = strlen(outer);
    return !strncmp(path, outer, length) && (!path[length] || path[length] == '/');
}

/* Same place, one inside the other, or neighbours in one object. */
static bool are_related(const char *a, const char *b)
{
    size_t length = parent_length(a);
    return is_inside(a, b) || is_inside(b, a) ||
           (length == parent_length(b) && !memcmp(a, b, length));
}

static bool is_drowned(const struct problems *problems, size_t count, const char *path)
{
    for (size_t i = 0; i < count; i++)
        if (are_related(problems->items[i].path, path))
            return true;
    return false;
}

static void check_spec(const struct job_spec *spec, bool is_short, struct problems *problems)
{
    _cleanup_problems_ struct problems found = {0};
    size_t decoded = problems->count;
    job_spec_check(spec, &found);
    for (size_t i = 0; i < found.count; i++) {
        const struct problem *problem = &found.items[i];
        const char *path = problem->path;
        if (is_short && is_inside(path, FIRST_TASK))
            path += strlen(FIRST_TASK);
        if (!is_drowned(problems, decoded, path))
            problems_add(problems, path, problem->hint, "%s", problem->message);
    }
    problems->dropped += found.dropped;
}

static void check_size(const struct job_spec *spec, struct problems *problems)
{
    _cleanup_buf_ struct buf text = {.limit = LIMIT_JOB_SPEC_BYTES};
    codec_encode(&job_spec_record, spec, &text);
    if (text.failed)
        problems_add(problems, "", NULL, "the specification is larger than %d KiB",
                     LIMIT_JOB_SPEC_BYTES / 1024);
}

static void check_name(const char *name, const struct job_spec *spec, struct problems *problems)
{
    if (name && spec->name && strcmp(name, spec->name))
        problems_add(problems, "/name", "leave the name out, or send to the job's own topic",
                     "the topic says %s, the specification %s", name, spec->name);
}

int codec_decode_set(const char *text, size_t length, const char *name, struct arena *arena,
                     struct command_envelope *ret_envelope, struct job_spec *ret_spec,
                     struct problems *problems)
{
    _cleanup_tree_ struct tree tree;
    record_init(&command_envelope_record, ret_envelope);
    record_init(&job_spec_record, ret_spec);
    int result = tree_parse(text, length, problems, &tree);
    if (result)
        return result;
    struct decoder decoder = {.mode = CODEC_STRICT, .arena = arena, .problems = problems};
    bool is_short = !cJSON_GetObjectItemCaseSensitive(tree.root, "tasks");
    decode_unknown_keys(&decoder, NULL, tree.root, top_records, ARRAY_LENGTH(top_records));
    decode_object(&decoder, NULL, &command_envelope_record, tree.root, ret_envelope);
    decode_object(&decoder, NULL, &job_spec_record, tree.root, ret_spec);
    check_name(name, ret_spec, problems);
    if (is_short)
        decode_short(&decoder, tree.root, ret_spec);
    else
        misplaced_keys(&decoder, tree.root);
    if (ret_spec->dispatched)
        problems_add(problems, "/dispatched", "leave it out; do/jobs/<job>/dispatch makes children",
                     "only the manager writes it");
    if (job_spec_normalise(ret_spec, name, arena))
        decoder.no_memory = true;
    check_spec(ret_spec, is_short, problems);
    check_size(ret_spec, problems);
    return decode_result(&decoder);
}
