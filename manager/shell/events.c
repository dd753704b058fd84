/* Events: what happened, as CloudEvents 1.0 in structured JSON on manager/events/<kind>, and in the
 * log. */
#include "manager/shell/shell_state.h"

#include "platform/base/log.h"
#include "schema/codec/codec.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* FNV-1a (Fowler, Noll, Vo) over topic and payload. */
uint64_t message_hash(const char *topic, const void *payload, size_t length)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    const unsigned char *cursor = payload;
    for (const char *at = topic; *at; at++)
        hash = (hash ^ (unsigned char)*at) * UINT64_C(0x100000001b3);
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ cursor[i]) * UINT64_C(0x100000001b3);
    return hash;
}

bool hash_memory_has(const struct hash_memory *memory, uint64_t hash)
{
    return memory->items[hash % HASHES_KEPT] == hash;
}

bool hash_memory_add(struct hash_memory *memory, uint64_t hash)
{
    bool known = hash_memory_has(memory, hash);
    memory->items[hash % HASHES_KEPT] = hash;
    return known;
}

static void time_format(int64_t wall_ms, char ret_text[32])
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm parts;
    char date[24];
    gmtime_r(&seconds, &parts);
    strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(ret_text, 32, "%s.%03dZ", date, (int)(wall_ms % 1000));
}

static void event_publish(struct manager_shell *shell, const struct cloud_event *event,
                          const char *kind)
{
    char topic[LIMIT_TOPIC_LENGTH + 1];
    _cleanup_buf_ struct buf payload = BUF_EMPTY;
    topic_format(topic, TOPIC_MANAGER_EVENT, kind, NULL);
    codec_encode(&cloud_event_record, event, &payload);
    ledger_message(shell->ledger, &(struct bus_publication){
                                      .topic = topic,
                                      .payload = payload.data,
                                      .length = payload.length,
                                  });
}

static void event_log(const struct shell_event_view *event)
{
    log_info("%s reason=%s job=%s node=%s task=%s topic=%s %s", event->kind,
             reason_to_string((int)event->reason), event->job ? event->job : "-",
             event->node ? event->node : "-", event->task ? event->task : "-",
             event->topic ? event->topic : "-", event->message ? event->message : "");
}

void manager_shell_event(struct manager_shell *shell, const struct shell_event_view *event)
{
    event_log(event);
    if (!shell->started)
        return; /* the store is being read: there is nobody to tell yet */
    struct now now = manager_shell_now(shell);
    char id[96], source[200], type[80], date[32];
    snprintf(id, sizeof(id), "%s-%lld-%lld", session_instance(shell->session),
             (long long)now.wall_ms, (long long)++shell->event_count);
    snprintf(source, sizeof(source), "/argosy/%s/managers/%s", manager_cluster(shell->manager),
             shell->id);
    snprintf(type, sizeof(type), "argosy.%s", event->kind);
    time_format(now.wall_ms, date);
    struct cloud_event document = {
        .specversion = "1.0",
        .id = id,
        .source = source,
        .type = type,
        .subject = event->task  ? event->task
                   : event->job ? event->job
                                : event->node,
        .time = date,
        .datacontenttype = "application/json",
        .data = {.reason = event->reason ? reason_to_string((int)event->reason) : NULL,
                 .message = event->message,
                 .topic = event->topic,
                 .job = event->job,
                 .node = event->node,
                 .task = event->task},
    };
    event_publish(shell, &document, event->kind);
}

void manager_shell_event_once(struct manager_shell *shell, const struct shell_event_view *event,
                              uint64_t hash)
{
    if (!hash_memory_add(&shell->reported, hash))
        manager_shell_event(shell, event);
}
