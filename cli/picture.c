#include "cli/picture.h"

#include "platform/base/mem.h"
#include "schema/codec/codec.h"

#include <string.h>

/* The topics that hold documents, and what is in them. */
static const struct record *record_of(enum topic_kind kind)
{
    static const struct record *const records[TOPIC_KIND_COUNT] = {
        [TOPIC_JOB_SPEC] = &job_document_record,
        [TOPIC_JOB_STATUS] = &job_status_record,
        [TOPIC_NODE_DESIRED] = &node_desired_record,
        [TOPIC_NODE_ASSIGN] = &assignment_record,
        [TOPIC_NODE_STATE] = &node_state_record,
        [TOPIC_NODE_STATUS] = &presence_record,
        [TOPIC_NODE_INFO] = &node_info_record,
        [TOPIC_MANAGER_STATUS] = &manager_status_record,
        [TOPIC_MANAGER_PRESENCE] = &presence_record,
    };
    return records[kind];
}

static int decode(struct picture_entry *entry, const struct bus_message *message)
{
    _cleanup_problems_ struct problems problems = {0};
    const struct record *record = record_of(entry->topic.kind);
    if (!record) {
        entry->value = arena_alloc(&entry->arena, sizeof(struct number_map));
        return !entry->value ? -ERR_NO_MEMORY
                             : codec_decode_metrics(message->payload, message->length,
                                                    &entry->arena, entry->value, &problems);
    }
    entry->value = arena_alloc(&entry->arena, record->size);
    return !entry->value ? -ERR_NO_MEMORY
                         : codec_decode(record, message->payload, message->length, CODEC_LENIENT,
                                        &entry->arena, entry->value, &problems);
}

static void entry_free(struct picture_entry *entry)
{
    arena_release(&entry->arena);
    free(entry->key);
    free(entry);
}

bool picture_hear(struct picture *picture, const struct bus_message *message)
{
    struct topic topic;
    if (!topic_parse(message->topic, &topic) ||
        (!record_of(topic.kind) && topic.kind != TOPIC_NODE_METRICS))
        return false;
    struct picture_entry *old = NULL, *entry = NULL;
    HASH_FIND_STR(picture->entries, message->topic, old);
    if (message->length) {
        entry = mem_alloc(sizeof *entry);
        entry->key = mem_strdup(message->topic);
        entry->topic = topic;
        entry->arena.limit_bytes = LIMIT_DECODE_ARENA_BYTES;
        if (decode(entry, message) != 0) { /* garbage changes nothing */
            picture->unreadable++;
            entry_free(entry);
            return true;
        }
    }
    if (old) {
        HASH_DEL(picture->entries, old);
        entry_free(old);
    }
    if (entry)
        HASH_ADD_KEYPTR(hh, picture->entries, entry->key, strlen(entry->key), entry);
    return true;
}

static int compare(const struct picture_entry *a, const struct picture_entry *b)
{
    return strverscmp(a->key, b->key);
}

void picture_sort(struct picture *picture)
{
    HASH_SORT(picture->entries, compare);
}

const void *picture_find(const struct picture *picture, enum topic_kind kind, const char *first,
                         const char *second)
{
    char key[LIMIT_TOPIC_LENGTH + 1];
    struct picture_entry *entry;
    topic_format(key, kind, first, second);
    HASH_FIND_STR(picture->entries, key, entry);
    return entry ? entry->value : NULL;
}

const struct picture_entry *picture_next(const struct picture *picture, enum topic_kind kind,
                                         const struct picture_entry *previous)
{
    const struct picture_entry *entry = previous ? previous->hh.next : picture->entries;
    while (entry && entry->topic.kind != kind)
        entry = entry->hh.next;
    return entry;
}

void picture_release(struct picture *picture)
{
    struct picture_entry *entry, *next;
    HASH_ITER(hh, picture->entries, entry, next)
    {
        HASH_DEL(picture->entries, entry);
        entry_free(entry);
    }
}

enum leadership picture_leadership(const struct picture *picture, const char **ret_manager)
{
    const struct manager_status *status = picture_find(picture, TOPIC_MANAGER_STATUS, NULL, NULL);
    *ret_manager = status ? status->head.manager : NULL;
    if (!status)
        return LEADERSHIP_NONE;
    const struct presence_document *presence =
        status->head.manager
            ? picture_find(picture, TOPIC_MANAGER_PRESENCE, status->head.manager, NULL)
            : NULL;
    bool gone =
        presence && presence->state == PRESENCE_OFFLINE && presence->session >= status->session;
    if (status->state == MANAGER_OFFLINE || gone || !presence)
        return LEADERSHIP_OFFLINE;
    return status->state == MANAGER_LEADING ? LEADERSHIP_LEADING : LEADERSHIP_RECOVERING;
}
