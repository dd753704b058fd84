/* The worker's events, on nodes/<node>/events/<kind>. */
#include "worker/shell/shell_state.h"

#include <stdio.h>

void shell_event(struct worker_shell *shell, const struct event *event)
{
    event_log(event);
    if (!shell->started) {
        return; /* the store is being read: there is nobody to tell yet */
    }
    const char *cluster = worker_cluster(shell->worker);
    char topic[LIMIT_TOPIC_LENGTH + 1], source[160];
    snprintf(source, sizeof(source), "/argosy/%.64s/nodes/%s", cluster ? cluster : "-",
             shell->node);
    struct event_origin origin = {.source = source,
                                  .instance = session_instance(shell->session),
                                  .number = ++shell->events,
                                  .wall_ms = shell_now(shell).wall_ms};
    struct event ours = *event;
    ours.node = shell->node;
    _cleanup_buf_ struct buf payload = BUF_EMPTY;
    shell_topic(shell, topic, TOPIC_NODE_EVENT, event->kind);
    event_encode(&ours, &origin, &payload);
    struct bus_publication publication = {
        .topic = topic, .payload = payload.data, .length = payload.length};
    shell->bus->ops->publish(shell->bus, &publication);
}

void shell_event_once(struct worker_shell *shell, const struct event *event)
{
    if (!hash_memory_add(&shell->reported, event_hash(event))) {
        shell_event(shell, event);
    }
}
