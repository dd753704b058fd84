/* argosy logs TASK: asks the worker, prints the chunks in their order, and knows at the end
 * whether all came.
 *
 *   ask -> chunk 1, 2, 3 … -> answer {chunks: n}
 *   --follow: the lease is asked for again until Ctrl-C or the task's end
 *
 * Failure modes: chunks are QoS 0, so some can be lost: said on the standard error, exit code 1.
 * They may come in any order across the two streams' topics: a chunk waits for those before it, a
 * little. */
#include "cli/task_session.h"
#include "platform/base/mem.h"
#include "schema/codec/codec.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LEASE_MS = 30000, LEASE_AGAIN_MS = 10000, LIMIT_CHUNKS_WAITING = 256, GAP_MS = 500 };

struct chunk {
    int64_t seq; /* 0: free */
    bool is_stderr;
    bool end;
    char *data;
};

struct logs {
    struct cli *cli;
    struct task_session session;
    struct chunk waiting[LIMIT_CHUNKS_WAITING];
    int64_t next; /* to print */
    int64_t lost;
    int64_t gap_since_ms; /* 0: nothing is missing */
    int64_t asked_ms;
    bool ended; /* the worker said that nothing more will come */
    bool only_stdout, only_stderr;
};

static void print_chunk(const struct logs *logs, const struct chunk *chunk)
{
    bool wanted = chunk->is_stderr ? !logs->only_stdout : !logs->only_stderr;
    if (!wanted || !*chunk->data)
        return;
    if (logs->cli->json) {
        _cleanup_buf_ struct buf json = BUF_EMPTY;
        buf_printf(&json, "{\"stream\":\"%s\",\"seq\":%" PRId64 ",\"data\":",
                   chunk->is_stderr ? "stderr" : "stdout", chunk->seq);
        json_add_string(&json, chunk->data, strlen(chunk->data));
        buf_add_text(&json, "}\n");
        fputs(buf_text(&json), stdout);
        return;
    }
    fputs(chunk->data, chunk->is_stderr ? stderr : stdout);
}

static struct chunk *chunk_find(struct logs *logs, int64_t seq)
{
    for (size_t i = 0; i < LIMIT_CHUNKS_WAITING; i++)
        if (logs->waiting[i].seq == seq)
            return &logs->waiting[i];
    return NULL;
}

/* Prints what is next, as far as it is there. */
static void print_ready(struct logs *logs)
{
    struct chunk *chunk;
    while ((chunk = chunk_find(logs, logs->next))) {
        print_chunk(logs, chunk);
        logs->ended |= chunk->end;
        free(chunk->data);
        *chunk = (struct chunk){0};
        logs->next++;
        logs->gap_since_ms = 0;
    }
    fflush(stdout);
}

static int64_t smallest_waiting(const struct logs *logs)
{
    int64_t smallest = INT64_MAX;
    for (size_t i = 0; i < LIMIT_CHUNKS_WAITING; i++)
        if (logs->waiting[i].seq && logs->waiting[i].seq < smallest)
            smallest = logs->waiting[i].seq;
    return smallest;
}

/* What has not come by now will not come. */
static void skip_gap(struct logs *logs)
{
    int64_t first = smallest_waiting(logs);
    if (first == INT64_MAX)
        return;
    logs->lost += first - logs->next;
    logs->next = first;
    print_ready(logs);
}

static void on_message(void *context, const struct topic *topic, const struct bus_message *message)
{
    struct logs *logs = context;
    struct arena arena = {.limit_bytes = LIMIT_DECODE_ARENA_BYTES};
    _cleanup_problems_ struct problems problems = {0};
    struct log_chunk chunk = {0};
    bool is_log = topic->kind == TOPIC_TASK_STDOUT || topic->kind == TOPIC_TASK_STDERR;
    bool ours = is_log &&
                codec_decode(&log_chunk_record, message->payload, message->length, CODEC_LENIENT,
                             &arena, &chunk, &problems) == 0 &&
                chunk.token && strcmp(chunk.token, logs->session.token) == 0 &&
                chunk.seq >= logs->next && !chunk_find(logs, chunk.seq);
    if (ours) {
        struct chunk *place = chunk_find(logs, 0);
        if (!place) {
            skip_gap(logs);
            place = chunk_find(logs, 0);
        }
        ASSERT(place);
        *place = (struct chunk){.seq = chunk.seq,
                                .is_stderr = topic->kind == TOPIC_TASK_STDERR,
                                .end = chunk.end,
                                .data = mem_strdup(chunk.data ? chunk.data : "")};
        print_ready(logs);
    }
    arena_release(&arena);
}

