/* Heartbeats: the node's numbers, and those of its running tasks as their runtimes report them, of
 * USAGE_PER_HEARTBEAT at a time (docs/decisions.md, D37). Retained, so that a newcomer sees the
 * last one at once, and expiring where the broker can. */
#include "worker/shell/shell_state.h"

#include "platform/base/mem.h"
#include "platform/base/text.h"
#include "schema/codec/codec.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

/* A task that runs, or whose metrics are retained. The table is their queue: whoever is asked goes
 * to its end. */
struct published_task {
    char id[LIMIT_TASK_ID_LENGTH + 1];
    int64_t ran;   /* the last heartbeat at which it ran */
    int64_t asked; /* the last one at which its runtime was asked, 0: none */
    int64_t
        missed; /* turns without an answer, and heartbeats at which it did not run, since told */
    bool told;  /* its metrics are retained */
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
                            const struct number_map *numbers, int64_t turn)
{
    _cleanup_buf_ struct buf payload = BUF_EMPTY;
    codec_encode_metrics(numbers, &payload);
    int64_t expiry_s = (HEARTBEATS_MISSED * turn * worker_interval_ms(shell->worker) + 999) / 1000;
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
    publish_numbers(shell, topic, &map, 1);
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

static struct published_task *published_find(const struct worker_shell *shell, const char *task_id)
{
    struct published_task *task = NULL;
    HASH_FIND_STR(shell->published, task_id, task);
    return task;
}

static void tell(struct worker_shell *shell, struct published_task *task,
                 const struct number_map *numbers)
{
    char topic[LIMIT_TOPIC_LENGTH + 1];
    shell_topic(shell, topic, TOPIC_TASK_METRICS, task->id);
    publish_numbers(shell, topic, numbers, shell->turn);
    task->told = true;
    task->missed = 0;
}

void shell_on_usage(void *context, const char *task_id, const struct runtime_usage *usage)
{
    struct worker_shell *shell = context;
    _cleanup_arena_ struct arena arena = ARENA_EMPTY;
    struct published_task *task = published_find(shell, task_id);
    struct attempt_view view;
    if (!worker_find(shell->worker, task_id, &view)) {
        return;
    }
    struct number_map numbers =
        shell_usage_numbers(usage, shell_now(shell), view.run, view.restarts, &arena);
    if (task) { /* else nobody would clear it */
        tell(shell, task, &numbers);
    }
    shell_asks_usage(shell, task_id, &numbers);
    shell_rearm(shell); /* an answer goes out at once */
}

/* ---- whose turn it is ---- */

static void note_running(void *context, const struct attempt_view *view)
{
    struct worker_shell *shell = context;
    struct published_task *task = published_find(shell, view->id);
    if (!task) {
        task = mem_alloc(sizeof(*task));
        text_copy(task->id, sizeof(task->id), view->id);
        HASH_ADD_STR(shell->published, id, task);
    }
    task->ran = shell->heartbeats;
}

static void published_free(struct worker_shell *shell, struct published_task *task)
{
    HASH_DEL(shell->published, task);
    free(task);
}

static void clear(struct worker_shell *shell, struct published_task *task)
{
    char topic[LIMIT_TOPIC_LENGTH + 1];
    shell_topic(shell, topic, TOPIC_TASK_METRICS, task->id);
    struct bus_publication publication = {.topic = topic, .payload = "", .retain = true};
    shell->bus->ops->publish(shell->bus, &publication);
    task->told = false;
}

static void clear_stale(struct worker_shell *shell)
{
    struct published_task *task, *next;
    HASH_ITER(hh, shell->published, task, next)
    {
        if (task->told && task->missed >= HEARTBEATS_MISSED) {
            clear(shell, task);
        }
        if (task->ran == shell->heartbeats) {
            continue;
        }
        task->missed++;
        if (!task->told) {
            published_free(shell, task);
        }
    }
}

static bool is_due(const struct worker_shell *shell, const struct published_task *task)
{
    return task->ran == shell->heartbeats &&
           (!task->asked || shell->heartbeats - task->asked >= shell->turn);
}

static void ask(struct worker_shell *shell, struct published_task *task)
{
    struct attempt_view view;
    struct runtime *runtime =
        worker_find(shell->worker, task->id, &view) ? shell->slots[view.runtime].runtime : NULL;
    if (runtime) {
        runtime->ops->usage(runtime, task->id, view.run, shell_on_usage, shell);
    }
    task->asked = shell->heartbeats;
    task->missed++;
    HASH_DEL(shell->published, task);
    HASH_ADD_STR(shell->published, id, task);
}

/* From the front of the queue, so that nobody waits longer than a turn, however many come and go:
 * whoever joins stands behind those that wait. */
static void ask_in_turn(struct worker_shell *shell)
{
    int left = USAGE_PER_HEARTBEAT;
    struct published_task *task, *next;
    HASH_ITER(hh, shell->published, task, next)
    {
        if (left > 0 && is_due(shell, task)) {
            ask(shell, task);
            left--;
        }
    }
}

void shell_forget_published(struct worker_shell *shell)
{
    struct published_task *task, *next;
    HASH_ITER(hh, shell->published, task, next)
    {
        published_free(shell, task);
    }
}

void shell_heartbeat(struct worker_shell *shell, struct now now)
{
    shell->heartbeat_due_ms = now.mono_ms + worker_interval_ms(shell->worker);
    shell->heartbeats++;
    publish_node(shell, now);
    int64_t running = worker_each_running(shell->worker, note_running, shell);
    shell->turn = running ? (running + USAGE_PER_HEARTBEAT - 1) / USAGE_PER_HEARTBEAT : 1;
    clear_stale(shell);
    ask_in_turn(shell);
}
