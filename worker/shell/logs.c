/* Logs of one task, in chunks of text with sequence numbers over both streams.
 *
 *   once:    chunk 1, 2, … n, then the answer with n
 *   follow:  the answer, then chunks until the task ends (a last one with `end`) or the lease does;
 * asking again with the same token prolongs the lease
 *
 * Chunks are QoS 0: the count tells the asker whether it has all of them. */
#include "worker/shell/asks.h"

#include "platform/base/mem.h"
#include "schema/codec/codec.h"

#include <string.h>

static void publish_chunk(struct worker_shell *shell, struct pending_ask *pending, int stream,
                          const char *text, bool end)
{
    char topic[LIMIT_TOPIC_LENGTH + 1];
    _cleanup_buf_ struct buf payload = BUF_EMPTY;
    struct log_chunk chunk = {
        .token = pending->token, .seq = ++pending->chunks, .data = text, .end = end};
    shell_topic(shell, topic, stream == 2 ? TOPIC_TASK_STDERR : TOPIC_TASK_STDOUT, pending->task);
    codec_encode(&log_chunk_record, &chunk, &payload);
    struct bus_publication publication = {
        .topic = topic, .payload = payload.data, .length = payload.length};
    shell->bus->ops->publish(shell->bus, &publication);
}

/* At most LOG_CHUNK_BYTES, not in the middle of a character. */
static size_t chunk_length(const char *bytes, size_t length)
{
    if (length <= LOG_CHUNK_BYTES) {
        return length;
    }
    size_t cut = LOG_CHUNK_BYTES;
    while (cut > LOG_CHUNK_BYTES - 4 && ((unsigned char)bytes[cut] & 0xC0) == 0x80) {
        cut--;
    }
    return cut;
}

/* A NUL in a log would end the text: it is shown as a question mark. */
static char *text_of(const char *bytes, size_t length)
{
    char *text = mem_alloc(length + 1);
    for (size_t i = 0; i < length; i++) {
        text[i] = bytes[i] ? bytes[i] : '?';
    }
    return text;
}

static void publish_bytes(struct worker_shell *shell, struct pending_ask *pending, int stream,
                          const char *bytes, size_t length)
{
    while (length) {
        size_t part = chunk_length(bytes, length);
        _cleanup_free_ char *text = text_of(bytes, part);
        publish_chunk(shell, pending, stream, text, false);
        bytes += part;
        length -= part;
    }
}

static struct pending_ask *pending_of(struct worker_shell *shell, uint64_t request)
{
    for (size_t i = 0; i < ASKS_MAX; i++) {
        if (shell->asks[i].used && !shell->asks[i].stats && shell->asks[i].request == request) {
            return &shell->asks[i];
        }
    }
    return NULL;
}

static void answer_count(struct worker_shell *shell, const struct pending_ask *pending)
{
    struct answer answer = ask_accepted(pending->token);
    answer.task = pending->task;
    answer.chunks = pending->chunks;
    ask_answer(shell, &answer);
}

static void finish(struct worker_shell *shell, struct pending_ask *pending, const struct err *err)
{
    if (pending->follow) {
        publish_chunk(shell, pending, 1, "", true);
    } else if (err) {
        ask_reject(shell, pending->token, REASON_UNKNOWN_TASK, err->text);
    } else {
        answer_count(shell, pending);
    }
    pending->used = false;
}

void shell_on_log(struct worker_shell *shell, uint64_t request, int stream, const void *bytes,
                  size_t length, bool end, const struct err *err)
{
    struct pending_ask *pending = pending_of(shell, request);
    if (!pending) {
        return;
    }
    publish_bytes(shell, pending, stream, bytes, length);
    if (end) {
        finish(shell, pending, err);
    }
}

static int64_t lease_until_ms(const struct worker_shell *shell, const struct ask *ask)
{
    int64_t lease_ms = ANSWER_TIMEOUT_MS;
    if (ask->follow && ask->lease_ms > 0) {
        lease_ms = ask->lease_ms < LOG_LEASE_MAX_MS ? ask->lease_ms : LOG_LEASE_MAX_MS;
    }
    return shell_now(shell).mono_ms + lease_ms;
}

void logs_ask(struct worker_shell *shell, const struct ask *ask, const struct attempt_view *view)
{
    struct pending_ask *pending = pending_find(shell, ask->token);
    if (pending) {
        pending->until_ms = lease_until_ms(shell, ask);
        return;
    }
    struct runtime *runtime = shell->slots[view->runtime].runtime;
    if (!runtime) {
        ask_reject(shell, ask->token, REASON_RUNTIME_MISSING, NULL);
        return;
    }
    if (!(pending = pending_new(shell, ask, view))) {
        return;
    }
    pending->follow = ask->follow;
    pending->until_ms = lease_until_ms(shell, ask);
    if (ask->follow) {
        answer_count(shell, pending);
    }
    runtime->ops->logs(runtime, pending->request, view->id, view->log_run,
                       ask->lines == UNSET ? -1 : ask->lines, LOG_ANSWER_BYTES, ask->follow);
}

void logs_end(struct worker_shell *shell, struct pending_ask *pending)
{
    struct runtime *runtime = shell->slots[pending->runtime].runtime;
    if (runtime) {
        runtime->ops->logs_cancel(runtime, pending->request);
    }
    if (!pending->follow) {
        ask_reject(shell, pending->token, REASON_ENGINE_DOWN, "its log was not told in time");
    }
    pending->used = false; /* a lease that ended is not the end of the log: nothing is said */
}
