/* The shell's life: construction, the bus' handler, the batch and its one commit. */
#include "manager/shell/shell_state.h"

#include "platform/base/log.h"
#include "platform/base/mem.h"
#include "platform/base/text.h"

#include <stdlib.h>
#include <string.h>

struct now manager_shell_now(const struct manager_shell *shell)
{
    return shell->config.clock->now(shell->config.clock);
}

const char *manager_shell_id(const struct manager_shell *shell)
{
    return shell->id;
}

const struct manager *manager_shell_core(const struct manager_shell *shell)
{
    return shell->manager;
}

void manager_shell_step(struct manager_shell *shell, const struct manager_event *event)
{
    enum manager_phase before = manager_phase(shell->manager);
    manager_step(shell->manager, event, manager_shell_now(shell), &shell->effects);
    enum manager_phase now = manager_phase(shell->manager);
    /* What was decided in this batch is noted beside the answers that promise it. */
    if (before == PHASE_LEADING && now != PHASE_LEADING)
        manager_shell_note_effects(shell);
    if (before != PHASE_SUPERSEDED && now == PHASE_SUPERSEDED)
        log_error("another manager leads with a higher term: this one decides nothing any more");
}

static void step_kind(struct manager_shell *shell, enum event_kind kind)
{
    manager_shell_step(shell, &(struct manager_event){.kind = kind});
}

/* ---- the batch ---- */

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static bool is_leading(const struct manager_shell *shell)
{
    return manager_phase(shell->manager) == PHASE_LEADING;
}

/* Before we lead, nothing is written but what the session needs. */
static bool has_to_write(const struct manager_shell *shell)
{
    const struct effects *effects = &shell->effects;
    if (shell->meta_dirty || ledger_is_dirty(shell->ledger))
        return true;
    return is_leading(shell) && (effects->mark_count || effects->ask_count ||
                                 effects->event_count || effects->clear_count);
}

int64_t manager_shell_deadline_ms(const struct manager_shell *shell)
{
    if (!shell->started)
        return INT64_MAX;
    int64_t deadline_ms = manager_deadline_ms(shell->manager);
    deadline_ms = earlier(deadline_ms, session_deadline_ms(shell->session));
    deadline_ms = earlier(deadline_ms, manager_shell_commands_deadline_ms(shell));
    deadline_ms = earlier(deadline_ms, shell->tokens_prune_ms);
    bool may_write = has_to_write(shell) && !ledger_is_committing(shell->ledger);
    return may_write ? earlier(deadline_ms, shell->commit_retry_ms) : deadline_ms;
}

static void commit_failed(struct manager_shell *shell, const struct err *err)
{
    if (!shell->commit_failing)
        log_error("the store cannot be written; trying again each second: %s", err->text);
    shell->commit_failing = true;
    shell->commit_retry_ms = manager_shell_now(shell).mono_ms + COMMIT_RETRY_MS;
}

static void commit_succeeded(struct manager_shell *shell)
{
    if (shell->commit_failing)
        log_info("the store can be written again");
    shell->commit_failing = false;
    /* what the bus did not take is offered again after a while */
    shell->commit_retry_ms =
        ledger_was_refused(shell->ledger) ? manager_shell_now(shell).mono_ms + COMMIT_RETRY_MS : 0;
}

static void on_committed(void *context, int result, const struct err *err)
{
    struct manager_shell *shell = context;
    if (result)
        commit_failed(shell, err);
    else
        commit_succeeded(shell);
    if (!result && is_leading(shell))
        step_kind(shell, EVENT_COMMITTED);
    if (!shell->flushing)
        manager_shell_end_of_batch(shell);
}

/* While the broker takes what was said: what is decided goes out before what only is said anew. */
static void renew(struct manager_shell *shell)
{
    size_t limit = shell->renewed_at_once;
    if (manager_is_renewing(shell->manager) && session_stage(shell->session) == STAGE_WORKERS &&
        ledger_count(shell->ledger) + shell->bus->ops->pending(shell->bus) < limit)
        manager_shell_step(shell,
                           &(struct manager_event){.kind = EVENT_RENEW, .renew_limit = limit});
}

/* Durable, then visible. What a commit makes possible (attempts leaving) is written by the next
 * round. While one is under way the next batch is heard, and written when it is over. */
