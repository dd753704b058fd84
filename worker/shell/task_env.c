/* What every task may know of itself (docs/decisions.md, D12), and what a dispatch gave it. */
#include "worker/shell/shell_state.h"

#include "platform/base/base64.h"
#include "platform/base/mem.h"

#include <stdlib.h>
#include <string.h>

enum { OWN_COUNT = 6 };

static void add(struct task_env *env, char *text)
{
    env->items[env->count++] = text;
}

static void add_meta(struct task_env *env, const struct string_map *meta)
{
    for (size_t i = 0; i < meta->count; i++) {
        char name[LIMIT_MESSAGE_LENGTH];
        meta_variable_format(meta->items[i].key, name, sizeof(name));
        add(env, mem_printf("%s=%s", name, meta->items[i].value));
    }
}

static void take_payload(struct task_env *env, const char *text)
{
    char *bytes = mem_alloc(strlen(text) / 4 * 3 + 1);
    int64_t length = base64_decode(text, bytes);
    env->payload = bytes;
    env->payload_length = length > 0 ? (size_t)length : 0;
}

void task_env_init(const struct worker_shell *shell, const struct attempt_view *view,
                   struct task_env *ret_env)
{
    struct attempt_name name = {.index = 0};
    const struct dispatched *dispatched = view->spec ? view->spec->dispatched : NULL;
    size_t more = dispatched ? view->spec->meta.count : 0;
    attempt_name_parse(view->id, &name);
    *ret_env = (struct task_env){.items = mem_alloc((OWN_COUNT + more + 1) * sizeof(char *))};
    add(ret_env, mem_printf("ARGOSY_JOB=%s", name.job));
    add(ret_env, mem_printf("ARGOSY_TASK=%s", name.task));
    add(ret_env, mem_printf("ARGOSY_INDEX=%lld", (long long)name.index));
    add(ret_env, mem_printf("ARGOSY_TASK_ID=%s", view->id));
    add(ret_env, mem_printf("ARGOSY_NODE=%s", shell->node));
    add(ret_env, mem_printf("ARGOSY_DATACENTER=%s", shell->config.datacenter));
    if (dispatched) {
        add_meta(ret_env, &view->spec->meta);
    }
    if (dispatched && dispatched->payload) {
        take_payload(ret_env, dispatched->payload);
    }
}

void task_env_release(struct task_env *env)
{
    for (size_t i = 0; i < env->count; i++) {
        free(env->items[i]);
    }
    free(env->items);
    free(env->payload);
}
