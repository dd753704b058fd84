/* The manager's events, on manager/events/<kind>. */
#include "manager/shell/shell_state.h"

#include <stdio.h>

static void publish(struct manager_shell *shell, const struct event *event, struct now now)
{
    char topic[LIMIT_TOPIC_LENGTH + 1], source[200];
    snprintf(source, sizeof(source), "/argosy/%s/managers/%s", manager_cluster(shell->manager),
             shell->id);
    struct event_origin origin = {.source = source,
                                  .instance = session_instance(shell->session),
                                  .number = ++shell->event_count,
                                  .wall_ms = now.wall_ms};
    _cleanup_buf_ struct buf payload = BUF_EMPTY;
    topic_format(topic, TOPIC_MANAGER_EVENT, event->kind, NULL);
    event_encode(event, &origin, &payload);
    ledger_message(shell->ledger, &(struct bus_publication){.topic = topic,
                                                            .payload = payload.data,
                                                            .length = payload.length});
}

bool manager_shell_event(struct manager_shell *shell, const struct event *event)
{
    struct now now = manager_shell_now(shell);
    struct event told = *event;
    if (!event_limits_take(&shell->event_limits, &told, now.mono_ms))
        return false;
    event_log(&told);
    if (shell->started) /* else the store is being read: there is nobody to tell yet */
        publish(shell, &told, now);
    return true;
}

void manager_shell_event_once(struct manager_shell *shell, const struct event *event, uint64_t hash)
{
    if (!hash_memory_has(&shell->reported, hash) && manager_shell_event(shell, event))
        hash_memory_add(&shell->reported, hash);
}
