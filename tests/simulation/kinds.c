#include "tests/simulation/kinds.h"

#include "platform/base/mem.h"

enum { SERVICE, BATCH, SYSTEM, SYSBATCH, OVERRUN, DEPENDENT, PARENT, SCHEDULED };

static const struct kind kinds[] = {
    [SERVICE] = {.type = "service",
                 .state = "running",
                 .more = KIND_PLACED_AGAIN,
                 .tasks = KIND_RUN_AGAIN},
    [BATCH] = {.type = "batch",
               .ends = true,
               .state = "completed",
               .more = KIND_PLACED_AGAIN,
               .tasks = KIND_RUN_AGAIN},
    [SYSTEM] = {.type = "system",
                .everywhere = true,
                .state = "running",
                .more = "",
                .tasks = KIND_STARTED_AGAIN},
    [SYSBATCH] = {.type = "sysbatch",
                  .ends = true,
                  .everywhere = true,
                  .state = "completed",
                  .more = "",
                  .tasks = KIND_STARTED_AGAIN},
    [DEPENDENT] = {.type = "service",
                   .state = "running",
                   .more = KIND_PLACED_AGAIN,
                   .tasks = KIND_RUN_AGAIN,
                   .waits_for = 2},
    [PARENT] = {.type = "batch",
                .ends = true,
                .parent = true,
                .state = "parent",
                .only = "[\"exit\",\"0\",\"after\",\"3s\"]",
                .more = KIND_PLACED_AGAIN "\"parameters\":{},",
                .tasks = KIND_RUN_AGAIN},
    [SCHEDULED] = {.type = "batch",
                   .ends = true,
                   .parent = true,
                   .period_s = 60,
                   .state = "parent",
                   .only = "[\"exit\",\"0\",\"after\",\"3s\"]",
                   .more = KIND_PLACED_AGAIN "\"schedule\":{\"cron\":\"* * * * *\"},",
                   .tasks = KIND_RUN_AGAIN},
    [OVERRUN] = {.type = "batch",
                 .ends = true,
                 .state = "failed",
                 .only = "[\"run\"]",
                 .more = "\"reschedule\":{\"attempts\":0},",
                 .tasks = KIND_RUN_AGAIN "\"max_run\":\"15s\","},
};

const struct kind *kind_of_job(int job, enum kind_set set)
{
    static const int few[] = {SERVICE, SERVICE, BATCH};
    static const int every[] = {SYSTEM,  SYSBATCH, DEPENDENT, PARENT,
                                OVERRUN, SERVICE,  BATCH,     SCHEDULED};
    if (set == KINDS_CROWDED)
        return crowd_kind(job);
    return set == KINDS_EVERY ? &kinds[every[job % (int)ARRAY_LENGTH(every)]]
                              : &kinds[few[job % (int)ARRAY_LENGTH(few)]];
}