static void flush(struct manager_shell *shell)
{
    shell->flushing = true;
    if (shell->meta_dirty)
        ledger_settle(shell->ledger);
    while (!ledger_is_committing(shell->ledger) &&
           manager_shell_now(shell).mono_ms >= shell->commit_retry_ms) {
        renew(shell);
        if (!has_to_write(shell))
            break;
        bool waits = shell->meta_dirty; /* a session's number is durable before it connects */
        manager_shell_write(shell);
        ledger_commit(shell->ledger, on_committed, shell);
        if (waits)
            ledger_settle(shell->ledger);
    }
    shell->flushing = false;
}

void manager_shell_end_of_batch(struct manager_shell *shell)
{
    if (!shell->started)
        return;
    if (is_leading(shell))
        step_kind(shell, EVENT_TIMER); /* the last of the batch */
    do
        flush(shell);
    while (manager_shell_run_waiting(shell));
    shell->config.rearm(shell->config.context, manager_shell_deadline_ms(shell));
}

/* ---- the session ---- */

static void lead(struct manager_shell *shell)
{
    struct err err = {0};
    int64_t term = manager_term(shell->manager);
    step_kind(shell, EVENT_PICTURE_WHOLE);
    if (!is_leading(shell))
        return;
    /* a new term writes everything anew; else what the broker did not keep is said again */
    if (manager_term(shell->manager) != term)
        ledger_forget_heard(shell->ledger);
    else if (ledger_republish(shell->ledger, manager_shell_is_own, shell, &err))
        log_error("cannot publish what is stored: %s", err.text);
    manager_shell_hear_commands(shell);
}

static void on_stage(void *context, int stage)
{
    struct manager_shell *shell = context;
    log_debug("stage complete stage=%d", stage);
    if (stage == STAGE_DOCUMENTS)
        manager_shell_size_stages(shell);
    if (stage == STAGE_WORKERS)
        lead(shell);
}

static void on_session(void *context, int64_t session)
{
    struct manager_shell *shell = context;
    shell->session_number = session;
    shell->meta_dirty = true;
    manager_set_session(shell->manager, session);
}

static void on_duplicate(void *context, const char *instance)
{
    struct manager_shell *shell = context;
    log_error("another manager uses our id id=%s instance=%s", shell->id, instance);
}

/* ---- the bus ---- */

static void on_connected(void *context)
{
    struct manager_shell *shell = context;
    log_info("connected to the broker");
    shell->unreachable_said = false;
    ledger_forget_heard(shell->ledger);
    session_on_connected(shell->session, manager_shell_now(shell));
    manager_shell_end_of_batch(shell);
}

static void on_disconnected(void *context, const char *why)
{
    struct manager_shell *shell = context;
    log_warning("disconnected from the broker: %s", why ? why : "unknown");
    session_on_disconnected(shell->session, manager_shell_now(shell));
    step_kind(shell, EVENT_LINK_LOST);
    manager_shell_end_of_batch(shell);
}

/* Said once; the bus goes on trying for ever. */
static void on_connect_failed(void *context, const char *why)
{
    struct manager_shell *shell = context;
    if (!shell->unreachable_said)
        log_warning("the broker cannot be reached, trying on: %s", why ? why : "unknown");
    shell->unreachable_said = true;
}

static void on_subscribed(void *context, int stage, bool granted)
{
    struct manager_shell *shell = context;
    session_on_subscribed(shell->session, stage, granted, manager_shell_now(shell));
    if (session_is_quiet(shell->session))
        hash_memory_clear(&shell->echoes); /* what was to come back has, or never will */
    manager_shell_end_of_batch(shell);
}

static void on_message(void *context, const struct bus_message *message)
{
    struct manager_shell *shell = context;
    if (!session_on_message(shell->session, message, manager_shell_now(shell)))
        manager_shell_on_message(shell, message);
}

static void on_batch_end(void *context)
{
    manager_shell_end_of_batch(context);
}

static void on_refused(void *context, const char *topic, int reason, const char *text)
{
    enum { NOBODY_LISTENS = 0x10 };
    (void)context;
    if (reason != NOBODY_LISTENS)
        log_warning("the broker refused a publication topic=%s reason=0x%02x %s", topic,
                    (unsigned)reason, text ? text : "");
}

struct bus_handler manager_shell_bus_handler(struct manager_shell *shell)
{
    return (struct bus_handler){
        .context = shell,
        .on_connected = on_connected,
        .on_disconnected = on_disconnected,
        .on_connect_failed = on_connect_failed,
        .on_subscribed = on_subscribed,
        .on_message = on_message,
        .on_batch_end = on_batch_end,
        .on_refused = on_refused,
    };
}

/* ---- construction ---- */

