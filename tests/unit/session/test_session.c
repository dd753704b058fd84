#include "platform/session/session.h"

#include "platform/adapters/bus_memory.h"
#include "platform/base/mem.h"
#include "schema/limits.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { START_MS = 1000000 };

static const struct bus_filter stage_1[] = {
    {"p/status", 1, false}, {"p/barrier", 1, false}, {"own/+", 1, false}};
static const struct bus_filter stage_2[] = {{"docs/+", 1, false}};
static const struct session_stage stages[] = {{stage_1, 3}, {stage_2, 1}};

/* A process: a session on a bus, and what it tells, as words. */
struct process {
    struct memory_broker *broker;
    struct bus *bus;
    struct session *session;
    struct prng prng;
    struct now now;
    char told[256];
    size_t pieces; /* of stage 2, to be read one after the other */
};

static void tell(struct process *process, const char *word, int64_t number)
{
    size_t used = strlen(process->told);
    snprintf(process->told + used, sizeof process->told - used, "%s %lld;", word,
             (long long)number);
}

static void on_stage(void *context, int stage)
{
    tell(context, "stage", stage);
}

static void on_session(void *context, int64_t session)
{
    (void)context, (void)session;
}

static void on_duplicate(void *context, const char *instance)
{
    assert_non_null(instance);
    tell(context, "duplicate", 0);
}

static size_t more(void *context, int stage, struct bus_filter *ret_filters)
{
    static const char *const filters[] = {"more/a", "more/b"};
    struct process *process = context;
    if (stage != 2 || !process->pieces)
        return 0;
    *ret_filters =
        (struct bus_filter){.filter = filters[--process->pieces], .qos = 1, .sent = BUS_RETAINED};
    return 1;
}

static void on_connected(void *context)
{
    struct process *process = context;
    session_on_connected(process->session, process->now);
}

static void on_disconnected(void *context, const char *why)
{
    struct process *process = context;
    assert_non_null(why);
    session_on_disconnected(process->session, process->now);
}

static void on_subscribed(void *context, int stage, bool granted)
{
    struct process *process = context;
    session_on_subscribed(process->session, stage, granted, process->now);
}

static void on_message(void *context, const struct bus_message *message)
{
    struct process *process = context;
    if (!session_on_message(process->session, message, process->now))
        tell(process, message->topic, 0);
}

static void on_batch_end(void *context)
{
    (void)context;
}

static void process_begin(struct process *process, struct memory_broker *broker, uint64_t seed,
                          int64_t last_session)
{
    *process = (struct process){.broker = broker, .now = {START_MS, START_MS}};
    prng_init(&process->prng, seed);
    struct memory_bus_config bus = {.broker = broker,
                                    .root = "r",
                                    .client_id = "p",
                                    .handler = {.context = process,
                                                .on_connected = on_connected,
                                                .on_disconnected = on_disconnected,
                                                .on_subscribed = on_subscribed,
                                                .on_message = on_message,
                                                .on_batch_end = on_batch_end}};
    process->bus = memory_bus_new(&bus);
    struct session_config config = {.bus = process->bus,
                                    .presence_topic = "p/status",
                                    .barrier_topic = "p/barrier",
                                    .stages = stages,
                                    .stage_count = 2,
                                    .own = {&stage_1[2], 1},
                                    .own_stage = 1,
                                    .session = last_session,
                                    .handler = {process, on_stage, on_session, on_duplicate, more},
                                    .prng = &process->prng};
    process->session = session_new(&config, process->now);
    session_start(process->session, process->now);
}

static void process_end(struct process *process)
{
    process->bus->ops->close(process->bus, 1000);
    session_free(process->session);
}

struct fixture {
    struct memory_broker *broker;
    struct process process;
};

static int setup(void **state)
{
    struct fixture *fixture = mem_alloc(sizeof *fixture);
    fixture->broker = memory_broker_new();
    process_begin(&fixture->process, fixture->broker, 1, 0);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    process_end(&fixture->process);
    memory_broker_free(fixture->broker);
    free(fixture);
    return 0;
}

static void settle(struct fixture *fixture)
{
    memory_broker_settle(fixture->broker);
}

static const char *presence(const struct fixture *fixture)
{
    size_t length;
    const char *text = memory_broker_retained(fixture->broker, "r/p/status", &length);
    return text ? text : "";
}

static void assert_presence(const struct fixture *fixture, const char *state, int64_t session)
{
    char text[64];
    snprintf(text, sizeof text, "\"%s\"", state);
    assert_non_null(strstr(presence(fixture), text));
    snprintf(text, sizeof text, "\"session\":%lld,", (long long)session);
    assert_non_null(strstr(presence(fixture), text));
}

static void inject(struct fixture *fixture, const char *topic, const char *text)
{
    struct bus_message message = {
        .topic = topic, .payload = text, .length = strlen(text), .qos = 1, .retained = true};
    memory_broker_inject(fixture->broker, &message);
}

