/* Versions of a specification: one arena each, counted references, never changed after creation. */
#include "manager/core/internal.h"

#include "manager/scheduler/demand.h"
#include "schema/record.h"

#include <stdlib.h>
#include <string.h>

struct spec_version *spec_version_new(const struct job_spec *spec, int64_t version,
                                      int64_t submitted_ms)
{
    struct spec_version *made = mem_alloc(sizeof(*made));
    made->references = 1;
    made->version = version;
    made->submitted_ms = submitted_ms;
    bool ok = spec->name && record_copy(&job_spec_record, spec, &made->arena, &made->spec) == 0 &&
              job_spec_normalise(&made->spec, spec->name, &made->arena) == 0;
    size_t count = ok ? made->spec.tasks.count : 0;
    made->demands = arena_array(&made->arena, count + 1, sizeof(*made->demands));
    ok = ok && made->demands;
    for (size_t i = 0; ok && i < count; i++)
        ok = !demand_from_spec(&made->spec, RECORD_AT(struct task_spec, made->spec.tasks, i),
                               &made->arena, &made->demands[i]);
    if (ok)
        return made;
    spec_version_unref(made);
    return NULL;
}

struct spec_version *spec_version_ref(struct spec_version *version)
{
    version->references++;
    return version;
}

void spec_version_unref(struct spec_version *version)
{
    if (!version || --version->references > 0)
        return;
    arena_release(&version->arena);
    free(version);
}

const struct task_spec *spec_task(const struct job_spec *spec, const char *name)
{
    for (size_t i = 0; i < spec->tasks.count; i++) {
        const struct task_spec *task = RECORD_AT(struct task_spec, spec->tasks, i);
        if (strcmp(task->name, name) == 0)
            return task;
    }
    return NULL;
}

size_t spec_task_index(const struct job_spec *spec, const struct task_spec *task)
{
    return (size_t)(task - (const struct task_spec *)spec->tasks.items);
}
