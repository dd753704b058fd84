/* What every task may know of itself (docs/decisions.md, D12), and what a dispatch gave it. */
#include "worker/shell/shell_state.h"

#include "platform/base/base64.h"
#include "platform/base/mem.h"

#include <string.h>

/* What every task has. */
struct variable {
    const char *name, *value;
};

static char *add_at(struct task_env *env, char *text, const struct variable *variable)
{
    env->items[env->count++] = text;
    text = stpcpy(text, variable->name);
    *text++ = '=';
    return stpcpy(text, variable->value) + 1;
}

static size_t size_of(const struct variable *variable)
{
    return strlen(variable->name) + 1 + strlen(variable->value) + 1;
}

/* With room for `more`; in one piece of memory. */
static void add_all(struct task_env *env, const struct variable *variables, size_t count,
                    size_t more)
{
    size_t list = (count + more + 1) * sizeof(char *), size = list;
    for (size_t i = 0; i < count; i++) {
        size += size_of(&variables[i]);
    }
    env->items = arena_alloc(&env->arena, size);
    char *text = (char *)env->items + list;
    for (size_t i = 0; i < count; i++) {
        text = add_at(env, text, &variables[i]);
    }
}

static void add(struct task_env *env, const char *name, const char *value)
{
    const struct variable variable = {name, value};
    add_at(env, arena_alloc(&env->arena, size_of(&variable)), &variable);
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

/* From its id, job_task_index_suffix. */
static void index_copy(const struct attempt_view *view, char ret_text[LIMIT_TASK_ID_LENGTH + 1])
{
    const char *index = view->id + strlen(view->job) + 1 + strlen(view->task->name) + 1;
    size_t length = strcspn(index, "_");
    memcpy(ret_text, index, length);
    ret_text[length] = '\0';
}

void task_env_init(const struct worker_shell *shell, const struct attempt_view *view,
                   struct task_env *ret_env)
{
    const struct dispatched *dispatched = view->spec ? view->spec->dispatched : NULL;
    size_t more = dispatched ? view->spec->meta.count : 0;
    char index[LIMIT_TASK_ID_LENGTH + 1];
    index_copy(view, index);
    *ret_env = (struct task_env){.arena = ARENA_EMPTY};
    const struct variable own[] = {
        {"ARGOSY_JOB", view->job},    {"ARGOSY_TASK", view->task->name},
        {"ARGOSY_INDEX", index},      {"ARGOSY_TASK_ID", view->id},
        {"ARGOSY_NODE", shell->node}, {"ARGOSY_DATACENTER", shell->config.datacenter},
    };
    add_all(ret_env, own, ARRAY_LENGTH(own), more);
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
