/* What asks.c and logs.c share. */
#ifndef ARGOSY_WORKER_SHELL_ASKS_H
#define ARGOSY_WORKER_SHELL_ASKS_H

#include "worker/shell/shell_state.h"

/* Sent with the next commit. */
void ask_answer(struct worker_shell *shell, const struct answer *answer);
struct answer ask_accepted(const char *token);
/* `message` NULL: the reason's own text. */
void ask_reject(struct worker_shell *shell, const char *token, enum reason reason,
                const char *message);

/* NULL: none with this token. */
struct pending_ask *pending_find(struct worker_shell *shell, const char *token);
/* NULL, and rejected, when as many as allowed are under way. */
struct pending_ask *pending_new(struct worker_shell *shell, const struct ask *ask,
                                const struct attempt_view *view);

void logs_ask(struct worker_shell *shell, const struct ask *ask, const struct attempt_view *view);
/* The lease is over, or the runtime does not answer. */
void logs_end(struct worker_shell *shell, struct pending_ask *pending);

#endif
