/* The shell's life: construction, the handlers of bus and runtimes, the batch and its one commit.
 */
#include "worker/shell/shell_state.h"

#include "platform/base/log.h"
#include "platform/base/mem.h"
#include "platform/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct now shell_now(const struct worker_shell *shell)
{
    return shell->config.clock->now(shell->config.clock);
}

void shell_topic(const struct worker_shell *shell, char ret_topic[LIMIT_TOPIC_LENGTH + 1],
                 enum topic_kind kind, const char *second)
{
    topic_format(ret_topic, kind, shell->node, second);
}

/* ---- the batch ---- */

static bool is_dirty(const struct worker_shell *shell)
{
    return effects_any_mark(&shell->effects) || shell->effects.count || shell->meta_dirty ||
           ledger_is_dirty(shell->ledger);
}

/* An emptied worker writes nothing before it has read back what it wrote in its earlier life. */
static bool may_write(const struct worker_shell *shell)
{
    return shell->started && !shell->empty_store;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* When something is to be written; INT64_MAX: nothing is. */
static int64_t write_deadline_ms(const struct worker_shell *shell)
{
    bool to_write = may_write(shell) && is_dirty(shell);
    int64_t due_ms = to_write ? 0 : shell_held_deadline_ms(shell);
    return due_ms < shell->commit_retry_ms ? shell->commit_retry_ms : due_ms;
}

static int64_t shell_deadline_ms(const struct worker_shell *shell)
{
    int64_t deadline_ms = write_deadline_ms(shell);
    if (!deadline_ms) {
        return 0; /* nothing can be earlier */
    }
    deadline_ms = earlier(deadline_ms, worker_deadline_ms(shell->worker));
    deadline_ms = earlier(deadline_ms, session_deadline_ms(shell->session));
    deadline_ms = earlier(deadline_ms, shell_asks_deadline_ms(shell));
    if (shell->bus->ops->connected(shell->bus)) {
        deadline_ms = earlier(deadline_ms, shell->heartbeat_due_ms);
    }
    return deadline_ms;
}

static void arm_at(struct worker_shell *shell, int64_t mono_ms)
{
    if (shell->started) {
        shell->config.rearm(shell->config.context, mono_ms);
    }
}

void shell_rearm(struct worker_shell *shell)
{
    arm_at(shell, shell_deadline_ms(shell));
}

void shell_step(struct worker_shell *shell, struct worker_event *event)
{
    worker_step(shell->worker, event, shell_now(shell), &shell->effects);
}

static void step_kind(struct worker_shell *shell, enum worker_event_kind kind)
{
    struct worker_event event = {.kind = kind};
    shell_step(shell, &event);
}

static void commit_told(struct worker_shell *shell, bool failed, const struct err *err)
{
    if (failed && !shell->commit_failing) {
        log_error("the store cannot be written; trying again each second: %s", err->text);
    } else if (!failed && shell->commit_failing) {
        log_info("the store can be written again");
    }
    shell->commit_failing = failed;
}

/* Durable, then visible, then acted on. */
static void flush(struct worker_shell *shell)
{
    int64_t now_ms = shell_now(shell).mono_ms;
    if (!may_write(shell) || write_deadline_ms(shell) > now_ms) {
        return;
    }
    struct err err = {0};
    shell_write(shell);
    bool failed = ledger_commit_now(shell->ledger, &err) != 0;
    commit_told(shell, failed, &err);
    /* Also when the bus took not all of it: what is left is offered again. */
    shell->commit_retry_ms = ledger_is_dirty(shell->ledger) ? now_ms + COMMIT_RETRY_MS : 0;
    if (!failed) {
        shell_tell_cluster(shell);
    }
    shell_carry_out(shell, !failed);
}

static void end_of_batch(struct worker_shell *shell)
{
    flush(shell);
    shell_rearm(shell);
}

/* ---- the bus ---- */

/* Kept in the store, since stop_after counts from here also when the worker is restarted meanwhile.
 */
static void note_offline(struct worker_shell *shell, int64_t since_ms)
{
    shell->offline_ms = since_ms;
    shell->meta_dirty = true;
}

static void on_connected(void *context)
{
    struct worker_shell *shell = context;
    note_offline(shell, 0);
    step_kind(shell, WORKER_LINK_UP);
    session_on_connected(shell->session, shell_now(shell));
    shell->heartbeat_due_ms = 0;
    end_of_batch(shell);
}

static void on_disconnected(void *context, const char *why)
{
    struct worker_shell *shell = context;
    (void)why; /* the bus has logged it */
    struct now now = shell_now(shell);
    note_offline(shell, now.wall_ms);
    session_on_disconnected(shell->session, now);
    step_kind(shell, WORKER_LINK_LOST);
    end_of_batch(shell);
}

static void on_subscribed(void *context, int stage, bool granted)
{
    struct worker_shell *shell = context;
    session_on_subscribed(shell->session, stage, granted, shell_now(shell));
    shell_rearm(shell);
}

static void on_message(void *context, const struct bus_message *message)
{
    struct worker_shell *shell = context;
    if (!session_on_message(shell->session, message, shell_now(shell))) {
        shell_on_message(shell, message);
    }
}

static void on_batch_end(void *context)
{
    end_of_batch(context);
}

struct bus_handler worker_shell_bus_handler(struct worker_shell *shell)
{
    return (struct bus_handler){
        .context = shell,
        .on_connected = on_connected,
        .on_disconnected = on_disconnected,
        .on_subscribed = on_subscribed,
        .on_message = on_message,
        .on_batch_end = on_batch_end,
    };
}

/* ---- the session ---- */

enum { SEQ_UNHEARD = 1000 * 1000 };

/* Documents of the life before this store may be remembered by readers and not retained any more
 * (cleared tombstones, a broker's roll-back). The clock is above all of them, as long as it is
 * right and fewer than one a millisecond were written; where it is not, a wide step is. */
static void begin_above_what_was_lost(struct worker_shell *shell)
{
    int64_t wall_ms = shell_now(shell).wall_ms;
    int64_t floor = worker_seq(shell->worker) + SEQ_UNHEARD;
    worker_seq_raise(shell->worker, wall_ms > floor ? wall_ms : floor);
}

/* Our own topics have been heard: what we hold goes out again, also what the broker kept: a manager
 * that deleted this node forgot what it had heard of it. */
static void on_stage(void *context, int stage)
{
    struct worker_shell *shell = context;
    if (stage != STAGE_OWN) {
        return;
    }
    struct err err = {0};
    if (shell->empty_store) {
        begin_above_what_was_lost(shell);
    }
    step_kind(shell, WORKER_PICTURE_WHOLE);
    if (shell->empty_store) {
        shell->empty_store = false;
        shell->effects.info = shell->meta_dirty = true;
    }
    if (ledger_republish(shell->ledger, shell_is_own, shell, &err)) {
        log_error("own documents could not be published again: %s", err.text);
    }
}

static void on_session(void *context, int64_t session)
{
    struct worker_shell *shell = context;
    shell->session_number = session;
    shell->meta_dirty = true;
}

static void on_duplicate(void *context, const char *instance)
{
    struct worker_shell *shell = context;
    char message[LIMIT_MESSAGE_LENGTH + 1];
    snprintf(message, sizeof(message), "another worker (instance %.40s) uses the node id %.63s",
             instance ? instance : "unknown", shell->node);
    struct event event = {
        .kind = "duplicate_node", .reason = REASON_DUPLICATE_NODE, .message = message};
    if (shell_event(shell, &event)) {
        log_error("%s", message);
    }
}

/* ---- the runtimes ---- */

static void on_runtime_event(void *context, struct runtime *runtime,
                             const struct runtime_event *execution)
{
    (void)runtime;
    struct runtime_slot *slot = context;
    struct worker_event event = {
        .kind = WORKER_RUNTIME, .runtime = slot->kind, .execution = execution};
    shell_step(slot->shell, &event);
    arm_at(slot->shell, 0); /* from the timer: events of one turn share a commit */
}

static void on_runtime_log(void *context, uint64_t request, int stream, const void *bytes,
                           size_t length, bool end, const struct err *err)
{
    struct runtime_slot *slot = context;
    shell_on_log(slot->shell, request, stream, bytes, length, end, err);
    shell_rearm(slot->shell);
}

struct runtime_handler worker_shell_runtime_handler(struct worker_shell *shell, int kind)
{
    return (struct runtime_handler){
        .context = &shell->slots[kind], .on_event = on_runtime_event, .on_log = on_runtime_log};
}

void worker_shell_attach_runtime(struct worker_shell *shell, int kind, struct runtime *runtime)
{
    ASSERT(shell->config.runtimes[kind]);
    shell->slots[kind].runtime = runtime;
}

bool worker_shell_has_settled(const struct worker_shell *shell)
{
    return session_stage(shell->session) == STAGE_ASKS;
}

const char *worker_shell_cluster(const struct worker_shell *shell)
{
    return worker_cluster(shell->worker);
}

/* ---- life ---- */

static const char *copy_text(struct worker_shell *shell, const char *text)
{
    return text ? arena_strdup(&shell->arena, text) : NULL;
}

static struct string_map copy_map(struct worker_shell *shell, struct string_map map)
{
    struct string_map copy = {arena_array(&shell->arena, map.count, sizeof(*map.items)), map.count};
    for (size_t i = 0; i < map.count; i++) {
        copy.items[i].key = copy_text(shell, map.items[i].key);
        copy.items[i].value = copy_text(shell, map.items[i].value);
    }
    return copy;
}

static void copy_config(struct worker_shell *shell, const struct worker_shell_config *config)
{
    shell->config = *config;
    shell->config.root = copy_text(shell, config->root);
    shell->config.node = copy_text(shell, config->node);
    shell->config.datacenter = copy_text(shell, config->datacenter);
    shell->config.address = copy_text(shell, config->address);
    shell->config.boot_id = copy_text(shell, config->boot_id);
    shell->config.labels = copy_map(shell, config->labels);
    shell->config.attributes = copy_map(shell, config->attributes);
    text_copy(shell->root, sizeof(shell->root), config->root);
    text_copy(shell->node, sizeof(shell->node), config->node);
}

static const char *own_topic(struct worker_shell *shell, enum topic_kind kind, const char *second)
{
    char topic[LIMIT_TOPIC_LENGTH + 1];
    shell_topic(shell, topic, kind, second);
    return copy_text(shell, topic);
}

/* Stage 1: what is retained for and by us. Stage 2: questions. */
static void make_stages(struct worker_shell *shell)
{
    static const struct {
        enum topic_kind kind;
        const char *second;
    } own[] = {{TOPIC_NODE_DESIRED, NULL}, {TOPIC_NODE_ASSIGN, "+"},  {TOPIC_NODE_STATE, "+"},
               {TOPIC_NODE_INFO, NULL},    {TOPIC_NODE_STATUS, NULL}, {TOPIC_NODE_BARRIER, NULL}};
    size_t count = ARRAY_LENGTH(own);
    struct bus_filter *filters = arena_array(&shell->arena, count + 2, sizeof(*filters));
    for (size_t i = 0; i < count; i++) {
        filters[i].filter = own_topic(shell, own[i].kind, own[i].second);
        filters[i].qos = 1;
    }
    filters[count] = (struct bus_filter){.filter = "manager/status", .qos = 1};
    filters[count + 1] = (struct bus_filter){.filter = own_topic(shell, TOPIC_ASK, "+"), .qos = 1};
    shell->stages[STAGE_OWN - 1] = (struct session_stage){filters, count + 1};
    shell->stages[STAGE_ASKS - 1] = (struct session_stage){&filters[count + 1], 1};
}

int worker_shell_new(const struct worker_shell_config *config, struct worker_shell **ret_shell,
                     struct err *err)
{
    struct worker_shell *shell = mem_alloc(sizeof(*shell));
    copy_config(shell, config);
    prng_init(&shell->prng, config->seed);
    hash_memory_init(&shell->echoes, HASHES_KEPT);
    hash_memory_init(&shell->reported, HASHES_KEPT);
    make_stages(shell);
    struct worker_config core = {
        .node = shell->node,
        .seed = prng_next(&shell->prng),
        .interval_ms = config->interval_ms == UNSET ? DEFAULT_HEARTBEAT_MS : config->interval_ms,
    };
    for (int kind = RUNTIME_DOCKER; kind < RUNTIME_KIND_COUNT; kind++) {
        shell->slots[kind].shell = shell;
        shell->slots[kind].kind = (enum runtime_kind)kind;
        core.runtimes[kind] = config->runtimes[kind];
    }
    int result = shell_load(shell, &core, err);
    if (!result) {
        shell->worker = worker_new(&core);
        result = shell_load_documents(shell, err);
    }
    if (result) {
        worker_shell_free(shell);
        return result;
    }
    *ret_shell = shell;
    return 0;
}

void worker_shell_start(struct worker_shell *shell, struct bus *bus)
{
    struct now now = shell_now(shell);
    char presence[LIMIT_TOPIC_LENGTH + 1];
    char barrier[LIMIT_TOPIC_LENGTH + 1];
    shell_topic(shell, presence, TOPIC_NODE_STATUS, NULL);
    shell_topic(shell, barrier, TOPIC_NODE_BARRIER, NULL);
    struct session_config session = {
        .bus = bus,
        .presence_topic = copy_text(shell, presence),
        .barrier_topic = copy_text(shell, barrier),
        .stages = shell->stages,
        .stage_count = WORKER_STAGES,
        .own = {&shell->stages[STAGE_OWN - 1].filters[2], 2}, /* state and info */
        .own_stage = STAGE_OWN,
        .session = shell->session_number,
        .handler = {shell, on_stage, on_session, on_duplicate, NULL},
        .prng = &shell->prng,
    };
    shell->bus = bus;
    shell->ledger = ledger_new(shell->config.store, bus);
    shell->session = session_new(&session, now);
    shell->started = true;
    shell->effects.info = true; /* capacity or labels may have changed with the configuration */
    step_kind(shell, WORKER_START);
    session_start(shell->session, now);
    end_of_batch(shell);
}

void worker_shell_on_timer(struct worker_shell *shell)
{
    struct now now = shell_now(shell);
    if (worker_deadline_ms(shell->worker) <= now.mono_ms) {
        step_kind(shell, WORKER_TIMER);
    }
    session_on_timer(shell->session, now);
    shell_asks_timer(shell, now);
    if (shell->heartbeat_due_ms <= now.mono_ms && shell->bus->ops->connected(shell->bus)) {
        shell_heartbeat(shell, now);
    }
    end_of_batch(shell);
}

void worker_shell_stop(struct worker_shell *shell)
{
    struct now now = shell_now(shell);
    note_offline(shell, shell->offline_ms ? shell->offline_ms : now.wall_ms);
    shell_publish_held(shell);
    flush(shell);
    session_say_offline(shell->session, now);
}

void worker_shell_free(struct worker_shell *shell)
{
    if (!shell) {
        return;
    }
    shell_forget_published(shell);
    session_free(shell->session);
    ledger_free(shell->ledger);
    hash_memory_release(&shell->echoes);
    hash_memory_release(&shell->reported);
    worker_free(shell->worker);
    worker_effects_release(&shell->effects);
    shell_release_held(shell);
    arena_release(&shell->arena);
    free(shell);
}
