/* What every task may know of itself (docs/decisions.md, D12), and what a dispatch gave it. */
#include "worker/shell/shell_state.h"

#include "platform/base/base64.h"

#include <stdio.h>
#include <string.h>

enum { OWN_COUNT = 6 };

static void add(struct task_env *env, const char *name, const char *value)
{
    size_t name_length = strlen(name), size = strlen(value) + 1;
    char *text = arena_alloc(&env->arena, name_length + 1 + size);
    env->items[env->count++] = text;
    memcpy(text, name, name_length);
    text[name_length] = '=';
    memcpy(text + name_length + 1, value, size);
}

static void add_meta(struct task_env *env, const struct string_map *meta)
{
    for (size_t i = 0; i < meta->count; i++) {
        char name[LIMIT_MESSAGE_LENGTH];
        meta_variable_format(meta->items[i].key, name, sizeof(name));
        add(env, name, meta->items[i].value);
    }
}

static void take_payload(struct task_env *env, const char *text)
{
    char *bytes = arena_alloc(&env->arena, strlen(text) / 4 * 3 + 1);
    int64_t length = base64_decode(text, bytes);
    env->payload = bytes;
    env->payload_length = length > 0 ? (size_t)length : 0;
}

void task_env_init(const struct worker_shell *shell, const struct attempt_view *view,
                   struct task_env *ret_env)
{
    char index[24];
    struct attempt_name name = {.index = 0};
    const struct dispatched *dispatched = view->spec ? view->spec->dispatched : NULL;
    size_t more = dispatched ? view->spec->meta.count : 0;
    attempt_name_parse(view->id, &name);
    snprintf(index, sizeof(index), "%lld", (long long)name.index);
    *ret_env = (struct task_env){.arena = ARENA_EMPTY};
    ret_env->items = arena_array(&ret_env->arena, OWN_COUNT + more + 1, sizeof(char *));
    add(ret_env, "ARGOSY_JOB", name.job);
    add(ret_env, "ARGOSY_TASK", name.task);
    add(ret_env, "ARGOSY_INDEX", index);
    add(ret_env, "ARGOSY_TASK_ID", view->id);
    add(ret_env, "ARGOSY_NODE", shell->node);
    add(ret_env, "ARGOSY_DATACENTER", shell->config.datacenter);
    if (dispatched) {
        add_meta(ret_env, &view->spec->meta);
    }
    if (dispatched && dispatched->payload) {
        take_payload(ret_env, dispatched->payload);
    }
}

void task_env_release(struct task_env *env)
{
    arena_release(&env->arena);
}
