/* Each handle holds its libuv handle as first member and is freed in the close callback, so that it
 * may be closed from its own callback. Timers are timerfds, since libuv's clock does not count
 * suspend. */
#include "platform/adapters/loop.h"

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

struct loop *loop_new(void)
{
    struct loop *loop = mem_alloc(sizeof *loop);
    checked(uv_loop_init(&loop->uv), "the event loop cannot be created");
    return loop;
}

void loop_free(struct loop *loop)
{
    if (!loop)
        return;
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
    struct loop_poll *poll;
    int fd;
    int64_t due_ms;
    void (*on_due)(void *context);
    void *context;
};

static void timer_ready(void *context, int events)
{
    (void)events;
    struct loop_timer *timer = context;
    uint64_t expirations;
    if (read(timer->fd, &expirations, sizeof expirations) != (ssize_t)sizeof expirations)
        return; /* set anew since it became ready */
    timer->due_ms = INT64_MAX;
    timer->on_due(timer->context);
}

struct loop_timer *loop_timer_new(struct loop *loop, void (*on_due)(void *context), void *context)
{
    struct loop_timer *timer = mem_alloc(sizeof *timer);
    timer->fd = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
    checked(timer->fd < 0 ? -errno : 0, "a timer cannot be created");
    timer->due_ms = INT64_MAX;
    timer->on_due = on_due;
    timer->context = context;
    timer->poll = loop_poll_new(loop, timer->fd, timer_ready, timer);
    loop_poll_set(timer->poll, LOOP_READABLE);
    return timer;
}

void loop_timer_set(struct loop_timer *timer, int64_t mono_ms)
{
    if (mono_ms == timer->due_ms)
        return;
    timer->due_ms = mono_ms;
    struct itimerspec spec = {0};
    if (mono_ms != INT64_MAX) {
        int64_t due_ms = mono_ms > 0 ? mono_ms : 0;
        spec.it_value.tv_sec = due_ms / 1000;
        spec.it_value.tv_nsec = (long)(due_ms % 1000) * 1000000 + 1; /* all zero would disarm */
    }
    checked(timerfd_settime(timer->fd, TFD_TIMER_ABSTIME, &spec, NULL) ? -errno : 0,
            "a timer cannot be set");
}

void loop_timer_free(struct loop_timer *timer)
{
    if (!timer)
        return;
    loop_poll_free(timer->poll);
    close(timer->fd);
    free(timer);
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
