/* The picture: the newest copy of every document heard, by topic. */
#ifndef ARGOSY_CLI_PICTURE_H
#define ARGOSY_CLI_PICTURE_H

#include "platform/base/arena.h"
#include "platform/ports/bus.h"
#include "schema/documents.h"
#include "schema/topics.h"

#include <uthash.h>

struct picture_entry {
    char *key; /* the topic */
    struct topic topic;
    struct arena arena; /* holds what `value` points to */
    void *value;        /* the struct of the topic's record; struct number_map for metrics */
    UT_hash_handle hh;
};

/* Zero-initialise. */
struct picture {
    struct picture_entry *entries;
    size_t unreadable; /* messages that could not be decoded */
};

/* Takes a document over; an empty payload removes it. False when the topic is none of the
 * documents. */
bool picture_hear(struct picture *picture, const struct bus_message *message);
/* Sorts by topic: names in the order of a dictionary, numbers in them by value. */
void picture_sort(struct picture *picture);
/* The document of `kind` with these levels, or NULL. Valid until the next picture_hear(). */
const void *picture_find(const struct picture *picture, enum topic_kind kind, const char *first,
                         const char *second);
/* The first document of `kind` (`previous` NULL), and the next ones, in the order of sorting; NULL
 * at the end. */
const struct picture_entry *picture_next(const struct picture *picture, enum topic_kind kind,
                                         const struct picture_entry *previous);
void picture_release(struct picture *picture);
#define _cleanup_picture_ __attribute__((cleanup(picture_release)))

/* Whether a manager leads, and its id (NULL when nothing of one is known). */
enum leadership {
    LEADERSHIP_NONE,       /* no manager has ever said anything here */
    LEADERSHIP_OFFLINE,    /* the last one is gone */
    LEADERSHIP_RECOVERING, /* it is there but not ready; answers will come */
    LEADERSHIP_LEADING,
};
enum leadership picture_leadership(const struct picture *picture, const char **ret_manager);

#endif
