/* Order of documents, terms and cluster ids: who may write, and what is newer (CONTRACT 3, rules 3
 * and 5). */
#include "manager/core/internal.h"

#include "platform/base/text.h"

#include <stdlib.h>
#include <string.h>

int64_t order_term(const struct order *order)
{
    return order->reign ? order->reign->key.term : 0;
}

int order_compare(const struct order *order, const struct manager_head *head)
{
    const struct reign *reign = order->reign;
    struct manager_head mine = {.manager =
                                    reign && reign->key.manager[0] ? reign->key.manager : NULL,
                                .term = order_term(order),
                                .seq = order->seq};
    return manager_head_compare(&mine, head);
}

static bool is_of_reign(const struct manager_head *head, const struct reign *reign)
{
    return reign && reign->key.term == head->term &&
           strcmp(reign->key.manager, head->manager ? head->manager : "") == 0;
}

/* Most documents are of one. */
static const struct reign *reign_obtain(struct manager *manager, const struct manager_head *head)
{
    struct reign *reign, wanted = {.key.term = head->term};
    if (is_of_reign(head, manager->reign))
        return manager->reign;
    if (head->manager)
        text_copy(wanted.key.manager, sizeof(wanted.key.manager), head->manager);
    HASH_FIND(hh, manager->reigns, &wanted.key, sizeof(wanted.key), reign);
    if (!reign) {
        reign = mem_alloc(sizeof(*reign));
        reign->key = wanted.key;
        HASH_ADD(hh, manager->reigns, key, sizeof(reign->key), reign);
    }
    manager->reign = reign;
    return reign;
}

void reigns_release(struct manager *manager)
{
    struct reign *reign, *next;
    HASH_ITER(hh, manager->reigns, reign, next)
    {
        HASH_DEL(manager->reigns, reign);
        free(reign);
    }
}

void order_take(struct manager *manager, struct order *order, const struct manager_head *head)
{
    *order = (struct order){.reign = reign_obtain(manager, head), .seq = head->seq};
}

struct manager_head head_next(struct manager *manager, struct order *order, bool tombstone)
{
    struct manager_head head = {
        .cluster = manager->cluster,
        .manager = manager->id,
        .term = manager->term,
        .seq = ++manager->seq,
        .tombstone = tombstone,
    };
    order_take(manager, order, &head);
    return head;
}

static void supersede(struct manager *manager, int64_t term, const char *by)
{
    manager->phase = PHASE_SUPERSEDED;
    emit_event(manager, "superseded", REASON_STALE_TERM, NULL, NULL, NULL,
               "manager %s leads with term %lld, we had %lld", by, (long long)term,
               (long long)manager->term);
}

void term_raise(struct manager *manager, int64_t term)
{
    if (term <= manager->term || manager->phase == PHASE_SUPERSEDED)
        return;
    manager->term = term;
    mark_everything(manager);
}

static bool is_other(const struct manager *manager, const char *from)
{
    return from && strcmp(from, manager->id) != 0;
}

/* Who has led in this life and hears of a higher leader steps down: two would only outbid each
 * other. Of two with one term, the smaller id gives way. */
void term_hear(struct manager *manager, int64_t term, const char *from)
{
    bool other = is_other(manager, from);
    if (term > manager->term_heard || (term == manager->term_heard && other)) {
        manager->term_heard = term;
        text_copy(manager->term_heard_from, sizeof(manager->term_heard_from), from);
    }
    if (!manager->has_led || !other || manager->phase == PHASE_SUPERSEDED)
        return;
    if (term > manager->term || (term == manager->term && strcmp(from, manager->id) > 0))
        supersede(manager, term, from);
    else if (term == manager->term)
        term_raise(manager, term + 1);
}

void term_outbid(struct manager *manager, int64_t term, const char *from)
{
    bool larger = term > manager->term || (term == manager->term && is_other(manager, from));
    if (!manager->has_led)
        term_hear(manager, term, from);
    else if (larger)
        term_raise(manager, term + 1);
}

/* A cluster id that we made ourselves is given up for one that somebody works under. */
void cluster_hear(struct manager *manager, const char *cluster)
{
    if (!cluster || !cluster[0] || strcmp(cluster, manager->cluster) == 0)
        return;
    if (manager->cluster[0] && manager->cluster_settled)
        return;
    bool had_one = manager->cluster[0];
    text_copy(manager->cluster, sizeof(manager->cluster), cluster);
    manager->cluster_settled = true;
    if (had_one)
        mark_everything(manager);
}

static bool is_ours(const struct manager *manager, const struct manager_head *head)
{
    return head->term == manager->term && head->manager && strcmp(head->manager, manager->id) == 0;
}

bool document_is_news(struct manager *manager, const struct manager_event *event,
                      const struct manager_head *head, const struct order *order,
                      bool *ret_overwrite)
{
    *ret_overwrite = false;
    if (!manager->has_led)
        cluster_hear(manager, head->cluster);
    if (head->cluster && strcmp(head->cluster, manager->cluster) != 0) {
        *ret_overwrite = order_term(order) > 0;
        return false;
    }
    if (is_ours(manager, head) && head->seq > manager->seq)
        manager->seq = head->seq;
    term_hear(manager, head->term, head->manager);
    int order_of_ours = order_compare(order, head);
    /* The shell keeps our own words from us when they come back; an old one that is heard all the
     * same was said again by somebody. */
    bool old_words = event->live && order_of_ours > 0;
    bool echo = is_ours(manager, head) && order_of_ours >= 0 && !old_words;
    if (manager->has_led) {
        *ret_overwrite = !echo && order_term(order) > 0;
        return false;
    }
    if (order_of_ours > 0)
        *ret_overwrite = !echo;
    if (order_of_ours >= 0)
        return false;
    /* A job's status is said and not stored: the store lacks nothing of it. */
    manager->heard_news |= !event->stored && event->kind != EVENT_JOB_STATUS;
    return true;
}