static void stages_complete_in_order_with_everything_retained_heard_before(void **state)
{
    struct fixture *fixture = *state;
    inject(fixture, "r/docs/a", "1");
    inject(fixture, "r/docs/b", "2");
    settle(fixture);
    assert_string_equal(fixture->process.told, "stage 1;docs/a 0;docs/b 0;stage 2;");
    assert_int_equal(session_stage(fixture->process.session), 2);
    assert_int_equal(session_deadline_ms(fixture->process.session), INT64_MAX);
}

static void a_stage_is_complete_when_the_last_piece_of_it_was_read(void **state)
{
    struct fixture *fixture = *state;
    fixture->process.pieces = 2;
    inject(fixture, "r/docs/a", "1");
    inject(fixture, "r/more/a", "2");
    inject(fixture, "r/more/b", "3");
    settle(fixture);
    assert_string_equal(fixture->process.told, "stage 1;docs/a 0;more/b 0;more/a 0;stage 2;");
    inject(fixture, "r/more/a", "4");
    inject(fixture, "r/docs/a", "5");
    settle(fixture);
    assert_non_null(strstr(fixture->process.told, "stage 2;docs/a 0;"));
}

static void the_birth_says_online_with_a_number_not_below_the_clock(void **state)
{
    struct fixture *fixture = *state;
    settle(fixture);
    assert_presence(fixture, "online", START_MS);
}

static void the_number_grows_above_what_the_store_remembers(void **state)
{
    struct fixture *fixture = *state;
    process_end(&fixture->process);
    process_begin(&fixture->process, fixture->broker, 1, START_MS + 500);
    settle(fixture);
    assert_presence(fixture, "online", START_MS + 501);
}

static void each_connection_has_its_own_number_and_its_will_carries_it(void **state)
{
    struct fixture *fixture = *state;
    settle(fixture);
    memory_bus_cut(fixture->process.bus);
    assert_presence(fixture, "offline", START_MS);
    settle(fixture);
    assert_presence(fixture, "online", START_MS + 1);
    assert_int_equal(session_stage(fixture->process.session), 2);
    memory_bus_cut(fixture->process.bus);
    assert_presence(fixture, "offline", START_MS + 1);
}

static void after_a_broker_that_forgot_everything_the_stages_run_again(void **state)
{
    struct fixture *fixture = *state;
    settle(fixture);
    memory_broker_crash(fixture->broker, false);
    settle(fixture);
    assert_int_equal(session_stage(fixture->process.session), 0);
    *fixture->process.told = '\0';
    memory_broker_restart(fixture->broker);
    settle(fixture);
    assert_string_equal(fixture->process.told, "stage 1;stage 2;");
    assert_presence(fixture, "online", START_MS + 1);
}

static void a_refused_subscription_waits_for_the_bus_to_ask_again(void **state)
{
    struct fixture *fixture = *state;
    memory_broker_refuse_next(fixture->broker, 3);
    settle(fixture);
    assert_string_equal(fixture->process.told, "stage 1;stage 2;");
}

static void a_barrier_that_does_not_come_back_connects_again(void **state)
{
    struct fixture *fixture = *state;
    struct process *process = &fixture->process;
    memory_broker_drop_next(fixture->broker, 2); /* the birth and the barrier */
    settle(fixture);
    assert_int_equal(session_stage(process->session), 0);
    assert_int_equal(session_deadline_ms(process->session), START_MS + ANSWER_TIMEOUT_MS);
    process->now.mono_ms = START_MS + ANSWER_TIMEOUT_MS;
    session_on_timer(process->session, process->now);
    settle(fixture);
    assert_int_equal(session_stage(process->session), 2);
    assert_presence(fixture, "online", START_MS + 1);
}

static void wait_out(struct process *process)
{
    if (session_deadline_ms(process->session) == INT64_MAX)
        return; /* nothing is awaited */
    process->now.mono_ms = session_deadline_ms(process->session);
    session_on_timer(process->session, process->now);
}

/* As from a broker that has more to say than it can. */
static void hear_something(struct process *process)
{
    struct bus_message message = {.topic = "docs/a", .payload = "1", .length = 1, .qos = 1};
    session_on_message(process->session, &message, process->now);
}

static void a_slow_broker_is_waited_for_while_anything_comes(void **state)
{
    struct fixture *fixture = *state;
    struct process *process = &fixture->process;
    while (session_stage(process->session) < 2) {
        hear_something(process);
        wait_out(process);
        memory_broker_step(fixture->broker);
    }
    assert_int_equal(session_number(process->session), START_MS);
}

