/* Each handle holds its libuv handle as first member and is freed in the close callback, so that it
 * may be closed from its own callback. All timers share one timerfd, since libuv's clock does not
 * count suspend, and a process with thousands of connections needs its descriptors for those. */
#include "platform/adapters/loop.h"

#include "platform/adapters/clock_system.h"
#include "platform/base/deadlines.h"
#include "platform/base/log.h"
#include "platform/base/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

struct loop {
    uv_loop_t uv;
    struct deadlines deadlines; /* of its timers */
    uv_prepare_t prepare;
    struct loop_poll *timer_poll;
    int timer_fd;
    int64_t armed_ms; /* what the descriptor is set to */
    int64_t fired_ms; /* when timers were fired last */
};

static void checked(int result, const char *what)
{
    if (result < 0) {
        log_error("%s: %s", what, uv_strerror(result));
        abort();
    }
}

static void handle_freed(uv_handle_t *handle)
{
    free(handle->data);
}

/* ---- descriptors ---- */

struct loop_poll {
    uv_poll_t uv;
    int events;
    void (*on_ready)(void *context, int events);
    void *context;
};

static void poll_ready(uv_poll_t *uv, int status, int events)
{
    struct loop_poll *poll = uv->data;
    int ready = status < 0 ? LOOP_READABLE | LOOP_WRITABLE : 0;
    ready |= events & UV_READABLE ? LOOP_READABLE : 0;
    ready |= events & UV_WRITABLE ? LOOP_WRITABLE : 0;
    poll->on_ready(poll->context, ready);
}

struct loop_poll *loop_poll_new(struct loop *loop, int fd,
                                void (*on_ready)(void *context, int events), void *context)
{
    struct loop_poll *poll = mem_alloc(sizeof *poll);
    poll->on_ready = on_ready;
    poll->context = context;
    checked(uv_poll_init(&loop->uv, &poll->uv, fd), "a descriptor cannot be watched");
    poll->uv.data = poll;
    return poll;
}

void loop_poll_set(struct loop_poll *poll, int events)
{
    if (events == poll->events)
        return;
    poll->events = events;
    int wanted =
        (events & LOOP_READABLE ? UV_READABLE : 0) | (events & LOOP_WRITABLE ? UV_WRITABLE : 0);
    if (wanted)
        checked(uv_poll_start(&poll->uv, wanted, poll_ready), "a descriptor cannot be watched");
    else
        uv_poll_stop(&poll->uv);
}

void loop_poll_free(struct loop_poll *poll)
{
    if (poll)
        uv_close((uv_handle_t *)&poll->uv, handle_freed);
}

/* ---- timers ---- */

struct loop_timer {
    struct deadline deadline; /* first */
    struct loop *loop;
    void (*on_due)(void *context);
    void *context;
};

static int64_t first_due_ms(const struct loop *loop)
{
    const struct deadline *first = deadlines_first(&loop->deadlines);
    return first ? first->due_ms : INT64_MAX;
}

/* Before the loop waits, so that a timer that is set again and again costs nothing. */
static void timers_arm(uv_prepare_t *uv)
{
    struct loop *loop = uv->data;
    int64_t due_ms = first_due_ms(loop);
    if (due_ms == loop->armed_ms)
        return;
    loop->armed_ms = due_ms;
    struct itimerspec spec = {0};
    if (due_ms != INT64_MAX) {
        spec.it_value.tv_sec = due_ms / 1000;
        spec.it_value.tv_nsec = (long)(due_ms % 1000) * 1000000 + 1; /* all zero would disarm */
    }
    checked(timerfd_settime(loop->timer_fd, TFD_TIMER_ABSTIME, &spec, NULL) ? -errno : 0,
            "a timer cannot be set");
}

/* What is set for now meanwhile has the next turn. Armed again at once, since libuv looks for ready
 * descriptors up to 48 times before it prepares to wait: of thousands that is seconds. */
static void timers_fire(void *context, int events)
{
    (void)events;
    struct loop *loop = context;
    uint64_t expirations, last = loop->deadlines.number;
    if (read(loop->timer_fd, &expirations, sizeof expirations) != (ssize_t)sizeof expirations)
        return; /* set anew since it became ready */
    loop->armed_ms = INT64_MAX;
    loop->fired_ms = clock_now(&clock_system).mono_ms;
    for (struct deadline *first; (first = deadlines_first(&loop->deadlines)) &&
                                 first->due_ms <= loop->fired_ms && first->number <= last;) {
        struct loop_timer *timer = (struct loop_timer *)first;
        deadline_unset(&loop->deadlines, first);
        timer->on_due(timer->context);
    }
    timers_arm(&loop->prepare);
}

