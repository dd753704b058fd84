/* The manager's events, on manager/events/<kind>. */
#include "manager/shell/shell_state.h"

#include <stdio.h>

void manager_shell_event(struct manager_shell *shell, const struct event *event)
{
    event_log(event);
    if (!shell->started)
        return; /* the store is being read: there is nobody to tell yet */
    char topic[LIMIT_TOPIC_LENGTH + 1], source[200];
    snprintf(source, sizeof(source), "/argosy/%s/managers/%s", manager_cluster(shell->manager),
             shell->id);
    struct event_origin origin = {.source = source,
                                  .instance = session_instance(shell->session),
                                  .number = ++shell->event_count,
                                  .wall_ms = manager_shell_now(shell).wall_ms};
    _cleanup_buf_ struct buf payload = BUF_EMPTY;
    topic_format(topic, TOPIC_MANAGER_EVENT, event->kind, NULL);
    event_encode(event, &origin, &payload);
    ledger_message(shell->ledger, &(struct bus_publication){.topic = topic,
                                                            .payload = payload.data,
                                                            .length = payload.length});
}

void manager_shell_event_once(struct manager_shell *shell, const struct event *event, uint64_t hash)
{
    if (!hash_memory_add(&shell->reported, hash))
        manager_shell_event(shell, event);
}
