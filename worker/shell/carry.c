/* Effects carried out, after the commit: runtimes are called, events are told. */
#include "worker/shell/shell_state.h"

#include "platform/base/log.h"
#include "platform/base/text.h"

#include <stdio.h>
#include <string.h>

/* ---- starting ---- */

/* A commit that had to be tried again was overtaken by a stop: there is nothing to be stopped. */
static void drop_start(struct worker_shell *shell, const struct effect *effect)
{
    struct runtime_event gone = {
        .kind = RUNTIME_GONE, .task_id = effect->task_id, .run = effect->run};
    struct worker_event event = {
        .kind = WORKER_RUNTIME, .runtime = effect->runtime, .execution = &gone};
    if (worker_has_dropped(shell->worker, effect->task_id, effect->run)) {
        shell_step(shell, &event);
    }
}

static void carry_start(struct worker_shell *shell, struct runtime *runtime,
                        const struct effect *effect)
{
    struct attempt_view view;
    if (!worker_wants(shell->worker, effect->task_id, effect->run, &view)) {
        drop_start(shell, effect);
        return;
    }
    struct task_env env;
    task_env_init(shell, &view, &env);
    struct runtime_start start = {.task_id = effect->task_id,
                                  .run = effect->run,
                                  .job = view.job,
                                  .term = view.term,
                                  .task = view.task,
                                  .env = (const char *const *)env.items,
                                  .payload = env.payload,
                                  .payload_length = env.payload_length};
    runtime->ops->start(runtime, &start);
    task_env_release(&env);
}

static void carry_probe(struct worker_shell *shell, struct runtime *runtime,
                        const struct effect *effect)
{
    struct attempt_view view;
    if (worker_find(shell->worker, effect->task_id, &view) && view.task &&
        view.run == effect->run) {
        runtime->ops->probe(runtime, effect->task_id, effect->run, view.task, effect->health_index);
    }
}

/* ---- all of them ---- */

static const char *text_or_null(const char *text)
{
    return text[0] ? text : NULL;
}

static void carry_event(struct worker_shell *shell, const struct effect *effect)
{
    struct event event = {.kind = effect->word,
                          .reason = effect->reason,
                          .message = effect->message,
                          .job = text_or_null(effect->job),
                          .task = text_or_null(effect->task_id)};
    if (!strcmp(effect->word, "refused")) {
        shell_event_once(shell, &event);
    } else {
        shell_event(shell, &event);
    }
}

static void carry(struct worker_shell *shell, const struct effect *effect)
{
    if (effect->kind == EFFECT_EVENT) {
        carry_event(shell, effect);
        return;
    }
    struct runtime *runtime = shell->slots[effect->runtime].runtime;
    if (!runtime) {
        return;
    }
    switch (effect->kind) {
    case EFFECT_START:
        carry_start(shell, runtime, effect);
        break;
    case EFFECT_STOP:
        runtime->ops->stop(runtime, effect->task_id, effect->run, effect->signal_number,
                           effect->timeout_ms);
        break;
    case EFFECT_REMOVE:
        runtime->ops->remove(runtime, effect->task_id, effect->run);
        break;
    case EFFECT_PROBE:
        carry_probe(shell, runtime, effect);
        break;
    case EFFECT_LIST:
        runtime->ops->list(runtime);
        break;
    case EFFECT_EVENT:
        break;
    }
}

static bool changes_nothing(const struct effect *effect)
{
    return effect->kind == EFFECT_PROBE || effect->kind == EFFECT_LIST;
}

/* A runtime may answer from inside of a call: what that adds waits for its own commit. */
void shell_carry_out(struct worker_shell *shell, bool committed)
{
    struct effects taken = {.items = shell->effects.items,
                            .count = shell->effects.count,
                            .capacity = shell->effects.capacity};
    shell->effects.items = NULL;
    shell->effects.count = shell->effects.capacity = 0;
    bus_hold(shell->bus, true);
    for (size_t i = 0; i < taken.count; i++) {
        if (committed || changes_nothing(&taken.items[i])) {
            carry(shell, &taken.items[i]);
        } else {
            *effects_add(&shell->effects, taken.items[i].kind) = taken.items[i];
            taken.items[i].message = NULL; /* given on */
        }
    }
    bus_hold(shell->bus, false);
    effects_clear_items(&taken);
    if (!shell->effects.items && taken.capacity <= EFFECTS_KEPT) { /* the next batch needs them */
        shell->effects.items = taken.items;
        shell->effects.capacity = taken.capacity;
        return;
    }
    worker_effects_release(&taken);
}

/* Runtimes label with the cluster, and leave alone what is another's. */
void shell_tell_cluster(struct worker_shell *shell)
{
    const char *cluster = worker_cluster(shell->worker);
    if (!cluster || !strcmp(cluster, shell->cluster_told)) {
        return;
    }
    text_copy(shell->cluster_told, sizeof(shell->cluster_told), cluster);
    for (int kind = RUNTIME_DOCKER; kind < RUNTIME_KIND_COUNT; kind++) {
        struct runtime *runtime = shell->slots[kind].runtime;
        if (runtime) {
            runtime->ops->set_cluster(runtime, cluster);
        }
    }
}
