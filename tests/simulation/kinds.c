#include "tests/simulation/kinds.h"

#include "platform/base/mem.h"

#define PLACED_AGAIN                  \
    "\"restart\":{\"delay\":\"1s\"}," \
    "\"reschedule\":{\"unlimited\":true,\"delay\":\"5s\",\"max_delay\":\"20s\"},"
/* Starts that fail must not fail it for good: it is placed nowhere else. */
#define STARTED_AGAIN "\"restart\":{\"delay\":\"1s\",\"mode\":\"delay\",\"interval\":\"20s\"},"

enum { SERVICE, BATCH, SYSTEM, SYSBATCH, OVERRUN, DEPENDENT, PARENT };

static const struct kind kinds[] = {
    [SERVICE] = {.type = "service", .state = "running", .more = PLACED_AGAIN},
    [BATCH] = {.type = "batch", .ends = true, .state = "completed", .more = PLACED_AGAIN},
    [SYSTEM] = {.type = "system", .everywhere = true, .state = "running", .more = STARTED_AGAIN},
    [SYSBATCH] = {.type = "sysbatch",
                  .ends = true,
                  .everywhere = true,
                  .state = "completed",
                  .more = STARTED_AGAIN},
    [DEPENDENT] = {.type = "service", .state = "running", .more = PLACED_AGAIN, .waits_for = 2},
    [PARENT] = {.type = "batch",
                .ends = true,
                .parent = true,
                .state = "parent",
                .only = "[\"exit\",\"0\",\"after\",\"3s\"]",
                .more = PLACED_AGAIN "\"parameters\":{},"},
    [OVERRUN] =
        {.type = "batch",
         .ends = true,
         .state = "failed",
         .only = "[\"run\"]",
         .more =
             "\"restart\":{\"delay\":\"1s\"},\"max_run\":\"15s\",\"reschedule\":{\"attempts\":0},"},
};

const struct kind *kind_of_job(int job, bool all)
{
    static const int few[] = {SERVICE, SERVICE, BATCH};
    static const int every[] = {SYSTEM, SYSBATCH, DEPENDENT, PARENT, OVERRUN, SERVICE, BATCH};
    return all ? &kinds[every[job % (int)ARRAY_LENGTH(every)]]
               : &kinds[few[job % (int)ARRAY_LENGTH(few)]];
}
