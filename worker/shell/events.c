/* Events: what happened, as CloudEvents 1.0 in structured JSON, and in the log. */
#include "worker/shell/shell_state.h"

#include "platform/base/log.h"
#include "schema/codec/codec.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* FNV-1a. */
uint64_t hash_bytes(uint64_t seed, const void *bytes, size_t length)
{
    uint64_t hash = seed ^ UINT64_C(0xcbf29ce484222325);
    const unsigned char *cursor = bytes;
    for (size_t i = 0; i < length; i++) {
        hash = (hash ^ cursor[i]) * UINT64_C(0x100000001b3);
    }
    return hash;
}

bool hash_ring_has(const struct hash_ring *ring, uint64_t hash)
{
    for (size_t i = 0; i < RING_SIZE; i++) {
        if (ring->items[i] == hash) {
            return true;
        }
    }
    return false;
}

void hash_ring_add(struct hash_ring *ring, uint64_t hash)
{
    ring->items[ring->next++ % RING_SIZE] = hash;
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

static void event_publish(struct worker_shell *shell, const struct cloud_event *event,
                          const char *word)
{
    char topic[LIMIT_TOPIC_LENGTH + 1];
    _cleanup_buf_ struct buf payload = BUF_EMPTY;
    shell_topic(shell, topic, TOPIC_NODE_EVENT, word);
    codec_encode(&cloud_event_record, event, &payload);
    struct bus_publication publication = {
        .topic = topic, .payload = payload.data, .length = payload.length};
    shell->bus->ops->publish(shell->bus, &publication);
}

static void event_log(const struct shell_event *event)
{
    log_info("%s reason=%s task=%s job=%s topic=%s %s", event->word,
             reason_to_string((int)event->reason), event->task ? event->task : "-",
             event->job ? event->job : "-", event->topic ? event->topic : "-",
             event->message ? event->message : "");
}

void shell_event(struct worker_shell *shell, const struct shell_event *event)
{
    event_log(event);
    if (!shell->started) {
        return; /* the store is being read: there is nobody to tell yet */
    }
    struct now now = shell_now(shell);
    const char *cluster = worker_cluster(shell->worker);
    char id[64], source[160], type[64], date[32];
    snprintf(id, sizeof(id), "%s-%lld-%lld", session_instance(shell->session),
             (long long)now.wall_ms, (long long)++shell->events);
    snprintf(source, sizeof(source), "/argosy/%.64s/nodes/%s", cluster ? cluster : "-",
             shell->node);
    snprintf(type, sizeof(type), "argosy.%s", event->word);
    time_format(now.wall_ms, date);
    struct cloud_event document = {
        .specversion = "1.0",
        .id = id,
        .source = source,
        .type = type,
        .subject = event->task ? event->task : event->job,
        .time = date,
        .datacontenttype = "application/json",
        .data = {.reason = event->reason ? reason_to_string((int)event->reason) : NULL,
                 .message = event->message,
                 .topic = event->topic,
                 .job = event->job,
                 .node = shell->node,
                 .task = event->task},
    };
    event_publish(shell, &document, event->word);
}

static uint64_t hash_text(uint64_t seed, const char *text)
{
    return text ? hash_bytes(seed, text, strlen(text)) : seed;
}

void shell_event_once(struct worker_shell *shell, const struct shell_event *event)
{
    uint64_t hash = hash_text((uint64_t)event->reason, event->message);
    hash = hash_text(hash_text(hash_text(hash, event->topic), event->job), event->task);
    if (!hash_ring_has(&shell->reported, hash)) {
        hash_ring_add(&shell->reported, hash);
        shell_event(shell, event);
    }
}
