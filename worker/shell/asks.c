/* Questions to this worker, ask/<node>/<verb>, answered on nodes/<node>/answers/<token>. One row a
 * verb.
 *
 *   inspect      the state document of the task's job, as it is now
 *   stats        the task's usage; answered when its runtime has told it
 *   assignments  every stored assignment, one answer a job (a manager that lost its store asks, D5)
 *   logs         see logs.c
 *
 * A question without a token has no answer topic and is only reported; the same question with the
 * same token while it is being answered is one question. */
#include "worker/shell/asks.h"

#include "platform/base/mem.h"
#include "platform/base/text.h"
#include "schema/codec/codec.h"

#include <math.h>
#include <string.h>

/* ---- answers ---- */

void ask_answer(struct worker_shell *shell, const struct answer *answer)
{
    char topic[LIMIT_TOPIC_LENGTH + 1];
    _cleanup_buf_ struct buf payload = BUF_EMPTY;
    shell_topic(shell, topic, TOPIC_ANSWER, answer->token);
    codec_encode(&answer_record, answer, &payload);
    struct bus_publication publication = {
        .topic = topic, .payload = payload.data, .length = payload.length, .qos = 1};
    ledger_message(shell->ledger, &publication);
}

struct answer ask_accepted(const char *token)
{
    return (struct answer){.token = token, .result = REPLY_ACCEPTED, .code = "accepted"};
}

void ask_reject(struct worker_shell *shell, const char *token, enum reason reason,
                const char *message)
{
    struct answer answer = {.token = token,
                            .result = REPLY_REJECTED,
                            .code = reason_to_string((int)reason),
                            .message = message ? message : reason_text((int)reason)};
    ask_answer(shell, &answer);
}

/* ---- questions that are under way ---- */

struct pending_ask *pending_find(struct worker_shell *shell, const char *token)
{
    for (size_t i = 0; i < ASKS_MAX; i++) {
        if (shell->asks[i].used && !strcmp(shell->asks[i].token, token)) {
            return &shell->asks[i];
        }
    }
    return NULL;
}

struct pending_ask *pending_new(struct worker_shell *shell, const struct ask *ask,
                                const struct attempt_view *view)
{
    for (size_t i = 0; i < ASKS_MAX; i++) {
        struct pending_ask *pending = &shell->asks[i];
        if (!pending->used) {
            *pending = (struct pending_ask){
                .used = true, .request = ++shell->last_request, .runtime = view->runtime};
            text_copy(pending->token, sizeof(pending->token), ask->token);
            text_copy(pending->task, sizeof(pending->task), view->id);
            return pending;
        }
    }
    ask_reject(shell, ask->token, REASON_OVERLOADED, NULL);
    return NULL;
}

void shell_asks_timer(struct worker_shell *shell, struct now now)
{
    for (size_t i = 0; i < ASKS_MAX; i++) {
        struct pending_ask *pending = &shell->asks[i];
        if (!pending->used || pending->until_ms > now.mono_ms) {
            continue;
        }
        if (pending->stats) {
            ask_reject(shell, pending->token, REASON_ENGINE_DOWN, "its usage was not told in time");
            pending->used = false;
        } else {
            logs_end(shell, pending);
        }
    }
}

int64_t shell_asks_deadline_ms(const struct worker_shell *shell)
{
    int64_t deadline_ms = INT64_MAX;
    for (size_t i = 0; i < ASKS_MAX; i++) {
        const struct pending_ask *pending = &shell->asks[i];
        if (pending->used && pending->until_ms < deadline_ms) {
            deadline_ms = pending->until_ms;
        }
    }
    return deadline_ms;
}

/* ---- verbs ---- */

static void on_inspect(struct worker_shell *shell, const struct ask *ask,
                       const struct attempt_view *view)
{
    _cleanup_arena_ struct arena arena = ARENA_EMPTY;
    struct node_state state;
    struct answer answer = ask_accepted(ask->token);
    answer.task = view->id;
    if (worker_state_read(shell->worker, view->job, &arena, &state)) {
        answer.state = &state;
    }
    ask_answer(shell, &answer);
}