static void timers_open(struct loop *loop)
{
    loop->timer_fd = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
    checked(loop->timer_fd < 0 ? -errno : 0, "a timer cannot be created");
    loop->armed_ms = INT64_MAX;
    loop->timer_poll = loop_poll_new(loop, loop->timer_fd, timers_fire, loop);
    loop_poll_set(loop->timer_poll, LOOP_READABLE);
    checked(uv_prepare_init(&loop->uv, &loop->prepare), "timers cannot be armed");
    loop->prepare.data = loop;
    checked(uv_prepare_start(&loop->prepare, timers_arm), "timers cannot be armed");
}

static void timers_close(struct loop *loop)
{
    loop_poll_free(loop->timer_poll);
    uv_close((uv_handle_t *)&loop->prepare, NULL);
    close(loop->timer_fd);
    deadlines_release(&loop->deadlines);
}

struct loop_timer *loop_timer_new(struct loop *loop, void (*on_due)(void *context), void *context)
{
    struct loop_timer *timer = mem_alloc(sizeof *timer);
    timer->loop = loop;
    timer->on_due = on_due;
    timer->context = context;
    return timer;
}

void loop_timer_set(struct loop_timer *timer, int64_t mono_ms)
{
    struct loop *loop = timer->loop;
    if (mono_ms == INT64_MAX)
        deadline_unset(&loop->deadlines, &timer->deadline);
    else /* not before what is waiting to be fired, so that all have their turn */
        deadline_set(&loop->deadlines, &timer->deadline,
                     mono_ms > loop->fired_ms ? mono_ms : loop->fired_ms);
}

void loop_timer_free(struct loop_timer *timer)
{
    if (!timer)
        return;
    deadline_unset(&timer->loop->deadlines, &timer->deadline);
    free(timer);
}

/* ---- life ---- */

struct loop *loop_new(void)
{
    struct loop *loop = mem_alloc(sizeof *loop);
    checked(uv_loop_init(&loop->uv), "the event loop cannot be created");
    timers_open(loop);
    return loop;
}

void loop_free(struct loop *loop)
{
    if (!loop)
        return;
    timers_close(loop);
    uv_run(&loop->uv, UV_RUN_NOWAIT); /* close callbacks */
    ASSERT(uv_loop_close(&loop->uv) == 0);
    free(loop);
}

void loop_run(struct loop *loop)
{
    uv_run(&loop->uv, UV_RUN_DEFAULT);
}

void loop_run_once(struct loop *loop)
{
    uv_run(&loop->uv, UV_RUN_ONCE);
}

void loop_stop(struct loop *loop)
{
    uv_stop(&loop->uv);
}

/* ---- wake-ups from other threads ---- */

struct loop_async {
    uv_async_t uv;
    void (*on_wake)(void *context);
    void *context;
};

static void async_woken(uv_async_t *uv)
{
    struct loop_async *async = uv->data;
    async->on_wake(async->context);
}

struct loop_async *loop_async_new(struct loop *loop, void (*on_wake)(void *context), void *context)
{
    struct loop_async *async = mem_alloc(sizeof *async);
    async->on_wake = on_wake;
    async->context = context;
    checked(uv_async_init(&loop->uv, &async->uv, async_woken), "a wake-up cannot be created");
    async->uv.data = async;
    return async;
}

void loop_async_wake(struct loop_async *async)
{
    uv_async_send(&async->uv);
}

void loop_async_free(struct loop_async *async)
{
    if (async)
        uv_close((uv_handle_t *)&async->uv, handle_freed);
}

/* ---- signals ---- */

struct loop_signal {
    uv_signal_t uv;
    void (*on_signal)(void *context);
    void *context;
};

static void signal_caught(uv_signal_t *uv, int number)
{
    (void)number;
    struct loop_signal *signal = uv->data;
    signal->on_signal(signal->context);
}

struct loop_signal *loop_signal_new(struct loop *loop, int number, void (*on_signal)(void *context),
                                    void *context)
{
    struct loop_signal *signal = mem_alloc(sizeof *signal);
    signal->on_signal = on_signal;
    signal->context = context;
    checked(uv_signal_init(&loop->uv, &signal->uv), "a signal cannot be watched");
    signal->uv.data = signal;
    checked(uv_signal_start(&signal->uv, signal_caught, number), "a signal cannot be watched");
    return signal;
}

void loop_signal_free(struct loop_signal *signal)
{
    if (signal)
        uv_close((uv_handle_t *)&signal->uv, handle_freed);
}
