/* Tombstones. A document that is gone for good stays in the store as a tombstone for 24 h, so that
 * an old copy that turns up again is known to be old; its topic gets the empty message as mere
 * clean-up, some time after the tombstone itself was published, and again after each new
 * connection. An assignment's stays until its node has answered: one that is away would never hear
 * of the end. */
#include "manager/core/internal.h"

#include <stdlib.h>
#include <string.h>

static void graves_schedule(struct manager *manager)
{
    int64_t due = INT64_MAX;
    for (struct grave *grave = manager->graves; grave; grave = grave->hh.next) {
        int64_t next = grave->clear_ms ? grave->clear_ms : grave->forget_ms;
        due = next < due ? next : due;
    }
    if (due == INT64_MAX)
        timer_unset(&manager->timers, &manager->grave_timer);
    else
        timer_set(&manager->timers, &manager->grave_timer, due);
}

/* After 24 h nothing of the entity needs to be remembered. */
static void forget(struct manager *manager, struct grave *grave)
{
    struct topic topic;
    emit_clear(manager, CLEAR_FORGET, grave->topic);
    if (topic_parse(grave->topic, &topic) && topic.kind == TOPIC_JOB_SPEC) {
        struct job *job = job_find(manager, topic.level[0]);
        if (job && job->tombstone && !job->bindings && !job->marks)
            job_free(manager, job);
    } else if (topic.kind == TOPIC_NODE_ASSIGN) {
        struct node *node = node_find(manager, topic.level[0]);
        struct job *job = job_find(manager, topic.level[1]);
        struct binding *binding = node && job ? binding_find(node, job) : NULL;
        if (binding && binding->tombstone && !binding->marks)
            binding_free(binding);
    }
    HASH_DEL(manager->graves, grave);
    free(grave);
}

static bool is_heard(struct manager *manager, const struct grave *grave)
{
    struct topic topic;
    if (!topic_parse(grave->topic, &topic) || topic.kind != TOPIC_NODE_ASSIGN)
        return true;
    const struct node *node = node_find(manager, topic.level[0]);
    const struct job *job = job_find(manager, topic.level[1]);
    const struct binding *binding = node && job ? binding_find(node, job) : NULL;
    return !binding || node->deleted || binding->state_revision >= binding->revision;
}

static void graves_fire(struct manager *manager, void *owner)
{
    (void)owner;
    int64_t now = manager->now.mono_ms;
    struct grave *grave, *next;
    HASH_ITER(hh, manager->graves, grave, next)
    {
        bool last = grave->forget_ms <= now;
        if (grave->clear_ms && grave->clear_ms <= now && (last || is_heard(manager, grave))) {
            emit_clear(manager, CLEAR_TOPIC, grave->topic);
            grave->clear_ms = 0;
        } else if (grave->clear_ms && grave->clear_ms <= now) {
            grave->clear_ms = now + TOMBSTONE_KEPT_MS;
        }
        if (last)
            forget(manager, grave);
    }
    graves_schedule(manager);
}

void grave_dig(struct manager *manager, enum topic_kind kind, const char *first, const char *second)
{
    char topic[LIMIT_TOPIC_LENGTH + 1];
    struct grave *grave;
    topic_format(topic, kind, first, second);
    HASH_FIND_STR(manager->graves, topic, grave);
    if (!grave) {
        grave = mem_alloc(sizeof(*grave));
        memcpy(grave->topic, topic, sizeof(topic));
        HASH_ADD_STR(manager->graves, topic, grave);
    }
    grave->clear_ms = manager->now.mono_ms + TOMBSTONE_KEPT_MS;
    grave->forget_ms = manager->now.mono_ms + TOMBSTONE_STORED_MS;
    graves_schedule(manager);
}

void grave_close(struct manager *manager, enum topic_kind kind, const char *first,
                 const char *second)
{
    char topic[LIMIT_TOPIC_LENGTH + 1];
    struct grave *grave;
    topic_format(topic, kind, first, second);
    HASH_FIND_STR(manager->graves, topic, grave);
    if (!grave)
        return;
    HASH_DEL(manager->graves, grave);
    free(grave);
    graves_schedule(manager);
}

void graves_clear_again(struct manager *manager)
{
    for (struct grave *grave = manager->graves; grave; grave = grave->hh.next)
        grave->clear_ms = manager->now.mono_ms + TOMBSTONE_KEPT_MS;
    graves_schedule(manager);
}

void graves_init(struct manager *manager)
{
    timer_init(&manager->grave_timer, graves_fire, NULL);
}

void graves_release(struct manager *manager)
{
    struct grave *grave, *next;
    HASH_ITER(hh, manager->graves, grave, next)
    {
        HASH_DEL(manager->graves, grave);
        free(grave);
    }
}
