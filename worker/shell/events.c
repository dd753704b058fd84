/* The worker's events, on nodes/<node>/events/<kind>. */
#include "worker/shell/shell_state.h"

#include <stdio.h>

static void publish(struct worker_shell *shell, const struct event *event, struct now now)
{
    const char *cluster = worker_cluster(shell->worker);
    char topic[LIMIT_TOPIC_LENGTH + 1], source[160];
    snprintf(source, sizeof(source), "/argosy/%.64s/nodes/%s", cluster ? cluster : "-",
             shell->node);
    struct event_origin origin = {.source = source,
                                  .instance = session_instance(shell->session),
                                  .number = ++shell->events,
                                  .wall_ms = now.wall_ms};
    _cleanup_buf_ struct buf payload = BUF_EMPTY;
    shell_topic(shell, topic, TOPIC_NODE_EVENT, event->kind);
    event_encode(event, &origin, &payload);
    struct bus_publication publication = {
        .topic = topic, .payload = payload.data, .length = payload.length};
    shell->bus->ops->publish(shell->bus, &publication);
}

bool shell_event(struct worker_shell *shell, const struct event *event)
{
    struct now now = shell_now(shell);
    struct event ours = *event;
    if (!event_limits_take(&shell->event_limits, &ours, now.mono_ms)) {
        return false;
    }
    event_log(&ours);
    ours.node = shell->node;
    if (shell->started) { /* else the store is being read: there is nobody to tell yet */
        publish(shell, &ours, now);
    }
    return true;
}

void shell_event_once(struct worker_shell *shell, const struct event *event)
{
    uint64_t hash = event_hash(event);
    if (!hash_memory_has(&shell->reported, hash) && shell_event(shell, event)) {
        hash_memory_add(&shell->reported, hash);
    }
}
