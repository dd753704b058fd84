/* The owner loop of a process, on libuv. Everything but loop_async_wake() is called on its thread.
 *
 * It never wakes up by itself: an idle process sleeps until a timer, a descriptor, a signal or
 * another thread has something for it. */
#ifndef ARGOSY_ADAPTERS_LOOP_H
#define ARGOSY_ADAPTERS_LOOP_H

#include "platform/base/err.h"

#include <stdint.h>

struct loop;
struct loop_timer;
struct loop_async;
struct loop_poll;
struct loop_signal;

/* Aborts when the system gives no loop (start of the process). */
struct loop *loop_new(void);
/* All timers, polls, asyncs and signals must have been freed. Accepts NULL. */
void loop_free(struct loop *loop);
/* Runs until loop_stop(). */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);
/* Waits for the next events, handles them and returns: for callers with a loop of their own. */
void loop_run_once(struct loop *loop);

/* One-shot timers on CLOCK_BOOTTIME, as `struct now.mono_ms`: time asleep counts. */
struct loop_timer *loop_timer_new(struct loop *loop, void (*on_due)(void *context), void *context);
/* `mono_ms` in the past fires at the next turn; INT64_MAX cancels. Cheap when nothing changes. */
void loop_timer_set(struct loop_timer *timer, int64_t mono_ms);
void loop_timer_free(struct loop_timer *timer); /* accepts NULL; also from its own callback */

/* A wake-up from any thread. Several before the loop gets to it are one call. */
struct loop_async *loop_async_new(struct loop *loop, void (*on_wake)(void *context), void *context);
void loop_async_wake(struct loop_async *async);
void loop_async_free(struct loop_async *async);

enum loop_poll_events { LOOP_READABLE = 1, LOOP_WRITABLE = 2 };
/* Watches a descriptor that the caller owns. Events: a set of loop_poll_events; both are reported
 * when the descriptor has failed, so that the next read or write tells. */
struct loop_poll *loop_poll_new(struct loop *loop, int fd,
                                void (*on_ready)(void *context, int events), void *context);
/* 0 stops watching. Cheap when nothing changes. */
void loop_poll_set(struct loop_poll *poll, int events);
/* Before the descriptor is closed. Also from its own callback. */
void loop_poll_free(struct loop_poll *poll);

struct loop_signal *loop_signal_new(struct loop *loop, int number, void (*on_signal)(void *context),
                                    void *context);
void loop_signal_free(struct loop_signal *signal);

#endif
