#include "platform/adapters/clock_system.h"
#include "platform/adapters/loop.h"
#include "tests/unit/unit.h"

#include <dirent.h>
#include <string.h>

enum { TIMERS = 5, ROUNDS = 3 };

struct ticker {
    struct loop *loop;
    struct loop_timer *timer;
    int64_t again_ms; /* INT64_MAX: not again */
    int fired;
    char *order; /* where it writes down that it fired */
    char name;
};

static void on_tick(void *context)
{
    struct ticker *ticker = context;
    ticker->fired++;
    if (ticker->order)
        ticker->order[strlen(ticker->order)] = ticker->name;
    loop_timer_set(ticker->timer, ticker->again_ms);
}

static void what_is_due_fires_in_its_order_and_once(void **state)
{
    (void)state;
    char order[TIMERS * ROUNDS + 1] = "";
    struct loop *loop = loop_new();
    struct ticker tickers[TIMERS];
    int64_t now_ms = clock_now(&clock_system).mono_ms;
    for (int i = 0; i < TIMERS; i++) {
        tickers[i] = (struct ticker){
            .loop = loop, .again_ms = INT64_MAX, .order = order, .name = (char)('a' + i)};
        tickers[i].timer = loop_timer_new(loop, on_tick, &tickers[i]);
        loop_timer_set(tickers[i].timer, now_ms - i);
    }
    loop_timer_set(tickers[1].timer, INT64_MAX);
    loop_run_once(loop);
    assert_string_equal(order, "edca");
    for (int i = 0; i < TIMERS; i++)
        loop_timer_free(tickers[i].timer);
    loop_free(loop);
}

static void a_timer_that_is_always_due_lets_the_others_have_their_turn(void **state)
{
    (void)state;
    struct loop *loop = loop_new();
    struct ticker always = {.loop = loop, .again_ms = 0}, other = {.loop = loop, .again_ms = 0};
    always.timer = loop_timer_new(loop, on_tick, &always);
    other.timer = loop_timer_new(loop, on_tick, &other);
    loop_timer_set(always.timer, 0);
    loop_timer_set(other.timer, clock_now(&clock_system).mono_ms);
    for (int i = 0; i < ROUNDS; i++)
        loop_run_once(loop);
    assert_int_equal(always.fired, ROUNDS);
    assert_int_equal(other.fired, ROUNDS);
    loop_timer_free(always.timer);
    loop_timer_free(other.timer);
    loop_free(loop);
}

static int open_descriptors(void)
{
    int count = 0;
    DIR *directory = opendir("/proc/self/fd");
    assert_non_null(directory);
    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}

static void a_timer_takes_no_descriptor(void **state)
{
    (void)state;
    struct loop *loop = loop_new();
    int before = open_descriptors();
    struct loop_timer *timers[TIMERS];
    for (int i = 0; i < TIMERS; i++)
        timers[i] = loop_timer_new(loop, on_tick, NULL);
    assert_int_equal(open_descriptors(), before);
    for (int i = 0; i < TIMERS; i++)
        loop_timer_free(timers[i]);
    loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_due_fires_in_its_order_and_once),
        cmocka_unit_test(a_timer_that_is_always_due_lets_the_others_have_their_turn),
        cmocka_unit_test(a_timer_takes_no_descriptor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