static int load(struct manager_shell *shell, struct err *err)
{
    _cleanup_arena_ struct arena arena = ARENA_EMPTY;
    struct manager_options options = {
        .seed = prng_next(&shell->prng),
        .grace_ms = shell->config.grace_ms ? shell->config.grace_ms : DEFAULT_GRACE_MS,
        .keepalive_ms = shell->config.keepalive_ms ? shell->config.keepalive_ms
                                                   : (int64_t)DEFAULT_KEEPALIVE_S * 1000,
        .policy = (enum placement_policy)shell->config.policy,
        .preemption = (enum preemption)shell->config.preemption,
    };
    int result = manager_shell_load_meta(shell, &options, &arena, err);
    if (result)
        return result;
    options.id = shell->id;
    shell->manager = manager_new(&options, manager_shell_now(shell));
    return manager_shell_load_documents(shell, err);
}

int manager_shell_new(const struct manager_shell_config *config, struct manager_shell **ret_shell,
                      struct err *err)
{
    struct manager_shell *shell = mem_alloc(sizeof(*shell));
    shell->config = *config;
    shell->config.backlog = config->backlog ? config->backlog : DEFAULT_BACKLOG;
    if (!shell->config.read_at_once)
        shell->config.read_at_once = DEFAULT_READ_AT_ONCE;
    shell->renewed_at_once = shell->config.backlog / RENEWED_PART + 1;
    shell->waiting_end = &shell->waiting;
    shell->tokens_prune_ms = shell->commands_granted_by_ms = INT64_MAX;
    text_copy(shell->root, sizeof(shell->root), config->root);
    manager_shell_name_commands(shell);
    prng_init(&shell->prng, config->seed);
    hash_memory_init(&shell->echoes, HASHES_KEPT);
    hash_memory_init(&shell->reported, HASHES_KEPT);
    int result = load(shell, err);
    if (result) {
        manager_shell_free(shell);
        return result;
    }
    manager_shell_make_stages(shell);
    *ret_shell = shell;
    return 0;
}

void manager_shell_free(struct manager_shell *shell)
{
    if (!shell)
        return;
    manager_shell_close_commands(shell);
    manager_shell_drop_waiting(shell);
    tokens_release(shell);
    arena_release(&shell->piece);
    effects_clear(&shell->effects);
    session_free(shell->session);
    ledger_free(shell->ledger);
    hash_memory_release(&shell->echoes);
    hash_memory_release(&shell->reported);
    manager_free(shell->manager);
    free(shell);
}

void manager_shell_start(struct manager_shell *shell, struct bus *bus, struct bus *commands)
{
    struct now now = manager_shell_now(shell);
    struct session_config session = {
        .bus = bus,
        .presence_topic = shell->presence_topic,
        .barrier_topic = shell->barrier_topic,
        .stages = shell->stages,
        .stage_count = MANAGER_STAGES,
        .own = {&shell->own_filters[3], 5}, /* of jobs and nodes */
        .own_stage = STAGE_ASSIGNMENTS,
        .session = shell->session_number,
        .handler = {shell, on_stage, on_session, on_duplicate, manager_shell_more},
        .prng = &shell->prng,
    };
    shell->bus = bus;
    shell->commands = commands;
    shell->ledger = ledger_new(shell->config.store, bus);
    shell->session = session_new(&session, now);
    shell->started = true;
    shell->tokens_prune_ms = now.mono_ms + TOKENS_PRUNED_EVERY_MS;
    session_start(shell->session, now);
    manager_shell_end_of_batch(shell);
}

void manager_shell_on_timer(struct manager_shell *shell)
{
    struct now now = manager_shell_now(shell);
    if (session_deadline_ms(shell->session) <= now.mono_ms)
        session_on_timer(shell->session, now);
    if (manager_shell_commands_deadline_ms(shell) <= now.mono_ms)
        manager_shell_look_after_commands(shell);
    if (shell->tokens_prune_ms <= now.mono_ms)
        tokens_prune(shell);
    manager_shell_end_of_batch(shell);
}

void manager_shell_stop(struct manager_shell *shell)
{
    manager_shell_close_commands(shell);
    if (is_leading(shell)) {
        shell->config.backlog = SIZE_MAX; /* who waits would not be heard again */
        manager_shell_end_of_batch(shell);
        step_kind(shell, EVENT_OFFLINE);
        flush(shell);
        while (ledger_is_committing(shell->ledger))
            ledger_settle(shell->ledger); /* and what it makes due is flushed */
    }
    session_say_offline(shell->session, manager_shell_now(shell));
}
