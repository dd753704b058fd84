#include "tests/unit/worker/fixture.h"

#include "platform/base/mem.h"

#include <string.h>

enum { WALL_0_MS = 1000 * 1000, MONO_0_MS = 5000 };

static void spec_init(struct fixture *f)
{
    record_init(&job_spec_record, &f->spec);
    record_init(&task_spec_record, &f->task);
    struct arena arena = ARENA_EMPTY;
    f->spec.type = JOB_SERVICE;
    f->spec.name = "web";
    f->task.name = "web";
    f->task.runtime = RUNTIME_DOCKER;
    f->task.image = "busybox";
    f->spec.tasks = (struct record_list){&f->task, 1};
    static const char *datacenters[] = {"*"};
    f->spec.datacenters = (struct string_list){datacenters, 1};
    assert_int_equal(job_spec_normalise(&f->spec, "web", &arena), 0);
    arena_release(&arena);
    f->task.restart.delay_ms = 15000;
    f->task.restart.backoff = BACKOFF_CONSTANT;
    f->task.health = (struct record_list){&f->check, 0};
    f->check = (struct health_check){
        .tcp = ":80", .interval_ms = 5000, .timeout_ms = 1000, .retries = 3, .grace_ms = 10000};
}

void fixture_new(struct fixture *f, bool empty_store, bool rebooted)
{
    struct worker_config config = {
        .node = "n1",
        .seed = 7,
        .runtimes = {[RUNTIME_DOCKER] = true, [RUNTIME_PROCESS] = true},
        .interval_ms = DEFAULT_HEARTBEAT_MS,
        .empty_store = empty_store,
        .rebooted = rebooted,
    };
    *f = (struct fixture){.term = 5, .manager = "m1", .cluster = "c1"};
    f->now = (struct now){.wall_ms = WALL_0_MS, .mono_ms = MONO_0_MS};
    f->worker = worker_new(&config);
    spec_init(f);
}

void fixture_ready(struct fixture *f)
{
    fixture_new(f, false, false);
    step_kind(f, WORKER_START);
    listed(f, RUNTIME_DOCKER);
    listed(f, RUNTIME_PROCESS);
    step_kind(f, WORKER_LINK_UP);
    step_kind(f, WORKER_PICTURE_WHOLE);
    forget(f);
}

void fixture_release(struct fixture *f)
{
    worker_free(f->worker);
    worker_effects_release(&f->effects);
}

static void step(struct fixture *f, struct worker_event *event)
{
    worker_step(f->worker, event, f->now, &f->effects);
}

void step_kind(struct fixture *f, enum worker_event_kind kind)
{
    struct worker_event event = {.kind = kind};
    step(f, &event);
}

void advance(struct fixture *f, int64_t ms)
{
    int64_t end_ms = f->now.mono_ms + ms;
    for (int turns = 0; worker_deadline_ms(f->worker) <= end_ms; turns++) {
        assert_true(turns < 10000); /* a deadline that does not move would be a busy loop */
        int64_t due_ms = worker_deadline_ms(f->worker);
        int64_t wait_ms = due_ms > f->now.mono_ms ? due_ms - f->now.mono_ms : 0;
        f->now.mono_ms += wait_ms;
        f->now.wall_ms += wait_ms;
        step_kind(f, WORKER_TIMER);
    }
    f->now.wall_ms += end_ms - f->now.mono_ms;
    f->now.mono_ms = end_ms;
}

/* ---- documents ---- */

struct assigned_attempt wanted(const char *id)
{
    return (struct assigned_attempt){
        .id = id, .version = 1, .desired = DESIRED_RUN, .known = {.exit_code = UNSET}};
}

static struct manager_head head(struct fixture *f)
{
    return (struct manager_head){
        .cluster = f->cluster, .manager = f->manager, .term = f->term, .seq = ++f->seq};
}

static void copy_array(struct arena *arena, struct record_list *list, size_t size)
{
    void *items = arena_array(arena, list->count, size);
    if (list->count) {
        memcpy(items, list->items, list->count * size);
    }
    list->items = items;
}

/* What the codec would have made: everything in the document's own memory. */
static struct held_assignment *held_new(struct fixture *f, const struct assigned_attempt *attempts,
                                        size_t count)
{
    struct held_assignment *held = mem_alloc(sizeof(*held));
    held->value.head = head(f);
    held->value.revision = f->seq;
    held->value.version = 1;
    held->value.spec = f->spec;
    copy_array(&held->arena, &held->value.spec.tasks, sizeof(struct task_spec));
    copy_array(&held->arena, &RECORD_AT(struct task_spec, held->value.spec.tasks, 0)->health,
               sizeof(struct health_check));
    held->value.attempts =
        (struct record_list){arena_array(&held->arena, count, sizeof(*attempts)), count};
    memcpy(held->value.attempts.items, attempts, count * sizeof(*attempts));
    return held;
}

static void hear(struct fixture *f, const char *job, struct held_assignment *held, bool from_store)
{
    struct worker_event event = {
        .kind = WORKER_ASSIGNMENT, .job = job, .assignment = held, .from_store = from_store};
    step(f, &event);
    held_assignment_free(event.assignment);
}

