/* Tokens: a command that is sent again gets the answer that was given, for 24 h, also by a manager
 * that was started anew. Past LIMIT_TOKENS the oldest are forgotten early. */
#include "manager/shell/shell_state.h"

#include "platform/base/mem.h"
#include "schema/codec/codec.h"

#include <stdlib.h>
#include <string.h>

static void token_free(struct manager_shell *shell, struct token *token)
{
    HASH_DEL(shell->tokens, token);
    free(token->token);
    free(token->topic);
    free(token->record);
    free(token);
}

static void token_forget(struct manager_shell *shell, struct token *token)
{
    ledger_remove(shell->ledger, STORE_TOKENS, token->token, false);
    token_free(shell, token);
}

const struct token *token_find(const struct manager_shell *shell, const char *text)
{
    struct token *token;
    HASH_FIND_STR(shell->tokens, text, token);
    return token;
}

static void token_add(struct manager_shell *shell, const char *text, const char *topic,
                      const void *record, size_t length, int64_t received_ms)
{
    struct token *token = mem_alloc(sizeof(*token));
    token->token = mem_strdup(text);
    token->topic = mem_strdup(topic);
    token->record = mem_alloc(length + 1);
    memcpy(token->record, record, length);
    token->length = length;
    token->received_ms = received_ms;
    HASH_ADD_KEYPTR(hh, shell->tokens, token->token, strlen(token->token), token);
}

void token_keep(struct manager_shell *shell, const struct command_context *context,
                const struct reply *reply)
{
    _cleanup_buf_ struct buf bytes = BUF_EMPTY;
    const char *text = context->envelope->token;
    if (!text)
        return;
    if (HASH_COUNT(shell->tokens) >= LIMIT_TOKENS)
        token_forget(shell, shell->tokens);
    struct token_record record = {.received_ms = manager_shell_now(shell).wall_ms,
                                  .topic = context->message->topic,
                                  .reply = *reply};
    codec_encode(&token_record_record, &record, &bytes);
    token_add(shell, text, record.topic, bytes.data, bytes.length, record.received_ms);
    ledger_store(shell->ledger, STORE_TOKENS, text, bytes.data, bytes.length);
}

void token_load(struct manager_shell *shell, const char *text, const void *bytes, size_t length)
{
    _cleanup_arena_ struct arena arena = ARENA_EMPTY;
    _cleanup_problems_ struct problems problems = {0};
    struct token_record record;
    if (codec_decode(&token_record_record, bytes, length, CODEC_LENIENT, &arena, &record,
                     &problems))
        return;
    token_add(shell, text, record.topic ? record.topic : "", bytes, length, record.received_ms);
}

void tokens_prune(struct manager_shell *shell)
{
    struct now now = manager_shell_now(shell);
    struct token *token, *next;
    HASH_ITER(hh, shell->tokens, token, next)
    {
        if (token->received_ms + TOKEN_KEPT_MS < now.wall_ms)
            token_forget(shell, token);
    }
    shell->tokens_prune_ms = now.mono_ms + TOKENS_PRUNED_EVERY_MS;
}

void tokens_release(struct manager_shell *shell)
{
    while (shell->tokens)
        token_free(shell, shell->tokens);
}
