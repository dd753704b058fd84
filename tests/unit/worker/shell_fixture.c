#include "tests/unit/worker/shell_fixture.h"

#include "platform/base/mem.h"

#include <stdio.h>
#include <string.h>

/* ---- the runtime ---- */

static struct fake_runtime *fake_of(struct runtime *runtime)
{
    return (struct fake_runtime *)runtime;
}

static void note(struct runtime *runtime, const char *what, const char *task_id, int64_t run)
{
    struct fake_runtime *fake = fake_of(runtime);
    ASSERT(fake->count < CALLS_MAX);
    struct call *call = &fake->calls[fake->count++];
    snprintf(call->what, sizeof(call->what), "%s", what);
    snprintf(call->task_id, sizeof(call->task_id), "%s", task_id ? task_id : "");
    call->run = run;
}

static void say(struct runtime *runtime, struct runtime_event event)
{
    struct fake_runtime *fake = fake_of(runtime);
    fake->handler.on_event(fake->handler.context, runtime, &event);
}

static void fake_set_cluster(struct runtime *runtime, const char *cluster)
{
    snprintf(fake_of(runtime)->cluster, sizeof(fake_of(runtime)->cluster), "%s", cluster);
}

static void fake_start(struct runtime *runtime, const struct runtime_start *start)
{
    struct fake_runtime *fake = fake_of(runtime);
    note(runtime, "start", start->task_id, start->run);
    fake->env[0] = '\0';
    for (size_t i = 0; start->env[i]; i++) {
        size_t length = strlen(fake->env);
        snprintf(fake->env + length, sizeof(fake->env) - length, "%s ", start->env[i]);
    }
}

static void fake_stop(struct runtime *runtime, const char *task_id, int64_t run, int signal,
                      int64_t timeout_ms)
{
    (void)signal;
    (void)timeout_ms;
    note(runtime, "stop", task_id, run);
}

static void fake_remove(struct runtime *runtime, const char *task_id, int64_t run)
{
    note(runtime, "remove", task_id, run);
}

static void fake_list(struct runtime *runtime)
{
    struct fake_runtime *fake = fake_of(runtime);
    note(runtime, "list", NULL, 0);
    if (fake->up && fake->running) {
        say(runtime, (struct runtime_event){
                         .kind = RUNTIME_RUNNING, .task_id = WEB_ID, .run = 1, .cluster = "c1"});
    }
    if (fake->up) {
        say(runtime, (struct runtime_event){.kind = RUNTIME_LISTED});
    }
}

static void fake_probe(struct runtime *runtime, const char *task_id, int64_t run,
                       const struct task_spec *task, int health_index)
{
    (void)task;
    (void)health_index;
    note(runtime, "probe", task_id, run);
}

static void fake_logs(struct runtime *runtime, uint64_t request, const char *task_id, int64_t run,
                      int64_t tail_lines, size_t limit_bytes, bool follow)
{
    (void)tail_lines;
    (void)limit_bytes;
    (void)follow;
    fake_of(runtime)->request = request;
    note(runtime, "logs", task_id, run);
}

static void fake_logs_cancel(struct runtime *runtime, uint64_t request)
{
    (void)request;
    note(runtime, "cancel", NULL, 0);
}

static void fake_usage(struct runtime *runtime, const char *task_id, int64_t run,
                       runtime_usage_fn *report, void *context)
{
    note(runtime, "usage", task_id, run);
    fake_of(runtime)->report = report;
    fake_of(runtime)->report_context = context;
}

static const struct runtime_ops fake_ops = {
    .name = "docker",
    .set_cluster = fake_set_cluster,
    .start = fake_start,
    .stop = fake_stop,
    .remove = fake_remove,
    .list = fake_list,
    .probe = fake_probe,
    .logs = fake_logs,
    .logs_cancel = fake_logs_cancel,
    .usage = fake_usage,
};

/* ---- the clock and the process ---- */

