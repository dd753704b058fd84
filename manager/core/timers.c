/* Timers of pure code: nothing fires by itself, the step fires what is due at its `now`. */
#include "manager/core/internal.h"

void timer_init(struct timer *timer, void (*fire)(struct manager *, void *), void *owner)
{
    *timer = (struct timer){.fire = fire, .owner = owner};
}

void timer_set(struct deadlines *timers, struct timer *timer, int64_t due_ms)
{
    deadline_set(timers, &timer->deadline, due_ms);
}

void timer_unset(struct deadlines *timers, struct timer *timer)
{
    deadline_unset(timers, &timer->deadline);
}

struct timer *timers_first(const struct deadlines *timers)
{
    return (struct timer *)deadlines_first(timers);
}
