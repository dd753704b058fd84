#include "office.h"

#include "platform/base/mem.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct now office_now(struct clock *clock)
{
    return ((struct office *)clock)->now;
}

static void rearm(void *context, int64_t mono_ms)
{
    ((struct office *)context)->deadline_ms = mono_ms;
}

/* ---- the listener ---- */

static void listen(void *context)
{
    struct office *office = context;
    struct bus_filter filters[] = {
        {.filter = "do/#", .qos = 1},      {.filter = "replies/#", .qos = 1},
        {.filter = "manager/#", .qos = 1}, {.filter = "jobs/#", .qos = 1},
        {.filter = "nodes/#", .qos = 1},   {.filter = "ask/#", .qos = 1}};
    office->listener->ops->subscribe(office->listener, 1, filters, ARRAY_LENGTH(filters));
}

static void hear(void *context, const struct bus_message *message)
{
    struct office *office = context;
    assert_true(office->heard_count < OFFICE_HEARD_MAX);
    struct office_message *heard = &office->heard[office->heard_count++];
    snprintf(heard->topic, sizeof(heard->topic), "%s", message->topic);
    snprintf(heard->payload, sizeof(heard->payload), "%.*s", (int)message->length,
             (const char *)message->payload);
    snprintf(heard->correlation, sizeof(heard->correlation), "%.*s",
             (int)message->correlation_length, (const char *)message->correlation);
    heard->retained = message->retained;
}

static void ignore(void *context)
{
    (void)context;
}

static void ignore_loss(void *context, const char *why)
{
    (void)context;
    (void)why;
}

static void ignore_subscribed(void *context, int stage, bool granted)
{
    (void)context;
    (void)stage;
    (void)granted;
}

/* ---- life ---- */

struct office *office_new(void)
{
    struct office *office = mem_alloc(sizeof(*office));
    office->clock.now = office_now;
    office->now = (struct now){.wall_ms = 1700000000000, .mono_ms = 5000000};
    office->deadline_ms = INT64_MAX;
    office->seed = 3;
    office->broker = memory_broker_new();
    office->store = memory_store_new();
    struct memory_bus_config config = {
        .broker = office->broker,
        .root = OFFICE_ROOT,
        .client_id = "listener",
        .handler = {.context = office,
                    .on_connected = listen,
                    .on_disconnected = ignore_loss,
                    .on_subscribed = ignore_subscribed,
                    .on_message = hear,
                    .on_batch_end = ignore},
    };
    office->listener = memory_bus_new(&config);
    office->listener->ops->start(office->listener);
    office_settle(office);
    return office;
}

void office_free(struct office *office)
{
    office_kill(office);
    memory_bus_kill(office->listener);
    memory_broker_free(office->broker);
    office->store->ops->close(office->store);
    free(office);
}

void office_start(struct office *office)
{
    struct err err = {0};
    struct manager_shell_config config = {
        .root = OFFICE_ROOT,
        .store = office->store,
        .clock = &office->clock,
        .seed = office->seed,
        .backlog = office->backlog,
        .read_at_once = office->read_at_once,
        .context = office,
        .rearm = rearm,
    };
    if (manager_shell_new(&config, &office->shell, &err))
        fail_msg("%s", err.text);
    struct memory_bus_config bus = {
        .broker = office->broker,
        .root = OFFICE_ROOT,
        .client_id = manager_shell_id(office->shell),
        .handler = manager_shell_bus_handler(office->shell),
    };
    office->bus = memory_bus_new(&bus);
    bus.client_id = manager_shell_commands_id(office->shell);
    bus.persistent = true;
    bus.handler = manager_shell_commands_handler(office->shell);
    office->commands = memory_bus_new(&bus);
    manager_shell_start(office->shell, office->bus, office->commands);
    office_settle(office);
}

void office_kill(struct office *office)
{
    if (!office->shell)
        return;
    memory_bus_kill(office->bus);
    manager_shell_free(office->shell);
    office->shell = NULL;
    office->bus = NULL;
    office->deadline_ms = INT64_MAX;
}

void office_settle(struct office *office)
{
    memory_broker_settle(office->broker);
}

void office_pass(struct office *office, int64_t ms)
{
    for (int64_t end = office->now.mono_ms + ms; office->now.mono_ms < end;) {
        int64_t step = end - office->now.mono_ms < 100 ? end - office->now.mono_ms : 100;
        office->now.mono_ms += step;
        office->now.wall_ms += step;
        if (office->shell && office->deadline_ms <= office->now.mono_ms)
            manager_shell_on_timer(office->shell);
        office_settle(office);
    }
}

/* ---- saying and looking ---- */

void office_say(struct office *office, const char *topic, const char *payload, bool retained)
{
    char whole[500];
    snprintf(whole, sizeof(whole), "%s/%s", OFFICE_ROOT, topic);
    struct bus_message message = {.topic = whole,
                                  .payload = payload,
                                  .length = strlen(payload),
                                  .qos = 1,
                                  .retained = retained};
    memory_broker_inject(office->broker, &message);
    office_settle(office);
}

void office_add_node(struct office *office, const char *node)
{
    char topic[100];
    snprintf(topic, sizeof(topic), "nodes/%s/status", node);
    office_say(office, topic, "{\"state\":\"online\",\"session\":1,\"instance\":\"a\"}", true);
    snprintf(topic, sizeof(topic), "nodes/%s/info", node);
    office_say(office, topic,
               "{\"term\":0,\"seq\":1,\"datacenter\":\"dc1\",\"capacity\":{\"cpu_millis\":4000,"
               "\"memory_bytes\":4000000000,\"disk_bytes\":4000000000},\"runtimes\":[\"docker\"],"
               "\"interval_ms\":10000,\"version\":\"0.1.0\"}",
               true);
}

const char *office_retained(const struct office *office, const char *topic)
{
    char whole[500];
    size_t length;
    snprintf(whole, sizeof(whole), "%s/%s", OFFICE_ROOT, topic);
    return memory_broker_retained(office->broker, whole, &length);
}

const struct office_message *office_heard(const struct office *office, const char *topic)
{
    for (size_t i = office->heard_count; i > 0; i--)
        if (!office->heard[i - 1].retained && strcmp(office->heard[i - 1].topic, topic) == 0)
            return &office->heard[i - 1];
    return NULL;
}

size_t office_heard_times(const struct office *office, const char *topic)
{
    size_t times = 0;
    for (size_t i = 0; i < office->heard_count; i++)
        times += !office->heard[i].retained && strcmp(office->heard[i].topic, topic) == 0;
    return times;
}

static int count(void *context, const char *key, const void *value, size_t length)
{
    (void)key;
    (void)value;
    (void)length;
    ++*(size_t *)context;
    return 0;
}

size_t office_stored(const struct office *office, enum store_table table)
{
    size_t records = 0;
    struct err err = {0};
    assert_int_equal(office->store->ops->scan(office->store, table, count, &records, &err), 0);
    return records;
}
