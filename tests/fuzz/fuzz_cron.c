/* Cron expressions: the first line is the expression, the rest a zone's rule. */
#include "platform/base/err.h"
#include "schema/cron.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

enum { NOW_S = 1795483800, LAUNCHES = 5 };

static void try_cron(const char *text, const char *rule)
{
    struct cron cron;
    struct cron_problem problem = {.offset = SIZE_MAX};
    struct timezone zone = {.has_footer = false};
    zone.has_footer = timezone_parse_footer(rule, &zone.footer);
    if (cron_parse(text, &cron, &problem)) {
        ASSERT(problem.offset <= strlen(text) && problem.message[0] && problem.hint[0]);
        return;
    }
    int64_t at = NOW_S;
    for (int i = 0; i < LAUNCHES && at != CRON_NEVER; i++) {
        int64_t next = cron_next(&cron, &zone, at);
        ASSERT(next > at);
        at = next;
        if (at == CRON_NEVER)
            break;
        struct civil local = civil_from_seconds(at + timezone_offset_at(&zone, at));
        ASSERT(cron.months >> local.month & 1 && cron.hours >> local.hour & 1);
        ASSERT(cron.minutes >> local.minute & 1 && cron.seconds >> local.second & 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_free_ char *text = fuzz_text(data, size);
    const char *rest = fuzz_rest(text);
    try_cron(text, rest);
    return 0;
}
