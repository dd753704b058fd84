/* Compiled time zone files. */
#include "schema/cron.h"
#include "tests/fuzz/fuzz.h"

static void try_zone(const struct timezone *zone)
{
    static const int64_t instants[] = {INT64_MIN / 2, -5000000000, 0,
                                       1795483800,    4102444800,  INT64_MAX / 2};
    struct cron hourly;
    struct cron_problem problem;
    for (size_t i = 0; i < ARRAY_LENGTH(instants); i++) {
        int64_t utc_s, offset_s = timezone_offset_at(zone, instants[i]);
        ASSERT(offset_s > -100000 && offset_s < 100000);
        if (timezone_from_local(zone, instants[i] + offset_s, &utc_s))
            ASSERT(utc_s + timezone_offset_at(zone, utc_s) == instants[i] + offset_s);
    }
    ASSERT(!cron_parse("0 * * * *", &hourly, &problem));
    ASSERT(cron_next(&hourly, zone, 1795483800) > 1795483800);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {.limit_bytes = 1 << 22};
    struct timezone zone;
    if (!timezone_parse(data, size, &arena, &zone))
        try_zone(&zone);
    arena_release(&arena);
    return 0;
}
