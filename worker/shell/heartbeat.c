/* Heartbeats: the node's numbers, and those of its running tasks as their runtimes report them.
 * Retained, so that a newcomer sees the last one at once, and expiring where the broker can. */
#include "worker/shell/shell_state.h"

#include "platform/base/mem.h"
#include "schema/codec/codec.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

/* A task whose metrics are retained: cleared when it has not been reported for a while. */
struct published_task {
    char id[LIMIT_TASK_ID_LENGTH + 1];
    int64_t heartbeat; /* the last one that it was part of */
    UT_hash_handle hh;
};

/* ---- collecting ---- */

enum { NUMBERS_MAX = 64 };

struct numbers {
    struct number_pair items[NUMBERS_MAX];
    size_t count;
};

static void numbers_add(void *to, const char *name, double value)
{
    struct numbers *numbers = to;
    if (numbers->count < NUMBERS_MAX && isfinite(value)) {
        numbers->items[numbers->count++] = (struct number_pair){name, value};
    }
}

static int compare_pairs(const void *a, const void *b)
{
    return strcmp(((const struct number_pair *)a)->key, ((const struct number_pair *)b)->key);
}

static struct number_map numbers_map(struct numbers *numbers)
{
    qsort(numbers->items, numbers->count, sizeof(numbers->items[0]), compare_pairs);
    return (struct number_map){numbers->items, numbers->count};
}

static void publish_numbers(struct worker_shell *shell, const char *topic,
                            const struct number_map *numbers)
{
    _cleanup_buf_ struct buf payload = BUF_EMPTY;
    codec_encode_metrics(numbers, &payload);
    int64_t expiry_s = (HEARTBEATS_MISSED * worker_interval_ms(shell->worker) + 999) / 1000;
    struct bus_publication publication = {.topic = topic,
                                          .payload = payload.data,
                                          .length = payload.length,
                                          .retain = true,
                                          .expiry_s = expiry_s};
    shell->bus->ops->publish(shell->bus, &publication);
}

/* ---- the node ---- */

static void publish_node(struct worker_shell *shell, struct now now)
{
    struct numbers numbers = {.count = 0};
    struct worker_load load;
    worker_load(shell->worker, &load);
    numbers_add(&numbers, "ts_ms", (double)now.wall_ms);
    numbers_add(&numbers, "attempts", (double)load.attempts);
    numbers_add(&numbers, "attempts_running", (double)load.running);
    numbers_add(&numbers, "cpu_reserved_millis", (double)load.cpu_millis);
    numbers_add(&numbers, "memory_reserved_bytes", (double)load.memory_bytes);
    numbers_add(&numbers, "disk_reserved_bytes", (double)load.disk_bytes);
    numbers_add(&numbers, "events_suppressed_total", (double)shell->event_limits.suppressed_total);
    if (shell->config.sample) {
        shell->config.sample(shell->config.context, numbers_add, &numbers);
    }
    char topic[LIMIT_TOPIC_LENGTH + 1];
    struct number_map map = numbers_map(&numbers);
    shell_topic(shell, topic, TOPIC_NODE_METRICS, NULL);
    publish_numbers(shell, topic, &map);
}

/* ---- its tasks ---- */

struct number_map shell_usage_numbers(const struct runtime_usage *usage, struct now now,
                                      int64_t run, int64_t restarts, struct arena *arena)
{
    const struct number_pair all[] = {
        {"ts_ms", (double)now.wall_ms},
        {"run", (double)run},
        {"restarts", (double)restarts},
        {"cpu_seconds_total", usage->cpu_seconds_total},
        {"memory_bytes", (double)usage->memory_bytes},
        {"memory_limit_bytes", (double)usage->memory_limit_bytes},
        {"net_rx_bytes_total", (double)usage->net_rx_bytes},
        {"net_tx_bytes_total", (double)usage->net_tx_bytes},
        {"block_read_bytes_total", (double)usage->block_read_bytes},
        {"block_write_bytes_total", (double)usage->block_write_bytes},
        {"pids", (double)usage->pids},
    };
    struct number_pair *items = arena_array(arena, ARRAY_LENGTH(all), sizeof(*items));
    size_t count = 0;
    for (size_t i = 0; items && i < ARRAY_LENGTH(all); i++) {
        if (all[i].value >= 0) { /* -1: unknown */
            items[count++] = all[i];
        }
    }
    if (items) {
        qsort(items, count, sizeof(*items), compare_pairs);
    }
    return (struct number_map){items, count};
}

static void remember_published(struct worker_shell *shell, const char *task_id)
{
    struct published_task *task = NULL;
    HASH_FIND_STR(shell->published, task_id, task);
    if (!task) {
        task = mem_alloc(sizeof(*task));
        snprintf(task->id, sizeof(task->id), "%s", task_id);
        HASH_ADD_STR(shell->published, id, task);
    }
    task->heartbeat = shell->heartbeats;
}

void shell_on_usage(void *context, const char *task_id, const struct runtime_usage *usage)
{
    struct worker_shell *shell = context;
    _cleanup_arena_ struct arena arena = ARENA_EMPTY;
    struct attempt_view view;
    if (!worker_find(shell->worker, task_id, &view)) {
        return;
    }
    struct number_map numbers =
        shell_usage_numbers(usage, shell_now(shell), view.run, view.restarts, &arena);
    char topic[LIMIT_TOPIC_LENGTH + 1];
    shell_topic(shell, topic, TOPIC_TASK_METRICS, task_id);
    publish_numbers(shell, topic, &numbers);
    remember_published(shell, task_id);
    shell_asks_usage(shell, task_id, &numbers);
}

static void clear_stale(struct worker_shell *shell)
{
    struct published_task *task, *next;
    HASH_ITER(hh, shell->published, task, next)
    {
        if (shell->heartbeats - task->heartbeat > HEARTBEATS_MISSED) {
            char topic[LIMIT_TOPIC_LENGTH + 1];
            shell_topic(shell, topic, TOPIC_TASK_METRICS, task->id);
            struct bus_publication publication = {.topic = topic, .payload = "", .retain = true};
            shell->bus->ops->publish(shell->bus, &publication);
            HASH_DEL(shell->published, task);
            free(task);
        }
    }
}

void shell_forget_published(struct worker_shell *shell)
{
    struct published_task *task, *next;
    HASH_ITER(hh, shell->published, task, next)
    {
        HASH_DEL(shell->published, task);
        free(task);
    }
}

void shell_heartbeat(struct worker_shell *shell, struct now now)
{
    shell->heartbeat_due_ms = now.mono_ms + worker_interval_ms(shell->worker);
    shell->heartbeats++;
    publish_node(shell, now);
    clear_stale(shell);
    for (int kind = RUNTIME_DOCKER; kind < RUNTIME_KIND_COUNT; kind++) {
        struct runtime *runtime = shell->slots[kind].runtime;
        if (runtime) {
            runtime->ops->usage(runtime, shell_on_usage, shell);
        }
    }
}
