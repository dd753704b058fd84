/* What a batch has changed, to notes in the ledger. Of the documents assignments come first:
 * somebody waits for them. A node's index comes after the assignments that it names. */
#include "manager/shell/shell_state.h"

#include "platform/base/log.h"
#include "platform/base/mem.h"
#include "platform/base/text.h"
#include "schema/codec/codec.h"

#include <stdio.h>
#include <string.h>

static const enum topic_kind write_order[] = {TOPIC_NODE_ASSIGN, TOPIC_JOB_SPEC,
                                              TOPIC_JOB_HISTORY, TOPIC_NODE_DESIRED,
                                              TOPIC_JOB_STATUS,  TOPIC_MANAGER_STATUS};

bool manager_shell_is_own(void *context, const char *topic)
{
    struct topic parsed;
    (void)context;
    if (!topic_parse(topic, &parsed))
        return false;
    for (size_t i = 0; i < ARRAY_LENGTH(write_order); i++)
        if (parsed.kind == write_order[i])
            return true;
    return false;
}

/* ---- documents ---- */

static void note_document(struct manager_shell *shell, const struct document *document,
                          const struct buf *bytes)
{
    if (bytes->failed || bytes->length > LIMIT_PAYLOAD_BYTES)
        log_error("a document is larger than a message may be topic=%s bytes=%zu", document->topic,
                  bytes->length);
    if (!session_is_quiet(shell->session))
        hash_memory_add(&shell->echoes, message_hash(document->topic, bytes->data, bytes->length));
    if (document->derived)
        ledger_derived(shell->ledger, document->topic, bytes->data, bytes->length);
    else
        ledger_document(shell->ledger, document->topic, bytes->data, bytes->length);
}

static void write_document(struct manager_shell *shell, const struct document_mark *mark)
{
    _cleanup_arena_ struct arena arena = ARENA_EMPTY;
    _cleanup_buf_ struct buf bytes = BUF_EMPTY;
    struct document document;
    int result =
        manager_document(shell->manager, mark, manager_shell_now(shell), &arena, &document);
    ASSERT(result == 0); /* an unlimited arena fails only when the machine has no memory left */
    codec_encode(document.record, &document.job_document, &bytes);
    note_document(shell, &document, &bytes);
}

static void write_documents(struct manager_shell *shell)
{
    const struct effects *effects = &shell->effects;
    for (size_t kind = 0; kind < ARRAY_LENGTH(write_order); kind++)
        for (size_t i = 0; i < effects->mark_count; i++)
            if (effects->marks[i].kind == write_order[kind])
                write_document(shell, &effects->marks[i]);
}

/* ---- the meta record ---- */

static bool meta_is_stale(const struct manager_shell *shell)
{
    return shell->meta_dirty || manager_seq(shell->manager) > shell->seq_reserved ||
           manager_term(shell->manager) != shell->term_stored ||
           strcmp(manager_cluster(shell->manager), shell->cluster_stored) != 0;
}

static void write_meta(struct manager_shell *shell)
{
    _cleanup_buf_ struct buf bytes = BUF_EMPTY;
    if (!meta_is_stale(shell))
        return;
    const char *cluster = manager_cluster(shell->manager);
    if (manager_seq(shell->manager) > shell->seq_reserved)
        shell->seq_reserved = manager_seq(shell->manager) + SEQ_RESERVED;
    shell->term_stored = manager_term(shell->manager);
    text_copy(shell->cluster_stored, sizeof(shell->cluster_stored), cluster);
    struct store_meta meta = {
        .schema_version = STORE_SCHEMA_VERSION,
        .role = "manager",
        .cluster = cluster[0] ? cluster : NULL,
        .id = shell->id,
        .term = shell->term_stored,
        .seq = shell->seq_reserved,
        .session = shell->session_number,
    };
    codec_encode(&store_meta_record, &meta, &bytes);
    ledger_store(shell->ledger, STORE_META, "meta", bytes.data, bytes.length);
    shell->meta_dirty = false;
}

/* ---- everything else ---- */

static void write_ask(struct manager_shell *shell, const struct ask_effect *effect)
{
    char topic[LIMIT_TOPIC_LENGTH + 1];
    _cleanup_buf_ struct buf bytes = BUF_EMPTY;
    struct ask ask = {.token = effect->token, .lines = UNSET, .lease_ms = UNSET};
    topic_format(topic, TOPIC_ASK, effect->node, "assignments");
    codec_encode(&ask_record, &ask, &bytes);
    ledger_message(shell->ledger,
                   &(struct bus_publication){
                       .topic = topic, .payload = bytes.data, .length = bytes.length, .qos = 1});
}

static void write_clear(struct manager_shell *shell, const struct clear_effect *effect)
{
    if (effect->kind == CLEAR_FORGET)
        ledger_remove(shell->ledger, STORE_DOCUMENTS, effect->topic, false);
    else
        ledger_clear(shell->ledger, effect->topic);
}

static void write_event(struct manager_shell *shell, const struct event_effect *effect)
{
    struct event event = {
        .kind = effect->kind,
        .reason = effect->reason,
        .message = effect->message,
        .job = effect->job,
        .node = effect->node,
        .task = effect->task,
    };
    manager_shell_event(shell, &event);
}

void manager_shell_note_effects(struct manager_shell *shell)
{
    struct effects *effects = &shell->effects;
    /* First, so that what has been deleted and is there again in this batch stays. */
    for (size_t i = 0; i < effects->clear_count; i++)
        write_clear(shell, &effects->clears[i]);
    write_documents(shell);
    for (size_t i = 0; i < effects->ask_count; i++)
        write_ask(shell, &effects->asks[i]);
    for (size_t i = 0; i < effects->event_count; i++)
        write_event(shell, &effects->events[i]);
    effects_clear(effects);
}

void manager_shell_write(struct manager_shell *shell)
{
    if (manager_phase(shell->manager) == PHASE_LEADING) {
        manager_shell_note_effects(shell);
        manager_storing(shell->manager);
    }
    write_meta(shell);
}
