/* Commands: each comes to a verdict within its step. */
#include "manager/core/internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum command_kind command_from_verb(bool of_job, const char *verb)
{
    static const struct {
        const char *verb;
        bool of_job;
        enum command_kind kind;
    } rows[] = {
#define COMMAND_ROW(name, verb_, of_job_) {verb_, of_job_, COMMAND_##name},
        COMMAND_TABLE(COMMAND_ROW)
#undef COMMAND_ROW
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
        if (rows[i].of_job == of_job && strcmp(rows[i].verb, verb) == 0)
            return rows[i].kind;
    return COMMAND_NONE;
}

void verdict_accept(struct manager *manager, int64_t version, bool changed)
{
    struct verdict *verdict = &manager->effects->verdict;
    verdict->accepted = true;
    verdict->reason = REASON_NONE;
    verdict->version = version;
    verdict->changed = changed;
}

void verdict_reject(struct manager *manager, enum reason reason, const char *format, ...)
{
    struct verdict *verdict = &manager->effects->verdict;
    va_list args;
    va_start(args, format);
    vsnprintf(verdict->message, sizeof(verdict->message), format, args);
    va_end(args);
    verdict->accepted = false;
    verdict->reason = reason;
    verdict->version = UNSET;
    verdict->changed = false;
}

void on_command(struct manager *manager, const struct manager_event *event)
{
    static void (*const job_verbs[COMMAND_KIND_COUNT])(struct manager *, const char *,
                                                       const struct command *) = {
        [COMMAND_JOB_SET] = command_job_set,         [COMMAND_JOB_STOP] = command_job_stop,
        [COMMAND_JOB_DELETE] = command_job_delete,   [COMMAND_JOB_SCALE] = command_job_scale,
        [COMMAND_JOB_RESTART] = command_job_restart, [COMMAND_JOB_DISPATCH] = command_job_dispatch,
    };
    const struct command *command = event->command;
    ASSERT(command->kind > COMMAND_NONE && command->kind < COMMAND_KIND_COUNT);
    problems_release(&manager->effects->verdict.problems);
    manager->effects->verdict = (struct verdict){.version = UNSET};
    if (manager->phase != PHASE_LEADING)
        verdict_reject(manager, REASON_RECOVERING, "%s", reason_text(REASON_RECOVERING));
    else if (job_verbs[command->kind])
        job_verbs[command->kind](manager, event->job, command);
    else
        command_node(manager, event->node, command);
}
