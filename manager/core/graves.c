/* Tombstones. A document that is gone for good stays in the store as a tombstone for 24 h, so that
 * an old copy that turns up again is known to be old; its topic gets the empty message as mere
 * clean-up, some time after the tombstone itself was published, and again after each new
 * connection. An assignment's stays until its node has answered: one that is away would never hear
 * of the end. */
#include "manager/core/internal.h"

#include <stdlib.h>
#include <string.h>

static void grave_free(struct manager *manager, struct grave *grave)
{
    timer_unset(&manager->timers, &grave->timer);
    HASH_DEL(manager->graves, grave);
    free(grave);
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
        if (binding && binding->tombstone && !binding->marked)
            binding_free(manager, binding);
    }
    grave_free(manager, grave);
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

/* Until its clean-up is due; it is due again after each new connection. */
static void wait_to_clear(struct manager *manager, struct grave *grave)
{
    int64_t due_ms = manager->now.mono_ms + TOMBSTONE_KEPT_MS;
    timer_set(&manager->timers, &grave->timer,
              due_ms < grave->forget_ms ? due_ms : grave->forget_ms);
    grave->cleared = false;
}

static void grave_fire(struct manager *manager, void *owner)
{
    struct grave *grave = owner;
    bool last = grave->forget_ms <= manager->now.mono_ms;
    if (!grave->cleared && !last && !is_heard(manager, grave)) {
        wait_to_clear(manager, grave);
        return;
    }
    if (!grave->cleared)
        emit_clear(manager, CLEAR_TOPIC, grave->topic);
    grave->cleared = true;
    if (last)
        forget(manager, grave);
    else
        timer_set(&manager->timers, &grave->timer, grave->forget_ms);
}

static struct grave *grave_find(const struct manager *manager, const char *topic)
{
    struct grave *grave;
    HASH_FIND_STR(manager->graves, topic, grave);
    return grave;
}

static struct grave *grave_new(struct manager *manager, const char *topic)
{
    size_t length = strlen(topic);
    struct grave *grave = mem_alloc(sizeof(*grave) + length + 1);
    memcpy(grave->topic, topic, length);
    timer_init(&grave->timer, grave_fire, grave);
    HASH_ADD_STR(manager->graves, topic, grave);
    return grave;
}

void grave_dig(struct manager *manager, enum topic_kind kind, const char *first, const char *second)
{
    char topic[LIMIT_TOPIC_LENGTH + 1];
    topic_format(topic, kind, first, second);
    struct grave *grave = grave_find(manager, topic);
    if (!grave)
        grave = grave_new(manager, topic);
    grave->forget_ms = manager->now.mono_ms + TOMBSTONE_STORED_MS;
    wait_to_clear(manager, grave);
}

void grave_close(struct manager *manager, enum topic_kind kind, const char *first,
                 const char *second)
{
    char topic[LIMIT_TOPIC_LENGTH + 1];
    topic_format(topic, kind, first, second);
    struct grave *grave = grave_find(manager, topic);
    if (grave)
        grave_free(manager, grave);
}

void graves_clear_again(struct manager *manager)
{
    for (struct grave *grave = manager->graves; grave; grave = grave->hh.next)
        wait_to_clear(manager, grave);
}

void graves_release(struct manager *manager)
{
    struct grave *grave, *next;
    HASH_ITER(hh, manager->graves, grave, next)
    grave_free(manager, grave);
}
