#include "tests/simulation/kinds.h"

#include "platform/base/mem.h"

#define PLACED_AGAIN "\"reschedule\":{\"unlimited\":true,\"delay\":\"5s\",\"max_delay\":\"20s\"},"

enum { SERVICE, BATCH, SYSTEM, SYSBATCH, OVERRUN };

static const struct kind kinds[] = {
    [SERVICE] = {.type = "service", .state = "running", .more = PLACED_AGAIN},
    [BATCH] = {.type = "batch", .ends = true, .state = "completed", .more = PLACED_AGAIN},
    [SYSTEM] = {.type = "system", .everywhere = true, .state = "running", .more = ""},
    [SYSBATCH] =
        {.type = "sysbatch", .ends = true, .everywhere = true, .state = "completed", .more = ""},
    [OVERRUN] = {.type = "batch",
                 .ends = true,
                 .state = "failed",
                 .only = "[\"run\"]",
                 .more = "\"max_run\":\"15s\",\"reschedule\":{\"attempts\":0},"},
};

const struct kind *kind_of_job(int job, bool all)
{
    static const int few[] = {SERVICE, SERVICE, BATCH};
    static const int every[] = {SYSTEM, SYSBATCH, OVERRUN, SERVICE, BATCH};
    return all ? &kinds[every[job % (int)ARRAY_LENGTH(every)]]
               : &kinds[few[job % (int)ARRAY_LENGTH(few)]];
}