static int ask(struct logs *logs)
{
    bool follow = cli_given(logs->cli, OPT_FOLLOW);
    struct ask ask = {.lines = cli_number(logs->cli, OPT_LINES, UNSET),
                      .follow = follow,
                      .lease_ms = follow ? LEASE_MS : UNSET};
    logs->asked_ms = client_mono_ms();
    return task_session_ask(&logs->session, "logs", &ask);
}

/* A gap is waited for briefly; the lease is asked for again. */
static void keep_going(struct logs *logs)
{
    int64_t now_ms = client_mono_ms();
    if (smallest_waiting(logs) == INT64_MAX)
        logs->gap_since_ms = 0;
    else if (!logs->gap_since_ms)
        logs->gap_since_ms = now_ms;
    else if (now_ms - logs->gap_since_ms > GAP_MS)
        skip_gap(logs);
    if (cli_given(logs->cli, OPT_FOLLOW) && !logs->ended &&
        now_ms - logs->asked_ms > LEASE_AGAIN_MS)
        ask(logs);
}

static bool is_done(void *context)
{
    struct logs *logs = context;
    const struct answer *answer = &logs->session.answer;
    keep_going(logs);
    if (!logs->session.answered)
        return false;
    if (answer->result != REPLY_ACCEPTED)
        return true;
    if (cli_given(logs->cli, OPT_FOLLOW))
        return logs->ended;
    int64_t expected = answer->chunks == UNSET ? 0 : answer->chunks;
    return logs->next > expected;
}

static int conclude(struct logs *logs, int waited)
{
    const struct answer *answer = &logs->session.answer;
    if (!logs->session.answered)
        return client_time_out(logs->session.client, "waiting for the worker's answer");
    if (answer->result != REPLY_ACCEPTED)
        return cli_fail(logs->cli, CLI_REJECTED, "%s refuses: %s", logs->session.node,
                        answer->message ? answer->message : answer->code);
    if (waited != CLI_OK && !cli_given(logs->cli, OPT_FOLLOW) && answer->chunks != UNSET) {
        skip_gap(logs);
        logs->lost += answer->chunks + 1 - logs->next;
    }
    if (logs->lost)
        return cli_fail(logs->cli, CLI_FAILED, "%" PRId64 " parts of the log were lost on the way",
                        logs->lost);
    return CLI_OK;
}

static int fetch(struct logs *logs)
{
    struct task_session *session = &logs->session;
    session->on_message = on_message;
    session->context = logs;
    int code = task_session_open(logs->cli, logs->cli->operands[0], session);
    const struct client_filter streams[] = {{TOPIC_TASK_STDOUT, session->node, session->id},
                                            {TOPIC_TASK_STDERR, session->node, session->id}};
    if (code == CLI_OK)
        code = client_hear(session->client, streams, ARRAY_LENGTH(streams));
    if (code == CLI_OK)
        code = ask(logs);
    if (code != CLI_OK)
        return code;
    if (cli_given(logs->cli, OPT_FOLLOW) && !cli_given(logs->cli, OPT_TIMEOUT))
        client_extend(session->client, INT64_MAX);
    return conclude(logs, client_wait(session->client, is_done, logs, 250));
}

int cmd_logs(struct cli *cli)
{
    struct logs *logs = mem_alloc(sizeof *logs);
    logs->cli = cli;
    logs->next = 1;
    logs->only_stdout = cli_given(cli, OPT_STDOUT) && !cli_given(cli, OPT_STDERR);
    logs->only_stderr = cli_given(cli, OPT_STDERR) && !cli_given(cli, OPT_STDOUT);
    int code = fetch(logs);
    task_session_close(&logs->session);
    for (size_t i = 0; i < LIMIT_CHUNKS_WAITING; i++)
        free(logs->waiting[i].data);
    free(logs);
    return code;
}
