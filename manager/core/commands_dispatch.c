/* do/jobs/<job>/dispatch: a child of a job with parameters, or, now and not by the clock, of one
 * with a schedule. */
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

/* The first name of this second that nobody has, or had and is remembered for. 0 is the
 * schedule's. */
static bool choose_name(struct manager *manager, const struct job *parent,
                        char ret_name[LIMIT_NAME_LENGTH + 1])
{
    for (unsigned i = job_present(parent)->spec.schedule ? 1 : 0; i < CHILDREN_A_SECOND; i++) {
        child_name_format(ret_name, parent, manager->now.wall_ms / 1000, i);
        if (!job_find(manager, ret_name))
            return true;
    }
    return false;
}

static void dispatch(struct manager *manager, const struct job *parent,
                     const struct dispatch_arguments *arguments)
{
    char name[LIMIT_NAME_LENGTH + 1];
    if (!choose_name(manager, parent, name)) {
        verdict_reject(manager, REASON_OVERLOADED, "the job has %d children of this second",
                       CHILDREN_A_SECOND);
        return;
    }
    const struct job *child = job_make_child(manager, parent, name, arguments);
    if (!child)
        return;
    verdict_accept(manager, job_present(child)->version, true);
    memcpy(manager->effects->verdict.child, name, sizeof(name));
}

static const char *text_or_null(const char *text)
{
    return text && text[0] ? text : NULL;
}

void command_job_dispatch(struct manager *manager, const char *name, const struct command *command)
{
    static const struct parameters none = {.payload = PAYLOAD_FORBIDDEN};
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
                                          : "the job has neither parameters nor a schedule: it is "
                                            "not dispatched");
        return;
    }
    struct dispatch_arguments arguments = *command->dispatch;
    arguments.payload = text_or_null(arguments.payload);
    arguments.payload_base64 = text_or_null(arguments.payload_base64);
    const struct parameters *parameters = job_present(job)->spec.parameters;
    check_meta(parameters ? parameters : &none, &arguments.meta, problems);
    check_payload(parameters ? parameters : &none, &arguments, problems);
    if (problems_any(problems))
        verdict_reject(manager, REASON_INVALID_ARGUMENTS, "%s",
                       reason_text(REASON_INVALID_ARGUMENTS));
    else
        dispatch(manager, job, &arguments);
}
