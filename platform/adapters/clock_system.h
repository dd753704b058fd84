/* The real clock: CLOCK_REALTIME for people, CLOCK_BOOTTIME (counts suspend) for timers. */
#ifndef ARGOSY_ADAPTERS_CLOCK_SYSTEM_H
#define ARGOSY_ADAPTERS_CLOCK_SYSTEM_H

#include "platform/ports/clock.h"

extern struct clock clock_system;

static inline struct now clock_now(struct clock *clock)
{
    return clock->now(clock);
}

#endif
