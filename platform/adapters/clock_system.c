#include "platform/adapters/clock_system.h"

#include <time.h>

static int64_t clock_ms(clockid_t id)
{
    struct timespec time;
    clock_gettime(id, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static struct now clock_system_now(struct clock *clock)
{
    (void)clock;
    return (struct now){.wall_ms = clock_ms(CLOCK_REALTIME), .mono_ms = clock_ms(CLOCK_BOOTTIME)};
}

struct clock clock_system = {clock_system_now};
