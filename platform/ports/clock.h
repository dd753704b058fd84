/* The clock port. Wall time is for people and documents, monotonic time (which counts suspend) for
 * every timer and time-out. Cores get both as `struct now`, read once a wake-up. */
#ifndef ARGOSY_PORTS_CLOCK_H
#define ARGOSY_PORTS_CLOCK_H

#include <stdint.h>

struct now {
    int64_t wall_ms; /* since 1970; may jump */
    int64_t mono_ms; /* since boot, counts suspend; never goes back */
};

struct clock {
    struct now (*now)(struct clock *clock);
};

#endif