static void on_stats(struct worker_shell *shell, const struct ask *ask,
                     const struct attempt_view *view)
{
    struct runtime *runtime = shell->slots[view->runtime].runtime;
    if (!runtime || view->state != ATTEMPT_RUNNING) {
        ask_reject(shell, ask->token, runtime ? REASON_UNKNOWN_TASK : REASON_RUNTIME_MISSING,
                   runtime ? "the task is not running" : NULL);
        return;
    }
    struct pending_ask *pending = pending_new(shell, ask, view);
    if (pending) {
        pending->stats = true;
        pending->until_ms = shell_now(shell).mono_ms + ANSWER_TIMEOUT_MS;
        runtime->ops->usage(runtime, view->id, view->run, shell_on_usage, shell);
    }
}

void shell_asks_usage(struct worker_shell *shell, const char *task_id,
                      const struct number_map *numbers)
{
    for (size_t i = 0; i < ASKS_MAX; i++) {
        struct pending_ask *pending = &shell->asks[i];
        if (pending->used && pending->stats && !strcmp(pending->task, task_id)) {
            struct answer answer = ask_accepted(pending->token);
            answer.task = task_id;
            answer.numbers = *numbers;
            ask_answer(shell, &answer);
            pending->used = false;
        }
    }
}

struct assignments_walk {
    struct worker_shell *shell;
    const struct ask *ask;
    int64_t parts, part;
};

static void count_assignment(void *context, const char *job)
{
    struct assignments_walk *walk = context;
    bool asked = !walk->ask->job || !strcmp(walk->ask->job, job);
    walk->parts += asked && worker_assignment(walk->shell->worker, job);
}

static void answer_assignment(void *context, const char *job)
{
    struct assignments_walk *walk = context;
    const struct assignment *assignment = worker_assignment(walk->shell->worker, job);
    if (!assignment || (walk->ask->job && strcmp(walk->ask->job, job) != 0)) {
        return;
    }
    struct answer answer = ask_accepted(walk->ask->token);
    answer.part = ++walk->part;
    answer.parts = walk->parts;
    answer.assignment = assignment;
    ask_answer(walk->shell, &answer);
}

static void on_assignments(struct worker_shell *shell, const struct ask *ask,
                           const struct attempt_view *view)
{
    (void)view;
    struct assignments_walk walk = {.shell = shell, .ask = ask};
    worker_each_job(shell->worker, count_assignment, &walk);
    worker_each_job(shell->worker, answer_assignment, &walk);
    if (!walk.parts) {
        struct answer answer = ask_accepted(ask->token);
        ask_answer(shell, &answer);
    }
}

struct verb {
    const char *word;
    bool needs_task;
    void (*handle)(struct worker_shell *shell, const struct ask *ask,
                   const struct attempt_view *view);
};

static const struct verb verbs[] = {
    {"inspect", true, on_inspect},
    {"stats", true, on_stats},
    {"assignments", false, on_assignments},
    {"logs", true, logs_ask},
};

static const struct verb *verb_find(const char *word)
{
    for (size_t i = 0; i < ARRAY_LENGTH(verbs); i++) {
        if (!strcmp(verbs[i].word, word)) {
            return &verbs[i];
        }
    }
    return NULL;
}

static void ask_handle(struct worker_shell *shell, const char *word, const struct ask *ask)
{
    const struct verb *verb = verb_find(word);
    struct attempt_view view = {.id = NULL};
    if (!verb) {
        ask_reject(shell, ask->token, REASON_UNKNOWN_COMMAND, NULL);
    } else if (verb->needs_task && (!ask->task || !worker_find(shell->worker, ask->task, &view))) {
        ask_reject(shell, ask->token, REASON_UNKNOWN_TASK, "this node has no such task");
    } else {
        verb->handle(shell, ask, &view);
    }
}

static void report(struct worker_shell *shell, const struct bus_message *message,
                   enum reason reason, const char *text)
{
    shell_event_once(
        shell, &(struct event){
                   .kind = "refused", .reason = reason, .message = text, .topic = message->topic});
}

void shell_on_ask(struct worker_shell *shell, const char *verb, const struct bus_message *message)
{
    struct arena arena = {.limit_bytes = LIMIT_DECODE_ARENA_BYTES};
    _cleanup_problems_ struct problems problems = {0};
    struct ask ask;
    if (message->retained) {
        report(shell, message, REASON_RETAINED_COMMAND, reason_text(REASON_RETAINED_COMMAND));
    } else if (codec_decode(&ask_record, message->payload, message->length, CODEC_LENIENT, &arena,
                            &ask, &problems)) {
        report(shell, message, REASON_INVALID_ARGUMENTS,
               problems.count ? problems.items[0].message : reason_text(REASON_INVALID_JSON));
    } else {
        ask_handle(shell, verb, &ask);
    }
    arena_release(&arena);
}