static void a_barrier_that_only_a_later_one_follows_was_dropped(void **state)
{
    struct fixture *fixture = *state;
    struct process *process = &fixture->process;
    memory_broker_drop_next(fixture->broker, 2); /* the birth and the barrier */
    settle(fixture);
    hear_something(process);
    wait_out(process);
    assert_int_equal(session_number(process->session), START_MS);
    settle(fixture);
    assert_int_equal(session_stage(process->session), 2);
    assert_presence(fixture, "online", START_MS + 1);
}

static void its_own_will_of_the_present_session_is_answered_by_the_next_one(void **state)
{
    struct fixture *fixture = *state;
    settle(fixture);
    char will[256];
    snprintf(will, sizeof will,
             "{\"state\":\"offline\",\"session\":%d,\"instance\":\"%s\",\"since_ms\":1}", START_MS,
             session_instance(fixture->process.session));
    inject(fixture, "r/p/status", will);
    settle(fixture);
    assert_presence(fixture, "online", START_MS + 1);
    assert_int_equal(session_number(fixture->process.session), START_MS + 1);
}

static void an_older_or_broken_presence_is_written_over(void **state)
{
    struct fixture *fixture = *state;
    settle(fixture);
    inject(fixture, "r/p/status", "not a document");
    settle(fixture);
    assert_presence(fixture, "online", START_MS);
    inject(fixture, "r/p/status", "");
    settle(fixture);
    assert_presence(fixture, "online", START_MS);
}

static void a_larger_number_of_an_earlier_life_is_overtaken(void **state)
{
    struct fixture *fixture = *state;
    inject(fixture, "r/p/status",
           "{\"state\":\"online\",\"session\":2000000,\"instance\":\"earlier\",\"since_ms\":1}");
    settle(fixture);
    assert_presence(fixture, "online", 2000001);
    assert_null(strstr(fixture->process.told, "duplicate"));
    assert_int_equal(session_stage(fixture->process.session), 2);
}

/* As long as it takes to connect and to complete its stages. */
static void process_run(struct process *process)
{
    for (int i = 0; i < 10; i++)
        memory_bus_step(process->bus);
}

static void two_live_processes_with_one_id_notice_each_other(void **state)
{
    struct fixture *fixture = *state;
    struct process other;
    settle(fixture);
    process_begin(&other, fixture->broker, 2, 0);
    for (int i = 0; i < 3; i++) { /* they take the id from each other for ever */
        process_run(&other);
        process_run(&fixture->process);
    }
    assert_non_null(strstr(fixture->process.told, "duplicate"));
    assert_non_null(strstr(other.told, "duplicate"));
    const char *first = strstr(other.told, "duplicate");
    assert_null(strstr(first + 1, "duplicate")); /* once a minute */
    process_end(&other);
}

static void a_clean_end_says_offline_itself(void **state)
{
    struct fixture *fixture = *state;
    settle(fixture);
    session_say_offline(fixture->process.session, fixture->process.now);
    process_end(&fixture->process);
    assert_presence(fixture, "offline", START_MS);
    process_begin(&fixture->process, fixture->broker, 1, START_MS);
    settle(fixture);
    assert_presence(fixture, "online", START_MS + 1);
}

static void what_it_says_itself_does_not_come_back_once_its_own_was_heard(void **state)
{
    struct fixture *fixture = *state;
    struct bus *bus = fixture->process.bus;
    inject(fixture, "r/own/a", "1");
    settle(fixture);
    *fixture->process.told = '\0';
    bus->ops->publish(
        bus, &(struct bus_publication){.topic = "own/a", .payload = "2", .length = 1, .qos = 1});
    settle(fixture);
    assert_string_equal(fixture->process.told, "");
    inject(fixture, "r/own/a", "3");
    settle(fixture);
    assert_string_equal(fixture->process.told, "own/a 0;");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(stages_complete_in_order_with_everything_retained_heard_before),
        TEST(a_stage_is_complete_when_the_last_piece_of_it_was_read),
        TEST(the_birth_says_online_with_a_number_not_below_the_clock),
        TEST(the_number_grows_above_what_the_store_remembers),
        TEST(each_connection_has_its_own_number_and_its_will_carries_it),
        TEST(after_a_broker_that_forgot_everything_the_stages_run_again),
        TEST(a_refused_subscription_waits_for_the_bus_to_ask_again),
        TEST(a_barrier_that_does_not_come_back_connects_again),
        TEST(a_slow_broker_is_waited_for_while_anything_comes),
        TEST(a_barrier_that_only_a_later_one_follows_was_dropped),
        TEST(its_own_will_of_the_present_session_is_answered_by_the_next_one),
        TEST(an_older_or_broken_presence_is_written_over),
        TEST(a_larger_number_of_an_earlier_life_is_overtaken),
        TEST(two_live_processes_with_one_id_notice_each_other),
        TEST(a_clean_end_says_offline_itself),
        TEST(what_it_says_itself_does_not_come_back_once_its_own_was_heard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
