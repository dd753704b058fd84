/* Marks to notes in the ledger: each marked document is encoded once, from what the core holds now.
 */
#include "worker/shell/shell_state.h"

#include "platform/base/log.h"
#include "schema/codec/codec.h"

#include <stdlib.h>
#include <string.h>

bool shell_is_own(void *context, const char *text)
{
    (void)context;
    struct topic topic;
    return topic_parse(text, &topic) &&
           (topic.kind == TOPIC_NODE_INFO || topic.kind == TOPIC_NODE_STATE);
}

static void note_own(struct worker_shell *shell, const char *topic, const struct buf *payload)
{
    hash_memory_add(&shell->echoes, message_hash("", payload->data, payload->length));
    ledger_document(shell->ledger, topic, payload->data, payload->length);
}

/* ---- a job's documents ---- */

/* As it was heard: what a manager of another version says stays in it. */
static void write_assignment(struct worker_shell *shell, const char *job)
{
    struct held_assignment *held = worker_held(shell->worker, job);
    if (!held || !held->heard) {
        return;
    }
    char topic[LIMIT_TOPIC_LENGTH + 1];
    shell_topic(shell, topic, TOPIC_NODE_ASSIGN, job);
    ledger_store(shell->ledger, STORE_DOCUMENTS, topic, held->heard, held->heard_length);
    free(held->heard);
    held->heard = NULL;
}

/* A document that would be too large for the bus goes without what is only for people. */
static void shorten(struct node_state *state)
{
    for (size_t i = 0; i < state->attempts.count; i++) {
        RECORD_AT(struct observed_attempt, state->attempts, i)->message = NULL;
    }
}

static void write_state(struct worker_shell *shell, const char *job)
{
    char topic[LIMIT_TOPIC_LENGTH + 1];
    _cleanup_arena_ struct arena arena = ARENA_EMPTY;
    _cleanup_buf_ struct buf payload = BUF_EMPTY;
    struct node_state state;
    if (!worker_state_write(shell->worker, job, &arena, &state)) {
        return;
    }
    codec_encode(&node_state_record, &state, &payload);
    if (payload.length > LIMIT_PAYLOAD_BYTES) {
        shorten(&state);
        buf_clear(&payload);
        codec_encode(&node_state_record, &state, &payload);
    }
    shell_topic(shell, topic, TOPIC_NODE_STATE, job);
    if (shell_may_hold(shell, &state)) {
        ledger_store(shell->ledger, STORE_DOCUMENTS, topic, payload.data, payload.length);
        shell_hold_report(shell, job, &payload);
    } else {
        note_own(shell, topic, &payload);
        shell_drop_report(shell, job);
    }
    shell->meta_dirty = true; /* a number was given out */
}

static void write_forget(struct worker_shell *shell, const char *job)
{
    char topic[LIMIT_TOPIC_LENGTH + 1];
    shell_topic(shell, topic, TOPIC_NODE_ASSIGN, job);
    ledger_remove(shell->ledger, STORE_DOCUMENTS, topic, false);
    shell_topic(shell, topic, TOPIC_NODE_STATE, job);
    ledger_remove(shell->ledger, STORE_DOCUMENTS, topic, true);
    shell_drop_report(shell, job);
}

static void write_job(void *context, const char *job, unsigned marks)
{
    struct worker_shell *shell = context;
    if (marks & MARK_FORGET) {
        write_forget(shell, job);
    }
    if (marks & MARK_ASSIGNMENT) {
        write_assignment(shell, job);
    }
    if (marks & MARK_STATE) {
        write_state(shell, job); /* nothing when the job was forgotten in this batch */
    }
}

/* ---- the node's documents ---- */

static void write_desired(struct worker_shell *shell)
{
    const struct node_desired *desired = worker_desired(shell->worker);
    if (!desired) {
        return;
    }
    char topic[LIMIT_TOPIC_LENGTH + 1];
    _cleanup_buf_ struct buf payload = BUF_EMPTY;
    shell_topic(shell, topic, TOPIC_NODE_DESIRED, NULL);
    codec_encode(&node_desired_record, desired, &payload);
    ledger_store(shell->ledger, STORE_DOCUMENTS, topic, payload.data, payload.length);
}

static const char *const runtime_names[RUNTIME_KIND_COUNT] = {
    [RUNTIME_DOCKER] = "docker",
    [RUNTIME_PROCESS] = "process",
    [RUNTIME_SIMULATED] = "simulated",
};

static struct string_list runtime_list(const struct worker_shell *shell,
                                       const char *names[RUNTIME_KIND_COUNT])
{
    struct string_list list = {names, 0};
    for (int kind = RUNTIME_DOCKER; kind < RUNTIME_KIND_COUNT; kind++) {
        if (shell->config.runtimes[kind]) {
            names[list.count++] = runtime_names[kind];
        }
    }
    return list;
}

static void write_info(struct worker_shell *shell)
{
    const char *names[RUNTIME_KIND_COUNT];
    const struct worker *worker = shell->worker;
    struct node_info info;
    record_init(&node_info_record, &info);
    info.head.cluster = worker_cluster(worker);
    info.head.term = worker_term(worker);
    info.head.seq = worker_seq_next(shell->worker);
    info.datacenter = shell->config.datacenter;
    info.address = shell->config.address;
    info.labels = shell->config.labels;
    info.attributes = shell->config.attributes;
    info.capacity = shell->config.capacity;
    info.runtimes = runtime_list(shell, names);
    info.max_attempts = LIMIT_ATTEMPTS_PER_NODE;
    info.interval_ms = worker_interval_ms(worker);
    info.version = ARGOSY_VERSION;
    info.boot_id = shell->config.boot_id;
    info.refused_manager = worker_refused(worker, &info.refused_term);

    char topic[LIMIT_TOPIC_LENGTH + 1];
    _cleanup_buf_ struct buf payload = BUF_EMPTY;
    shell_topic(shell, topic, TOPIC_NODE_INFO, NULL);
    codec_encode(&node_info_record, &info, &payload);
    note_own(shell, topic, &payload);
    shell->meta_dirty = true;
}

static void write_meta(struct worker_shell *shell)
{
    struct store_meta meta;
    record_init(&store_meta_record, &meta);
    meta.schema_version = STORE_SCHEMA_VERSION;
    meta.role = "worker";
    meta.cluster = worker_cluster(shell->worker);
    meta.id = shell->node;
    meta.boot_id = shell->config.boot_id;
    meta.term = worker_term(shell->worker);
    meta.seq = worker_seq(shell->worker);
    meta.session = shell->session_number;
    meta.offline_ms = shell->offline_ms;
    _cleanup_buf_ struct buf payload = BUF_EMPTY;
    codec_encode(&store_meta_record, &meta, &payload);
    ledger_store(shell->ledger, STORE_META, "meta", payload.data, payload.length);
}

void shell_write(struct worker_shell *shell)
{
    struct effects *effects = &shell->effects;
    struct now now = shell_now(shell);
    effects_each_mark(effects, write_job, shell);
    if (shell_held_deadline_ms(shell) <= now.mono_ms) {
        shell_publish_held(shell);
    }
    if (effects->desired) {
        write_desired(shell);
    }
    if (effects->info) {
        write_info(shell);
    }
    if (shell->meta_dirty || effects->meta) {
        write_meta(shell);
    }
    shell->meta_dirty = false;
    shell->written_ms = now.wall_ms;
    effects_clear_marks(effects); /* the ledger holds them now, also over a commit that fails */
}
