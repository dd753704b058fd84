/* do/jobs/<job>/dispatch: a child of a job with parameters. A child is the parent's present
 * specification with another name, the dispatch's meta and payload, and no parameters. */
#include "manager/core/internal.h"

#include "platform/base/base64.h"

#include <stdio.h>
#include <string.h>

/* ---- what is asked ---- */

static bool list_has(const struct string_list *list, const char *key)
{
    for (size_t i = 0; i < list->count; i++)
        if (!strcmp(list->items[i], key))
            return true;
    return false;
}

static const char *map_get(const struct string_map *map, const char *key)
{
    for (size_t i = 0; i < map->count; i++)
        if (!strcmp(map->items[i].key, key))
            return map->items[i].value;
    return NULL;
}

static void check_meta(const struct parameters *parameters, const struct string_map *meta,
                       struct problems *problems)
{
    const struct string_list *required = &parameters->meta_required;
    for (size_t i = 0; i < required->count; i++)
        if (!map_get(meta, required->items[i]))
            problems_add(problems, "/meta", "give it a value", "the job requires the key %.100s",
                         required->items[i]);
    for (size_t i = 0; i < meta->count; i++) {
        char path[LIMIT_MESSAGE_LENGTH];
        const char *key = meta->items[i].key;
        snprintf(path, sizeof(path), "/meta/%s", key);
        if (!list_has(required, key) && !list_has(&parameters->meta_optional, key))
            problems_add(problems, path, "leave it out, or add it to the job's parameters",
                         "the job has no parameter %.100s", key);
    }
}

static void check_payload(const struct parameters *parameters,
                          const struct dispatch_arguments *arguments, struct problems *problems)
{
    const char *text = arguments->payload, *encoded = arguments->payload_base64;
    const char *path = encoded ? "/payload_base64" : "/payload";
    int64_t length = encoded ? base64_decode(encoded, NULL) : text ? (int64_t)strlen(text) : 0;
    if (text && encoded)
        problems_add(problems, path, "use one of them", "there are two payloads");
    if ((text || encoded) && parameters->payload == PAYLOAD_FORBIDDEN)
        problems_add(problems, path, "leave it out", "the job takes no payload");
    if (!text && !encoded && parameters->payload == PAYLOAD_REQUIRED)
        problems_add(problems, path, "add one", "the job requires a payload");
    if (length < 0)
        problems_add(problems, path, "such as aGVsbG8=", "the payload is not Base64");
    if (length > LIMIT_DISPATCH_PAYLOAD_BYTES)
        problems_add(problems, path, "store it elsewhere and send where",
                     "the payload has more than %d bytes", LIMIT_DISPATCH_PAYLOAD_BYTES);
}

/* ---- the child ---- */

/* The dispatch's values over the parent's own; both are sorted by key. */
static bool merge_meta(const struct string_map *old, const struct string_map *more,
                       struct arena *arena, struct string_map *ret_merged)
{
    size_t i = 0, j = 0;
    struct string_pair *items = arena_array(arena, old->count + more->count + 1, sizeof(*items));
    *ret_merged = (struct string_map){items, 0};
    while (items && (i < old->count || j < more->count)) {
        int order = i == old->count    ? 1
                    : j == more->count ? -1
                                       : strcmp(old->items[i].key, more->items[j].key);
        items[ret_merged->count++] = order < 0 ? old->items[i] : more->items[j];
        i += order <= 0;
        j += order >= 0;
    }
    return items;
}

static bool fill_payload(const struct dispatch_arguments *arguments, struct arena *arena,
                         struct dispatched *dispatched)
{
    dispatched->payload = arguments->payload_base64;
    if (!arguments->payload)
        return true;
    char *text = arena_alloc(arena, BASE64_SIZE(strlen(arguments->payload)));
    if (text)
        base64_encode(arguments->payload, strlen(arguments->payload), text);
    dispatched->payload = text;
    return text;
}

static bool fill_child(const struct job *parent, const char *name,
                       const struct dispatch_arguments *arguments, struct arena *arena,
                       struct job_spec *ret_spec)
{
    struct dispatched *dispatched = arena_alloc(arena, sizeof(*dispatched));
    *ret_spec = job_present(parent)->spec;
    if (!dispatched || !fill_payload(arguments, arena, dispatched))
        return false;
    dispatched->parent = parent->name;
    ret_spec->name = name;
    ret_spec->parameters = NULL;
    ret_spec->dispatched = dispatched;
    return merge_meta(&job_present(parent)->spec.meta, &arguments->meta, arena, &ret_spec->meta);
}

/* The first name of this second that nobody has, or had and is remembered for. */
static bool choose_name(struct manager *manager, const struct job *parent,
                        char ret_name[LIMIT_NAME_LENGTH + 1])
{
    unsigned long long seconds = (unsigned long long)manager->now.wall_ms / 1000 % 10000000000;
    for (unsigned i = 0; i < CHILDREN_A_SECOND; i++) {
        snprintf(ret_name, LIMIT_NAME_LENGTH + 1, "%.*s-%010llu-%u", LIMIT_PARENT_LENGTH,
                 parent->name, seconds, i);
        if (!job_find(manager, ret_name))
            return true;
    }
    return false;
}

static void dispatch(struct manager *manager, const struct job *parent,
                     const struct dispatch_arguments *arguments)
{
    _cleanup_arena_ struct arena arena = ARENA_EMPTY;
    char name[LIMIT_NAME_LENGTH + 1];
    struct job_spec spec;
    if (HASH_COUNT(manager->jobs) >= LIMIT_JOBS) {
        verdict_reject(manager, REASON_LIMIT_REACHED, "the cluster has %d jobs", LIMIT_JOBS);
        return;
    }
    if (!choose_name(manager, parent, name)) {
        verdict_reject(manager, REASON_OVERLOADED, "the job has %d children of this second",
                       CHILDREN_A_SECOND);
        return;
    }
    if (!fill_child(parent, name, arguments, &arena, &spec)) {
        verdict_reject(manager, REASON_LIMIT_REACHED, "out of memory");
        return;
    }
    struct job *child = job_obtain(manager, name);
    if (!job_advance(manager, child, &spec))
        return;
    job_changed(manager, child);
    verdict_accept(manager, job_present(child)->version, true);
    memcpy(manager->effects->verdict.child, name, sizeof(name));
}

static const char *text_or_null(const char *text)
{
    return text && text[0] ? text : NULL;
}

void command_job_dispatch(struct manager *manager, const char *name, const struct command *command)
{
    const struct job *job = job_existing(manager, name);
    struct problems *problems = &manager->effects->verdict.problems;
    if (!job) {
        verdict_reject(manager, REASON_UNKNOWN_JOB, "there is no job %s", name);
        return;
    }
    if (!version_is_expected(manager, job, command))
        return;
    if (!job_is_parent(job) || job->stopped || job->deleting) {
        verdict_reject(manager, REASON_INVALID_ARGUMENTS, "%s",
                       job_is_parent(job) ? "the job is stopped"
                                          : "the job has no parameters: it is not dispatched");
        return;
    }
    struct dispatch_arguments arguments = *command->dispatch;
    arguments.payload = text_or_null(arguments.payload);
    arguments.payload_base64 = text_or_null(arguments.payload_base64);
    check_meta(job_present(job)->spec.parameters, &arguments.meta, problems);
    check_payload(job_present(job)->spec.parameters, &arguments, problems);
    if (problems_any(problems))
        verdict_reject(manager, REASON_INVALID_ARGUMENTS, "%s",
                       reason_text(REASON_INVALID_ARGUMENTS));
    else
        dispatch(manager, job, &arguments);
}
