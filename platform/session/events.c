#include "platform/session/events.h"

#include "platform/base/log.h"
#include "platform/base/mem.h"
#include "schema/codec/codec.h"
#include "schema/documents.h"
#include "schema/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <xxhash.h>

static void time_format(int64_t wall_ms, char ret_text[32])
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm parts;
    char date[24];
    gmtime_r(&seconds, &parts);
    strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(ret_text, 32, "%s.%03dZ", date, (int)(wall_ms % 1000));
}

static const char *event_subject(const struct event *event)
{
    if (event->task)
        return event->task;
    return event->job ? event->job : event->node;
}

void event_encode(const struct event *event, const struct event_origin *origin, struct buf *out)
{
    char id[96], type[80], date[32];
    snprintf(id, sizeof(id), "%s-%lld-%lld", origin->instance, (long long)origin->wall_ms,
             (long long)origin->number);
    snprintf(type, sizeof(type), "argosy.%s", event->kind);
    time_format(origin->wall_ms, date);
    struct cloud_event document = {
        .specversion = "1.0",
        .id = id,
        .source = origin->source,
        .type = type,
        .subject = event_subject(event),
        .time = date,
        .datacontenttype = "application/json",
        .data = {.reason = event->reason ? reason_to_string((int)event->reason) : NULL,
                 .message = event->message,
                 .topic = event->topic,
                 .job = event->job,
                 .node = event->node,
                 .task = event->task,
                 .suppressed = event->suppressed},
    };
    codec_encode(&cloud_event_record, &document, out);
}

static const char *or_dash(const char *text)
{
    return text ? text : "-";
}

void event_log(const struct event *event)
{
    char left_out[48] = "";
    if (event->suppressed)
        snprintf(left_out, sizeof(left_out), " (%lld more left out)", (long long)event->suppressed);
    log_info("%s reason=%s job=%s node=%s task=%s topic=%s %s%s", event->kind,
             reason_to_string((int)event->reason), or_dash(event->job), or_dash(event->node),
             or_dash(event->task), or_dash(event->topic), event->message ? event->message : "",
             left_out);
}

/* ---- telling not too many ---- */

static struct event_limit *limit_of(struct event_limits *limits, const char *kind)
{
    size_t i = 0;
    while (i < limits->count && strcmp(limits->items[i].kind, kind) != 0)
        i++;
    if (i == limits->count) {
        ASSERT(i < EVENT_KINDS_MAX);
        limits->items[limits->count++].kind = kind;
    }
    return &limits->items[i];
}

/* The bucket is the time at which it will be full, which each event puts off by its share of the
 * minute: the virtual scheduling algorithm of ITU-T I.371. Nothing is rounded. */
bool event_limits_take(struct event_limits *limits, struct event *event, int64_t mono_ms)
{
    enum { MINUTE_MS = 60 * 1000, SHARE_MS = MINUTE_MS / EVENTS_PER_MINUTE };
    struct event_limit *limit = limit_of(limits, event->kind);
    int64_t full_ms = (limit->full_ms > mono_ms ? limit->full_ms : mono_ms) + SHARE_MS;
    if (full_ms - mono_ms > MINUTE_MS) {
        limit->suppressed++;
        limits->suppressed_total++;
        return false;
    }
    event->suppressed = limit->suppressed;
    limit->suppressed = 0;
    limit->full_ms = full_ms;
    return true;
}

/* ---- telling a thing once ---- */

static uint64_t hash_text(uint64_t before, const char *text)
{
    return XXH3_64bits_withSeed(text, strlen(text), before);
}

uint64_t text_hash(const char *text)
{
    return hash_text(0, text);
}

uint64_t message_hash(const char *topic, const void *bytes, size_t length)
{
    return XXH3_64bits_withSeed(bytes, length, hash_text(0, topic));
}

uint64_t event_hash(const struct event *event)
{
    const char *const texts[] = {event->message, event->topic, event->job, event->node,
                                 event->task};
    uint64_t hash = message_hash(event->kind, &event->reason, sizeof(event->reason));
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
        hash = hash_text(hash, texts[i] ? texts[i] : "");
    return hash;
}

void hash_memory_init(struct hash_memory *memory, size_t count)
{
    *memory = (struct hash_memory){mem_alloc(count * sizeof(*memory->items)), count};
}

void hash_memory_release(struct hash_memory *memory)
{
    free(memory->items);
}

void hash_memory_clear(struct hash_memory *memory)
{
    memset(memory->items, 0, memory->count * sizeof(*memory->items));
}

bool hash_memory_has(const struct hash_memory *memory, uint64_t hash)
{
    return memory->items[hash % memory->count] == hash;
}

bool hash_memory_take(struct hash_memory *memory, uint64_t hash)
{
    bool known = hash_memory_has(memory, hash);
    if (known)
        memory->items[hash % memory->count] = 0;
    return known;
}

bool hash_memory_add(struct hash_memory *memory, uint64_t hash)
{
    bool known = hash_memory_has(memory, hash);
    memory->items[hash % memory->count] = hash;
    return known;
}