void assign_list(struct fixture *f, const char *job, const struct assigned_attempt *attempts,
                 size_t count)
{
    hear(f, job, held_new(f, attempts, count), false);
}

void assign(struct fixture *f, struct assigned_attempt attempt)
{
    assign_list(f, "web", &attempt, 1);
}

void assign_from_store(struct fixture *f, struct assigned_attempt attempt)
{
    hear(f, "web", held_new(f, &attempt, 1), true);
}

void tombstone(struct fixture *f, const char *job)
{
    struct held_assignment *held = mem_alloc(sizeof(*held));
    held->value.head = head(f);
    held->value.head.tombstone = true;
    hear(f, job, held, false);
}

void desired(struct fixture *f, const char *job, int64_t revision)
{
    struct held_desired *held = mem_alloc(sizeof(*held));
    held->value.head = head(f);
    held->value.interval_ms = UNSET;
    if (job) {
        held->value.assignments.items = arena_alloc(&held->arena, sizeof(struct int_pair));
        held->value.assignments.items[0] = (struct int_pair){job, revision};
        held->value.assignments.count = 1;
    }
    struct worker_event event = {.kind = WORKER_DESIRED, .desired = held};
    step(f, &event);
    held_desired_free(event.desired);
}

void manager_leads(struct fixture *f)
{
    struct manager_status status = {.head = head(f), .state = MANAGER_LEADING};
    struct worker_event event = {.kind = WORKER_MANAGER_STATUS, .manager = &status};
    step(f, &event);
}

struct observed_attempt observed(const char *id, enum attempt_state state, int64_t run)
{
    return (struct observed_attempt){
        .id = id, .version = 1, .state = (int)state, .run = run, .seq = 3, .exit_code = UNSET};
}

void own_state(struct fixture *f, const char *job, struct observed_attempt attempt, int64_t seq,
               bool from_store)
{
    struct node_state state = {.head = {.cluster = f->cluster, .term = f->term, .seq = seq},
                               .attempts = {&attempt, 1}};
    struct worker_event event = {
        .kind = WORKER_OWN_STATE, .job = job, .state = &state, .from_store = from_store};
    step(f, &event);
}

/* ---- the runtime ---- */

static void runtime_event(struct fixture *f, enum runtime_kind kind, struct runtime_event execution)
{
    struct worker_event event = {.kind = WORKER_RUNTIME, .runtime = kind, .execution = &execution};
    step(f, &event);
}

void runtime_says(struct fixture *f, struct runtime_event event)
{
    runtime_event(f, RUNTIME_DOCKER, event);
}

void running(struct fixture *f, const char *id, int64_t run)
{
    runtime_says(f, (struct runtime_event){.kind = RUNTIME_RUNNING,
                                           .task_id = id,
                                           .run = run,
                                           .cluster = "c1",
                                           .execution_id = "0123456789abcdef"});
}

void exited(struct fixture *f, const char *id, int64_t run, int64_t code)
{
    runtime_says(
        f,
        (struct runtime_event){
            .kind = RUNTIME_EXITED, .task_id = id, .run = run, .cluster = "c1", .exit_code = code});
}

void start_fails(struct fixture *f, const char *id, int64_t run, enum reason reason)
{
    runtime_says(f, (struct runtime_event){.kind = RUNTIME_FAILED,
                                           .task_id = id,
                                           .run = run,
                                           .reason = (int)reason,
                                           .message = "no such thing"});
}

void gone(struct fixture *f, const char *id, int64_t run)
{
    runtime_says(f, (struct runtime_event){.kind = RUNTIME_GONE, .task_id = id, .run = run});
}

void listed(struct fixture *f, enum runtime_kind kind)
{
    runtime_event(f, kind, (struct runtime_event){.kind = RUNTIME_LISTED});
}

/* ---- effects ---- */

void forget(struct fixture *f)
{
    effects_clear_items(&f->effects);
    effects_clear_marks(&f->effects);
}

size_t count_effects(const struct fixture *f, enum effect_kind kind)
{
    size_t count = 0;
    for (size_t i = 0; i < f->effects.count; i++) {
        count += f->effects.items[i].kind == kind;
    }
    return count;
}

const struct effect *find_effect(const struct fixture *f, enum effect_kind kind)
{
    for (size_t i = f->effects.count; i-- > 0;) {
        if (f->effects.items[i].kind == kind) {
            return &f->effects.items[i];
        }
    }
    return NULL;
}

bool has_event(const struct fixture *f, enum reason reason)
{
    for (size_t i = 0; i < f->effects.count; i++) {
        const struct effect *effect = &f->effects.items[i];
        if (effect->kind == EFFECT_EVENT && effect->reason == reason) {
            return true;
        }
    }
    return false;
}

const struct attempt *attempt_of(const struct fixture *f, const char *id)
{
    return worker_attempt_find(f->worker, id);
}

void assert_state(const struct fixture *f, const char *id, enum attempt_state state, int64_t run)
{
    const struct attempt *attempt = attempt_of(f, id);
    assert_non_null(attempt);
    assert_string_equal(attempt_state_to_string(attempt->state), attempt_state_to_string(state));
    assert_int_equal(attempt->run, run);
}