static struct now clock_now(struct clock *clock)
{
    return ((struct shell_fixture *)clock)->now;
}

static void rearm(void *context, int64_t mono_ms)
{
    ((struct shell_fixture *)context)->deadline_ms = mono_ms;
}

static void sample(void *context, metric_add_fn *add, void *to)
{
    (void)context;
    add(to, "load1", 0.5);
}

void setup(struct shell_fixture *f)
{
    *f = (struct shell_fixture){.clock = {clock_now}, .now = {1700000000000, 1000}, .seed = 3};
    f->docker.runtime.ops = &fake_ops;
    f->docker.up = true;
    f->broker = memory_broker_new();
    f->store = memory_store_new();
}

void teardown(struct shell_fixture *f)
{
    if (f->shell) {
        crash(f);
    }
    memory_broker_free(f->broker);
    f->store->ops->close(f->store);
}

int boot(struct shell_fixture *f, struct err *err)
{
    struct string_pair label = {"site", "graz"};
    struct worker_shell_config config = {
        .root = ROOT,
        .node = "n1",
        .datacenter = "dc1",
        .labels = {&label, 1},
        .capacity = {4000, 8LL << 30, 100LL << 30},
        .boot_id = "boot-1",
        .interval_ms = UNSET,
        .seed = f->seed,
        .runtimes = {[RUNTIME_DOCKER] = true},
        .store = f->store,
        .clock = &f->clock,
        .context = f,
        .rearm = rearm,
        .sample = sample,
    };
    int result = worker_shell_new(&config, &f->shell, err);
    if (result) {
        return result;
    }
    f->docker.count = 0;
    f->docker.handler = worker_shell_runtime_handler(f->shell, RUNTIME_DOCKER);
    worker_shell_attach_runtime(f->shell, RUNTIME_DOCKER, &f->docker.runtime);
    struct memory_bus_config bus = {.broker = f->broker,
                                    .root = ROOT,
                                    .client_id = "n1",
                                    .handler = worker_shell_bus_handler(f->shell)};
    f->bus = memory_bus_new(&bus);
    worker_shell_start(f->shell, f->bus);
    return 0;
}

void boot_ok(struct shell_fixture *f)
{
    struct err err = {0};
    if (boot(f, &err)) {
        fail_msg("%s", err.text);
    }
    settle(f);
}

void crash(struct shell_fixture *f)
{
    memory_bus_kill(f->bus);
    worker_shell_free(f->shell);
    f->shell = NULL;
}

void settle(struct shell_fixture *f)
{
    for (int turns = 0; turns < 200; turns++) {
        memory_broker_settle(f->broker);
        if (!f->shell || f->deadline_ms > f->now.mono_ms) {
            return;
        }
        worker_shell_on_timer(f->shell);
    }
    fail_msg("the worker does not come to rest");
}

void pass(struct shell_fixture *f, int64_t ms)
{
    int64_t end_ms = f->now.mono_ms + ms;
    settle(f);
    while (f->deadline_ms <= end_ms) {
        f->now.wall_ms += f->deadline_ms - f->now.mono_ms;
        f->now.mono_ms = f->deadline_ms;
        settle(f);
    }
    f->now.wall_ms += end_ms - f->now.mono_ms;
    f->now.mono_ms = end_ms;
}

struct search {
    struct shell_fixture *fixture;
    const char *topic;
};

static int visit_stored(void *context, const char *key, const void *value, size_t length)
{
    struct search *search = context;
    char *found = search->fixture->found;
    if (!strcmp(key, search->topic)) {
        snprintf(found, sizeof(search->fixture->found), "%.*s", (int)length, (const char *)value);
    }
    return 0;
}

const char *stored(struct shell_fixture *f, const char *topic)
{
    struct search search = {f, topic};
    f->found[0] = '\0';
    f->store->ops->scan(f->store, STORE_DOCUMENTS, visit_stored, &search, NULL);
    return f->found;
}

/* ---- the bus ---- */

void publish(struct shell_fixture *f, const char *topic, const char *payload, bool is_retained)
{
    char whole[400];
    snprintf(whole, sizeof(whole), ROOT "/%s", topic);
    struct bus_message message = {.topic = whole,
                                  .payload = payload,
                                  .length = strlen(payload),
                                  .qos = 1,
                                  .retained = is_retained};
    memory_broker_inject(f->broker, &message);
    settle(f);
}

void publish_assignment(struct shell_fixture *f, int64_t seq, const char *attempts)
{
    char payload[8000];
    snprintf(payload, sizeof(payload),
             "{\"cluster\":\"c1\",\"manager\":\"m1\",\"term\":5,\"seq\":%lld,\"revision\":%lld,"
             "\"version\":1,\"spec\":{\"name\":\"web\",\"type\":\"service\","
             "\"tasks\":[{\"name\":\"web\",\"image\":\"busybox\"}]},\"attempts\":%s}",
             (long long)seq, (long long)seq, attempts);
    publish(f, "nodes/n1/assign/web", payload, true);
}

const char *retained(const struct shell_fixture *f, const char *topic)
{
    char whole[400];
    size_t length = 0;
    snprintf(whole, sizeof(whole), ROOT "/%s", topic);
    const char *payload = memory_broker_retained(f->broker, whole, &length);
    return payload ? payload : "";
}

void assert_retained_holds(const struct shell_fixture *f, const char *topic, const char *part)
{
    const char *payload = retained(f, topic);
    if (!strstr(payload, part)) {
        fail_msg("%s: no %s in %s", topic, part, payload);
    }
}

void docker_says(struct shell_fixture *f, struct runtime_event event)
{
    event.task_id = event.task_id ? event.task_id : WEB_ID;
    event.run = event.run ? event.run : 1;
    say(&f->docker.runtime, event);
    settle(f);
}

size_t calls_of(const struct shell_fixture *f, const char *what)
{
    size_t count = 0;
    for (size_t i = 0; i < f->docker.count; i++) {
        count += !strcmp(f->docker.calls[i].what, what);
    }
    return count;
}

/* ---- listeners ---- */

static void on_heard(void *context, const struct bus_message *message)
{
    struct listener *listener = context;
    if (listener->count < ARRAY_LENGTH(listener->texts)) {
        snprintf(listener->texts[listener->count++], sizeof(listener->texts[0]), "%s %.*s",
                 message->topic, (int)message->length, (const char *)message->payload);
    }
}

static void on_listening(void *context)
{
    (void)context;
}

static void on_lost(void *context, const char *why)
{
    (void)context;
    (void)why;
}

static void on_granted(void *context, int stage, bool granted)
{
    (void)context;
    (void)stage;
    (void)granted;
}

void listen(struct shell_fixture *f, struct listener *listener, const char *filter)
{
    *listener = (struct listener){.count = 0};
    struct memory_bus_config config = {.broker = f->broker,
                                       .root = ROOT,
                                       .client_id = "listener",
                                       .handler = {.context = listener,
                                                   .on_connected = on_listening,
                                                   .on_disconnected = on_lost,
                                                   .on_subscribed = on_granted,
                                                   .on_message = on_heard,
                                                   .on_batch_end = on_listening}};
    listener->bus = memory_bus_new(&config);
    listener->bus->ops->start(listener->bus);
    settle(f);
    struct bus_filter one = {.filter = filter, .qos = 1};
    listener->bus->ops->subscribe(listener->bus, 1, &one, 1);
    settle(f);
    listener->count = 0; /* what was retained is not news */
}

void listener_release(struct listener *listener)
{
    memory_bus_kill(listener->bus);
}

size_t heard(const struct listener *listener, const char *part)
{
    size_t count = 0;
    for (size_t i = 0; i < listener->count; i++) {
        count += strstr(listener->texts[i], part) != NULL;
    }
    return count;
}
